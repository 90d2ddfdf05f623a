//! `habeas map`: checks the data map against the live databases and draws it.

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use crate::config::Config;
use crate::connector::sql::check_live;
use crate::datamap::{self, Code, DataMap, Finding, Graph as MapGraph, MapError, Severity};
use crate::deployment::{graph_of, name_sources, open_sources};

/// The verbs of `habeas map`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lint the map and compare it with the live schemas.
    Check,
    /// Show how collections are reached from a subject.
    Graph(Graph),
}

/// How to draw.
#[derive(Debug, clap::Args)]
pub struct Graph {
    /// As a Graphviz document.
    #[arg(long)]
    pub dot: bool,
}

/// Checks or draws the map. Neither needs keys or a ledger.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let config = context.load_config()?;
    match verb {
        Verb::Check => check(&config, context).await,
        Verb::Graph(args) => graph(&args, &config, context),
    }
}

async fn check(config: &Config, context: &Context) -> Result<Exit, CliError> {
    let findings = findings(config, context.lenient_map).await?;
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    let exit = if errors == 0 { Exit::Done } else { Exit::Usage };
    if context.printer.is_json() {
        context.printer.document(&json!({"errors": errors, "warnings": warnings, "findings": findings}))?;
        return Ok(exit);
    }
    for finding in &findings {
        context.printer.data(&format!("{finding}\n"))?;
    }
    context.printer.data(&super::show::counted(errors, warnings))?;
    Ok(exit)
}

/// Everything that is wrong with the map, by itself and against the live schemas, errors first.
pub(super) async fn findings(config: &Config, lenient: bool) -> Result<Vec<Finding>, CliError> {
    let mut loaded = match datamap::load(&config.data_map, lenient) {
        Ok(loaded) => loaded,
        Err(errors) => return Ok(errors.0.iter().map(mistake).collect()),
    };
    name_sources(config, &mut loaded.map);
    let graph = graph_of(config, &loaded.map)?;
    let mut findings: Vec<Finding> = loaded
        .warnings
        .iter()
        .map(|warning| Finding {
            severity: Severity::Warning,
            code: Code::PassedOver,
            write: None,
            place: Some(warning.place.clone()),
            subject: "the data map".into(),
            problem: warning.message.clone(),
            why: "what is passed over has no effect".into(),
            hint: warning.hint.clone().unwrap_or_else(|| "take it out, or write what was meant".into()),
        })
        .collect();
    findings.extend(datamap::lint(&loaded.map, &graph));
    findings.extend(live_findings(config, &loaded.map, &graph).await);
    findings.sort_by_key(|finding| finding.severity);
    Ok(findings)
}

async fn live_findings(config: &Config, map: &DataMap, graph: &MapGraph) -> Vec<Finding> {
    let (sources, unreached) = open_sources(config, graph).await;
    let mut findings = Vec::new();
    for gap in unreached {
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::SourceUnreachable,
            write: None,
            place: None,
            subject: gap.source,
            problem: format!("it cannot be reached: {}", gap.problem),
            why: "what it holds can neither be found nor compared with the map (V-2)".into(),
            hint: "look at its address and credentials in the configuration, and whether the server runs".into(),
        });
    }
    for source in sources.values() {
        findings.extend(check_live(map, graph, &source.name, &source.catalogue));
        source.close().await;
    }
    findings
}

fn mistake(error: &MapError) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::MapInvalid,
        write: None,
        place: Some(error.place.clone()),
        subject: "the data map".into(),
        problem: error.message.clone(),
        why: "a map that cannot be read is used for nothing".into(),
        hint: error.hint.clone().unwrap_or_else(|| "see the documentation of the data map".into()),
    }
}

fn graph(args: &Graph, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let loaded = datamap::load(&config.data_map, context.lenient_map)?;
    let graph = graph_of(config, &loaded.map)?;
    if context.printer.is_json() {
        context.printer.document(&as_json(&graph))?;
    } else {
        let text = if args.dot { graph.to_dot() } else { graph.to_text() };
        context.printer.data(text.trim_end())?;
    }
    Ok(Exit::Done)
}

fn as_json(graph: &MapGraph) -> serde_json::Value {
    let reached = graph.reachable(None);
    let nodes = graph.nodes.iter().zip(reached).map(|(node, reached)| {
        let identities = node
            .identities
            .iter()
            .map(|field| json!({"field": field.column, "kind": field.kind, "normal_form": field.normal_form}));
        json!({
            "dataset": node.dataset, "collection": node.collection, "source": node.source, "reached": reached,
            "identities": identities.collect::<Vec<_>>(),
        })
    });
    let edges = graph.edges.iter().map(|edge| (edge, true)).chain(graph.ignored.iter().map(|edge| (edge, false)));
    let edges = edges.map(|(edge, followed)| {
        json!({
            "from": graph.nodes[edge.from.0].name(), "from_fields": edge.from_columns,
            "to": graph.nodes[edge.to.0].name(), "to_fields": edge.to_columns,
            "right": edge.right, "followed": followed, "unlink": edge.unlink, "hide": edge.hide,
            "where": edge.filter.as_ref().map(|filter| filter.to_value()),
        })
    });
    json!({"nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>()})
}
