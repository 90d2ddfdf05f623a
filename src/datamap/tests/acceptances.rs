//! Findings that the map accepts: which entries cover what, and what becomes of entries that cover nothing or an error.

use super::{USERS, app, map, mistakes};
use crate::datamap::{Accepted, Code, Finding, Graph, Severity, apply_acceptances, lint};

fn sorted(text: &str, looked_everywhere: bool) -> (Vec<Finding>, Vec<Accepted>) {
    let map = map(text);
    apply_acceptances(&map, lint(&map, &Graph::build(&map)), looked_everywhere)
}

/// Rows that their reader only accesses, with an entry on the collection and one on the field.
fn accessed(on_collection: &str, on_field: &str) -> String {
    format!(
        "{{name: t, habeas: {{on_erasure: keep{on_collection}}}, fields: [{{name: x, fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}, habeas: {{right: accesses{on_field}}}}}]}}"
    )
}

const ENTRY: &str = ", accept: [{finding: reference_left_behind, reason: the log is public}]";

#[test]
fn a_warning_is_accepted_where_it_stands_or_above() {
    let by_column = ENTRY.replace("reason", "column: x, reason");
    for (collection, field) in [(ENTRY, ""), ("", ENTRY), (by_column.as_str(), "")] {
        let (open, accepted) = sorted(&app(&[&accessed(collection, field), USERS]), true);
        assert_eq!(open, [], "{collection} {field}");
        assert_eq!((accepted.len(), accepted[0].reason.as_str()), (1, "the log is public"));
        assert_eq!(accepted[0].accepted_at.line, 4);
    }
    let (open, accepted) = sorted(&app(&[&accessed("", ""), USERS]), true);
    assert_eq!((open.len(), accepted.len()), (1, 0));
}

#[test]
fn an_entry_that_covers_nothing_is_a_finding_where_everything_was_looked_at() {
    let other = ENTRY.replace("reason", "column: y, reason");
    let (open, accepted) = sorted(&app(&[&accessed(&other, ""), USERS]), true);
    assert_eq!(open.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::ReferenceLeftBehind, Code::AcceptUnused]);
    assert_eq!(accepted, []);
    let (open, _) = sorted(&app(&[&accessed(&other, ""), USERS]), false);
    assert_eq!(open.len(), 1);
}

#[test]
fn p_1_an_error_is_never_accepted() {
    let undecided = "{name: t, habeas: {accept: [{finding: undecided_collection, reason: later}]}, fields: [{name: m, fides_meta: {identity: email}}]}";
    let (open, accepted) = sorted(&app(&[undecided, USERS]), true);
    assert_eq!(accepted, []);
    assert_eq!((open[0].severity, open[0].code), (Severity::Error, Code::UndecidedCollection));
    assert_eq!((open[1].severity, open[1].code), (Severity::Warning, Code::AcceptRefused));
}

#[test]
fn a_dataset_accepts_tables_that_it_does_not_describe_by_name() {
    let finding = |subject: &str| Finding {
        severity: Severity::Warning,
        code: Code::UnmappedTable,
        place: None,
        subject: subject.into(),
        problem: String::new(),
        why: String::new(),
        hint: String::new(),
        write: None,
    };
    let text = format!(
        "dataset:\n  - fides_key: app\n    habeas: {{accept: [{{finding: unmapped_table, table: TABLE, reason: technical}}]}}\n    collections:\n      - {USERS}\n"
    );
    for (table, subject, is_covered) in [
        ("migrations", "app.public.migrations", true),
        ("public.migrations", "app.public.migrations", true),
        ("migrations", "app.public.migrations_log", false),
        ("migrations", "other.public.migrations", false),
        ("public", "app.public.migrations", false),
    ] {
        let map = map(&text.replace("TABLE", table));
        let (_, accepted) = apply_acceptances(&map, vec![finding(subject)], true);
        assert_eq!(!accepted.is_empty(), is_covered, "{table} {subject}");
    }
}

#[test]
fn an_entry_names_a_finding_and_a_reason() {
    let with = |entry: &str| mistakes(&app(&[&accessed(&format!(", accept: [{entry}]"), ""), USERS]));
    assert!(with("{finding: reference_left_behnd, reason: x}")[0].contains("did you mean `reference_left_behind`?"));
    assert!(with("{finding: missing_index}")[0].contains("no `reason`"));
    assert!(with("{finding: missing_index, reason: ' '}")[0].contains("is empty"));
    assert!(with("{finding: missing_index, table: t, reason: x}")[0].contains("unknown key `table`"));
    let dataset = format!(
        "dataset:\n  - fides_key: app\n    habeas: {{accept: [{{finding: unmapped_table, reason: x}}]}}\n    collections:\n      - {USERS}\n"
    );
    assert!(mistakes(&dataset)[0].contains("no `table`"));
}
