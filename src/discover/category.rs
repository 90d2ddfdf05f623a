//! What kind of personal data a column holds, in Fideslang's words: by its name, and by the shape of its values where the name says nothing.
//! Also which columns are credentials, which an archive never carries.

use super::entity::Entity;
use super::profile::Family;
use super::shape::Shape;
use super::words::{canonical, words};
use crate::value::ColumnType;

/// Share of a column's values that must have a shape for it to count.
const MOST: f64 = 0.8;

/// What a column seems to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Fideslang's category.
    pub category: &'static str,
    /// Whether it is a credential.
    pub is_credential: bool,
}

/// Words at the end of a name, or anywhere in it, and the category that they mean.
const BY_WORD: [(&[&str], &str); 38] = [
    (&["email", "mail", "replyto"], "user.contact.email"),
    (&["phone", "telephone", "mobile", "cellphone", "msisdn"], "user.contact.phone_number"),
    (&["fax"], "user.contact.fax_number"),
    (&["firstname", "forename", "givenname"], "user.name.first"),
    (&["lastname", "surname", "familyname"], "user.name.last"),
    (&["fullname", "realname"], "user.name"),
    (&["username", "login", "nick", "nickname", "nicename", "screenname"], "user.account.username"),
    (&["street", "address1", "address2"], "user.contact.address.street"),
    (&["city", "town"], "user.contact.address.city"),
    (&["postcode", "zip", "zipcode", "postal", "plz"], "user.contact.address.postal_code"),
    (&["address"], "user.contact.address"),
    (&["ip", "ipaddr", "ipaddress"], "user.device.ip_address"),
    (&["useragent", "browser"], "user.device"),
    (&["cookie"], "user.device.cookie"),
    (&["birthday", "birthdate", "birth", "dob"], "user.demographic.date_of_birth"),
    (&["gender", "sex", "salutation"], "user.demographic.gender"),
    (&["nationality", "citizenship"], "user.demographic"),
    (&["religion"], "user.demographic.religious_belief"),
    (&["latitude", "longitude", "lat", "lng", "geolocation"], "user.location.precise"),
    (&["iban", "bic", "swift"], "user.financial.bank_account"),
    (&["ssn", "dni"], "user.government_id.national_identification_number"),
    (&["passport"], "user.government_id.passport_number"),
    (&["siret", "vat"], "user.government_id"),
    (&["company", "affiliation", "organization", "employer"], "user.contact.organization"),
    (&["occupation", "jobtitle"], "user.job_title"),
    (&["avatar", "photo", "portrait"], "user.content.self_image"),
    (&["website", "homepage"], "user.contact.url"),
    (&["signature", "sig", "bio", "biography", "interests"], "user.demographic.profile"),
    (&["jabber", "icq", "skype", "twitter", "orcid"], "user.social"),
    (&["referer", "referrer"], "user.behavior.browsing_history"),
    (&["newsletter", "optin", "consent", "consented"], "user.privacy_preferences"),
    (&["locale", "timezone"], "user.account.settings"),
    (&["message", "body", "comment", "content", "abstract"], "user.content"),
    (&["salary", "income"], "user.financial"),
    (&["diagnosis", "allergy", "medication"], "user.health_and_medical"),
    (&["collaborator", "author_information"], "user.workplace"),
    (&["unaccented"], "user.name"),
    (&["card"], "user.financial.credit_card"),
];

/// Words of a name that make a text column a credential.
const SECRETS: [&str; 18] = [
    "password",
    "passwd",
    "pwd",
    "pass",
    "passphrase",
    "token",
    "secret",
    "apikey",
    "salt",
    "actkey",
    "otp",
    "totp",
    "pin",
    "cvv",
    "nonce",
    "capability",
    "recovery",
    "session_token",
];

/// What comes before "key" or "id" in the name of a credential.
const SECRET_KEYS: [&str; 11] =
    ["api", "secure", "secret", "consumer", "private", "access", "activation", "confirm", "auth", "session", "encryption"];

/// The label of a column; none where nothing personal is seen.
pub fn label(entity: &Entity<'_>, column: usize, is_about_people: bool) -> Option<Label> {
    let described = &entity.table.columns[column];
    let seen = &entity.profile.columns[column];
    let all: Vec<String> = words(&described.name).iter().map(|word| canonical(word)).collect();
    let is_text = seen.family == Some(Family::Text) || described.column_type == ColumnType::Bytes;
    if is_text && is_secret(&all) {
        let is_password = all.iter().any(|word| matches!(word.as_str(), "password" | "passwd" | "pwd" | "pass" | "passphrase"));
        let category = if is_password { "user.authorization.password" } else { "user.authorization.credentials" };
        return Some(Label { category, is_credential: true });
    }
    let plain = |category| Some(Label { category, is_credential: false });
    for (shape, category) in [
        (Shape::Email, "user.contact.email"),
        (Shape::Ip, "user.device.ip_address"),
        (Shape::Phone, "user.contact.phone_number"),
        (Shape::UserAgent, "user.device"),
    ] {
        if seen.share_of(shape) >= MOST {
            return plain(category);
        }
    }
    // Switches, counters and times about something personal are not the thing itself.
    let is_measure = seen.looks_boolean() || all.iter().any(|word| matches!(word.as_str(), "count" | "type" | "status" | "format"));
    if is_measure {
        return None;
    }
    if let Some(category) = name_of_a_person(&all, is_about_people) {
        return plain(category);
    }
    let is_number = seen.family == Some(Family::Integer);
    let found = BY_WORD.iter().find(|(wanted, _)| all.iter().any(|word| wanted.contains(&word.as_str())));
    found.filter(|(_, category)| !is_number || is_kept_as_number(category)).and_then(|(_, category)| plain(category))
}

fn is_secret(all: &[String]) -> bool {
    let has_secret = all.iter().any(|word| SECRETS.contains(&word.as_str()));
    let is_secret_key =
        all.windows(2).any(|pair| SECRET_KEYS.contains(&pair[0].as_str()) && matches!(pair[1].as_str(), "key" | "id"));
    has_secret || is_secret_key
}

fn name_of_a_person(all: &[String], is_about_people: bool) -> Option<&'static str> {
    let before = all.len().checked_sub(2).map(|at| all[at].as_str());
    match (before, all.last()?.as_str()) {
        (Some("first" | "given"), "name") => Some("user.name.first"),
        (Some("last" | "family"), "name") => Some("user.name.last"),
        (
            Some(
                "full" | "billing" | "shipping" | "delivery" | "display" | "customer" | "contact" | "sender" | "poster" | "author"
                | "unaccented" | "holder",
            ),
            "name",
        ) => Some("user.name"),
        (Some("user"), "name") => Some("user.account.username"),
        (None, "name") if is_about_people => Some("user.name"),
        (_, "holder") if all.len() > 1 => Some("user.name"),
        _ => None,
    }
}

/// Categories that are often kept as numbers.
fn is_kept_as_number(category: &str) -> bool {
    ["user.device.ip_address", "user.demographic.date_of_birth", "user.contact.phone_number", "user.location.precise"]
        .contains(&category)
}
