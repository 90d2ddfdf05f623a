//! The data categories that labels and targets may name: Fideslang's default taxonomy, embedded, and what a map adds to it under
//! `data_category:`. A misspelt category would silently leave data out of an export or an erasure, so an unknown one is always an error.

use std::collections::BTreeSet;

const EMBEDDED: &str = include_str!("taxonomy.txt");

/// All known data categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    keys: BTreeSet<String>,
}

impl Default for Taxonomy {
    fn default() -> Self {
        let keys = EMBEDDED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
        Taxonomy { keys }
    }
}

impl Taxonomy {
    /// Whether a category exists.
    pub fn is_known(&self, category: &str) -> bool {
        self.keys.contains(category)
    }

    /// The known category that a misspelt one most likely means: one with the same last word, else one that is spelt alike.
    pub fn suggest(&self, category: &str) -> Option<&str> {
        let last_word = category.rsplit('.').next()?;
        let same_last_word = self.categories().find(|known| known.rsplit('.').next() == Some(last_word));
        same_last_word.or_else(|| nearest(category, self.categories()))
    }

    /// Adds a category of the map's own. Its parent, the key without its last segment, should be there too.
    pub fn add(&mut self, category: impl Into<String>) {
        self.keys.insert(category.into());
    }

    /// The category above one: `user.contact` of `user.contact.email`.
    pub fn parent_of(category: &str) -> Option<&str> {
        category.rsplit_once('.').map(|(parent, _)| parent)
    }

    /// All categories, sorted.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }
}

/// The candidate closest to a misspelt word, when one is close enough to be meant.
pub(super) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    const CLOSE_ENOUGH: f64 = 0.6;
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (candidate, strsim::normalized_damerau_levenshtein(&lower, candidate)))
        .filter(|(_, closeness)| *closeness >= CLOSE_ENOUGH)
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .map(|(candidate, _)| candidate)
}

/// `did you mean ..?`, when something is close.
pub(super) fn did_you_mean<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fideslang_has_eighty_five_categories_and_each_has_its_parent() {
        let taxonomy = Taxonomy::default();
        assert_eq!(taxonomy.categories().count(), 85);
        for category in taxonomy.categories() {
            assert!(Taxonomy::parent_of(category).is_none_or(|parent| taxonomy.is_known(parent)), "{category}");
        }
    }

    #[test]
    fn a_misspelt_category_is_unknown_and_gets_a_suggestion() {
        let taxonomy = Taxonomy::default();
        assert!(taxonomy.is_known("user.contact.email"));
        assert!(!taxonomy.is_known("user.contact.emial"));
        assert_eq!(taxonomy.suggest("user.contact.emial"), Some("user.contact.email"));
        assert_eq!(taxonomy.suggest("user.email"), Some("user.contact.email"), "not user.name, though that is spelt alike");
        assert_eq!(taxonomy.suggest("completely elsewhere"), None);
    }

    #[test]
    fn a_prefix_of_a_category_is_not_a_category() {
        assert!(!Taxonomy::default().is_known("user.cont"));
        assert!(!Taxonomy::default().is_known(""));
    }

    #[test]
    fn a_map_may_add_its_own() {
        let mut taxonomy = Taxonomy::default();
        taxonomy.add("user.workplace.badge");
        assert!(taxonomy.is_known("user.workplace.badge"));
    }
}
