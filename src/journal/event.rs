//! What the journal can say: a closed list of kinds, and for each fact codes, ids, digests and counts. No field takes free text, and no
//! field names a person, not even by a keyed hash (J-1). The canonical form is compact JSON with its keys in alphabetical order; these
//! bytes are the leaf of the tree, so the form of an existing kind never changes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::code::{Actor, Code, Digest, HoldCode, Id};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A request was acknowledged.
    RequestReceived,
    /// A request changed its status; `outcome` is the new one.
    RequestStatusChanged,
    /// A deadline was extended (Art. 12(3)).
    DeadlineExtended,
    /// A plan was frozen under its digest.
    PlanFrozen,
    /// A person approved a plan.
    PlanApproved,
    /// Intent: a batch is about to be erased under a permit.
    PermitOpened,
    /// Outcome: the permit was closed with counts.
    PermitClosed,
    /// A hold was placed and nothing new may erase what it covers.
    HoldPlaced,
    /// Nothing in flight can still erase what the hold covers (H-2).
    HoldActive,
    /// One person asked for the release of a hold.
    HoldReleaseRequested,
    /// A second person agreed to the release of a hold; its grace runs.
    HoldReleaseApproved,
    /// A release was called off: the hold stays.
    HoldKept,
    /// A hold was released after its grace.
    HoldReleased,
    /// Versions in stores were locked because of a hold: `affected` were, `failed` could not be.
    HoldMirrored,
    /// Locks of a hold were taken off versions in stores, or found off.
    HoldUnmirrored,
    /// A verification came to its end.
    VerificationDone,
    /// The residue scan found what should be gone.
    ResidueFound,
    /// What had been verified absent is there again.
    Resurrection,
    /// A certificate was issued; `digest` is that of its document.
    CertificateIssued,
    /// An archive was published; `digest` is that of the archive.
    ArchivePublished,
    /// A file of an archive was removed, and a list shows nothing of it any more; `reason` says why.
    ArchiveRemoved,
    /// A manifest was destroyed after its last verification.
    ManifestDestroyed,
    /// A checkpoint was copied outside; `digest` is that of the note.
    CheckpointPublished,
}

/// What was counted. In alphabetical order, which is also the order of the canonical form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Records that it did change.
    Affected,
    /// Records that were gone before.
    AlreadyAbsent,
    /// Bytes.
    Bytes,
    /// Records that a batch was to change.
    Expected,
    /// Records written to an archive.
    Exported,
    /// Places or records that failed.
    Failed,
    /// Records that the plan or the gathering found.
    Found,
    /// Places that were not looked at.
    Gaps,
    /// Hold epoch at which something was decided.
    HoldEpoch,
    /// Level of assurance, 0 to 5.
    Level,
    /// Parts of an archive.
    Parts,
    /// Places that wait for a confirmation.
    Pending,
    /// Records kept on a ground.
    Retained,
    /// Records or occurrences still there.
    StillPresent,
    /// Entries that a checkpoint covers.
    TreeSize,
    /// Records read back and found absent.
    VerifiedAbsent,
    /// Records left out of an archive on a ground.
    Withheld,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    actor: Actor,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate_id: Option<Id>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<Count, u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hold_id: Option<HoldCode>,
    kind: EventKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    permit_id: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan_digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    request_id: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Code>,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {
        impl Event {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, value: $type) -> Event {
                    self.$name = Some(value);
                    self
                }
            )+
        }
    };
}

facts! {
    /// The request that it belongs to.
    request_id: Id,
    /// The certificate.
    certificate_id: Id,
    /// The permit under which a batch ran.
    permit_id: Id,
    /// The hold.
    hold_id: HoldCode,
    /// The frozen plan.
    plan_digest: Digest,
    /// The configured name of the source.
    source: Code,
    /// A status, an outcome or an error code.
    outcome: Code,
    /// Why a person decided so: a word of the controller's own list.
    reason: Code,
    /// The digest of what was made: a document, an archive, a note.
    digest: Digest,
}

impl Event {
    /// An event with nothing but its kind, its time (kept to the microsecond) and who acted.
    pub fn new(kind: EventKind, at: Timestamp, actor: Actor) -> Event {
        Event {
            actor,
            at: to_microseconds(at),
            certificate_id: None,
            counts: BTreeMap::new(),
            digest: None,
            hold_id: None,
            kind,
            outcome: None,
            permit_id: None,
            plan_digest: None,
            reason: None,
            request_id: None,
            source: None,
        }
    }

    /// Adds a count.
    #[must_use]
    pub fn count(mut self, what: Count, how_many: u64) -> Event {
        self.counts.insert(what, how_many);
        self
    }

    /// When it happened.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What happened.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// The hold that it is about.
    pub fn hold(&self) -> Option<&str> {
        self.hold_id.as_ref().map(HoldCode::as_str)
    }

    /// The bytes that are the leaf.
    pub fn canonical(&self) -> String {
        // A struct of strings and numbers has no way to fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads an entry; `None` if it is not the canonical form of an event.
    pub fn from_canonical(text: &str) -> Option<Event> {
        serde_json::from_str::<Event>(text).ok().filter(|event| event.canonical() == text)
    }
}

/// The ledger's times are whole microseconds; an entry says no more than its row.
fn to_microseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_form_is_fixed() {
        let event = Event::new(EventKind::PermitClosed, "2026-11-24T09:00:00.123456789Z".parse().unwrap(), Actor::system())
            .source(Code::parse("app").unwrap())
            .request_id(Id::parse("0197a0b0-0000-7000-8000-000000000001").unwrap())
            .count(Count::Expected, 3)
            .count(Count::Affected, 3);
        let expected = concat!(
            r#"{"actor":"system","at":"2026-11-24T09:00:00.123456Z","counts":{"affected":3,"expected":3},"kind":"permit_closed","#,
            r#""request_id":"0197a0b0-0000-7000-8000-000000000001","source":"app"}"#
        );
        assert_eq!(event.canonical(), expected);
        assert_eq!(Event::from_canonical(expected), Some(event));
    }

    #[test]
    fn j_1_an_entry_with_another_key_or_spelling_is_not_an_event() {
        let plain = r#"{"actor":"system","at":"2026-11-24T09:00:00Z","kind":"hold_placed"}"#;
        assert!(Event::from_canonical(plain).is_some());
        for other in [
            plain.replace("\"kind\"", "\"note\":\"ada@example.com\",\"kind\""),
            plain.replace("hold_placed\"", "hold_placed\",\"subject_ref\":\"00\""),
            plain.replace(":\"system", ": \"system"),
            plain.replace("system", "Grace Hopper"),
            plain.replace("09:00:00Z", "09:00:00.0Z"),
        ] {
            assert!(Event::from_canonical(&other).is_none(), "{other}");
        }
    }
}
