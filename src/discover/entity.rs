//! Tables as things with names: what a table's rows are called (`wp_users` and `user_id` both say: user), and by which columns they can
//! be referred to. From the catalogue and the samples, before any two tables are compared.

use super::profile::{Family, TableProfile};
use super::vocabulary::{EMPTY_NOUNS, has};
use super::words::{ID_WORDS, canonical, words};
use crate::connector::sql::Table;

/// A table with what its sample says and what it is called.
#[derive(Debug)]
pub struct Entity<'c> {
    /// The table.
    pub table: &'c Table,
    /// Its sample.
    pub profile: TableProfile,
    /// Words of its name without the schema's common prefix, each in the singular.
    pub name: Vec<String>,
    /// What its rows are called, and how surely.
    pub aliases: Vec<Alias>,
    /// Columns by which a row of it can be referred to.
    pub keys: Vec<KeyColumn>,
}

/// A name of a table's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// Its words.
    pub words: Vec<String>,
    /// 1 for the table's own name, less for what is derived from it.
    pub weight: f64,
}

/// A column whose value names one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its position.
    pub column: usize,
    /// The primary key, or what stands for one; others are codes and names that happen to be unique.
    pub is_home: bool,
}

impl<'c> Entity<'c> {
    /// Names a table.
    pub fn new(table: &'c Table, profile: TableProfile, prefix: Option<&str>) -> Entity<'c> {
        let name = entity_words(&table.name.name, prefix);
        let keys = keys(table, &profile);
        let mut entity = Entity { table, profile, name, aliases: Vec::new(), keys };
        entity.aliases = aliases(&entity);
        entity
    }

    /// Name of a column.
    pub fn column_name(&self, column: usize) -> &str {
        &self.table.columns[column].name
    }

    /// The one column that is the primary key, or stands for it.
    pub fn home_key(&self) -> Option<usize> {
        self.keys.iter().find(|key| key.is_home).map(|key| key.column)
    }

    /// The words of the table's name that say of what it is a list.
    pub fn meaning(&self) -> Vec<String> {
        self.name.iter().filter(|word| !has(&EMPTY_NOUNS, word)).cloned().collect()
    }

    /// Whether a column is the table's own number and not a reference: its home key, unless that is named after another table.
    pub fn is_own_number(&self, column: usize, entities: &[Entity<'_>]) -> bool {
        if self.home_key() != Some(column) {
            return false;
        }
        let stem = id_stem(&words(self.column_name(column)));
        // `group_id` of extension groups is their own; `order_item_id` of an order lookup is that of the order items.
        let has_it_as_key = |other: &Entity<'_>| {
            let key = other.home_key().map(|key| id_stem(&words(other.column_name(key))));
            key.is_some_and(|key| other.meaning() == stem || (other.meaning().ends_with(&stem) && (key.is_empty() || key == stem)))
        };
        let is_anothers = entities.iter().any(|other| other.table.name != self.table.name && has_it_as_key(other));
        stem.is_empty() || self.meaning().ends_with(&stem) || !is_anothers
    }

    /// How surely a table's rows are called this: the weight of the alias, 0 when they are not.
    pub fn called(&self, stem: &[String]) -> f64 {
        self.aliases.iter().filter(|alias| alias.words == stem).map(|alias| alias.weight).fold(0.0, f64::max)
    }
}

/// Words of a table's name without the schema's prefix.
pub fn entity_words(name: &str, prefix: Option<&str>) -> Vec<String> {
    let mut all = words(name);
    if all.len() > 1 && prefix.is_some_and(|prefix| all.first().is_some_and(|first| first == prefix)) {
        all.remove(0);
    }
    all.iter().map(|word| canonical(word)).collect()
}

/// The words of a column's name without those that only say that it is a key: `id_customer` and `customerId` are both customer, and so is
/// `customer2_id`.
pub fn id_stem(words: &[String]) -> Vec<String> {
    let unnumbered = |word: &str| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        canonical(if letters.len() >= 3 { letters } else { word })
    };
    words.iter().filter(|word| !has(&ID_WORDS, word)).map(|word| unnumbered(word)).collect()
}

fn aliases(entity: &Entity<'_>) -> Vec<Alias> {
    let mut aliases = vec![Alias { words: entity.name.clone(), weight: 1.0 }];
    let mut add = |words: Vec<String>, weight: f64| {
        if !words.is_empty() && !aliases.iter().any(|alias| alias.words == words) {
            aliases.push(Alias { words, weight });
        }
    };
    let meaning = entity.meaning();
    add(meaning.clone(), 0.95);
    if let Some(key) = entity.home_key() {
        let stem = id_stem(&words(entity.column_name(key)));
        // The key of a table is named after its rows (`msg_id` of privmsgs), or after those of another that it extends.
        let is_own = stem.iter().all(|word| meaning.contains(word)) || meaning.iter().any(|word| word.ends_with(stem_text(&stem)));
        add(stem, if is_own { 0.95 } else { 0.8 });
    }
    if let Some(head) = meaning.last().filter(|_| meaning.len() > 1) {
        add(vec![head.clone()], if has(&super::vocabulary::COMMON_HEADS, head) { 0.4 } else { 0.6 });
    }
    aliases
}

fn stem_text(stem: &[String]) -> &str {
    stem.last().map_or("\0", String::as_str)
}

fn keys(table: &Table, profile: &TableProfile) -> Vec<KeyColumn> {
    let mut keys: Vec<KeyColumn> = Vec::new();
    let position = |name: &str| table.columns.iter().position(|column| column.name == name);
    let mut add = |column: Option<usize>, is_home: bool| {
        if let Some(column) = column.filter(|column| profile.columns[*column].family.is_some())
            && !keys.iter().any(|key| key.column == column)
        {
            let is_home = is_home && !keys.iter().any(|key| key.is_home);
            keys.push(KeyColumn { column, is_home });
        }
    };
    if let [only] = table.primary_key.as_slice() {
        add(position(only), true);
    }
    for unique in table.uniques.iter().filter(|unique| unique.len() == 1) {
        let is_number = position(&unique[0]).is_some_and(|at| profile.columns[at].family == Some(Family::Integer));
        add(position(&unique[0]), table.primary_key.len() != 1 && is_number);
    }
    if profile.whole {
        for (at, column) in table.columns.iter().enumerate() {
            let seen = &profile.columns[at];
            let looks_like_a_key = seen.looks_unique() && seen.nulls == 0 && seen.sampled > 1;
            let is_indexed = table.indexes.iter().any(|index| index.first() == Some(&column.name) && index.len() == 1);
            let names_a_key = words(&column.name).iter().any(|word| has(&ID_WORDS, word));
            if looks_like_a_key && (is_indexed || (table.primary_key.is_empty() && names_a_key)) {
                add(Some(at), table.primary_key.is_empty() && names_a_key);
            }
        }
    }
    keys
}
