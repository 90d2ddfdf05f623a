//! From gathered rows to an archive: which columns, which rows, what is left out and why. Rows stream from the source's cursor through a
//! bounded channel to the writer's thread: memory does not grow with the person's data.

mod columns;
mod frame;
mod inside;
mod objects;
mod row_cells;
mod rows;
mod selection;
mod shelf;
mod write;

pub use selection::Selection;
pub use shelf::{Removal, Shelf, ShelfError, Shelved};
pub use write::{Account, Source, write_archive};
