//! "Did you mean …?": the nearest of the known words. Used wherever an unknown key or word is an error, so that every such error
//! suggests by the same rule. It only ever suggests a word of the program's own list; it never repeats a value.

/// The known word that is nearest to `word`, unless none is near enough to be what was meant.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = word.to_ascii_lowercase().replace('-', "_");
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&folded, candidate), candidate))
        .filter(|(distance, candidate)| is_near(&folded, candidate, *distance))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The hint for an unknown word: the nearest known one, or else the whole list.
pub fn hint(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => "nothing may stand here".into(),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// A third of the word may be mistyped; a word that continues the other (`copy`, `copies_dir`) is near as well.
fn is_near(word: &str, candidate: &str, distance: usize) -> bool {
    let longest = word.chars().count().max(candidate.chars().count());
    let continues = word.len() >= 3 && (candidate.starts_with(word) || word.starts_with(candidate));
    continues || distance <= (longest / 3).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["max_rows", "max_share", "plan_age"];

    #[test]
    fn a_slip_of_the_keyboard_finds_the_word_meant() {
        assert_eq!(nearest("max_row", KNOWN.iter().copied()), Some("max_rows"));
        assert_eq!(nearest("max-rows", KNOWN.iter().copied()), Some("max_rows"));
        assert_eq!(nearest("MaxRows", KNOWN.iter().copied()), Some("max_rows"));
        assert_eq!(nearest("plan_aeg", KNOWN.iter().copied()), Some("plan_age"));
    }

    #[test]
    fn a_word_unlike_all_others_is_answered_with_the_list() {
        assert_eq!(hint("colour", KNOWN), "known here: max_rows, max_share, plan_age");
        assert_eq!(hint("x", &[]), "nothing may stand here");
    }
}
