//! CSV of every kind: the model splits records by hand, and what survives has the bytes that it had.

use proptest::prelude::*;
use proptest::sample::select;

use super::objects::{CODECS, Drops, packed, unpacked};
use crate::rows::{Codec, Content, Dialect, LineProblem, Matcher, RowsError, Tally, erase_csv, find_csv};
use crate::subject::NormalForm;

fn matcher() -> Matcher {
    let mut matcher = Matcher::new();
    let id = matcher.field(&["user id"], NormalForm::Exact).unwrap();
    for identifier in ["0", "ada", "a\"b,c\r\nd"] {
        matcher.add(id, 0, identifier).unwrap();
    }
    for identifier in ["", "false"] {
        matcher.add(id, 1, identifier).unwrap();
    }
    matcher
}

fn erase(content: &[u8]) -> Result<(Vec<u8>, Tally), RowsError> {
    erase_csv(content, Codec::Plain, Dialect::default(), &matcher(), Vec::new()).map(|rewritten| rewritten.into_parts())
}

#[test]
fn bytes_that_stay_are_the_bytes_that_were_there() {
    for (before, after) in [
        ("user id,x\r\n0,1\r\n7,2\r\n", "user id,x\r\n7,2\r\n"),
        ("x,\"user id\"\n1,\"0\"\n2,\"7\"\n3,0", "x,\"user id\"\n2,\"7\"\n"),
        ("\u{feff}user id\n0\n7", "\u{feff}user id\n7"),
        ("\u{feff}\"user id\"\n\n\"\"\n7\n\n", "\u{feff}\"user id\"\n\n7\n\n"),
        ("user id,x\n\"a\"\"b,c\r\nd\",\"two\nlines\"\n7,\"two\nlines, \"\"q\"\"\"\n", "user id,x\n7,\"two\nlines, \"\"q\"\"\"\n"),
        ("user id,x\n7,5\" pipe\n0,\n,1\n", "user id,x\n7,5\" pipe\n"),
        ("user id,x\n00,1\n0.0,1\n False,1\nADA,1\n", "user id,x\n00,1\n0.0,1\n False,1\nADA,1\n"),
        ("user id", "user id"),
        ("", ""),
        ("\n", "\n"),
    ] {
        assert_eq!(String::from_utf8(erase(before.as_bytes()).unwrap().0).unwrap(), after, "{before:?}");
    }
}

#[test]
fn bytes_that_are_no_text_stay_and_match_nothing() {
    let (output, tally) = erase(b"user id,x\n\xff\xfe,\xe9\n0,\xe9\n").unwrap();
    assert_eq!((output.as_slice(), tally.before), (&b"user id,x\n\xff\xfe,\xe9\n"[..], 2));
}

#[test]
fn what_readers_would_disagree_about_is_an_error_with_its_line() {
    for (content, line, problem) in [
        ("user id,x\n1,2\n1\n", 3, LineProblem::CellCount),
        ("user id,x\n\"a\nb\",2\n1,2,3\n", 4, LineProblem::CellCount),
        ("user id,x\n\"secret\"1,2\n", 2, LineProblem::AfterQuote),
        ("user id,x\n\"secret,2\n", 2, LineProblem::OpenQuote),
        ("user id,x\n1\r2,3\n", 2, LineProblem::LoneCarriageReturn),
    ] {
        let error = erase(content.as_bytes()).unwrap_err();
        assert!(
            matches!(error, RowsError::Line { line: told, problem: why } if (told, why) == (line, problem)),
            "{content:?}: {error}"
        );
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}

#[test]
fn v_2_a_field_that_is_no_column_is_an_error_and_not_no_rows() {
    let error = erase(b"user,x\n0,1\n").unwrap_err();
    assert!(matches!(&error, RowsError::NoSuchField { field } if field == "user id"), "{error}");
}

#[test]
fn o_1_a_name_that_comes_twice_stands_for_both_columns() {
    let (output, tally) = erase(b"user id,user id\n0,0\n0,7\n7,0\n0,\n").unwrap();
    assert_eq!(output, b"user id,user id\n0,7\n7,0\n0,\n");
    assert_eq!((&tally.erased[..], &tally.shared[..]), (&[1, 0][..], &[3, 1][..]), "the empty cell is bob's");
}

#[test]
fn an_empty_cell_is_nobodys_unless_the_empty_text_is_looked_for() {
    let mut matcher = Matcher::new();
    let (id, email) = (matcher.field(&["id"], NormalForm::Exact).unwrap(), matcher.field(&["email"], NormalForm::Exact).unwrap());
    matcher.add(id, 0, "1").unwrap();
    matcher.add(email, 0, "ada@x.org").unwrap();
    let content = &b"id;email\n1;\n;ada@x.org\n1;\"\"\n;\n1;eve@x.org\n"[..];
    let (output, tally) = erase_csv(content, Codec::Plain, Dialect { delimiter: b';' }, &matcher, Vec::new()).unwrap().into_parts();
    assert_eq!(output, b"id;email\n1;\"\"\n;\n1;eve@x.org\n");
    assert_eq!((tally.erased[0], tally.shared[0], tally.unnamed), (2, 2, 1));
}

#[test]
fn x_1_what_is_found_comes_with_its_cells() {
    let mut found = Vec::new();
    let tally = find_csv(&b"x,user id\n\"a\"\"\",0\n2,7\n3,\n"[..], Codec::Plain, Dialect::default(), &matcher(), &mut |row| {
        let Content::Cells { names, cells } = row.content else { panic!("no cells") };
        let cells = cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect::<Vec<_>>();
        found.push((row.row, row.subjects.to_vec(), names.join("|"), cells.join("|")));
        Ok(())
    })
    .unwrap();
    assert_eq!(
        found,
        [(1, vec![0], "x|user id".to_owned(), "a\"|0".to_owned()), (3, vec![1], "x|user id".to_owned(), "3|".to_owned())]
    );
    assert_eq!((tally.before, tally.erased), (3, vec![1, 1]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn o_1_exactly_the_rows_of_one_subject_go_and_all_other_bytes_stay(
        rows in proptest::collection::vec(
            ((select(vec!["0", "ada", "a\"b,c\r\nd", "", "false", "7", "00", "true", "a\"b", "\u{e9};"]), any::<bool>()),
             ("[a\"\n\r,; é]{0,6}", any::<bool>()), select(vec!["\n", "\r\n"])), 0..30),
        blank in any::<prop::sample::Index>(),
        ends_open in any::<bool>(),
        mark in any::<bool>(),
        delimiter in select(vec![b',', b';', b'\t']),
        codec in select(CODECS.to_vec()),
        members in 1usize..4,
        drop in 1usize..50,
    ) {
        let mut before = if mark { "\u{feff}".to_owned() } else { String::new() };
        before += &format!("user id{}\"te\nxt\"\r\n", char::from(delimiter));
        let mut after = before.clone();
        let mut expected = Tally { erased: vec![0, 0], shared: vec![0, 0], ..Tally::default() };
        let cell = |text: &str, quoted: bool| {
            let must = text.bytes().any(|byte| matches!(byte, b'"' | b'\n' | b'\r') || byte == delimiter);
            if must || quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
        };
        for (number, ((id, id_quoted), (text, text_quoted), end)) in rows.iter().enumerate() {
            if blank.index(rows.len()) == number {
                before += end;
                after += end;
            }
            let end = if ends_open && number + 1 == rows.len() { "" } else { end };
            let record = format!("{}{}{}{end}", cell(id, *id_quoted), char::from(delimiter), cell(text, *text_quoted));
            before += &record;
            expected.before += 1;
            match *id {
                "0" | "ada" | "a\"b,c\r\nd" => expected.erased[0] += 1,
                "" | "false" => expected.erased[1] += 1,
                _ => {
                    expected.after += 1;
                    after += &record;
                }
            }
        }
        // The stock parser sees the same records.
        let content = before.strip_prefix('\u{feff}').unwrap_or(&before);
        let theirs = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(content.as_bytes()).into_records().filter(|record| record.is_ok()).count();
        prop_assert_eq!(theirs, rows.len());
        let object = packed(before.as_bytes(), codec, members);
        let rewritten = erase_csv(Drops(&object, drop), codec, Dialect { delimiter }, &matcher(), Vec::new());
        let (output, tally) = rewritten.map_err(|error| TestCaseError::fail(format!("{error}: {before:?}")))?.into_parts();
        prop_assert_eq!(String::from_utf8(unpacked(&output, codec)).unwrap(), after);
        prop_assert_eq!(tally, expected);
    }
}
