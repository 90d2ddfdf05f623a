//! Names by which a column is likely to hold personal data, in English, as schemas are written. A hint for people, never a decision.

/// Words that are personal wherever they stand in a name.
const WORDS: [&str; 38] = [
    "email",
    "mail",
    "phone",
    "telephone",
    "mobile",
    "fax",
    "surname",
    "lastname",
    "firstname",
    "fullname",
    "nickname",
    "username",
    "address",
    "street",
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "birth",
    "birthday",
    "birthdate",
    "birthplace",
    "dob",
    "gender",
    "ssn",
    "passport",
    "iban",
    "ip",
    "ipaddress",
    "latitude",
    "longitude",
    "geolocation",
    "avatar",
    "portrait",
    "signature",
    "nationality",
    "religion",
    "ethnicity",
];

/// What makes a `name` that of a person.
const BEFORE_NAME: [&str; 14] = [
    "first", "last", "full", "given", "family", "middle", "maiden", "nick", "user", "display", "legal", "customer", "contact",
    "sender",
];

/// What makes the next word say nothing about a person.
const NOT_PERSONAL: [(&str, &str); 3] = [("mail", "server"), ("zip", "file"), ("address", "type")];

/// Whether a column of this name is likely to be about a person.
pub(super) fn looks_personal(column: &str) -> bool {
    let words = words_of(column);
    if words.len() == 1 && words[0] == "name" {
        return true;
    }
    let is_harmless = words.windows(2).any(|pair| NOT_PERSONAL.contains(&(pair[0].as_str(), pair[1].as_str())));
    let has_word = words.iter().any(|word| WORDS.contains(&word.as_str()));
    let has_name = words.windows(2).any(|pair| pair[1] == "name" && BEFORE_NAME.contains(&pair[0].as_str()));
    let is_agent = words.windows(2).any(|pair| pair[0] == "user" && pair[1] == "agent");
    (has_word && !is_harmless) || has_name || is_agent
}

/// `lastLoginIP` and `last_login_ip` are both last, login, ip.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous_was_lower = false;
    for character in name.chars() {
        let starts_word = character.is_uppercase() && previous_was_lower;
        previous_was_lower = character.is_lowercase() || character.is_numeric();
        if (!character.is_alphanumeric() || starts_word) && words.last().is_some_and(|word| !word.is_empty()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_word_by_word() {
        for name in [
            "email",
            "billing_email",
            "emailAddress",
            "lastLoginIP",
            "ip",
            "first_name",
            "name",
            "date_of_birth",
            "user_agent",
            "Zip",
        ] {
            assert!(looks_personal(name), "{name}");
        }
        for name in ["product_name", "file_name", "ship_id", "description", "zip_file", "id", "created_at", "tooltip", "emailed"] {
            assert!(!looks_personal(name), "{name}");
        }
    }
}
