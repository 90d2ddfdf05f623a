//! One row of JSON at a time: paths, arrays, numbers and escapes, and what is no row.

use crate::rows::claims::{Claims, Verdict};
use crate::rows::json_row::{JsonRow, MOST_ARRAYS, plain_bytes};
use crate::rows::{LineProblem, Matcher};
use crate::subject::NormalForm;

fn matcher() -> Matcher {
    let mut matcher = Matcher::new();
    let id = matcher.field(&["user", "id"], NormalForm::Exact).unwrap();
    let email = matcher.field(&["email"], NormalForm::Exact).unwrap();
    for identifier in ["7", "0", "", "false", "ada"] {
        matcher.add(id, 0, identifier).unwrap();
    }
    matcher.add(email, 0, "ada@x.org").unwrap();
    matcher.add(email, 1, "bob@x.org").unwrap();
    matcher
}

fn verdict(line: &str) -> Result<String, LineProblem> {
    let mut claims = Claims::default();
    JsonRow::default().read(line, &matcher(), &mut claims)?;
    Ok(match claims.verdict() {
        Verdict::Unnamed => "unnamed".to_owned(),
        Verdict::Others => "others".to_owned(),
        Verdict::Of(subject) => format!("{subject}"),
        Verdict::Shared(subjects) => format!("shared {subjects:?}"),
    })
}

#[test]
fn i_1_no_spelling_hides_an_identifier() {
    for line in [
        r#"{"user":{"id":7}}"#,
        r#"{"user":{"id":7.0}}"#,
        r#"{"user":{"id":70e-1}}"#,
        r#"{"user":{"id":"7"}}"#,
        r#"{"user":{"id":"\u0037"}}"#,
        r#"{"us\u0065r":{"i\u0064":"\u0061da"}}"#,
        r#"{"user":{"id":0}}"#,
        r#"{"user":{"id":-0.0}}"#,
        r#"{"user":{"id":""}}"#,
        r#"{"user":{"id":false}}"#,
        r#"{"user":[{"x":1},{"id":[null,[7]]}]}"#,
        r#"[{"email":"ada\u0040x.org"}]"#,
        r#" {"email" : "ada@x.org" , "user":null}"#,
        r#"{"email":"ada@x.org","email":"ada@x.org","user":{"id":7}}"#,
    ] {
        assert_eq!(verdict(line).as_deref(), Ok("0"), "{line}");
    }
}

#[test]
fn o_1_rows_of_others_and_shared_rows_are_told_apart() {
    for (line, expected) in [
        (r#"{"user":{"id":"7.0"}}"#, "others"),
        (r#"{"user":{"id":true}}"#, "others"),
        (r#"{"user":{"id":{"id":7}}}"#, "others"),
        (r#"{"id":7,"x":{"email":"ada@x.org"},"user.id":7}"#, "unnamed"),
        (r#"{"user":{"id":null}}"#, "unnamed"),
        (r#"{"user":{}}"#, "unnamed"),
        (r#"{"user":7}"#, "unnamed"),
        (r#"7"#, "unnamed"),
        (r#"{"email":"ada@x.org","email":"eve@x.org"}"#, "shared [0]"),
        (r#"{"email":["ada@x.org","bob@x.org"]}"#, "shared [0, 1]"),
        (r#"{"email":"ada@x.org","user":{"id":8}}"#, "shared [0]"),
        (r#"{"email":"ada@x.org","user":{"id":"\ud83d"}}"#, "shared [0]"),
    ] {
        assert_eq!(verdict(line).as_deref(), Ok(expected), "{line}");
    }
}

#[test]
fn deep_values_are_skipped_and_deep_ways_refused() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(verdict(&format!(r#"{{"x":{}}}"#, deep(100_000))).as_deref(), Ok("unnamed"));
    assert_eq!(verdict(&deep(MOST_ARRAYS)).as_deref(), Ok("unnamed"));
    assert_eq!(verdict(&deep(MOST_ARRAYS + 1)), Err(LineProblem::TooDeep(MOST_ARRAYS)));
}

#[test]
fn what_is_not_json_is_refused_wherever_it_stands() {
    let wrong = [
        "",
        "{",
        "}",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "01",
        "1.",
        "-",
        "1e",
        "tru",
        "nul",
        "nulls",
        "1 2",
        "{} {}",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\u{1}\"",
        "'a'",
        "[1 2]",
        "{\"a\":}",
        "[}",
        "{]",
        "NaN",
        "\u{feff}{}",
        "{\"a\":1\0}",
    ];
    for line in wrong {
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(line).is_err(), "{line:?}");
        assert_eq!(verdict(line), Err(LineProblem::NotJson), "{line:?}");
        for around in [format!("{{\"x\":{line}}}"), format!("{{\"user\":[{line}]}}")] {
            if serde_json::from_str::<serde::de::IgnoredAny>(&around).is_err() {
                assert_eq!(verdict(&around), Err(LineProblem::NotJson), "{around:?}");
            }
        }
    }
}

#[test]
fn strings_end_where_they_end() {
    for length in 0..40 {
        for special in ['"', '\\', '\n', '\u{1f}', '\u{0}'] {
            let text = format!("{}{special}é\u{80}\"{}", "é a".chars().cycle().take(length).collect::<String>(), "x".repeat(9));
            let expected = text.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap();
            assert_eq!(plain_bytes(text.as_bytes()), expected, "{text:?}");
        }
    }
    assert_eq!(plain_bytes(&[0xff, 0x7f, 0x80, b'!', b' ', b'#', b']', b'[', 0xc3, 0xa9]), 10);
}
