//! What is accepted, and what it is taken to mean.

use std::path::PathBuf;

use serde_json::json;

use super::{SHOP, USERS, app, map, read};
use crate::datamap::{
    Direction, Masking, OnErasure, Predicate, Provided, Retention, Right, Role, RuleAction, Until, Withhold, category_matches,
    parse,
};
use crate::plan::Ground;
use crate::subject::NormalForm;

#[test]
fn a_fides_map_is_read_as_it_is() {
    let map = map(SHOP);
    let dataset = map.dataset("postgres_example_test_dataset").unwrap();
    assert_eq!(dataset.collections.len(), 11);
    let employee = map.collection("postgres_example_test_dataset", "employee").unwrap();
    assert_eq!(employee.field("email").unwrap().identity.as_deref(), Some("email"));
    assert!(employee.field("id").unwrap().primary_key);
    let expected = Masking::StringRewrite { rewrite_value: "testing".into(), suffix: Some("-test".into()) };
    assert_eq!(employee.field("name").unwrap().mask, Some(expected));
    let reference = &employee.field("address_id").unwrap().references[0];
    assert_eq!((reference.collection.as_str(), reference.field.as_str(), reference.direction), ("address", "id", Direction::To));
}

#[test]
fn every_key_of_fideslang_is_known() {
    let text = "
dataset:
  - fides_key: app
    organization_fides_key: default_organization
    name: App
    description: The application
    tags: [a]
    meta: {anything: {at: all}}
    data_categories: [user]
    fides_meta: {resource_id: r, after: [other], namespace: {database_name: d, schema: public}, redact: name}
    collections:
      - name: users
        description: People
        data_categories: [user]
        fides_meta:
          after: [app.users]
          erase_after: [app.users]
          skip_processing: false
          masking_strategy_override: {strategy: delete}
          partitioning: {where_clauses: []}
          redact: name
        fields:
          - name: phones
            description: Numbers
            data_categories: [user.contact.phone_number]
            fides_meta:
              identity: phone_number
              primary_key: false
              data_type: string[]
              length: 20
              return_all_elements: true
              read_only: true
              custom_request_field: x
              redact: name
          - name: profile
            fides_meta: {data_type: object}
            fields: [{name: nick, fields: [{name: deep, data_categories: [user.name]}]}]
system:
  - {fides_key: crm, system_type: Service, privacy_declarations: [{data_use: essential}]}
data_use: [{fides_key: own_use}]
data_subject: []
organization: []
";
    let map = map(text);
    assert_eq!(map.systems[0].fides_key, "crm");
    assert_eq!(map.dataset("app").unwrap().schema.as_deref(), Some("public"));
    let users = map.collection("app", "users").unwrap();
    assert!(users.delete_override);
    assert_eq!(users.erase_after, ["app.users"]);
    let phones = users.field("phones").unwrap();
    assert_eq!((phones.length, phones.read_only, phones.data_type.as_deref()), (Some(20), true, Some("string[]")));
    assert_eq!(users.field("profile").unwrap().fields[0].fields[0].data_categories, ["user.name"]);
}

#[test]
fn every_key_of_ours_is_understood() {
    let text = "
dataset:
  - fides_key: app_db
    habeas: {source: app, role: processor}
    collections:
      - name: workspaces
        fields: [{name: id}, {name: owner_id}, {name: region}]
      - name: entries
        habeas:
          on_erasure: mask
          purpose: contract performance
          legal_basis: art6_1_b
          provided: by_subject
          recipients: [aws]
          retention: {delete_after: P90D, counted_from: account_closed_at, class: account}
          retain_when: [{where: {paid: true}, ground: art17_3_b, law: BAO § 132, until: issued_on + P7Y}]
          controlled_by: workspaces.owner_id
          held_by: nobody else
          note: as of today
        fields:
          - name: mail
            fides_meta: {identity: email}
            habeas: {normal_form: ascii_lower, withhold: third_party}
          - name: workspace_id
            fides_meta: {references: [{dataset: app_db, field: workspaces.id, direction: from}]}
            habeas: {right: accesses, hide: [mail], on_erasure: unlink, edge: home, where: {kind: {ne: 3}}}
          - name: region
            fides_meta: {references: [{dataset: app_db, field: workspaces.region, direction: from}]}
            habeas: {edge: home}
";
    let map = map(text);
    let dataset = map.dataset("app_db").unwrap();
    assert_eq!((dataset.source.as_deref(), dataset.role), (Some("app"), Role::Processor));
    let entries = map.collection("app_db", "entries").unwrap();
    assert_eq!(entries.on_erasure, Some(OnErasure::Mask));
    assert_eq!(entries.purpose.as_deref(), Some("contract performance"));
    assert_eq!(entries.legal_basis.as_deref(), Some("art6_1_b"));
    assert_eq!(entries.provided, Some(Provided::BySubject));
    assert_eq!(entries.recipients, ["aws"]);
    let retention = Retention {
        delete_after: Some("P90D".into()),
        counted_from: Some("account_closed_at".into()),
        class: Some("account".into()),
    };
    assert_eq!(entries.retention, Some(retention));
    let duty = &entries.retain_when[0];
    assert_eq!(duty.r#where.to_value(), json!({"paid": {"eq": true}}));
    assert_eq!((duty.ground, duty.law.as_deref()), (Ground::LegalObligation, Some("BAO § 132")));
    assert_eq!(duty.until, Some(Until { column: "issued_on".into(), years: 7, months: 0, days: 0 }));
    assert_eq!(entries.controlled_by.as_deref(), Some("workspaces.owner_id"));
    assert_eq!((entries.held_by.as_deref(), entries.note.as_deref()), (Some("nobody else"), Some("as of today")));
    let mail = entries.field("mail").unwrap();
    assert_eq!((mail.normal_form, mail.withhold), (NormalForm::AsciiLower, Some(Withhold::ThirdParty)));
    let workspace = entries.field("workspace_id").unwrap();
    let words = &workspace.references[0].words;
    assert_eq!((words.right, words.unlink, words.edges.as_slice()), (Some(Right::Accesses), true, ["home".to_owned()].as_slice()));
    assert_eq!(words.hide, ["mail"]);
    assert_eq!(words.r#where.as_ref().map(Predicate::to_value), Some(json!({"kind": {"ne": 3}})));
}

#[test]
fn the_older_spelling_of_fides_meta_counts_where_the_newer_is_absent() {
    let old = map(&app(&["{name: t, fields: [{name: mail, fidesops_meta: {identity: email}}]}"]));
    assert_eq!(old.collection("app", "t").unwrap().field("mail").unwrap().identity.as_deref(), Some("email"));
    let both =
        read(&app(&["{name: t, fields: [{name: a, fides_meta: {identity: email}, fidesops_meta: {identity: old}}]}"])).unwrap();
    assert_eq!(both.map.collection("app", "t").unwrap().field("a").unwrap().identity.as_deref(), Some("email"));
    assert!(both.warnings[0].to_string().starts_with("map.yml:4: field `a` has `fides_meta` and `fidesops_meta`"));
}

#[test]
fn a_map_may_add_data_categories_in_any_file() {
    let labelled = app(&["{name: t, fields: [{name: a, data_categories: [user.workplace.badge.number]}]}"]);
    let own = "data_category: [{fides_key: user.workplace.badge.number, name: N}, {fides_key: user.workplace.badge, parent_key: user.workplace}]";
    let files = [(PathBuf::from("a.yml"), labelled), (PathBuf::from("b.yml"), own.to_owned())];
    let loaded = parse(&files, false).unwrap();
    assert!(loaded.map.taxonomy.is_known("user.workplace.badge"));
}

#[test]
fn policies_stand_beside_datasets() {
    let text = app(&[USERS])
        + "policy:\n  - {fides_key: close, rules: [{action_type: erasure, targets: [user.name], masking_strategy: {strategy: hmac}}]}\n";
    let map = map(&text);
    let policy = map.policy("close").unwrap();
    assert_eq!(policy.place.to_string(), "map.yml:6");
    let RuleAction::Erasure(masking) = &policy.rules[0].action else { panic!("expected an erasure") };
    assert!(masking.is_pseudonymisation());
}

#[test]
fn everything_is_sorted_whatever_the_order_of_files_and_lines() {
    let first = "dataset: [{fides_key: b, collections: [{name: z, fields: [{name: q}, {name: p}]}, {name: y, fields: []}]}]";
    let second = "dataset: [{fides_key: a, collections: []}]";
    let files = [(PathBuf::from("2.yml"), first.to_owned()), (PathBuf::from("1.yml"), second.to_owned())];
    let swapped = [files[1].clone(), files[0].clone()];
    let (one, two) = (parse(&files, false).unwrap().map, parse(&swapped, false).unwrap().map);
    let keys: Vec<&str> = one.datasets.iter().map(|dataset| dataset.fides_key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    assert_eq!(one.datasets[1].collections[1].fields[0].name, "p");
    assert_eq!(one.digest, two.digest);
}

#[test]
fn the_digest_is_over_the_exact_bytes() {
    let text = app(&[USERS]);
    let digest = map(&text).digest;
    assert_eq!(digest.len(), "sha256:".len() + 64);
    assert_ne!(map(&(text + "\n")).digest, digest);
}

#[test]
fn every_part_knows_its_line() {
    let text = "dataset:\n- fides_key: app\n  collections:\n  - name: users\n    fields:\n    - name: id\n    - name: boss\n      fides_meta:\n        references:\n        - dataset: app\n          field: users.id\n";
    let map = map(text);
    let users = map.collection("app", "users").unwrap();
    let boss = users.field("boss").unwrap();
    let lines = [map.datasets[0].place.line, users.place.line, boss.place.line, boss.references[0].place.line];
    assert_eq!(lines, [2, 4, 7, 10]);
}

#[test]
fn an_empty_file_beside_others_is_a_warning() {
    let files = [(PathBuf::from("a.yml"), app(&[USERS])), (PathBuf::from("b.yml"), "# nothing yet\n".to_owned())];
    assert_eq!(parse(&files, false).unwrap().warnings[0].to_string(), "b.yml: this file is empty");
}

#[test]
fn a_category_matches_below_itself_at_a_dot_only() {
    assert!(category_matches("user.device.cookie", "user.device.cookie"));
    assert!(category_matches("user.device", "user.device.cookie_id"));
    assert!(!category_matches("user.device.cookie", "user.device.cookie_id"), "both are real categories, side by side");
    assert!(!category_matches("user.device.cookie", "user.device"));
}
