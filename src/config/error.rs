//! What is wrong with a configuration: all of it at once, each with file, line, column and what to do. Values are never shown.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::yaml::Position;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// There is no such file.
    #[error("no configuration file `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file is there and cannot be read.
    #[error("cannot read configuration file `{}`: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file says something that cannot be.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid {
        /// Everything that is wrong, in the order of the file; never empty.
        problems: Vec<ConfigProblem>,
    },
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file, as it was given.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: u64,
    /// Column, from 1.
    pub column: u64,
    /// What is wrong, without any value.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl std::fmt::Display for ConfigProblem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)
    }
}

impl ConfigProblem {
    pub(super) fn new(file: &Path, position: Position, message: impl Into<String>, hint: Option<String>) -> Self {
        ConfigProblem { file: file.to_owned(), line: position.line, column: position.column, message: message.into(), hint }
    }
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Missing { .. } => Some("`habeas init` writes one; `--config FILE` or $HABEAS_CONFIG names another".into()),
            ConfigError::Unreadable { .. } => None,
            ConfigError::Invalid { problems } => match problems.as_slice() {
                [only] => only.hint.clone(),
                many => {
                    let hints = many.iter().filter_map(|p| Some(format!("line {}: {}", p.line, p.hint.as_ref()?)));
                    Some(hints.collect::<Vec<_>>().join("\n      ")).filter(|hints| !hints.is_empty())
                }
            },
        }
    }
}
