//! `habeas map`: checks the data map against the live databases and draws it.

pub(super) mod check;
mod listing;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use crate::config::Config;
use crate::datamap::{self, Graph as MapGraph};
use crate::deployment::graph_of;

/// The verbs of `habeas map`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lint the map and compare it with the live schemas.
    Check(check::Args),
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
        Verb::Check(args) => check::run(&args, &config, context).await,
        Verb::Graph(args) => graph(&args, &config, context),
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
