//! What people see of a collection in a plan: what is found, what happens to it, and what is kept on which ground. Pure.

use super::overwrite::Overwrite;
use super::rules::Rule;
use crate::connector::sql::Tally;
use crate::connector::sql::text::fate;
use crate::datamap::Node;
use crate::plan::{ColumnChange, Disposition, Ground, PlanItem, Retained};

pub(super) fn item_of(place: &Node, rule: &Rule, tally: &[Tally]) -> PlanItem {
    let count_of = |wanted: i64| tally.iter().filter(|t| t.fate == wanted).map(|t| t.count).sum::<u64>();
    let found: u64 = tally.iter().map(|t| t.count).sum();
    let (mut disposition, expected) = match rule {
        Rule::Undecided => (Disposition::Undecided, 0),
        Rule::Delete => (Disposition::Erase, count_of(fate::ERASE)),
        Rule::Mask(_) => (Disposition::Mask, count_of(fate::MASK)),
        Rule::Unlink => (Disposition::Unlink, count_of(fate::UNLINK)),
        Rule::Keep => (Disposition::Retain, 0),
    };
    if expected == 0 && found > 0 && disposition != Disposition::Undecided {
        disposition = Disposition::Retain;
    }
    let columns = match rule {
        Rule::Mask(masks) => masks.iter().flat_map(Overwrite::changes).collect(),
        _ => Vec::new(),
    };
    PlanItem {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: "sql".to_owned(),
        disposition,
        found,
        expected,
        retained: retained_of(tally),
        rows: None,
        columns,
    }
}

fn retained_of(tally: &[Tally]) -> Vec<Retained> {
    let mut retained: Vec<Retained> = Vec::new();
    for row in tally.iter().filter(|t| t.fate == fate::RETAIN) {
        let ground = Ground::of_row(row.ground.as_deref());
        match retained.iter_mut().find(|known| known.ground == ground && known.reference == row.reference) {
            Some(known) => {
                known.count += row.count;
                known.review_on = known.review_on.take().into_iter().chain(row.review_on.clone()).min();
            }
            None => retained.push(Retained {
                count: row.count,
                ground,
                reference: row.reference.clone(),
                review_on: row.review_on.clone(),
            }),
        }
    }
    retained
}

pub(super) fn unlink_item(main: &PlanItem) -> PlanItem {
    PlanItem { disposition: Disposition::Unlink, expected: 0, retained: Vec::new(), columns: Vec::new(), ..main.clone() }
}

pub(super) fn unlink_change(column: &str) -> ColumnChange {
    ColumnChange { column: column.to_owned(), strategy: "unlink".to_owned(), pseudonymisation: false }
}
