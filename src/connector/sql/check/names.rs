//! Names by which a column is likely to hold personal data, read word by word against the list in `personal_names.txt`. A hint for people,
//! never a decision: nothing is exported or erased because of a name.

use std::collections::BTreeSet;
use std::sync::LazyLock;

const LIST: &str = include_str!("personal_names.txt");

/// What a plain column of a table of people is called when it names one.
const PLAIN: [&str; 4] = ["name", "title", "nick", "titel"];

static NAMES: LazyLock<Names> = LazyLock::new(|| Names::read(LIST));

/// The list, by kind of entry; each entry is one or more words.
#[derive(Default)]
struct Names {
    words: BTreeSet<&'static str>,
    ids: Vec<Vec<&'static str>>,
    before_name: BTreeSet<&'static str>,
    people: BTreeSet<&'static str>,
    tails: BTreeSet<&'static str>,
    heads: BTreeSet<&'static str>,
    harmless: Vec<Vec<&'static str>>,
}

impl Names {
    fn read(list: &'static str) -> Names {
        let mut names = Names::default();
        for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some((kind, entry)) = line.split_once(' ') else { continue };
            match kind {
                "word" => drop(names.words.insert(entry)),
                "id" => names.ids.push(entry.split(' ').collect()),
                "name" => drop(names.before_name.insert(entry)),
                "people" => drop(names.people.insert(entry)),
                "tail" => drop(names.tails.insert(entry)),
                "head" => drop(names.heads.insert(entry)),
                _ => names.harmless.push(entry.split(' ').collect()),
            }
        }
        names
    }
}

/// Whether a column of this name, in a table of this name, is likely to be about a person.
pub(super) fn looks_personal(table: &str, column: &str) -> bool {
    let (names, words) = (&*NAMES, words_of(column));
    let has = |entry: &Vec<&str>| words.windows(entry.len()).any(|window| window == entry.as_slice());
    if names.ids.iter().any(has) {
        return true;
    }
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let is_about = words.len() > 1 && (names.tails.contains(last.as_str()) || names.heads.contains(first.as_str()));
    if is_about || names.harmless.iter().any(has) {
        return false;
    }
    let names_a_person = words.windows(2).any(|pair| pair[1] == "name" && names.before_name.contains(pair[0].as_str()));
    let is_plain = words.len() == 1 && PLAIN.contains(&first.as_str());
    let of_people = || words_of(table).last().is_some_and(|word| names.people.contains(word.as_str()));
    names_a_person || words.iter().any(|word| names.words.contains(word.as_str())) || (is_plain && of_people())
}

/// `lastLoginIP` and `last_login_ip` are both last, login, ip; digits at the end of a word only tell columns apart.
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
    // `last4` is a word of its own, `address2` and `ipv4` are not told from `address` and `ipv4`.
    let bare = |word: String| match word.trim_end_matches(|c: char| c.is_ascii_digit()) {
        "" | "ipv" | "last" => word,
        bare => bare.to_owned(),
    };
    words.into_iter().filter(|word| !word.is_empty()).map(bare).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn personal<'n>(table: &str, columns: &'n str) -> Vec<&'n str> {
        columns.split_whitespace().filter(|column| looks_personal(table, column)).collect()
    }

    #[test]
    fn names_are_read_word_by_word_in_english_and_german() {
        let personal_ones = "email billing_email emailAddress lastLoginIP ip first_name date_of_birth user_agent Zip E_MAIL phone2 tel lat lng \
            iban ssn dob home_address street strasse straße hausnummer plz vorname nachname geburtsdatum GebDat anrede telefon mobil \
            kontonummer steuernummer svnr sozialversicherungsnummer card_last4 tax_id device_id customerName avatarUrl ipv4 bio_photo";
        let found = personal("things", personal_ones);
        assert_eq!(found, personal_ones.split_whitespace().collect::<Vec<_>>());
        assert!(looks_personal("users", "name") && looks_personal("app_kunden", "Name") && looks_personal("contacts", "title"));
    }

    #[test]
    fn what_only_contains_the_letters_or_is_about_the_data_is_not_personal() {
        let harmless = "product_name file_name ship_id description zip_file id created_at tooltip emailed email_verified email_count \
            phone_type address_id is_mobile show_email signature_algorithm mobile_app script recipe flat_rate translation latest slug \
            strategy string straight image manager page agent message stage average language languages package sexes_allowed celling \
            transport tripod relation plaza name title position street_count max_age race_condition avatar_id username_allowed";
        assert_eq!(personal("things", harmless), Vec::<&str>::new());
        assert!(!looks_personal("projects", "name") && !looks_personal("user_settings", "name"));
    }

    /// Column names as a web shop with a forum has them.
    #[test]
    fn a_shop_and_a_forum_yield_their_personal_columns_and_few_others() {
        let shop = [
            (
                "customers",
                "id login email password_digest created_at updated_at last_sign_in_at last_sign_in_ip locale",
                "email last_sign_in_ip",
            ),
            (
                "addresses",
                "id firstname lastname address1 address2 city zipcode phone state_name alternative_phone company state_id country_id quick_checkout",
                "firstname lastname address1 address2 zipcode phone alternative_phone",
            ),
            (
                "orders",
                "id number item_total total state adjustment_total user_id completed_at bill_address_id ship_address_id payment_total \
                 shipment_state email special_instructions currency last_ip_address created_by_id shipment_total promo_total channel \
                 item_count approver_id confirmation_delivered guest_token state_lock_version store_id",
                "email last_ip_address",
            ),
            (
                "products",
                "id name description available_on deleted_at slug meta_description tax_category_id shipping_category_id promotionable",
                "",
            ),
            (
                "variants",
                "id sku weight height width depth is_master cost_price position track_inventory tax_category_id stock_items_count",
                "",
            ),
            ("shipments", "id tracking number cost shipped_at order_id address_id state stock_location_id adjustment_total", ""),
            ("credit_cards", "id month year cc_type last4 address_id gateway_customer_profile_id name user_id is_default", "last4"),
            (
                "posts",
                "id user_id topic_id post_number raw cooked reply_count quote_count deleted_at like_count score reads post_type avg_time",
                "",
            ),
            (
                "topics",
                "id title last_posted_at views posts_count slug closed archived bumped_at has_summary archetype category_id",
                "",
            ),
            ("user_profiles", "user_id location website bio_raw bio_cooked dismissed_banner_key badge_granted_title views", ""),
            ("email_logs", "id to_address email_type user_id created_at post_id bounced message_id smtp_group_id", "to_address"),
            ("site_settings", "id name data_type value created_at updated_at", ""),
        ];
        for (table, columns, expected) in shop {
            assert_eq!(personal(table, columns), expected.split_whitespace().collect::<Vec<_>>(), "{table}");
        }
    }
}
