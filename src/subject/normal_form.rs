//! The declared normal form of an identity field (I-1): what the application does to a value before it stores it. Matching is
//! bytewise on that form; a database collation never decides who a person is.

use serde::{Deserialize, Serialize};

/// How a stored identifier and a given one are made comparable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalForm {
    /// Byte for byte.
    #[default]
    Exact,
    /// ASCII letters in lower case; every other byte as it is.
    AsciiLower,
    /// `+` and digits (ITU-T E.164): spaces, dots, hyphens and brackets are dropped, a leading `00` becomes `+`.
    E164,
}

impl NormalForm {
    /// The normal form of a value as given.
    pub fn apply(self, value: &str) -> String {
        match self {
            NormalForm::Exact => value.to_owned(),
            NormalForm::AsciiLower => value.to_ascii_lowercase(),
            NormalForm::E164 => e164(value),
        }
    }
}

fn e164(value: &str) -> String {
    let kept: String = value.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '/')).collect();
    match kept.strip_prefix("00") {
        Some(rest) => format!("+{rest}"),
        None => kept,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i_1_ascii_lower_leaves_other_letters_alone() {
        assert_eq!(NormalForm::AsciiLower.apply("JOSÉ@X.org"), "josÉ@x.org");
        assert_eq!(NormalForm::AsciiLower.apply("\u{212A}@x.org"), "\u{212A}@x.org", "the Kelvin sign is not k");
    }

    #[test]
    fn e164_keeps_plus_and_digits() {
        assert_eq!(NormalForm::E164.apply("0043 (1) 234-56"), "+43123456");
    }
}
