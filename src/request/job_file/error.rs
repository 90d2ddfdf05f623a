//! What is wrong with a job file: the place, the field, and what would be right. Values are never quoted: a job file is about a person,
//! and any value in it may be an identifier that stands in the wrong place (S-1).

use thiserror::Error;

use super::super::Kind;
use crate::subject::SubjectError;
use crate::suggest;

/// A job file that cannot be taken, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub struct JobFileError {
    /// A path, or `standard input`.
    pub file: String,
    /// Line and column where reading stopped, from 1; absent when the text as a whole is meant.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub problem: JobProblem,
}

/// What is wrong with a job.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum JobProblem {
    /// Not JSON.
    #[error("is not JSON: {0}")]
    Syntax(String),
    /// Nothing but white space.
    #[error("there is no job in it")]
    Empty,
    /// Several jobs where one was asked for.
    #[error("there are {found} jobs in it, and one is expected")]
    MoreThanOne {
        /// How many.
        found: usize,
    },
    /// JSON, and not an object.
    #[error("a job is one object of keys and values, not {0}")]
    NotAnObject(&'static str),
    /// A key outside the closed list.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// The key, with the object that it stands in.
        key: String,
        /// The keys that may stand there.
        known: &'static [&'static str],
    },
    /// A key that is no plain word: it may be an identifier and is not shown.
    #[error("a key in {within} is not a plain word (it is not shown)")]
    UnshownKey {
        /// Where it stands.
        within: &'static str,
    },
    /// A key that stands there twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// A value of another type.
    #[error("`{field}` must be {expected}, not {found}")]
    Type {
        /// The field.
        field: String,
        /// What it takes.
        expected: &'static str,
        /// What stands there, without its content.
        found: &'static str,
    },
    /// A value outside what the field takes.
    #[error("`{field}` must be {expected}")]
    Value {
        /// The field.
        field: String,
        /// What it takes.
        expected: String,
    },
    /// No kind.
    #[error("`kind` is missing")]
    KindMissing,
    /// A kind that does not exist; `meant` is the nearest that does.
    #[error("`kind` is no kind of job")]
    KindUnknown {
        /// The kind that was probably meant.
        meant: Option<&'static str>,
    },
    /// No subject in a job about a person.
    #[error("`subject` is missing: a job of kind `{}` is about a person", .0.as_str())]
    SubjectMissing(Kind),
    /// A subject that names nobody, or not in plain text.
    #[error(transparent)]
    Subject(SubjectError),
}

impl std::fmt::Display for JobFileError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.at {
            Some((line, column)) => write!(formatter, "{}:{line}:{column}: {}", self.file, self.problem),
            None => write!(formatter, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for JobFileError {}

impl JobFileError {
    pub(super) fn whole_text(name: &str, problem: JobProblem) -> Self {
        JobFileError { file: name.to_owned(), at: None, problem }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let kinds = || Kind::ALL.map(Kind::as_str).join(", ");
        match &self.problem {
            JobProblem::UnknownKey { key, known } => Some(suggest::hint(key.rsplit('.').next().unwrap_or(key), known)),
            JobProblem::KindMissing | JobProblem::KindUnknown { meant: None } => Some(format!("kinds: {}", kinds())),
            JobProblem::KindUnknown { meant: Some(meant) } => Some(format!("did you mean `{meant}`? kinds: {}", kinds())),
            JobProblem::SubjectMissing(_) | JobProblem::Subject(_) => {
                Some("such as \"subject\": {\"email\": \"ada@example.com\"}".into())
            }
            JobProblem::Empty | JobProblem::NotAnObject(_) => {
                Some("such as {\"kind\": \"access\", \"subject\": {\"email\": \"ada@example.com\"}}".into())
            }
            JobProblem::MoreThanOne { .. } => Some("`habeas submit` takes many at once".into()),
            _ => None,
        }
    }
}
