//! Reads every table of a source once, in streams, and hands each value to the matcher. Views are left out, because they show rows of
//! tables that are read anyway; materialised views are read, because they keep copies. A table that cannot be read is a gap (V-2).

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;

use super::matcher::{Found, Matcher};
use super::report::{Gap, Hit, ResidueReport, SearchedTable};
use super::{ResidueError, control};
use crate::args;
use crate::connector::sql::text::search::{SearchedColumn, every_row};
use crate::connector::sql::{Catalogue, Column, Table, TableKind, TableName};
use crate::db::{Conn, DbError, Dialect, Handle};
use crate::value::{ColumnType, Key};

/// Keys kept per person and table.
const LOCATED_AT_MOST: usize = 1_000;

/// What to search for, and where.
pub struct Search<'a> {
    /// The live catalogue of the source.
    pub catalogue: &'a Catalogue,
    /// Whom to search for.
    pub matcher: &'a Matcher,
    /// Tables to leave out; the report names them.
    pub exclude: &'a BTreeSet<TableName>,
    /// Whether this row is known to be retained for this person (a hold, a duty to keep, another owner): it may name them.
    pub is_retained: &'a (dyn Fn(usize, &TableName, &Key) -> bool + Send + Sync),
}

/// Scans a source. The session should be one of its own; on PostgreSQL its role should read everything that the catalogue lists.
pub async fn scan(conn: &mut Conn, search: &Search<'_>) -> Result<ResidueReport, ResidueError> {
    let mut report = ResidueReport {
        control: control::run(conn, search.matcher).await?,
        weak: search.matcher.weak().to_vec(),
        ..ResidueReport::default()
    };
    let mut tally = Tally::default();
    for table in search.catalogue.tables.values() {
        if search.exclude.contains(&table.name) {
            report.excluded.push(table.name.clone());
        } else {
            search_one(conn, search, table, &mut tally, &mut report).await?;
        }
    }
    add_large_objects(conn, &mut report).await?;
    report.hits = tally.into_hits(search.matcher);
    Ok(report)
}

async fn search_one(
    conn: &mut Conn,
    search: &Search<'_>,
    table: &Table,
    tally: &mut Tally,
    report: &mut ResidueReport,
) -> Result<(), ResidueError> {
    let dialect = search.catalogue.dialect;
    if table.kind == TableKind::View || (!table.is_populated && is_still_empty(conn, table).await?) {
        return Ok(());
    }
    let mut gap = |reason: String| report.gaps.push(Gap { place: table.name.to_string(), reason });
    if table.kind == TableKind::Foreign && dialect == Dialect::Postgres {
        gap("a foreign table: its rows are on another server, which is to be searched as a source of its own".into());
        return Ok(());
    }
    if !table.rights.select {
        gap("this role may not read it".into());
        return Ok(());
    }
    if table.row_security {
        gap("row security can hide rows of it from this role".into());
    }
    let columns = searched_columns(dialect, table, search.matcher);
    if columns.is_empty() {
        return Ok(());
    }
    let located = &mut report.located;
    let mut on_found = |key: Key, column: usize, found: &[Found]| {
        for one in found {
            let is_retained = !key.is_empty() && (search.is_retained)(one.person, &table.name, &key);
            tally.add(&table.name, &columns[column].name, *one, is_retained);
            if !is_retained && !key.is_empty() {
                let keys = located.entry((one.person, table.name.clone())).or_default();
                if keys.len() < LOCATED_AT_MOST && keys.last() != Some(&key) {
                    keys.push(key.clone());
                }
            }
        }
    };
    match read_through(conn.on(), table, &columns, search.matcher, &mut on_found).await {
        Ok(rows) => {
            let columns = columns.iter().map(|column| column.name.clone()).collect();
            report.searched.push(SearchedTable { table: table.name.clone(), columns, rows });
            Ok(())
        }
        Err(DbError::Lost(problem)) => Err(DbError::Lost(problem).into()),
        Err(DbError::Unreachable(problem)) => Err(DbError::Unreachable(problem).into()),
        Err(refusal) => {
            report.gaps.push(Gap { place: table.name.to_string(), reason: refusal.to_string() });
            Ok(())
        }
    }
}

/// Whether a materialised view holds nothing even now. PostgreSQL stores nothing of one without data and lets nobody read it, so that it needs
/// no search; but somebody may have refreshed it since the catalogue was read, and then it may hold a copy of what was erased (V-2).
async fn is_still_empty(conn: &mut Conn, table: &Table) -> Result<bool, ResidueError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'm' AND NOT c.relispopulated) AS empty";
    let args = args![table.name.schema.as_str(), table.name.name.as_str()];
    Ok(conn.on().fetch_one(sql, args).await?.flag("empty")?)
}

/// Columns that can hold an identifier. SQLite columns can hold anything, whatever their declared type.
fn searched_columns<'t>(dialect: Dialect, table: &'t Table, matcher: &Matcher) -> Vec<&'t Column> {
    let holds_text = |column: &Column| {
        matches!(
            column.column_type,
            ColumnType::Text | ColumnType::Json | ColumnType::Array | ColumnType::Bytes | ColumnType::Uuid | ColumnType::Other
        )
    };
    let wanted =
        |column: &Column| dialect == Dialect::Sqlite || holds_text(column) || matcher.is_named_like_a_weak_identifier(&column.name);
    table.columns.iter().filter(|column| wanted(column)).collect()
}

/// The one reader, for real tables and for the control: a stream of rows, each value searched, the key told where something was found.
pub(super) async fn read_through(
    handle: Handle<'_>,
    table: &Table,
    columns: &[&Column],
    matcher: &Matcher,
    on_found: &mut (dyn FnMut(Key, usize, &[Found]) + Send),
) -> Result<u64, DbError> {
    let selected: Vec<SearchedColumn<'_>> = columns
        .iter()
        .map(|column| SearchedColumn { name: &column.name, is_bytes: column.column_type == ColumnType::Bytes })
        .collect();
    let number_columns: Vec<Option<&str>> =
        columns.iter().map(|column| is_number(column).then_some(column.name.as_str())).collect();
    let sql = every_row(handle.dialect(), &table.name, &table.primary_key, &selected);
    let key_length = table.primary_key.len();
    let mut rows = 0;
    let mut found = Vec::new();
    let mut stream = handle.stream(sql, Vec::new())?;
    while let Some(record) = stream.try_next().await? {
        rows += 1;
        for (at, number_column) in number_columns.iter().enumerate() {
            let Some(value) = record.raw_at(key_length + at)? else {
                continue;
            };
            found.clear();
            matcher.search(value, *number_column, &mut found);
            if !found.is_empty() {
                let key = (0..key_length).map(|part| record.key_part_at(part)).collect::<Result<Key, DbError>>()?;
                on_found(key, at, &found);
            }
        }
    }
    Ok(rows)
}

fn is_number(column: &Column) -> bool {
    matches!(column.column_type, ColumnType::Integer | ColumnType::Decimal | ColumnType::Float | ColumnType::Boolean)
}

/// PostgreSQL's large objects belong to no table and stay when the row that names them goes.
async fn add_large_objects(conn: &mut Conn, report: &mut ResidueReport) -> Result<(), ResidueError> {
    let Conn::Postgres(_) = conn else { return Ok(()) };
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_largeobject_metadata) AS present";
    if conn.on().fetch_one(sql, Vec::new()).await?.flag("present")? {
        report
            .gaps
            .push(Gap { place: "large objects".into(), reason: "the database has large objects, which are not searched".into() });
    }
    Ok(())
}

#[derive(Default)]
struct Tally {
    counts: BTreeMap<(TableName, String, Found), (u64, u64)>,
}

impl Tally {
    fn add(&mut self, table: &TableName, column: &str, found: Found, is_retained: bool) {
        let (count, retained) = self.counts.entry((table.clone(), column.to_owned(), found)).or_default();
        *count += 1;
        *retained += u64::from(is_retained);
    }

    fn into_hits(self, matcher: &Matcher) -> Vec<Hit> {
        let hit = |((table, column, found), (count, retained)): ((TableName, String, Found), (u64, u64))| Hit {
            person: found.person,
            table,
            column,
            kind: matcher.kind_of(&found).to_owned(),
            form: found.form,
            certain: found.certain,
            count,
            retained,
        };
        self.counts.into_iter().map(hit).collect()
    }
}
