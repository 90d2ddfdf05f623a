//! Every way in which a command can end badly, with its exit code, a word for machines and a hint for people. Where an engine error
//! becomes an exit code is decided here and nowhere else.

mod from_engine;

use std::path::PathBuf;

use thiserror::Error;

use super::exit::Exit;
use crate::config::ConfigError;
use crate::crypto::CryptoError;
use crate::datamap::MapErrors;
use crate::db::DbError;
use crate::deployment::DeploymentError;
use crate::hold::{HoldFileError, Refusal, ScopeError};
use crate::job::{DecisionError, IntakeError};
use crate::journal::JournalError;
use crate::ledger::LedgerError;
use crate::ledger::hold::HoldError;
use crate::request::JobFileError;

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
pub enum CliError {
    /// The configuration is missing or wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A job file is wrong.
    #[error(transparent)]
    Job(#[from] JobFileError),
    /// A job that cannot be taken in.
    #[error("{0}")]
    Intake(IntakeError),
    /// The data map is missing or wrong.
    #[error(transparent)]
    Map(#[from] MapErrors),
    /// The installation cannot be opened.
    #[error("{0}")]
    Deployment(DeploymentError),
    /// A decision about a request that cannot be taken.
    #[error("{0}")]
    Decision(DecisionError),
    /// A hold file is wrong.
    #[error("{name}: {error}")]
    HoldFile {
        /// A path, or `standard input`.
        name: String,
        /// What is wrong.
        error: HoldFileError,
    },
    /// A hold that would keep nothing.
    #[error(transparent)]
    HoldScope(#[from] ScopeError),
    /// A step of a hold that cannot be taken.
    #[error("{0}")]
    Hold(HoldError),
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Input that cannot be read.
    #[error("cannot read `{name}`: {reason}")]
    Unreadable {
        /// A path, or `standard input`.
        name: String,
        /// Why.
        reason: String,
    },
    /// Output that cannot be written.
    #[error("cannot write {}: {reason}", path.as_ref().map_or("to standard output".into(), |path| format!("`{}`", path.display())))]
    Unwritable {
        /// The file; standard output when absent.
        path: Option<PathBuf>,
        /// Why.
        reason: String,
    },
    /// A combination of arguments that makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// Something that the interface has and this version does not do.
    #[error("{what} is not carried out by this version yet")]
    NotCarriedOut {
        /// What was asked for.
        what: String,
    },
    /// A verb that is not connected to its engine.
    #[error("`habeas {0}` is not available in this version")]
    Unavailable(&'static str),
    /// Keys are missing or damaged.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A destructive command without confirmation where nobody can be asked.
    #[error("this plan erases data and is not confirmed")]
    ConfirmationMissing {
        /// The plan.
        plan_digest: String,
    },
    /// A confirmation of another plan.
    #[error("the confirmed digest is not that of the plan: the data, the map or a hold has changed since")]
    OtherPlanConfirmed {
        /// The plan as it is now.
        plan_digest: String,
    },
    /// The person at the terminal typed something else than the request code.
    #[error("not confirmed: that is not the code of the request")]
    OtherCodeTyped,
    /// Nothing of that name.
    #[error("no {noun} `{name}`")]
    NotFound {
        /// What was looked for.
        noun: &'static str,
        /// By which name; never an identifier of a person.
        name: String,
    },
    /// An outcome that a verb words itself.
    #[error("{message}")]
    Outcome {
        /// How the program ends.
        exit: Exit,
        /// What happened.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The verb has printed everything that there is to say.
    #[error("the command did not finish")]
    Told {
        /// How the program ends.
        exit: Exit,
    },
    /// Ctrl-C or SIGTERM.
    #[error("interrupted")]
    Interrupted {
        /// What is kept, and how to go on.
        kept: &'static str,
    },
    /// Anything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
}

impl CliError {
    /// How the program ends.
    pub fn exit(&self) -> Exit {
        match self {
            CliError::Config(_)
            | CliError::Job(_)
            | CliError::Intake(_)
            | CliError::Map(_)
            | CliError::Deployment(_)
            | CliError::HoldFile { .. }
            | CliError::HoldScope(_)
            | CliError::Unreadable { .. }
            | CliError::Usage { .. }
            | CliError::NotCarriedOut { .. } => Exit::Usage,
            CliError::Ledger(error) if error.is_conflict() => Exit::Conflict,
            CliError::Ledger(LedgerError::NotFound { .. }) => Exit::NotFound,
            CliError::Unwritable { .. }
            | CliError::Unavailable(_)
            | CliError::Keys(_)
            | CliError::Ledger(_)
            | CliError::Journal(_)
            | CliError::Other(_) => Exit::Failure,
            CliError::Decision(error) => decision_exit(error),
            CliError::Hold(error) => hold_exit(error),
            CliError::ConfirmationMissing { .. } | CliError::OtherPlanConfirmed { .. } | CliError::OtherCodeTyped => {
                Exit::NotApproved
            }
            CliError::NotFound { .. } => Exit::NotFound,
            CliError::Outcome { exit, .. } | CliError::Told { exit } => *exit,
            CliError::Interrupted { .. } => Exit::Interrupted,
        }
    }

    /// The word in `--json` output.
    pub fn code(&self) -> &'static str {
        match self {
            CliError::Config(_) => "config_invalid",
            CliError::Job(_) | CliError::Intake(_) => "job_invalid",
            CliError::Map(_) => "map_invalid",
            CliError::Deployment(_) => "deployment",
            CliError::HoldFile { .. } | CliError::HoldScope(_) => "hold_invalid",
            CliError::Decision(_) => "decision",
            CliError::Hold(_) => "hold",
            CliError::Journal(_) => "journal",
            CliError::Unreadable { .. } => "input_unreadable",
            CliError::Unwritable { .. } => "output_unwritable",
            CliError::Usage { .. } => "usage",
            CliError::NotCarriedOut { .. } => "not_carried_out",
            CliError::Unavailable(_) => "unavailable",
            CliError::Keys(_) => "keys",
            CliError::Ledger(_) => "ledger",
            CliError::ConfirmationMissing { .. } => "confirmation_missing",
            CliError::OtherPlanConfirmed { .. } => "plan_changed",
            CliError::OtherCodeTyped => "not_confirmed",
            CliError::NotFound { .. } => "not_found",
            CliError::Interrupted { .. } => "interrupted",
            CliError::Other(_) => "failure",
            CliError::Outcome { exit, .. } | CliError::Told { exit } => match exit {
                Exit::Done => "ok",
                Exit::Failure => "failure",
                Exit::Usage => "usage",
                Exit::Partial => "partial",
                Exit::VerificationFailed => "verification_failed",
                Exit::Held => "held",
                Exit::NotApproved => "not_approved",
                Exit::NotFound => "not_found",
                Exit::Conflict => "conflict",
                Exit::Refused => "refused",
                Exit::Interrupted => "interrupted",
            },
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            CliError::Config(error) => error.hint(),
            CliError::Job(error) => error.hint(),
            CliError::Intake(error) => error.hint(),
            CliError::Deployment(error) => error.hint(),
            CliError::Decision(error) => error.hint(),
            CliError::Hold(error) => hold_hint(error),
            CliError::HoldFile { .. } => Some(
                "such as {\"matter\": \"M-2026-7\", \"reason\": \"litigation\", \"scope\": {\"subject\": {\"email\": \"…\"}}}"
                    .into(),
            ),
            CliError::HoldScope(error) => Some(error.hint()),
            CliError::Journal(JournalError::Refused { state }) => state.hint().map(str::to_owned),
            CliError::Ledger(LedgerError::IdempotencyConflict { existing_code }) => {
                Some(format!("`habeas request show {existing_code}` shows what has the key; another job takes another key"))
            }
            CliError::Usage { hint, .. } | CliError::Outcome { hint, .. } => hint.clone(),
            CliError::Keys(CryptoError::Unreadable { .. }) => {
                Some("`habeas init` makes missing keys; a lost key must come from a backup, or sealed requests stay closed".into())
            }
            CliError::Ledger(LedgerError::Newer { .. }) => Some("run the version of this program that wrote it".into()),
            CliError::Ledger(LedgerError::Database(DbError::Busy(_))) => Some("another process holds it: try again".into()),
            CliError::Ledger(LedgerError::Database(_)) => {
                Some("look at `ledger` in the configuration; `habeas doctor` checks it".into())
            }
            CliError::ConfirmationMissing { plan_digest } | CliError::OtherPlanConfirmed { plan_digest } => {
                Some(format!("look at it with `habeas plan`, then add `--confirm {plan_digest}`"))
            }
            CliError::NotFound { noun: "request", .. } => Some("`habeas request list` shows all".into()),
            CliError::Interrupted { kept } => Some((*kept).to_owned()),
            _ => None,
        }
    }
}

fn decision_exit(error: &DecisionError) -> Exit {
    match error {
        DecisionError::AlreadyApproved { .. } | DecisionError::OtherPlan { .. } | DecisionError::NoPlan => Exit::NotApproved,
        DecisionError::NotWaiting { .. }
        | DecisionError::AtWork
        | DecisionError::NotRetried { .. }
        | DecisionError::NotCancelled { .. } => Exit::Conflict,
        DecisionError::ExtendedBefore { .. } | DecisionError::Deadline(_) | DecisionError::NoDeadline => Exit::Refused,
        DecisionError::Reason(_) => Exit::Usage,
        DecisionError::Ledger(_) => Exit::Failure,
    }
}

fn hold_exit(error: &HoldError) -> Exit {
    match error {
        HoldError::NotFound { .. } => Exit::NotFound,
        HoldError::InFlight { .. } | HoldError::Refused(Refusal::State { .. }) => Exit::Conflict,
        HoldError::Refused(Refusal::Grace { .. }) => Exit::Refused,
        HoldError::Refused(_) => Exit::NotApproved,
        HoldError::Ledger(_) | HoldError::Crypto(_) => Exit::Failure,
    }
}

fn hold_hint(error: &HoldError) -> Option<String> {
    match error {
        HoldError::NotFound { .. } => Some("`habeas hold list --all` shows all".into()),
        HoldError::Refused(Refusal::SamePerson) => Some("somebody else has to give this command; `--by NAME` says who".into()),
        HoldError::Refused(Refusal::Nobody) => Some("add `--by NAME`, or set $HABEAS_OPERATOR".into()),
        _ => None,
    }
}
