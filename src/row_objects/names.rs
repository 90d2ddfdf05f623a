//! What is looked for in the rows of one place: per field its path, its normal form, and what stands there if the row is this person's. It
//! travels sealed, in the manifest, because after the erasure no other place may know these values any more.

use serde::{Deserialize, Serialize};

use crate::rows::{Matcher, MatcherError};
use crate::subject::NormalForm;

/// Fields, and the values that name one person in them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowNames {
    /// The fields that say whose a row is, also those in which nothing is looked for: a row that has something there is not this person's alone.
    pub fields: Vec<RowField>,
}

/// One field.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowField {
    /// The names that lead to it.
    pub path: Vec<String>,
    /// How values are made comparable (I-1).
    pub form: NormalForm,
    /// What names the person. Personal data.
    pub values: Vec<String>,
}

impl std::fmt::Debug for RowNames {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "RowNames({} fields)", self.fields.len())
    }
}

impl RowNames {
    /// Whether nothing is looked for at all.
    pub fn is_empty(&self) -> bool {
        self.fields.iter().all(|field| field.values.is_empty())
    }

    /// How many values are looked for, over all fields.
    pub fn count(&self) -> usize {
        self.fields.iter().map(|field| field.values.len()).sum()
    }

    /// The matcher for this one person, subject 0.
    ///
    /// # Errors
    /// When a field has no name.
    pub fn matcher(&self) -> Result<Matcher, MatcherError> {
        let mut matcher = Matcher::new();
        for field in &self.fields {
            let path: Vec<&str> = field.path.iter().map(String::as_str).collect();
            let number = matcher.field(&path, field.form)?;
            for value in &field.values {
                matcher.add(number, 0, value)?;
            }
        }
        Ok(matcher)
    }
}
