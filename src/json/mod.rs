//! Parts of JSON text, chosen and changed without touching the rest: bytes that no rule names are copied as they stand, so that `1e400`,
//! `1.0`, the order of keys and keys that come twice survive. A tree of [`Change`]s says what happens at which path; arrays on the way are
//! gone through element by element, however deep they are nested. Pure text: no database, no data map.

mod change;
mod cursor;
mod elements;
mod rewrite;
mod string;

pub use change::{Change, Members};
pub use elements::{rewrite_elements, values_at};
pub use rewrite::{Editor, replaced_values, rewrite, values_below};
pub use string::quoted;

/// Why a text could not be taken apart. Names nothing of its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// No JSON (RFC 8259).
    #[error("the text is not JSON")]
    NotJson,
    /// More arrays inside arrays than anybody writes.
    #[error("arrays are nested more than {0} deep")]
    TooDeep(usize),
}

/// What a JSON value says as text: a string without its quotes, everything else as it is written.
pub fn plain(value: &str) -> std::borrow::Cow<'_, str> {
    string::unquoted(value).unwrap_or(std::borrow::Cow::Borrowed(value))
}
