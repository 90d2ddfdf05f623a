//! What `habeas map check` says: one shape for what the map shows by itself and for what the live schema shows against it.
//! A finding names its place, why it matters and what to write; it never decides anything and never holds a person's data.

mod code;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Place;

pub use code::Code;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Blocks every plan that touches the place.
    Error,
    /// Worth a look; blocks nothing.
    Warning,
}

impl Severity {
    /// The word in messages and in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One thing that is wrong, or may be, with the data map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A stable word for tools, such as `undecided_collection`.
    pub code: Code,
    /// Where the map says it; nothing when the map does not mention the subject at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What it is about, dotted: `app_db.time_entries.user_id`.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
    /// Why it matters.
    pub why: String,
    /// What to do about it.
    pub hint: String,
    /// The same as YAML or SQL to paste, where it can be said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(formatter, "{place}: ")?;
        }
        writeln!(formatter, "{}[{}]: {}: {}", self.severity.as_str(), self.code, self.subject, self.problem)?;
        writeln!(formatter, "  why:  {}", self.why)?;
        write!(formatter, "  hint: {}", self.hint)?;
        for line in self.write.iter().flat_map(|text| text.lines()) {
            write!(formatter, "\n      | {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    fn finding() -> Finding {
        Finding {
            severity: Severity::Error,
            code: Code::UndecidedCollection,
            place: Some(Place { file: Arc::new(PathBuf::from("datamap/app.yml")), line: 17 }),
            subject: "app_db.invoices".into(),
            problem: "nobody has said what erasure does here".into(),
            why: "a plan with an undecided item cannot be approved".into(),
            hint: "write `habeas: {on_erasure: delete}`".into(),
            write: None,
        }
    }

    #[test]
    fn people_read_place_code_reason_and_remedy() {
        assert_eq!(
            finding().to_string(),
            "datamap/app.yml:17: error[undecided_collection]: app_db.invoices: nobody has said what erasure does here\n  \
             why:  a plan with an undecided item cannot be approved\n  \
             hint: write `habeas: {on_erasure: delete}`"
        );
    }

    #[test]
    fn tools_read_file_and_line_apart() {
        let json = serde_json::to_value(finding()).unwrap();
        assert_eq!(json["severity"], "error");
        assert_eq!(json["place"], serde_json::json!({"file": "datamap/app.yml", "line": 17}));
    }
}
