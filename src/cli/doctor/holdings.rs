//! What the ledger holds: a journal that still is what was signed, holds that can be understood, holds whose placing was interrupted,
//! requests that need somebody.

use super::Finding;
use crate::cli::error::CliError;
use crate::cli::journal::anchor;
use crate::config::Config;
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::hold::{NotUnderstood, State};
use crate::journal;
use crate::ledger::request::{Filter, list};
use crate::ledger::{Ledger, hold, hold_set};

/// Whether the journal is still what was signed.
pub(super) async fn journal(ledger: &Ledger, config: &Config) -> Result<Option<Finding>, CliError> {
    let state = journal::check_head(ledger, &anchor(config)?).await?;
    let hint = state.hint().unwrap_or_default();
    Ok((!state.is_consistent()).then(|| Finding::error("journal", "journal", state.to_string(), hint)))
}

/// Checks holds and requests.
pub(super) async fn check(deployment: &Deployment) -> Result<Vec<Finding>, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let holds = hold_set::load_active(&mut tx, &deployment.keys, &deployment.map).await?;
    let mut findings: Vec<Finding> = holds
        .unclear()
        .into_iter()
        .map(|(hold, why)| {
            let subject = format!("hold {} ({})", hold.id, hold.matter);
            let problem = format!("it covers everything, because {}", because(why));
            Finding::error("hold_unclear", subject, problem, "place a hold that says what is meant, then release this one")
        })
        .collect();
    for placing in hold::list(&mut tx, false).await?.into_iter().filter(|hold| hold.life.state == State::Placing) {
        let problem = "it covers, but what had begun before it may still be at work";
        findings.push(Finding::warning("hold_placing", format!("hold {}", placing.id), problem, "`habeas sweep` makes it active"));
    }
    let overdue = list(&mut tx, &Filter { due_by: Some(deployment.now()), limit: i64::MAX, ..Filter::default() }).await?.len();
    if overdue > 0 {
        let problem = counted(overdue, "is open past its deadline", "are open past their deadline");
        findings.push(Finding::warning("requests_overdue", "requests", problem, "`habeas request list --overdue` shows them"));
    }
    Ok(findings)
}

fn because(why: NotUnderstood) -> &'static str {
    match why {
        NotUnderstood::Sealed => "its scope was sealed with another key, or altered",
        NotUnderstood::Format => "its scope is of a format that this version does not know",
        NotUnderstood::Place => "its scope names what the data map does not know any more",
    }
}
