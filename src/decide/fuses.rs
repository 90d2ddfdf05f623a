//! Fuses: an erasure that is larger than anybody expects needs a second pair of eyes.

use super::{Desk, GatherError, map_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::{Statement, fate};
use crate::counted::counted;
use crate::plan::{Disposition, PlanItem};

/// Limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct Fuses {
    /// Rows changed in all sources together.
    pub max_rows: u64,
    /// Share of a table's rows, from 0 to 1; only tables of at least [`Fuses::LARGE_TABLE`] rows are looked at.
    pub max_share: f64,
}

impl Fuses {
    /// In a smaller table one person's rows are easily a large share.
    pub const LARGE_TABLE: u64 = 1_000;
}

impl Desk<'_, '_> {
    pub(super) async fn blown_fuses(&mut self, items: &[PlanItem]) -> Result<Vec<String>, GatherError> {
        let mut blown = Vec::new();
        let changed: u64 = items.iter().filter(|item| item.disposition != Disposition::Retain).map(|item| item.expected).sum();
        if changed > self.brief.fuses.max_rows {
            let rows = counted(changed, "row", "rows");
            blown.push(format!(
                "{rows} would change in all places together, and without a second person limits.max_rows allows {}",
                self.brief.fuses.max_rows
            ));
        }
        if self.brief.fuses.max_share >= 1.0 {
            // No share can be larger, and counting whole tables takes long.
            return Ok(blown);
        }
        for item in items.iter().filter(|item| item.disposition == Disposition::Erase && item.expected > 0) {
            let Some(node) = self.brief.graph.node(&item.dataset, &item.collection) else { continue };
            let Some((source, snapshot)) = self.gathering.snapshot_of(node.0) else { continue };
            let source = source.to_owned();
            let Some(location) = snapshot.location(node.0) else { continue };
            let statement = Statement::from(fate::table_count(&location.table.name));
            let total = snapshot.count(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
            let share = item.expected as f64 / total.max(1) as f64;
            if total >= Fuses::LARGE_TABLE && share > self.brief.fuses.max_share {
                blown.push(format!(
                    "{} of {total} rows of {}.{} ({:.0} %) would be erased, and without a second person limits.max_share allows {:.0} %",
                    item.expected,
                    item.dataset,
                    item.collection,
                    share * 100.0,
                    self.brief.fuses.max_share * 100.0
                ));
            }
        }
        Ok(blown)
    }
}
