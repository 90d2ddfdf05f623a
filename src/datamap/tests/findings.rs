//! What the map alone shows to be unwise or unfinished.

use super::{SHOP, USERS, app, map};
use crate::datamap::{Finding, Graph, Severity, lint};

fn findings(text: &str) -> Vec<Finding> {
    let map = map(text);
    lint(&map, &Graph::build(&map))
}

/// The one finding about a collection on line 4 beside a sound one.
fn finding(collection: &str) -> Finding {
    let mut all = findings(&app(&[collection, USERS]));
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

#[test]
fn a_decided_map_has_no_findings() {
    let deleted = "{name: t, fides_meta: {masking_strategy_override: {strategy: delete}}, fields: [{name: m, fides_meta: {identity: email}}]}";
    assert_eq!(findings(&app(&[USERS, deleted])), []);
}

#[test]
fn p_1_a_reached_collection_without_on_erasure_is_an_error() {
    let found = finding("{name: t, fields: [{name: m, fides_meta: {identity: email}}]}");
    assert_eq!((found.severity, found.code.as_str(), found.subject.as_str()), (Severity::Error, "undecided_collection", "app.t"));
    assert_eq!(found.place.unwrap().line, 4);
}

#[test]
fn p_1_undecided_decides_nothing_and_is_told_as_known() {
    let text = "{name: t, habeas: {on_erasure: undecided}, fields: [{name: m, fides_meta: {identity: email}}]}";
    let found = finding(text);
    assert_eq!((found.severity, found.code.as_str()), (Severity::Warning, "undecided_collection"));
    assert_eq!(map(&app(&[text])).collection("app", "t").unwrap().on_erasure, None);
}

#[test]
fn p_1_a_pure_fides_map_is_undecided_everywhere() {
    let all = findings(SHOP);
    assert_eq!(all.len(), 11);
    assert!(all.iter().all(|finding| finding.code == "undecided_collection"));
}

#[test]
fn an_unreachable_collection_is_an_error_when_it_is_labelled_personal() {
    let labelled = finding("{name: t, fields: [{name: a, data_categories: [user.name]}]}");
    assert_eq!((labelled.severity, labelled.code.as_str()), (Severity::Error, "unreachable_collection"));
    let whole = finding("{name: t, data_categories: [user], fields: []}");
    assert_eq!(whole.severity, Severity::Error);
    let nested = finding("{name: t, fields: [{name: o, fields: [{name: a, data_categories: [user.name]}]}]}");
    assert_eq!(nested.severity, Severity::Error);
    let technical = finding("{name: t, fields: [{name: a, data_categories: [system.operations]}]}");
    assert_eq!((technical.severity, technical.code.as_str()), (Severity::Warning, "unreachable_collection"));
}

#[test]
fn masking_that_would_change_nothing_is_an_error() {
    let mask = |field: &str| {
        findings(&app(&[&format!(
            "{{name: t, habeas: {{on_erasure: mask}}, fields: [{{name: m, fides_meta: {{identity: email{field}}}}}]}}"
        )]))
    };
    assert_eq!(mask("")[0].code.as_str(), "mask_without_fields");
    assert_eq!(mask(", masking_strategy_override: {strategy: preserve}")[0].code.as_str(), "mask_without_fields");
    assert_eq!(
        mask(", read_only: true, masking_strategy_override: {strategy: null_rewrite}")[0].code.as_str(),
        "mask_without_fields"
    );
    assert_eq!(mask(", masking_strategy_override: {strategy: null_rewrite}"), []);
}

#[test]
fn pseudonymisation_is_called_by_its_name() {
    let found = finding(
        "{name: t, habeas: {on_erasure: mask}, fields: [{name: m, fides_meta: {identity: email, masking_strategy_override: {strategy: hash}}}]}",
    );
    assert_eq!(
        (found.severity, found.code.as_str(), found.subject.as_str()),
        (Severity::Warning, "pseudonymised_field", "app.t.m")
    );
}

/// A decided collection with a reference to users and one further habeas key on the reference.
fn referring(direction: &str, habeas: &str) -> String {
    format!(
        "{{name: t, habeas: {{on_erasure: delete}}, fields: [{{name: m, fides_meta: {{identity: email}}}}, {{name: x, fides_meta: {{references: [{{dataset: app, field: users.id, direction: {direction}}}]}}, habeas: {{{habeas}}}}}]}}"
    )
}

#[test]
fn a_hidden_field_must_exist_at_the_reached_end() {
    let found = finding(&referring("from", "hide: [mm]"));
    assert_eq!(
        (found.severity, found.code.as_str(), found.subject.as_str()),
        (Severity::Error, "unknown_hidden_field", "app.t.mm")
    );
    assert_eq!(findings(&app(&[&referring("from", "hide: [m]"), USERS])), []);
    assert_eq!(findings(&app(&[&referring("to", "right: owns, hide: [email]"), USERS])), []);
}

#[test]
fn conditions_on_columns_that_the_map_does_not_list_are_warnings() {
    let edge = finding(&referring("from", "where: {kind: a}"));
    assert_eq!((edge.severity, edge.code.as_str(), edge.subject.as_str()), (Severity::Warning, "unmapped_column", "app.t.kind"));
    let duty = "{name: t, habeas: {on_erasure: delete, retain_when: [{where: {any: [{paid: true}, {m: x}]}, ground: art17_3_b, until: issued + P7Y}]}, fields: [{name: m, fides_meta: {identity: email}}]}";
    let subjects: Vec<String> = findings(&app(&[duty, USERS])).into_iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects, ["app.t.issued", "app.t.paid"]);
}

#[test]
fn unlinking_at_the_end_that_leads_away_is_an_error() {
    let seen = "right: accesses, hide: [email, id], on_erasure: unlink";
    assert_eq!(finding(&referring("to", seen)).code.as_str(), "unlink_at_the_wrong_end");
    assert_eq!(finding(&referring("to", "right: none, on_erasure: unlink")).code.as_str(), "unlink_at_the_wrong_end");
    assert_eq!(findings(&app(&[&referring("from", "on_erasure: unlink"), USERS])), []);
}

#[test]
fn o_1_rows_that_are_only_pointed_at_are_not_owned_without_a_word() {
    let found = finding(&referring("to", ""));
    assert_eq!((found.severity, found.code.as_str(), found.subject.as_str()), (Severity::Warning, "owned_by_default", "app.t.x"));
    assert_eq!(findings(&app(&[&referring("to", "right: owns"), USERS])), []);
    assert_eq!(
        findings(&app(&[&referring("to", ""), &USERS.replace("delete", "keep")])),
        [],
        "nothing happens to rows that are kept"
    );
}

fn reference(field: &str, to: &str, direction: &str, habeas: &str) -> String {
    format!(
        "{{name: {field}, fides_meta: {{references: [{{dataset: app, field: {to}, direction: {direction}}}]}}, habeas: {{{habeas}}}}}"
    )
}

/// Users in groups, groups that share documents: two link tables.
fn groups(right_of_second_link: &str) -> Vec<String> {
    let link = |name: &str, down: &str, up: &str, right: &str| {
        let (down, up) = (reference("a", down, "from", "right: owns"), reference("b", up, "to", right));
        format!("{{name: {name}, habeas: {{on_erasure: delete}}, fields: [{down}, {up}]}}")
    };
    let plain = |name: &str| format!("{{name: {name}, habeas: {{on_erasure: delete}}, fields: [{{name: id}}]}}");
    let members = link("members", "users.id", "groups.id", "right: owns");
    let shares = link("shares", "groups.id", "docs.id", right_of_second_link);
    vec![members, plain("groups"), shares, plain("docs"), USERS.to_owned()]
}

#[test]
fn o_1_a_chain_of_link_tables_that_multiplies_owners_is_pointed_out_with_its_way() {
    let of = |right: &str| {
        let collections = groups(right);
        findings(&app(&collections.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let all = of("right: owns");
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].code.as_str(), all[0].subject.as_str()), ("ownership_multiplies", "app.shares.b"));
    assert!(all[0].problem.ends_with("users → members → groups → shares → docs"), "{}", all[0].problem);
    assert_eq!(of("right: accesses"), [], "one word ends it");
}

#[test]
fn an_id_that_stays_in_rows_which_a_person_only_accesses_is_pointed_out() {
    let found = finding(&referring("from", "right: accesses, hide: [m]"));
    assert_eq!(
        (found.severity, found.code.as_str(), found.subject.as_str()),
        (Severity::Warning, "reference_left_behind", "app.t.x")
    );
    assert_eq!(found.write.as_deref(), Some("habeas: {right: none, on_erasure: unlink}"), "the rows are people's");
    let impersonal = referring("from", "right: accesses").replace("{name: m, fides_meta: {identity: email}}", "{name: m}");
    let write = finding(&impersonal).write;
    assert_eq!(write.as_deref(), Some("habeas: {right: accesses, on_erasure: unlink}"));
    assert_eq!(findings(&app(&[&referring("from", "right: accesses, hide: [m], on_erasure: unlink"), USERS])), []);
    assert_eq!(findings(&app(&[&referring("from", "right: none"), USERS])), []);
    assert_eq!(findings(&app(&[&referring("from", "right: none, on_erasure: unlink"), USERS])), []);
}

#[test]
fn x_1_whoever_would_be_shown_the_record_of_another_is_pointed_out() {
    let found = finding(&referring("from", "right: accesses, on_erasure: unlink"));
    assert_eq!((found.severity, found.code.as_str()), (Severity::Warning, "another_person_shown"));
    assert_eq!((found.subject.as_str(), found.write.as_deref()), ("app.t.x", Some("habeas: {right: none, on_erasure: unlink}")));
    let away = finding(&referring("to", "right: accesses"));
    assert_eq!((away.code.as_str(), away.write.as_deref()), ("another_person_shown", Some("habeas: {right: none}")));
}

#[test]
fn a_legal_basis_that_is_no_code_is_a_warning_with_a_suggestion() {
    let found = finding(&USERS.replace("users", "t").replace("delete", "delete, legal_basis: \"Art. 6(1)(b), art9_2_a\""));
    assert_eq!((found.severity, found.code.as_str()), (Severity::Warning, "unknown_legal_basis"));
    assert!(found.hint.contains("art6_1_b"), "{}", found.hint);
}

#[test]
fn erase_after_in_a_circle_is_an_error() {
    let after = |name: &str, other: &str| {
        format!(
            "{{name: {name}, habeas: {{on_erasure: delete}}, fides_meta: {{erase_after: [app.{other}]}}, fields: [{{name: m, fides_meta: {{identity: email}}}}]}}"
        )
    };
    let all = findings(&app(&[&after("a", "b"), &after("b", "c"), &after("c", "a")]));
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].severity, all[0].code.as_str()), (Severity::Error, "delete_order_impossible"));
    assert!(all[0].problem.contains("app.a → app.b → app.c → app.a"), "{}", all[0].problem);
    assert_eq!(findings(&app(&[&after("a", "b"), &after("b", "c"), USERS, &USERS.replace("users", "c")])), []);
}
