//! Proof that something is gone: reading back what was erased, and looking for what nobody thought of. Code here never erases.

pub mod residue;
