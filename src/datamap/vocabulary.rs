//! Words with names: Fideslang's data subjects and data uses, embedded, and what a map adds to them. An unknown one is an error, as an unknown
//! category is: a register with a misspelt word would say nothing that anybody could look up.

use std::collections::BTreeMap;

/// Keys with their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    names: BTreeMap<String, String>,
}

impl Vocabulary {
    /// Fideslang's categories of data subjects.
    pub fn data_subjects() -> Vocabulary {
        Vocabulary::read(include_str!("subjects.txt"))
    }

    /// Fideslang's uses of data.
    pub fn data_uses() -> Vocabulary {
        Vocabulary::read(include_str!("uses.txt"))
    }

    fn read(list: &str) -> Vocabulary {
        let entries = list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '));
        Vocabulary { names: entries.map(|(key, name)| (key.to_owned(), name.to_owned())).collect() }
    }

    /// Adds a word of the map's own.
    pub fn add(&mut self, key: String, name: String) {
        self.names.insert(key, name);
    }

    /// The name of a key; the key itself when it is unknown.
    pub fn name<'v>(&'v self, key: &'v str) -> &'v str {
        self.names.get(key).map_or(key, String::as_str)
    }

    /// Whether there is such a key.
    pub fn is_known(&self, key: &str) -> bool {
        self.names.contains_key(key)
    }

    /// All keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fideslang_has_fifteen_subjects_and_fifty_six_uses() {
        let (subjects, uses) = (Vocabulary::data_subjects(), Vocabulary::data_uses());
        assert_eq!((subjects.keys().count(), uses.keys().count()), (15, 56));
        assert_eq!(subjects.name("supplier_vendor"), "Supplier/Vendor");
        assert!(uses.is_known("essential.service.security") && !uses.is_known("essential.servce"));
    }
}
