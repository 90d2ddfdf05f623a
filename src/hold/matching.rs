//! Which records the holds keep. Any one hold is enough, two are a union, and whatever cannot be decided is held (H-1): a scope that
//! does not open, that a newer program wrote, or that names what the map no longer knows covers everything.
//! A predicate is not decided here but handed on: only the source can evaluate it, in the transaction that erases.

use std::collections::BTreeSet;
use std::fmt;

use jiff::civil::Date;
use sha2::{Digest, Sha256};

use super::check::check_scope;
use super::{Matter, Scope};
use crate::crypto::hex;
use crate::datamap::{DataMap, Predicate};

mod key_index;

use key_index::KeyIndex;

/// A hold as results and certificates name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HoldRef {
    /// Its id.
    pub id: String,
    /// Its matter.
    pub matter: Matter,
    /// When somebody should look at it again.
    pub review_on: Option<Date>,
}

/// Why a stored scope cannot be evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotUnderstood {
    /// It was sealed with another key, or altered.
    Sealed,
    /// It is of a format that this program does not know.
    Format,
    /// It names a dataset, collection, field or key that the data map does not know any more.
    Place,
}

/// What one stored hold covers, as far as it is understood.
#[derive(Clone, PartialEq)]
pub enum Coverage {
    /// Everything of the person who has one of these keyed aliases.
    Person(BTreeSet<String>),
    /// What the scope says; never a subject.
    Scope(Scope),
    /// Everything, because nobody can say what is meant.
    Unclear(NotUnderstood),
}

/// Keys of records stay out of messages (S-1).
impl fmt::Debug for Coverage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Coverage::Person(aliases) => write!(formatter, "Person({} aliases)", aliases.len()),
            Coverage::Scope(scope) => scope.fmt(formatter),
            Coverage::Unclear(why) => write!(formatter, "Unclear({why:?})"),
        }
    }
}

impl Coverage {
    /// What an opened scope covers under this map. `aliases` are the keyed names of a subject; a subject's hold without any could
    /// match nobody and therefore counts as everything.
    pub fn of(scope: Scope, aliases: BTreeSet<String>, map: &DataMap) -> Coverage {
        match scope {
            Scope::Subject(_) if aliases.is_empty() => Coverage::Unclear(NotUnderstood::Format),
            Scope::Subject(_) => Coverage::Person(aliases),
            scope => match check_scope(&scope, map) {
                Ok(()) => Coverage::Scope(scope),
                Err(_) => Coverage::Unclear(NotUnderstood::Place),
            },
        }
    }
}

/// All holds that cover at one moment, and the epoch that names the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct HoldSet {
    epoch: i64,
    holds: Vec<(HoldRef, Coverage)>,
}

/// What is to be done with one record.
#[derive(Clone, PartialEq)]
pub enum Verdict {
    /// No hold covers it.
    Free,
    /// These holds cover it.
    Held(Vec<HoldRef>),
    /// Held by those whose condition is true or unknown for it; the source decides when it erases.
    HeldIf(Vec<(HoldRef, Predicate)>),
}

/// The values of conditions stay out of messages (S-1).
impl fmt::Debug for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Free => formatter.write_str("Free"),
            Verdict::Held(holds) => formatter.debug_tuple("Held").field(holds).finish(),
            Verdict::HeldIf(conditions) => write!(formatter, "HeldIf({} conditions)", conditions.len()),
        }
    }
}

impl HoldSet {
    /// The holds of one epoch.
    pub fn new(epoch: i64, mut holds: Vec<(HoldRef, Coverage)>) -> HoldSet {
        holds.sort_by(|one, other| one.0.cmp(&other.0));
        HoldSet { epoch, holds }
    }

    /// The epoch: it grows with every change of the set.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// All holds, sorted by id.
    pub fn refs(&self) -> impl Iterator<Item = &HoldRef> {
        self.holds.iter().map(|(hold, _)| hold)
    }

    /// Holds that cover everything only because nobody can say what they mean: something for an operator to look at.
    pub fn unclear(&self) -> Vec<(HoldRef, NotUnderstood)> {
        let unclear = |(hold, coverage): &(HoldRef, Coverage)| match coverage {
            Coverage::Unclear(why) => Some((hold.clone(), *why)),
            _ => None,
        };
        self.holds.iter().filter_map(unclear).collect()
    }

    /// Holds on the person who has these keyed aliases, given and resolved. No alias at all means that nobody knows whose records
    /// they are: then every subject's hold might cover them, and does.
    pub fn covers_subject(&self, aliases: &[String]) -> Vec<HoldRef> {
        let covers = |coverage: &Coverage| match coverage {
            Coverage::Person(held) => aliases.is_empty() || aliases.iter().any(|alias| held.contains(alias)),
            _ => false,
        };
        self.holds.iter().filter(|(_, coverage)| covers(coverage)).map(|(hold, _)| hold.clone()).collect()
    }

    /// Holds on a collection and its records, whoever they belong to.
    pub fn for_collection(&self, dataset: &str, collection: &str) -> CollectionHolds {
        let mut found = CollectionHolds::default();
        for (hold, coverage) in &self.holds {
            let scope = match coverage {
                Coverage::Person(_) => continue,
                Coverage::Unclear(_) => {
                    found.whole.push(hold.clone());
                    continue;
                }
                Coverage::Scope(scope) => scope,
            };
            if scope.place().is_some_and(|place| place != (dataset, collection)) {
                continue;
            }
            match scope {
                Scope::Record { key, .. } => found.add_record(hold.clone(), key.clone()),
                Scope::Predicate { r#where, .. } => found.predicates.push((hold.clone(), r#where.clone())),
                Scope::Subject(_) | Scope::Collection { .. } | Scope::Everything {} => found.whole.push(hold.clone()),
            }
        }
        found
    }

    /// The verdict on one record of a person. `key` is the primary key as text; `None` when it has no text form.
    pub fn verdict(&self, aliases: &[String], dataset: &str, collection: &str, key: Option<&[String]>) -> Verdict {
        let on_person = self.covers_subject(aliases);
        match self.for_collection(dataset, collection).verdict(key) {
            Verdict::Held(mut holds) => {
                holds.extend(on_person);
                Verdict::Held(holds)
            }
            _ if !on_person.is_empty() => Verdict::Held(on_person),
            verdict => verdict,
        }
    }

    /// `sha256:` of the ids and matters, for plans and certificates. The scope of a hold never changes, so that its id stands for it,
    /// and nothing about a person goes in.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"habeas hold set v1\n");
        for (hold, coverage) in &self.holds {
            let understood = !matches!(coverage, Coverage::Unclear(_));
            hash.update(format!("{} {} {}\n", hold.id, hold.matter, u8::from(understood)));
        }
        format!("sha256:{}", hex(&hash.finalize()))
    }
}

/// The holds that concern one collection.
#[derive(Clone, Default)]
pub struct CollectionHolds {
    whole: Vec<HoldRef>,
    records: Vec<(HoldRef, Vec<String>)>,
    by_key: KeyIndex,
    predicates: Vec<(HoldRef, Predicate)>,
}

impl CollectionHolds {
    fn add_record(&mut self, hold: HoldRef, key: Vec<String>) {
        self.by_key.insert(&key, self.records.len());
        self.records.push((hold, key));
    }

    /// Holds on every record of the collection.
    pub fn whole(&self) -> &[HoldRef] {
        &self.whole
    }

    /// Holds on single records, with the key as it was given.
    pub fn records(&self) -> &[(HoldRef, Vec<String>)] {
        &self.records
    }

    /// Conditions that the source must find false for a record to be free; NULL is not false.
    pub fn predicates(&self) -> &[(HoldRef, Predicate)] {
        &self.predicates
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty() && self.records.is_empty() && self.predicates.is_empty()
    }

    /// The holds that cover one record whatever its conditions say. A key without a text form cannot be compared: every record hold
    /// of the collection covers it.
    pub fn held_by(&self, key: Option<&[String]>) -> Vec<HoldRef> {
        let mut holds = self.whole.clone();
        match key {
            None => holds.extend(self.records.iter().map(|(hold, _)| hold.clone())),
            Some(key) => holds.extend(self.by_key.covering(key).into_iter().map(|at| self.records[at].0.clone())),
        }
        holds.sort();
        holds.dedup();
        holds
    }

    /// The verdict on one record.
    pub fn verdict(&self, key: Option<&[String]>) -> Verdict {
        let holds = self.held_by(key);
        match (holds.is_empty(), self.predicates.is_empty()) {
            (false, _) => Verdict::Held(holds),
            (true, false) => Verdict::HeldIf(self.predicates.clone()),
            (true, true) => Verdict::Free,
        }
    }
}

/// Keys and the values of conditions stay out of messages (S-1).
impl fmt::Debug for CollectionHolds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CollectionHolds")
            .field("whole", &self.whole)
            .field("records", &self.records.len())
            .field("predicates", &self.predicates.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
