//! What of a JSON column goes into an archive: the sub-fields that the map names, that were asked for and that are not withheld. The rest is
//! cut out of the text, which otherwise stays as the database printed it; what is cut is counted by its path and reason.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::Selection;
use crate::datamap::{Collection, Field, Withhold};
use crate::json::{Change, Editor, JsonError, Members, rewrite};
use crate::value::Cell;

/// Why a part of a column is not in the archive.
#[derive(Debug, Clone, PartialEq)]
enum Cut {
    /// The map withholds it.
    Withheld(String, Withhold),
    /// The map does not mention it; the path is that of the object around it.
    NotCovered(String),
    /// Another category.
    NotAsked,
}

/// What goes out of one JSON column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Inside {
    change: Change<Cut, Infallible>,
    /// Nothing in it is kept from the person, so that text which is no JSON can be handed over as well.
    may_go_as_text: bool,
}

/// What was left out of the columns of one table.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Values withheld, by path and reason.
    pub(super) withheld: BTreeMap<(String, Withhold), u64>,
    /// Objects with members that the map does not mention.
    pub(super) not_covered: BTreeSet<String>,
}

impl Inside {
    /// Of a field with sub-fields; `None` for any other.
    pub(super) fn of(collection: &Collection, field: &Field, selection: &Selection) -> Option<Inside> {
        if field.fields.is_empty() {
            return None;
        }
        let asked = selection.takes_whole(collection, field);
        let change = members(field, asked, &field.name, selection);
        let may_go_as_text = !keeps_back(&change);
        Some(Inside { change, may_go_as_text })
    }

    /// The cell without what is left out. Text that is no JSON cannot be looked into: it is handed over only if nothing would be kept back.
    pub(super) fn apply<'c>(&self, cell: Cell<'c>, left_out: &mut LeftOut) -> Result<Cell<'c>, JsonError> {
        let text = match &cell {
            Cell::Null => return Ok(cell),
            Cell::Json(text) | Cell::Text(text) | Cell::Number(text) => text,
            Cell::Bool(_) | Cell::Bytes(_) if self.may_go_as_text => return Ok(cell),
            Cell::Bool(_) | Cell::Bytes(_) => return Err(JsonError::NotJson),
        };
        match rewrite(text, &self.change, left_out) {
            Ok(text) => Ok(Cell::Json(Cow::Owned(text))),
            Err(JsonError::NotJson) if self.may_go_as_text => Ok(cell),
            Err(error) => Err(error),
        }
    }
}

fn part(field: &Field, asked_above: bool, path: &str, selection: &Selection) -> Change<Cut, Infallible> {
    let asked = asked_above || selection.matches(&field.data_categories);
    if !asked && !selection.matches_below(field) {
        return Change::Cut(Cut::NotAsked);
    }
    if let Some(reason) = field.withhold {
        return Change::Cut(Cut::Withheld(path.to_owned(), reason));
    }
    if field.fields.is_empty() { Change::Keep } else { members(field, asked, path, selection) }
}

/// A label on an object is a label of everything in it, also of what the map does not mention.
fn members(field: &Field, asked: bool, path: &str, selection: &Selection) -> Change<Cut, Infallible> {
    let named = field.fields.iter().map(|sub| (sub.name.clone(), part(sub, asked, &format!("{path}.{}", sub.name), selection)));
    let rest = match asked {
        true if !field.data_categories.is_empty() => Change::Keep,
        true => Change::Cut(Cut::NotCovered(path.to_owned())),
        false => Change::Cut(Cut::NotAsked),
    };
    Change::Into(Members { named: named.collect(), rest: Box::new(rest) })
}

fn keeps_back(change: &Change<Cut, Infallible>) -> bool {
    match change {
        Change::Keep | Change::Cut(Cut::NotCovered(_)) => false,
        Change::Cut(_) => true,
        Change::Replace(never) => match *never {},
        Change::Into(members) => keeps_back(&members.rest) || members.named.iter().any(|(_, change)| keeps_back(change)),
    }
}

impl LeftOut {
    /// Takes in what was left out of a further row.
    pub(super) fn add(&mut self, other: LeftOut) {
        for (place, count) in other.withheld {
            *self.withheld.entry(place).or_default() += count;
        }
        self.not_covered.extend(other.not_covered);
    }
}

impl Editor<Cut, Infallible> for LeftOut {
    fn replacement(&mut self, by: &Infallible, _: &str) -> String {
        match *by {}
    }

    fn cut(&mut self, why: &Cut) {
        match why {
            Cut::Withheld(path, reason) => *self.withheld.entry((path.clone(), *reason)).or_default() += 1,
            Cut::NotCovered(path) => {
                self.not_covered.insert(format!("{path}.*"));
            }
            Cut::NotAsked => {}
        }
    }
}
