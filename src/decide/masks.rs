//! Masking strategies: what each writes, and where it cannot. Values that look random come from a secret of the request, so that a step
//! that runs twice writes the same thing twice (E-3); with the secret destroyed nobody can tell them from random ones.

use sha2::{Digest, Sha256, Sha512};

use crate::connector::sql::{Column, Location};
use crate::crypto::hmac_sha256;
use crate::datamap::{HashAlgorithm, Masking};

/// The secret from which a request's masked values are made.
#[derive(Clone)]
pub struct MaskSecret([u8; 32]);

impl MaskSecret {
    /// Wraps a secret of the request.
    pub fn new(secret: [u8; 32]) -> Self {
        MaskSecret(secret)
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac_sha256(&self.0, purpose.as_bytes())
    }
}

/// What a strategy writes in place of a value; `None` is NULL. `row` names the row for random values, and nothing of it can be read back.
pub(super) fn value(
    masking: &Masking,
    secret: &MaskSecret,
    column: &str,
    row: &str,
    present: Option<&str>,
    most: Option<usize>,
) -> Option<String> {
    let text = match masking {
        Masking::NullRewrite => return None,
        Masking::Preserve => return present.map(str::to_owned),
        Masking::StringRewrite { rewrite_value, suffix } => with_suffix(rewrite_value.clone(), suffix),
        Masking::RandomStringRewrite { length, suffix } => with_suffix(random_text(secret, column, row, *length), suffix),
        Masking::Hash { algorithm, suffix } => with_suffix(salted_hash(*algorithm, &secret.derive("hash salt"), present?), suffix),
        Masking::Hmac { algorithm, suffix } => with_suffix(keyed_hash(*algorithm, &secret.derive("hmac key"), present?), suffix),
    };
    Some(match most {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    })
}

fn with_suffix(text: String, suffix: &Option<String>) -> String {
    text + suffix.as_deref().unwrap_or_default()
}

fn salted_hash(algorithm: HashAlgorithm, salt: &[u8; 32], value: &str) -> String {
    match algorithm {
        HashAlgorithm::Sha256 => crate::crypto::hex(&Sha256::new().chain_update(value).chain_update(salt).finalize()),
        HashAlgorithm::Sha512 => crate::crypto::hex(&Sha512::new().chain_update(value).chain_update(salt).finalize()),
    }
}

fn keyed_hash(algorithm: HashAlgorithm, key: &[u8; 32], value: &str) -> String {
    let short = hmac_sha256(key, value.as_bytes());
    match algorithm {
        HashAlgorithm::Sha256 => crate::crypto::hex(&short),
        HashAlgorithm::Sha512 => crate::crypto::hex(&Sha512::new().chain_update(key).chain_update(short).finalize()),
    }
}

/// Lower-case letters and digits; 32 of 36 would bias, so that bytes beyond the last whole multiple are skipped.
fn random_text(secret: &MaskSecret, column: &str, row: &str, length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(length);
    let mut block = 0_u64;
    while text.len() < length {
        let seed = format!("random\u{0}{column}\u{0}{row}\u{0}{block}");
        for byte in secret.derive(&seed) {
            if text.len() < length && byte < 252 {
                text.push(char::from(ALPHABET[usize::from(byte % 36)]));
            }
        }
        block += 1;
    }
    text
}

/// Code, problem, hint.
type Objection = (&'static str, String, String);

/// Why a column cannot be masked so.
pub(super) fn objection(
    location: &Location,
    column: &str,
    masking: &Masking,
    declared_length: Option<usize>,
    by_policy: bool,
) -> Option<Objection> {
    let strategy = masking.name();
    let live = match writable_column(location, column, &format!("`{strategy}`"), by_policy) {
        Ok(live) => live,
        Err(objection) => return Some(objection),
    };
    if *masking == Masking::NullRewrite && live.not_null {
        return Some((
            "mask_breaks_not_null",
            "`null_rewrite` on a column that admits no NULL".into(),
            "use `string_rewrite` or `random_string_rewrite`, or make the column nullable".into(),
        ));
    }
    if *masking != Masking::NullRewrite && !live.column_type.is_text_like() {
        return Some((
            "mask_does_not_fit_type",
            format!("`{strategy}` writes text, the column is {}", live.declared_type),
            "write null into this field (`fides_meta: {masking_strategy_override: {strategy: null_rewrite}}`), or leave it as it is (`fides_meta: {read_only: true}`)".into(),
        ));
    }
    let constant = matches!(masking, Masking::StringRewrite { .. });
    if constant && location.table.uniques.iter().any(|unique| unique.len() == 1 && unique[0] == column) {
        return Some((
            "mask_breaks_unique",
            format!("`{strategy}` would write the same value into a unique column"),
            "use `random_string_rewrite`, or `null_rewrite` where NULL is allowed".into(),
        ));
    }
    too_long(live.max_length, declared_length, masking)
}

/// Why parts of a column cannot be masked.
pub(super) fn objection_inside(location: &Location, column: &str, by_policy: bool) -> Option<Objection> {
    let live = match writable_column(location, column, "overwriting parts of it", by_policy) {
        Ok(live) => live,
        Err(objection) => return Some(objection),
    };
    (!live.column_type.may_hold_json()).then(|| {
        (
            "sub_fields_not_json",
            format!("the map has sub-fields here, and the column is {}", live.declared_type),
            "remove the sub-fields, or correct the name of the column".to_owned(),
        )
    })
}

fn writable_column<'l>(location: &'l Location, column: &str, what: &str, by_policy: bool) -> Result<&'l Column, Objection> {
    let Some(live) = location.table.column(column) else {
        return Err((
            "missing_column",
            "the live table has no such column".into(),
            "correct the name in the map, or remove the field".into(),
        ));
    };
    if location.table.primary_key.iter().any(|key| key == column) {
        return Err((
            "mask_breaks_key",
            format!("{what} on a column of the primary key: the row could not be found again, and what refers to it would break"),
            format!(
                "delete the rows instead ({} on the collection), or leave this field as it is (`fides_meta: {{read_only: true}}`)",
                delete_key(by_policy)
            ),
        ));
    }
    if live.generated {
        return Err((
            "mask_generated_column",
            "the database computes this column".into(),
            "mask the columns that it is computed from".into(),
        ));
    }
    Ok(live)
}

/// What a map writes to have rows deleted: `on_erasure` is not asked where a policy decides.
fn delete_key(by_policy: bool) -> &'static str {
    if by_policy { "`fides_meta: {masking_strategy_override: {strategy: delete}}`" } else { "`habeas: {on_erasure: delete}`" }
}

fn too_long(room: Option<usize>, declared: Option<usize>, masking: &Masking) -> Option<Objection> {
    let room = room?;
    let needed = match masking {
        Masking::StringRewrite { rewrite_value, suffix } => {
            rewrite_value.chars().count() + suffix.as_deref().unwrap_or_default().chars().count()
        }
        Masking::RandomStringRewrite { length, suffix } => length + suffix.as_deref().unwrap_or_default().chars().count(),
        Masking::Hash { algorithm, suffix } | Masking::Hmac { algorithm, suffix } => {
            let digits = if *algorithm == HashAlgorithm::Sha256 { 64 } else { 128 };
            digits + suffix.as_deref().unwrap_or_default().chars().count()
        }
        Masking::NullRewrite | Masking::Preserve => 0,
    };
    let written = declared.map_or(needed, |most| needed.min(most));
    (written > room).then(|| {
        (
            "mask_too_long",
            format!("`{}` writes {written} characters, the column takes {room}", masking.name()),
            format!("write `fides_meta: {{length: {room}}}` on the field"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> MaskSecret {
        MaskSecret::new([7; 32])
    }

    #[test]
    fn e_3_a_masked_value_is_the_same_when_the_step_runs_twice() {
        let random = Masking::RandomStringRewrite { length: 12, suffix: Some("@x.invalid".into()) };
        let once = value(&random, &secret(), "email", "42", Some("ada"), None);
        assert_eq!(once, value(&random, &secret(), "email", "42", Some("ada"), None));
        assert_ne!(once, value(&random, &secret(), "email", "43", Some("ada"), None));
        assert_eq!(once.unwrap().len(), 22);
    }

    #[test]
    fn null_stays_null_under_hashes_and_is_replaced_by_a_constant() {
        let hash = Masking::Hash { algorithm: HashAlgorithm::Sha256, suffix: None };
        assert_eq!(value(&hash, &secret(), "c", "1", None, None), None);
        let constant = Masking::StringRewrite { rewrite_value: "MASKED".into(), suffix: None };
        assert_eq!(value(&constant, &secret(), "c", "1", None, Some(4)).unwrap(), "MASK");
    }
}
