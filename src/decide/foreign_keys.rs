//! What the database's own references mean for the plan: kept rows keep what they refer to, deletions are ordered so that nothing is ever
//! referred to in vain, and a row that would be left pointing nowhere, cascaded away or set to NULL behind our back refuses the plan.

use super::rules::Rule;
use super::{Desk, GatherError, map_error};
use crate::connector::sql::text::{Statement, fate};
use crate::connector::sql::{Inbound, OnDelete, Snapshot, SnapshotError, SqlSource};
use crate::counted::counted;
use crate::datamap::{Graph, NodeId};
use crate::db::Dialect;
use crate::plan::{Order, Refers, order};
use crate::value::ColumnType;

/// Whether the traversal has followed this very reference from the parent to all its children: then every row that refers to a reached row
/// is reached itself, in the same snapshot. Only where traversal and database cannot differ on what is equal: not for text, which the
/// traversal compares bytewise and the database by its collation.
fn follows(graph: &Graph, key: &Inbound, child: NodeId, snapshot: &Snapshot) -> bool {
    let plain = |node: NodeId, columns: &[String]| {
        let of = |name: &String| snapshot.location(node.0).and_then(|location| location.table.column(name));
        columns
            .iter()
            .all(|name| of(name).is_some_and(|column| matches!(column.column_type, ColumnType::Integer | ColumnType::Uuid)))
    };
    snapshot.dialect == Dialect::Postgres
        && plain(child, &key.child_columns)
        && plain(key.parent, &key.parent_columns)
        && graph.edges.iter().any(|edge| {
            edge.from == key.parent
                && edge.to == child
                && edge.filter.is_none()
                && edge.from_columns == key.parent_columns
                && edge.to_columns == key.child_columns
        })
}

/// Whether the role cannot see every row that refers, or not the columns by which it does.
fn hides_references(source: &SqlSource, key: &Inbound) -> bool {
    let Some(table) = source.catalogue.tables.get(&key.child) else { return true };
    let is_readable = |name: &String| table.column(name).is_some_and(|column| column.may_select);
    table.row_security || !table.rights.select || !key.child_columns.iter().all(is_readable)
}

impl Desk<'_, '_> {
    fn inbound(&self) -> Vec<(String, Inbound)> {
        let mut all = Vec::new();
        for (source, snapshot) in &self.gathering.snapshots {
            all.extend(snapshot.inbound.iter().map(|key| (source.clone(), key.clone())));
        }
        all
    }

    /// A kept row keeps the rows that it refers to, and so on upwards to a fix-point.
    pub(super) async fn keep_what_kept_rows_refer_to(&mut self) -> Result<(), GatherError> {
        loop {
            let mut kept = 0;
            for (source, key) in self.inbound() {
                let Some(child) = key.child_node else { continue };
                let bits = self.cuts.bits_touching(child.0, &key.child_columns);
                let Some(snapshot) = self.gathering.snapshots.get_mut(&source) else { continue };
                let failed = |problem| map_error(&source, SnapshotError::Database(problem));
                if !snapshot.is_reached(key.parent.0) || !snapshot.has_staying_rows(child.0).await.map_err(failed)? {
                    continue;
                }
                let (Some(child), Some(parent)) = (snapshot.location(child.0), snapshot.location(key.parent.0)) else { continue };
                let statement = fate::retain_parents(&key, bits, child, parent, snapshot.dialect);
                kept += snapshot.run(statement).await.map_err(failed)?;
            }
            if kept == 0 {
                return Ok(());
            }
        }
    }

    /// Children before parents, people last; a circle is opened at a nullable reference.
    pub(super) fn order_nodes(&mut self) -> Order {
        let nodes = self.live_nodes();
        let people = self.people();
        let mut references = Vec::new();
        let mut keys = Vec::new();
        for (source, key) in self.inbound() {
            let Some(child) = key.child_node else { continue };
            let location = self.gathering.snapshots.get(&source).and_then(|snapshot| snapshot.location(child.0));
            let nullable =
                location.is_some_and(|l| key.child_columns.iter().all(|c| l.table.column(c).is_some_and(|c| !c.not_null)));
            let deferrable = key.deferrable && key.on_delete == OnDelete::NoAction;
            references.push(Refers { child: child.0, parent: key.parent.0, nullable, deferrable });
            keys.push(key);
        }
        self.add_wished_order(&mut references);
        let ordered = order(&nodes, &people, &references);
        if !ordered.circle.is_empty() {
            let names: Vec<String> = ordered.circle.iter().map(|node| self.name(*node)).collect();
            self.problem(
                "delete_order_impossible",
                names.join(", "),
                "these tables refer to each other in a circle, and no reference in it admits NULL".into(),
                "make one of the references nullable, or keep one of the collections (`on_erasure: keep`)".into(),
            );
        }
        self.deferred = ordered.deferred.iter().filter_map(|at| keys.get(*at).cloned()).collect();
        self.detached = ordered.detached.iter().filter_map(|at| keys.get(*at).cloned()).collect();
        ordered
    }

    /// `fides_meta.erase_after`: that collection goes first.
    fn add_wished_order(&self, references: &mut Vec<Refers>) {
        for (at, node) in self.brief.graph.nodes.iter().enumerate() {
            let Some(collection) = self.brief.map.collection(&node.dataset, &node.collection) else { continue };
            for earlier in &collection.erase_after {
                let Some((dataset, name)) = earlier.split_once('.') else { continue };
                if let Some(first) = self.brief.graph.node(dataset, name) {
                    references.push(Refers { child: first.0, parent: at, nullable: true, deferrable: false });
                }
            }
        }
    }

    /// Within a table that refers to itself the deepest rows go first.
    pub(super) async fn rank_rows_of_self_references(&mut self) -> Result<(), GatherError> {
        for (source, key) in self.inbound() {
            if key.child_node != Some(key.parent) || self.rules[key.parent.0] != Rule::Delete {
                continue;
            }
            let name = self.name(key.parent.0);
            let Some(snapshot) = self.gathering.snapshots.get_mut(&source) else { continue };
            let Some(location) = snapshot.location(key.parent.0).cloned() else { continue };
            let failed = |problem| map_error(&source, SnapshotError::Database(problem));
            let mut depth = 0;
            let mut deepest = None;
            loop {
                let statement = fate::deepen(&key, &location, depth, snapshot.dialect);
                if snapshot.run(statement).await.map_err(failed)? == 0 {
                    break;
                }
                depth += 1;
                // No chain is longer than there are rows. They are counted only when a chain is long enough to wonder.
                if deepest.is_none() && depth > 64 {
                    let rows = snapshot.count(fate::leaving_rows(&location)).await.map_err(failed)?;
                    deepest = Some(i64::try_from(rows).unwrap_or(i64::MAX));
                }
                if deepest.is_none_or(|most| depth <= most.max(64)) {
                    continue;
                }
                if key.child_columns.iter().all(|name| location.table.column(name).is_some_and(|column| !column.not_null)) {
                    // The references of these rows to each other are cleared before any of them is deleted.
                    self.detached.push(key.clone());
                } else {
                    self.problem(
                        "delete_order_impossible",
                        name.clone(),
                        format!(
                            "rows of this table refer to each other in a circle by {}, which admits no NULL",
                            key.child_columns.join(", ")
                        ),
                        format!(
                            "run `ALTER TABLE {} ALTER COLUMN … DROP NOT NULL`, break the circle in the data, or write `on_erasure: keep`",
                            key.child
                        ),
                    );
                }
                break;
            }
        }
        Ok(())
    }

    /// Rows that refer to a row to be deleted must be deleted as well, or be cut loose by the plan. Anything else is somebody else's row, or a
    /// row that the map does not know.
    pub(super) async fn refuse_what_is_left_behind(&mut self) -> Result<(), GatherError> {
        for (source, key) in self.inbound() {
            let bits = key.child_node.map_or(0, |child| self.cuts.bits_touching(child.0, &key.child_columns));
            let Some(snapshot) = self.gathering.snapshots.get_mut(&source) else { continue };
            let failed = |problem| map_error(&source, SnapshotError::Database(problem));
            let followed = key.child_node.filter(|child| follows(self.brief.graph, &key, *child, snapshot));
            if let Some(child) = followed
                && !snapshot.has_staying_rows(child.0).await.map_err(failed)?
            {
                continue;
            }
            let Some(parent) = snapshot.location(key.parent.0).filter(|_| snapshot.is_reached(key.parent.0)) else { continue };
            if self.brief.sources.get(&source).is_some_and(|open| hides_references(open, &key)) {
                let leaving = Statement::from(fate::leaving(parent));
                if snapshot.count(leaving).await.map_err(failed)? > 0 {
                    self.refuse_hidden_references(&key);
                }
                continue;
            }
            let child = key.child_node.and_then(|node| snapshot.location(node.0));
            let statement = match child {
                Some(child) if followed.is_some() => fate::left_behind_in_reach(&key, bits, child, parent, snapshot.dialect),
                _ => fate::left_behind(&key, bits, child, parent, snapshot.dialect),
            };
            let left = snapshot.count(statement).await.map_err(failed)?;
            if left > 0 {
                self.refuse_left_behind(&key, left);
            }
        }
        Ok(())
    }

    /// What refers to a row and cannot be seen may be somebody else's: the database would act on it all the same, with its owner's rights.
    fn refuse_hidden_references(&mut self, key: &Inbound) {
        let subject = format!("{}.{} ({})", key.child.schema, key.child.name, key.child_columns.join(", "));
        let parent = self.name(key.parent.0);
        self.problem(
            "references_hidden",
            subject,
            format!("rows here may refer to rows of `{parent}` that would be deleted, and this role cannot see all of them"),
            format!(
                "GRANT SELECT ON {0} TO the role; where row security hides rows, also ALTER ROLE … BYPASSRLS, or CREATE POLICY … ON {0} FOR ALL TO the role USING (true)",
                key.child
            ),
        );
    }

    fn refuse_left_behind(&mut self, key: &Inbound, left: u64) {
        let parent = self.name(key.parent.0);
        let subject = format!("{}.{} ({})", key.child.schema, key.child.name, key.child_columns.join(", "));
        let rows = counted(left, "row", "rows");
        let hint = match key.child_node {
            None => "map this table, with an edge and an `on_erasure`".to_owned(),
            Some(_) => "decide these rows too: give the edge `right: owns` and the collection `on_erasure: delete`, or put `habeas: {on_erasure: unlink}` on the edge".to_owned(),
        };
        let (code, problem) = match key.on_delete {
            OnDelete::Cascade => {
                ("cascade_outside_plan", format!("deleting from `{parent}` would cascade to {rows} that the plan does not delete"))
            }
            OnDelete::SetNull => {
                ("cascade_outside_plan", format!("deleting from `{parent}` would set columns of {rows} to NULL outside the plan"))
            }
            OnDelete::SetDefault => (
                "cascade_outside_plan",
                format!("deleting from `{parent}` would set columns of {rows} to their default outside the plan"),
            ),
            OnDelete::NoAction | OnDelete::Restrict => ("delete_blocked", {
                let (refer, stay) = if left == 1 { ("refers", "stays") } else { ("refer", "stay") };
                format!("{rows} {refer} to rows of `{parent}` that would be deleted, and {stay}")
            }),
        };
        self.problem(code, subject, problem, hint);
    }
}
