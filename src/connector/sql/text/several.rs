//! Rows that name several people. Whoever is named beside others has a part in the row, and is shared it; what hangs on the row is its
//! holder's, and a name among others is no way to that (O-1). Bytes decide who is named, as everywhere (I-1).

use super::reach::{any_of, identity_condition, is_value};
use super::{Builder, Statement, inside, quote, reached};
use crate::connector::sql::Location;
use crate::datamap::{IdentityField, Names};
use crate::db::Dialect;

/// An identity field of a collection, and the person's values of its kind.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// Where it stands.
    pub field: &'a IdentityField,
    /// Their values, as they were given or learned.
    pub ours: &'a [String],
}

impl Identity<'_> {
    fn is_column(&self) -> bool {
        self.field.path.is_empty()
    }
}

/// Marks owned rows that carry an identity value of a kind which is not one of ours: they belong to that person as well. Where all identifiers
/// of a row are one person's, one of ours settles it. Where they may be several people's, each value must be ours, also in rows that an
/// identifier named; only a kind of which no value of ours is known says nothing there, if it was a column that named us. In other rows, with no
/// value to compare, any counts as another's. A place in JSON with several values always names others beside the one who was looked for.
pub fn mark_shared(
    location: &Location,
    of_kind: &[Identity<'_>],
    all: &[Identity<'_>],
    names: Names,
    dialect: Dialect,
) -> Statement {
    let reach = location.reach();
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &reach));
    let mut builder = Builder::new(String::new());
    let (mut present, mut mine, mut foreign, mut inside_json) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for identity in of_kind {
        let Some(spot) = identity.field.inside() else {
            let stored = quote::column("t", &identity.field.column);
            let hit = is_ours(&mut builder, location, identity, dialect);
            foreign.push(format!("({stored} IS NOT NULL AND NOT COALESCE({hit}, FALSE))"));
            present.push(format!("{stored} IS NOT NULL"));
            mine.push(hit);
            continue;
        };
        let values = inside::values(&mut builder, &location.table, "t", &spot, dialect);
        let form = identity.field.normal_form;
        let is_ours: Vec<String> = identity.ours.iter().map(|value| is_value(&mut builder, form, value, dialect)).collect();
        let names_another = format!("EXISTS (SELECT 1 FROM {values} j WHERE NOT {})", any_of(&is_ours));
        if names == Names::Several {
            inside_json.push(names_another);
            continue;
        }
        let is_alone = inside::is_single(&mut builder, &location.table, "t", &spot, dialect);
        inside_json.push(format!("{names_another} AND {is_alone} = 0"));
        present.push(inside::any(&mut builder, &location.table, "t", &spot, dialect));
        let values = inside::values(&mut builder, &location.table, "t", &spot, dialect);
        let is_ours: Vec<String> = identity.ours.iter().map(|value| is_value(&mut builder, form, value, dialect)).collect();
        mine.push(format!("EXISTS (SELECT 1 FROM {values} j WHERE {})", any_of(&is_ours)));
    }
    let is_known = of_kind.iter().any(|identity| !identity.ours.is_empty());
    let of_another = match names {
        Names::Several => any_of(&foreign),
        Names::Account | Names::OnePerson => format!("{} AND NOT COALESCE({}, FALSE)", any_of(&present), any_of(&mine)),
    };
    let rows = match names {
        Names::Several if is_known => String::new(),
        // Where JSON alone named us, the columns are the holder's.
        Names::Several if all.iter().any(|identity| !identity.is_column()) => {
            let columns: Vec<String> = all
                .iter()
                .filter(|identity| identity.is_column())
                .map(|identity| is_ours(&mut builder, location, identity, dialect))
                .collect();
            format!("({reach}.seeded = 0 OR NOT COALESCE({}, FALSE)) AND ", any_of(&columns))
        }
        _ => format!("{reach}.seeded = 0 AND "),
    };
    inside_json.push(format!("{rows}{of_another}"));
    let condition = format!(
        "rights = 2 AND shared = 0 AND EXISTS (SELECT 1 FROM {table} t WHERE {own} AND {})",
        any_of(&inside_json),
        table = quote::table(&location.table.name),
    );
    reached::update(builder, location, &[("shared", "1")], &condition, dialect)
}

/// Whether an identity column of a row `t` holds one of our values.
fn is_ours(builder: &mut Builder, location: &Location, identity: &Identity<'_>, dialect: Dialect) -> String {
    let ours = identity.ours.iter();
    let hits: Vec<String> =
        ours.filter_map(|value| identity_condition(builder, location, identity.field, value, dialect)).collect();
    any_of(&hits)
}

/// Lets rows that an identifier named among those of others lead nowhere, but for the holder's: the one whom one of the `holding` columns names.
/// A reference that gives the row to the person may still lead to it, and on from there.
pub fn stop(location: &Location, holding: &[Identity<'_>], dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), &location.reach()));
    let mut builder = Builder::new(String::new());
    let holds: Vec<String> = holding.iter().map(|identity| is_ours(&mut builder, location, identity, dialect)).collect();
    let condition = format!(
        "seeded = 1 AND shared = 1 AND NOT EXISTS (SELECT 1 FROM {table} t WHERE {own} AND COALESCE({}, FALSE))",
        any_of(&holds),
        table = quote::table(&location.table.name),
    );
    reached::update(builder, location, &[("round", "-1")], &condition, dialect)
}

/// How many rows of a location lead nowhere.
pub fn stopped(location: &Location) -> Statement {
    Builder::new(format!("SELECT COUNT(*) AS n FROM {} WHERE round < 0", location.reach())).finish()
}
