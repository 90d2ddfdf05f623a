//! The only code that talks to systems holding personal data.

pub mod sql;
