//! Statements of the traversal. The keys of every reached row lie in one temporary table per collection, inside the source's own session:
//! set-based, whatever the size, and gone with the session. `rights` is 2 for owned and 1 for accessed rows; `round` says in which round
//! of the fix-point the row got its present right, so that each round looks only at what the last one brought; below zero it leads nowhere.

use super::{Builder, Statement, inside, mysql, mysql_reach, quote, reached};
use crate::connector::sql::Location;
use crate::datamap::{Edge, IdentityField, Right};
use crate::db::{Dialect, Sql};
use crate::subject::NormalForm;

/// Creates the empty temporary table of a location. It gets its index by [`index`] and the columns of the decision by
/// [`super::fate::open`]: filling a table first and indexing it then is several times faster, and so is a column that arrives with a default
/// instead of being written row by row.
pub fn create(location: &Location, dialect: Dialect) -> Sql {
    if dialect == Dialect::MySql {
        return mysql_reach::create(location);
    }
    let keys: Vec<String> =
        quote::key(location, "t", dialect).iter().enumerate().map(|(at, column)| format!("{column} AS k{}", at + 1)).collect();
    // Narrow types: a person may have millions of rows, and what does not fit the session's buffers goes to disk.
    let (small, integer, drop) = match dialect {
        Dialect::Postgres => ("smallint", "integer", " ON COMMIT DROP"),
        Dialect::Sqlite | Dialect::MySql => ("INTEGER", "INTEGER", ""),
    };
    Sql::built(format!(
        "CREATE TEMPORARY TABLE {reach}{drop} AS SELECT {keys}, CAST(0 AS {small}) AS rights, CAST(0 AS {integer}) AS round, \
         CAST(0 AS {small}) AS seeded, CAST(0 AS {small}) AS shared FROM {table} t WHERE 1 = 0",
        reach = location.reach(),
        keys = keys.join(", "),
        table = quote::table(&location.table.name),
    ))
}

/// Indexes the keys of a location's temporary table. From then on rows can arrive that are there already.
pub fn index(location: &Location, dialect: Dialect) -> Sql {
    let names: Vec<String> = (1..=location.key_width()).map(|part| format!("k{part}")).collect();
    let (reach, names) = (location.reach(), names.join(", "));
    Sql::built(match dialect {
        Dialect::Postgres => format!("CREATE UNIQUE INDEX ON {reach} ({names})"),
        Dialect::Sqlite => format!("CREATE UNIQUE INDEX temp.{reach}_key ON {reach} ({names})"),
        // It was made with its index; making one now would end the transaction.
        Dialect::MySql => "DO 0".to_owned(),
    })
}

/// The bytewise condition under which an identity field holds a value (I-1). `None` when the column's type cannot hold it.
pub fn identity_condition(
    builder: &mut Builder,
    location: &Location,
    field: &IdentityField,
    value: &str,
    dialect: Dialect,
) -> Option<String> {
    let (column, form) = (field.column.as_str(), field.normal_form);
    if let Some(spot) = field.inside() {
        let values = inside::values(builder, &location.table, "t", &spot, dialect);
        let is_ours = is_value(builder, form, value, dialect);
        return Some(format!("EXISTS (SELECT 1 FROM {values} j WHERE {is_ours})"));
    }
    let live = location.table.column(column)?;
    let stored = quote::column("t", column);
    let normal = form.apply(value);
    use crate::value::ColumnType::{Integer, Uuid};
    if dialect == Dialect::MySql {
        return mysql::identity_condition(builder, live, &stored, form, normal);
    }
    if dialect == Dialect::Postgres {
        match live.column_type {
            Integer => {
                let number: i64 = normal.parse().ok()?;
                return (number.to_string() == normal).then(|| format!("{stored} = {}", builder.bind(number)));
            }
            Uuid => {
                let parsed = uuid::Uuid::parse_str(&normal).ok()?;
                return Some(format!("{stored} = {}::text::uuid", builder.bind(parsed.to_string())));
            }
            _ => {}
        }
    }
    let text = quote::as_text(&stored, dialect);
    let place = builder.bind(normal);
    Some(match (form, dialect) {
        // `=` finds the candidates by index, the comparison of bytes decides.
        (NormalForm::Exact, Dialect::Postgres) if live.column_type.is_text_like() => {
            format!("{stored} = {place} AND convert_to({text}, 'UTF8') = convert_to({place}, 'UTF8')")
        }
        (NormalForm::Exact, Dialect::Postgres) => format!("convert_to({text}, 'UTF8') = convert_to({place}, 'UTF8')"),
        (NormalForm::Exact, Dialect::Sqlite) => format!("{stored} = {place} COLLATE BINARY AND {text} = {place} COLLATE BINARY"),
        // The C collation and SQLite's lower() change ASCII letters only.
        (NormalForm::AsciiLower, Dialect::Postgres) => {
            format!("convert_to(lower({text} COLLATE \"C\"), 'UTF8') = convert_to({place}, 'UTF8')")
        }
        (NormalForm::AsciiLower, Dialect::Sqlite) => format!("lower({text}) = {place} COLLATE BINARY"),
        (NormalForm::E164, _) => format!("{} = {place}", e164_expression(&text)),
        (_, Dialect::MySql) => return None,
    })
}

/// The condition under which the text `j.v` is a value in this normal form.
pub(super) fn is_value(builder: &mut Builder, form: NormalForm, value: &str, dialect: Dialect) -> String {
    let place = builder.bind(form.apply(value));
    let normal = match (form, dialect) {
        (NormalForm::Exact, _) => "j.v".to_owned(),
        (NormalForm::AsciiLower, Dialect::Postgres) => "lower(j.v COLLATE \"C\")".to_owned(),
        (NormalForm::AsciiLower, Dialect::Sqlite | Dialect::MySql) => "lower(j.v)".to_owned(),
        (NormalForm::E164, _) => e164_expression("j.v"),
    };
    inside::same(&normal, &place, dialect)
}

pub(super) fn e164_expression(text: &str) -> String {
    let mut expression = text.to_owned();
    for dropped in [" ", ".", "-", "(", ")", "/"] {
        expression = format!("replace({expression}, '{dropped}', '')");
    }
    format!("(CASE WHEN {expression} LIKE '00%' THEN '+' || substr({expression}, 3) ELSE {expression} END)")
}

/// Puts the rows that an identifier names into the reach, in round 0 and as owned.
pub fn seed(location: &Location, field: &IdentityField, value: &str, dialect: Dialect) -> Option<Statement> {
    let keys = quote::key(location, "t", dialect).join(", ");
    let names: Vec<String> = (1..=location.key_width()).map(|part| format!("k{part}")).collect();
    let reach = location.reach();
    if dialect == Dialect::MySql {
        let mut builder = Builder::new(String::new());
        let condition = identity_condition(&mut builder, location, field, value, dialect)?;
        let body = format!("FROM {} t WHERE {condition}", quote::table(&location.table.name));
        return Some(mysql_reach::arrive(builder, location, &quote::key(location, "t", dialect), ["2", "0", "1"], &body, false));
    }
    let mut builder = Builder::new(format!(
        "INSERT INTO {reach} ({names}, rights, round, seeded, shared) SELECT {keys}, 2, 0, 1, 0 FROM {table} t WHERE ",
        names = names.join(", "),
        table = quote::table(&location.table.name),
    ));
    let condition = identity_condition(&mut builder, location, field, value, dialect)?;
    builder.push(&condition).push(&format!(" ON CONFLICT ({}) DO NOTHING", names.join(", ")));
    Some(builder.finish())
}

/// The FROM part that joins the reached rows of an edge's start (`r`, and its table `a` where the edge leaves from other columns than the
/// key) with the table of its end (`b`); and the filter of the edge.
pub(super) fn joined(
    builder: &mut Builder,
    edge: &Edge,
    from: &Location,
    to: &Location,
    dialect: Dialect,
) -> Result<String, String> {
    let (join, starts) = starts_of(edge, from, dialect);
    let on = inside::pairs(builder, edge, from, to, &starts, dialect);
    let mut text = format!("FROM {} r {join} JOIN {} b ON {} ", from.reach(), quote::table(&to.table.name), on.join(" AND "));
    if let Some(filter) = &edge.filter {
        let condition = super::predicate::condition(builder, filter, &to.table, "b", dialect)?;
        text.push_str(&format!("AND {condition} "));
    }
    Ok(text)
}

/// An edge that leaves from people leaves from the subject alone: somebody else's record may be seen, what they have may not.
pub(super) fn of_own_people(edge: &Edge, alias: &str) -> String {
    if edge.from_people { format!(" AND {alias}.rights = 2") } else { String::new() }
}

/// One step along an edge inside one source: rows at its end that are new, or whose right rises. A filter on the start side needs the
/// start's table in the join. `is_first` when the end's table is still empty and has no index: then nothing can be there already.
pub fn spread(
    edge: &Edge,
    from: &Location,
    to: &Location,
    round: i64,
    is_first: bool,
    dialect: Dialect,
) -> Result<Statement, String> {
    let names: Vec<String> = (1..=to.key_width()).map(|part| format!("k{part}")).collect();
    let keys = quote::key(to, "b", dialect).join(", ");
    // A row that names its start by the whole key meets one start at most: there is nothing to group. SQLite's columns may hold values of
    // several classes that equal the same text, so that it groups always.
    let by_key = quote::is_key(&from.table, &edge.from_columns) && edge.to_path.is_empty();
    let once = dialect == Dialect::Postgres && by_key && !to.is_known_by_content();
    let (highest, group) = if once { ("r.rights", String::new()) } else { ("MAX(r.rights)", format!(" GROUP BY {keys}")) };
    let right = if edge.right == Right::Owns { highest } else { "1" };
    let mut builder = Builder::new(String::new());
    let next = builder.bind(round + 1);
    let join = joined(&mut builder, edge, from, to, dialect)?;
    let current = builder.bind(round);
    let own_people = of_own_people(edge, "r");
    if dialect == Dialect::MySql {
        let body = format!("{join} WHERE r.round = {current}{own_people}{group}");
        return Ok(mysql_reach::arrive(builder, to, &quote::key(to, "b", dialect), [right, &next, "0"], &body, true));
    }
    let names = names.join(", ");
    let reach = to.reach();
    let known = match is_first {
        true => String::new(),
        false => format!(
            " ON CONFLICT ({names}) DO UPDATE SET rights = excluded.rights, round = excluded.round WHERE {}",
            rises("excluded.rights", &reach)
        ),
    };
    builder.text = format!(
        "INSERT INTO {reach} ({names}, rights, round, seeded, shared) \
         SELECT {keys}, {right}, {next}, 0, 0 {join} WHERE r.round = {current}{own_people}{group}{known}",
    );
    Ok(builder.finish())
}

/// Whether a row that is known already is looked at again when it arrives with this right: it has a higher one now, or the one that it has and
/// could not lead on with, because a name among several had brought it (see [`super::several`]).
pub(super) fn rises(arriving: &str, known: &str) -> String {
    format!("({arriving} > {known}.rights OR ({known}.round < 0 AND {arriving} = {known}.rights))")
}

/// Marks owned rows that a row which is not this subject's alone owns over this edge too (O-1): a stranger's row, or one that others share.
/// A value that leads to no row counts as another owner: unknown is not ours. It is repeated until nothing changes, because what a shared
/// row owns is shared as well.
pub fn mark_shared(edge: &Edge, from: &Location, to: &Location, dialect: Dialect) -> Result<Statement, String> {
    let reach = to.reach();
    let mut builder = Builder::new(String::new());
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), &reach));
    let ends: Vec<String> = edge.to_columns.iter().map(|name| quote::column("b", name)).collect();
    let filter = match &edge.filter {
        Some(filter) => format!(" AND {}", super::predicate::condition(&mut builder, filter, &to.table, "b", dialect)?),
        None => String::new(),
    };
    let from_reach = reached::beside(&mut builder, to, from, dialect);
    let present = ends.iter().map(|end| format!("{end} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
    let foreign = if let Some(spot) = edge.inside() {
        // JSON may name several: foreign as soon as one of them is not among ours.
        let values = inside::values(&mut builder, &to.table, "b", &spot, dialect);
        let (join, starts) = starts_of(edge, from, dialect);
        let same = inside::same("j.v", &quote::as_text(starts.first().map_or("", String::as_str), dialect), dialect);
        format!(
            "EXISTS (SELECT 1 FROM {values} j WHERE NOT EXISTS (SELECT 1 FROM {from_reach} r {join} WHERE {same} AND r.rights = 2 AND r.shared = 0))"
        )
    } else if edge.declared_on_to && quote::is_key(&from.table, &edge.from_columns) {
        // The end names one start by its key: foreign unless that key is among ours.
        let same = edge_pairs(edge, from, to, &quote::reach_key(from.key_width(), "r"), dialect).join(" AND ");
        format!("{present} AND NOT EXISTS (SELECT 1 FROM {from_reach} r WHERE {same} AND r.rights = 2 AND r.shared = 0)")
    } else {
        let starts: Vec<String> = edge.from_columns.iter().map(|name| quote::column("a", name)).collect();
        let meets = edge_pairs(edge, from, to, &starts, dialect).join(" AND ");
        let mine = quote::all_equal(&quote::reach_key(from.key_width(), "r"), &quote::key(from, "a", dialect));
        let table = quote::table(&from.table.name);
        let of_another = format!(
            "EXISTS (SELECT 1 FROM {table} a WHERE {meets} AND NOT EXISTS (SELECT 1 FROM {from_reach} r WHERE {mine} AND r.rights = 2 AND r.shared = 0))"
        );
        match edge.declared_on_to {
            true => format!("({of_another} OR ({present} AND NOT EXISTS (SELECT 1 FROM {table} a WHERE {meets})))"),
            false => of_another,
        }
    };
    let condition = format!(
        "rights = 2 AND shared = 0 AND EXISTS (SELECT 1 FROM {table} b WHERE {own}{filter} AND {foreign})",
        table = quote::table(&to.table.name),
    );
    Ok(reached::update(builder, to, &[("shared", "1")], &condition, dialect))
}

/// What has to be joined to the reach `r` of an edge's start, and the expressions of its columns: the reached key itself where it is just that.
pub(super) fn starts_of(edge: &Edge, from: &Location, dialect: Dialect) -> (String, Vec<String>) {
    if quote::is_key(&from.table, &edge.from_columns) {
        return (String::new(), quote::reach_key(from.key_width(), "r"));
    }
    let own = quote::all_equal(&quote::key(from, "a", dialect), &quote::reach_key(from.key_width(), "r"));
    let starts = edge.from_columns.iter().map(|name| quote::column("a", name)).collect();
    (format!("JOIN {} a ON {own}", quote::table(&from.table.name)), starts)
}

/// The condition that some row at the start of an edge has the same values in the edge's columns as its row `alias`, and is not the subject's
/// alone. `ours` is the name under which the reached rows of the start can be read.
pub(super) fn strangers_like(edge: &Edge, alias: &str, from: &Location, ours: &str, dialect: Dialect) -> String {
    let mine = quote::all_equal(&quote::key(from, "s", dialect), &quote::reach_key(from.key_width(), "o"));
    let mut same = Vec::new();
    for name in &edge.from_columns {
        let live = from.table.column(name);
        same.push(quote::edge_equal((&quote::column("s", name), live), (&quote::column(alias, name), live), dialect));
    }
    format!(
        "EXISTS (SELECT 1 FROM {table} s WHERE {same} AND NOT EXISTS \
         (SELECT 1 FROM {ours} o WHERE {mine} AND o.rights = 2 AND o.shared = 0))",
        table = quote::table(&from.table.name),
        same = same.join(" AND "),
    )
}

/// The conditions under which columns at the start of an edge, given by their expressions, meet those of its end `b`.
pub(super) fn edge_pairs(edge: &Edge, from: &Location, to: &Location, starts: &[String], dialect: Dialect) -> Vec<String> {
    let mut pairs = Vec::new();
    for ((start, start_name), end_name) in starts.iter().zip(&edge.from_columns).zip(&edge.to_columns) {
        let end = quote::column("b", end_name);
        pairs.push(quote::edge_equal((&end, to.table.column(end_name)), (start, from.table.column(start_name)), dialect));
    }
    pairs
}

/// One of these conditions; false when there is none.
pub(super) fn any_of(conditions: &[String]) -> String {
    if conditions.is_empty() {
        return "(1 = 0)".to_owned();
    }
    format!("({})", conditions.iter().map(|condition| format!("({condition})")).collect::<Vec<_>>().join(" OR "))
}

/// Values of an identity field in the rows found by an identifier, and whether each stands alone there: then it is the subject's other name.
/// At most `limit`.
pub fn aliases(location: &Location, field: &IdentityField, limit: i64, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), "r"));
    let mut builder = Builder::new(String::new());
    let (value, more, present) = identity_values(&mut builder, location, field, dialect);
    let single = match field.inside() {
        None => "1".to_owned(),
        Some(spot) => inside::is_single(&mut builder, &location.table, "t", &spot, dialect),
    };
    let most = builder.bind(limit);
    builder.text = format!(
        "SELECT DISTINCT {value} AS value, {single} AS single FROM {reach} r JOIN {table} t ON {own} {more} \
         WHERE r.seeded = 1 AND {present} LIMIT {most}",
        single = quote::as_integer(&single, dialect),
        reach = location.reach(),
        table = quote::table(&location.table.name),
    );
    builder.finish()
}

/// The text of an identity field of a row `t`, what has to be joined for it, and when there is one.
pub(super) fn identity_values(
    builder: &mut Builder,
    location: &Location,
    field: &IdentityField,
    dialect: Dialect,
) -> (String, String, String) {
    match field.inside() {
        None => (
            quote::column_text(&location.table, "t", &field.column, dialect),
            String::new(),
            format!("{} IS NOT NULL", quote::column("t", &field.column)),
        ),
        Some(spot) => inside::joined_values(builder, &location.table, "t", &spot, dialect),
    }
}

/// How many reached rows of a location an identifier did not name although it could have: the row has a value there, and another one.
pub fn contradictions(location: &Location, fields: &[&IdentityField], value: &str, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), "r"));
    let mut builder = Builder::new(String::new());
    let mut hits = Vec::new();
    let mut present = Vec::new();
    for field in fields {
        present.push(match field.inside() {
            None => format!("{} IS NOT NULL", quote::column("t", &field.column)),
            Some(spot) => inside::any(&mut builder, &location.table, "t", &spot, dialect),
        });
        hits.extend(identity_condition(&mut builder, location, field, value, dialect));
    }
    let hits =
        if hits.is_empty() { "1 = 0".to_owned() } else { hits.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" OR ") };
    builder.text = format!(
        "SELECT COUNT(*) AS n FROM {reach} r JOIN {table} t ON {own} WHERE r.seeded = 1 AND ({present}) AND NOT COALESCE(({hits}), FALSE)",
        reach = location.reach(),
        table = quote::table(&location.table.name),
        present = present.join(" OR "),
    );
    builder.finish()
}

/// How many rows of a table an identifier names; with `is_ours` only those that are the subject's already.
pub fn named(location: &Location, fields: &[&IdentityField], value: &str, is_ours: bool, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let hits: Vec<String> =
        fields.iter().filter_map(|field| identity_condition(&mut builder, location, field, value, dialect)).collect();
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), "r"));
    let ours = match is_ours {
        true => format!(" AND EXISTS (SELECT 1 FROM {} r WHERE {own} AND r.seeded = 1)", location.reach()),
        false => String::new(),
    };
    builder.text = format!(
        "SELECT COUNT(*) AS n FROM {table} t WHERE {hits}{ours}",
        table = quote::table(&location.table.name),
        hits = any_of(&hits),
    );
    builder.finish()
}

/// How many rows an identifier named.
pub fn seeded_count(location: &Location) -> Sql {
    Sql::built(format!("SELECT COUNT(*) AS n FROM {} WHERE seeded = 1", location.reach()))
}

/// How many owned rows of a location are shared.
pub fn shared_count(location: &Location) -> Sql {
    Sql::built(format!("SELECT COUNT(*) AS n FROM {} WHERE shared = 1", location.reach()))
}
