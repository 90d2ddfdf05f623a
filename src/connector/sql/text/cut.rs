//! Clearing what ties a row that stays to the subject: a bit in `cut` for each edge or identity whose columns go, and what is asked of such rows
//! before any of it is done. Held rows are left exactly as they are (H-1).

use super::across::{self, Values};
use super::fate::{Rows, UNLINK};
use super::{Builder, Statement, inside, predicate, quote, reach, reached};
use crate::connector::sql::Location;
use crate::datamap::{Edge, IdentityField, Spot};
use crate::db::Dialect;

/// Which of the rows that are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutRows {
    /// The subject's own, of which nothing else is to go.
    Unlinked,
    /// Those that the subject owns and others own too.
    Shared,
    /// Those that stay for another reason, or are overwritten.
    Others,
}

impl CutRows {
    const ALL: [CutRows; 3] = [CutRows::Unlinked, CutRows::Shared, CutRows::Others];

    /// The condition on the reached rows under an alias.
    pub(super) fn condition(self, alias: &str) -> String {
        let shared = format!("{alias}.rights = 2 AND {alias}.shared = 1");
        match self {
            CutRows::Unlinked => format!("{alias}.fate = {UNLINK}"),
            CutRows::Shared => format!("{alias}.fate <> {UNLINK} AND {shared}"),
            CutRows::Others => format!("{alias}.fate <> {UNLINK} AND NOT ({shared})"),
        }
    }

    fn number(self) -> i64 {
        match self {
            CutRows::Unlinked => 1,
            CutRows::Shared => 2,
            CutRows::Others => 3,
        }
    }

    /// The rows that a tally means by their number.
    pub fn numbered(number: i64) -> Option<CutRows> {
        CutRows::ALL.into_iter().find(|rows| rows.number() == number)
    }
}

/// How many rows have which bits set, apart by [`CutRows`]: one group for each set of bits that occurs.
pub fn tally(location: &Location, dialect: Dialect) -> Statement {
    let cases: Vec<String> =
        CutRows::ALL.into_iter().map(|rows| format!("WHEN {} THEN {}", rows.condition("r"), rows.number())).collect();
    let which = quote::as_integer(&format!("CASE {} END", cases.join(" ")), dialect);
    let bits = quote::as_integer("r.cut", dialect);
    Builder::new(format!(
        "SELECT {bits} AS bits, {which} AS which, COUNT(*) AS n FROM {reach} r WHERE r.cut <> 0 GROUP BY {bits}, {which} ORDER BY {bits}",
        reach = location.reach(),
    ))
    .finish()
}

/// Sets the bit of an edge on rows that stay and whose edge columns lead to a row that is the subject's alone, and to nobody else's. What
/// leads to a shared row belongs to its other owners too, and held rows are left exactly as they are.
pub fn by_edge(edge: &Edge, bit: u32, from: &Location, to: &Location, rows: Rows, dialect: Dialect) -> Result<Statement, String> {
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), &to.reach()));
    let mut builder = Builder::new(String::new());
    let from_reach = reached::beside(&mut builder, to, from, dialect);
    let (start, starts, is_ours) = ours_alone(edge, from, &from_reach, dialect);
    let mut pairs = inside::pairs(&mut builder, edge, from, to, &starts, dialect);
    // Under a condition that does not hold, the same value names something else.
    if let Some(filter) = &edge.filter {
        pairs.push(predicate::condition(&mut builder, filter, &to.table, "b", dialect)?);
    }
    let flagged = format!("cut | {}", builder.bind(1_i64 << bit));
    // Elements of JSON are not cleared in rows that are overwritten: both would write the same column.
    let fates = if edge.to_path.is_empty() { "2, 3, 4" } else { "3, 4" };
    let condition = format!(
        "{rows} AND fate IN ({fates}) AND (ground IS NULL OR ground <> 'hold') AND EXISTS \
         (SELECT 1 FROM {table} b, {start} WHERE {own} AND {pairs} AND {is_ours})",
        rows = rows.condition(),
        table = quote::table(&to.table.name),
        pairs = pairs.join(" AND "),
    );
    Ok(reached::update(builder, to, &[("cut", &flagged)], &condition, dialect))
}

/// The same over an edge that comes from another source: `values` are those at its start in rows that are the subject's alone.
pub fn by_values(
    edge: &Edge,
    bit: u32,
    to: &Location,
    values: &[Values],
    rows: Rows,
    dialect: Dialect,
) -> Result<Statement, String> {
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), &to.reach()));
    let mut builder = Builder::new(String::new());
    let mut same = across::one_of(&mut builder, &to.table, "b", &edge.to_columns, values, dialect);
    if let Some(filter) = &edge.filter {
        let holds = predicate::condition(&mut builder, filter, &to.table, "b", dialect)?;
        same.push_str(&format!(" AND {holds}"));
    }
    let flagged = format!("cut | {}", builder.bind(1_i64 << bit));
    let condition = format!(
        "{rows} AND fate IN (2, 3, 4) AND (ground IS NULL OR ground <> 'hold') AND EXISTS (SELECT 1 FROM {table} b WHERE {own} AND {same})",
        rows = rows.condition(),
        table = quote::table(&to.table.name),
    );
    Ok(reached::update(builder, to, &[("cut", &flagged)], &condition, dialect))
}

/// Where an edge starts, the expressions of its columns there, and the condition that everything with these values is the subject's alone. A
/// column that is no key may have the same value in rows of several people: it is then a part of all of them (O-1).
fn ours_alone(edge: &Edge, from: &Location, from_reach: &str, dialect: Dialect) -> (String, Vec<String>, String) {
    // Values of several classes may be equal in SQLite, so that its unique columns say less.
    let names_one = dialect != Dialect::Sqlite && from.table.names_one_row(&edge.from_columns);
    if names_one || quote::is_key(&from.table, &edge.from_columns) {
        let (join, starts) = reach::starts_of(edge, from, dialect);
        return (format!("{from_reach} r {join}"), starts, "r.rights = 2 AND r.shared = 0".to_owned());
    }
    let starts: Vec<String> = edge.from_columns.iter().map(|name| quote::column("a", name)).collect();
    let strangers = reach::strangers_like(edge, "a", from, from_reach, dialect);
    (format!("{} a", quote::table(&from.table.name)), starts, format!("NOT {strangers}"))
}

/// Sets the bit of an identity column on rows that stay and hold one of the subject's identifiers there.
pub fn by_identity(
    location: &Location,
    bit: u32,
    field: &IdentityField,
    ours: &[String],
    rows: Rows,
    dialect: Dialect,
) -> Option<Statement> {
    let reach = location.reach();
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let flagged = format!("cut | {}", builder.bind(1_i64 << bit));
    let mut mine = Vec::new();
    for value in ours {
        mine.extend(reach::identity_condition(&mut builder, location, field, value, dialect).map(|text| format!("({text})")));
    }
    if mine.is_empty() {
        return None;
    }
    let condition = format!(
        "{rows} AND fate IN (2, 3, 4) AND (ground IS NULL OR ground <> 'hold') AND EXISTS (SELECT 1 FROM {table} t WHERE {own} AND ({mine}))",
        rows = rows.condition(),
        table = quote::table(&location.table.name),
        mine = mine.join(" OR "),
    );
    Some(reached::update(builder, location, &[("cut", &flagged)], &condition, dialect))
}

/// How many rows are to be cut anywhere.
pub fn rows(location: &Location) -> Statement {
    Builder::new(format!("SELECT COUNT(*) AS n FROM {} WHERE cut <> 0", location.reach())).finish()
}

/// Who owns cut rows over an edge: the values at the edge's start and these identity columns, as text, each owner once.
pub fn owners(edge: &Edge, identities: &[String], from: &Location, to: &Location, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), "r"));
    let list: Vec<String> =
        edge.from_columns.iter().chain(identities).map(|name| quote::column_text(&from.table, "a", name, dialect)).collect();
    let mut builder = Builder::new(String::new());
    let starts: Vec<String> = edge.from_columns.iter().map(|name| quote::column("a", name)).collect();
    let pairs = inside::pairs(&mut builder, edge, from, to, &starts, dialect);
    builder.text = format!(
        "SELECT DISTINCT {list} FROM {reach} r JOIN {table} b ON {own} JOIN {owners} a ON {pairs} WHERE r.cut <> 0",
        list = list.join(", "),
        reach = to.reach(),
        table = quote::table(&to.table.name),
        owners = quote::table(&from.table.name),
        pairs = pairs.join(" AND "),
    );
    builder.finish()
}

/// Values of an identity field in cut rows, as text.
pub fn identities(location: &Location, field: &IdentityField, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), "r"));
    let mut builder = Builder::new(String::new());
    let (value, more, present) = reach::identity_values(&mut builder, location, field, dialect);
    builder.text = format!(
        "SELECT DISTINCT {value} AS value FROM {reach} r JOIN {table} t ON {own} {more} WHERE r.cut <> 0 AND {present}",
        reach = location.reach(),
        table = quote::table(&location.table.name),
    );
    builder.finish()
}

/// Where a row names somebody: columns, or a place inside JSON.
#[derive(Debug, Clone)]
pub enum Naming {
    /// Columns, one for each part of a key.
    Columns(Vec<String>),
    /// A place inside JSON.
    Inside(Spot),
}

impl Naming {
    /// These columns, or the place inside the one of them.
    pub fn of(columns: &[String], inside: Option<Spot>) -> Naming {
        inside.map_or_else(|| Naming::Columns(columns.to_vec()), Naming::Inside)
    }
}

/// Keeps cut rows that hold these values exactly as they are.
pub fn hold_rows_with(location: &Location, naming: &Naming, values: &[String], matter: &str, dialect: Dialect) -> Statement {
    let reach = location.reach();
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let matter = builder.bind(matter);
    let mut same = Vec::new();
    match naming {
        Naming::Columns(columns) => {
            for (name, value) in columns.iter().zip(values) {
                let place = builder.bind(value.as_str());
                same.push(format!("{} = {place}", quote::column_text(&location.table, "b", name, dialect)));
            }
        }
        Naming::Inside(spot) => {
            let place = builder.bind(values.first().map_or("", String::as_str));
            same.push(inside::has(&mut builder, &location.table, "b", spot, &place, dialect));
        }
    }
    let condition = format!(
        "cut <> 0 AND EXISTS (SELECT 1 FROM {table} b WHERE {own} AND {same})",
        table = quote::table(&location.table.name),
        same = same.join(" AND ")
    );
    let sets = [("cut", "0"), ("ground", "'hold'"), ("reference", matter.as_str())];
    reached::update(builder, location, &sets, &condition, dialect)
}

/// Keeps cut rows that may lead to people in a way that is not followed: one of these column lists holds values, or owners come in by a way
/// that leaves no trace in the row.
pub fn hold_unnamed(
    location: &Location,
    unnamed: &[(Vec<String>, Option<Location>)],
    hidden_ways: bool,
    dialect: Dialect,
) -> Statement {
    let reach = location.reach();
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let mut ways: Vec<String> = Vec::new();
    for (columns, start) in unnamed {
        let named: Vec<String> = columns.iter().map(|name| quote::column("b", name)).collect();
        let present = named.iter().map(|column| format!("{column} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        // A way that ends in a row which is this subject's alone leads to nobody else.
        let ours = start.as_ref().map(|start| {
            let same = quote::all_equal(&named, &quote::reach_key(start.key_width(), "o"));
            let starts = reached::beside(&mut builder, location, start, dialect);
            format!(" AND NOT EXISTS (SELECT 1 FROM {starts} o WHERE {same} AND o.rights = 2 AND o.shared = 0)")
        });
        ways.push(format!("({present}{})", ours.unwrap_or_default()));
    }
    ways.push(if hidden_ways { "(1 = 1)" } else { "(1 = 0)" }.to_owned());
    // No matter is named: which of the holds it would be is just what nobody knows.
    let condition = format!(
        "cut <> 0 AND (ground IS NULL OR ground <> 'hold') AND EXISTS (SELECT 1 FROM {table} b WHERE {own} AND ({ways}))",
        table = quote::table(&location.table.name),
        ways = ways.join(" OR "),
    );
    reached::update(builder, location, &[("cut", "0"), ("ground", "'hold'"), ("reference", "NULL")], &condition, dialect)
}
