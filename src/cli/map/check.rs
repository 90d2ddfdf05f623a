//! `habeas map check`: what is wrong with the map, by itself and against the live schemas. It needs no keys; of the ledger it only asks
//! which system a source's name stood for until now.

use secrecy::ExposeSecret;
use serde_json::json;

use super::{listing, stores};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::config::{Config, Source};
use crate::connector::sql::{SqlSource, check_live, check_sight};
use crate::datamap::{self, Accepted, Code, DataMap, Finding, Graph, MapError, MapWarning, Severity, apply_acceptances};
use crate::deployment::{graph_of, name_sources, open_source};
use crate::gather::Unreached;
use crate::job::pinned_identity;
use crate::suggest;

/// What to look at.
#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Only this source, and the datasets that it serves.
    #[arg(long, value_name = "NAME", conflicts_with = "offline")]
    pub source: Option<String>,
    /// The map alone, without asking any source.
    #[arg(long)]
    pub offline: bool,
    /// List accepted findings as well, each with its reason.
    #[arg(long)]
    pub accepted: bool,
}

/// What was found.
pub(in crate::cli) struct Report {
    /// Findings, errors first.
    pub findings: Vec<Finding>,
    /// Warnings that the map accepts.
    pub accepted: Vec<Accepted>,
}

impl Report {
    pub(super) fn errors(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error).count()
    }
}

/// Checks and prints. Exit 2 when anything is an error: the map is input.
pub(super) async fn run(args: &Args, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let report = report(args, config, context.lenient_map).await?;
    let errors = report.errors();
    let warnings = report.findings.len() - errors;
    if context.printer.is_json() {
        context.printer.document(&json!({
            "errors": errors, "warnings": warnings, "accepted": report.accepted.len(),
            "findings": report.findings, "accepted_findings": report.accepted,
        }))?;
    } else {
        listing::print(context.printer, &report, args.accepted)?;
    }
    Ok(if errors == 0 { Exit::Done } else { Exit::Usage })
}

/// Everything that is wrong with the map, errors first.
pub(in crate::cli) async fn report(args: &Args, config: &Config, lenient: bool) -> Result<Report, CliError> {
    let only = args.source.as_deref();
    if let Some(name) = only.filter(|name| !config.sources.contains_key(*name)) {
        let known: Vec<&str> = config.sources.keys().map(String::as_str).collect();
        return Err(CliError::Usage {
            message: format!("the configuration has no source `{name}`"),
            hint: Some(suggest::hint(name, &known)),
        });
    }
    let mut loaded = match datamap::load(&config.data_map, lenient) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(Report { findings: errors.0.iter().map(mistake).collect(), accepted: Vec::new() }),
    };
    name_sources(config, &mut loaded.map);
    let graph = graph_of(config, &loaded.map)?;
    let mut findings: Vec<Finding> = loaded.warnings.iter().map(passed_over).collect();
    findings.extend(datamap::lint(&loaded.map, &graph));
    if let Some(source) = only {
        findings.retain(|finding| is_of_source(&loaded.map, source, finding));
    }
    if !args.offline {
        findings.extend(live_findings(config, only, &loaded.map, &graph).await);
    }
    let (mut findings, accepted) = apply_acceptances(&loaded.map, findings, !args.offline && only.is_none());
    findings.sort_by_key(|finding| finding.severity);
    Ok(Report { findings, accepted })
}

/// A finding of the map alone begins with its dataset.
fn is_of_source(map: &DataMap, source: &str, finding: &Finding) -> bool {
    let served = map.datasets.iter().filter(|dataset| dataset.source.as_deref().unwrap_or(&dataset.fides_key) == source);
    served.into_iter().any(|dataset| finding.subject.strip_prefix(&dataset.fides_key).is_some_and(|rest| rest.starts_with('.')))
}

async fn live_findings(config: &Config, only: Option<&str>, map: &DataMap, graph: &Graph) -> Vec<Finding> {
    let is_wanted =
        |source: &&Source| only.is_none_or(|only| source.name == only) && graph.nodes.iter().any(|node| node.source == source.name);
    let mut findings = Vec::new();
    for source in config.sources.values().filter(is_wanted) {
        match open_source(source).await {
            Ok(open) => {
                findings.extend(changed(config, &open).await);
                findings.extend(check_live(map, graph, &open.name, &open.catalogue));
                findings.extend(check_sight(map, graph, &open));
                open.close().await;
            }
            Err(gap) => findings.push(unreachable(gap)),
        }
    }
    for source in config.sources.values().filter(|source| only.is_none_or(|only| source.name == only)) {
        findings.extend(stores::check(config, graph, source).await);
    }
    findings
}

/// A ledger that is not there yet remembers nothing, and what is wrong with one is the business of `habeas doctor`: neither is a finding.
async fn changed(config: &Config, source: &SqlSource) -> Option<Finding> {
    let pinned = pinned_identity(config.ledger.expose_secret(), &source.name).await.ok().flatten()?;
    (pinned != source.catalogue.system_identity).then(|| Finding {
        severity: Severity::Error,
        code: Code::SourceChanged,
        place: None,
        subject: source.name.clone(),
        problem: "it is another database than the one that this name stood for: a restored copy, or another environment".into(),
        why: "what would be erased here is not what people asked about, and the place where it is would be left as it is".into(),
        hint: "name the right database in the configuration; if it was moved on purpose, give the source a new name".into(),
        write: None,
    })
}

fn unreachable(gap: Unreached) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::SourceUnreachable,
        place: None,
        subject: gap.source,
        problem: format!("it cannot be reached: {}", gap.problem),
        why: "what it holds can neither be found nor compared with the map (V-2)".into(),
        hint: "look at its address and credentials in the configuration, and whether the server runs; `--offline` checks the map alone".into(),
        write: None,
    }
}

fn passed_over(warning: &MapWarning) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: Code::PassedOver,
        place: Some(warning.place.clone()),
        subject: "the data map".into(),
        problem: warning.message.clone(),
        why: "what is passed over has no effect".into(),
        hint: warning.hint.clone().unwrap_or_else(|| "take it out, or write what was meant".into()),
        write: None,
    }
}

fn mistake(error: &MapError) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::MapInvalid,
        place: Some(error.place.clone()),
        subject: "the data map".into(),
        problem: error.message.clone(),
        why: "a map that cannot be read is used for nothing".into(),
        hint: error.hint.clone().unwrap_or_else(|| "see the documentation of the data map".into()),
        write: None,
    }
}
