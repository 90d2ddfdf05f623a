//! Computing the tree anew from the entries, in one pass, and comparing it with the checkpoints in the ledger and outside. The kept leaf
//! hashes are checked, never trusted.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::StreamExt;
use serde::Serialize;

use super::JournalError;
use super::anchor::{Anchor, Copy};
use super::checkpoint::Checkpoint;
use super::event::Event;
use super::head::{Fault, HeadState};
use super::merkle::{Frontier, Hash, leaf_hash};
use crate::crypto::hex;
use crate::ledger::journal::{CheckpointRow, JournalRow, checkpoints, journal_row, stream_entries};
use crate::ledger::{Ledger, LedgerError};

/// What was read, computed and compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalReport {
    /// The journal's name.
    pub origin: String,
    /// The key in the form that other C2SP verifiers take.
    pub verifier_key: String,
    /// Entries read.
    pub entries: u64,
    /// Hex of the root over them.
    pub root: String,
    /// Checkpoints in the ledger that were compared.
    pub checkpoints: u64,
    /// Copies outside that were compared.
    pub outside_copies: u64,
    /// The conclusion.
    #[serde(flatten)]
    pub state: HeadState,
}

/// The tree as it follows from the rows.
pub(super) struct Tree {
    pub head: Checkpoint,
    /// Roots at the sizes that were asked for.
    roots: BTreeMap<u64, Hash>,
    fault: Option<Fault>,
}

/// How much to compare.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// All roots in the ledger, but signatures only of the newest checkpoint there and outside: for the start of every process.
    Head,
    /// Every signature and every copy.
    Everything,
}

/// Whether the journal still is what was signed. To be asked at start and hourly.
pub async fn check_head(ledger: &Ledger, anchor: &Anchor) -> Result<HeadState, JournalError> {
    Ok(audit(ledger, anchor, Depth::Head).await?.0.state)
}

/// Reads, computes and compares everything.
pub async fn verify(ledger: &Ledger, anchor: &Anchor) -> Result<JournalReport, JournalError> {
    Ok(audit(ledger, anchor, Depth::Everything).await?.0)
}

pub(super) async fn audit(ledger: &Ledger, anchor: &Anchor, depth: Depth) -> Result<(JournalReport, Tree), JournalError> {
    // Checkpoints first: entries that arrive meanwhile only make the tree larger.
    let copies = if depth == Depth::Head { anchor.last_copies()? } else { anchor.copies()? };
    let signed = checkpoints(ledger).await?;
    let outside_sizes = copies.iter().filter_map(|copy| copy.checkpoint.as_ref()).map(|checkpoint| checkpoint.size);
    let sizes = outside_sizes.chain(signed.iter().map(|row| row.size)).collect();
    let tree = read_tree(ledger, &sizes).await?;
    let state = conclude(anchor, depth, &tree, &signed, &copies);
    let report = JournalReport {
        origin: anchor.origin().to_string(),
        verifier_key: anchor.verifier_key(),
        entries: tree.head.size,
        root: hex(&tree.head.root),
        checkpoints: signed.len() as u64,
        outside_copies: copies.len() as u64,
        state,
    };
    Ok((report, tree))
}

async fn read_tree(ledger: &Ledger, sizes: &BTreeSet<u64>) -> Result<Tree, JournalError> {
    let mut session = ledger.db().session().await.map_err(LedgerError::from)?;
    let mut rows = stream_entries(&mut session)?;
    let mut frontier = Frontier::default();
    let mut roots = BTreeMap::new();
    let mut fault = None;
    let note_root = |frontier: &Frontier, roots: &mut BTreeMap<u64, Hash>| {
        if sizes.contains(&frontier.size()) {
            roots.insert(frontier.size(), frontier.root());
        }
    };
    note_root(&frontier, &mut roots);
    while let Some(row) = rows.next().await {
        let row = journal_row(&row.map_err(LedgerError::from)?)?;
        let leaf = leaf_hash(row.entry.as_bytes());
        if let (None, Some(problem)) = (&fault, problem_of(&row, frontier.size(), &leaf)) {
            fault = Some(Fault::Entry { seq: frontier.size(), problem });
        }
        frontier.push(leaf);
        note_root(&frontier, &mut roots);
    }
    let head = Checkpoint { size: frontier.size(), root: frontier.root() };
    Ok(Tree { head, roots, fault })
}

fn problem_of(row: &JournalRow, expected_seq: u64, leaf: &Hash) -> Option<&'static str> {
    if row.seq != expected_seq {
        return Some("is missing");
    }
    if row.leaf_hash != leaf {
        return Some("does not fit its leaf hash");
    }
    match Event::from_canonical(&row.entry) {
        None => Some("is not in the canonical form of an event"),
        Some(event) if event.at() != row.at => Some("does not fit its time column"),
        Some(_) => None,
    }
}

fn conclude(anchor: &Anchor, depth: Depth, tree: &Tree, signed: &[CheckpointRow], copies: &[Copy]) -> HeadState {
    let fault = tree.fault.clone().or_else(|| faulty_checkpoint(anchor, depth, signed)).or_else(|| faulty_copy(copies));
    if let Some(fault) = fault {
        return HeadState::Tampered { fault };
    }
    let mut known: BTreeMap<u64, Vec<Hash>> = BTreeMap::new();
    for row in signed {
        known.entry(row.size).or_default().extend(Hash::try_from(row.root.as_slice()));
    }
    let mut anchored = 0;
    for checkpoint in copies.iter().filter_map(|copy| copy.checkpoint.as_ref()) {
        known.entry(checkpoint.size).or_default().push(checkpoint.root);
        anchored = anchored.max(checkpoint.size);
    }
    let size = tree.head.size;
    for (at, roots) in &known {
        match tree.roots.get(at) {
            None => return HeadState::Behind { size, anchored: known.keys().copied().max().unwrap_or(*at) },
            Some(computed) if roots.iter().any(|root| root != computed) => return HeadState::Forked { at: *at },
            Some(_) => {}
        }
    }
    if copies.is_empty() && !signed.is_empty() {
        return HeadState::Unanchored;
    }
    HeadState::Consistent { size, anchored }
}

fn faulty_checkpoint(anchor: &Anchor, depth: Depth, signed: &[CheckpointRow]) -> Option<Fault> {
    let first = if depth == Depth::Head { signed.len().saturating_sub(1) } else { 0 };
    let unbelievable = |row: &&CheckpointRow| match Checkpoint::open(&row.note, anchor.origin(), anchor.key()) {
        Ok(checkpoint) => checkpoint.size != row.size || row.root != checkpoint.root,
        Err(_) => true,
    };
    let row = signed.iter().skip(first).find(unbelievable)?;
    Some(Fault::Checkpoint { size: row.size, problem: "is not what the journal's key has signed" })
}

fn faulty_copy(copies: &[Copy]) -> Option<Fault> {
    let copy = copies.iter().find(|copy| copy.checkpoint.is_none())?;
    Some(Fault::OutsideCopy { file: copy.file.clone(), problem: "is not what the journal's key has signed" })
}
