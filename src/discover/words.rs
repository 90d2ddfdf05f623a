//! Names as words: `topic_last_poster_id`, `leadContactId` and `id_address_delivery` are all a few words, some of which say only that a
//! row is referred to. Pure text; what the words mean is in `vocabulary.rs`.

/// The words of a name, in lower case: split at what is no letter or digit and where capitals begin.
pub fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, character) in characters.iter().enumerate() {
        if !character.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|at| characters[at]);
        let after = characters.get(at + 1);
        let after_lower = before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        let ends_run = before.is_some_and(char::is_uppercase) && after.is_some_and(|after| after.is_lowercase());
        if character.is_uppercase() && (after_lower || ends_run) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The singular of an English word, as table names are formed.
pub fn singular(word: &str) -> String {
    const IRREGULAR: [(&str, &str); 4] = [("people", "person"), ("children", "child"), ("data", "data"), ("news", "news")];
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return format!("{stem}y");
    }
    for ending in ["sses", "ches", "shes", "xes", "uses", "zzes"] {
        if word.len() > ending.len() && word.ends_with(ending) {
            return word[..word.len() - 2].to_owned();
        }
    }
    let is_plural = word.len() > 2 && word.ends_with('s') && !["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    if is_plural { word[..word.len() - 1].to_owned() } else { word.to_owned() }
}

/// Whether a word is the plural of another.
pub fn is_plural(word: &str) -> bool {
    singular(word) != word
}

/// The full word of a common abbreviation, in the singular.
pub fn canonical(word: &str) -> String {
    let one = singular(word);
    let full = ABBREVIATIONS.iter().find(|(short, _)| *short == one).map(|(_, full)| (*full).to_owned());
    full.unwrap_or(one)
}

const ABBREVIATIONS: [(&str, &str); 34] = [
    ("acct", "account"),
    ("addr", "address"),
    ("attach", "attachment"),
    ("attr", "attribute"),
    ("auth", "auth"),
    ("cat", "category"),
    ("cfg", "config"),
    ("cust", "customer"),
    ("dept", "department"),
    ("dest", "destination"),
    ("doc", "document"),
    ("emp", "employee"),
    ("grp", "group"),
    ("img", "image"),
    ("inv", "invoice"),
    ("lang", "language"),
    ("loc", "location"),
    ("mgr", "manager"),
    ("mod", "moderator"),
    ("msg", "message"),
    ("opt", "option"),
    ("ord", "order"),
    ("org", "organization"),
    ("organisation", "organization"),
    ("perm", "permission"),
    ("pic", "picture"),
    ("pm", "privmsg"),
    ("prod", "product"),
    ("proj", "project"),
    ("pwd", "password"),
    ("tel", "phone"),
    ("tx", "transaction"),
    ("txn", "transaction"),
    ("usr", "user"),
];

/// Words that say that a column refers to a row, and not to which.
pub const ID_WORDS: [&str; 12] = ["id", "fk", "uuid", "guid", "uid", "oid", "key", "ref", "no", "nr", "pk", "xid"];

/// The first word of table names when most tables of a schema share it (`phpbb_`, `ps_`).
pub fn common_prefix<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Option<String> {
    const FEWEST: usize = 3;
    let total = names.clone().count();
    let mut counts = std::collections::BTreeMap::new();
    for name in names {
        if let Some((first, rest)) = name.split_once('_').filter(|(_, rest)| !rest.is_empty()) {
            let _ = rest;
            *counts.entry(first.to_lowercase()).or_insert(0usize) += 1;
        }
    }
    let (prefix, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
    (count >= FEWEST && count * 10 >= total * 7).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_however_they_are_written() {
        assert_eq!(words("topic_last_poster_id"), ["topic", "last", "poster", "id"]);
        assert_eq!(words("leadContactId"), ["lead", "contact", "id"]);
        assert_eq!(words("ContactInfo"), ["contact", "info"]);
        assert_eq!(words("comment_post_ID"), ["comment", "post", "id"]);
        assert_eq!(words("IPAddress"), ["ip", "address"]);
        assert_eq!(words("__"), Vec::<String>::new());
    }

    #[test]
    fn words_are_brought_to_their_singular() {
        for (many, one) in
            [("users", "user"), ("categories", "category"), ("addresses", "address"), ("statuses", "status"), ("boxes", "box")]
        {
            assert_eq!(singular(many), one);
        }
        for same in ["address", "status", "news", "data", "analysis", "us"] {
            assert_eq!(singular(same), same);
        }
        assert_eq!(canonical("msgs"), "message");
    }

    #[test]
    fn a_prefix_counts_only_where_most_tables_share_it() {
        let shop = ["ps_orders", "ps_cart", "ps_customer", "other"];
        assert_eq!(common_prefix(shop.into_iter()), Some("ps".to_owned()));
        let mixed = ["order_lines", "order_notes", "users", "groups", "things"];
        assert_eq!(common_prefix(mixed.into_iter()), None);
    }
}
