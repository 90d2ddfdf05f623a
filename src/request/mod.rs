//! Requests of data subjects: kinds, life, deadlines.

mod kind;

pub use kind::Kind;
