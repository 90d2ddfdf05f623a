//! What each field of a job file takes. Every function is given a value of any shape and answers with the typed one, or with a problem
//! that names the field and not the value.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Changes, Deliver, DeliverMode, JobProblem};
use crate::request::{Approval, ErasureGround, Kind};
use crate::subject::{Identifier, Subject, is_plain_word};
use crate::suggest;

/// A JSON value whose objects keep their order and repetitions.
pub(super) enum Loose {
    Scalar(Value),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

type Checked<T> = Result<T, JobProblem>;

pub(super) fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Loose {
    fn describe(&self) -> &'static str {
        match self {
            Loose::Scalar(value) => describe(value),
            Loose::List(_) => "a list",
            Loose::Object(_) => "an object",
        }
    }

    fn refused(&self, field: &str, expected: &'static str) -> JobProblem {
        JobProblem::Type { field: field.to_owned(), expected, found: self.describe() }
    }
}

fn value_problem(field: &str, expected: impl Into<String>) -> JobProblem {
    JobProblem::Value { field: field.to_owned(), expected: expected.into() }
}

fn text(field: &str, value: Loose) -> Checked<String> {
    match value {
        Loose::Scalar(Value::String(text)) => Ok(text),
        other => Err(other.refused(field, "text")),
    }
}

/// Text of 1 to `longest` of the characters allowed.
fn word(field: &str, value: Loose, longest: usize, allowed: fn(u8) -> bool, expected: &str) -> Checked<String> {
    let text = text(field, value)?;
    let fits = (1..=longest).contains(&text.len()) && text.bytes().all(allowed);
    if fits { Ok(text) } else { Err(value_problem(field, expected)) }
}

fn one_of<T: Copy>(field: &str, value: Loose, all: &[T], name: fn(T) -> &'static str) -> Checked<T> {
    let text = text(field, value)?;
    let found = all.iter().copied().find(|candidate| name(*candidate) == text);
    let names = || all.iter().map(|candidate| name(*candidate)).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| value_problem(field, format!("one of {}", names())))
}

/// Where editors find the schema: any text, and of no consequence here.
pub(super) fn schema(value: Loose) -> Checked<String> {
    text("$schema", value)
}

pub(super) fn kind(value: Loose) -> Checked<Kind> {
    let text = text("kind", value)?;
    let meant = || suggest::nearest(&text, Kind::ALL.map(Kind::as_str));
    Kind::parse(&text).ok_or_else(|| JobProblem::KindUnknown { meant: meant() })
}

pub(super) fn subject(value: Loose) -> Checked<Subject> {
    let Loose::Object(entries) = value else { return Err(value.refused("subject", "an object of identifiers")) };
    let mut identifiers: Vec<Identifier> = Vec::with_capacity(entries.len());
    for (kind, value) in entries {
        if !is_plain_word(&kind) {
            return Err(JobProblem::UnshownKey { within: "`subject`" });
        }
        if identifiers.iter().any(|earlier| earlier.kind == kind) {
            return Err(JobProblem::Twice(format!("subject.{kind}")));
        }
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            other => {
                let expected = "text or a whole number";
                return Err(JobProblem::Type { field: format!("subject.{kind}"), expected, found: describe(&other) });
            }
        };
        identifiers.push(Identifier::new(kind, value));
    }
    Subject::new(identifiers).map_err(JobProblem::Subject)
}

pub(super) fn categories(value: Loose) -> Checked<Vec<String>> {
    let Loose::List(items) = value else { return Err(value.refused("categories", "a list of categories")) };
    if items.is_empty() {
        return Err(value_problem("categories", "left out to mean everything: an empty list is ambiguous"));
    }
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.');
    let one = |(at, item)| word(&format!("categories[{at}]"), Loose::Scalar(item), 200, allowed, "a category such as user.contact");
    let mut categories: Vec<String> = items.into_iter().enumerate().map(one).collect::<Checked<_>>()?;
    categories.sort();
    categories.dedup();
    Ok(categories)
}

pub(super) fn policy(value: Loose) -> Checked<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    word("policy", value, 200, allowed, "the key of a policy in the data map")
}

pub(super) fn ground(value: Loose) -> Checked<ErasureGround> {
    one_of("ground", value, &ErasureGround::ALL, ErasureGround::as_str)
}

pub(super) fn reason_code(value: Loose) -> Checked<String> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    word("reason_code", value, 40, allowed, "a code of 1 to 40 of a-z, 0-9 and _: free text does not belong here")
}

pub(super) fn received_at(value: Loose) -> Checked<Timestamp> {
    let text = text("received_at", value)?;
    text.parse().map_err(|_| value_problem("received_at", "an instant with its offset, such as 2026-11-24T09:00:00Z"))
}

pub(super) fn idempotency_key(value: Loose) -> Checked<String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/');
    word("idempotency_key", value, 128, allowed, "1 to 128 letters, digits and - _ . : / (it is stored in the clear)")
}

pub(super) fn approval(value: Loose) -> Checked<Approval> {
    one_of("approval", value, &Approval::ALL, Approval::as_str)
}

pub(super) fn deliver(value: Loose) -> Checked<Deliver> {
    const KEYS: &[&str] = &["mode", "passcode_channel", "to"];
    const MODES: [DeliverMode; 3] = [DeliverMode::File, DeliverMode::Link, DeliverMode::Transmit];
    let Loose::Object(entries) = value else { return Err(value.refused("deliver", "an object")) };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let (mut mode, mut passcode_channel, mut to) = (None, None, None);
    for (key, value) in entries {
        let value = Loose::Scalar(value);
        let seen = match key.as_str() {
            "mode" => mode.replace(one_of("deliver.mode", value, &MODES, DeliverMode::as_str)?).is_some(),
            "passcode_channel" => {
                passcode_channel.replace(word("deliver.passcode_channel", value, 40, allowed, "the name of a channel")?).is_some()
            }
            "to" => to.replace(word("deliver.to", value, 64, allowed, "the name of a configured recipient")?).is_some(),
            _ => return Err(unknown_key(&key, Some("deliver"), KEYS)),
        };
        if seen {
            return Err(JobProblem::Twice(format!("deliver.{key}")));
        }
    }
    let mode = mode.ok_or_else(|| value_problem("deliver.mode", "given: file, link or transmit"))?;
    Ok(Deliver { mode, passcode_channel, to })
}

pub(super) fn changes(value: Loose) -> Checked<Changes> {
    let Loose::Object(entries) = value else { return Err(value.refused("changes", "an object of categories and new values")) };
    let mut changes = BTreeMap::new();
    for (category, value) in entries {
        if !is_plain_word(&category) {
            return Err(JobProblem::UnshownKey { within: "`changes`" });
        }
        if changes.insert(category.clone(), value).is_some() {
            return Err(JobProblem::Twice(format!("changes.{category}")));
        }
    }
    Ok(Changes(changes))
}

pub(super) fn test(value: Loose) -> Checked<bool> {
    match value {
        Loose::Scalar(Value::Bool(flag)) => Ok(flag),
        other => Err(other.refused("test", "true or false")),
    }
}

pub(super) fn schedule(value: Loose) -> Checked<String> {
    let text = text("schedule", value)?;
    if is_cron(&text) { Ok(text) } else { Err(value_problem("schedule", "five cron fields, such as 0 3 * * *")) }
}

/// Minute, hour, day of the month, month, day of the week: `*`, numbers, ranges, lists and steps.
fn is_cron(text: &str) -> bool {
    const BOUNDS: [(u8, u8); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
    let fields: Vec<&str> = text.split_ascii_whitespace().collect();
    let number = |text: &str, bounds: (u8, u8)| text.parse::<u8>().ok().filter(|n| (bounds.0..=bounds.1).contains(n));
    let part_fits = |part: &str, bounds: (u8, u8)| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step_fits = step.is_none_or(|step| number(step, (1, bounds.1)).is_some());
        let range_fits = match range.split_once('-') {
            Some((from, to)) => matches!((number(from, bounds), number(to, bounds)), (Some(from), Some(to)) if from <= to),
            None => range == "*" || number(range, bounds).is_some(),
        };
        step_fits && range_fits
    };
    fields.len() == 5 && fields.iter().zip(BOUNDS).all(|(field, bounds)| field.split(',').all(|part| part_fits(part, bounds)))
}

/// The problem with a key outside the closed list. A key that looks like a word is shown, since it is probably a slip.
pub(super) fn unknown_key(key: &str, within: Option<&'static str>, known: &'static [&'static str]) -> JobProblem {
    if !is_plain_word(key) {
        return JobProblem::UnshownKey { within: within.map_or("the job", |_| "`deliver`") };
    }
    let key = within.map_or_else(|| key.to_owned(), |within| format!("{within}.{key}"));
    JobProblem::UnknownKey { key, known }
}

impl DeliverMode {
    fn as_str(self) -> &'static str {
        match self {
            DeliverMode::File => "file",
            DeliverMode::Link => "link",
            DeliverMode::Transmit => "transmit",
        }
    }
}
