//! A job file: one JSON document that asks for something, on disk, on standard input or as the body of a request. This is what it may
//! say, already checked; `read.rs` does the checking. It holds the subject's identifiers, so only its sealed form may be stored, and
//! its `Debug` form shows none of them (S-1).

mod error;
mod fields;
mod read;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{Approval, ErasureGround, Kind};
use crate::subject::Subject;

pub use error::{JobFileError, JobProblem};

/// What a job asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobFile {
    /// Which right or duty.
    pub kind: Kind,
    /// Whom it is about; `Some` for every kind that needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// Only data of these categories and of what is below them; everything when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// A Fideslang policy of the data map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Why erasure is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ground: Option<ErasureGround>,
    /// The controller's own code for the reason, `[a-z0-9_]{1,40}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_code: Option<String>,
    /// When the request reached the controller: deadlines count from here (D-1). Intake time when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// The same key with the same content is the same request; with other content it is a conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Who must say yes, where the job says so; see [`JobFile::approval`].
    #[serde(rename = "approval", skip_serializing_if = "Option::is_none")]
    pub asked_approval: Option<Approval>,
    /// How the archive is handed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deliver: Option<Deliver>,
    /// New values for a rectification, by category.
    #[serde(skip_serializing_if = "Changes::is_empty")]
    pub changes: Changes,
    /// A trial: carried out, and left out of statistics.
    #[serde(skip_serializing_if = "is_false")]
    pub test: bool,
    /// Recurrence, as five cron fields in the controller's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// How an archive reaches the subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deliver {
    /// By which way.
    pub mode: DeliverMode,
    /// By which other way the passcode of a link travels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passcode_channel: Option<String>,
    /// The configured recipient of a transmission.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// `deliver.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliverMode {
    /// A file in the folder of archives.
    File,
    /// A download link.
    Link,
    /// To another controller (Art. 20(2)).
    Transmit,
}

/// New values of a rectification: personal data, never shown.
#[derive(Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Changes(pub BTreeMap<String, Value>);

impl Changes {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Changes({} hidden)", self.0.len())
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl JobFile {
    /// Reads exactly one job. `name` is what errors call the text: a path, or `standard input`.
    pub fn parse(text: &str, name: &str) -> Result<JobFile, JobFileError> {
        let mut jobs = read::read_all(text, name)?;
        match (jobs.pop(), jobs.is_empty()) {
            (Some(job), true) => Ok(job),
            (Some(_), false) => Err(JobFileError::whole_text(name, JobProblem::MoreThanOne { found: jobs.len() + 1 })),
            (None, _) => Err(JobFileError::whole_text(name, JobProblem::Empty)),
        }
    }

    /// Reads one job or many, one after the other: a single document or JSON Lines. Nothing is returned unless all are right.
    pub fn parse_many(text: &str, name: &str) -> Result<Vec<JobFile>, JobFileError> {
        let jobs = read::read_all(text, name)?;
        if jobs.is_empty() {
            return Err(JobFileError::whole_text(name, JobProblem::Empty));
        }
        Ok(jobs)
    }

    /// Who must say yes: what the job says, else one person for what changes or erases data and nobody for what only reads.
    pub fn approval(&self) -> Approval {
        Approval::of(self.asked_approval, self.kind)
    }

    /// The whole job as JSON, for sealing. It reads back with [`JobFile::parse`]. Never stored or shown in the clear.
    pub fn to_sealed_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What this job asks for and this version does not do, if anything: such a job is refused at intake and never half done.
    pub fn not_carried_out(&self) -> Option<String> {
        let kind_is_done = matches!(self.kind, Kind::Access | Kind::Portability | Kind::Erasure | Kind::Reverify);
        if !kind_is_done {
            return Some(format!("a job of kind `{}`", self.kind.as_str()));
        }
        if !self.changes.is_empty() {
            return Some("`changes`".into());
        }
        if self.schedule.is_some() {
            return Some("`schedule`".into());
        }
        match &self.deliver {
            Some(Deliver { mode: DeliverMode::Link, .. }) => Some("`deliver.mode: link`".into()),
            Some(Deliver { mode: DeliverMode::Transmit, .. }) => Some("`deliver.mode: transmit`".into()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
