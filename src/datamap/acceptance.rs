//! Findings that somebody has looked at and lives with, each with a reason: `habeas: {accept: [{finding: CODE, reason: ..}]}`. Only warnings
//! can be accepted. An error blocks plans because something would go wrong, and no reason makes it go right.

use super::reader::{Keys, Object, Reader};
use super::taxonomy::did_you_mean;
use super::tree::Node;
use super::{Code, Collection, DataMap, Dataset, Finding, Place, Severity};

const ON_DATASET: Keys = Keys { known: &["finding", "table", "reason"], elsewhere: &[] };
const ON_COLLECTION: Keys = Keys { known: &["finding", "column", "reason"], elsewhere: &[] };
const ON_FIELD: Keys = Keys { known: &["finding", "reason"], elsewhere: &[] };

/// One entry of `accept`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Which finding.
    pub finding: Code,
    /// On a dataset the table that the map does not describe, on a collection one of its columns; everything there when absent.
    pub about: Option<String>,
    /// Why it is accepted.
    pub reason: String,
    /// Where it stands.
    pub place: Place,
}

/// An accepted finding, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Accepted {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is accepted.
    pub reason: String,
    /// Where the map says so.
    pub accepted_at: Place,
}

/// Where an entry of `accept` stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Dataset,
    Collection,
    Field,
}

impl Reader {
    /// `accept` under a `habeas:`.
    pub(super) fn accept(&mut self, habeas: Object<'_>, level: Level) -> Vec<Acceptance> {
        self.list(habeas, "accept").iter().filter_map(|node| self.acceptance(node, level)).collect()
    }

    fn acceptance(&mut self, node: &Node, level: Level) -> Option<Acceptance> {
        let (keys, about) = match level {
            Level::Dataset => (&ON_DATASET, "table"),
            Level::Collection => (&ON_COLLECTION, "column"),
            Level::Field => (&ON_FIELD, ""),
        };
        let object = self.object(node, "an entry of `accept`", keys)?;
        let word = self.required_text(object, "finding");
        let reason = self.required_text(object, "reason");
        // A dataset without the table's name would accept every table that anybody adds later.
        let about = match level {
            Level::Dataset => Some(self.required_text(object, about)?),
            Level::Collection => self.text(object, about),
            Level::Field => None,
        };
        let word = word?;
        let Some(finding) = Code::from_word(&word) else {
            let hint = did_you_mean(&word, Code::ALL.iter().map(|code| code.as_str()));
            self.error(object.line_of("finding"), format!("`accept` names no finding of `habeas map check`: `{word}`"), hint);
            return None;
        };
        Some(Acceptance { finding, about, reason: reason?, place: self.place(object.line) })
    }
}

/// An entry with the part of the map on which it stands.
struct Standing<'m> {
    entry: &'m Acceptance,
    dataset: &'m Dataset,
    collection: Option<&'m Collection>,
    field: Option<&'m str>,
}

impl Standing<'_> {
    fn covers(&self, finding: &Finding) -> bool {
        finding.code == self.entry.finding && self.is_about(&finding.subject)
    }

    fn is_about(&self, subject: &str) -> bool {
        let about = self.entry.about.as_deref();
        let Some(collection) = self.collection else {
            let source = self.dataset.source.as_deref().unwrap_or(&self.dataset.fides_key);
            return about.is_some_and(|table| is_table(subject, source, table));
        };
        let name = format!("{}.{}", self.dataset.fides_key, collection.name);
        match self.field.or(about) {
            Some(field) => subject == format!("{name}.{field}"),
            None => subject == name || subject.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.')),
        }
    }
}

/// Whether a subject outside the map (`source.schema.table`, or a column of it) is of this table, given with its schema or without.
fn is_table(subject: &str, source: &str, table: &str) -> bool {
    let Some(rest) = subject.strip_prefix(source).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let begins = |text: &str| text.strip_prefix(table).is_some_and(|after| after.is_empty() || after.starts_with('.'));
    (table.contains('.') && begins(rest)) || rest.split_once('.').is_some_and(|(_, unqualified)| begins(unqualified))
}

fn standings(map: &DataMap) -> Vec<Standing<'_>> {
    let mut all = Vec::new();
    for dataset in &map.datasets {
        all.extend(dataset.accept.iter().map(|entry| Standing { entry, dataset, collection: None, field: None }));
        for collection in &dataset.collections {
            let here = |entry, field| Standing { entry, dataset, collection: Some(collection), field };
            all.extend(collection.accept.iter().map(|entry| here(entry, None)));
            for field in &collection.fields {
                all.extend(field.accept.iter().map(|entry| here(entry, Some(field.name.as_str()))));
            }
        }
    }
    all
}

/// Takes accepted warnings out of the findings, and says of entries that accept nothing, or an error, that they do. `looked_everywhere` is
/// false where some sources were not looked at: then an entry may be about what is there.
pub fn apply_acceptances(map: &DataMap, findings: Vec<Finding>, looked_everywhere: bool) -> (Vec<Finding>, Vec<Accepted>) {
    let standings = standings(map);
    let mut used = vec![false; standings.len()];
    let (mut open, mut accepted, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for finding in findings {
        let covering: Vec<usize> = (0..standings.len()).filter(|at| standings[*at].covers(&finding)).collect();
        covering.iter().for_each(|at| used[*at] = true);
        match covering.first().map(|at| standings[*at].entry) {
            Some(entry) if finding.severity == Severity::Warning => {
                accepted.push(Accepted { finding, reason: entry.reason.clone(), accepted_at: entry.place.clone() });
            }
            Some(entry) => {
                refused.push(refusal(entry, &finding));
                open.push(finding);
            }
            None => open.push(finding),
        }
    }
    open.extend(refused);
    if looked_everywhere {
        open.extend(standings.iter().zip(used).filter(|(_, used)| !used).map(|(standing, _)| unused(standing.entry)));
    }
    (open, accepted)
}

fn refusal(entry: &Acceptance, finding: &Finding) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: Code::AcceptRefused,
        place: Some(entry.place.clone()),
        subject: finding.subject.clone(),
        problem: format!("`{}` is an error here, and an error cannot be accepted", finding.code),
        why: "plans stay blocked until what it says is mended".into(),
        hint: "follow the hint of the error, and take this entry out".into(),
        write: None,
    }
}

fn unused(entry: &Acceptance) -> Finding {
    let about = entry.about.as_deref().map(|about| format!(" about `{about}`")).unwrap_or_default();
    Finding {
        severity: Severity::Warning,
        code: Code::AcceptUnused,
        place: Some(entry.place.clone()),
        subject: format!("{}{about}", entry.finding),
        problem: "it is accepted here, and there is no such finding".into(),
        why: "what it was about has been mended or renamed; left standing, it would hide the next one".into(),
        hint: "take the entry out, or correct what it is about".into(),
        write: None,
    }
}
