//! `habeas demo`: the reference deployment, end to end, with no server: a company's database is made, three requests are queued, a worker
//! answers them, and the story is told in a few lines. Everything goes through the code that production runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::{input, work};
use crate::config::Config;
use crate::counted::{counted, grouped};
use crate::demo::{self, DemoPaths};
use crate::deployment::Deployment;
use crate::hold::HoldFile;
use crate::job::{self, result_document};
use crate::ledger::request::{self, Request};
use crate::request::Status;

/// What `habeas demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to create; an existing one is refused unless a demo made it.
    #[arg(long, value_name = "DIR", default_value = "habeas-demo")]
    pub dir: PathBuf,
}

/// Who signs for the demo's plan; in production it is a person.
const APPROVER: &str = "demo approver";
/// Who places the demo's hold.
const COUNSEL: &str = "demo counsel";

/// Makes the company, answers its requests and tells what happened.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let started = Instant::now();
    let printer = context.printer;
    printer.talk("A time-tracking company with five people, their work, invoices and tickets in one SQLite database, and their pictures in a folder.");
    let paths = demo::create(&args.dir).await.map_err(|error| CliError::Outcome {
        exit: Exit::Failure,
        message: error.to_string(),
        hint: Some("give another folder with `--dir`".into()),
    })?;
    let config = Config::load(&paths.config)?;
    let deployment =
        Arc::new(Deployment::open(config, Arc::clone(&context.clock), Arc::clone(&context.progress), context.lenient_map).await?);
    place_hold(&deployment, &paths.hold).await?;
    printer.talk("Linus is put under a legal hold. Three requests arrive: Ada's portability, Grace's erasure, Linus's erasure.");
    let requests = submit(&deployment, &paths).await?;
    work_off(&deployment).await?;
    approve_what_waits(&deployment, &requests).await?;
    work_off(&deployment).await?;
    let mut documents = Vec::new();
    for request in &requests {
        documents.push(result_document(&reload(&deployment, &request.id).await?)?);
    }
    if printer.is_json() {
        printer.document(&json!({ "folder": paths.root, "requests": documents, "seconds": started.elapsed().as_secs_f64() }))?;
    } else {
        tell(context, &paths, &documents)?;
        printer.talk(&format!("\nDone in {:.1} s.", started.elapsed().as_secs_f64()));
    }
    let as_told = documents.len() == 3
        && documents[0]["status"] == "completed"
        && documents[1]["certificate"]["outcome"] == "complete"
        && documents[2]["certificate"]["outcome"] == "refused";
    Ok(if as_told { Exit::Done } else { Exit::Failure })
}

async fn place_hold(deployment: &Deployment, file: &Path) -> Result<(), CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::Unreadable { name: file.display().to_string(), reason: error.to_string() })?;
    let hold = HoldFile::parse(&text).map_err(|error| CliError::Other(error.into()))?;
    job::place(deployment, hold, COUNSEL).await?;
    Ok(())
}

async fn submit(deployment: &Deployment, paths: &DemoPaths) -> Result<Vec<Request>, CliError> {
    let mut requests = Vec::new();
    for name in ["portability.json", "erasure.json", "erasure-held.json"] {
        let job = input::read_job(&paths.jobs.join(name))?;
        let mut tx = deployment.ledger.begin().await?;
        let received = job::receive(&mut tx, deployment, &job, None).await?;
        tx.commit().await?;
        requests.push(received.request().clone());
    }
    Ok(requests)
}

async fn work_off(deployment: &Arc<Deployment>) -> Result<(), CliError> {
    let (_stop, shutdown) = watch::channel(false);
    work::worker(deployment, 2)?.run_until_empty(shutdown).await?;
    Ok(())
}

async fn approve_what_waits(deployment: &Deployment, requests: &[Request]) -> Result<(), CliError> {
    for waiting in requests {
        let request = reload(deployment, &waiting.id).await?;
        let (Status::WaitingApproval, Some(digest)) = (request.status, &request.plan_digest) else { continue };
        let mut tx = deployment.ledger.begin().await?;
        job::approve(&mut tx, deployment, &request.id, digest, APPROVER).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn reload(deployment: &Deployment, id: &str) -> Result<Request, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let request = request::get(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(request)
}

fn tell(context: &Context, paths: &DemoPaths, documents: &[Value]) -> Result<(), CliError> {
    let printer = context.printer;
    for (document, who) in documents.iter().zip(["Ada asked for her data", "Grace asked to be erased", "Linus asked to be erased"])
    {
        printer.data(&format!("\n{who} (request {})", text(&document["code"])))?;
        for line in story(document) {
            printer.data(&format!("  {line}"))?;
        }
    }
    let archive = shown(paths, &documents[0]["archive"]["path"]);
    let certificate = shown(paths, &documents[1]["certificate"]["path"]);
    printer.data("\nSee for yourself, with tools that we did not write:")?;
    for command in [
        format!("cd {}", paths.root.display()),
        format!("unzip -o -q {archive} -d ada            # open ada/*/index.html in a browser"),
        "(cd ada/* && sha256sum -c --quiet manifest-sha256.txt && echo every file as written)".to_owned(),
        format!(
            "openssl pkeyutl -verify -rawin -pubin -inkey {certificate}/issuer.pub -in {certificate}/certificate.json \
             -sigfile {certificate}/certificate.json.sig"
        ),
        format!("habeas certificate verify {certificate}     # needs no ledger and no network"),
        "habeas request list                     # and: habeas journal verify, habeas hold list".to_owned(),
    ] {
        printer.data(&format!("  {command}"))?;
    }
    Ok(())
}

fn found_in(records: u64, places: usize) -> String {
    format!("found     {} in {}", counted(records, "record", "records"), counted(places, "place", "places"))
}

fn story(document: &Value) -> Vec<String> {
    let items = document["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |key: &str| items.iter().filter_map(|item| item[key].as_u64()).sum::<u64>();
    let places = |key: &str| items.iter().filter(|item| item[key].as_u64().unwrap_or(0) > 0).count();
    if document["kind"] == "portability" || document["kind"] == "access" {
        return vec![
            found_in(sum("found"), places("found")),
            format!(
                "exported  {} of them; {} left out on grounds that the archive names",
                grouped(sum("exported")),
                counted(sum("withheld"), "is", "are")
            ),
            format!("archive   {}", file_name(&document["archive"]["path"])),
        ];
    }
    let mut lines = vec![found_in(found(items), places("found"))];
    let effects = |word: &str| {
        let of = items.iter().filter(|item| item["disposition"] == word);
        of.filter_map(|item| item["affected"].as_u64()).sum::<u64>()
    };
    if sum("affected") > 0 {
        let untied = effects("unlink");
        lines.push(format!(
            "erased    {}; {} the person",
            counted(effects("erase") + effects("mask"), "record", "records"),
            counted(untied, "other that stays no longer names", "others that stay no longer name")
        ));
    } else {
        lines.push("erased    nothing".to_owned());
    }
    for (ground, count) in kept(items) {
        lines.push(format!("kept      {} {ground}", grouped(count)));
    }
    let certificate = &document["certificate"];
    let level =
        certificate["level"].as_u64().map(|level| format!(" at level {level} of 5: {}", level_words(level))).unwrap_or_default();
    lines.push(format!("outcome   {}{level}", text(&certificate["outcome"])));
    lines
}

/// Each place counts once, though it may appear with two dispositions.
fn found(items: &[Value]) -> u64 {
    let mut by_place = std::collections::BTreeMap::new();
    for item in items {
        let count: &mut u64 = by_place.entry((text(&item["dataset"]), text(&item["collection"]))).or_default();
        *count = (*count).max(item["found"].as_u64().unwrap_or(0));
    }
    by_place.values().sum()
}

fn kept(items: &[Value]) -> std::collections::BTreeMap<String, u64> {
    let mut grounds = std::collections::BTreeMap::new();
    for part in items.iter().flat_map(|item| item["retained"].as_array().into_iter().flatten()) {
        let words = match part["ground"].as_str().unwrap_or_default() {
            "hold" => format!("under the legal hold {}", text(&part["ref"])),
            "art17_3_b" => format!("because the law requires it ({})", text(&part["ref"])),
            "art17_3_e" => "for legal claims".to_owned(),
            "shared" => "as belonging to others as well, or to others alone".to_owned(),
            _ => "by the controller's policy".to_owned(),
        };
        *grounds.entry(words).or_default() += part["count"].as_u64().unwrap_or(0);
    }
    grounds
}

fn level_words(level: u64) -> &'static str {
    match level {
        0 => "deletion was requested",
        1 => "the store acknowledged it",
        2 => "absent when read again by key, in a session that had seen the records",
        _ => "absent when read again, and a search of every table and file for the person's identifiers found nothing more",
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn file_name(path: &Value) -> String {
    Path::new(path.as_str().unwrap_or_default()).file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A path as seen from inside the demo's folder.
fn shown(paths: &DemoPaths, path: &Value) -> String {
    let full = PathBuf::from(path.as_str().unwrap_or_default());
    let root = std::fs::canonicalize(&paths.root).unwrap_or_else(|_| paths.root.clone());
    let canonical = std::fs::canonicalize(&full).unwrap_or_else(|_| full.clone());
    canonical.strip_prefix(&root).map(Path::to_path_buf).unwrap_or(full).display().to_string()
}
