//! Errors of the engine on their way to the person at the terminal: what several of its errors wrap (the ledger, the keys) is told in one
//! way, whichever part of the engine met it.

use super::CliError;
use crate::db::DbError;
use crate::deployment::DeploymentError;
use crate::erase::DrainError;
use crate::job::{DecisionError, HoldingError, IntakeError};
use crate::journal::NotACode;
use crate::ledger::hold::HoldError;

impl From<DeploymentError> for CliError {
    fn from(error: DeploymentError) -> Self {
        match error {
            DeploymentError::Map(errors) => CliError::Map(errors),
            DeploymentError::Keys(error) => CliError::Keys(error),
            DeploymentError::Ledger(error) => CliError::Ledger(error),
            error => CliError::Deployment(error),
        }
    }
}

impl From<IntakeError> for CliError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Ledger(error) => CliError::Ledger(error),
            IntakeError::Keys(error) => CliError::Keys(error),
            error => CliError::Intake(error),
        }
    }
}

impl From<DecisionError> for CliError {
    fn from(error: DecisionError) -> Self {
        match error {
            DecisionError::Ledger(error) => CliError::Ledger(error),
            error => CliError::Decision(error),
        }
    }
}

impl From<HoldError> for CliError {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Ledger(error) => CliError::Ledger(error),
            HoldError::Crypto(error) => CliError::Keys(error),
            error => CliError::Hold(error),
        }
    }
}

impl From<HoldingError> for CliError {
    fn from(error: HoldingError) -> Self {
        match error {
            HoldingError::Scope(error) => CliError::HoldScope(error),
            HoldingError::Hold(error) | HoldingError::Drain(DrainError::Hold(error)) => error.into(),
            error => CliError::Other(error.into()),
        }
    }
}

impl From<DbError> for CliError {
    fn from(error: DbError) -> Self {
        CliError::Ledger(error.into())
    }
}

impl From<NotACode> for CliError {
    fn from(error: NotACode) -> Self {
        CliError::Other(error.into())
    }
}
