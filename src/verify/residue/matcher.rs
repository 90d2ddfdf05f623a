//! All patterns of all people in one automaton: a value is read once, whoever it is searched for. Its Debug form and everything that
//! it returns name people by their index and identifiers by their kind, never by value (S-1).

use std::collections::HashMap;

use aho_corasick::AhoCorasick;
use serde::Serialize;

use super::ResidueError;
use super::boundary::is_inside_longer_word;
use super::escapes::unescaped_layers;
use super::patterns::{Form, Pattern, Weakness, patterns_of, weakness};
use crate::crypto::random_bytes;
use crate::subject::Identifier;

/// Searches values for the identifiers of several people at once, and for one control value that nobody has.
pub struct Matcher {
    automaton: AhoCorasick,
    entries: Vec<Entry>,
    /// Weak values in lower case, with the people who have them.
    whole_values: HashMap<Vec<u8>, Vec<(usize, usize)>>,
    longest_whole_value: usize,
    kinds: Vec<Vec<String>>,
    weak: Vec<WeakIdentifier>,
    control_value: String,
}

struct Entry {
    person: usize,
    identifier: usize,
    pattern: Pattern,
}

/// An identifier that is compared with whole values only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeakIdentifier {
    /// Index of the person.
    pub person: usize,
    /// Kind of the identifier.
    pub kind: String,
    /// Why free text is not searched for it.
    pub weakness: Weakness,
}

/// One thing found in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Found {
    /// Index of the person; the number of people stands for the control value.
    pub person: usize,
    /// Index of the identifier among the person's.
    pub identifier: usize,
    /// How it was written.
    pub form: Form,
    /// False where it may be somebody else's: inside a longer word, or a weak identifier.
    pub certain: bool,
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Matcher({} people, {} patterns)", self.people(), self.entries.len())
    }
}

impl Matcher {
    /// Builds the automaton for the identifiers of each person, all aliases included.
    pub fn build(people: &[&[Identifier]]) -> Result<Matcher, ResidueError> {
        let mut entries = Vec::new();
        let mut whole_values: HashMap<Vec<u8>, Vec<(usize, usize)>> = HashMap::new();
        let mut weak = Vec::new();
        for (person, identifiers) in people.iter().enumerate() {
            for (identifier, named) in identifiers.iter().enumerate() {
                match weakness(named.expose()) {
                    Some(weakness) => {
                        weak.push(WeakIdentifier { person, kind: named.kind.clone(), weakness });
                        whole_values
                            .entry(named.expose().to_ascii_lowercase().into_bytes())
                            .or_default()
                            .push((person, identifier));
                    }
                    None => entries.extend(entries_of(person, identifier, named.expose())),
                }
            }
        }
        let control_value = control_value()?;
        entries.extend(entries_of(people.len(), 0, &control_value));
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(entries.iter().map(|entry| entry.pattern.bytes.as_slice()))
            .map_err(|_| ResidueError::TooMany)?;
        Ok(Matcher {
            automaton,
            entries,
            longest_whole_value: whole_values.keys().map(Vec::len).max().unwrap_or(0),
            whole_values,
            kinds: people.iter().map(|identifiers| identifiers.iter().map(|i| i.kind.clone()).collect()).collect(),
            weak,
            control_value,
        })
    }

    /// How many people are searched for.
    pub fn people(&self) -> usize {
        self.kinds.len()
    }

    /// Identifiers that free text is not searched for.
    pub fn weak(&self) -> &[WeakIdentifier] {
        &self.weak
    }

    /// Kind of an identifier that was found.
    pub fn kind_of(&self, found: &Found) -> &str {
        self.kinds.get(found.person).and_then(|kinds| kinds.get(found.identifier)).map_or("control", String::as_str)
    }

    /// Whether a column is named like a weak identifier's kind (`user_id`, `owner_user_id`): its numbers are compared too.
    pub fn is_named_like_a_weak_identifier(&self, column: &str) -> bool {
        self.weak.iter().any(|weak| is_named_like(column, &weak.kind))
    }

    /// Adds what is in the value, each finding once. `number_column` names the column where it holds numbers: there only identifiers
    /// of that name count, because a 42 may be anything.
    pub fn search(&self, value: &[u8], number_column: Option<&str>, found: &mut Vec<Found>) {
        self.search_as_it_stands(value, number_column, found);
        for layer in unescaped_layers(value) {
            let mut inside = Vec::new();
            self.search_as_it_stands(&layer, None, &mut inside);
            // A weak identifier is compared with whole values, and a value with escapes in it is more than that.
            for one in inside.into_iter().filter(|one| one.form != Form::WholeValue) {
                let is_same = |known: &Found| (known.person, known.identifier) == (one.person, one.identifier);
                if !found.iter().any(|known| is_same(known) && known.certain >= one.certain) {
                    found.push(Found { form: Form::JsonEscaped, ..one });
                }
            }
        }
    }

    fn search_as_it_stands(&self, value: &[u8], number_column: Option<&str>, found: &mut Vec<Found>) {
        let mut add = |one: Found| {
            if !found.contains(&one) {
                found.push(one);
            }
        };
        for hit in self.automaton.find_overlapping_iter(value) {
            let entry = &self.entries[hit.pattern().as_usize()];
            let is_same = value[hit.start()..hit.end()] == entry.pattern.bytes[..];
            if entry.pattern.case_matters && !is_same {
                continue;
            }
            let form = if entry.pattern.form == Form::Exact && !is_same { Form::OtherCase } else { entry.pattern.form };
            let certain = !entry.pattern.is_text || !is_inside_longer_word(value, hit.start(), hit.end());
            add(Found { person: entry.person, identifier: entry.identifier, form, certain });
        }
        for &(person, identifier) in self.weak_owners_of(value) {
            let one = Found { person, identifier, form: Form::WholeValue, certain: false };
            if number_column.is_none_or(|column| is_named_like(column, self.kind_of(&one))) {
                add(one);
            }
        }
    }

    fn weak_owners_of(&self, value: &[u8]) -> &[(usize, usize)] {
        let trimmed = value.trim_ascii();
        if trimmed.is_empty() || trimmed.len() > self.longest_whole_value {
            return &[];
        }
        self.whole_values.get(&trimmed.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The control's patterns, to plant and to find: its forms, and one in other case.
    pub(super) fn control_forms(&self) -> Vec<(Form, Vec<u8>)> {
        let own = self.entries.iter().filter(|entry| entry.person == self.people());
        let mut forms: Vec<(Form, Vec<u8>)> = own.map(|entry| (entry.pattern.form, entry.pattern.bytes.clone())).collect();
        forms.push((Form::OtherCase, self.control_value.to_ascii_uppercase().into_bytes()));
        forms
    }
}

fn entries_of(person: usize, identifier: usize, value: &str) -> impl Iterator<Item = Entry> {
    patterns_of(value).into_iter().map(move |pattern| Entry { person, identifier, pattern })
}

/// An address that nobody has: random, with an accent, upper and lower case and a plus, so that every form differs from it.
fn control_value() -> Result<String, ResidueError> {
    let random: String = random_bytes::<8>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("Prüfwert+{random}@Habeas.invalid"))
}

fn is_named_like(column: &str, kind: &str) -> bool {
    let plain = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    plain(column).ends_with(&plain(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matcher(people: &[&[(&str, &str)]]) -> Matcher {
        let people: Vec<Vec<Identifier>> =
            people.iter().map(|person| person.iter().map(|(kind, value)| Identifier::new(*kind, *value)).collect()).collect();
        let people: Vec<&[Identifier]> = people.iter().map(Vec::as_slice).collect();
        Matcher::build(&people).unwrap()
    }

    fn search(matcher: &Matcher, value: &[u8]) -> Vec<(usize, Form, bool)> {
        let mut found = Vec::new();
        matcher.search(value, None, &mut found);
        found.into_iter().map(|one| (one.person, one.form, one.certain)).collect()
    }

    #[test]
    fn one_pass_finds_several_people_in_their_forms() {
        let matcher = matcher(&[&[("email", "ada@x.org")], &[("email", "Bob@y.org")]]);
        let found = search(&matcher, b"{\"to\":[\"ADA@x.org\",\"Bob@y.org\"],\"q\":\"ada%40x.org\"}");
        assert_eq!(found, [(0, Form::OtherCase, true), (1, Form::Exact, true), (0, Form::Percent, true)]);
    }

    #[test]
    fn a_longer_address_is_a_possible_hit_only() {
        let matcher = matcher(&[&[("email", "ada@x.org")], &[("email", "canada@x.org")]]);
        assert_eq!(search(&matcher, b"canada@x.org"), [(1, Form::Exact, true), (0, Form::Exact, false)]);
    }

    #[test]
    fn an_address_is_found_however_an_encoder_of_json_escapes_it() {
        let matcher = matcher(&[&[("email", "ada@x.org")]]);
        let every_character: String = "ada@x.org".chars().map(|c| format!("\\u{:04X}", u32::from(c))).collect();
        let inside = [r#"{"to":"ada\u0040x.org"}"#, r#"{"to":"\u0061da\u0040x\u002eorg"}"#, r#""{\"to\":\"ada\\u0040x.org\"}""#];
        for text in inside.into_iter().chain([every_character.as_str()]) {
            assert_eq!(search(&matcher, text.as_bytes()), [(0, Form::JsonEscaped, true)], "{text}");
        }
        let twice = r#"{"a":"canada@x.org","b":"ada\u0040x.org"}"#;
        assert_eq!(search(&matcher, twice.as_bytes()), [(0, Form::Exact, false), (0, Form::JsonEscaped, true)]);
        assert_eq!(search(&matcher, br#"{"a":"can\u0061da@x.org"}"#), [(0, Form::JsonEscaped, false)]);
    }

    #[test]
    fn base64_with_letters_of_another_case_is_something_else() {
        let matcher = matcher(&[&[("email", "ada@example.com")]]);
        let encoded = "YWRhQGV4YW1wbGUuY29t";
        assert_eq!(search(&matcher, encoded.as_bytes()), [(0, Form::Base64, true)]);
        assert_eq!(search(&matcher, encoded.to_ascii_lowercase().as_bytes()), []);
    }

    #[test]
    fn a_weak_identifier_is_found_as_a_whole_value_only_and_is_reported_as_weak() {
        let matcher = matcher(&[&[("user_id", "42"), ("email", "ada@x.org")]]);
        assert_eq!(matcher.weak(), [WeakIdentifier { person: 0, kind: "user_id".into(), weakness: Weakness::Number }]);
        assert_eq!(search(&matcher, b"42"), [(0, Form::WholeValue, false)]);
        assert_eq!(search(&matcher, b"in 42 days"), []);
        let mut found = Vec::new();
        matcher.search(b"42", Some("quantity"), &mut found);
        assert!(found.is_empty(), "a number in an unrelated column says nothing");
        matcher.search(b"42", Some("owner_user_id"), &mut found);
        assert_eq!(found.len(), 1);
        assert!(matcher.is_named_like_a_weak_identifier("userId"));
    }

    #[test]
    fn s_1_neither_debug_form_shows_a_value() {
        let matcher = matcher(&[&[("email", "ada@x.org")]]);
        let mut found = Vec::new();
        matcher.search(b"ada@x.org", None, &mut found);
        assert!(!format!("{matcher:?} {found:?}").contains("ada"));
    }
}
