//! Codes of the data map in words for people: legal bases, origins, reasons for leaving something out. A code that is not known here is shown
//! as it is.

use crate::datamap::Provided;

/// What is said where the controller has recorded nothing.
pub(super) const NOT_RECORDED: &str = "not recorded";

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
