//! What the live schema does not allow: refused here, before anything is touched, and never skipped with a warning.

use super::overwrite::{How, Overwrite};
use super::rules::Rule;
use super::{Desk, GatherError, map_error, masks};
use crate::connector::sql::text::{Statement, fate};
use crate::connector::sql::{Location, RowKey, SnapshotError, TableKind};

impl Desk<'_, '_> {
    pub(super) async fn check_schema(&mut self) -> Result<(), GatherError> {
        for node in self.live_nodes() {
            let place = self.brief.graph.nodes[node].clone();
            let Some(snapshot) = self.gathering.snapshots.get_mut(&place.source) else { continue };
            let Some(location) = snapshot.location(node).cloned() else { continue };
            let statement = Statement { sql: fate::touched(&location), args: Vec::new() };
            let touched = snapshot.count(statement).await;
            if touched.map_err(|problem| map_error(&place.source, SnapshotError::Database(problem)))? == 0 {
                continue;
            }
            let rule = self.rules[node].clone();
            self.check_table(&location, &rule, &place.source);
            if let Rule::Mask(columns) = &rule {
                self.check_masks(&location, columns);
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
        if location.table.kind != TableKind::Table {
            self.problem(
                "not_a_table",
                subject.clone(),
                "this is a view: its rows belong to other tables".into(),
                hint("map the tables behind it, and give the view `fides_meta: {skip_processing: true}`"),
            );
        }
        if location.table.row_security {
            self.problem(
                "row_security",
                subject.clone(),
                "row security applies to our role: it can hide rows, and a hidden row looks erased".into(),
                hint("give the role BYPASSRLS"),
            );
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
                How::Inside(_) => masks::objection_inside(location, column, by_policy),
            };
            if let Some((code, problem, hint)) = objection {
                self.problem(code, subject, problem, hint);
            }
        }
    }
}
