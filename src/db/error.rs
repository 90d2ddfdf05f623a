//! What can go wrong in a database, without any value in it: a driver's message may quote the row ("Key (email)=(…) already exists"),
//! so that only the SQLSTATE, the primary message of known-safe classes and the statement's place are kept (S-1).

use thiserror::Error;

/// A database failure. Its text never holds bound values or row contents.
#[derive(Debug, Error)]
pub enum DbError {
    /// The server or file could not be reached.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// A unique constraint refused the row.
    #[error("a unique constraint refused the statement{}", constraint.as_deref().map(|c| format!(" ({c})")).unwrap_or_default())]
    Unique {
        /// The constraint's name, where the server tells it.
        constraint: Option<String>,
    },
    /// Another session holds what we need; trying later can help (lock timeout, deadlock, serialisation failure, SQLITE_BUSY).
    #[error("the database is busy ({0})")]
    Busy(String),
    /// The role may not do this.
    #[error("permission denied ({0})")]
    Denied(String),
    /// The session ended in the middle: whether the last statement took effect is not known.
    #[error("the session was lost ({0})")]
    Lost(String),
    /// No free space or a file limit.
    #[error("the database cannot write: {0}")]
    Full(String),
    /// A statement was given fewer or more arguments than it has placeholders.
    #[error("statement takes {expected} arguments and was given {given}")]
    Arguments {
        /// Placeholders in the text.
        expected: usize,
        /// Arguments bound.
        given: usize,
    },
    /// A column is missing or holds another type than the program reads.
    #[error("column `{column}`: {problem}")]
    Column {
        /// Name or index of the column.
        column: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Code that the application keeps in the database (a trigger) refused the statement with words of its own, which may quote the row.
    #[error("code in the database refused the statement ({code})")]
    Raised {
        /// SQLSTATE, or SQLite's or MySQL's own code.
        code: String,
    },
    /// Any other refusal by the database, by code.
    #[error("the database refused the statement ({code})")]
    Refused {
        /// SQLSTATE, or SQLite's extended result code.
        code: String,
    },
}

impl DbError {
    /// Whether a repetition of the same statement in a new transaction may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, DbError::Unreachable(_) | DbError::Busy(_) | DbError::Lost(_))
    }

    /// Whether the database has undone the transaction because it and another waited for each other.
    pub fn is_deadlock(&self) -> bool {
        // PostgreSQL's code, MySQL's number.
        matches!(self, DbError::Busy(code) if code == "40P01" || code.ends_with("1213"))
    }

    /// Whether a unique constraint refused the row.
    pub fn is_unique(&self) -> bool {
        matches!(self, DbError::Unique { .. })
    }

    /// Whether the database has answered with a refusal: then what it was asked for is known not to have happened.
    pub fn is_answer(&self) -> bool {
        matches!(self, DbError::Refused { .. } | DbError::Raised { .. } | DbError::Unique { .. })
    }

    /// The database's own code where it gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            DbError::Refused { code } | DbError::Raised { code } | DbError::Busy(code) | DbError::Denied(code) => Some(code),
            _ => None,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) => classify(refusal.as_ref()),
            sqlx::Error::Io(cause) => DbError::Lost(cause.kind().to_string()),
            sqlx::Error::PoolTimedOut => DbError::Busy("no free connection in time".into()),
            sqlx::Error::PoolClosed => DbError::Unreachable("the pool is closed".into()),
            sqlx::Error::Configuration(cause) => DbError::Unreachable(cause.to_string()),
            sqlx::Error::Tls(cause) => DbError::Unreachable(format!("TLS: {cause}")),
            sqlx::Error::WorkerCrashed => DbError::Lost("the SQLite thread ended".into()),
            sqlx::Error::Protocol(_) => DbError::Lost("protocol error".into()),
            sqlx::Error::ColumnNotFound(column) => DbError::Column { column, problem: "is not in the result".into() },
            sqlx::Error::ColumnIndexOutOfBounds { index, .. } => {
                DbError::Column { column: index.to_string(), problem: "is not in the result".into() }
            }
            sqlx::Error::ColumnDecode { index, .. } => DbError::Column { column: index, problem: "cannot be decoded".into() },
            sqlx::Error::RowNotFound => DbError::Refused { code: "no row".into() },
            other => DbError::Refused { code: format!("driver: {}", driver_kind(&other)) },
        }
    }
}

fn driver_kind(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::Encode(_) => "encode",
        sqlx::Error::Decode(_) => "decode",
        sqlx::Error::TypeNotFound { .. } => "type not found",
        _ => "other",
    }
}

/// MySQL's own numbers say more than its SQLSTATEs, which throw most failures into one of two classes.
fn classify_mysql(number: u16) -> DbError {
    let code = format!("MySQL {number}");
    match number {
        1022 | 1062 | 1169 | 1586 | 1859 => DbError::Unique { constraint: None },
        // Lock wait timeout, deadlock, NOWAIT, statement timeouts of MySQL and of MariaDB, too many connections, query interrupted.
        1205 | 1213 | 3572 | 3024 | 1969 | 1040 | 1203 | 1226 | 1317 => DbError::Busy(code),
        // Shutdown, connection killed, aborted, read or write errors and timeouts of the connection, idle transaction timeout.
        1053 | 1077 | 1078 | 1079 | 1152 | 1158..=1161 | 1184 | 1927 | 4031 => DbError::Lost(code),
        // Access denied to server, database, table, column, routine; missing privilege; read-only server or transaction.
        1044 | 1045 | 1142 | 1143 | 1227 | 1290 | 1370 | 1698 | 1792 | 1836 | 3118 | 4151 => DbError::Denied(code),
        1021 | 1114 | 1041 | 3 => DbError::Full(code),
        // SIGNAL.
        1644 => DbError::Raised { code },
        1049 => DbError::Unreachable("no such database (MySQL 1049)".into()),
        _ => DbError::Refused { code },
    }
}

fn classify(refusal: &dyn sqlx::error::DatabaseError) -> DbError {
    if let Some(mysql) = refusal.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return classify_mysql(mysql.number());
    }
    let code = refusal.code().map(|c| c.into_owned()).unwrap_or_else(|| "no code".into());
    if refusal.is_unique_violation() {
        return DbError::Unique { constraint: refusal.constraint().map(str::to_owned) };
    }
    match code.as_str() {
        // PostgreSQL: serialisation, deadlock, lock not available, statement timeout, admin shutdown classes.
        "40001" | "40P01" | "55P03" | "57014" => DbError::Busy(code),
        "57P01" | "57P02" | "57P03" | "25P03" => DbError::Lost(code),
        "42501" | "25006" | "28000" | "28P01" => DbError::Denied(code),
        "53100" => DbError::Full("disk full".into()),
        "3D000" => DbError::Unreachable("no such database (3D000)".into()),
        // PostgreSQL's RAISE without a code of its own, and SQLite's RAISE(ABORT, …) in a trigger.
        "P0001" => DbError::Raised { code },
        "1811" => DbError::Raised { code: format!("SQLite {code}") },
        // SQLite primary and extended codes: BUSY, LOCKED, READONLY, FULL, CANTOPEN, AUTH/PERM.
        "5" | "261" | "517" | "773" | "6" | "262" => DbError::Busy(format!("SQLite {code}")),
        "8" | "264" | "520" | "776" | "1032" | "1288" | "1544" | "3" | "23" => DbError::Denied(format!("read-only, SQLite {code}")),
        "13" => DbError::Full("disk full".into()),
        "14" => DbError::Unreachable("the file cannot be opened".into()),
        "26" => DbError::Unreachable("the file is not a database".into()),
        _ if is_raised(refusal) => DbError::Raised { code },
        _ => DbError::Refused { code },
    }
}

/// Whether the refusal is a RAISE of PL/pgSQL under a code that it chose: the place in the server's own source tells.
fn is_raised(refusal: &dyn sqlx::error::DatabaseError) -> bool {
    let refusal = refusal.try_downcast_ref::<sqlx::postgres::PgDatabaseError>();
    refusal.is_some_and(|refusal| refusal.routine() == Some("exec_stmt_raise"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mysql_failures_are_sorted_by_their_number() {
        assert!(matches!(classify_mysql(1205), DbError::Busy(_)) && matches!(classify_mysql(1213), DbError::Busy(_)));
        assert!(classify_mysql(1062).is_unique());
        for denied in [1142, 1044, 1045, 1227] {
            assert!(matches!(classify_mysql(denied), DbError::Denied(_)), "{denied}");
        }
        assert!(matches!(classify_mysql(1927), DbError::Lost(_)), "somebody has ended the connection");
        assert!(matches!(classify_mysql(1064), DbError::Refused { .. }));
        assert!(matches!(classify_mysql(1644), DbError::Raised { .. }), "SIGNAL");
    }
}
