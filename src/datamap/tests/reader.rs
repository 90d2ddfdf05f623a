//! Taking typed values out of a tree, and what is said when they are not as expected.

use std::path::PathBuf;
use std::sync::Arc;

use crate::datamap::reader::{Keys, Object, Reader, is_fides_key};
use crate::datamap::tree;

const KEYS: Keys = Keys { known: &["name", "fields", "length", "on"], elsewhere: &[("fides_meta", &["after"])] };

fn read(text: &str, lenient: bool, check: impl FnOnce(&mut Reader, Object<'_>)) -> Reader {
    let tree = tree::parse(text).unwrap();
    let mut reader = Reader::new(Arc::new(PathBuf::from("m.yml")), lenient);
    let object = reader.object(&tree, "collection `users`", &KEYS).unwrap();
    check(&mut reader, object);
    reader
}

#[test]
fn an_unknown_key_is_an_error_with_line_and_suggestion() {
    let reader = read("name: a\nfeilds: []\n", false, |_, _| {});
    assert_eq!(reader.errors[0].to_string(), "m.yml:2: unknown key `feilds` in collection `users`\n  hint: did you mean `fields`?");
}

#[test]
fn lenient_reading_turns_unknown_keys_into_warnings_and_nothing_else() {
    let reader = read("nmae: a\nfields: 3\n", true, |reader, object| {
        reader.list(object, "fields");
    });
    assert_eq!(reader.warnings.len(), 1);
    assert_eq!(reader.errors[0].message, "`fields` of collection `users` must be a list, found a number");
}

#[test]
fn a_key_that_stands_elsewhere_is_sent_there() {
    let reader = read("after: [x]\n", false, |_, _| {});
    assert_eq!(reader.errors[0].hint.as_deref(), Some("`after` stands under `fides_meta:`"));
}

#[test]
fn a_name_that_yaml_takes_for_something_else_asks_for_quotes() {
    let reader = read("name: true\n", false, |reader, object| assert_eq!(reader.text(object, "name"), None));
    assert_eq!(reader.errors[0].hint.as_deref(), Some("put it in quotes"));
}

#[test]
fn lengths_are_whole_and_above_zero() {
    for text in ["length: 0", "length: -1", "length: 1.5", "length: many"] {
        let reader = read(text, false, |reader, object| assert_eq!(reader.count(object, "length"), None));
        assert_eq!(reader.errors.len(), 1, "{text}");
    }
}

#[test]
fn flags_may_be_written_in_the_words_of_older_yaml() {
    for (text, expected) in [("on: true", true), ("on: Yes", true), ("on: off", false), ("name: absent", false)] {
        let reader = read(text, false, |reader, object| assert_eq!(reader.flag(object, "on"), expected, "{text}"));
        assert!(reader.errors.is_empty(), "{text}");
    }
}

#[test]
fn a_wrong_word_names_the_right_ones() {
    let words = [("delete", 1), ("keep", 2)];
    let reader = read("name: delte\n", false, |reader, object| assert_eq!(reader.word(object, "name", &words), None));
    assert_eq!(reader.errors[0].hint.as_deref(), Some("did you mean `delete`?"));
    let reader = read("name: x\n", false, |reader, object| assert_eq!(reader.word(object, "name", &words), None));
    assert_eq!(reader.errors[0].hint.as_deref(), Some("known: delete, keep"));
}

#[test]
fn fides_keys_have_no_spaces() {
    assert!(is_fides_key("app_db-2.<x>"));
    assert!(!is_fides_key("app db"));
    assert!(!is_fides_key("naïve"));
    assert!(!is_fides_key(""));
}
