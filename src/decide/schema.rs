//! What the live schema does not allow: refused here, before anything is touched, and never skipped with a warning.

use super::overwrite::{How, Overwrite};
use super::rules::Rule;
use super::{Desk, GatherError, map_error, masks};
use crate::connector::sql::hazards::{Doing, Written, hazards};
use crate::connector::sql::text::{Statement, fate};
use crate::connector::sql::{Location, RowKey, SnapshotError, TableKind};
use crate::counted::counted;
use crate::datamap::Severity;

impl Desk<'_, '_> {
    pub(super) async fn check_schema(&mut self) -> Result<(), GatherError> {
        for node in self.live_nodes() {
            let place = self.brief.graph.nodes[node].clone();
            let Some(snapshot) = self.gathering.snapshots.get_mut(&place.source) else { continue };
            let Some(location) = snapshot.location(node).cloned() else { continue };
            let statement = Statement::from(fate::touched(&location));
            let touched = snapshot.count(statement).await;
            if touched.map_err(|problem| map_error(&place.source, SnapshotError::Database(problem)))? == 0 {
                continue;
            }
            let rule = self.rules[node].clone();
            self.check_table(&location, &rule, &place.source);
            self.check_keys(node, &location).await?;
            self.check_what_happens_by_itself(node, &location, &rule).await?;
            if let Rule::Mask(columns) = &rule {
                self.check_masks(&location, columns);
                self.check_what_masks_write(node, &location, columns).await?;
            }
        }
        Ok(())
    }

    fn check_table(&mut self, location: &Location, rule: &Rule, source: &str) {
        let subject = format!("{}.{}", location.dataset, location.collection);
        let hint = |text: &str| text.to_owned();
        if matches!(location.key, RowKey::Physical) {
            self.problem(
                "no_primary_key",
                subject.clone(),
                "the table has no primary key, and rows are erased by primary key only".into(),
                hint("add a primary key, or write `on_erasure: keep`"),
            );
        }
        match location.table.kind {
            TableKind::Table => {}
            TableKind::View | TableKind::MaterialisedView => self.problem(
                "not_a_table",
                subject.clone(),
                "this is a view: its rows belong to other tables".into(),
                hint("map the tables behind it, and give the view `fides_meta: {skip_processing: true}` or `habeas: {on_erasure: keep}`"),
            ),
            TableKind::Foreign => self.problem(
                "not_a_table",
                subject.clone(),
                "this is a foreign or virtual table: what it shows is stored elsewhere, and no transaction here covers it".into(),
                hint("map the table where its rows are stored, as a source of its own, and write `habeas: {on_erasure: keep}` here"),
            ),
        }
        let rights = location.table.rights;
        let missing = match rule {
            Rule::Delete if !rights.delete => Some("DELETE"),
            Rule::Mask(_) | Rule::Unlink if !rights.update => Some("UPDATE"),
            _ => None,
        };
        if let Some(right) = missing {
            self.problem(
                "rights_missing",
                subject.clone(),
                format!("the role of source `{source}` has no {right} right here"),
                format!("GRANT {right} on this table to the role"),
            );
        }
        if self.brief.sources.get(source).is_some_and(|open| !open.catalogue.writable) {
            self.problem(
                "source_read_only",
                subject,
                format!("source `{source}` cannot be written: it is read-only, or a standby"),
                hint("point the source at the primary, with a role that may write"),
            );
        }
    }

    /// SQLite admits NULL in a primary key that is no INTEGER.
    async fn check_keys(&mut self, node: usize, location: &Location) -> Result<(), GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
        let source = source.to_owned();
        let nameless = snapshot.count(fate::nameless(location, snapshot.dialect)).await;
        let nameless = nameless.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        if nameless > 0 {
            self.problem(
                "null_in_key",
                format!("{}.{}", location.dataset, location.collection),
                format!("{} NULL in the primary key, so that nothing names them", counted(nameless, "row has", "rows have")),
                "give these rows a key, and declare the column NOT NULL".into(),
            );
        }
        Ok(())
    }

    /// Triggers, rules, references and indexes that make of a statement something else than the plan says.
    async fn check_what_happens_by_itself(&mut self, node: usize, location: &Location, rule: &Rule) -> Result<(), GatherError> {
        let mut doing = Doing { deletes: *rule == Rule::Delete, ..Doing::default() };
        if let Rule::Mask(masks) = rule {
            let written = |masked: &Overwrite| match &masked.how {
                How::Whole(masking, _) => Written::by(masking),
                How::Inside(_) | How::Elements(_) => Some(Written::Varying),
            };
            doing.writes = masks.iter().filter_map(|masked| Some((masked.column.clone(), written(masked)?))).collect();
        }
        doing.writes.extend(self.cleared_columns(node).await?.into_iter().map(|name| (name, Written::Null)));
        let place = self.brief.graph.nodes[node].clone();
        if let Some(collection) = self.brief.map.collection(&place.dataset, &place.collection) {
            doing.accepted.clone_from(&collection.triggers);
        }
        let Some(open) = self.brief.sources.get(&place.source) else { return Ok(()) };
        for hazard in hazards(&open.catalogue, &location.table, &doing) {
            match hazard.severity {
                Severity::Error => self.problem(hazard.code.as_str(), place.name(), hazard.problem, hazard.hint),
                Severity::Warning => self.warnings.push(format!("{}: {}; {}", place.name(), hazard.problem, hazard.hint)),
            }
        }
        Ok(())
    }

    async fn cleared_columns(&mut self, node: usize) -> Result<Vec<String>, GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(Vec::new()) };
        let source = source.to_owned();
        let tally = snapshot.cut_tally(node).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        let cuts = self.cuts.0.iter().filter(|cut| cut.node == node && tally.has(1 << cut.bit));
        Ok(cuts.flat_map(|cut| cut.cleared.iter().cloned()).collect())
    }

    fn check_masks(&mut self, location: &Location, columns: &[Overwrite]) {
        if columns.is_empty() {
            self.problem(
                "mask_without_fields",
                format!("{}.{}", location.dataset, location.collection),
                "the map says `mask`, and no field says how".into(),
                "give the fields a `fides_meta: {masking_strategy_override: …}`".into(),
            );
        }
        let by_policy = self.brief.policy.is_some();
        for Overwrite { column, how } in columns {
            let subject = format!("{}.{}.{column}", location.dataset, location.collection);
            let objection = match how {
                How::Whole(masking, length) => masks::objection(location, column, masking, *length, by_policy),
                How::Inside(_) | How::Elements(_) => masks::objection_inside(location, column, by_policy),
            };
            if let Some((code, problem, hint)) = objection {
                self.problem(code, subject, problem, hint);
            }
        }
    }
}
