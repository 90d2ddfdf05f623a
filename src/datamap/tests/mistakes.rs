//! Mistakes of a map: each is told with its line, and none hides another.

use std::path::PathBuf;

use super::{USERS, app, mistakes, read};
use crate::datamap::parse;

/// The one mistake of a map.
fn mistake(text: &str) -> String {
    let all = mistakes(text);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap_or_default()
}

/// The one mistake in a collection that stands on line 4, beside a sound collection `users` on line 5.
fn mistake_in(collection: &str) -> String {
    let text = mistake(&app(&[collection, USERS]));
    assert!(text.starts_with("map.yml:4: "), "{text}");
    text
}

#[test]
fn unknown_keys_at_every_level_are_mistakes() {
    assert!(mistake("datasets: []\n").contains("unknown key `datasets` in a data map\n  hint: did you mean `dataset`?"));
    assert!(mistake_in("{name: t, feilds: [], fields: []}").contains("did you mean `fields`?"));
    assert!(mistake_in("{name: t, fields: [{name: a, fides_meta: {identiy: email}}]}").contains("did you mean `identity`?"));
    assert!(mistake_in("{name: t, habeas: {on_erase: delete}, fields: []}").contains("did you mean `on_erasure`?"));
    assert!(mistake_in("{name: t, fields: [{name: a, habeas: {withold: credential}}]}").contains("did you mean `withhold`?"));
}

#[test]
fn a_key_beside_fides_meta_is_sent_inside() {
    let text = mistake_in("{name: t, fields: [{name: a, masking_strategy_override: {strategy: null_rewrite}}]}");
    assert!(text.ends_with("hint: `masking_strategy_override` stands under `fides_meta:`"), "{text}");
    assert!(mistake_in("{name: t, on_erasure: delete, fields: []}").ends_with("stands under `habeas:`"));
}

#[test]
fn lenient_reading_passes_over_unknown_keys_only() {
    let files = [(PathBuf::from("m.yml"), app(&["{name: t, owner: me, fields: []}"]))];
    let loaded = parse(&files, true).unwrap();
    assert_eq!(loaded.warnings[0].to_string(), "m.yml:4: unknown key `owner` in collection `t`");
    let files = [(PathBuf::from("m.yml"), app(&["{name: t, fields: [{name: a, data_categories: [user.nmae]}]}"]))];
    assert!(parse(&files, true).is_err());
}

#[test]
fn an_unknown_data_category_is_a_mistake_wherever_it_stands() {
    let text = mistake_in("{name: t, fields: [{name: a, data_categories: [user.contact.emial]}]}");
    assert!(text.contains("unknown data category `user.contact.emial`\n  hint: did you mean `user.contact.email`?"), "{text}");
    assert!(mistake_in("{name: t, data_categories: [nothing.alike], fields: []}").contains("listed under `data_category:`"));
    let policy = "policy: [{fides_key: p, rules: [{action_type: access, targets: [usr]}]}]\n";
    assert!(mistake(&(app(&[USERS]) + policy)).contains("did you mean `user`?"));
}

#[test]
fn a_category_of_ones_own_needs_its_parent() {
    let text = app(&[USERS]) + "data_category: [{fides_key: user.nowhere.badge}]\n";
    assert!(mistake(&text).contains("stands below `user.nowhere`, which does not exist"));
    let text = app(&[USERS]) + "data_category: [{fides_key: user.badge, parent_key: system}]\n";
    assert!(mistake(&text).contains("`parent_key` of data category `user.badge` cannot be `system`"));
}

#[test]
fn a_reference_to_nothing_is_a_mistake() {
    let to = |dataset: &str, field: &str| {
        mistake_in(&format!(
            "{{name: t, fields: [{{name: a, fides_meta: {{references: [{{dataset: {dataset}, field: {field}}}]}}}}]}}"
        ))
    };
    assert!(to("ap", "users.id").contains("dataset `ap`, which does not exist\n  hint: did you mean `app`?"));
    assert!(to("app", "user.id").contains("collection `app.user`, which does not exist\n  hint: did you mean `users`?"));
    assert!(to("app", "users.idd").contains("field `app.users.idd`, which does not exist\n  hint: did you mean `id`?"));
    assert!(to("app", "users").contains("write `collection.field`"));
    assert!(to("app", "users.email.domain").contains("a sub-field, which cannot be followed"));
}

#[test]
fn a_reference_to_a_collection_that_is_left_out_is_a_mistake() {
    let reference = "{name: t, fields: [{name: a, fides_meta: {references: [{dataset: app, field: gone.id, direction: from}]}}]}";
    for gone in ["fides_meta: {skip_processing: true}", "habeas: {held_by: the own device}"] {
        let gone = format!("{{name: gone, {gone}, fields: [{{name: id}}]}}");
        assert!(mistake(&app(&[reference, &gone])).contains("which is left out by"), "{gone}");
    }
}

#[test]
fn other_names_that_point_nowhere_are_mistakes_too() {
    assert!(mistake_in("{name: t, fides_meta: {erase_after: [app.user]}, fields: []}").contains("did you mean `app.users`?"));
    assert!(
        mistake_in("{name: t, habeas: {controlled_by: users.owner}, fields: []}").contains("`users.owner`, which does not exist")
    );
}

#[test]
fn nothing_is_named_twice() {
    let twice = mistake(&app(&["{name: t, fields: []}", USERS, "{name: t, fields: []}"]));
    assert_eq!(twice, "map.yml:6: collection `t` is given twice\n  hint: the first stands at map.yml:4");
    assert!(mistake_in("{name: t, fields: [{name: a}, {name: a}]}").contains("field `a` is given twice"));
    assert!(mistake_in("{name: t, fields: [{name: o, fields: [{name: a}, {name: a}]}]}").contains("field `a` is given twice"));
    let files = ["a.yml", "b.yml"].map(|file| (PathBuf::from(file), app(&[USERS])));
    let errors = parse(&files, false).unwrap_err().to_string();
    assert!(errors.contains("b.yml:2: dataset `app` is given twice\n  hint: the first stands at a.yml:2"), "{errors}");
    assert!(mistake("dataset: []\ndataset: []\n").contains("the key `dataset` is given twice"));
}

#[test]
fn a_bad_condition_or_period_is_a_mistake() {
    let duty = |entry: &str| mistake_in(&format!("{{name: t, habeas: {{retain_when: [{entry}]}}, fields: [{{name: paid}}]}}"));
    assert!(duty("{where: {paid: {above: 3}}, ground: art17_3_b}").contains("unknown operator `above`"));
    assert!(duty("{where: {}, ground: art17_3_b}").contains("would cover every row"));
    assert!(duty("{ground: art17_3_b}").contains("has no `where`"));
    assert!(duty("{where: {paid: true}}").contains("has no `ground`"));
    assert!(duty("{where: {paid: true}, ground: hold}").contains("known: art17_3_b, art17_3_e"));
    assert!(duty("{where: {paid: true}, ground: art17_3_b, until: 7 years}").contains("such as `issued_on + P7Y`"));
    assert!(mistake_in("{name: t, habeas: {retention: {delete_after: 90 days}}, fields: []}").contains("such as P7Y or P90D"));
}

#[test]
fn keys_of_an_edge_need_a_reference() {
    for key in ["right: owns", "hide: [a]", "edge: e", "where: {a: 1}", "on_erasure: unlink"] {
        let text = mistake_in(&format!("{{name: t, fields: [{{name: a, habeas: {{{key}}}}}]}}"));
        assert!(text.contains("belongs to a field with `references`"), "{text}");
    }
    assert!(
        mistake_in("{name: t, fields: [{name: a, habeas: {normal_form: exact}}]}").contains("belongs to a field with `identity`")
    );
}

#[test]
fn the_fields_of_one_edge_agree() {
    let part = |name: &str, direction: &str, right: &str| {
        format!(
            "{{name: {name}, fides_meta: {{references: [{{dataset: app, field: users.id, direction: {direction}}}]}}, habeas: {{edge: e, right: {right}}}}}"
        )
    };
    let both = |left: String, right: String| mistake_in(&format!("{{name: t, fields: [{left}, {right}]}}"));
    assert!(both(part("a", "from", "owns"), part("b", "to", "owns")).contains("disagree about `direction`"));
    assert!(both(part("a", "from", "owns"), part("b", "from", "accesses")).contains("disagree about `right`"));
}

#[test]
fn references_that_lead_on_from_inside_objects_are_refused() {
    for direction in ["", ", direction: to"] {
        let reference = format!("fides_meta: {{references: [{{dataset: app, field: users.id{direction}}}]}}");
        let text = mistake_in(&format!("{{name: t, fields: [{{name: o, fields: [{{name: user_id, {reference}}}]}}]}}"));
        assert!(text.contains("`references` of field `user_id` stands on a sub-field, from which no way leads on"), "{text}");
    }
    let reference = "fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}, habeas: {edge: key}";
    let text = mistake_in(&format!("{{name: t, fields: [{{name: o, fields: [{{name: user_id, {reference}}}]}}]}}"));
    assert!(text.contains("a sub-field cannot be part of a composite key"), "{text}");
    let reference = "fides_meta: {references: [{dataset: app, field: users.nr, direction: from}]}";
    let text = mistake_in(&format!("{{name: t, fields: [{{name: o, fields: [{{name: user_id, {reference}}}]}}]}}"));
    assert!(text.contains("`app.users.nr`, which does not exist"), "{text}");
    let text = mistake_in("{name: t, fields: [{name: o, fides_meta: {identity: email}, fields: [{name: mail}]}]}");
    assert!(text.contains("stands on a field with sub-fields"), "{text}");
    assert!(
        mistake_in("{name: t, fields: [{name: o, fides_meta: {data_type: string}, fields: [{name: a}]}]}")
            .contains("has sub-fields")
    );
}

#[test]
fn objects_are_named_by_values_and_by_nothing_that_would_name_those_of_others() {
    let set = |inside: &str| {
        let all = mistakes(&app(&[&format!("{{name: t, habeas: {{objects: {{source: s, {inside}}}}}}}"), USERS]));
        assert!(!all.is_empty(), "{inside}");
        all[0].clone()
    };
    assert!(set("prefix: 'a/{users.id}'").contains("ends with a value, so that user 1 would get what belongs to user 10"));
    assert!(set("prefix: 'a/'").contains("would name the same objects for everybody"));
    assert!(set("prefix: 'a/{users.id'").contains("a `{` without its `}`"));
    assert!(set("prefix: 'a/{id}/'").contains("does not say whose column a value is"));
    assert!(set("prefix: 'a/{people.id}/'").contains("names collection `people`, which dataset `app` does not have"));
    assert!(set("prefix: 'a/{users.nr}/'").contains("names `users.nr`, a field that the map does not have"));
    assert!(set("key: 'a/{users.id}', prefix: 'b/'").contains("says in several ways which objects are meant"));
    assert!(set("tag: {name: owner}").contains("value"));
    let named =
        |inside: &str| mistake_in(&format!("{{name: t, fields: [{{name: a, habeas: {{object: {{source: s, {inside}}}}}}}]}}"));
    assert!(named("key: k").contains("would name the same objects for everybody"));
    assert!(named("key: '{users.id}'").contains("names another collection"));
    assert!(named("key: '{b}'").contains("names `t.b`, a field that the map does not have"));
}

#[test]
fn keys_and_types_are_checked() {
    assert!(mistake("dataset: [{fides_key: my app, collections: []}]\n").contains("is not a Fideslang key: `my app`"));
    assert!(mistake("dataset: [{collections: []}]\n").contains("a dataset has no `fides_key`"));
    assert!(mistake("dataset: {fides_key: app}\n").contains("`dataset` of a data map must be a list, found a map"));
    assert!(mistake_in("{name: t}").contains("has no `fields`"));
    assert!(mistake_in("{name: 12, fields: []}").contains("put it in quotes"));
    assert!(
        mistake_in("{name: t, fields: [{name: a, fides_meta: {data_type: 'string[]xyz'}}]}").contains("cannot be `string[]xyz`")
    );
    assert!(mistake_in("{name: t, fields: [{name: a, fides_meta: {primary_key: perhaps}}]}").contains("must be true or false"));
    let override_text = "{name: t, fides_meta: {masking_strategy_override: {strategy: hash}}, fields: []}";
    assert!(mistake_in(override_text).contains("can only be `delete`"));
}

#[test]
fn a_policy_does_not_erase_one_category_in_two_ways() {
    let rule =
        |target: &str| format!("{{action_type: erasure, targets: [{target}], masking_strategy: {{strategy: null_rewrite}}}}");
    let policy = |left: &str, right: &str| {
        app(&[USERS]) + &format!("policy: [{{fides_key: p, rules: [{}, {}]}}]\n", rule(left), rule(right))
    };
    assert!(mistake(&policy("user.contact", "user.contact.email")).contains("which overlap"));
    assert!(mistakes(&policy("user.device.cookie", "user.device.cookie_id")).is_empty());
}

#[test]
fn all_mistakes_of_all_files_are_told_at_once_in_order() {
    let broken = "dataset:\n  - fides_key: b\n    nmae: B\n    collections:\n      - {name: t, fields: [{name: a, data_categories: [usr]}]}\n";
    let files = [(PathBuf::from("b.yml"), broken.to_owned()), (PathBuf::from("a.yml"), app(&["{name: t, fields: 3}"]))];
    let places: Vec<String> = parse(&files, false).unwrap_err().0.iter().map(|error| error.place.to_string()).collect();
    assert_eq!(places, ["a.yml:4", "b.yml:3", "b.yml:5"]);
}

#[test]
fn a_file_that_is_no_yaml_does_not_make_others_look_wrong() {
    let reference = "{name: t, fields: [{name: a, fides_meta: {references: [{dataset: other, field: x.id}]}}]}";
    let files = [(PathBuf::from("a.yml"), app(&[reference])), (PathBuf::from("b.yml"), "dataset: [{\n".to_owned())];
    let errors = parse(&files, false).unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert!(errors.to_string().contains("this is not valid YAML"));
}

#[test]
fn a_map_that_names_no_dataset_is_refused() {
    assert!(mistake("policy: []\n").contains("names no dataset"));
    assert!(read("").is_err());
}
