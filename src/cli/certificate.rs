//! `habeas certificate`: checks certificates of erasure.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use crate::certify;
use crate::certify::bundle::DOCUMENT;
use crate::crypto::PublicKey;

/// The verbs of `habeas certificate`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check signature, inclusion proof and wording; needs no ledger and no network.
    Verify(Verify),
}

/// A certificate to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Folder of a certificate, its zip, or its `certificate.json`.
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,
    /// The issuer's public key (PEM), as it was published: only with it the check says who the issuer is.
    #[arg(long, value_name = "FILE.pub")]
    pub key: Option<PathBuf>,
}

/// Checks a certificate.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let Verb::Verify(args) = verb;
    let pinned = args.key.as_deref().map(read_key).transpose()?;
    let path = folder_of(&args.path);
    let name = args.path.display().to_string();
    if let Err(error) = std::fs::metadata(path) {
        return Err(CliError::Unreadable { name, reason: input::why(&error) });
    }
    let refused =
        |error: certify::BundleError| CliError::Outcome { exit: Exit::VerificationFailed, message: error.to_string(), hint: None };
    let report = certify::verify(path, pinned.as_ref()).map_err(refused)?;
    let exit = if report.valid { Exit::Done } else { Exit::VerificationFailed };
    if context.printer.is_json() {
        context.printer.document(&report)?;
        return Ok(exit);
    }
    for problem in &report.problems {
        context.printer.data(&format!("problem      {problem}"))?;
    }
    if let Some(certificate) = &report.certificate {
        context.printer.data(&format!("certificate  {}", certificate.id))?;
        context.printer.data(&format!("issued       {} by {}", certificate.issued_at, certificate.controller))?;
        context.printer.data(&format!("says         {}", certificate.statement))?;
    }
    if let Some(place) = &report.journal {
        context.printer.data(&format!("journal      entry {} of {} in {}", place.index, place.size, place.origin))?;
    }
    if let Some(key) = &report.key {
        context.printer.data(&format!("key          {key}"))?;
    }
    context.printer.data(if report.valid { "valid" } else { "NOT VALID" })?;
    if path.join(certify::OPENING_FILE).is_file() {
        context.printer.hint("this folder is for the subject alone and ties a certificate to the person; the certificate itself is in the folder beside it");
    }
    if report.valid && !report.key_was_pinned {
        context.printer.hint("compare the key with the one that the issuer has published, or give it with `--key FILE.pub`");
    }
    Ok(exit)
}

fn read_key(path: &Path) -> Result<PublicKey, CliError> {
    let (text, name) = input::read_text(path)?;
    PublicKey::from_pem(&text).ok_or(CliError::Unreadable { name, reason: "not an Ed25519 public key in PEM".into() })
}

/// The document is checked with the files beside it.
fn folder_of(path: &Path) -> &Path {
    let is_document = path.file_name().is_some_and(|name| name == DOCUMENT);
    match path.parent() {
        Some(folder) if is_document && folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) if is_document => folder,
        _ => path,
    }
}
