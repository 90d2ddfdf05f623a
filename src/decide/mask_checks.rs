//! Whether what the masks write would pass the database's own conditions: CHECK constraints, domains, enums. They are asked in the snapshot,
//! of the rows as they would be, with a sample of what each strategy writes; nothing is written for it.

use super::overwrite::{How, Overwrite};
use super::{Desk, GatherError, MaskSecret, map_error, masks};
use crate::connector::sql::text::as_if;
use crate::connector::sql::{Check, Location, SnapshotError};
use crate::counted::counted;
use crate::datamap::Masking;
use crate::db::Dialect;

impl Desk<'_, '_> {
    pub(super) async fn check_what_masks_write(
        &mut self,
        node: usize,
        location: &Location,
        columns: &[Overwrite],
    ) -> Result<(), GatherError> {
        let samples: Vec<(String, Option<String>)> = columns.iter().filter_map(|column| sample(location, column)).collect();
        let name = format!("{}.{}", location.dataset, location.collection);
        for (column, _) in &samples {
            self.ask_the_type(node, location, column, &samples).await?;
        }
        for check in location.table.checks.iter().filter(|check| concerns(check, &samples)) {
            let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
            let source = source.to_owned();
            let statement = as_if::breaking(location, &samples, &check.condition, snapshot.dialect);
            let asked = snapshot.try_count(statement).await;
            let asked = asked.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
            match asked {
                Ok(0) => {}
                Ok(rows) => self.problem(
                    "mask_breaks_check",
                    name.clone(),
                    format!(
                        "what the masks write breaks `{}` in {}: CHECK ({})",
                        check.name,
                        counted(rows, "row", "rows"),
                        check.condition
                    ),
                    "write a value that the condition takes (`string_rewrite` with a `rewrite_value`, a `format_preservation` suffix, `null_rewrite`), or change the constraint".into(),
                ),
                Err(refusal) => self.warnings.push(format!(
                    "{name}: whether the masks pass `{}` (CHECK {}) cannot be told before the run: {refusal}",
                    check.name, check.condition
                )),
            }
        }
        Ok(())
    }

    /// An enum or a domain of PostgreSQL takes its own values only.
    async fn ask_the_type(
        &mut self,
        node: usize,
        location: &Location,
        column: &str,
        samples: &[(String, Option<String>)],
    ) -> Result<(), GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
        let source = source.to_owned();
        let dialect = snapshot.dialect;
        let Some(live) = location.table.column(column).filter(|_| dialect == Dialect::Postgres) else { return Ok(()) };
        let own: Vec<(String, Option<String>)> = samples.iter().filter(|(name, _)| name == column).cloned().collect();
        let asked = snapshot.try_count(as_if::breaking(location, &own, &as_if::takes(column), dialect)).await;
        if let Err(refusal) = asked.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))? {
            self.problem(
                "mask_does_not_fit_type",
                format!("{}.{}.{column}", location.dataset, location.collection),
                format!("the column is {}, which does not take what the mask writes ({refusal})", live.declared_type),
                "write `string_rewrite` with a value that the type knows, or `null_rewrite`".into(),
            );
        }
        Ok(())
    }
}

/// What a strategy would write, by way of example; nothing for a column that does not take it anyway.
fn sample(location: &Location, overwrite: &Overwrite) -> Option<(String, Option<String>)> {
    let How::Whole(masking, declared) = &overwrite.how else { return None };
    let live = location.table.column(&overwrite.column)?;
    if live.generated || (*masking != Masking::NullRewrite && !live.column_type.is_text_like()) {
        return None;
    }
    let most = declared.iter().chain(live.max_length.iter()).min().copied();
    let value = masks::value(masking, &MaskSecret::new([0; 32]), &overwrite.column, "sample", Some("sample"), most);
    Some((overwrite.column.clone(), value))
}

/// Whether the condition names one of the columns; one that names none is as true afterwards as before.
fn concerns(check: &Check, samples: &[(String, Option<String>)]) -> bool {
    samples.iter().any(|(column, _)| check.names(column))
}
