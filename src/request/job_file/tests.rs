//! What a job file may say, and the exact words with which a wrong one is answered.

use super::*;

const CANARY: &str = "canary-4711@example.com";

fn parse(text: &str) -> Result<JobFile, JobFileError> {
    JobFile::parse(text, "job.json")
}

/// Message and hint of a wrong job.
fn complaint(text: &str) -> String {
    let error = parse(text).expect_err("is wrong");
    match error.hint() {
        Some(hint) => format!("{error} | {hint}"),
        None => error.to_string(),
    }
}

const KINDS: &str =
    "access, portability, erasure, rectification, restriction, objection, consent_withdrawal, retention_sweep, reverify";

#[test]
fn the_whole_of_the_interface_is_read() {
    let job = parse(
        r#"{"kind": "erasure", "subject": {"email": "ada@example.com", "user_id": 42}, "categories": ["user.contact"],
        "policy": "null_contact", "ground": "art17_1_b", "reason_code": "account_closed", "received_at": "2026-11-24T10:00:00+01:00",
        "idempotency_key": "ticket-4711", "approval": "two", "deliver": {"mode": "link", "passcode_channel": "operator"},
        "changes": {"user.name.last": "Byron"}, "test": true, "schedule": "0 3 * * 1-5,7"}"#,
    )
    .unwrap();
    assert_eq!(job.kind, Kind::Erasure);
    assert_eq!(job.subject.as_ref().unwrap().of_kind("user_id").unwrap().expose(), "42");
    assert_eq!(job.ground, Some(ErasureGround::ConsentWithdrawn));
    assert_eq!(job.received_at.unwrap().to_string(), "2026-11-24T09:00:00Z");
    assert_eq!(job.approval(), Approval::Two);
    assert_eq!(parse(&job.to_sealed_json()).unwrap(), job, "the sealed form reads back");
}

#[test]
fn an_unknown_key_is_named_with_what_was_meant() {
    assert_eq!(
        complaint("{\"kind\": \"access\",\n \"subjct\": {\"email\": \"canary-4711@example.com\"}}"),
        "job.json:2:9: unknown key `subjct` | did you mean `subject`?"
    );
    assert_eq!(
        complaint(r#"{"kind": "access", "subject": {"email": "a"}, "deliver": {"mode": "file", "channel": "x"}}"#),
        "job.json:1:89: unknown key `deliver.channel` | known here: mode, passcode_channel, to"
    );
}

#[test]
fn a_missing_or_wrong_kind_is_answered_with_the_list() {
    assert_eq!(complaint(r#"{"subject": {"email": "a"}}"#), format!("job.json:1:27: `kind` is missing | kinds: {KINDS}"));
    assert_eq!(
        complaint(r#"{"kind": "erase", "subject": {"email": "a"}}"#),
        format!("job.json:1:16: `kind` is no kind of job | did you mean `erasure`? kinds: {KINDS}")
    );
    assert_eq!(complaint(r#"{"kind": "export"}"#), format!("job.json:1:17: `kind` is no kind of job | kinds: {KINDS}"));
    assert_eq!(complaint(r#"{"kind": 3}"#), "job.json:1:10: `kind` must be text, not a number");
}

#[test]
fn a_job_about_a_person_needs_the_person() {
    const HINT: &str = r#"such as "subject": {"email": "ada@example.com"}"#;
    assert_eq!(
        complaint(r#"{"kind": "erasure"}"#),
        format!("job.json:1:19: `subject` is missing: a job of kind `erasure` is about a person | {HINT}")
    );
    assert!(complaint(r#"{"kind": "erasure", "subject": {}}"#).contains("`subject` names nobody"));
    assert!(complaint(r#"{"kind": "erasure", "subject": {"email": ""}}"#).contains("`subject.email` is empty"));
    assert!(parse(r#"{"kind": "reverify"}"#).is_ok(), "it looks at everything that was erased");
}

#[test]
fn i_1_two_values_for_one_identifier_are_refused() {
    assert_eq!(
        complaint(r#"{"kind": "erasure", "subject": {"email": "a@x", "email": "b@x"}}"#),
        "job.json:1:63: `subject.email` is given twice"
    );
    assert_eq!(complaint(r#"{"kind": "access", "kind": "erasure"}"#), "job.json:1:37: `kind` is given twice");
}

#[test]
fn i_1_identifiers_are_taken_byte_for_byte() {
    let job = parse(
        "{\"kind\": \"access\", \"subject\": {\"email\": \" J\\u00f6\\u00E9@X.org\u{2028}\", \"user_id\": 18446744073709551615}}",
    )
    .unwrap();
    let subject = job.subject.unwrap();
    assert_eq!(subject.of_kind("email").unwrap().expose(), " Jöé@X.org\u{2028}");
    assert_eq!(subject.of_kind("user_id").unwrap().expose(), "18446744073709551615");
    assert!(
        complaint(r#"{"kind": "access", "subject": {"user_id": 1.5}}"#)
            .contains("`subject.user_id` must be text or a whole number, not a number")
    );
    assert!(parse(r#"{"kind": "access", "subject": {"user_id": 18446744073709551616}}"#).is_err(), "it would lose digits");
}

#[test]
fn s_1_no_error_quotes_a_value_wherever_it_stands() {
    let wrong = [
        format!("\"{CANARY}\""),
        format!("[\"{CANARY}\"]"),
        format!(r#"{{"{CANARY}": 1}}"#),
        format!(r#"{{"kind": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "subject": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "subject": {{"{CANARY}": "x"}}}}"#),
        format!(r#"{{"kind": "access", "subject": {{"email": ["{CANARY}"]}}}}"#),
        format!(r#"{{"kind": "access", "subject": {{"email": "{CANARY}\u0000"}}}}"#),
        format!(r#"{{"kind": "access", "subject": {{"email": "{CANARY}"}} "x"}}"#),
        format!(r#"{{"kind": "access", "subject": {{"email": "{CANARY}"#),
        format!(r#"{{"kind": "access", "subject": {{"email": "{CANARY}"}}, "{CANARY}": 1}}"#),
        format!(r#"{{"kind": "access", "categories": ["{CANARY}"]}}"#),
        format!(r#"{{"kind": "access", "categories": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "policy": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "ground": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "reason_code": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "received_at": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "idempotency_key": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "approval": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "deliver": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "deliver": {{"{CANARY}": 1}}}}"#),
        format!(r#"{{"kind": "access", "deliver": {{"mode": "{CANARY}"}}}}"#),
        format!(r#"{{"kind": "access", "changes": {{"{CANARY}": 1}}}}"#),
        format!(r#"{{"kind": "access", "test": "{CANARY}"}}"#),
        format!(r#"{{"kind": "access", "schedule": "{CANARY}"}}"#),
    ];
    for text in wrong {
        let error = parse(&text).expect_err(&text);
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(!shown.contains("canary"), "{text}: {shown}");
    }
    let job = parse(&format!(
        r#"{{"kind": "rectification", "subject": {{"email": "{CANARY}"}}, "changes": {{"user.email": "{CANARY}"}}}}"#
    ))
    .unwrap();
    assert!(!format!("{job:?}").contains("canary"));
}

#[test]
fn every_field_says_what_it_takes() {
    let with = |field: &str| complaint(&format!(r#"{{"kind": "erasure", "subject": {{"email": "a"}}, {field}}}"#));
    for (field, expected) in [
        (r#""ground": "art17_1_g""#, "`ground` must be one of art17_1_a, art17_1_b, art17_1_c, art17_1_d, art17_1_e, art17_1_f"),
        (
            r#""reason_code": "Account closed""#,
            "`reason_code` must be a code of 1 to 40 of a-z, 0-9 and _: free text does not belong here",
        ),
        (r#""received_at": "2026-11-24 09:00""#, "`received_at` must be an instant with its offset, such as 2026-11-24T09:00:00Z"),
        (r#""approval": "three""#, "`approval` must be one of none, one, two"),
        (r#""categories": []"#, "`categories` must be left out to mean everything: an empty list is ambiguous"),
        (r#""categories": [7]"#, "`categories[0]` must be text, not a number"),
        (r#""test": "yes""#, "`test` must be true or false, not text"),
        (r#""schedule": "61 3 * * *""#, "`schedule` must be five cron fields, such as 0 3 * * *"),
        (r#""deliver": {}"#, "`deliver.mode` must be given: file, link or transmit"),
        (r#""policy": null"#, "`policy` must be text, not null"),
    ] {
        let answer = with(field);
        assert!(answer.contains(expected), "{field}: {answer}");
    }
}

#[test]
fn many_jobs_come_as_lines_and_an_error_names_its_line() {
    let line = r#"{"kind": "access", "subject": {"email": "a@x"}}"#;
    assert_eq!(JobFile::parse_many(&format!("{line}\n\n{line}\n"), "standard input").unwrap().len(), 2);
    let error = JobFile::parse_many(&format!("{line}\n{line}\n{{\"kind\": \"acces\"}}\n"), "standard input").unwrap_err();
    assert_eq!(error.to_string(), "standard input:3:16: `kind` is no kind of job");
    assert_eq!(JobFile::parse_many(" \n", "standard input").unwrap_err().to_string(), "standard input: there is no job in it");
    assert_eq!(parse(&format!("{line}{line}")).unwrap_err().to_string(), "job.json: there are 2 jobs in it, and one is expected");
    assert_eq!(parse("{\"kind\": \"access\",}").unwrap_err().to_string(), "job.json:1:19: is not JSON: trailing comma");
    assert!(parse(&format!("\u{feff}{line}")).is_ok(), "a byte order mark is no content");
}

#[test]
fn what_only_reads_needs_no_approval_unless_it_says_so() {
    let approval = |text: &str| parse(text).unwrap().approval();
    assert_eq!(approval(r#"{"kind": "access", "subject": {"email": "a"}}"#), Approval::None);
    assert_eq!(approval(r#"{"kind": "access", "subject": {"email": "a"}, "approval": "one"}"#), Approval::One);
    assert_eq!(approval(r#"{"kind": "erasure", "subject": {"email": "a"}}"#), Approval::One);
    assert_eq!(approval(r#"{"kind": "erasure", "subject": {"email": "a"}, "approval": "none"}"#), Approval::None);
}

#[test]
fn what_this_version_does_not_carry_out_is_said_at_intake() {
    let answer = |rest: &str| parse(&format!(r#"{{"subject": {{"email": "a"}}, {rest}}}"#)).unwrap().not_carried_out();
    for kind in ["access", "portability", "erasure", "reverify"] {
        assert_eq!(answer(&format!(r#""kind": "{kind}", "deliver": {{"mode": "file"}}"#)), None, "{kind}");
    }
    for kind in ["rectification", "restriction", "objection", "consent_withdrawal", "retention_sweep"] {
        assert_eq!(answer(&format!(r#""kind": "{kind}""#)).unwrap(), format!("a job of kind `{kind}`"));
    }
    assert_eq!(answer(r#""kind": "access", "deliver": {"mode": "link"}"#).unwrap(), "`deliver.mode: link`");
    assert_eq!(answer(r#""kind": "access", "schedule": "* * * * *""#).unwrap(), "`schedule`");
    assert_eq!(answer(r#""kind": "access", "changes": {"user.name": 1}"#).unwrap(), "`changes`");
}

#[test]
fn every_job_file_of_the_project_is_one_that_parses_and_is_carried_out() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name == "job.schema.json" {
            continue;
        }
        let job = JobFile::parse(&std::fs::read_to_string(&path).unwrap(), &name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(job.not_carried_out(), None, "{name}");
        assert_eq!(format!("{}.json", job.kind.as_str()), name);
        seen.push(name);
    }
    seen.sort();
    assert_eq!(seen, ["access.json", "erasure.json", "portability.json", "reverify.json"]);
}

#[test]
fn the_schema_lists_the_very_fields_and_words_that_the_parser_takes() {
    let text = include_str!("../../../jobs/job.schema.json");
    let schema: Value = serde_json::from_str(text).unwrap();
    assert_eq!(schema["additionalProperties"], Value::Bool(false));
    let keys = |schema: &Value| schema["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut known: Vec<_> = read::KEYS.iter().map(ToString::to_string).collect();
    known.sort();
    assert_eq!(keys(&schema), known);
    let words = |field: &str| {
        schema["properties"][field]["enum"].as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(words("kind"), Kind::ALL.map(Kind::as_str));
    assert_eq!(words("ground"), ErasureGround::ALL.map(ErasureGround::as_str));
    assert_eq!(words("approval"), Approval::ALL.map(Approval::as_str));
    assert_eq!(keys(&schema["properties"]["deliver"]), ["mode", "passcode_channel", "to"]);
    for property in schema["properties"].as_object().unwrap().values() {
        assert!(property["description"].is_string(), "{property}");
    }
}
