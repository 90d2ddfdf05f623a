//! A small data map and a few names, for the tests of holds and permits.

use crate::datamap::{Collection, DataMap, Dataset, Field, Place, Record, Role};
use crate::subject::{Identifier, NormalForm, Subject};

/// `app_db` with `customer` (identities `email`, `user_id`; key `id`) and `orders` (key `id`).
pub(crate) fn map() -> DataMap {
    let field = |name: &str| Field { name: name.into(), ..Field::default() };
    let key = Field { primary_key: true, ..field("id") };
    let email = Field { identity: Some("email".into()), normal_form: NormalForm::AsciiLower, ..field("email") };
    let user_id = Field { identity: Some("user_id".into()), ..key.clone() };
    DataMap {
        datasets: vec![Dataset {
            fides_key: "app_db".into(),
            name: None,
            description: None,
            schema: None,
            source: None,
            role: Role::Controller,
            record: Record::default(),
            on_behalf_of: Vec::new(),
            retention: None,
            accept: Vec::new(),
            collections: vec![collection("customer", vec![email, user_id]), collection("orders", vec![key, field("total")])],
            place: Place::default(),
        }],
        digest: "sha256:sample".into(),
        ..DataMap::default()
    }
}

fn collection(name: &str, fields: Vec<Field>) -> Collection {
    Collection {
        controlled_by: None,
        name: name.into(),
        description: None,
        data_categories: Vec::new(),
        fields,
        skip_processing: false,
        erase_after: Vec::new(),
        delete_override: false,
        on_erasure: None,
        names: None,
        knowingly_undecided: false,
        purpose: None,
        legal_basis: None,
        provided: None,
        recipients: Vec::new(),
        retention: None,
        record: Record::default(),
        retain_when: Vec::new(),
        held_by: None,
        note: None,
        accept: Vec::new(),
        triggers: Vec::new(),
        objects: None,
        place: Place::default(),
    }
}

/// A person with an e-mail address.
pub(crate) fn person(email: &str) -> Subject {
    Subject::new([Identifier::new("email", email)]).unwrap()
}
