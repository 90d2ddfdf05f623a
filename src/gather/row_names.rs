//! What is looked for in rows inside objects: identifiers that are the person's for certain, and what stands in rows that are the person's alone. A
//! value that a row of somebody else has as well names neither of the two alone and is left out, so that it makes a row somebody else's (O-1).

use std::collections::BTreeSet;

use futures_util::TryStreamExt;

use super::Gathering;
use super::resolve::{count, of_kind, stands_for_people};
use super::traverse::GatherError;
use crate::connector::sql::text::objects as text;
use crate::connector::sql::text::reach;
use crate::datamap::{IdentityField, NamedBy, NamingField, RowPlace, Template};
use crate::db::DbError;
use crate::row_objects::{RowField, RowNames};

/// More values than this in one place are refused: what every row is compared with must fit into memory and into the manifest.
const MOST_VALUES: usize = 10_000;
/// Values in one statement.
const VALUES_AT_ONCE: usize = 200;

/// What is looked for in one place.
#[derive(Debug, Default)]
pub struct NamesFound {
    /// Fields and values.
    pub names: RowNames,
    /// Values of the person's that rows of others have too, so that they are not looked for.
    pub set_aside: u64,
    /// Whether there were more than fit; then nothing can be said.
    pub is_too_many: bool,
}

impl Gathering<'_> {
    /// What names this person in the rows of a place.
    pub async fn row_names(&mut self, place: &RowPlace) -> Result<NamesFound, GatherError> {
        let mut found = NamesFound::default();
        for field in &place.names {
            let values = match &field.by {
                NamedBy::Identity(kind) => self.identifiers(field, kind, &mut found.set_aside).await?,
                NamedBy::Rows { node, column } => self.values_of_rows(node.0, column, &mut found).await?,
            };
            match found.names.fields.iter_mut().find(|known| known.path == field.path) {
                Some(known) => known.values.extend(values),
                None => found.names.fields.push(RowField { path: field.path.clone(), form: field.form, values }),
            }
            if found.names.count() > MOST_VALUES {
                found.is_too_many = true;
                return Ok(found);
            }
        }
        for field in &mut found.names.fields {
            field.values.sort();
            field.values.dedup();
        }
        Ok(found)
    }

    async fn identifiers(&mut self, field: &NamingField, kind: &str, set_aside: &mut u64) -> Result<Vec<String>, GatherError> {
        let given: BTreeSet<String> =
            self.person.iter().filter(|name| name.kind == kind).map(|name| name.expose().to_owned()).collect();
        let mut values = Vec::with_capacity(given.len());
        for value in given {
            if self.names_another_record(field, kind, &value).await? {
                *set_aside += 1;
            } else {
                values.push(value);
            }
        }
        Ok(values)
    }

    /// Whether an identifier, compared in the way of this field, is also that of another person's record: two people may be `Ada@x.org` and
    /// `ada@x.org` in a table and one in a file that is compared without regard to case.
    async fn names_another_record(&mut self, field: &NamingField, kind: &str, value: &str) -> Result<bool, GatherError> {
        let graph = self.graph;
        for (at, node) in graph.nodes.iter().enumerate() {
            let in_this_form = |known: &IdentityField| IdentityField { normal_form: field.form, ..known.clone() };
            let fields: Vec<IdentityField> = of_kind(node, kind).map(in_this_form).collect();
            let fields: Vec<&IdentityField> = fields.iter().collect();
            let Some(snapshot) = self.snapshots.get_mut(&node.source) else { continue };
            if fields.is_empty() || !stands_for_people(graph, at, snapshot) {
                continue;
            }
            let Some(location) = snapshot.location(at).cloned() else { continue };
            let dialect = snapshot.dialect;
            let named = count(snapshot, node, reach::named(&location, &fields, value, false, dialect)).await?;
            let ours = count(snapshot, node, reach::named(&location, &fields, value, true, dialect)).await?;
            if named > ours {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What stands in a column of rows that are this person's alone, and in no row of anybody else.
    async fn values_of_rows(&mut self, node: usize, column: &str, found: &mut NamesFound) -> Result<Vec<String>, GatherError> {
        let Some((source, snapshot)) = self.snapshot_of(node) else { return Ok(Vec::new()) };
        let source = source.to_owned();
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        let Some(location) = snapshot.location(node).cloned().filter(|_| snapshot.is_reached(node)) else { return Ok(Vec::new()) };
        if location.table.column(column).is_none() {
            return Err(GatherError::Map(format!(
                "`{}` has no column `{column}`, which names rows inside objects",
                location.table.name.name
            )));
        }
        let dialect = snapshot.dialect;
        let mut values: Vec<String> = Vec::new();
        let mut rows = snapshot.stream(text::names(&location, &[column], false, false, dialect)).map_err(failed)?;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let Some(value) = row.text_at(0).map_err(failed)?.filter(|value| !value.is_empty()) else { continue };
            if row.int("shared").map_err(failed)? == 1 {
                found.set_aside += 1;
                continue;
            }
            values.push(value.to_owned());
            if values.len() > MOST_VALUES {
                return Ok(values);
            }
        }
        drop(rows);
        let template = Template::of_column(column);
        let mut of_others: BTreeSet<String> = BTreeSet::new();
        for some in values.chunks(VALUES_AT_ONCE) {
            let statement = text::named_by_others(&location, &template, some, false, dialect);
            for row in snapshot.list(statement).await.map_err(failed)? {
                of_others.extend(row.text_at(0).map_err(failed)?.map(str::to_owned));
            }
        }
        found.set_aside += of_others.len() as u64;
        values.retain(|value| !of_others.contains(value));
        Ok(values)
    }
}
