//! The record for spreadsheets: RFC 4180 through the writer of the archives, whose cells no spreadsheet takes for formulas. One line for each
//! activity, each place held elsewhere and each gap; the first column says which.

use super::{Activity, Register};
use crate::archive::{CSV_BYTE_ORDER_MARK, csv_record};

const HEADINGS: [&str; 22] = [
    "row",
    "controller",
    "contact",
    "data_protection_officer",
    "representative",
    "name",
    "on_behalf_of",
    "purposes",
    "data_uses",
    "legal_bases",
    "data_subjects",
    "data_categories",
    "special_categories",
    "recipients",
    "transfers",
    "retention",
    "kept_by_law",
    "security_measures",
    "systems",
    "collections",
    "place",
    "write",
];

pub(super) fn render(register: &Register) -> Vec<u8> {
    let mut out = CSV_BYTE_ORDER_MARK.to_vec();
    csv_record(&mut out, HEADINGS);
    let controller = &register.controller;
    let lead = [
        controller.name.as_str(),
        controller.contact.as_deref().unwrap_or_default(),
        controller.data_protection_officer.as_deref().unwrap_or_default(),
        controller.representative.as_deref().unwrap_or_default(),
    ];
    let mut line = |row: &str, name: &str, rest: [String; 14], place: &str, write: &str| {
        let cells = std::iter::once(row).chain(lead).chain([name]);
        csv_record(&mut out, cells.chain(rest.iter().map(String::as_str)).chain([place, write]));
    };
    for activity in &register.activities {
        line("controller", &activity.name, cells(activity), "", "");
    }
    for activity in &register.processing_for_others {
        line("processor", &activity.name, cells(activity), "", "");
    }
    for held in &register.held_elsewhere {
        let mut rest: [String; 14] = Default::default();
        rest[7] = held.held_by.clone();
        rest[13] = held.collection.clone();
        line(
            "held_elsewhere",
            held.description.as_deref().unwrap_or(&held.collection),
            rest,
            "",
            held.note.as_deref().unwrap_or_default(),
        );
    }
    for gap in &register.gaps {
        let about = format!("{}: {} ({})", gap.about, gap.missing, gap.article);
        line("gap", &about, Default::default(), &gap.place.to_string(), &gap.write);
    }
    out
}

/// The columns from `on_behalf_of` to `collections`.
fn cells(activity: &Activity) -> [String; 14] {
    let joined = |items: &[String]| items.join("; ");
    let words = |items: &[super::Labelled]| items.iter().map(|item| item.words.as_str()).collect::<Vec<_>>().join("; ");
    let special = activity.data_categories.iter().filter(|category| category.special.is_some());
    let recipients = activity.recipients.iter().map(|recipient| match &recipient.country {
        Some(country) => format!("{} ({country})", recipient.name),
        None => recipient.name.clone(),
    });
    let transfers = match &activity.transfers {
        None => "not recorded".into(),
        Some(none) if none.is_empty() => "none".into(),
        Some(some) => some
            .iter()
            .map(|transfer| format!("{}: {}", transfer.to, transfer.safeguard.as_deref().unwrap_or("safeguard not recorded")))
            .collect::<Vec<_>>()
            .join("; "),
    };
    let retention = activity.retention.iter().map(|part| match &part.collection {
        Some(name) => format!("{name}: {}", part.words),
        None => part.words.clone(),
    });
    let duties = activity.statutory_duties.iter().map(|duty| {
        format!(
            "{}: {} {}",
            duty.collection,
            duty.law.as_deref().unwrap_or("law not recorded"),
            duty.until.as_deref().unwrap_or_default()
        )
    });
    [
        joined(&activity.on_behalf_of),
        joined(&activity.purposes),
        words(&activity.data_uses),
        words(&activity.legal_bases),
        words(&activity.data_subjects),
        activity.data_categories.iter().map(|category| category.key.as_str()).collect::<Vec<_>>().join("; "),
        special.map(|category| category.words.as_str()).collect::<Vec<_>>().join("; "),
        recipients.collect::<Vec<_>>().join("; "),
        transfers,
        retention.collect::<Vec<_>>().join("; "),
        duties.map(|duty| duty.trim_end().to_owned()).collect::<Vec<_>>().join("; "),
        joined(&activity.security_measures),
        joined(&activity.systems),
        joined(&activity.collections),
    ]
}
