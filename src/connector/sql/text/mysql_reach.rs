//! The reached rows on MySQL. A statement there that writes, also into a temporary table, reads real tables as they are at that moment and
//! locks every row that it looks at: it would leave the snapshot and stand in the way of the application. So rows are selected in the
//! snapshot, carried out ([`Then`]) and back into a second temporary table, from which the change is made.

use super::batch::key_arg;
use super::{Builder, Statement, mysql, quote, reach};
use crate::connector::sql::Location;
use crate::db::{Arg, Sql};
use crate::value::KeyPart;

/// Values that may come with a key at most.
const VALUES: usize = 5;

/// What is to be done with selected rows.
#[derive(Debug, Clone)]
pub struct Then {
    location: Location,
    values: usize,
    effects: Vec<Sql>,
}

/// A selected row: the key, and the values that come with it.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The key.
    pub key: Vec<KeyPart>,
    /// New values.
    pub values: Vec<Option<String>>,
}

fn hits(location: &Location) -> String {
    format!("habeas_hits_{}", location.node.0)
}

/// Creates the two temporary tables of a location: reached rows, with everything that is ever decided of them, and selected rows. Nothing is
/// added later, because altering even a temporary table would end the transaction and with it the snapshot.
pub fn create(location: &Location) -> Sql {
    let text = |name: &str| format!("{name} TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    let columns = [
        "rights SMALLINT NOT NULL DEFAULT 0".to_owned(),
        "round INT NOT NULL DEFAULT 0".to_owned(),
        "seeded SMALLINT NOT NULL DEFAULT 0".to_owned(),
        "shared SMALLINT NOT NULL DEFAULT 0".to_owned(),
        "fate SMALLINT NOT NULL DEFAULT 0".to_owned(),
        "depth INT NOT NULL DEFAULT 0".to_owned(),
        "cut BIGINT NOT NULL DEFAULT 0".to_owned(),
        text("ground"),
        text("reference"),
        text("review_on"),
    ];
    let values = mysql::text_columns((1..=VALUES).map(|at| format!("s{at}")));
    let (reach, hits) =
        (mysql::create_keyed(&location.reach(), location, &columns), mysql::create_keyed(&hits(location), location, &values));
    Sql::built(format!("{}; {}", reach.as_str(), hits.as_str()))
}

/// The fate of most rows, before it is decided row by row.
pub fn open(location: &Location, fate: i64, ground: Option<&'static str>) -> Sql {
    let ground = ground.map_or_else(|| "NULL".to_owned(), |word| format!("'{word}'"));
    Sql::built(format!("UPDATE {} SET fate = {fate}, ground = {ground}", location.reach()))
}

impl Then {
    /// How many values come with each key.
    pub fn values(&self) -> usize {
        self.values
    }

    /// How many parts the key has.
    pub fn key_width(&self) -> usize {
        self.location.key_width()
    }

    /// Empties the table of selected rows.
    pub fn clear(&self) -> Sql {
        Sql::built(format!("DELETE FROM {}", hits(&self.location)))
    }

    /// Puts selected rows into their table.
    pub fn fill(&self, rows: &[Selected]) -> Statement {
        let names: Vec<String> =
            (1..=self.key_width()).map(|part| format!("k{part}")).chain((1..=self.values).map(|at| format!("s{at}"))).collect();
        // Rows without a key may be equal, and are then one.
        let mut builder = Builder::new(format!("INSERT IGNORE INTO {} ({}) VALUES ", hits(&self.location), names.join(", ")));
        for (at, row) in rows.iter().enumerate() {
            let parts: Vec<String> = row.key.iter().map(|part| builder.bind(key_arg(part))).collect();
            let mut places: Vec<String> =
                parts.iter().enumerate().map(|(part, place)| mysql::part_in(&self.location, part, place)).collect();
            places.extend(row.values.iter().map(|value| builder.bind(Arg::Text(value.clone()))));
            let glue = if at == 0 { "" } else { ", " };
            builder.push(&format!("{glue}({})", places.join(", ")));
        }
        builder.finish()
    }

    /// Statements that make the change; the rows that they change are counted together.
    pub fn effects(&self) -> &[Sql] {
        &self.effects
    }
}

fn same_keys(location: &Location) -> String {
    let width = location.key_width();
    quote::all_equal(&quote::reach_key(width, "r"), &quote::reach_key(width, "h"))
}

/// A change of reached rows: which, and to what, is selected in the snapshot.
pub fn update(mut builder: Builder, location: &Location, sets: &[(&str, &str)], condition: &str) -> Statement {
    let reach = location.reach();
    let mut list = mysql::key_out(location, &quote::reach_key(location.key_width(), &reach));
    list.extend(sets.iter().map(|(_, value)| format!("CAST({value} AS CHAR)")));
    builder.text = format!("SELECT {} FROM {reach} WHERE {condition}", list.join(", "));
    changed(builder, location, sets)
}

fn changed(builder: Builder, location: &Location, sets: &[(&str, &str)]) -> Statement {
    let changes: Vec<String> = sets.iter().enumerate().map(|(at, (name, _))| format!("r.{name} = h.s{}", at + 1)).collect();
    let effect = format!(
        "UPDATE {reach} r JOIN {hits} h ON {same} SET {changes}",
        reach = location.reach(),
        hits = hits(location),
        same = same_keys(location),
        changes = changes.join(", "),
    );
    let then = Then { location: location.clone(), values: sets.len(), effects: vec![Sql::built(effect)] };
    Statement { then: Some(then), ..builder.finish() }
}

/// The same where the new values are made from several rows for each reached row `alias` of the body.
pub fn update_grouped(mut builder: Builder, location: &Location, alias: &str, sets: &[(&str, &str)], body: &str) -> Statement {
    let keys = quote::reach_key(location.key_width(), alias);
    let mut list = mysql::key_out(location, &keys);
    list.extend(sets.iter().map(|(_, value)| format!("CAST({value} AS CHAR)")));
    builder.text = format!("SELECT {} {body} GROUP BY {}", list.join(", "), keys.join(", "));
    changed(builder, location, sets)
}

/// Rows that arrive: keys of real rows, with their right, round and whether an identifier named them, from `FROM … WHERE …`. Known rows rise to
/// a higher right, and stay as they are where `rises` is false.
pub fn arrive(mut builder: Builder, location: &Location, keys: &[String], values: [&str; 3], body: &str, rises: bool) -> Statement {
    let mut list = mysql::key_out(location, keys);
    list.extend(values.iter().map(|value| format!("CAST({value} AS CHAR)")));
    builder.text = format!("SELECT {} {body}", list.join(", "));
    let (reach, hits, same) = (location.reach(), hits(location), same_keys(location));
    let names: Vec<String> = (1..=location.key_width()).map(|part| format!("k{part}")).collect();
    let names = names.join(", ");
    let mut effects = Vec::new();
    if rises {
        effects.push(Sql::built(format!(
            "UPDATE {reach} r JOIN {hits} h ON {same} SET r.rights = h.s1, r.round = h.s2 WHERE {}",
            reach::rises("CAST(h.s1 AS SIGNED)", "r")
        )));
    }
    effects.push(Sql::built(format!(
        "INSERT IGNORE INTO {reach} ({names}, rights, round, seeded) SELECT {names}, s1, s2, s3 FROM {hits}"
    )));
    let then = Then { location: location.clone(), values: values.len(), effects };
    Statement { then: Some(then), ..builder.finish() }
}
