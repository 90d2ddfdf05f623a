//! Codes of the data map in words for people: legal bases, origins, reasons for leaving something out. A code that is not known here is shown
//! as it is.

use crate::datamap::Provided;

/// What is said where the controller has recorded nothing.
pub(super) const NOT_RECORDED: &str = "not recorded";

/// The name of a table as people write it: `time_entries` is “Time entries”.
pub(super) fn name_in_words(name: &str) -> String {
    let mut words = name.replace('_', " ").trim().to_owned();
    match words.chars().next() {
        None => return name.to_owned(),
        Some(first) => words.replace_range(..first.len_utf8(), &first.to_uppercase().to_string()),
    }
    words
}

/// A label of the taxonomy: `user.contact.email` is “contact email”.
pub fn category_in_words(label: &str) -> String {
    let own = match label {
        "user" => "personal data",
        "system" | "system.operations" => "operation of the service",
        _ => label.strip_prefix("user.").unwrap_or(label),
    };
    own.replace(['.', '_'], " ")
}

/// A period such as `P7Y` or `P1Y6M`: “7 years”, “1 year 6 months”. What is no such period is shown as it is.
pub fn period_in_words(period: &str) -> String {
    let mut words = Vec::new();
    let mut rest = period.strip_prefix('P').unwrap_or_default();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (amount, unit) = rest.split_at(digits);
        let name = match unit.chars().next() {
            Some('Y') if digits > 0 => "year",
            Some('M') if digits > 0 => "month",
            Some('W') if digits > 0 => "week",
            Some('D') if digits > 0 => "day",
            _ => return period.to_owned(),
        };
        words.push(format!("{amount} {name}{}", if amount == "1" { "" } else { "s" }));
        rest = &unit[1..];
    }
    if words.is_empty() { period.to_owned() } else { words.join(" ") }
}

/// A legal basis such as `art6_1_b`.
pub(super) fn legal_basis_in_words(code: &str) -> String {
    let meaning = match code {
        "art6_1_a" => "your consent",
        "art6_1_b" => "a contract with you",
        "art6_1_c" => "a legal obligation",
        "art6_1_d" => "vital interests",
        "art6_1_e" => "a task in the public interest",
        "art6_1_f" => "legitimate interests",
        _ => return code.to_owned(),
    };
    let letter = &code[code.len() - 1..];
    format!("{meaning} (Art. 6(1)({letter}) GDPR)")
}

/// The word of the dictionary for an origin.
pub(super) fn origin_code(origin: Provided) -> &'static str {
    match origin {
        Provided::BySubject => "provided",
        Provided::Observed => "observed",
        Provided::Inferred => "inferred",
        Provided::ByOtherUser => "third_party",
    }
}

/// An origin in words.
pub(super) fn origin_in_words(origin: Provided) -> &'static str {
    match origin {
        Provided::BySubject => "provided by you",
        Provided::Observed => "observed while you used the service",
        Provided::Inferred => "inferred from other data about you",
        Provided::ByOtherUser => "provided by somebody else",
    }
}

/// Why something was left out.
pub(super) fn reason_in_words(code: &str) -> &str {
    match code {
        "credential" => "It is a secret that protects your account, such as a password in its stored form.",
        "third_party" => "It is about another person, whose rights a copy would affect (Art. 15(4) GDPR).",
        "trade_secret" => "A copy would disclose a trade secret (Art. 15(4) and recital 63 GDPR).",
        "not_portable" => {
            "It was neither provided by you nor observed of you under consent or contract (Art. 20(1) GDPR). An access request covers it."
        }
        "category" => "It does not belong to the categories of data that were asked for.",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_as_words() {
        assert_eq!(["P7Y", "P1Y6M", "P1D", "P2W1D"].map(period_in_words), ["7 years", "1 year 6 months", "1 day", "2 weeks 1 day"]);
        assert_eq!(["PT5H", "P", "soon", "P7"].map(period_in_words), ["PT5H", "P", "soon", "P7"]);
    }

    #[test]
    fn names_and_labels_read_as_words() {
        assert_eq!(["time_entries", "Users", "_x", "_", ""].map(name_in_words), ["Time entries", "Users", "X", "_", ""]);
        assert_eq!(category_in_words("user.contact.email"), "contact email");
        assert_eq!(category_in_words("system.operations"), "operation of the service");
    }
}
