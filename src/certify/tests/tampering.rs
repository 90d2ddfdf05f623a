//! A published certificate against alteration: by our check, by stock OpenSSL, and by a script that shares no code with us.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::*;
use crate::certify::bundle::{DOCUMENT, ENTRY, FILES, ISSUER, PAGE, PAGE_SIGNATURE, PROOF, SIGNATURE, VERIFY};
use crate::journal::{HeadState, JournalError, ProofError};

fn items() -> Vec<CertificateItem> {
    let mut invoices = erased("invoices", 10);
    invoices.found = 13;
    invoices.retained = vec![kept(3)];
    vec![erased("users", 1), invoices]
}

fn python(folder: &Path) -> bool {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_certificate.py");
    Command::new("python3").arg(script).arg(folder).output().unwrap().status.success()
}

/// Runs the command of `VERIFY.txt` that has this word in it, as it is printed there.
fn printed_command(folder: &Path, word: &str) -> bool {
    let text = fs::read_to_string(folder.join(VERIFY)).unwrap();
    let command = text.lines().find(|line| line.contains(word) && line.trim().starts_with("openssl")).unwrap().trim();
    Command::new("sh").args(["-c", command]).current_dir(folder).output().unwrap().status.success()
}

#[tokio::test]
async fn a_published_certificate_is_valid_as_folder_and_as_zip_with_no_ledger() {
    let published = Published::new(items()).await;
    published.ledger.db().close().await;
    for path in [&published.paths.folder, &published.paths.zip] {
        let report = verify(path, Some(published.notary.anchor().key())).unwrap();
        assert_eq!(report.problems, []);
        assert!(report.valid && report.key_was_pinned);
        assert_eq!(report.digest.as_ref(), Some(published.certificate.digest()));
        let place = report.journal.unwrap();
        assert_eq!((place.origin.as_str(), place.index, place.size), ("habeas.acme-ltd/journal", 5, 9));
        assert_eq!(report.certificate.unwrap().outcome, OutcomeWord::Complete);
    }
    assert_eq!(fs::read(published.file(DOCUMENT)).unwrap(), published.certificate.text().as_bytes());
    let page = fs::read_to_string(published.file(PAGE)).unwrap();
    assert!(page.contains(published.certificate.digest().as_str()) && !page.contains("<script"));
}

#[tokio::test]
async fn stock_openssl_and_a_foreign_script_accept_it_and_refuse_an_altered_one() {
    let published = Published::new(items()).await;
    let folder = &published.paths.folder;
    assert!(printed_command(folder, "certificate.json.sig") && printed_command(folder, "certificate.html.sig"));
    assert!(python(folder));
    for (name, from, to) in [
        (DOCUMENT, "\"records_absent\": 10", "\"records_absent\": 11"),
        (PAGE, "Certificate of erasure", "Certificate of nothing"),
        (ENTRY, "certificate_issued", "certificate_is5ued"),
        (PROOF, "index 5", "index 4"),
        (PROOF, "\n9\n", "\n8\n"),
    ] {
        let honest = fs::read_to_string(published.file(name)).unwrap();
        assert!(honest.contains(from), "{name}: {from}");
        fs::write(published.file(name), honest.replace(from, to)).unwrap();
        assert!(!python(folder) && !published.verify().valid, "{name}: {to}");
        assert_eq!(printed_command(folder, "certificate.json.sig"), name != DOCUMENT, "{name}: {to}");
        fs::write(published.file(name), honest).unwrap();
    }
    assert!(python(folder));
}

#[tokio::test]
async fn the_commands_of_the_instructions_work_as_they_are_printed() {
    let published = Published::new(items()).await;
    let text = fs::read_to_string(published.file(VERIFY)).unwrap();
    let mut script = String::new();
    let mut in_python = false;
    for line in text.lines() {
        if in_python || line.starts_with("openssl ") || line.starts_with("python3 ") {
            script += &format!("{line}\n");
            in_python = line.starts_with("python3 ") || (in_python && line != "END");
        }
    }
    let run = |script: &str| Command::new("sh").args(["-ec", script]).current_dir(&published.paths.folder).output().unwrap();
    let output = run(&script);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    assert_eq!(printed.matches("Signature Verified Successfully").count(), 3, "{printed}");
    assert!(printed.contains("included"));
    assert!(printed.contains(published.certificate.digest().as_str().trim_start_matches("sha256:")));
    assert!(printed.contains(published.notary.anchor().key().fingerprint().trim_start_matches("sha256:")));

    let entry = fs::read_to_string(published.file(ENTRY)).unwrap();
    fs::write(published.file(ENTRY), entry.replace("complete", "partial")).unwrap();
    assert!(!run(&script).status.success());
}

#[tokio::test]
async fn every_altered_byte_of_every_file_that_is_checked_is_refused() {
    let published = Published::new(items()).await;
    for name in FILES.into_iter().filter(|name| *name != VERIFY) {
        let honest = fs::read(published.file(name)).unwrap();
        // The page is long, and one signature covers all of it alike.
        for at in (0..honest.len()).step_by(if name == PAGE { 29 } else { 1 }) {
            let mut altered = honest.clone();
            altered[at] ^= 1;
            fs::write(published.file(name), &altered).unwrap();
            // PEM allows some freedom of form; what it must not allow is another key.
            let same_key = name == ISSUER && published.verify().key == Some(published.notary.anchor().key().fingerprint());
            assert!(same_key || !published.verify().valid, "{name}, byte {at}");
        }
        fs::write(published.file(name), &honest[..honest.len() - 1]).unwrap();
        assert!(name == ISSUER || !published.verify().valid, "{name}, truncated");
        fs::remove_file(published.file(name)).unwrap();
        assert_eq!(published.verify().problems, [Problem::Missing(name)]);
        fs::write(published.file(name), honest).unwrap();
    }
    assert!(published.verify().valid);
}

#[tokio::test]
async fn parts_of_another_certificate_do_not_fit_even_if_the_same_issuer_signed_them() {
    let (one, other) = (Published::new(items()).await, Published::new(items()).await);
    for name in [SIGNATURE, ENTRY, PROOF, PAGE_SIGNATURE, ISSUER] {
        let honest = fs::read(one.file(name)).unwrap();
        fs::copy(other.file(name), one.file(name)).unwrap();
        assert!(!one.verify().valid, "{name}");
        fs::write(one.file(name), honest).unwrap();
    }
    // Another page of the same issuer: well signed, but of another document.
    let page =
        fs::read_to_string(one.file(PAGE)).unwrap().replace(one.certificate.digest().as_str(), other.certificate.digest().as_str());
    fs::write(one.file(PAGE), &page).unwrap();
    fs::write(one.file(PAGE_SIGNATURE), one.notary.sign(page.as_bytes())).unwrap();
    assert_eq!(one.verify().problems, [Problem::Page]);
}

#[tokio::test]
async fn another_key_is_refused_when_the_caller_knows_the_right_one() {
    let (ours, theirs) = (Published::new(items()).await, Published::new(items()).await);
    let report = verify(&theirs.paths.folder, Some(ours.notary.anchor().key())).unwrap();
    assert_eq!(report.problems, [Problem::OtherKey]);
    assert!(report.certificate.is_none(), "nothing is repeated from a document that is not believed");
}

#[tokio::test]
async fn v_1_a_false_claim_is_refused_even_if_the_issuer_signs_it() {
    let gap = item("orders", 5, ItemOutcome::Gap { code: Code::fixed("rights_missing") });
    let published = Published::new(vec![erased("users", 1), gap]).await;
    assert_eq!(published.verify().problems, []);
    let mut document = published.certificate.document().clone();
    document.outcome = OutcomeWord::Complete;
    let text = serde_json::to_string_pretty(&document).unwrap();
    fs::write(published.file(DOCUMENT), &text).unwrap();
    fs::write(published.file(SIGNATURE), published.notary.sign(text.as_bytes())).unwrap();
    let problems = published.verify().problems;
    assert!(problems.contains(&Problem::Inconsistent(Inconsistency::Outcome { expected: OutcomeWord::Partial })), "{problems:?}");
    assert!(problems.contains(&Problem::Entry) && problems.contains(&Problem::Proof(ProofError::NotIncluded)), "{problems:?}");

    let with_unknown_key = published.certificate.text().replacen('{', "{\n  \"note\": \"trust me\",", 1);
    fs::write(published.file(DOCUMENT), &with_unknown_key).unwrap();
    fs::write(published.file(SIGNATURE), published.notary.sign(with_unknown_key.as_bytes())).unwrap();
    assert!(matches!(published.verify().problems[..], [Problem::Document(2, _)]));
}

#[tokio::test]
async fn e_3_publishing_again_changes_nothing_and_never_overwrites_something_else() {
    let published = Published::new(items()).await;
    let proof = fs::read(published.file(PROOF)).unwrap();
    fs::remove_file(&published.paths.zip).unwrap();
    add_entries(&published.ledger, 2).await;
    assert_eq!(published.publish_again().await.unwrap(), published.paths);
    assert_eq!(fs::read(published.file(PROOF)).unwrap(), proof);
    assert!(verify(&published.paths.zip, None).unwrap().valid);
    let row = crate::ledger::certificate::find(&published.ledger, published.certificate.id().as_str()).await.unwrap().unwrap();
    assert_eq!(row.folder.as_deref(), published.paths.folder.to_str());
    assert_eq!(row.digest, published.certificate.digest().as_str());

    fs::remove_dir_all(&published.paths.folder).unwrap();
    published.publish_again().await.unwrap();
    assert!(published.verify().valid, "the folder can be made again from the ledger");
    fs::write(published.file(PAGE), "something else").unwrap();
    assert!(matches!(published.publish_again().await, Err(CertifyError::Bundle(BundleError::Occupied { .. }))));
}

#[tokio::test]
async fn the_subjects_opening_stays_out_of_the_public_zip() {
    let published = Published::new(items()).await;
    published.opening.write(&published.paths.folder).unwrap();
    published.publish_again().await.unwrap();
    let zip = zip::ZipArchive::new(fs::File::open(&published.paths.zip).unwrap()).unwrap();
    assert_eq!(zip.len(), FILES.len());
    assert!(published.verify().valid);
}

#[tokio::test]
async fn j_1_nothing_is_certified_over_a_journal_that_is_not_what_was_signed() {
    let published = Published::new(items()).await;
    fs::remove_dir_all(&published.paths.folder).unwrap();
    let mut tx = published.ledger.begin().await.unwrap();
    tx.on().execute("DELETE FROM journal_entry WHERE seq >= 7", crate::args![]).await.unwrap();
    tx.commit().await.unwrap();
    let refused = published.publish_again().await;
    let Err(CertifyError::Journal(JournalError::Refused { state: HeadState::Behind { size: 7, anchored: 9 } })) = refused else {
        panic!("published over a truncated journal")
    };
    assert!(!published.paths.folder.exists());
    let left: Vec<_> = fs::read_dir(published.home.path().join("certificates")).unwrap().collect();
    assert_eq!(left.len(), 1, "the old zip alone");
}
