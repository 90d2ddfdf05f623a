//! Parquet files that another writer made, rewritten by us and read by that writer's own reader: values, schema, metadata, row groups, codec,
//! encodings, statistics, page index and bloom filters. What is left and what is kept is decided in `rows_parquet.py`, from the rows alone.

use std::fs::{self, File};
use std::path::Path;

use habeas_data::rows::{Content, Look, Matcher, erase_parquet, find_parquet};
use habeas_data::subject::NormalForm;
use serde_json::Value;

use crate::support::tools::Tools;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rows_parquet.py");

fn matcher(case: &Value) -> Matcher {
    let mut matcher = Matcher::new();
    let texts = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).expect("texts") };
    let path = texts(&case["field"]);
    let field = matcher.field(&path.iter().map(String::as_str).collect::<Vec<_>>(), NormalForm::Exact).expect("a field");
    for pair in case["identifiers"].as_array().expect("identifiers") {
        let subject = usize::try_from(pair[0].as_u64().expect("a number")).expect("a number");
        matcher.add(field, subject, pair[1].as_str().expect("a text")).expect("an identifier");
    }
    matcher
}

fn rewrite_and_find(folder: &Path, case: &Value) {
    let name = case["name"].as_str().expect("a name");
    let matcher = matcher(case);
    let path = |suffix: &str| folder.join(format!("{name}{suffix}"));
    let open = |suffix: &str| File::open(path(suffix)).expect("the file");
    let output = File::create(path(".rewritten.parquet")).expect("a file");
    let rewritten =
        erase_parquet(open(".parquet"), &matcher, Look::Pruned, output).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (_, tally) = rewritten.into_parts();

    let mut lines = String::new();
    let found = find_parquet(open(".parquet"), &matcher, Look::Everything, &mut |row| {
        let Content::Json(text) = row.content else { panic!("{name}: no JSON") };
        lines += &text;
        lines.push('\n');
        Ok(())
    });
    let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        (found.before, &found.erased, &found.shared),
        (tally.before, &tally.erased, &tally.shared),
        "{name}: pruning hides nothing"
    );
    fs::write(path(".found.jsonl"), lines).expect("a file");

    let left = find_parquet(open(".rewritten.parquet"), &matcher, Look::Everything, &mut |_| Ok(())).expect("what is left");
    assert_eq!((left.before, left.erased_in_all(), &left.shared), (tally.after, 0, &tally.shared), "{name}");
}

#[test]
fn o_1_a_foreign_reader_finds_all_rows_of_others_as_they_were() {
    let Some(tools) = Tools::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().to_str().expect("a readable path");
    tools.run("python", &[SCRIPT, "make", place], folder.path()).code(0);
    let cases: Value = serde_json::from_slice(&fs::read(folder.path().join("cases.json")).expect("the cases")).expect("JSON");
    let cases = cases.as_array().expect("cases");
    cases.iter().for_each(|case| rewrite_and_find(folder.path(), case));
    let said = tools.run("python", &[SCRIPT, "check", place], folder.path()).code(0);
    assert_eq!(said.stdout.lines().count(), cases.len(), "{}", said.stdout);
}
