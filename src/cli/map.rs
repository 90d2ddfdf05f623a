//! `habeas map`: checks the data map against the live databases, draws it, and proposes one.

mod discover;

pub(super) mod check;
mod listing;
mod register;
mod stores;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use crate::config::Config;
use crate::datamap::{self, Graph as MapGraph, NamedBy};
use crate::deployment::graph_of;

/// The verbs of `habeas map`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lint the map and compare it with the live schemas.
    Check(check::Args),
    /// Print the record of processing activities (Art. 30 GDPR), with what is missing in it.
    Register(register::Args),
    /// Show how collections are reached from a subject.
    Graph(Graph),
    /// Propose a map from a live schema: by declared keys, names, and a sample of the data. Writes nothing but its output.
    Discover(discover::Args),
}

/// How to draw.
#[derive(Debug, clap::Args)]
pub struct Graph {
    /// As a Graphviz document.
    #[arg(long, conflicts_with = "mermaid")]
    pub dot: bool,
    /// As a Mermaid flowchart.
    #[arg(long)]
    pub mermaid: bool,
}

/// Checks, draws or proposes a map. None needs keys or a ledger.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let config = context.load_config()?;
    match verb {
        Verb::Check(args) => check::run(&args, &config, context).await,
        Verb::Register(args) => register::run(&args, &config, context),
        Verb::Graph(args) => graph(&args, &config, context),
        Verb::Discover(args) => discover::run(&args, &config, context).await,
    }
}

fn graph(args: &Graph, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let loaded = datamap::load(&config.data_map, context.lenient_map)?;
    let graph = graph_of(config, &loaded.map)?;
    if context.printer.is_json() {
        context.printer.document(&as_json(&graph))?;
    } else {
        let text = match (args.dot, args.mermaid) {
            (true, _) => graph.to_dot(),
            (_, true) => graph.to_mermaid(),
            _ => graph.to_text(),
        };
        context.printer.data(text.trim_end())?;
    }
    Ok(Exit::Done)
}

fn as_json(graph: &MapGraph) -> serde_json::Value {
    let reached = graph.reachable(None);
    let nodes = graph.nodes.iter().zip(reached.iter().copied().zip(graph.owned())).map(|(node, (reached, owned))| {
        let identities = node
            .identities
            .iter()
            .map(|field| json!({"field": field.name(), "kind": field.kind, "normal_form": field.normal_form}));
        json!({
            "dataset": node.dataset, "collection": node.collection, "source": node.source, "reached": reached, "owned": owned,
            "identities": identities.collect::<Vec<_>>(),
        })
    });
    let edges = graph.edges.iter().map(|edge| (edge, true)).chain(graph.ignored.iter().map(|edge| (edge, false)));
    let edges = edges.map(|(edge, followed)| {
        json!({
            "from": graph.nodes[edge.from.0].name(), "from_fields": edge.from_columns,
            "to": graph.nodes[edge.to.0].name(), "to_fields": edge.end_names(),
            "right": edge.right, "followed": followed, "unlink": edge.unlink, "hide": edge.hide,
            "where": edge.filter.as_ref().map(|filter| filter.to_value()),
        })
    });
    let objects = graph.objects.iter().map(|place| {
        json!({
            "dataset": place.dataset, "collection": place.collection, "source": place.source,
            "rows": graph.nodes[place.rows.0].name(), "locate": place.locate.to_string(), "reached": reached[place.rows.0],
            "follows_row": place.follows_row,
        })
    });
    let objects: Vec<_> = objects.collect();
    let rows = graph.rows.iter().map(|place| {
        let names = place.names.iter().map(|field| match &field.by {
            NamedBy::Identity(kind) => json!({"field": field.name(), "identity": kind, "normal_form": field.form}),
            NamedBy::Rows { node, column } => json!({"field": field.name(), "rows": graph.nodes[node.0].name(), "column": column}),
        });
        json!({
            "dataset": place.dataset, "collection": place.collection, "source": place.source, "format": place.format.to_string(),
            "locate": place.located(), "names": names.collect::<Vec<_>>(), "reached": place.is_reached(&reached, None),
        })
    });
    let rows: Vec<_> = rows.collect();
    json!({"nodes": nodes.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>(), "objects": objects, "rows": rows})
}
