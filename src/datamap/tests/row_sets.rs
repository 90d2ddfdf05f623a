//! Maps of rows inside objects: what is taken, and what is refused with a line and a hint.

use super::super::{Graph, NamedBy, RowFormat, parse};

fn map(objects: &str, more: &str, fields: &str) -> String {
    format!(
        "dataset:\n  - fides_key: app\n    collections:\n      - name: users\n        fields:\n          - name: id\n            fides_meta: {{primary_key: true}}\n          - name: email\n            fides_meta: {{identity: email}}\n      - name: events\n        habeas: {{{more} objects: {{source: lake, {objects}}}}}\n        fields:\n{fields}"
    )
}

const BY_EMAIL: &str = "          - {name: email, fides_meta: {identity: email}}\n";

#[test]
fn formats_delimiters_and_naming_fields_are_read() {
    let fields = "          - {name: who, fields: [{name: id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}]}\n          - {name: email, fides_meta: {identity: email}, habeas: {normal_form: ascii_lower}}\n";
    let loaded = parse(&[("m.yml".into(), map("prefix: 'events/', format: jsonl", "on_erasure: delete,", fields))], false).unwrap();
    let graph = Graph::build(&loaded.map);
    let [place] = graph.rows.as_slice() else { panic!("{:?}", graph.rows) };
    assert_eq!((place.format, place.at.as_str(), place.is_single), (RowFormat::JsonLines, "events/", false));
    let names: Vec<String> = place.names.iter().map(|field| field.name()).collect();
    assert_eq!(names, ["email", "who.id"]);
    assert!(matches!(&place.names[1].by, NamedBy::Rows { column, .. } if column == "id"));
    assert!(graph.objects.is_empty() && graph.node("app", "events").is_none());
    for (objects, format) in [
        ("key: 'a.csv', format: csv, delimiter: \"\\t\"", RowFormat::Csv { delimiter: b'\t' }),
        ("prefix: '', format: csv", RowFormat::Csv { delimiter: b',' }),
        ("prefix: p/, format: parquet", RowFormat::Parquet),
    ] {
        let loaded = parse(&[("m.yml".into(), map(objects, "", BY_EMAIL))], false).unwrap();
        assert_eq!(Graph::build(&loaded.map).rows[0].format, format);
    }
}

#[test]
fn what_cannot_be_carried_out_is_a_mistake_of_the_map() {
    let by_id = |habeas: &str| {
        format!(
            "          - {{name: user, fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}, habeas: {{{habeas}}}}}\n"
        )
    };
    for (objects, more, fields, words) in [
        ("prefix: e/, format: xml", "", BY_EMAIL.to_owned(), "cannot be `xml`"),
        ("prefix: 'e/{users.id}/', format: jsonl", "", BY_EMAIL.to_owned(), "rows of many people"),
        ("tag: {name: a, value: b}, format: jsonl", "", BY_EMAIL.to_owned(), "by `prefix` or by `key` alone"),
        ("format: jsonl", "", BY_EMAIL.to_owned(), "by `prefix` or by `key` alone"),
        ("prefix: e/, format: jsonl, delimiter: ';'", "", BY_EMAIL.to_owned(), "belongs to `format: csv`"),
        ("prefix: e/, format: csv, delimiter: ';;'", "", BY_EMAIL.to_owned(), "not one character"),
        ("prefix: e/, format: jsonl", "", "          - {name: what}\n".to_owned(), "no field says whose a row is"),
        ("prefix: e/, format: jsonl", "", by_id("right: none"), "no field says whose a row is"),
        ("prefix: e/, format: jsonl", "", by_id("right: accesses"), "says more of its `references`"),
        (
            "prefix: e/, format: jsonl",
            "retain_when: [{where: {paid: true}, ground: art17_3_b}],",
            BY_EMAIL.to_owned(),
            "`retain_when`",
        ),
        (
            "prefix: e/, format: csv",
            "",
            "          - {name: a, fields: [{name: b, fides_meta: {identity: email}}]}\n".to_owned(),
            "a cell of CSV has none",
        ),
        (
            "prefix: e/, format: jsonl",
            "",
            format!("{BY_EMAIL}          - {{name: x, fides_meta: {{masking_strategy_override: {{strategy: null_rewrite}}}}}}\n"),
            "only deleted or kept",
        ),
    ] {
        let errors = parse(&[("m.yml".into(), map(objects, more, &fields))], false).expect_err(words).to_string();
        assert!(errors.contains(words), "{words}: {errors}");
        assert!(errors.contains("hint:") || words.contains("belongs"), "{errors}");
    }
}
