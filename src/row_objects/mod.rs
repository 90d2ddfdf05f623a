//! Between stores and rows: brings a version of an object to a nameless file, looks in it for the rows of a person, and makes the object anew
//! without them. What belongs to whom is said by the caller; nothing here deletes or publishes anything. Keys and values stay out of errors (S-1).

mod bring;
mod failure;
mod look;
mod names;
mod order;

pub use bring::bring;
pub use failure::RowsFailure;
pub use look::{Looked, Remade, look_in, remake, take_from};
pub use names::{RowField, RowNames};
pub use order::{RowOrder, fingerprint, is_as_planned};
