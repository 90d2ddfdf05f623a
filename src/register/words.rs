//! Which categories are special, which countries are in the EEA, and how things are called in a register.

use super::{Category, RetentionPart};
use crate::archive::{category_in_words, period_in_words};
use crate::datamap::{Collection, DataMap, category_matches};

/// Labels of Art. 9(1), with everything below them. Trade union membership has no label of its own in Fideslang.
const SPECIAL: [&str; 8] = [
    "user.biometric",
    "user.authorization.biometric",
    "user.health_and_medical",
    "user.demographic.race_ethnicity",
    "user.demographic.political_opinion",
    "user.demographic.religious_belief",
    "user.demographic.sexual_orientation",
    "user.demographic.trade_union",
];
/// Labels of Art. 10.
const CRIMINAL: [&str; 1] = ["user.criminal_history"];

/// The Union's members with Iceland, Liechtenstein and Norway: ISO 3166-1 alpha-2 and alpha-3.
const EEA: [(&str, &str); 30] = [
    ("AT", "AUT"),
    ("BE", "BEL"),
    ("BG", "BGR"),
    ("HR", "HRV"),
    ("CY", "CYP"),
    ("CZ", "CZE"),
    ("DK", "DNK"),
    ("EE", "EST"),
    ("FI", "FIN"),
    ("FR", "FRA"),
    ("DE", "DEU"),
    ("GR", "GRC"),
    ("HU", "HUN"),
    ("IS", "ISL"),
    ("IE", "IRL"),
    ("IT", "ITA"),
    ("LV", "LVA"),
    ("LI", "LIE"),
    ("LT", "LTU"),
    ("LU", "LUX"),
    ("MT", "MLT"),
    ("NL", "NLD"),
    ("NO", "NOR"),
    ("PL", "POL"),
    ("PT", "PRT"),
    ("RO", "ROU"),
    ("SK", "SVK"),
    ("SI", "SVN"),
    ("ES", "ESP"),
    ("SE", "SWE"),
];

/// Whether a country is in the European Economic Area.
pub(super) fn is_in_eea(country: &str) -> bool {
    country == "EEA" || EEA.iter().any(|(two, three)| *two == country || *three == country)
}

/// A category with its words and whether it is special.
pub(super) fn category(map: &DataMap, key: &str) -> Category {
    let is_one_of = |list: &[&str]| list.iter().any(|special| category_matches(special, key));
    let special = match (is_one_of(&SPECIAL), is_one_of(&CRIMINAL)) {
        (true, _) => Some("art9"),
        (_, true) => Some("art10"),
        _ => None,
    };
    let words = map.category_names.get(key).cloned().unwrap_or_else(|| category_in_words(key));
    Category { key: key.to_owned(), words, special }
}

/// The retention of a collection; nothing where the map says nothing of use.
pub(super) fn retention(name: &str, collection: &Collection) -> Option<RetentionPart> {
    let retention = collection.retention.as_ref()?;
    let period = retention.delete_after.as_deref().map(period_in_words);
    let words = match (period, &retention.counted_from) {
        (Some(period), Some(from)) => format!("{period} after {from}"),
        (Some(period), None) => period,
        (None, Some(from)) => format!("until {from}"),
        (None, None) => retention.class.as_ref().map(|class| format!("class {class}"))?,
    };
    Some(RetentionPart {
        collection: Some(name.to_owned()),
        delete_after: retention.delete_after.clone(),
        counted_from: retention.counted_from.clone(),
        class: retention.class.clone(),
        words,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_categories_are_marked_with_everything_below_them() {
        let map = DataMap::default();
        let special = |key: &str| category(&map, key).special;
        assert_eq!(special("user.health_and_medical.genetic"), Some("art9"));
        assert_eq!(special("user.biometric"), Some("art9"));
        assert_eq!(special("user.criminal_history"), Some("art10"));
        assert_eq!(special("user.demographic.gender"), None);
        assert_eq!(special("user.name"), None);
    }

    #[test]
    fn the_eea_is_the_union_with_three_more() {
        assert!(["AT", "NO", "DEU", "EEA"].iter().all(|country| is_in_eea(country)));
        assert!(!["CH", "GB", "US", "USA", "at"].iter().any(|country| is_in_eea(country)));
    }
}
