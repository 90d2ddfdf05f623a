//! A value bound to a placeholder. Each carries its type even when it is NULL, because PostgreSQL refuses an untyped NULL.

/// A typed statement argument; `None` is SQL NULL.
#[derive(Clone, PartialEq)]
pub enum Arg {
    /// BIGINT / INTEGER.
    Int(Option<i64>),
    /// DOUBLE PRECISION / REAL.
    Real(Option<f64>),
    /// TEXT.
    Text(Option<String>),
    /// BYTEA / BLOB.
    Bytes(Option<Vec<u8>>),
    /// `text[]`, PostgreSQL only: a column of key values for `unnest`.
    TextArray(Vec<Option<String>>),
}

// Arguments hold identifiers (S-1), so that printing one shows its type alone.
impl std::fmt::Debug for Arg {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Arg::Int(_) => "Int(..)",
            Arg::Real(_) => "Real(..)",
            Arg::Text(_) => "Text(..)",
            Arg::Bytes(_) => "Bytes(..)",
            Arg::TextArray(_) => "TextArray(..)",
        };
        formatter.write_str(name)
    }
}

impl From<i64> for Arg {
    fn from(value: i64) -> Self {
        Arg::Int(Some(value))
    }
}
impl From<Option<i64>> for Arg {
    fn from(value: Option<i64>) -> Self {
        Arg::Int(value)
    }
}
impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Arg::Int(Some(i64::from(value)))
    }
}
impl From<f64> for Arg {
    fn from(value: f64) -> Self {
        Arg::Real(Some(value))
    }
}
impl From<&str> for Arg {
    fn from(value: &str) -> Self {
        Arg::Text(Some(value.to_owned()))
    }
}
impl From<String> for Arg {
    fn from(value: String) -> Self {
        Arg::Text(Some(value))
    }
}
impl From<Option<String>> for Arg {
    fn from(value: Option<String>) -> Self {
        Arg::Text(value)
    }
}
impl From<Option<&str>> for Arg {
    fn from(value: Option<&str>) -> Self {
        Arg::Text(value.map(str::to_owned))
    }
}
impl From<Vec<u8>> for Arg {
    fn from(value: Vec<u8>) -> Self {
        Arg::Bytes(Some(value))
    }
}
impl From<Option<Vec<u8>>> for Arg {
    fn from(value: Option<Vec<u8>>) -> Self {
        Arg::Bytes(value)
    }
}
impl From<&[u8]> for Arg {
    fn from(value: &[u8]) -> Self {
        Arg::Bytes(Some(value.to_vec()))
    }
}
/// Instants are stored as whole microseconds since the epoch.
impl From<jiff::Timestamp> for Arg {
    fn from(value: jiff::Timestamp) -> Self {
        Arg::Int(Some(value.as_microsecond()))
    }
}
impl From<Option<jiff::Timestamp>> for Arg {
    fn from(value: Option<jiff::Timestamp>) -> Self {
        Arg::Int(value.map(|instant| instant.as_microsecond()))
    }
}

/// Builds the argument list of a statement: `args![id, now, "ready"]`.
#[macro_export]
macro_rules! args {
    () => { Vec::<$crate::db::Arg>::new() };
    ($($value:expr),+ $(,)?) => { vec![$($crate::db::Arg::from($value)),+] };
}
