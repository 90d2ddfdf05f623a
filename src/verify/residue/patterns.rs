//! The forms in which an identifier may have been copied: other case, other Unicode form, percent-encoded, base64, JSON-escaped, hex,
//! hashed. Pure. A value too weak to be searched in free text (a small number, a short word) gets no pattern and a reason instead.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256, Sha512};
use unicode_normalization::UnicodeNormalization;

/// How an identifier was written where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Byte for byte.
    Exact,
    /// ASCII letters in another case.
    OtherCase,
    /// Another Unicode normalisation form, or non-ASCII letters in another case.
    Unicode,
    /// Percent-encoded, once or twice, or form-encoded.
    Percent,
    /// Base64, alone or inside a longer encoded text, either alphabet.
    Base64,
    /// Escaped as in a JSON string.
    JsonEscaped,
    /// Hexadecimal digits of its bytes.
    Hex,
    /// SHA-256, as hex, base64 or bytes.
    Sha256,
    /// SHA-512, as hex, base64 or bytes.
    Sha512,
    /// The whole value of a column is this weak identifier. A possible hit, never a certain one.
    WholeValue,
}

/// Why an identifier is not searched in free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weakness {
    /// Fewer than 6 characters.
    Short,
    /// A number of fewer than 9 digits.
    Number,
}

/// Bytes to look for. All are found whatever the case of ASCII letters; `case_matters` is checked on what was found.
pub(super) struct Pattern {
    pub bytes: Vec<u8>,
    pub form: Form,
    pub case_matters: bool,
    /// Readable text: inside a longer word it is somebody else's (`ada@x.org` in `canada@x.org`).
    pub is_text: bool,
}

const SHORTEST_TEXT: usize = 6;
const SHORTEST_NUMBER: usize = 9;
/// A shorter piece of base64 would be found by chance.
const SHORTEST_BASE64_PIECE: usize = 10;

/// Whether a value is too weak for free text, and why.
pub(super) fn weakness(value: &str) -> Option<Weakness> {
    let count = value.chars().count();
    if count < SHORTEST_NUMBER && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Some(Weakness::Number)
    } else if count < SHORTEST_TEXT {
        Some(Weakness::Short)
    } else {
        None
    }
}

/// All patterns of one identifier, each distinct. The first is the value itself.
pub(super) fn patterns_of(value: &str) -> Vec<Pattern> {
    let mut set = PatternSet::default();
    let spellings = spellings(value);
    set.add_text(value, Form::Exact);
    for spelling in &spellings {
        set.add_text(spelling, Form::Unicode);
    }
    for spelling in &spellings {
        let component = percent_encode(spelling, b"-_.~");
        set.add_text(&percent_encode(&component, b"-_.~"), Form::Percent);
        set.add_text(&percent_encode(spelling, b"-_.!~*'()"), Form::Percent);
        set.add_text(&percent_encode(spelling, b"-_.!~*'();,/?:@&=+$#"), Form::Percent);
        set.add_text(&component.replace("%20", "+"), Form::Percent);
        set.add_text(&component, Form::Percent);
        set.add_text(&json_escape(spelling, ""), Form::JsonEscaped);
        set.add_text(&json_escape(spelling, "<>&'+"), Form::JsonEscaped);
        set.add_text(&json_escape(spelling, "/"), Form::JsonEscaped);
        set.add_base64(spelling.as_bytes());
        set.add_encoded(hex(spelling.as_bytes()).into_bytes(), Form::Hex, false);
        set.add_digest(&Sha256::digest(spelling), Form::Sha256);
        set.add_digest(&Sha512::digest(spelling), Form::Sha512);
    }
    set.patterns
}

/// The value, its lower and upper case, and the Unicode forms of each: what applications normalise to before they store or hash.
fn spellings(value: &str) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for cased in [value.to_owned(), value.to_ascii_lowercase(), value.to_lowercase(), value.to_uppercase()] {
        for form in [cased.clone(), cased.nfc().collect(), cased.nfd().collect(), cased.nfkc().collect()] {
            if seen.insert(form.clone()) {
                all.push(form);
            }
        }
    }
    all
}

#[derive(Default)]
struct PatternSet {
    patterns: Vec<Pattern>,
    /// What is there already: as found without regard to case, and exact where case matters.
    seen: HashSet<(bool, Vec<u8>)>,
}

impl PatternSet {
    fn add(&mut self, pattern: Pattern) {
        let known = if pattern.case_matters { pattern.bytes.clone() } else { pattern.bytes.to_ascii_lowercase() };
        if self.seen.insert((pattern.case_matters, known)) {
            self.patterns.push(pattern);
        }
    }

    fn add_text(&mut self, text: &str, form: Form) {
        self.add(Pattern { bytes: text.as_bytes().to_vec(), form, case_matters: false, is_text: true });
    }

    fn add_encoded(&mut self, bytes: Vec<u8>, form: Form, case_matters: bool) {
        self.add(Pattern { bytes, form, case_matters, is_text: false });
    }

    fn add_digest(&mut self, digest: &[u8], form: Form) {
        self.add_encoded(hex(digest).into_bytes(), form, false);
        self.add_both_alphabets(&STANDARD_NO_PAD.encode(digest), form);
        self.add_encoded(digest.to_vec(), form, true);
    }

    /// The value encoded alone, and what is left of it at each of the three alignments inside a longer encoded text (a token, a cookie).
    fn add_base64(&mut self, value: &[u8]) {
        self.add_both_alphabets(&STANDARD_NO_PAD.encode(value), Form::Base64);
        for lead in 0..3 {
            let shifted = [vec![0; lead], value.to_vec()].concat();
            let encoded = STANDARD_NO_PAD.encode(&shifted);
            let first = (lead * 8).div_ceil(6);
            let end = shifted.len() * 8 / 6;
            if end >= first + SHORTEST_BASE64_PIECE {
                self.add_both_alphabets(&encoded[first..end], Form::Base64);
            }
        }
    }

    fn add_both_alphabets(&mut self, encoded: &str, form: Form) {
        self.add_encoded(encoded.as_bytes().to_vec(), form, true);
        self.add_encoded(encoded.replace('+', "-").replace('/', "_").into_bytes(), form, true);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Percent-encodes all but ASCII letters, digits and what is listed.
fn percent_encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The inside of a JSON string in ASCII; `also` are characters that some encoders escape beyond need.
fn json_escape(text: &str, also: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => escaped.extend(['\\', character]),
            '/' if also == "/" => escaped.push_str("\\/"),
            c if c.is_ascii() && !also.contains(c) => escaped.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(value: &str, form: Form) -> Vec<String> {
        let all = patterns_of(value);
        all.iter().filter(|p| p.form == form).filter_map(|p| String::from_utf8(p.bytes.clone()).ok()).collect()
    }

    #[test]
    fn weak_values_are_named_with_a_reason() {
        assert_eq!(weakness("42"), Some(Weakness::Number));
        assert_eq!(weakness("12345678"), Some(Weakness::Number));
        assert_eq!(weakness("123456789"), None);
        assert_eq!(weakness("Ada"), Some(Weakness::Short));
        assert_eq!(weakness("a@b.io"), None);
    }

    #[test]
    fn the_value_itself_is_the_first_pattern_and_none_comes_twice() {
        let patterns = patterns_of("Ada@Example.com");
        assert_eq!(patterns[0].bytes, b"Ada@Example.com");
        assert_eq!(texts("Ada@Example.com", Form::Unicode), Vec::<String>::new(), "ASCII has one Unicode form");
        assert_eq!(texts("ada@example.com", Form::JsonEscaped), Vec::<String>::new(), "nothing to escape");
    }

    #[test]
    fn every_form_of_an_address_with_an_accent_is_there() {
        assert!(texts("josé+1@x.org", Form::Unicode).contains(&"jose\u{301}+1@x.org".to_owned()));
        assert!(texts("josé+1@x.org", Form::Unicode).contains(&"JOSÉ+1@X.ORG".to_owned()));
        assert!(texts("josé+1@x.org", Form::Percent).contains(&"jos%C3%A9%2B1%40x.org".to_owned()));
        assert!(texts("josé+1@x.org", Form::Percent).contains(&"jos%C3%A9+1@x.org".to_owned()));
        assert!(texts("josé+1@x.org", Form::Percent).contains(&"jos%25C3%25A9%252B1%2540x.org".to_owned()));
        assert!(texts("Ada Byron", Form::Percent).contains(&"Ada+Byron".to_owned()));
        assert!(texts("josé+1@x.org", Form::JsonEscaped).contains(&"jos\\u00e9+1@x.org".to_owned()));
        assert!(texts("josé+1@x.org", Form::JsonEscaped).contains(&"jos\\u00e9\\u002b1@x.org".to_owned()));
        assert!(texts("ada@x.org", Form::Hex).contains(&"61646140782e6f7267".to_owned()));
        assert!(
            texts("Ada@x.org", Form::Sha256).contains(&hex(&Sha256::digest("ada@x.org"))),
            "audiences hash the lower-case form"
        );
    }

    #[test]
    fn base64_is_found_at_any_alignment_of_a_longer_text() {
        let pieces = texts("ada@example.com", Form::Base64);
        for lead in ["", "x", "xy", "xyz"] {
            let longer = base64::engine::general_purpose::STANDARD.encode(format!("{lead}ada@example.com\"}}"));
            assert!(pieces.iter().any(|piece| longer.contains(piece.as_str())), "{lead}");
        }
    }
}
