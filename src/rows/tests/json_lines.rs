//! JSON Lines of every kind, against a model that parses each line with serde_json.

use proptest::prelude::*;
use proptest::sample::select;

use super::objects::{CODECS, Drops, packed, unpacked};
use crate::rows::{Codec, Content, LineProblem, Matcher, RowsError, Tally, erase_json_lines, find_json_lines};
use crate::subject::NormalForm;

/// Two subjects: `ada` is 0, `bob` is 1, each by an id and by an address.
fn matcher() -> Matcher {
    let mut matcher = Matcher::new();
    let id = matcher.field(&["user", "id"], NormalForm::Exact).unwrap();
    let email = matcher.field(&["email"], NormalForm::AsciiLower).unwrap();
    for (subject, identifiers) in [(0, ["0", "ada", "100"]), (1, ["", "false", "-2.5"])] {
        for identifier in identifiers {
            matcher.add(id, subject, identifier).unwrap();
        }
    }
    matcher.add(email, 0, "ada@x.org").unwrap();
    matcher.add(email, 1, "bob@x.org").unwrap();
    matcher
}

fn erase(content: &[u8]) -> Result<(Vec<u8>, Tally), RowsError> {
    erase_json_lines(content, Codec::Plain, &matcher(), Vec::new()).map(|rewritten| rewritten.into_parts())
}

fn kept(content: &str) -> String {
    String::from_utf8(erase(content.as_bytes()).unwrap().0).unwrap()
}

#[test]
fn bytes_that_stay_are_the_bytes_that_were_there() {
    let mine = r#"{"user":{"id":0}}"#;
    for (before, after) in [
        // Order of keys, keys that come twice, spelling of numbers, white space, escapes.
        (
            format!("{{\"b\" : 1.0,\"a\":1e+0, \"a\":\"\\u0041\\/\"}}\t\n{mine}\n"),
            "{\"b\" : 1.0,\"a\":1e+0, \"a\":\"\\u0041\\/\"}\t\n".to_owned(),
        ),
        // Line ends, each line with its own; blank lines.
        (format!("1\r\n{mine}\r\n2\n\n \t\r\n{mine}\n3\r\n"), "1\r\n2\n\n \t\r\n3\r\n".to_owned()),
        // A missing last line end, of a survivor and of an erased row.
        (format!("{mine}\n1"), "1".to_owned()),
        (format!("1\n{mine}"), "1\n".to_owned()),
        // A byte order mark belongs to the object.
        (format!("\u{feff}{mine}\n1\n"), "\u{feff}1\n".to_owned()),
        (format!("\u{feff}1\n{mine}\n"), "\u{feff}1\n".to_owned()),
        (format!("\u{feff}\n{mine}"), "\u{feff}\n".to_owned()),
        (mine.to_owned(), String::new()),
        (String::new(), String::new()),
        ("\n\n".to_owned(), "\n\n".to_owned()),
    ] {
        assert_eq!(kept(&before), after, "{before:?}");
    }
}

#[test]
fn a_line_that_is_not_json_ends_the_work_with_its_number_and_not_its_content() {
    for (content, line, problem) in [
        ("1\n\nsecret\n", 3, LineProblem::NotJson),
        ("1\n2 3\n", 2, LineProblem::NotJson),
        ("[\n", 1, LineProblem::NotJson),
        ("1\r2\n", 1, LineProblem::NotJson),
        ("1\n{\"secret\":1", 2, LineProblem::NotJson),
        ("1\n\u{feff}2\n", 2, LineProblem::NotJson),
    ] {
        let error = erase(content.as_bytes()).unwrap_err();
        assert!(
            matches!(error, RowsError::Line { line: told, problem: why } if (told, why) == (line, problem)),
            "{content:?}: {error}"
        );
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    let error = erase(b"1\n\"\xff\"\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: not UTF-8");
}

#[test]
fn the_output_of_a_failed_run_is_no_whole_stream() {
    let mut content = "{\"x\":1}\n".repeat(200_000).into_bytes();
    content.extend_from_slice(b"broken");
    for codec in [Codec::Gzip, Codec::Zstd] {
        let mut output = Vec::new();
        let error = erase_json_lines(packed(&content, codec, 1).as_slice(), codec, &matcher(), &mut output).unwrap_err();
        assert!(matches!(error, RowsError::Line { line: 200_001, .. }), "{error}");
        let read_back = match codec {
            Codec::Gzip => {
                std::io::copy(&mut flate2::read::MultiGzDecoder::new(output.as_slice()), &mut std::io::sink()).map(|_| ())
            }
            _ => zstd::stream::decode_all(output.as_slice()).map(|_| ()),
        };
        assert!(output.is_empty() || read_back.is_err(), "{codec:?}: {} bytes that read as a whole object", output.len());
    }
}

#[test]
fn a_stream_that_is_cut_damaged_or_goes_on_is_an_error() {
    let content = "{\"user\":{\"id\":7},\"text\":\"some text that is not short\"}\n".repeat(500);
    for codec in [Codec::Gzip, Codec::Zstd] {
        let object = packed(content.as_bytes(), codec, 3);
        assert!(erase_json_lines(object.as_slice(), codec, &matcher(), Vec::new()).is_ok());
        let damaged = |at: usize| {
            let mut damaged = object.clone();
            damaged[at] ^= 0x55;
            damaged
        };
        let broken = [
            object[..object.len() - 1].to_vec(),
            object[..object.len() / 2].to_vec(),
            damaged(object.len() / 2),
            [&object, &b"more"[..]].concat(),
            Vec::new(),
        ];
        for (case, broken) in broken.iter().enumerate() {
            let outcome = erase_json_lines(broken.as_slice(), codec, &matcher(), Vec::new());
            assert!(outcome.is_err(), "{codec:?}, case {case}");
        }
    }
}

#[test]
fn an_output_that_fails_is_the_error_that_is_told() {
    struct Full(usize);
    impl std::io::Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::StorageFull)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut state = 1u64;
    let mut line = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("\"{state:x}{state:b}\"\n")
    };
    let content: String = (0..100_000).map(|_| line()).collect();
    for codec in CODECS {
        for room in [0, 5, 300_000] {
            let object = packed(content.as_bytes(), codec, 1);
            let error = erase_json_lines(object.as_slice(), codec, &matcher(), Full(room)).map(|_| ()).unwrap_err();
            assert!(
                matches!(&error, RowsError::Write(error) if error.kind() == std::io::ErrorKind::StorageFull),
                "{codec:?}: {error}"
            );
        }
    }
}

#[test]
fn x_1_what_is_found_is_what_would_be_erased_and_what_is_shared() {
    let content = "{\"user\":{\"id\":0}}\r\n\n7\n{\"email\":[\"ada@x.org\",\"eve@x.org\"]}\n {\"email\":\"BOB@x.org\"} \n{\"user\":{\"id\":\"\"}}";
    let mut found = Vec::new();
    let tally = find_json_lines(content.as_bytes(), Codec::Plain, &matcher(), &mut |row| {
        let Content::Json(text) = row.content else { panic!("no JSON") };
        found.push((row.row, row.subjects.to_vec(), row.shared, text.into_owned()));
        Ok(())
    })
    .unwrap();
    let expected = [
        (1, vec![0], false, "{\"user\":{\"id\":0}}"),
        (3, vec![0], true, "{\"email\":[\"ada@x.org\",\"eve@x.org\"]}"),
        (4, vec![1], false, " {\"email\":\"BOB@x.org\"} "),
        (5, vec![1], false, "{\"user\":{\"id\":\"\"}}"),
    ];
    assert_eq!(found, expected.map(|(row, subjects, shared, text)| (row, subjects, shared, text.to_owned())));
    assert_eq!((tally.before, &tally.erased[..], &tally.shared[..], tally.unnamed), (5, &[1, 2][..], &[1, 0][..], 1));
    let stopped =
        find_json_lines(content.as_bytes(), Codec::Plain, &matcher(), &mut |_| Err(std::io::ErrorKind::StorageFull.into()));
    assert!(matches!(stopped, Err(RowsError::HandOver(_))));
}

/// An identifier as it may be spelled in JSON, and whose it is.
fn identifiers() -> impl Strategy<Value = (String, Option<usize>)> {
    select(vec![
        ("0", Some(0)),
        ("-0.0", Some(0)),
        ("0e9", Some(0)),
        ("\"0\"", Some(0)),
        ("100", Some(0)),
        ("1e2", Some(0)),
        ("100.00", Some(0)),
        ("\"ada\"", Some(0)),
        ("\"\\u0061da\"", Some(0)),
        ("\"\"", Some(1)),
        ("false", Some(1)),
        ("\"false\"", Some(1)),
        ("-25e-1", Some(1)),
        ("\"-2.5\"", Some(1)),
        ("1", None),
        ("true", None),
        ("\"Ada\"", None),
        ("\"ada \"", None),
        ("\"100.0\"", None),
        ("0.1", None),
        ("100.0000000000000000000001", None),
        ("{\"id\":0}", None),
        ("\"\\ud800\"", None),
        ("\"é\"", None),
    ])
    .prop_map(|(text, subject)| (text.to_owned(), subject))
}

fn addresses() -> impl Strategy<Value = (String, Option<usize>)> {
    select(vec![("\"ada@x.org\"", Some(0)), ("\"ADA@X.org\"", Some(0)), ("\"bob\\u0040x.org\"", Some(1)), ("\"eve@x.org\"", None)])
        .prop_map(|(text, subject)| (text.to_owned(), subject))
}

/// White space that may stand between two tokens.
fn white() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", "", " ", "\t", "  ", "\r"])
}

/// A value that says nothing, as awkward as JSON allows.
fn noise() -> impl Strategy<Value = String> {
    select(vec![
        "null",
        "1.0",
        "1E+07",
        "\"\\\"\\\\ \\u00e9 😀 }\"",
        "[]",
        "{}",
        "[{\"id\":0},[\"ada@x.org\"]]",
        "{\"email\":\"ada@x.org\",\"a\":{\"b\":[1,{}]}}",
        "\"user\"",
        "12345678901234567890123",
        "\"{\\\"user\\\":{\\\"id\\\":0}}\"",
    ])
    .prop_map(str::to_owned)
}

/// One line without its end, with the identifiers in it: none for a blank line is `None`.
fn line() -> impl Strategy<Value = (String, Option<Vec<Option<usize>>>)> {
    let member = prop_oneof![
        3 => (identifiers(), white()).prop_map(|((id, subject), white)| {
            (format!("\"user\"{white}:{{{white}\"id\":{white}{id}{white}}}"), vec![subject])
        }),
        1 => (identifiers(), identifiers()).prop_map(|((one, first), (two, second))| {
            (format!("\"us\\u0065r\":[{{\"id\":[{one},null]}},{{\"x\":1,\"id\":{two}}}]"), vec![first, second])
        }),
        3 => (addresses(), white()).prop_map(|((address, subject), white)| (format!("{white}\"email\":{white}{address}"), vec![subject])),
        1 => (addresses(), addresses()).prop_map(|((one, first), (two, second))| {
            (format!("\"email\":{one},\"email\":[{two}]"), vec![first, second])
        }),
        1 => Just(("\"user\":null,\"email\":null".to_owned(), vec![])),
        4 => (noise(), white()).prop_map(|(value, white)| (format!("\"x\"{white}:{value}"), vec![])),
    ];
    let object = (proptest::collection::vec(member, 0..4), white()).prop_map(|(members, white)| {
        let texts: Vec<String> = members.iter().map(|(text, _)| text.clone()).collect();
        let claims = members.into_iter().flat_map(|(_, claims)| claims).collect();
        (format!("{white}{{{}}}{white}", texts.join(",")), Some(claims))
    });
    prop_oneof![8 => object, 1 => noise().prop_map(plain), 1 => white().prop_map(|white| (white.to_owned(), None))]
}

/// Noise as a whole line: some of it has addresses where they count.
fn plain(text: String) -> (String, Option<Vec<Option<usize>>>) {
    let claims = if text.starts_with("{\"email\"") || text.starts_with("[{\"id\"") {
        // In the array the address is an element and no member; in the object it is a member.
        if text.starts_with('{') { vec![Some(0)] } else { vec![] }
    } else {
        vec![]
    };
    (text, Some(claims))
}

#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Blank,
    Unnamed,
    Others,
    Of(usize),
    Shared(Vec<usize>),
}

fn fate(claims: &Option<Vec<Option<usize>>>) -> Fate {
    let Some(claims) = claims else { return Fate::Blank };
    let mut subjects: Vec<usize> = claims.iter().filter_map(|claim| *claim).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let foreign = claims.iter().any(Option::is_none);
    match (subjects.as_slice(), foreign) {
        ([], false) => Fate::Unnamed,
        ([], true) => Fate::Others,
        ([only], false) => Fate::Of(*only),
        _ => Fate::Shared(subjects),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn o_1_exactly_the_rows_of_one_subject_go_and_all_other_bytes_stay(
        lines in proptest::collection::vec((line(), select(vec!["\n", "\r\n"])), 0..40),
        ends_open in any::<bool>(),
        mark in any::<bool>(),
        codec in select(CODECS.to_vec()),
        members in 1usize..4,
        drop in 1usize..50,
    ) {
        let mut before = if mark { "\u{feff}".to_owned() } else { String::new() };
        let mut after = before.clone();
        let mut expected = Tally { erased: vec![0, 0], shared: vec![0, 0], ..Tally::default() };
        for (number, ((text, claims), end)) in lines.iter().enumerate() {
            let end = if ends_open && number + 1 == lines.len() { "" } else { end };
            before += text;
            before += end;
            let fate = fate(claims);
            if fate != Fate::Blank {
                prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), "{text}");
                expected.before += 1;
                expected.after += 1;
            }
            match fate {
                Fate::Of(subject) => {
                    expected.erased[subject] += 1;
                    expected.after -= 1;
                    continue;
                }
                Fate::Shared(subjects) => subjects.iter().for_each(|subject| expected.shared[*subject] += 1),
                Fate::Unnamed => expected.unnamed += 1,
                Fate::Blank | Fate::Others => {}
            }
            after += text;
            after += end;
        }
        let object = packed(before.as_bytes(), codec, members);
        let rewritten = erase_json_lines(Drops(&object, drop), codec, &matcher(), Vec::new());
        let (output, tally) = rewritten.map_err(|error| TestCaseError::fail(format!("{error}: {before:?}")))?.into_parts();
        prop_assert_eq!(String::from_utf8(unpacked(&output, codec)).unwrap(), after);
        prop_assert_eq!(&tally, &expected);

        // Once more changes nothing (E-3).
        let (again, tally) = erase_json_lines(output.as_slice(), codec, &matcher(), Vec::new()).unwrap().into_parts();
        prop_assert_eq!(unpacked(&again, codec), unpacked(&output, codec));
        prop_assert_eq!(tally.erased_in_all(), 0);
    }

    #[test]
    fn what_is_json_is_decided_as_another_parser_does(text in r#"[\[\]{}",:0-9eE+\-. \\untrfalse\t\u{1}é]{0,24}"#) {
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
        let blank = text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        prop_assert_eq!(erase(text.as_bytes()).is_ok(), theirs || blank, "{:?}", text);
    }

    #[test]
    fn a_changed_byte_is_noticed_as_another_parser_does((text, _) in line(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = text.into_bytes();
        prop_assume!(!bytes.is_empty() && byte != b'\n');
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let theirs = std::str::from_utf8(&bytes).is_ok_and(|text| {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            text.trim_matches([' ', '\t', '\r']).is_empty() || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
        });
        prop_assert_eq!(erase(&bytes).is_ok(), theirs, "{:?}", String::from_utf8_lossy(&bytes));
    }
}
