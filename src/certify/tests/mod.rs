//! What a certificate may say, and who can check it. Helpers shared by the tests of the parts.

mod claims;
mod tampering;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::clock::FixedClock;
use crate::crypto::{Keys, SigningKey};
use crate::journal::{self, Actor, Code, Digest, Event, EventKind, Id, Notary, Origin};
use crate::ledger::Ledger;
use crate::plan::{Ground, Retained};
use crate::request::Kind;
use crate::subject::{Identifier, Subject};
use crate::verify::samples::{absence, at, looked, search};
use crate::verify::{ItemOutcome, Level, Method, ValueSearch};

const EMAIL: &str = "ada.lovelace@example.com";

fn subject() -> Subject {
    Subject::new([Identifier::new("email", EMAIL), Identifier::new("user_id", "424242")]).unwrap()
}

fn item(collection: &str, found: u64, outcome: ItemOutcome) -> CertificateItem {
    let (source, dataset, kind) = ("app".into(), "app_db".into(), "sql".into());
    CertificateItem { source, dataset, collection: collection.into(), kind, found, retained: Vec::new(), rows: None, outcome }
}

fn erased(collection: &str, records: u64) -> CertificateItem {
    item(collection, records, ItemOutcome::Verified(absence(Method::Delete, records, Some(search()))))
}

fn kept(count: u64) -> Retained {
    let (reference, review_on) = (Some("§ 132 BAO".into()), Some("2027-01-01".into()));
    Retained { count, ground: Ground::LegalObligation, reference, review_on }
}

fn input(items: Vec<CertificateItem>) -> CertificateInput {
    let folder = tempfile::tempdir().unwrap();
    input_for(&notary(folder.path()), items)
}

fn input_for(notary: &Notary, items: Vec<CertificateItem>) -> CertificateInput {
    CertificateInput {
        controller: "Acme Ltd".into(),
        key: *notary.anchor().key(),
        journal: notary.anchor().origin().clone(),
        issued_at: at(120),
        request: RequestFacts {
            id: Id::parse("0197a0b0-0000-7000-8000-000000000001").unwrap(),
            kind: Kind::Erasure,
            legal_basis: Some(Code::fixed("art17_1_b")),
            received_at: at(-3_600),
            due_at: Some(at(2_592_000)),
            completed_at: at(100),
        },
        subject: subject(),
        inputs: InputFacts {
            data_map_digest: Digest::of(b"map"),
            plan_digest: Some(Digest::of(b"plan")),
            hold_epoch: 3,
            holds_evaluated_at: at(30),
            identity_assurance: Some(Code::fixed("account_session")),
        },
        items,
        gaps: Vec::new(),
        residue: Vec::new(),
        in_kept_records: Vec::new(),
        unsearched: Vec::new(),
        supersedes: None,
    }
}

fn notary(folder: &Path) -> Notary {
    Keys::create_missing(&folder.join("keys")).unwrap();
    let key = SigningKey::load(&folder.join("keys")).unwrap();
    Notary::new(key, Origin::of_controller("Acme Ltd"), folder.join("outside"))
}

/// A ledger with a certificate that was recorded among other entries, and its published folder.
struct Published {
    home: TempDir,
    ledger: Ledger,
    notary: Notary,
    certificate: Certificate,
    opening: SubjectOpening,
    paths: BundlePaths,
}

impl Published {
    async fn new(items: Vec<CertificateItem>) -> Published {
        let home = tempfile::tempdir().unwrap();
        let notary = notary(home.path());
        let ledger = Ledger::open(&format!("sqlite:{}", home.path().join("habeas.db").display())).await.unwrap();
        let (certificate, opening) = Certificate::build(input_for(&notary, items)).unwrap();
        add_entries(&ledger, 5).await;
        let mut tx = ledger.begin().await.unwrap();
        record(&mut tx, &certificate).await.unwrap();
        tx.commit().await.unwrap();
        add_entries(&ledger, 3).await;
        let folder = home.path().join("certificates").join(certificate.id().as_str());
        let clock = FixedClock(at(130));
        let paths = publish(&ledger, &notary, &clock, certificate.id().as_str(), &folder).await.unwrap();
        Published { home, ledger, notary, certificate, opening, paths }
    }

    async fn publish_again(&self) -> Result<BundlePaths, CertifyError> {
        let clock = FixedClock(at(500));
        publish(&self.ledger, &self.notary, &clock, self.certificate.id().as_str(), &self.paths.folder).await
    }

    fn file(&self, name: &str) -> PathBuf {
        self.paths.folder.join(name)
    }

    fn verify(&self) -> CertificateReport {
        verify(&self.paths.folder, None).unwrap()
    }
}

async fn add_entries(ledger: &Ledger, count: u64) {
    for _ in 0..count {
        let mut tx = ledger.begin().await.unwrap();
        journal::append(&mut tx, &Event::new(EventKind::PermitClosed, at(0), Actor::system())).await.unwrap();
        tx.commit().await.unwrap();
    }
}
