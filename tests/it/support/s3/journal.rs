//! What was asked of the server, in order, so that a test can say what must never have been sent. Not noted: what is signed by
//! nobody known or wrongly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// `DeleteObjects`, as the protocol names it.
    pub action: String,
    pub bucket: String,
    pub key: String,
    pub version_id: Option<String>,
    /// All `x-amz-…` headers and conditions, but no signature.
    pub headers: BTreeMap<String, String>,
    /// The answer's status; nothing where the connection was cut instead.
    pub status: Option<u16>,
}

impl Received {
    /// Whether governance was to be bypassed.
    pub fn bypasses_governance(&self) -> bool {
        self.headers.get("x-amz-bypass-governance-retention").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The list of them.
#[derive(Clone, Default)]
pub struct Journal(Arc<Mutex<Vec<Received>>>);

impl Journal {
    /// Everything so far.
    pub fn all(&self) -> Vec<Received> {
        self.0.lock().expect("the journal").clone()
    }

    /// What was asked with one action.
    pub fn of(&self, action: &str) -> Vec<Received> {
        self.all().into_iter().filter(|received| received.action == action).collect()
    }

    /// Forgets what a test did to prepare.
    pub fn clear(&self) {
        self.0.lock().expect("the journal").clear();
    }

    pub(super) fn add(&self, received: Received) -> usize {
        let mut all = self.0.lock().expect("the journal");
        all.push(received);
        all.len() - 1
    }

    pub(super) fn answered(&self, place: usize, status: u16) {
        // It may have been cleared meanwhile.
        if let Some(received) = self.0.lock().expect("the journal").get_mut(place) {
            received.status = Some(status);
        }
    }
}
