//! Statements that decide, row by row, what is to happen: each writes the `fate` of reached rows, with the ground of what is kept. What is
//! cleared in rows that stay is [`super::cut`]'s.

use super::{Builder, Statement, mysql_reach, predicate, quote, reached};
use crate::connector::sql::{Inbound, Location, TableName};
use crate::datamap::{Predicate, RetainWhen};
use crate::db::{Dialect, Sql};
use crate::value::ColumnType;

/// Nobody has decided.
pub const UNDECIDED: i64 = 0;
/// Delete the row.
pub const ERASE: i64 = 1;
/// Overwrite fields.
pub const MASK: i64 = 2;
/// Keep on a ground.
pub const RETAIN: i64 = 3;
/// Only clear what ties the row to the subject.
pub const UNLINK: i64 = 4;

/// Which rows of a location a decision is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// All reached rows.
    All,
    /// Owned by this subject alone.
    Exclusive,
    /// Owned by others too.
    Shared,
    /// Only accessed.
    Accessed,
    /// Neither: they merely name this subject.
    Unseen,
    /// All that are not this subject's alone.
    Others,
}

impl Rows {
    pub(super) fn condition(self) -> &'static str {
        match self {
            Rows::All => "1 = 1",
            Rows::Exclusive => "rights = 2 AND shared = 0",
            Rows::Shared => "rights = 2 AND shared = 1",
            Rows::Accessed => "rights = 1",
            Rows::Unseen => "rights = 0",
            Rows::Others => "(rights <> 2 OR shared <> 0)",
        }
    }
}

/// Adds the columns of the decision to a location's temporary table, with what is decided of most rows as their default: a column that
/// arrives with a default costs nothing, writing it into a million rows costs seconds. `ground` is one of our own words.
pub fn open(location: &Location, fate: i64, ground: Option<&'static str>, dialect: Dialect) -> Sql {
    let (table, small, integer) = match dialect {
        Dialect::MySql => return mysql_reach::open(location, fate, ground),
        Dialect::Postgres => (location.reach(), "smallint", "integer"),
        Dialect::Sqlite => (format!("temp.{}", location.reach()), "INTEGER", "INTEGER"),
    };
    let ground = ground.map_or_else(String::new, |word| format!(" DEFAULT '{word}'"));
    let columns = [
        format!("fate {small} NOT NULL DEFAULT {fate}"),
        format!("depth {integer} NOT NULL DEFAULT 0"),
        "cut bigint NOT NULL DEFAULT 0".to_owned(),
        format!("ground text{ground}"),
        "reference text".to_owned(),
        "review_on text".to_owned(),
    ];
    // SQLite adds one column at a time.
    let statements: Vec<String> = columns.iter().map(|column| format!("ALTER TABLE {table} ADD COLUMN {column}")).collect();
    Sql::built(statements.join("; "))
}

/// Gives these rows a fate.
pub fn assign(location: &Location, rows: Rows, fate: i64, ground: Option<&str>) -> Statement {
    let mut builder = Builder::new(format!("UPDATE {} SET fate = ", location.reach()));
    let fate = builder.bind(fate);
    let ground = builder.bind(ground);
    builder.push(&format!("{fate}, ground = {ground} WHERE {}", rows.condition()));
    builder.finish()
}

/// Keeps rows under a hold, whatever was decided before: a hold beats everything (H-1). `extra` narrows to records or a predicate.
pub fn hold(location: &Location, matter: &str, narrowed: Narrowed<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let matter = builder.bind(matter);
    let mut condition = "(ground IS NULL OR ground <> 'hold')".to_owned();
    match narrowed {
        Narrowed::Whole => {}
        // A key of another shape cannot be told from these rows: unknown means held.
        Narrowed::Record(key) if key.len() != location.key_width() => {}
        Narrowed::Record(key) => {
            for (part, value) in key.iter().enumerate() {
                let place = builder.bind(value.as_str());
                condition.push_str(&format!(" AND {} = {place}", quote::key_text(location, part, dialect)));
            }
        }
        Narrowed::Values { columns, values } => {
            let own =
                quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &location.reach()));
            let table = quote::table(&location.table.name);
            let mut alike = Vec::with_capacity(values.len());
            for set in values {
                let equal = columns.iter().zip(set).map(|(column, value)| {
                    format!("{} = {}", quote::column_text(&location.table, "t", column, dialect), builder.bind(value.as_str()))
                });
                alike.push(format!("({})", equal.collect::<Vec<_>>().join(" AND ")));
            }
            condition.push_str(&format!(" AND EXISTS (SELECT 1 FROM {table} t WHERE {own} AND ({}))", alike.join(" OR ")));
        }
        Narrowed::Where(covered) => {
            let own =
                quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &location.reach()));
            let text = predicate::condition(&mut builder, covered, &location.table, "t", dialect)?;
            let table = quote::table(&location.table.name);
            condition.push_str(&format!(" AND EXISTS (SELECT 1 FROM {table} t WHERE {own} AND {text} IS NOT FALSE)"));
        }
    }
    let sets = [("fate", "3"), ("cut", "0"), ("ground", "'hold'"), ("review_on", "NULL"), ("reference", matter.as_str())];
    Ok(reached::update(builder, location, &sets, &condition, dialect))
}

/// What part of a collection a hold covers.
#[derive(Debug, Clone, Copy)]
pub enum Narrowed<'a> {
    /// All of it.
    Whole,
    /// One record, by its key as text.
    Record(&'a [String]),
    /// Rows for which the predicate is not false.
    Where(&'a Predicate),
    /// Rows that have one of these sets of values, as text.
    Values {
        /// The columns.
        columns: &'a [&'a str],
        /// The sets, at least one.
        values: &'a [Vec<String>],
    },
}

/// Keeps exclusive rows that a statutory duty covers on this day. A condition that is NULL counts as covered, a duty whose end is not known
/// has not ended.
pub fn retain_when(location: &Location, rule: &RetainWhen, today: &str, dialect: Dialect) -> Result<Statement, String> {
    let reach = location.reach();
    let table = quote::table(&location.table.name);
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let ground = builder.bind(rule.ground.as_str());
    let law = builder.bind(rule.law.clone());
    let condition = predicate::condition(&mut builder, &rule.r#where, &location.table, "t", dialect)?;
    let (review, open) = match &rule.until {
        None => ("NULL".to_owned(), "1 = 1".to_owned()),
        Some(until) => {
            let day = predicate::until_day(until, &location.table, "t", dialect)?;
            let today = builder.bind(today);
            (format!("(SELECT {day} FROM {table} t WHERE {own})"), format!("({day} IS NULL OR {day} > {today})"))
        }
    };
    let condition = format!(
        "rights = 2 AND shared = 0 AND (ground IS NULL OR ground = 'policy') AND EXISTS \
         (SELECT 1 FROM {table} t WHERE {own} AND {condition} IS NOT FALSE AND {open})"
    );
    let sets = [("fate", "3"), ("ground", ground.as_str()), ("reference", law.as_str()), ("review_on", review.as_str())];
    Ok(reached::update(builder, location, &sets, &condition, dialect))
}

/// Join of a child's live rows (`c`) with the parent's reached rows (`rp`) over a foreign key.
fn child_to_parent(key: &Inbound, parent: &Location, dialect: Dialect) -> (String, String) {
    let child: Vec<String> = key.child_columns.iter().map(|name| quote::column("c", name)).collect();
    // A temporary table of SQLite has lost the collation by which its foreign keys compare, which is that of the parent's column.
    let compares_by_parent = dialect == Dialect::Sqlite && !has_plain_keys(parent);
    if quote::is_key(&parent.table, &key.parent_columns) && !compares_by_parent {
        return (String::new(), quote::all_equal(&child, &quote::reach_key(parent.key_width(), "rp")));
    }
    let same = quote::all_equal(&quote::key(parent, "p", dialect), &quote::reach_key(parent.key_width(), "rp"));
    let named: Vec<String> = key.parent_columns.iter().map(|name| quote::column("p", name)).collect();
    (format!("JOIN {} p ON {same}", quote::table(&parent.table.name)), quote::all_equal(&named, &child))
}

fn has_plain_keys(location: &Location) -> bool {
    location.key_columns().iter().all(|name| location.table.column(name).is_some_and(|c| c.column_type == ColumnType::Integer))
}

/// Keeps a parent row that a kept child row refers to, on the child's ground: the record would not be whole without it, or the database
/// would cascade. `bits` are the cuts that free the child from this parent.
pub fn retain_parents(key: &Inbound, bits: i64, child: &Location, parent: &Location, dialect: Dialect) -> Statement {
    let reach = parent.reach();
    let (join, meets) = child_to_parent(key, parent, dialect);
    let same = quote::all_equal(&quote::reach_key(parent.key_width(), "rp"), &quote::reach_key(parent.key_width(), &reach));
    let own = quote::all_equal(&quote::key(child, "c", dialect), &quote::reach_key(child.key_width(), "rc"));
    let mut builder = Builder::new(String::new());
    let free = builder.bind(bits);
    // A hold outranks the other grounds, so that the kept parent is named by it.
    let ground = "CASE WHEN MAX(CASE WHEN rc.ground = 'hold' THEN 1 ELSE 0 END) = 1 THEN 'hold' ELSE MIN(rc.ground) END";
    let (reference, review) = ("MAX(rc.reference)", "MAX(rc.review_on)");
    if dialect == Dialect::MySql {
        let child_reach = reached::beside(&mut builder, parent, child, dialect);
        let body = format!(
            "FROM {reach} rp {join} JOIN {table} c ON {meets} JOIN {child_reach} rc ON {own} \
             WHERE rp.fate = 1 AND rc.fate = 3 AND rc.ground <> 'shared' AND (rc.cut & {free}) = 0",
            table = quote::table(&child.table.name),
        );
        let sets = [("fate", "3"), ("cut", "0"), ("ground", ground), ("reference", reference), ("review_on", review)];
        return mysql_reach::update_grouped(builder, parent, "rp", &sets, &body);
    }
    let body = format!(
        "FROM {reach} rp {join} JOIN {table} c ON {meets} JOIN {child_reach} rc ON {own} \
         WHERE {same} AND rc.fate = 3 AND rc.ground <> 'shared' AND (rc.cut & {free}) = 0",
        table = quote::table(&child.table.name),
        child_reach = child.reach(),
    );
    builder.text = format!(
        "UPDATE {reach} SET fate = 3, cut = 0, \
         ground = (SELECT {ground} {body}), reference = (SELECT {reference} {body}), review_on = (SELECT {review} {body}) \
         WHERE fate = 1 AND EXISTS (SELECT 1 {body})"
    );
    builder.finish()
}

/// Whether rows of a location stay: one is enough to know. Servers cannot guess that none of a million does, and would join them all to see.
pub fn staying(location: &Location) -> Sql {
    Sql::built(format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM {} WHERE fate <> 1 LIMIT 1) staying", location.reach()))
}

/// How many rows of a location are to be deleted.
pub fn leaving_rows(location: &Location) -> Statement {
    Builder::new(format!("SELECT COUNT(*) AS n FROM {} WHERE fate = 1", location.reach())).finish()
}

/// Whether any row of a location is to be deleted.
pub fn leaving(location: &Location) -> Sql {
    Sql::built(format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM {} WHERE fate = 1 LIMIT 1) leaving", location.reach()))
}

/// The same for a child whose referring rows have all been reached, because an edge of the map leads along the very reference: only reached
/// rows that stay have to be looked at, and of a person's million rows those are few.
pub fn left_behind_in_reach(key: &Inbound, bits: i64, child: &Location, parent: &Location, dialect: Dialect) -> Statement {
    let (join, meets) = child_to_parent(key, parent, dialect);
    let own = quote::all_equal(&quote::key(child, "c", dialect), &quote::reach_key(child.key_width(), "rc"));
    let mut builder = Builder::new(String::new());
    let free = builder.bind(bits);
    let child_reach = reached::beside(&mut builder, parent, child, dialect);
    builder.text = format!(
        "SELECT COUNT(*) AS n FROM {child_reach} rc JOIN {table} c ON {own} CROSS JOIN {reach} rp {join} \
         WHERE {meets} AND rp.fate = 1 AND rc.fate <> 1 AND (rc.cut & {free}) = 0",
        table = quote::table(&child.table.name),
        reach = parent.reach(),
    );
    builder.finish()
}

/// How many rows of any table refer to rows that are to be deleted, and are neither deleted themselves nor cut loose.
pub fn left_behind(key: &Inbound, bits: i64, child: Option<&Location>, parent: &Location, dialect: Dialect) -> Statement {
    let (join, meets) = child_to_parent(key, parent, dialect);
    let mut builder = Builder::new(String::new());
    let unplanned = match child {
        None => String::new(),
        Some(child) => {
            let own = quote::all_equal(&quote::key(child, "c", dialect), &quote::reach_key(child.key_width(), "rc"));
            let free = builder.bind(bits);
            let child_reach = reached::beside(&mut builder, parent, child, dialect);
            format!(" AND NOT EXISTS (SELECT 1 FROM {child_reach} rc WHERE {own} AND (rc.fate = 1 OR (rc.cut & {free}) <> 0))")
        }
    };
    builder.text = format!(
        "SELECT COUNT(*) AS n FROM {reach} rp {join} JOIN {table} c ON {meets} WHERE rp.fate = 1{unplanned}",
        reach = parent.reach(),
        table = quote::table(&key.child),
    );
    builder.finish()
}

/// One round of ranking rows of a table that refers to itself: a child lies deeper than its parent, so that deleting by falling depth
/// never meets a row that is still referred to. The number of rows changed is 0 when the ranking is complete.
pub fn deepen(key: &Inbound, location: &Location, depth: i64, dialect: Dialect) -> Statement {
    let reach = location.reach();
    let (join, meets) = child_to_parent(key, location, dialect);
    let own = quote::all_equal(&quote::key(location, "c", dialect), &quote::reach_key(location.key_width(), &reach));
    let apart = quote::all_equal(&quote::reach_key(location.key_width(), "rp"), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let next = builder.bind(depth + 1);
    let current = builder.bind(depth);
    let parents = reached::beside(&mut builder, location, location, dialect);
    let condition = format!(
        "fate = 1 AND EXISTS (SELECT 1 FROM {parents} rp {join} JOIN {table} c ON {meets} \
         WHERE {own} AND rp.fate = 1 AND rp.depth = {current} AND NOT ({apart}))",
        table = quote::table(&location.table.name),
    );
    reached::update(builder, location, &[("depth", &next)], &condition, dialect)
}

/// The tally of a location: one row per right, share, fate and ground. Before anything is decided there is neither fate nor ground.
pub fn tally(location: &Location, is_decided: bool, dialect: Dialect) -> Sql {
    let integer = |expression: &str| quote::as_integer(expression, dialect);
    let nothing = quote::null_text(dialect);
    let (columns, review, groups) = match is_decided {
        true => {
            (format!("{} AS fate, ground, reference", integer("fate")), "MIN(review_on)", "rights, shared, fate, ground, reference")
        }
        false => (format!("{} AS fate, {nothing} AS ground, {nothing} AS reference", integer("0")), nothing, "rights, shared"),
    };
    Sql::built(format!(
        "SELECT {rights} AS rights, {shared} AS shared, {columns}, {review} AS review_on, COUNT(*) AS n \
         FROM {reach} GROUP BY {groups} ORDER BY {groups}",
        rights = integer("rights"),
        shared = integer("shared"),
        reach = location.reach()
    ))
}

/// Whether any row of a location is to be changed.
pub fn touched(location: &Location) -> Sql {
    Sql::built(format!(
        "SELECT COUNT(*) AS n FROM (SELECT 1 FROM {} WHERE fate IN (1, 2, 4) OR cut <> 0 LIMIT 1) touched",
        location.reach()
    ))
}

/// How many rows of a location are to be changed and have a NULL in their key, which SQLite admits: they can be named by nothing.
pub fn nameless(location: &Location, dialect: Dialect) -> Statement {
    let nulls: Vec<String> = (1..=location.key_width()).map(|part| quote::is_null(&format!("k{part}"), dialect)).collect();
    Builder::new(format!(
        "SELECT COUNT(*) AS n FROM {} WHERE (fate IN (1, 2, 4) OR cut <> 0) AND ({})",
        location.reach(),
        nulls.join(" OR ")
    ))
    .finish()
}

/// Rows of a table, exactly.
pub fn table_count(table: &TableName) -> Sql {
    Sql::built(format!("SELECT COUNT(*) AS n FROM {}", quote::table(table)))
}
