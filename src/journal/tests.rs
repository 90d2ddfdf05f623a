//! The journal on a real ledger: it grows without gaps, and whatever is done to its rows or copies is noticed.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::args;
use crate::clock::FixedClock;
use crate::crypto::{Keys, SigningKey};
use crate::db::Sql;
use crate::ledger::{Ledger, journal as rows};

struct Journal {
    ledger: Ledger,
    notary: Notary,
    clock: FixedClock,
    folder: TempDir,
}

impl Journal {
    async fn new() -> Journal {
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(&folder.path().join("keys")).unwrap();
        let key = SigningKey::load(&folder.path().join("keys")).unwrap();
        let notary = Notary::new(key, Origin::of_controller("Acme Ltd"), folder.path().join("outside"));
        let ledger = Ledger::open(&format!("sqlite:{}", folder.path().join("habeas.db").display())).await.unwrap();
        let clock = FixedClock("2026-11-24T09:00:00Z".parse().unwrap());
        Journal { ledger, notary, clock, folder }
    }

    async fn with(entries: u64) -> Journal {
        let journal = Journal::new().await;
        journal.add(entries).await;
        journal
    }

    async fn add(&self, entries: u64) {
        for number in 0..entries {
            let mut tx = self.ledger.begin().await.unwrap();
            append(&mut tx, &event(number)).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    async fn checkpoint(&self) -> SignedCheckpoint {
        publish_checkpoint(&self.ledger, &self.notary, &self.clock).await.unwrap()
    }

    async fn execute(&self, sql: &'static str) {
        let mut tx = self.ledger.begin().await.unwrap();
        tx.on().execute(Sql::from(sql), args![]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn head(&self) -> HeadState {
        check_head(&self.ledger, self.notary.anchor()).await.unwrap()
    }

    fn outside(&self, file: &str) -> PathBuf {
        self.folder.path().join("outside").join(file)
    }
}

fn event(number: u64) -> Event {
    let at: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
    Event::new(EventKind::PermitClosed, at, Actor::system()).count(Count::Affected, number)
}

#[tokio::test]
async fn j_1_positions_have_no_gaps_whoever_appends_and_a_rolled_back_entry_leaves_none() {
    let journal = Journal::new().await;
    let mut writers = Vec::new();
    for number in 0..20 {
        let ledger = journal.ledger.clone();
        writers.push(tokio::spawn(async move {
            let mut tx = ledger.begin().await.unwrap();
            append(&mut tx, &event(number)).await.unwrap();
            if number % 4 == 0 { tx.rollback().await.unwrap() } else { tx.commit().await.unwrap() }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let seqs: Vec<u64> = rows::entries(&journal.ledger, 0, 100).await.unwrap().iter().map(|row| row.seq).collect();
    assert_eq!(seqs, (0..15).collect::<Vec<u64>>());
    assert_eq!(rows::size(&journal.ledger).await.unwrap(), 15);
}

#[tokio::test]
async fn an_untouched_journal_is_consistent_before_and_after_checkpoints() {
    let journal = Journal::with(3).await;
    assert_eq!(journal.head().await, HeadState::Consistent { size: 3, anchored: 0 });
    let signed = journal.checkpoint().await;
    assert_eq!(signed.checkpoint.size, 3);
    journal.add(2).await;
    assert_eq!(journal.head().await, HeadState::Consistent { size: 5, anchored: 3 });
    let later = journal.checkpoint().await;
    assert_eq!(journal.checkpoint().await, later, "signing the same head again gives the same note");
    assert_eq!(fs::read_to_string(journal.outside("checkpoint-5.txt")).unwrap(), later.note);
    assert_eq!(fs::read_to_string(journal.outside("latest")).unwrap(), later.note);
    let report = verify(&journal.ledger, journal.notary.anchor()).await.unwrap();
    assert_eq!((report.entries, report.checkpoints, report.outside_copies), (5, 2, 3));
    assert!(report.state.is_consistent() && report.verifier_key.starts_with("habeas.acme-ltd/journal+"));
}

#[tokio::test]
async fn j_1_an_altered_entry_is_noticed_even_if_its_leaf_hash_is_altered_too() {
    let journal = Journal::with(4).await;
    journal.checkpoint().await;
    journal.execute(r#"UPDATE journal_entry SET entry = replace(entry, '"affected":2', '"affected":1') WHERE seq = 2"#).await;
    let problem = "does not fit its leaf hash";
    assert_eq!(journal.head().await, HeadState::Tampered { fault: Fault::Entry { seq: 2, problem } });
    journal
        .execute("UPDATE journal_entry SET leaf_hash = (SELECT o.leaf_hash FROM journal_entry o WHERE o.seq = 1) WHERE seq = 2")
        .await;
    assert_eq!(journal.head().await, HeadState::Forked { at: 4 });
    let refused = publish_checkpoint(&journal.ledger, &journal.notary, &journal.clock).await;
    assert!(matches!(refused, Err(JournalError::Refused { state: HeadState::Forked { at: 4 } })), "nothing is signed over it");
}

#[tokio::test]
async fn j_1_a_removed_or_moved_entry_is_noticed() {
    let journal = Journal::with(4).await;
    journal.checkpoint().await;
    journal.execute("UPDATE journal_entry SET at = at + 1 WHERE seq = 1").await;
    assert!(matches!(journal.head().await, HeadState::Tampered { fault: Fault::Entry { seq: 1, .. } }));
    journal.execute("DELETE FROM journal_entry WHERE seq = 1").await;
    assert_eq!(journal.head().await, HeadState::Tampered { fault: Fault::Entry { seq: 1, problem: "is missing" } });
}

#[tokio::test]
async fn j_1_a_truncated_or_rolled_back_ledger_is_behind() {
    let journal = Journal::with(4).await;
    journal.checkpoint().await;
    journal.execute("DELETE FROM journal_entry WHERE seq = 3").await;
    assert_eq!(journal.head().await, HeadState::Behind { size: 3, anchored: 4 });
    // A restored backup knows nothing of the checkpoint; the copy outside does.
    journal.execute("DELETE FROM checkpoint").await;
    assert_eq!(journal.head().await, HeadState::Behind { size: 3, anchored: 4 });
    // Going on from the backup does not hide it.
    journal.add(5).await;
    assert_eq!(journal.head().await, HeadState::Forked { at: 4 });
}

#[tokio::test]
async fn a_forged_checkpoint_or_copy_is_noticed() {
    let journal = Journal::with(2).await;
    let note = journal.checkpoint().await.note;
    fs::write(journal.outside("latest"), note.replace("\n2\n", "\n1\n")).unwrap();
    assert!(matches!(journal.head().await, HeadState::Tampered { fault: Fault::OutsideCopy { .. } }));
    fs::write(journal.outside("latest"), &note).unwrap();
    fs::write(journal.outside("checkpoint-9.txt"), &note).unwrap();
    assert!(
        matches!(journal.head().await, HeadState::Tampered { fault: Fault::OutsideCopy { .. } }),
        "a size that it does not have"
    );
    fs::remove_file(journal.outside("checkpoint-9.txt")).unwrap();
    journal.execute("UPDATE checkpoint SET root = (SELECT leaf_hash FROM journal_entry WHERE seq = 0)").await;
    assert!(matches!(journal.head().await, HeadState::Tampered { fault: Fault::Checkpoint { size: 2, .. } }));
}

#[tokio::test]
async fn copies_that_are_gone_stop_the_program_until_somebody_anchors_the_journal_anew() {
    let journal = Journal::with(2).await;
    journal.checkpoint().await;
    fs::remove_dir_all(journal.outside("")).unwrap();
    assert_eq!(journal.head().await, HeadState::Unanchored);
    assert!(publish_checkpoint(&journal.ledger, &journal.notary, &journal.clock).await.is_err());
    assert_eq!(anchor_anew(&journal.ledger, journal.notary.anchor()).await.unwrap(), 1);
    assert_eq!(journal.head().await, HeadState::Consistent { size: 2, anchored: 2 });
}

#[tokio::test]
async fn a_checkpoint_whose_row_was_lost_to_a_crash_is_made_again() {
    let journal = Journal::with(2).await;
    let signed = journal.checkpoint().await;
    journal.execute("DELETE FROM checkpoint").await;
    assert!(journal.head().await.is_consistent());
    assert_eq!(journal.checkpoint().await, signed);
    assert_eq!(rows::checkpoints(&journal.ledger).await.unwrap().len(), 1);
}

#[tokio::test]
async fn every_entry_can_be_proved_and_a_proof_over_altered_hashes_is_not_handed_out() {
    let journal = Journal::with(7).await;
    let old = journal.checkpoint().await;
    journal.add(4).await;
    let signed = journal.checkpoint().await;
    let anchor = journal.notary.anchor();
    for row in rows::entries(&journal.ledger, 0, 100).await.unwrap() {
        let proof = prove(&journal.ledger, anchor, row.seq, &signed).await.unwrap();
        assert_eq!(TlogProof::parse(&proof.to_text()).unwrap(), proof);
        assert_eq!(proof.check(row.entry.as_bytes(), anchor.origin(), anchor.key()).unwrap(), signed.checkpoint);
    }
    assert!(matches!(prove(&journal.ledger, anchor, 11, &signed).await, Err(JournalError::NotCovered { index: 11 })));
    let consistency = prove_consistency(&journal.ledger, 7, 11).await.unwrap();
    assert!(check_consistency(&old.note, &signed.note, &consistency, anchor).unwrap());
    assert!(!check_consistency(&old.note, &signed.note, &consistency[1..], anchor).unwrap());
    journal
        .execute("UPDATE journal_entry SET leaf_hash = (SELECT o.leaf_hash FROM journal_entry o WHERE o.seq = 1) WHERE seq = 0")
        .await;
    assert!(matches!(prove(&journal.ledger, anchor, 5, &signed).await, Err(JournalError::Proof(ProofError::NotIncluded))));
}

#[tokio::test]
async fn j_1_another_installation_cannot_go_on_with_our_copies() {
    let (ours, theirs) = (Journal::with(2).await, Journal::with(2).await);
    ours.checkpoint().await;
    let stranger = Anchor::new(Origin::of_controller("Acme Ltd"), *theirs.notary.anchor().key(), ours.outside(""));
    assert!(matches!(check_head(&theirs.ledger, &stranger).await.unwrap(), HeadState::Tampered { .. }));
}
