//! What a column's name says about the table that it refers to: `poster_id`, `leadContactId`, `id_address_delivery`, `created_by`,
//! `order.current_state`. A match is a reason, a strength from 0 to 1, and never a decision: data comes after it.

use serde::Serialize;

use super::entity::{Entity, id_stem};
use super::vocabulary::{OWN_TABLE, PERSON_ROLES, has};
use super::words::{ID_WORDS, is_plural, words};

/// Why a name fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The column is called like the key itself.
    SameNameAsKey,
    /// What remains without "id" is what the table's rows are called.
    NamesTheTable,
    /// With the name of its own table in front it names the table (`order.state`: order state).
    NamesItWithOwnTable,
    /// The last words name the table, those before say which role (`last_post_id`).
    EndsWithTheTable,
    /// The first words name the table, those after say which role (`id_address_delivery`).
    BeginsWithTheTable,
    /// The table's name stands in the middle.
    ContainsTheTable,
    /// A role that a person has (`created_by`, `reviewer`).
    RoleOfAPerson,
    /// Another row of the same table (`parent_id`, `reply_to`).
    RowOfTheSameTable,
}

/// A fit of names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NameMatch {
    /// Why.
    pub reason: Reason,
    /// How strong, from 0 to 1.
    pub strength: f64,
}

/// A column's name taken apart.
pub struct ColumnWords {
    all: Vec<String>,
    /// Without what only says "key".
    pub stem: Vec<String>,
    /// The stem without the own table's name in front.
    pub role: Vec<String>,
    /// Whether the name says that it is a key (`_id`, `id_`, `_fk`, `_by`).
    pub says_key: bool,
    /// Whether it ends in `by`.
    pub says_by: bool,
    ends_in_plural: bool,
}

impl ColumnWords {
    /// Takes a name apart. `known` tells whether a word is what some table's rows are called: `userid` is user id where there are users.
    pub fn new(entity: &Entity<'_>, column: usize, known: &dyn Fn(&str) -> bool) -> ColumnWords {
        let mut all = Vec::new();
        for word in words(entity.column_name(column)) {
            match word.strip_suffix("id").filter(|stem| stem.len() > 2 && known(stem)) {
                Some(stem) => all.extend([stem.to_owned(), "id".to_owned()]),
                None => all.push(word),
            }
        }
        let is_id = |word: Option<&String>| word.is_some_and(|word| has(&ID_WORDS, word));
        let mut stem = id_stem(&all);
        // `created_by`, and `created_by_id` as well.
        let says_by = stem.len() > 1 && stem.last().is_some_and(|word| word == "by");
        let says_key = all.len() > 1 && (is_id(all.first()) || is_id(all.last())) || says_by;
        if says_by {
            stem.pop();
        }
        let ends_in_plural = all.last().is_some_and(|word| is_plural(word));
        let role = without_own_name(entity, &stem);
        ColumnWords { all, stem, role, says_key, says_by, ends_in_plural }
    }

    /// Whether the name is nothing but "id".
    pub fn is_bare(&self) -> bool {
        self.stem.is_empty()
    }
}

/// Columns repeat the name of their table in front (`topic_poster` of topics, `comment_parent`), in full or its first or last word.
fn without_own_name(entity: &Entity<'_>, stem: &[String]) -> Vec<String> {
    let mut longest = 0;
    for alias in &entity.aliases {
        if stem.len() > alias.words.len() && stem.starts_with(&alias.words) {
            longest = longest.max(alias.words.len());
        }
    }
    if longest == 0 && stem.len() > 1 && entity.name.first() == stem.first() {
        longest = 1;
    }
    stem[longest..].to_vec()
}

/// The best reason for which the column could refer to the key of the target; `people` says whether its rows are people.
pub fn compare(
    column: &ColumnWords,
    own: &Entity<'_>,
    (target, key): (&Entity<'_>, usize),
    same_table: bool,
    people: f64,
) -> Option<NameMatch> {
    let mut best: Option<NameMatch> = None;
    let mut offer = |reason: Reason, strength: f64| {
        if strength > 0.0 && best.is_none_or(|best| strength > best.strength) {
            best = Some(NameMatch { reason, strength });
        }
    };
    let is_home = target.home_key() == Some(key);
    let key_words = words(target.column_name(key));
    let key_is_generic = id_stem(&key_words).is_empty();
    if same_table {
        if column.role.iter().any(|word| has(&OWN_TABLE, word)) && is_home {
            let sure = if column.says_key { 0.9 } else { 0.8 };
            // `item_parent_id` is the parent of the item, whatever that is.
            let names_more = column.role.iter().any(|word| !has(&OWN_TABLE, word) && !has(&["to", "level"], word));
            offer(Reason::RowOfTheSameTable, if names_more { sure * 0.6 } else { sure });
        }
    } else {
        let same_name = column.all == key_words && !key_is_generic && (is_home || column.says_key);
        if same_name {
            offer(Reason::SameNameAsKey, 0.77 + 0.2 * target.called(&column.stem));
        }
        let together: Vec<String> = own.name.iter().chain(&column.role).cloned().collect();
        let counts = column.ends_in_plural && !column.says_key;
        if !column.role.is_empty() && !counts && is_home && target.name == together {
            offer(Reason::NamesItWithOwnTable, if same_name { 0.99 } else { 0.9 });
        }
        if is_home && column.says_key && together_with_first(own, column, target) {
            offer(Reason::NamesItWithOwnTable, if same_name { 0.99 } else { 0.85 });
        }
        if is_home && !column.says_key && !column.ends_in_plural && together_with_last(own, column, target) {
            offer(Reason::NamesItWithOwnTable, 0.88);
        }
    }
    if is_home {
        by_alias(column, target, same_table, &mut offer);
        if people > 0.0 {
            by_role(column, people, &mut offer);
        }
    } else if !same_table {
        by_code(column, target, key, &mut offer);
    }
    best
}

/// `extensions.group_id` where there are extension groups: the first word of the own table and the column's words.
fn together_with_first(own: &Entity<'_>, column: &ColumnWords, target: &Entity<'_>) -> bool {
    let Some(first) = own.name.first() else { return false };
    target.name.len() == column.stem.len() + 1 && target.name.first() == Some(first) && target.name[1..] == column.stem
}

/// `order.current_state` where there are order states.
fn together_with_last(own: &Entity<'_>, column: &ColumnWords, target: &Entity<'_>) -> bool {
    let Some(last) = column.role.last().filter(|_| column.role.len() > 1) else { return false };
    target.name.len() == own.name.len() + 1 && target.name.starts_with(&own.name) && target.name.last() == Some(last)
}

fn by_alias(column: &ColumnWords, target: &Entity<'_>, same_table: bool, offer: &mut impl FnMut(Reason, f64)) {
    // A plural counts or lists (`user_posts`, `paperIds`); without "id" a name alone is weak.
    let sure = match (column.says_key, column.ends_in_plural) {
        (true, false) => 1.0,
        (false, false) => 0.85,
        _ => 0.2,
    };
    for alias in &target.aliases {
        let named = &alias.words;
        // The last word alone of a table's name is too little for a column that does not even say that it is a key.
        let too_little = if column.says_key || alias.weight > 0.6 { 1.0 } else { 0.6 };
        let weight = alias.weight * sure * too_little;
        if same_table {
            // Of its own table a column names another row only with a role (`primaryContactId`).
            if column.says_key && column.stem.len() > named.len() && column.stem.ends_with(named) && alias.weight >= 0.6 {
                offer(Reason::EndsWithTheTable, 0.86 * weight.max(0.9));
            }
            continue;
        }
        if &column.stem == named {
            offer(Reason::NamesTheTable, 0.97 * weight);
        } else if &column.role == named {
            offer(Reason::NamesTheTable, 0.94 * weight);
        } else if column.stem.len() > named.len() {
            if column.stem.ends_with(named) {
                offer(Reason::EndsWithTheTable, 0.88 * weight);
            } else if (column.stem.starts_with(named) || column.role.starts_with(named)) && column.says_key {
                offer(Reason::BeginsWithTheTable, 0.82 * weight);
            } else if column.says_key && column.stem.windows(named.len()).any(|part| part == named.as_slice()) {
                offer(Reason::ContainsTheTable, 0.6 * weight);
            }
        }
    }
}

fn by_role(column: &ColumnWords, people: f64, offer: &mut impl FnMut(Reason, f64)) {
    let role = column.role.last().map_or("", String::as_str);
    if column.says_by {
        offer(Reason::RoleOfAPerson, 0.9 * people);
    } else if has(&PERSON_ROLES, role) {
        offer(Reason::RoleOfAPerson, if column.says_key { 0.88 } else { 0.82 } * people);
    }
}

/// A code or name that is unique in its table (`user_lang` and `lang.lang_iso`).
fn by_code(column: &ColumnWords, target: &Entity<'_>, key: usize, offer: &mut impl FnMut(Reason, f64)) {
    let code = id_stem(&words(target.column_name(key)));
    if column.all.len() > 1 && !code.is_empty() && column.stem == code && code.len() > 1 {
        offer(Reason::SameNameAsKey, 0.75);
    }
    if column.ends_in_plural {
        return;
    }
    for alias in target.aliases.iter().filter(|alias| alias.weight > 0.6) {
        if column.role == alias.words || column.stem == alias.words {
            offer(Reason::NamesTheTable, 0.72 * alias.weight);
        }
        let with_code: Vec<String> = alias.words.iter().chain(&code).cloned().collect();
        if column.stem == with_code {
            offer(Reason::NamesTheTable, 0.9 * alias.weight);
        }
    }
}
