//! What would happen to which records, decided before anything is touched.

mod disposition;

pub use disposition::{Disposition, Ground, Outcome, Retained};
