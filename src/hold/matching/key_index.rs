//! Finds the held records among many by their key. A key written by hand and the same key printed by a database differ in ways that
//! mean nothing (`042`, `+42`, an upper-case UUID); both are compared in a form without them. Holding one record too many is the
//! safe side; a key with another number of parts cannot be compared at all and covers every record.

use std::collections::{BTreeMap, HashMap};

/// Positions of held keys.
#[derive(Clone, Default)]
pub(super) struct KeyIndex {
    by_key: HashMap<Vec<String>, Vec<usize>>,
    by_parts: BTreeMap<usize, Vec<usize>>,
}

impl KeyIndex {
    /// Adds the key that stands at `position`.
    pub(super) fn insert(&mut self, key: &[String], position: usize) {
        self.by_key.entry(comparable(key)).or_default().push(position);
        self.by_parts.entry(key.len()).or_default().push(position);
    }

    /// Positions of the keys that cover this one.
    pub(super) fn covering(&self, key: &[String]) -> Vec<usize> {
        if self.by_key.is_empty() {
            return Vec::new();
        }
        let mut positions = self.by_key.get(&comparable(key)).cloned().unwrap_or_default();
        let incomparable = self.by_parts.iter().filter(|(parts, _)| **parts != key.len());
        positions.extend(incomparable.flat_map(|(_, positions)| positions));
        positions
    }
}

fn comparable(key: &[String]) -> Vec<String> {
    key.iter().map(|part| comparable_part(part.trim())).collect()
}

fn comparable_part(part: &str) -> String {
    let digits = part.trim_start_matches(['+', '-']);
    if !digits.is_empty() && part.len() - digits.len() <= 1 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let magnitude = digits.trim_start_matches('0');
        return match (magnitude, part.starts_with('-')) {
            ("", _) => "0".to_owned(),
            (magnitude, true) => format!("-{magnitude}"),
            (magnitude, false) => magnitude.to_owned(),
        };
    }
    let lower = part.to_ascii_lowercase();
    let hex_digits: String = lower.trim_start_matches("urn:uuid:").chars().filter(|c| !matches!(c, '{' | '}' | '-')).collect();
    match hex_digits.len() == 32 && hex_digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => hex_digits,
        false => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_key_are_one_key() {
        for (one, other) in [
            ("42", "042"),
            ("+42", "42"),
            ("-0", "0"),
            (" 42 ", "42"),
            ("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"),
            ("Order-7", "order-7"),
        ] {
            assert_eq!(comparable_part(one.trim()), comparable_part(other.trim()), "{one} {other}");
        }
        for (one, other) in [("42", "-42"), ("42", "420"), ("--42", "-42"), ("a-b", "ab"), ("1.0", "10")] {
            assert_ne!(comparable_part(one), comparable_part(other), "{one} {other}");
        }
    }
}
