//! `habeas doctor`: looks at everything that an installation rests on, goes on after each finding, and says for each what to do. It erases
//! nothing and changes nothing but the pins by which a source is recognised later.

mod archives;
mod folders;
mod holdings;
mod stores;
mod systems;

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::{init, map, show};
use crate::config::{Config, ConfigError};
use crate::datamap::Severity;
use crate::deployment::Deployment;
use crate::ledger::Ledger;

/// One thing that is wrong, or may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    severity: Severity,
    /// A stable word for tools.
    code: &'static str,
    /// What it is about.
    subject: String,
    /// What is wrong.
    problem: String,
    /// What to do.
    hint: String,
}

impl Finding {
    fn error(code: &'static str, subject: impl Into<String>, problem: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, code, subject: subject.into(), problem: problem.into(), hint: hint.into() }
    }

    fn warning(code: &'static str, subject: impl Into<String>, problem: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..Finding::error(code, subject, problem, hint) }
    }
}

/// Looks at everything. Exit 1 when anything is an error.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let Examined { findings, notes, looked_at } = match context.load_config() {
        Ok(config) => examine(config, context).await?,
        Err(CliError::Config(error)) => {
            Examined { findings: configuration(&error), notes: Vec::new(), looked_at: vec!["configuration"] }
        }
        Err(other) => return Err(other),
    };
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    let exit = if errors == 0 { Exit::Done } else { Exit::Failure };
    if context.printer.is_json() {
        context.printer.document(
            &json!({"errors": errors, "warnings": warnings, "looked_at": looked_at, "findings": findings, "notes": notes}),
        )?;
        return Ok(exit);
    }
    for finding in &findings {
        let severity = finding.severity.as_str();
        context
            .printer
            .data(&format!("{severity}[{}]: {}: {}\n  hint: {}\n", finding.code, finding.subject, finding.problem, finding.hint))?;
    }
    for note in &notes {
        context.printer.data(&format!("note: {note}"))?;
    }
    context.printer.data(&format!("looked at {}: {}", looked_at.join(", "), show::counted(errors, warnings)))?;
    Ok(exit)
}

fn configuration(error: &ConfigError) -> Vec<Finding> {
    let ConfigError::Invalid { problems } = error else {
        let hint = error.hint().unwrap_or_else(|| "see to it that this program may read it".into());
        return vec![Finding::error("configuration", "configuration", error.to_string(), hint)];
    };
    let finding = |problem: &crate::config::ConfigProblem| {
        let place = format!("{}:{}:{}", problem.file.display(), problem.line, problem.column);
        let hint = problem.hint.clone().unwrap_or_else(|| "see the example configuration".into());
        Finding::error("configuration", place, problem.message.clone(), hint)
    };
    problems.iter().map(finding).collect()
}

/// What was found.
struct Examined {
    findings: Vec<Finding>,
    /// Worth knowing, and nothing to mend.
    notes: Vec<String>,
    looked_at: Vec<&'static str>,
}

/// What can be looked at without the rest is looked at first, so that one damaged part hides no other.
async fn examine(config: Config, context: &Context) -> Result<Examined, CliError> {
    let mut notes = Vec::new();
    let mut looked_at = vec!["configuration", "folders", "keys", "ledger", "journal", "data map", "sources"];
    let mut findings: Vec<Finding> = config
        .unused
        .iter()
        .map(|key| {
            Finding::warning("not_used", format!("`{key}`"), "this version does not use it", "it may stay for a later version")
        })
        .collect();
    findings.extend(unfinished(&config));
    findings.extend(folders::check(&config));
    findings.extend(archives::check(&config).await);
    findings.extend(ledger(&config).await);
    match map::check::report(&map::check::Args::default(), &config, context.lenient_map).await {
        Ok(report) => findings.extend(report.findings.into_iter().map(of_map)),
        Err(error) => {
            let hint = error.hint().unwrap_or_else(|| "see the documentation of the data map".into());
            findings.push(Finding::error("map_invalid", "data map", error.to_string(), hint));
        }
    }
    // Every reason for which this fails has been found above.
    if let Ok(deployment) =
        Deployment::open(config, Arc::clone(&context.clock), Arc::clone(&context.progress), context.lenient_map).await
    {
        findings.extend(systems::check(&deployment, &findings).await?);
        let stores = stores::check(&deployment, &findings).await?;
        findings.extend(stores.findings);
        notes = stores.notes;
        findings.extend(holdings::check(&deployment).await?);
        looked_at.push("holds");
    }
    findings.sort_by_key(|finding| finding.severity);
    Ok(Examined { findings, notes, looked_at })
}

/// What `habeas init` leaves for people to write.
fn unfinished(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.sources.is_empty() {
        let hint = "name one under `sources` in the configuration, such as `app: {postgres: env:APP_DATABASE_URL}`";
        findings.push(Finding::error("no_source", "sources", "no system that holds personal data is named", hint));
    }
    if config.controller.name == init::UNNAMED {
        let hint = "write it under `controller` in the configuration; it stands in archives and certificates";
        findings.push(Finding::warning("no_controller", "controller", "nobody has said who answers the requests", hint));
    }
    findings
}

async fn ledger(config: &Config) -> Vec<Finding> {
    let ledger = match Ledger::open(config.ledger.expose_secret()).await {
        Ok(ledger) => ledger,
        Err(error) => {
            let error = CliError::Ledger(error);
            let hint = error.hint().unwrap_or_else(|| "look at `ledger` in the configuration".into());
            return vec![Finding::error("ledger", "ledger", error.to_string(), hint)];
        }
    };
    match holdings::journal(&ledger, config).await {
        Ok(finding) => finding.into_iter().collect(),
        Err(error) => {
            let hint =
                error.hint().unwrap_or_else(|| "look at `journal.copies` in the configuration and the folder's rights".into());
            vec![Finding::error("journal", "journal", error.to_string(), hint)]
        }
    }
}

fn of_map(found: crate::datamap::Finding) -> Finding {
    let place = found.place.map(|place| format!("{place}: ")).unwrap_or_default();
    Finding {
        severity: found.severity,
        code: found.code.as_str(),
        subject: found.subject,
        problem: format!("{place}{} ({})", found.problem, found.why),
        hint: found.hint,
    }
}
