//! What a database may do by itself when the rows of one table are deleted or changed: swallow it, do more, change what refers to them. Pure:
//! `map check` asks for every collection, planning for those that a person's rows are in, and both get the same words.

use std::collections::BTreeSet;

use super::{Catalogue, ForeignKey, OnDelete, Swallows, Table, TableName, Trigger};
use crate::datamap::{Code, Masking, Severity};
use crate::db::Dialect;

/// What is to be done to rows of a table.
#[derive(Debug, Clone, Default)]
pub struct Doing {
    /// Rows are deleted.
    pub deletes: bool,
    /// Columns are overwritten or cleared.
    pub writes: Vec<(String, Written)>,
    /// Triggers that somebody has looked at and that may run (`habeas: {triggers: […]}`).
    pub accepted: Vec<String>,
}

/// What is written into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// NULL.
    Null,
    /// The same text in every row.
    Constant,
    /// Another text in every row.
    Varying,
}

impl Written {
    /// What a mask writes; nothing where it leaves the column as it is.
    pub fn by(mask: &Masking) -> Option<Written> {
        match mask {
            Masking::Preserve => None,
            Masking::NullRewrite => Some(Written::Null),
            Masking::StringRewrite { .. } => Some(Written::Constant),
            Masking::RandomStringRewrite { .. } | Masking::Hash { .. } | Masking::Hmac { .. } => Some(Written::Varying),
        }
    }
}

/// Something that stands in the way (an error) or that people should know (a warning).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hazard {
    /// How bad.
    pub severity: Severity,
    /// A stable word.
    pub code: Code,
    /// What is so.
    pub problem: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to write in the map, or to do.
    pub hint: String,
}

/// All hazards of doing this to a table.
pub fn hazards(catalogue: &Catalogue, table: &Table, doing: &Doing) -> Vec<Hazard> {
    let mut found = Vec::new();
    if !doing.deletes && doing.writes.is_empty() {
        return found;
    }
    found.extend(inherited(table));
    found.extend(table.obstacle.as_ref().map(|obstacle| {
        error(
            Code::NotErasableForGood,
            format!("in `{}` nothing can be erased for good: {}", table.name, obstacle.problem),
            "an erasure would be certified that did not happen, or that happened in part",
            format!("{}; or write `habeas: {{on_erasure: keep}}`", obstacle.hint),
        )
    }));
    for trigger in &table.triggers {
        if (doing.deletes && trigger.on_delete) || (!doing.writes.is_empty() && trigger.on_update) {
            found.push(of_trigger(catalogue, table, trigger, doing));
        }
    }
    found.extend(closed_columns(table, doing));
    for (column, written) in &doing.writes {
        found.extend(refers_to_changed(catalogue, table, column));
        found.extend(collides(table, column, *written));
        found.extend(replaces_others(table, column, *written));
    }
    if catalogue.dialect == Dialect::Sqlite {
        found.extend(broken_keys(catalogue, table, doing));
    }
    found
}

fn error(code: Code, problem: String, why: &'static str, hint: String) -> Hazard {
    Hazard { severity: Severity::Error, code, problem, why, hint }
}

/// Columns that the role may not write, although it may write others of the table.
fn closed_columns(table: &Table, doing: &Doing) -> Option<Hazard> {
    let closed = doing.writes.iter().filter(|(name, _)| table.column(name).is_some_and(|column| !column.may_update));
    let names: Vec<String> = closed.map(|(name, _)| name.clone()).collect();
    if names.is_empty() || !table.rights.update {
        return None;
    }
    let columns = names.join(", ");
    Some(error(
        Code::MissingRights,
        format!("the role may not overwrite {columns} of `{}`", table.name),
        "the statement would be refused and the whole erasure roll back",
        format!("GRANT UPDATE ({columns}) ON {} TO the role", table.name),
    ))
}

fn inherited(table: &Table) -> Option<Hazard> {
    if table.inherited_by.is_empty() {
        return None;
    }
    let children = listed(table.inherited_by.iter().map(ToString::to_string));
    Some(error(
        Code::InheritedRows,
        format!("{children} inherit from `{}`: their rows show up in it, and its primary key does not tell them apart", table.name),
        "one statement would delete rows of several tables, and a row of somebody else may have the same key",
        format!(
            "map each of {children} by itself and take `{0}` out with `fides_meta: {{skip_processing: true}}`; or run `ALTER TABLE … NO INHERIT {0}` (partitions made with PARTITION OF are fine)",
            table.name
        ),
    ))
}

fn of_trigger(catalogue: &Catalogue, table: &Table, trigger: &Trigger, doing: &Doing) -> Hazard {
    let of_deletes = if doing.deletes { trigger.swallows(true) } else { Swallows::Never };
    let of_writes = if doing.writes.is_empty() { Swallows::Never } else { trigger.swallows(false) };
    let swallows = of_deletes.max(of_writes);
    let (name, effect) = (&trigger.name, &trigger.effect);
    if swallows == Swallows::Always {
        return error(
            Code::SwallowedByTrigger,
            format!("`{name}` on `{}` lets no deletion or change of its rows through", table.name),
            "the database would report success and keep the rows; the batch would be rolled back each time",
            format!(
                "let it return the row while this role works, or {}; or write `habeas: {{on_erasure: keep}}`",
                switch_off(catalogue, table, trigger)
            ),
        );
    }
    let accepted = doing.accepted.contains(name);
    if effect.reaches_further() && !accepted {
        let what = match effect.is_opaque {
            true => "what it does cannot be read from its text".to_owned(),
            false if !effect.changes.is_empty() => {
                format!("it changes or deletes rows of {}", listed(effect.changes.iter().cloned()))
            }
            false if !effect.replaces.is_empty() => {
                format!(
                    "it writes into {}, where a row that has the key already is deleted (ON CONFLICT REPLACE)",
                    listed(effect.replaces.iter().cloned())
                )
            }
            false => {
                format!(
                    "it writes rows into {}, which has triggers of its own for new rows",
                    listed(effect.sets_off.iter().cloned())
                )
            }
        };
        return error(
            Code::TriggerReachesFurther,
            format!("`{name}` runs when rows of `{}` are deleted or changed: {what}", table.name),
            "rows that no plan lists would be changed, whoever owns them and whatever holds cover them",
            format!(
                "look at what it does; if that is right for the rows of everybody, write `habeas: {{triggers: [\"{name}\"]}}` on the collection; if not, {}",
                switch_off(catalogue, table, trigger)
            ),
        );
    }
    Hazard {
        severity: Severity::Warning,
        code: Code::Triggers,
        problem: format!("`{name}` runs when rows of `{}` are deleted or changed: {}", table.name, told(trigger, swallows)),
        why: "a trigger can swallow the erasure (the batch then rolls back) or copy the rows elsewhere",
        hint: match effect.inserts_into.is_empty() {
            true => "make sure that it lets the row through".into(),
            false => format!(
                "map {} as well, or clear what it copied: whatever names the person there is reported as residue",
                listed(effect.inserts_into.iter().cloned())
            ),
        },
    }
}

fn told(trigger: &Trigger, swallows: Swallows) -> String {
    let effect = &trigger.effect;
    let mut parts = Vec::new();
    if !effect.inserts_into.is_empty() {
        parts.push(format!("it writes rows into {}", listed(effect.inserts_into.iter().cloned())));
    }
    if effect.reaches_further() {
        parts.push("it reaches further than the plan, which the map accepts".to_owned());
    }
    if effect.rewrites {
        parts.push("it changes what is written".to_owned());
    }
    if swallows != Swallows::Never {
        parts.push("it may swallow the statement".to_owned());
    }
    if parts.is_empty() { "it only looks, as far as its text tells".to_owned() } else { parts.join(", ") }
}

fn switch_off(catalogue: &Catalogue, table: &Table, trigger: &Trigger) -> String {
    match trigger.name.strip_prefix("rule ") {
        Some(rule) => format!("run `ALTER TABLE {} DISABLE RULE {rule}`", table.name),
        None if catalogue.dialect != Dialect::Postgres => format!("run `DROP TRIGGER {}`", trigger.name),
        None => format!("run `ALTER TABLE {} DISABLE TRIGGER {}`", table.name, trigger.name),
    }
}

/// A column that other tables refer to is no place to write into.
fn refers_to_changed(catalogue: &Catalogue, table: &Table, column: &str) -> Option<Hazard> {
    let refers = |key: &&ForeignKey| key.referenced == table.name && key.referenced_columns.iter().any(|name| name == column);
    let (child, key) =
        catalogue.tables.values().find_map(|child| child.foreign_keys.iter().find(refers).map(|key| (&child.name, key)))?;
    let effect = match key.on_update {
        OnDelete::Cascade => "the database would write the new value there too (ON UPDATE CASCADE)",
        OnDelete::SetNull => "the database would clear it there (ON UPDATE SET NULL)",
        OnDelete::SetDefault => "the database would set it to its default there (ON UPDATE SET DEFAULT)",
        OnDelete::NoAction | OnDelete::Restrict => "the database refuses it while a row refers to it",
    };
    Some(error(
        Code::ChangesReferencedColumn,
        format!("`{column}` would be overwritten, and `{child}` refers to it: {effect}"),
        "rows that no plan lists would be changed, or the erasure would roll back",
        format!(
            "leave the column as it is (`fides_meta: {{read_only: true}}`), or delete the row; or let {child} refer to the primary key"
        ),
    ))
}

/// What is written takes the place of whoever has it already. NULL equals nothing and takes nobody's, unless a column is computed from it.
fn replaces_others(table: &Table, column: &str, written: Written) -> Option<Hazard> {
    let is_computed_from =
        |name: &String| table.column(name).is_some_and(|live| live.computed_from.iter().any(|base| base == column));
    let is_touched = |name: &String| is_computed_from(name) || (name == column && written != Written::Null);
    let key = table.replacing.iter().find(|key| key.iter().any(is_touched))?;
    Some(error(
        Code::MaskUniqueColumn,
        format!(
            "`{column}` would be overwritten, and a row of somebody else that has the value already would be deleted (ON CONFLICT REPLACE on {})",
            listed(key.iter().cloned())
        ),
        "rows that no plan lists would be deleted, whoever owns them and whatever holds cover them",
        "write `strategy: null_rewrite`, or delete the row; or make the table anew without ON CONFLICT REPLACE".into(),
    ))
}

/// Partial and expression indexes, exclusion constraints, and unique columns that are computed from what is written.
fn collides(table: &Table, column: &str, written: Written) -> Option<Hazard> {
    let mut touched: BTreeSet<&str> = table
        .columns
        .iter()
        .filter(|computed| computed.computed_from.iter().any(|base| base == column))
        .map(|computed| computed.name.as_str())
        .collect();
    let computed_unique = table.uniques.iter().find(|unique| unique.len() == 1 && touched.contains(unique[0].as_str()));
    touched.insert(column);
    let narrow = table.narrow_uniques.iter().find(|unique| {
        let concerns = unique.columns.iter().any(|name| touched.contains(name.as_str()));
        concerns && (written == Written::Constant || (written == Written::Null && unique.nulls_collide))
    });
    let what = match (computed_unique, narrow) {
        (Some(unique), _) if written == Written::Constant => format!("`{}`, which is computed from it, is unique", unique[0]),
        (_, Some(unique)) => format!("`{}` keeps equal values apart", unique.name),
        _ => return None,
    };
    Some(error(
        Code::MaskUniqueColumn,
        format!("the same value would be written into `{column}` of every row, and {what}"),
        "the first erased person takes the value, and every later erasure fails",
        "write `strategy: random_string_rewrite`, or `null_rewrite` where NULL never equals NULL".into(),
    ))
}

/// SQLite takes foreign keys that point nowhere, and refuses the statement that would have to follow them.
fn broken_keys(catalogue: &Catalogue, table: &Table, doing: &Doing) -> Vec<Hazard> {
    let is_target = |name: &TableName, columns: &[String]| {
        let Some(target) = catalogue.tables.get(name) else { return false };
        let same = |known: &Vec<String>| known.len() == columns.len() && columns.iter().all(|column| known.contains(column));
        same(&target.primary_key) || target.uniques.iter().any(same)
    };
    let mut found = Vec::new();
    for child in catalogue.tables.values() {
        for key in child.foreign_keys.iter().filter(|key| !is_target(&key.referenced, &key.referenced_columns)) {
            let inbound = key.referenced == table.name && doing.deletes;
            let outbound = child.name == table.name && doing.writes.iter().any(|(name, _)| key.columns.contains(name));
            if inbound || outbound {
                found.push(error(
                    Code::BrokenForeignKey,
                    format!(
                        "`{}` ({}) refers to `{}` ({}), which is not there or not unique: SQLite refuses every statement that would check it",
                        child.name,
                        key.columns.join(", "),
                        key.referenced,
                        key.referenced_columns.join(", ")
                    ),
                    "the erasure would fail in the middle and roll back",
                    format!("make the columns unique (`CREATE UNIQUE INDEX`), or make `{}` anew without this reference", child.name),
                ));
            }
        }
    }
    found
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let quoted: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.concat(),
    }
}
