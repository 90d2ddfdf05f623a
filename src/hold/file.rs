//! The file that `hold place` reads:
//! `{"matter": "M-2026-7", "reason": "litigation", "scope": {"subject": {"email": "…"}}, "review_on": "2027-01-01"}`.
//! Identifiers come in a file and never as arguments; an error tells the line and never quotes a value (S-1).

use jiff::civil::Date;
use serde::Deserialize;
use thiserror::Error;

use super::{Matter, Reason, Scope};

/// A hold as somebody writes it down. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldFile {
    /// Opaque reference of the matter.
    pub matter: Matter,
    /// Code of the reason.
    pub reason: Reason,
    /// What is held.
    pub scope: Scope,
    /// When somebody should look at it again (ISO date).
    #[serde(default)]
    pub review_on: Option<Date>,
}

/// Why a hold file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct HoldFileError {
    /// Line, from 1; 0 when not known.
    pub line: usize,
    /// Column, from 1; 0 when not known.
    pub column: usize,
    /// What is wrong, without any value.
    pub problem: String,
}

impl HoldFile {
    /// Reads the JSON text.
    pub fn parse(text: &str) -> Result<HoldFile, HoldFileError> {
        serde_json::from_str(text).map_err(|error| HoldFileError {
            line: error.line(),
            column: error.column(),
            problem: problem_without_values(&error),
        })
    }
}

/// serde quotes the offending value in its messages, and that value may be an e-mail address. Names of keys are quoted: they are words
/// of this format, and a misspelt one must be found.
fn problem_without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let quotes_a_value = ["invalid type", "invalid value", "unknown variant"].iter().any(|start| message.starts_with(start));
    match message.rsplit_once("expected ") {
        Some((_, expected)) if quotes_a_value => format!("expected {expected}"),
        None if quotes_a_value || message.contains("input") => "a value is not what this key takes".to_owned(),
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_file_is_read() {
        let text = r#"{"matter": "M-2026-7", "reason": "litigation", "review_on": "2027-01-01",
                       "scope": {"record": {"dataset": "app_db", "collection": "orders", "key": ["42"]}}}"#;
        let file = HoldFile::parse(text).unwrap();
        assert_eq!(file.matter.as_str(), "M-2026-7");
        assert_eq!(file.review_on, Some(jiff::civil::date(2027, 1, 1)));
        assert_eq!(file.scope.place(), Some(("app_db", "orders")));
    }

    #[test]
    fn unknown_keys_and_words_are_named_with_their_line() {
        let error = HoldFile::parse("{\"matter\": \"M-1\",\n \"note\": \"x\"}").unwrap_err();
        assert_eq!((error.line, error.problem.starts_with("unknown field `note`")), (2, true));
        let error = HoldFile::parse(r#"{"matter": "M-1", "reason": "revenge"}"#).unwrap_err();
        assert!(error.problem.starts_with("expected one of `litigation`"), "{error}");
        let error = HoldFile::parse(r#"{"matter": "M-1", "reason": "audit"}"#).unwrap_err();
        assert_eq!(error.problem, "missing field `scope`");
    }

    #[test]
    fn s_1_errors_and_debug_never_quote_a_value() {
        for scope in [
            r#"{"subject": "ada@example.com"}"#,
            r#""ada@example.com""#,
            r#"{"subject": {"email": ["ada@example.com"]}}"#,
            r#"{"record": {"dataset": "d", "collection": "c", "key": "ada@example.com"}}"#,
            r#"{"record": {"dataset": "d", "collection": "c", "key": [7, "ada@example.com"]}}"#,
            r#"{"predicate": {"dataset": "d", "collection": "c", "where": "ada@example.com"}}"#,
        ] {
            let text = format!(r#"{{"matter": "M-1", "reason": "audit", "scope": {scope}}}"#);
            let error = HoldFile::parse(&text).unwrap_err().to_string();
            assert!(!error.contains("ada@"), "{error}");
        }
        let error = HoldFile::parse(r#"{"matter": "M-1", "reason": "audit", "review_on": "ada@example.com"}"#).unwrap_err();
        assert!(!error.to_string().contains("ada@"), "{error}");
        let text = r#"{"matter": "M-1", "reason": "audit",
                       "scope": {"record": {"dataset": "d", "collection": "c", "key": ["ada@example.com"]}}}"#;
        assert!(!format!("{:?}", HoldFile::parse(text).unwrap()).contains("ada@"));
    }
}
