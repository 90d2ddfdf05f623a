//! By which columns a person can be found directly: addresses of mail wherever they stand, names of accounts, telephone numbers and the own
//! number in tables of people. Each with the normal form in which applications usually compare it; people confirm that.

use super::category::Label;
use super::entity::Entity;
use super::profile::Family;
use super::words::{canonical, words};
use crate::subject::NormalForm;

/// A proposed identity field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its kind, as `subject` of a job names it.
    pub kind: String,
    /// How values are made comparable.
    pub normal_form: NormalForm,
}

/// The identity that a column holds.
pub fn identity(entity: &Entity<'_>, column: usize, label: Option<Label>, is_subject: bool) -> Option<Identity> {
    let seen = &entity.profile.columns[column];
    let found = |kind: &str, normal_form| Some(Identity { kind: kind.to_owned(), normal_form });
    let is_text = seen.family == Some(Family::Text);
    match label.map(|label| label.category) {
        Some("user.contact.email") if is_text => return found("email", NormalForm::AsciiLower),
        Some("user.account.username") if is_text && is_subject => {
            let is_folded =
                words(entity.column_name(column)).iter().any(|word| matches!(word.as_str(), "clean" | "lower" | "normalized"));
            return found("username", if is_folded { NormalForm::AsciiLower } else { NormalForm::Exact });
        }
        Some("user.contact.phone_number") if is_text && is_subject => return found("phone_number", NormalForm::E164),
        _ => {}
    }
    if is_subject && entity.home_key() == Some(column) {
        let mut stem = super::entity::id_stem(&words(entity.column_name(column)));
        if stem.is_empty() {
            stem = entity.name.iter().map(|word| canonical(word)).collect();
        }
        return found(&format!("{}_id", stem.join("_")), NormalForm::Exact);
    }
    None
}
