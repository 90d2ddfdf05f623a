//! The codes of a legal basis: the letters of Art. 6(1) GDPR, those of Art. 9(2) for special categories, and Art. 10. `legal_basis` of a map is
//! text, several with commas; this file knows which of them are codes, and what a person most likely meant by the others.

use super::taxonomy::nearest;

/// Code and words. The words name no person, so that they fit an archive, a register and a letter.
const BASES: [(&str, &str); 17] = [
    ("art6_1_a", "consent (Art. 6(1)(a))"),
    ("art6_1_b", "contract (Art. 6(1)(b))"),
    ("art6_1_c", "legal obligation (Art. 6(1)(c))"),
    ("art6_1_d", "vital interests (Art. 6(1)(d))"),
    ("art6_1_e", "task in the public interest (Art. 6(1)(e))"),
    ("art6_1_f", "legitimate interests (Art. 6(1)(f))"),
    ("art9_2_a", "explicit consent (Art. 9(2)(a))"),
    ("art9_2_b", "employment and social protection law (Art. 9(2)(b))"),
    ("art9_2_c", "vital interests (Art. 9(2)(c))"),
    ("art9_2_d", "not-for-profit body (Art. 9(2)(d))"),
    ("art9_2_e", "made public by the data subject (Art. 9(2)(e))"),
    ("art9_2_f", "legal claims (Art. 9(2)(f))"),
    ("art9_2_g", "substantial public interest (Art. 9(2)(g))"),
    ("art9_2_h", "health or social care (Art. 9(2)(h))"),
    ("art9_2_i", "public health (Art. 9(2)(i))"),
    ("art9_2_j", "archiving, research and statistics (Art. 9(2)(j))"),
    ("art10", "official authority or law on criminal convictions (Art. 10)"),
];

/// What people write instead, in lower case.
const PROSE: [(&str, &str); 11] = [
    ("explicit consent", "art9_2_a"),
    ("consent", "art6_1_a"),
    ("einwilligung", "art6_1_a"),
    ("contract", "art6_1_b"),
    ("vertrag", "art6_1_b"),
    ("legal obligation", "art6_1_c"),
    ("rechtliche verpflichtung", "art6_1_c"),
    ("vital interest", "art6_1_d"),
    ("public interest", "art6_1_e"),
    ("legitimate interest", "art6_1_f"),
    ("berechtigtes interesse", "art6_1_f"),
];

/// The parts of a `legal_basis`, as they are separated by commas.
pub fn legal_bases(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// A code in words; `None` for what is no code.
pub fn legal_basis_words(code: &str) -> Option<&'static str> {
    BASES.iter().find(|(known, _)| *known == code).map(|(_, words)| *words)
}

/// The code that a person most likely meant.
pub fn suggest_legal_basis(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let squeezed: String = lower.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let tail = squeezed.trim_start_matches("article").trim_start_matches("art").trim_end_matches("gdpr").trim_end_matches("dsgvo");
    let bare = |code: &str| code.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>();
    let same = BASES.iter().map(|(code, _)| *code).find(|code| bare(code).trim_start_matches("art") == tail);
    same.or_else(|| PROSE.iter().find(|(prose, _)| lower.contains(prose)).map(|(_, code)| *code))
        .or_else(|| nearest(&lower, BASES.iter().map(|(code, _)| *code)))
}

/// Whether a code is one that special categories of data need beside that of Art. 6.
pub fn is_basis_for_special_categories(code: &str) -> bool {
    code.starts_with("art9_2_") && legal_basis_words(code).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_words_and_what_is_no_code_gets_a_suggestion() {
        assert_eq!(legal_bases("art6_1_b, art6_1_c,").collect::<Vec<_>>(), ["art6_1_b", "art6_1_c"]);
        assert_eq!(legal_basis_words("art6_1_b"), Some("contract (Art. 6(1)(b))"));
        assert_eq!(legal_basis_words("Art. 6"), None);
        for (text, code) in [
            ("Art. 6(1)(b) GDPR", "art6_1_b"),
            ("Art 9 (2) h", "art9_2_h"),
            ("art6_1b", "art6_1_b"),
            ("art_6_1_f", "art6_1_f"),
            ("our legitimate interests", "art6_1_f"),
            ("explicit consent", "art9_2_a"),
            ("Vertrag", "art6_1_b"),
        ] {
            assert_eq!(suggest_legal_basis(text), Some(code), "{text}");
        }
        assert_eq!(suggest_legal_basis("because we can"), None);
    }
}
