//! Statements that read reached rows: whole rows for the archive, keys and fingerprints for the manifest.

use super::{Builder, Statement, mysql, quote};
use crate::connector::sql::{Location, RowKey};
use crate::db::{Dialect, Sql};
use crate::plan::Referrer;

/// Rows for the archive in key order. PostgreSQL prints each as JSON text, which is lossless over its types; SQLite gives the values, whose
/// storage class differs from row to row; MySQL prints each value as text. A hidden column is NULL in rows that the subject only accesses: it never leaves the database.
pub fn rows(location: &Location, columns: &[String], hidden: &[String], dialect: Dialect) -> Sql {
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(location.key_width(), "r"));
    let list: Vec<String> = columns
        .iter()
        .map(|name| {
            let column = match (dialect, location.table.column(name)) {
                (Dialect::MySql, Some(live)) => mysql::value_of(live, &quote::column("b", name)),
                _ => quote::column("b", name),
            };
            if hidden.contains(name) {
                format!("CASE WHEN r.rights = 2 THEN {column} END AS {}", quote::ident(name))
            } else {
                format!("{column} AS {}", quote::ident(name))
            }
        })
        .collect();
    let order = quote::reach_key(location.key_width(), "r").join(", ");
    // MySQL knows rows without a key by their contents alone: equal ones are one.
    let group = match (dialect, &location.key) {
        (Dialect::MySql, RowKey::Physical) => " GROUP BY r.k1",
        _ => "",
    };
    let select = format!(
        "SELECT {list} FROM {reach} r JOIN {table} b ON {own}{group} ORDER BY {order}",
        list = list.join(", "),
        reach = location.reach(),
        table = quote::table(&location.table.name),
    );
    Sql::built(match dialect {
        Dialect::Sqlite | Dialect::MySql => select,
        Dialect::Postgres => format!("SELECT row_to_json(x)::text AS row FROM ({select}) x"),
    })
}

/// Keys of selected rows, the fingerprint `fp` of the guard's columns, and `columns` as text `c1…`, in key order. Where rows of the
/// table refer to each other (`is_ranked`) the deepest come first; elsewhere all lie equally deep, and the index gives the order.
pub fn frozen(
    location: &Location,
    selection: Selection,
    marks: Marks<'_>,
    columns: &[String],
    is_ranked: bool,
    dialect: Dialect,
) -> Statement {
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(location.key_width(), "r"));
    let mut list = quote::key_out(location, &quote::reach_key(location.key_width(), "r"), dialect);
    let count = |(referrer, child): &(Referrer, Location)| match marks.counts_leaving {
        true => format!("(SELECT COUNT(*) FROM {})", quote::referring(referrer, "o", "b")),
        false => staying_count(referrer, child, dialect),
    };
    let staying: Vec<String> = marks.counted.iter().map(count).collect();
    list.push(format!("{} AS fp", quote::fingerprint_with_counts(&location.table, marks.guard, &staying, "b", dialect)));
    for (at, name) in columns.iter().enumerate() {
        list.push(format!("{} AS c{}", quote::column_text(&location.table, "b", name, dialect), at + 1));
    }
    let mut builder = Builder::new(String::new());
    let condition = match selection {
        Selection::Fate(fate) => format!("r.fate = {}", builder.bind(fate)),
        Selection::Tied => {
            let tied: Vec<String> = marks.guard.iter().map(|name| format!("{} IS NOT NULL", quote::column("b", name))).collect();
            format!("r.fate = {} AND ({})", builder.bind(super::fate::ERASE), tied.join(" OR "))
        }
        Selection::Cut(bits, rows) => format!("(r.cut & {}) <> 0 AND {}", builder.bind(bits), rows.condition("r")),
        Selection::SharedUncut => "r.cut = 0 AND r.ground = 'shared' AND r.rights = 2 AND r.shared = 1".to_owned(),
        Selection::CutExactly(bits, rows) => format!("r.cut = {} AND {}", builder.bind(bits), rows.condition("r")),
    };
    builder.text = format!(
        "SELECT {list} FROM {reach} r JOIN {table} b ON {own} WHERE {condition} ORDER BY {depth}{order}",
        list = list.join(", "),
        reach = location.reach(),
        table = quote::table(&location.table.name),
        depth = if is_ranked { "r.depth DESC, " } else { "" },
        order = quote::reach_key(location.key_width(), "r").join(", "),
    );
    builder.finish()
}

/// By what a row is recognised when the manifest is carried out.
#[derive(Debug, Clone, Copy)]
pub struct Marks<'a> {
    /// Its columns.
    pub guard: &'a [String],
    /// How many rows of these tables refer to it.
    pub counted: &'a [(Referrer, Location)],
    /// Whether those count that are to be deleted: they are still there when the row's turn comes.
    pub counts_leaving: bool,
}

fn staying_count(referrer: &Referrer, child: &Location, dialect: Dialect) -> String {
    let own = quote::all_equal(&quote::key(child, "o", dialect), &quote::reach_key(child.key_width(), "rc"));
    let goes = format!("EXISTS (SELECT 1 FROM {} rc WHERE {own} AND rc.fate = {})", child.reach(), super::fate::ERASE);
    format!("(SELECT COUNT(*) FROM {} AND NOT {goes})", quote::referring(referrer, "o", "b"))
}

/// Which reached rows go into the manifest.
#[derive(Debug, Clone, Copy)]
pub enum Selection {
    /// Rows of a fate.
    Fate(i64),
    /// Rows that are to be deleted and in which a column of the guard has a value: references that have to be cleared first.
    Tied,
    /// Rows with one of these bits.
    Cut(i64, super::cut::CutRows),
    /// Rows with these bits and no others.
    CutExactly(i64, super::cut::CutRows),
    /// Rows that stay for others alone, and of which nothing is cleared.
    SharedUncut,
}
