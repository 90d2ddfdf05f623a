//! Checking a certificate that somebody handed over, as a folder or a zip: signature, page, journal entry, inclusion, wording, and whether
//! its conclusion follows from its own facts. Needs no ledger, no key of ours and no network. Nothing in the document is believed, and
//! nothing of it is repeated, before its signature holds.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::bundle::{BundleError, DOCUMENT, ENTRY, FILES, ISSUER, PAGE, PAGE_SIGNATURE, PROOF, SIGNATURE, at};
use super::certificate::entry_of;
use super::check::{Inconsistency, inconsistencies};
use super::document::{Document, OutcomeWord};
use crate::crypto::PublicKey;
use crate::journal::{Digest, Id, ProofError, TlogProof};
use crate::verify::Level;

/// Certificates are small; anything larger is not one.
const FILE_BYTES_AT_MOST: u64 = 16 * 1024 * 1024;

/// Why a certificate is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A file is not there.
    Missing(&'static str),
    /// The public key cannot be read.
    IssuerKey,
    /// The key is not the one that was expected.
    OtherKey,
    /// The signature does not fit the document.
    Signature,
    /// The signature does not fit the page, or the page prints another digest.
    Page,
    /// The document cannot be read: not JSON, an unknown key, a wrong type. Line and column.
    Document(usize, usize),
    /// The document names another key than the one that signed it.
    KeyInDocument,
    /// The entry is not the one that records this document.
    Entry,
    /// The proof names another journal than the document.
    OtherJournal,
    /// The proof does not convince.
    Proof(ProofError),
    /// The document is not consistent in itself.
    Inconsistent(Inconsistency),
}

/// What the check of a certificate gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateReport {
    /// Whether everything holds.
    pub valid: bool,
    /// Why not.
    pub problems: Vec<Problem>,
    /// Fingerprint of the key in the folder.
    pub key: Option<String>,
    /// Whether the key was compared with one that the caller trusts. If not, who the issuer is remains to be checked.
    pub key_was_pinned: bool,
    /// `sha256:` and hex of the document.
    pub digest: Option<Digest>,
    /// What the document says; absent unless its signature holds.
    pub certificate: Option<CertificateSummary>,
    /// Where the journal records it; absent unless the proof holds.
    pub journal: Option<JournalPlace>,
}

/// What a signed document says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateSummary {
    /// Its id.
    pub id: Id,
    /// Legal name of the controller.
    pub controller: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The conclusion.
    pub outcome: OutcomeWord,
    /// Level of the whole.
    pub level: Option<Level>,
    /// The sentences for it.
    pub statement: String,
}

/// Where a journal records a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalPlace {
    /// Name of the journal.
    pub origin: String,
    /// Position of the entry, from 0.
    pub index: u64,
    /// Entries covered by the checkpoint.
    pub size: u64,
}

/// Checks a certificate's folder or zip. `pinned` is the issuer's key if the caller has it from elsewhere.
pub fn verify(path: &Path, pinned: Option<&PublicKey>) -> Result<CertificateReport, BundleError> {
    let files = Files::load(path)?;
    let mut report = CertificateReport {
        valid: false,
        problems: FILES.into_iter().filter(|name| files.get(name).is_none()).map(Problem::Missing).collect(),
        key: None,
        key_was_pinned: pinned.is_some(),
        digest: files.get(DOCUMENT).map(Digest::of),
        certificate: None,
        journal: None,
    };
    if report.problems.is_empty() {
        check_key_and_signature(&files, pinned, &mut report);
    }
    report.valid = report.problems.is_empty();
    Ok(report)
}

fn check_key_and_signature(files: &Files, pinned: Option<&PublicKey>, report: &mut CertificateReport) {
    let Some(key) = files.text(ISSUER).and_then(PublicKey::from_pem) else { return report.problems.push(Problem::IssuerKey) };
    report.key = Some(key.fingerprint());
    if pinned.is_some_and(|pinned| *pinned != key) {
        return report.problems.push(Problem::OtherKey);
    }
    let text = files.get(DOCUMENT).unwrap_or_default();
    if !key.verifies(text, files.get(SIGNATURE).unwrap_or_default()) {
        return report.problems.push(Problem::Signature);
    }
    match serde_json::from_slice::<Document>(text) {
        Err(error) => report.problems.push(Problem::Document(error.line(), error.column())),
        Ok(document) => check_document(files, &key, &document, &Digest::of(text), report),
    }
}

fn check_document(files: &Files, key: &PublicKey, document: &Document, digest: &Digest, report: &mut CertificateReport) {
    report.problems.extend(inconsistencies(document).into_iter().map(Problem::Inconsistent));
    if document.issuer.key != key.fingerprint() {
        report.problems.push(Problem::KeyInDocument);
    }
    let page = files.get(PAGE).unwrap_or_default();
    let prints_digest = files.text(PAGE).is_some_and(|page| page.contains(digest.as_str()));
    if !prints_digest || !key.verifies(page, files.get(PAGE_SIGNATURE).unwrap_or_default()) {
        report.problems.push(Problem::Page);
    }
    let entry = entry_of(document, digest).canonical();
    if files.get(ENTRY) != Some(entry.as_bytes()) {
        report.problems.push(Problem::Entry);
    }
    match check_proof(files, key, document, entry.as_bytes()) {
        Ok(place) => report.journal = Some(place),
        Err(problem) => report.problems.push(problem),
    }
    report.certificate = Some(CertificateSummary {
        id: document.certificate_id.clone(),
        controller: document.issuer.controller.clone(),
        issued_at: document.issued_at,
        outcome: document.outcome,
        level: document.level,
        statement: document.statement.clone(),
    });
}

fn check_proof(files: &Files, key: &PublicKey, document: &Document, entry: &[u8]) -> Result<JournalPlace, Problem> {
    let proof = files.text(PROOF).ok_or(ProofError::Malformed).and_then(TlogProof::parse).map_err(Problem::Proof)?;
    let origin = proof.claimed_origin().filter(|origin| origin.as_str() == document.issuer.journal).ok_or(Problem::OtherJournal)?;
    let checkpoint = proof.check(entry, &origin, key).map_err(Problem::Proof)?;
    Ok(JournalPlace { origin: origin.to_string(), index: proof.index, size: checkpoint.size })
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Missing(name) => write!(formatter, "{name} is missing"),
            Problem::IssuerKey => write!(formatter, "{ISSUER} is not an Ed25519 public key"),
            Problem::OtherKey => write!(formatter, "{ISSUER} is not the expected key"),
            Problem::Signature => write!(formatter, "the signature does not fit {DOCUMENT}"),
            Problem::Page => write!(formatter, "{PAGE} is not the page that was signed with {DOCUMENT}"),
            Problem::Document(line, column) => write!(formatter, "{DOCUMENT} cannot be read (line {line}, column {column})"),
            Problem::KeyInDocument => write!(formatter, "{DOCUMENT} names another key than the one that signed it"),
            Problem::Entry => write!(formatter, "{ENTRY} is not the entry that records {DOCUMENT}"),
            Problem::OtherJournal => write!(formatter, "{PROOF} is about another journal than {DOCUMENT} names"),
            Problem::Proof(problem) => write!(formatter, "{PROOF}: {problem}"),
            Problem::Inconsistent(problem) => problem.fmt(formatter),
        }
    }
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The known files of a folder or zip; others are not read.
struct Files(Vec<(&'static str, Vec<u8>)>);

impl Files {
    fn load(path: &Path) -> Result<Files, BundleError> {
        let read = if fs::metadata(path).map_err(|source| at(path, source))?.is_dir() { read_folder(path) } else { read_zip(path) };
        Ok(Files(read.map_err(|source| at(path, source))?))
    }

    fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, bytes)| bytes.as_slice())
    }

    fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name)?).ok()
    }
}

fn read_folder(folder: &Path) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut files = Vec::new();
    for name in FILES {
        match File::open(folder.join(name)) {
            Ok(file) => files.push((name, read_limited(file)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(files)
}

fn read_zip(path: &Path) -> io::Result<Vec<(&'static str, Vec<u8>)>> {
    let mut zip = zip::ZipArchive::new(File::open(path)?)?;
    let mut files = Vec::new();
    for name in FILES {
        match zip.by_name(name) {
            Ok(file) => files.push((name, read_limited(file)?)),
            Err(zip::result::ZipError::FileNotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(files)
}

fn read_limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(FILE_BYTES_AT_MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_AT_MOST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large for a certificate"));
    }
    Ok(bytes)
}
