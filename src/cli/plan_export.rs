//! The plan of an archive: what would be handed over from where, and what of it the map keeps back. Nothing is erased, overwritten or kept
//! by an access, so that it shows no such word, and of what is wrong only that which lets nothing be read.

use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::plan::{document as common, exit_of};
use crate::counted::counted;
use crate::datamap::{Collection, Graph, Withhold};
use crate::deployment::Deployment;
use crate::export::Selection;
use crate::job::planning;
use crate::plan::{Plan, PlanItem, Problem};
use crate::request::JobFile;

/// Prints it.
pub(super) fn show(
    context: &Context,
    deployment: &Deployment,
    job: &JobFile,
    plan: &Plan,
    selection: &Selection,
) -> Result<Exit, CliError> {
    let problems: Vec<&Problem> = plan.problems.iter().filter(|problem| planning::blocks_reading(problem)).collect();
    let exit = if problems.is_empty() { exit_of(plan, job.kind) } else { Exit::Usage };
    let left_out = |item: &PlanItem| left_out(deployment, selection, item);
    if context.printer.is_json() {
        let mut document = common(deployment, job, plan);
        document["items"] = plan.items.iter().map(|item| as_json(item, &left_out(item))).collect();
        document["problems"] = json!(problems);
        document["can_be_approved"] = json!(problems.is_empty());
        document["fuses"] = json!([]);
        document["held"] = json!(0);
        context.printer.document(&document)?;
        return Ok(exit);
    }
    let rows = plan.items.iter().filter(|item| item.found > 0).map(|item| {
        vec![
            format!("{}.{}", item.dataset, item.collection),
            "export".to_owned(),
            item.found.to_string(),
            left_out(item).join(", "),
        ]
    });
    context.printer.table(&["place", "disposition", "found", "left out"], rows)?;
    let empty = plan.items.iter().filter(|item| item.found == 0).count();
    context.printer.data(&format!(
        "{} found; nothing in {}",
        counted(plan.found(), "record", "records"),
        counted(empty, "further place", "further places")
    ))?;
    for gap in &plan.gaps {
        context.printer.warn(&format!("source `{}` was not reached: {}", gap.source, gap.reason));
    }
    for text in &plan.warnings {
        context.printer.warn(text);
    }
    for problem in &problems {
        context.printer.warn(&format!("{}: {} [{}]", problem.subject, problem.problem, problem.code));
        context.printer.hint(&problem.hint);
    }
    context.printer.data(&format!("plan digest  {}", plan.digest()))?;
    if !problems.is_empty() {
        context.printer.warn("with this map nothing is read: nothing would be handed over");
    }
    Ok(exit)
}

fn as_json(item: &PlanItem, left_out: &[String]) -> Value {
    let mut value = serde_json::to_value(item).unwrap_or_default();
    value["disposition"] = json!("export");
    value["expected"] = json!(item.found);
    value["retained"] = json!([]);
    value["columns"] = json!([]);
    value["left_out"] = json!(left_out);
    value
}

/// What of a collection's rows does not go into the archive, with the reason.
fn left_out(deployment: &Deployment, selection: &Selection, item: &PlanItem) -> Vec<String> {
    let Some(collection) = deployment.map.collection(&item.dataset, &item.collection) else { return Vec::new() };
    if !selection.is_portable(collection) {
        return vec!["all of it: not portable (Art. 20(1))".to_owned()];
    }
    let is_asked_for = |name: &str| collection.field(name).is_some_and(|field| selection.takes(collection, field));
    let withheld = collection.fields.iter().filter(|field| selection.takes(collection, field));
    let mut words: Vec<String> =
        withheld.filter_map(|field| Some(format!("{}: {}", field.name, reason(field.withhold?)))).collect();
    let hidden = hidden(&deployment.graph, collection, item);
    words.extend(
        hidden.into_iter().filter(|name| is_asked_for(name)).map(|name| format!("{name}: hidden in rows that are only seen")),
    );
    let outside = collection.fields.iter().filter(|field| !selection.takes(collection, field)).count();
    if outside > 0 {
        words.push(format!("{} outside the categories asked for", counted(outside, "field", "fields")));
    }
    words
}

fn hidden(graph: &Graph, collection: &Collection, item: &PlanItem) -> Vec<String> {
    let Some(node) = graph.node(&item.dataset, &item.collection) else { return Vec::new() };
    let mut names: Vec<String> = graph.edges_into(node).flat_map(|edge| edge.hide.iter().cloned()).collect();
    names.retain(|name| collection.field(name).is_some_and(|field| field.withhold.is_none()));
    names.sort();
    names.dedup();
    names
}

fn reason(withhold: Withhold) -> &'static str {
    match withhold {
        Withhold::Credential => "credential",
        Withhold::ThirdParty => "third party's",
        Withhold::TradeSecret => "trade secret",
    }
}
