//! Reads job files strictly. Values are taken from the JSON parser byte for byte; problems are noted on the side as typed values, so
//! that the parser lends only the place and never words an error itself: its own errors quote what they found (S-1).

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::fields::{self, Loose, describe};
use super::{Changes, JobFile, JobFileError, JobProblem};

pub(super) const KEYS: &[&str] = &[
    "$schema",
    "kind",
    "subject",
    "categories",
    "policy",
    "ground",
    "reason_code",
    "received_at",
    "idempotency_key",
    "approval",
    "deliver",
    "changes",
    "test",
    "schedule",
];

/// Where a problem is put while the parser winds up.
type Noted = RefCell<Option<JobProblem>>;

/// All jobs of a text, one after the other.
pub(super) fn read_all(text: &str, name: &str) -> Result<Vec<JobFile>, JobFileError> {
    // Some editors put a byte order mark in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = serde_json::Deserializer::from_str(text);
    let mut jobs = Vec::new();
    while parser.end().is_err() {
        let noted = Noted::default();
        let job = JobSeed(&noted).deserialize(&mut parser).map_err(|error| {
            let problem = noted.take().unwrap_or_else(|| JobProblem::Syntax(without_place(&error)));
            JobFileError { file: name.to_owned(), at: Some((error.line().max(1), error.column().max(1))), problem }
        })?;
        jobs.push(job);
    }
    Ok(jobs)
}

/// The parser appends the place in words; ours stands in front.
fn without_place(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// Notes the problem and stops the parser.
fn stop<E: Error>(noted: &Noted, problem: JobProblem) -> E {
    noted.replace(Some(problem));
    E::custom("refused")
}

/// One job.
struct JobSeed<'p>(&'p Noted);

impl<'de> DeserializeSeed<'de> for JobSeed<'_> {
    type Value = JobFile;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<JobFile, D::Error> {
        deserializer.deserialize_any(AnyShape(self))
    }
}

/// One field: any value, then its check.
struct FieldSeed<'p, T>(&'p Noted, fn(Loose) -> Result<T, JobProblem>);

impl<'de, T> DeserializeSeed<'de> for FieldSeed<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(AnyShape(self))
    }
}

/// What is to be made of a value, whichever shape it has.
trait Shapes<'de>: Sized {
    type Made;
    fn scalar<E: Error>(self, value: Value) -> Result<Self::Made, E>;
    fn list<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Made, A::Error>;
    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Made, A::Error>;
}

impl<'de> Shapes<'de> for JobSeed<'_> {
    type Made = JobFile;

    fn scalar<E: Error>(self, value: Value) -> Result<JobFile, E> {
        Err(stop(self.0, JobProblem::NotAnObject(describe(&value))))
    }

    fn list<A: SeqAccess<'de>>(self, _items: A) -> Result<JobFile, A::Error> {
        Err(stop(self.0, JobProblem::NotAnObject("a list")))
    }

    fn object<A: MapAccess<'de>>(self, entries: A) -> Result<JobFile, A::Error> {
        read_job(self.0, entries)
    }
}

impl<'de, T> Shapes<'de> for FieldSeed<'_, T> {
    type Made = T;

    fn scalar<E: Error>(self, value: Value) -> Result<T, E> {
        (self.1)(Loose::Scalar(value)).map_err(|problem| stop(self.0, problem))
    }

    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        (self.1)(Loose::List(list)).map_err(|problem| stop(self.0, problem))
    }

    fn object<A: MapAccess<'de>>(self, mut entries: A) -> Result<T, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        (self.1)(Loose::Object(object)).map_err(|problem| stop(self.0, problem))
    }
}

fn read_job<'de, A: MapAccess<'de>>(noted: &Noted, mut entries: A) -> Result<JobFile, A::Error> {
    let (mut kind, mut subject, mut categories, mut policy) = (None, None, None, None);
    let (mut ground, mut reason_code, mut received_at, mut idempotency_key) = (None, None, None, None);
    let (mut approval, mut deliver, mut changes, mut test, mut schedule) = (None, None, None, None, None);
    macro_rules! take {
        ($slot:ident, $check:path) => {
            $slot.replace(entries.next_value_seed(FieldSeed(noted, $check))?).is_some()
        };
    }
    // What editors check a file against; nothing here follows it.
    let mut schema = None;
    while let Some(key) = entries.next_key::<String>()? {
        let seen = match key.as_str() {
            "$schema" => take!(schema, fields::schema),
            "kind" => take!(kind, fields::kind),
            "subject" => take!(subject, fields::subject),
            "categories" => take!(categories, fields::categories),
            "policy" => take!(policy, fields::policy),
            "ground" => take!(ground, fields::ground),
            "reason_code" => take!(reason_code, fields::reason_code),
            "received_at" => take!(received_at, fields::received_at),
            "idempotency_key" => take!(idempotency_key, fields::idempotency_key),
            "approval" => take!(approval, fields::approval),
            "deliver" => take!(deliver, fields::deliver),
            "changes" => take!(changes, fields::changes),
            "test" => take!(test, fields::test),
            "schedule" => take!(schedule, fields::schedule),
            _ => return Err(stop(noted, fields::unknown_key(&key, None, KEYS))),
        };
        if seen {
            return Err(stop(noted, JobProblem::Twice(key)));
        }
    }
    let kind = kind.ok_or_else(|| stop(noted, JobProblem::KindMissing))?;
    if kind.needs_subject() && subject.is_none() {
        return Err(stop(noted, JobProblem::SubjectMissing(kind)));
    }
    Ok(JobFile {
        kind,
        subject,
        categories: categories.unwrap_or_default(),
        policy,
        ground,
        reason_code,
        received_at,
        idempotency_key,
        asked_approval: approval,
        deliver,
        changes: changes.unwrap_or(Changes::default()),
        test: test.unwrap_or(false),
        schedule,
    })
}

/// Hands a value of any shape to what is to be made of it.
struct AnyShape<S>(S);

impl<'de, S: Shapes<'de>> Visitor<'de> for AnyShape<S> {
    type Value = S::Made;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<S::Made, E> {
        self.0.scalar(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<S::Made, E> {
        self.0.scalar(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<S::Made, E> {
        self.0.scalar(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<S::Made, E> {
        self.0.scalar(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S::Made, E> {
        self.0.scalar(Value::from(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<S::Made, E> {
        self.0.scalar(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<S::Made, A::Error> {
        self.0.list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<S::Made, A::Error> {
        self.0.object(entries)
    }
}
