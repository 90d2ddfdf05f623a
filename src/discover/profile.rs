//! What a sample of rows says about columns: how many values, how many of them different, between which ends, of which shapes. The
//! different values of columns that may refer to something are kept, bounded, until it is known where they occur; they are never printed.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::shape::{Shape, shape};
use crate::value::ColumnType;

/// Different values kept of a column.
pub const KEPT: usize = 400;

/// What can refer to what: only columns of one family are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Whole numbers, and decimals that hold them.
    Integer,
    /// Text.
    Text,
    /// UUIDs.
    Uuid,
}

impl Family {
    /// The family of a type; none for types that refer to nothing.
    pub fn of(column_type: ColumnType) -> Option<Family> {
        match column_type {
            ColumnType::Integer | ColumnType::Decimal => Some(Family::Integer),
            ColumnType::Text => Some(Family::Text),
            ColumnType::Uuid => Some(Family::Uuid),
            _ => None,
        }
    }
}

/// A column as its sample shows it.
#[derive(Clone)]
pub struct ColumnProfile {
    /// What it can refer to.
    pub family: Option<Family>,
    /// Values looked at, NULL included.
    pub sampled: u64,
    /// Of them NULL.
    pub nulls: u64,
    /// Different values in the sample.
    pub distinct: u64,
    /// Smallest whole number; of the whole column where an index tells it.
    pub low: Option<i64>,
    /// Largest whole number.
    pub high: Option<i64>,
    /// How many values of each shape.
    pub shapes: BTreeMap<Shape, u64>,
    /// Different values, at most [`KEPT`]: the smallest by their hash, so that they are spread evenly and the same each time.
    kept: BTreeMap<u64, String>,
    seen: HashSet<u64>,
}

// Values are other people's (S-1).
impl std::fmt::Debug for ColumnProfile {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ColumnProfile")
            .field("family", &self.family)
            .field("sampled", &self.sampled)
            .field("distinct", &self.distinct)
            .finish_non_exhaustive()
    }
}

impl ColumnProfile {
    /// Nothing seen yet.
    pub fn new(column_type: ColumnType) -> ColumnProfile {
        ColumnProfile {
            family: Family::of(column_type),
            sampled: 0,
            nulls: 0,
            distinct: 0,
            low: None,
            high: None,
            shapes: BTreeMap::new(),
            kept: BTreeMap::new(),
            seen: HashSet::new(),
        }
    }

    /// Takes in a value.
    pub fn take(&mut self, value: Option<&str>) {
        self.sampled += 1;
        let Some(value) = value else {
            self.nulls += 1;
            return;
        };
        *self.shapes.entry(shape(value)).or_default() += 1;
        let hash = hash_of(value);
        self.seen.insert(hash);
        if self.family == Some(Family::Integer)
            && let Ok(number) = value.parse::<i64>()
        {
            self.low = Some(self.low.map_or(number, |low| low.min(number)));
            self.high = Some(self.high.map_or(number, |high| high.max(number)));
        }
        if self.family.is_some() && value.len() <= 64 {
            self.kept.insert(hash, value.to_owned());
            if self.kept.len() > KEPT {
                self.kept.pop_last();
            }
        }
    }

    /// The sample is over: what only the counting needed is let go.
    pub fn close(&mut self) {
        self.distinct = self.seen.len() as u64;
        self.seen = HashSet::new();
    }

    /// Different values that are not a way of writing "none".
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.kept.values().map(String::as_str).filter(|value| !is_none_word(value))
    }

    /// Whether the sample has no value twice.
    pub fn looks_unique(&self) -> bool {
        self.distinct > 0 && self.distinct == self.sampled - self.nulls
    }

    /// Whether it holds nothing but 0 and 1.
    pub fn looks_boolean(&self) -> bool {
        self.family == Some(Family::Integer) && self.low.is_some_and(|low| low >= 0) && self.high.is_some_and(|high| high <= 1)
    }

    /// Share of the values that are there and have a shape.
    pub fn share_of(&self, wanted: Shape) -> f64 {
        let filled = self.sampled - self.nulls - self.shapes.get(&Shape::Empty).copied().unwrap_or(0);
        if filled == 0 { 0.0 } else { self.shapes.get(&wanted).copied().unwrap_or(0) as f64 / filled as f64 }
    }
}

/// Values that applications write where there is nothing to refer to.
pub fn is_none_word(value: &str) -> bool {
    matches!(value, "" | "0" | "-1")
}

fn hash_of(value: &str) -> u64 {
    // Fixed keys: the same values are kept each time.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A table as its sample shows it.
#[derive(Debug, Clone)]
pub struct TableProfile {
    /// Rows as the database estimates or counts them.
    pub rows: u64,
    /// Whether every row was looked at.
    pub whole: bool,
    /// Columns in their order.
    pub columns: Vec<ColumnProfile>,
    /// Tuples of columns that were asked for, in the order in which they were.
    pub tuples: Vec<Tuples>,
}

/// Different values that several columns of one row have together.
#[derive(Clone)]
pub struct Tuples {
    /// The columns.
    pub columns: Vec<usize>,
    /// Their values.
    pub values: BTreeSet<Vec<String>>,
}

impl std::fmt::Debug for Tuples {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Tuples({:?}, {})", self.columns, self.values.len())
    }
}

impl Tuples {
    /// Takes in a row; rows in which a part is missing are passed over.
    pub fn take(&mut self, row: &[Option<&str>]) {
        let tuple: Option<Vec<String>> = self.columns.iter().map(|column| row[*column].map(str::to_owned)).collect();
        if let Some(tuple) = tuple.filter(|_| self.values.len() < KEPT) {
            self.values.insert(tuple);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_counts_and_keeps_a_bounded_number_of_values() {
        let mut profile = ColumnProfile::new(ColumnType::Integer);
        for number in 0..2000 {
            profile.take(Some(&number.to_string()));
        }
        profile.take(None);
        profile.close();
        assert_eq!((profile.sampled, profile.nulls, profile.distinct), (2001, 1, 2000));
        assert_eq!((profile.low, profile.high), (Some(0), Some(1999)));
        assert!(profile.kept.len() == KEPT && profile.looks_unique());
    }

    #[test]
    fn s_1_a_profile_prints_no_value() {
        let mut profile = ColumnProfile::new(ColumnType::Text);
        profile.take(Some("ada@example.org"));
        assert!(!format!("{profile:?}").contains("ada"));
        assert_eq!(profile.share_of(Shape::Email), 1.0);
    }
}
