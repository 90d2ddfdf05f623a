//! What `discover` proposes, whole and without any value of a row: tables with their columns, edges with their evidence, and what could not
//! be read. `yaml` writes it as a data map, `document` as JSON, `summary` in a few lines.

use std::collections::{BTreeMap, BTreeSet};

use super::category::{Label, label};
use super::edges::Found;
use super::entity::Entity;
use super::evidence::Evidence;
use super::identity::{Identity, identity};
use super::{people, rights};
use crate::datamap::Right;

/// A proposed map of one source.
#[derive(Debug)]
pub struct Proposal {
    /// The source.
    pub source: String,
    /// Its tables, by schema and name.
    pub tables: Vec<ProposedTable>,
    /// Edges, by table and column; active ones first.
    pub edges: Vec<Edge>,
    /// Tables that could not be read.
    pub unread: Vec<Unread>,
}

/// A table that could not be read.
#[derive(Debug, Clone)]
pub struct Unread {
    /// Its name with its schema.
    pub table: String,
    /// Why.
    pub problem: String,
}

/// A table as proposed.
#[derive(Debug)]
pub struct ProposedTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Rows, roughly.
    pub rows: u64,
    /// Whether its rows are people.
    pub is_subject: bool,
    /// Whether a person's data is found in it: by an identity of its own, or over an edge that is followed.
    pub is_reached: bool,
    /// What erasure could do here, in words; it is not proposed as decided.
    pub suggestion: &'static str,
    /// Columns in their order.
    pub columns: Vec<ProposedColumn>,
}

/// A column as proposed.
#[derive(Debug)]
pub struct ProposedColumn {
    /// Its name.
    pub name: String,
    /// What it seems to hold.
    pub label: Option<Label>,
    /// Which identity it holds.
    pub identity: Option<Identity>,
    /// Part of the primary key.
    pub primary_key: bool,
    /// Whether it can be cleared.
    pub can_be_cleared: bool,
}

/// An edge as proposed.
#[derive(Debug)]
pub struct Edge {
    /// Position of the table that refers.
    pub table: usize,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Position of the table referred to.
    pub target: usize,
    /// Names of its columns, pairwise.
    pub target_columns: Vec<String>,
    /// What speaks for it.
    pub evidence: Evidence,
    /// How sure.
    pub confidence: f64,
    /// Whether the map follows it, or only mentions it.
    pub active: bool,
    /// What it gives.
    pub right: Right,
    /// Why it gives that.
    pub why: &'static str,
    /// Only rows in which this column has this word, which is a table's name.
    pub only_where: Option<(String, String)>,
}

/// Puts everything together.
pub fn assemble(source: &str, entities: &[Entity<'_>], found: Vec<Found>, unread: Vec<Unread>) -> Proposal {
    let active: Vec<&Found> = found.iter().filter(|edge| edge.is_active()).collect();
    let mut given = rights::decide(entities, &active).into_iter();
    let edges: Vec<Edge> = found
        .iter()
        .map(|edge| {
            let names = |table: usize, columns: &[usize]| -> Vec<String> {
                columns.iter().map(|column| entities[table].column_name(*column).to_owned()).collect()
            };
            let decided = edge.is_active().then(|| given.next()).flatten();
            Edge {
                table: edge.table,
                columns: names(edge.table, &edge.columns),
                target: edge.target,
                target_columns: names(edge.target, &edge.target_columns),
                evidence: edge.evidence.clone(),
                confidence: edge.confidence,
                active: edge.is_active(),
                right: decided.map_or(Right::None, |given| given.right),
                why: decided.map_or("", |given| given.why),
                only_where: edge
                    .only_where
                    .as_ref()
                    .map(|(kind, word)| (entities[edge.table].column_name(*kind).to_owned(), word.clone())),
            }
        })
        .collect();
    let mut tables: Vec<ProposedTable> = entities.iter().enumerate().map(|(at, _)| table(at, entities, &edges)).collect();
    let edges = share_rights(edges);
    mark_reached(&mut tables, &edges);
    for (at, proposed) in tables.iter_mut().enumerate() {
        proposed.suggestion = suggestion(&entities[at], at, proposed, &edges);
    }
    Proposal { source: source.to_owned(), tables, edges, unread }
}

/// A field has one right, whatever it refers to: columns of a composite edge take the right of the edge that one of them is by itself.
fn share_rights(mut edges: Vec<Edge>) -> Vec<Edge> {
    for at in 0..edges.len() {
        if edges[at].columns.len() < 2 || !edges[at].active {
            continue;
        }
        let (table, columns) = (edges[at].table, edges[at].columns.clone());
        let alone = edges
            .iter()
            .find(|edge| edge.active && edge.table == table && edge.columns.len() == 1 && columns.contains(&edge.columns[0]));
        if let Some(right) = alone.map(|edge| edge.right) {
            edges[at].right = right;
            edges[at].why = "as the reference that one of its columns is by itself";
        }
    }
    edges
}

fn table(at: usize, entities: &[Entity<'_>], edges: &[Edge]) -> ProposedTable {
    let entity = &entities[at];
    let is_subject = people::weight(entity, entities) >= people::SUBJECT;
    let columns = (0..entity.table.columns.len()).map(|column| {
        let described = &entity.table.columns[column];
        let refers = edges.iter().find(|edge| edge.active && edge.table == at && edge.columns.contains(&described.name));
        let mut label = label(entity, column, is_subject);
        let identity = if refers.is_some() { None } else { identity(entity, column, label, is_subject) };
        let names_a_person = refers.is_some_and(|edge| edge.right != Right::None && edge.columns.len() == 1);
        if label.is_none_or(|label| !label.is_credential) && (names_a_person || (identity.is_some() && label.is_none())) {
            label = Some(Label { category: "user.unique_id", is_credential: false });
        } else if refers.is_some() && label.is_some_and(|label| !label.is_credential) {
            label = None;
        }
        let primary_key = entity.table.primary_key.contains(&described.name);
        ProposedColumn {
            name: described.name.clone(),
            label,
            identity,
            primary_key,
            can_be_cleared: !described.not_null && !primary_key && !described.generated,
        }
    });
    let mut columns: Vec<ProposedColumn> = columns.collect();
    leave_to_the_holder(&mut columns, entity);
    ProposedTable {
        schema: entity.table.name.schema.clone(),
        name: entity.table.name.name.clone(),
        rows: entity.profile.rows,
        is_subject,
        is_reached: false,
        suggestion: "",
        columns,
    }
}

/// Of several columns for one kind of identifier, the one that is never the same in two rows tells whose record a row is. Whether the others are
/// the same person's is for people to say (`names_undecided`).
fn leave_to_the_holder(columns: &mut [ProposedColumn], entity: &Entity<'_>) {
    let kind_of = |column: &ProposedColumn| column.identity.as_ref().map(|identity| identity.kind.clone());
    let tells = |column: &&ProposedColumn| entity.table.names_one_row(std::slice::from_ref(&column.name));
    let mut holders: BTreeMap<String, String> = BTreeMap::new();
    for column in columns.iter().filter(tells) {
        if let Some(kind) = kind_of(column) {
            holders.entry(kind).or_insert_with(|| column.name.clone());
        }
    }
    for column in columns {
        let holder = kind_of(column).and_then(|kind| holders.get(&kind));
        if holder.is_some_and(|holder| *holder != column.name) {
            column.identity = None;
        }
    }
}

fn mark_reached(tables: &mut [ProposedTable], edges: &[Edge]) {
    for table in tables.iter_mut() {
        table.is_reached = table.columns.iter().any(|column| column.identity.is_some());
    }
    loop {
        let next: BTreeSet<usize> = edges
            .iter()
            .filter(|edge| {
                edge.active && edge.right != Right::None && tables[edge.target].is_reached && !tables[edge.table].is_reached
            })
            .map(|edge| edge.table)
            .collect();
        if next.is_empty() {
            return;
        }
        next.into_iter().for_each(|table| tables[table].is_reached = true);
    }
}

fn suggestion(entity: &Entity<'_>, at: usize, proposed: &ProposedTable, edges: &[Edge]) -> &'static str {
    let about_money =
        entity.name.iter().any(|word| matches!(word.as_str(), "order" | "invoice" | "payment" | "refund" | "transaction"));
    let is_owned = proposed.columns.iter().any(|column| column.identity.is_some())
        || edges.iter().any(|edge| edge.active && edge.table == at && edge.right == Right::Owns);
    match () {
        () if !proposed.is_reached => "keep (nothing about a person reaches it)",
        () if entity.table.primary_key.is_empty() => "keep (no primary key: its rows cannot be erased one by one)",
        () if !is_owned => "keep (people have to do with these rows, and own none)",
        () if about_money => "delete (look for a law that keeps some: `retain_when`)",
        () => "delete",
    }
}
