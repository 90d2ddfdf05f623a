//! What `habeas map check` asks of stores of objects: whether they can be read as gathering and erasing need it, whether they still are the
//! stores that they were, and how many objects no template of the map can name. Keys are counted and never shown (S-1).

use secrecy::ExposeSecret;

use crate::config::{Config, Source};
use crate::connector::objects::{ObjectSource, StoreError, probe, unnamed};
use crate::counted::{counted, grouped};
use crate::datamap::{Code, Finding, Graph, ObjectPlace, OnErasure, Place, RowPlace, Severity};
use crate::job::pinned_identity;

/// Everything that is wrong with a store which the map uses.
pub(super) async fn check(config: &Config, graph: &Graph, source: &Source) -> Vec<Finding> {
    let Some(address) = source.object_address() else { return Vec::new() };
    let places: Vec<&ObjectPlace> = graph.objects.iter().filter(|place| place.source == source.name).collect();
    let rows: Vec<&RowPlace> = graph.rows.iter().filter(|place| place.source == source.name).collect();
    let of_rows = rows.iter().map(|place| (place.name(), &place.place));
    let Some(first) = places.iter().map(|place| (place.name(), &place.place)).chain(of_rows).next() else { return Vec::new() };
    let store = match ObjectSource::open(&source.name, address).await {
        Ok(store) => store,
        Err(problem) => return vec![unreached(&source.name, &problem)],
    };
    let mut findings: Vec<Finding> = changed(config, &store).await.into_iter().collect();
    let probe = probe(&store).await;
    findings.extend(probe.refused.iter().map(|problem| unreached(&source.name, problem)));
    let erases = places.iter().any(|place| place.follows_row || place.on_erasure == Some(OnErasure::Delete))
        || rows.iter().any(|place| place.on_erasure == Some(OnErasure::Delete));
    if probe.hides_locks && erases {
        findings.push(locks_hidden(&source.name));
    }
    if let (true, Some(problem)) = (probe.refused.is_empty() && erases, &probe.verifier) {
        findings.push(verifier_blind(&source.name, problem));
    }
    if probe.refused.is_empty() {
        let is_named = |key: &crate::connector::objects::ObjectKey| {
            places.iter().any(|place| place.locate.could_name(key.bytes())) || rows.iter().any(|place| place.has_key(key.bytes()))
        };
        match unnamed(store.work.as_ref(), is_named).await {
            Ok(found) if found.keys > 0 => findings.push(unnamed_objects(&first, &source.name, &found)),
            Ok(_) => {}
            Err(problem) => findings.push(unreached(&source.name, &problem)),
        }
    }
    findings
}

/// Whether it is another store than the one that its name stood for. A ledger that is not there yet remembers nothing.
async fn changed(config: &Config, store: &ObjectSource) -> Option<Finding> {
    let pinned = pinned_identity(config.ledger.expose_secret(), &store.name).await.ok().flatten()?;
    (pinned != store.facts.identity).then(|| Finding {
        severity: Severity::Error,
        code: Code::SourceChanged,
        place: None,
        subject: store.name.clone(),
        problem:
            "it is another bucket or folder than the one that this name stood for: a copy, another environment, or a disk that is \
                  not mounted"
                .into(),
        why: "what would be erased here is not what people asked about, and the place where it is would be left as it is".into(),
        hint: "name the right one in the configuration; if it was moved on purpose, give the source a new name".into(),
        write: None,
    })
}

/// What a store does not do for us. Not being allowed to look is a matter of rights, anything else one of reach.
fn unreached(source: &str, problem: &StoreError) -> Finding {
    let is_right = matches!(problem, StoreError::Denied { .. });
    let hint = "look at its address and credentials in the configuration; `--offline` checks the map alone";
    Finding {
        severity: Severity::Error,
        code: if is_right { Code::MissingRights } else { Code::SourceUnreachable },
        place: None,
        subject: source.to_owned(),
        problem: problem.to_string(),
        why: "what it holds can neither be found nor called absent, and nothing of a request is erased then (V-2)".into(),
        hint: problem.hint().unwrap_or(hint).into(),
        write: None,
    }
}

fn locks_hidden(source: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::MissingRights,
        place: None,
        subject: source.to_owned(),
        problem: "it has locks, and does not let us see which versions are locked".into(),
        why: "what cannot be found out counts as held, so that nothing here would ever be erased (H-1)".into(),
        hint: "grant `s3:GetObjectLegalHold` and `s3:GetObjectRetention`".into(),
        write: None,
    }
}

fn verifier_blind(source: &str, problem: &StoreError) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::VerifierBlind,
        place: None,
        subject: source.to_owned(),
        problem: format!("with the credentials of `verify`, {problem}"),
        why: "what the verifier does not see looks erased to it, and would be certified (V-3)".into(),
        hint: "grant them `s3:ListBucketVersions` and `s3:ListBucketMultipartUploads`".into(),
        write: None,
    }
}

fn unnamed_objects((subject, place): &(String, &Place), source: &str, found: &crate::connector::objects::Unnamed) -> Finding {
    let of = match found.all {
        true => format!("of {}", counted(found.looked_at, "key", "keys")),
        false => format!("of the first {} keys", grouped(found.looked_at)),
    };
    Finding {
        severity: Severity::Warning,
        code: Code::UnnamedObjects,
        place: Some((*place).clone()),
        subject: subject.clone(),
        problem: format!("{} {of} in `{source}` can be named by no template of the map", grouped(found.keys)),
        why: "if they are about people, no request finds, hands over or erases them".into(),
        hint: "describe them in the map, move what is about nobody elsewhere, or accept the finding on this collection or field"
            .into(),
        write: None,
    }
}
