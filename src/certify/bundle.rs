//! The certificate's folder: the document, its signature, the proof that the journal records it, the public key, a page for people and
//! the commands with which anybody checks all of it without this program. Written beside its place, verified, and only then moved there:
//! a folder that does not verify is never published. The same folder is also packed as a zip.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::certificate::entry_of;
use super::document::Document;
use super::page;
use super::verify::verify;
use crate::journal::{Digest, Notary, TlogProof};

/// The exact bytes that are signed.
pub const DOCUMENT: &str = "certificate.json";
/// Their raw Ed25519 signature.
pub const SIGNATURE: &str = "certificate.json.sig";
/// The journal entry that records the issue: the exact bytes of the leaf.
pub const ENTRY: &str = "certificate.entry.json";
/// Inclusion of the entry in the journal, and the signed checkpoint.
pub const PROOF: &str = "certificate.tlog-proof";
/// The issuer's public key.
pub const ISSUER: &str = "issuer.pub";
/// The page for people.
pub const PAGE: &str = "certificate.html";
/// Its raw Ed25519 signature.
pub const PAGE_SIGNATURE: &str = "certificate.html.sig";
/// How to check with stock tools.
pub const VERIFY: &str = "VERIFY.txt";

/// All files of the folder.
pub const FILES: [&str; 8] = [DOCUMENT, SIGNATURE, ENTRY, PROOF, ISSUER, PAGE, PAGE_SIGNATURE, VERIFY];

/// What can go wrong with a certificate's folder.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The file system refused.
    #[error("certificate `{}`: {source}", path.display())]
    File {
        /// Folder or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something else lies where the folder belongs.
    #[error("`{}` is already there and is not this certificate", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// The folder that was just written does not verify; it was not published.
    #[error("the certificate does not verify and was not published: {problem}")]
    Unsound {
        /// The first problem.
        problem: String,
    },
}

/// Where a certificate lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePaths {
    /// The folder.
    pub folder: PathBuf,
    /// The same as a zip.
    pub zip: PathBuf,
    /// The document in the folder.
    pub document: PathBuf,
    /// The page in the folder.
    pub page: PathBuf,
}

impl BundlePaths {
    fn of(folder: &Path) -> BundlePaths {
        let mut zip = folder.as_os_str().to_owned();
        zip.push(".zip");
        BundlePaths { folder: folder.into(), zip: zip.into(), document: folder.join(DOCUMENT), page: folder.join(PAGE) }
    }
}

/// Signs the document and writes the folder and its zip. Writing the same certificate again changes nothing (E-3).
pub fn write(
    folder: &Path,
    document: &Document,
    text: &str,
    notary: &Notary,
    proof: &TlogProof,
) -> Result<BundlePaths, BundleError> {
    let paths = BundlePaths::of(folder);
    if !is_published(folder, text, notary)? {
        let parent = folder_of(folder);
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let part = parent.join(format!(".{name}.part"));
        let staged = || -> io::Result<()> {
            if part.exists() {
                fs::remove_dir_all(&part)?;
            }
            fs::create_dir_all(&part)?;
            for (name, bytes) in contents(document, text, notary, proof) {
                write_durably(&part.join(name), &bytes)?;
            }
            File::open(&part)?.sync_all()
        };
        staged().map_err(|source| at(&part, source))?;
        refuse_unsound(&part, notary)?;
        let published = fs::rename(&part, folder).and_then(|()| File::open(parent)?.sync_all());
        published.map_err(|source| at(folder, source))?;
    }
    pack(&paths).map_err(|source| at(&paths.zip, source))?;
    Ok(paths)
}

/// Whether this certificate lies there already. Anything else in its place is an error, never overwritten.
pub(super) fn is_published(folder: &Path, text: &str, notary: &Notary) -> Result<bool, BundleError> {
    if !folder.try_exists().map_err(|source| at(folder, source))? {
        return Ok(false);
    }
    let is_this_one = fs::read(folder.join(DOCUMENT)).is_ok_and(|bytes| bytes == text.as_bytes());
    match is_this_one && verify(folder, Some(notary.anchor().key()))?.valid {
        true => Ok(true),
        false => Err(BundleError::Occupied { path: folder.into() }),
    }
}

fn refuse_unsound(folder: &Path, notary: &Notary) -> Result<(), BundleError> {
    let report = verify(folder, Some(notary.anchor().key()))?;
    match report.problems.first() {
        None => Ok(()),
        Some(problem) => Err(BundleError::Unsound { problem: problem.to_string() }),
    }
}

fn contents(document: &Document, text: &str, notary: &Notary, proof: &TlogProof) -> [(&'static str, Vec<u8>); 8] {
    let digest = Digest::of(text.as_bytes());
    let entry = entry_of(document, &digest).canonical();
    let page = page::render(document, &digest);
    let instructions = instructions(&digest, notary);
    [
        (DOCUMENT, text.as_bytes().to_vec()),
        (SIGNATURE, notary.sign(text.as_bytes()).to_vec()),
        (ENTRY, entry.into_bytes()),
        (PROOF, proof.to_text().into_bytes()),
        (ISSUER, notary.anchor().key().to_pem().into_bytes()),
        (PAGE_SIGNATURE, notary.sign(page.as_bytes()).to_vec()),
        (PAGE, page.into_bytes()),
        (VERIFY, instructions.into_bytes()),
    ]
}

fn instructions(digest: &Digest, notary: &Notary) -> String {
    include_str!("VERIFY.txt")
        .replace("{fingerprint}", notary.anchor().key().fingerprint().trim_start_matches("sha256:"))
        .replace("{digest}", digest.as_str().trim_start_matches("sha256:"))
        .replace("{verifier_key}", &notary.anchor().verifier_key())
}

/// The public files alone: what else an operator may have put into the folder, such as a subject's opening, stays out.
fn pack(paths: &BundlePaths) -> io::Result<()> {
    let mut zip = ZipWriter::new(tempfile::NamedTempFile::new_in(folder_of(&paths.zip))?);
    for name in FILES {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(&fs::read(paths.folder.join(name))?)?;
    }
    let file = zip.finish()?;
    file.as_file().sync_all()?;
    file.persist(&paths.zip).map_err(|error| error.error)?;
    Ok(())
}

/// The folder that a path lies in; a bare name lies in the current one.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(super) fn at(path: &Path, source: io::Error) -> BundleError {
    BundleError::File { path: path.into(), source }
}
