//! Rows inside objects: finds the rows of subjects in JSON Lines, CSV and Parquet, and writes objects anew without them, in one pass for any
//! number of subjects and with flat memory. Pure: bytes in, bytes out, no store and no data map. What stays is what was there; what does not
//! parse or does not add up is an error, and then there is no new object ([`Rewritten`] is the only way to get one).

mod claims;
mod codec;
mod csv;
mod csv_record;
mod error;
mod found;
mod gzip;
mod json_row;
mod jsonl;
mod matcher;
mod number;
#[cfg(feature = "parquet")]
mod parquet;
mod stream;
mod tally;
#[cfg(test)]
mod tests;

pub use codec::Codec;
pub use csv::{Dialect, erase_csv, find_csv};
pub use error::{LineProblem, RowsError};
pub use found::{Content, Found, Taker};
pub use jsonl::{erase_json_lines, find_json_lines};
pub use matcher::{Matcher, MatcherError};
#[cfg(feature = "parquet")]
pub use parquet::{Look, erase_parquet, find_parquet};
pub use tally::{Rewritten, Tally};
