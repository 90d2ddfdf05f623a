//! Whole objects, against what they were made of: the bytes of survivors, the counts, and every way in which an object can be awkward.

mod csv;
mod json_lines;
mod json_row;
mod objects;
#[cfg(feature = "parquet")]
mod parquet;
