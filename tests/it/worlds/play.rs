//! Lets the engine erase a person in a world, in this process and with everything real: configuration, ledger, holds, plan, executor,
//! verifier. Then every row of the database is compared with the prediction.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use habeas_data::clock::FixedClock;
use habeas_data::config::Config;
use habeas_data::connector::sql::Reader;
use habeas_data::deployment::Deployment;
use habeas_data::gather::Gathering;
use habeas_data::hold::HoldFile;
use habeas_data::job::{self, Answers, Case, JobError, planning};
use habeas_data::ledger::job::{self as jobs, JobLease};
use habeas_data::ledger::request::{self, Received, Request};
use habeas_data::observe::progress::Silent;
use habeas_data::queue::{Worker, WorkerOptions};
use habeas_data::request::{JobFile, Status};
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::super::support::database::{Database, Dump};
use super::super::support::wait_for;
use super::super::support::workspace::Workspace;
use super::predict::{Prediction, after, predict};
use super::render::{self, Dialect};
use super::*;

/// How a world went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Went {
    Erased,
    Refused,
    /// There is no such database here.
    Skipped,
}

/// Plays a world; the error is what went wrong, in words.
pub fn play(world: &World, dialect: Dialect) -> Result<Went, String> {
    let (schema, map) = (render::schema(world, dialect), render::map(world));
    let workspace = match dialect {
        Dialect::Sqlite => Workspace::sqlite(&schema, &map),
        Dialect::Postgres => match Workspace::postgres(&schema, &map) {
            Some(workspace) => workspace,
            None => return Ok(Went::Skipped),
        },
    };
    let prediction = predict(world);
    check_model(world, &prediction)?;
    let before = workspace.database.dump();
    let answer = wait_for(answer(world, &prediction, workspace.root()))?;
    let now = workspace.database.dump();
    if !answer.codes.is_empty() {
        return refused(&prediction, &answer, before == now).map(|()| Went::Refused);
    }
    if prediction.must_refuse {
        return Err(format!("the plan had to be refused ({:?}), and ended as {:?}", prediction.may_refuse, answer.status));
    }
    compare(world, &prediction, &now)?;
    check_status(world, &prediction, &answer)?;
    forget(&workspace.database);
    Ok(Went::Erased)
}

/// A database of the private server is dropped, so that thousands of worlds leave no thousands of databases.
fn forget(database: &Database) {
    if let Database::Postgres(url) = database {
        let name = url.trim_start_matches("postgres:///").split('?').next().expect("a name").to_owned();
        let server = Database::Postgres(url.replacen(&name, "postgres", 1));
        server.script(&format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

/// The model must obey the law itself: what it lets go has exactly one owner, and no hold covers it.
fn check_model(world: &World, prediction: &Prediction) -> Result<(), String> {
    let owners = model::owners(world);
    for (row, fate) in &prediction.fates {
        if !matches!(fate, predict::Fate::Delete | predict::Fate::Mask | predict::Fate::Unlink) {
            continue;
        }
        let others = owners.iter().filter(|(address, owned)| **address != world.subject && owned.contains(row)).count();
        let is_the_person = prediction.reach.named.contains(row);
        if others > 0 && !is_the_person {
            return Err(format!("the model itself would change {}, which has other owners", name(world, *row)));
        }
    }
    Ok(())
}

struct Answer {
    status: Status,
    /// Codes of what was refused; empty when it was carried out.
    codes: BTreeSet<String>,
    document: Json,
}

async fn answer(world: &World, prediction: &Prediction, root: &Path) -> Result<Answer, String> {
    let config = Config::load(&root.join("habeas.yaml")).map_err(|error| format!("configuration: {error}"))?;
    let clock = Arc::new(FixedClock("2026-11-24T09:00:00Z".parse().expect("an instant")));
    let opened = Deployment::open(config, clock, Arc::new(Silent), false).await;
    let deployment = Arc::new(opened.map_err(|error| format!("the installation: {error}"))?);
    for scope in render::holds(world) {
        let file = HoldFile::parse(&json!({"matter": "M-1", "reason": "litigation", "scope": scope}).to_string());
        job::place(&deployment, file.expect("a hold file"), "grace").await.map_err(|error| format!("hold: {error}"))?;
    }
    let text = json!({"kind": "erasure", "subject": {"email": world.subject}, "approval": "none"}).to_string();
    let file = JobFile::parse(&text, "job").expect("a job file");
    let mut codes = planned(world, prediction, &deployment, &file).await?;
    let request = run(&deployment, &file).await?;
    let document = job::result_document(&request).map_err(|error| format!("{error:?}"))?;
    if codes.is_empty() && !matches!(request.status, Status::Completed | Status::Partial) {
        codes.insert(format!("{:?}: {}", request.status, document["reason"]));
    }
    if !codes.is_empty() && matches!(request.status, Status::Completed | Status::Partial) {
        return Err(format!("the dry run refused ({codes:?}), and the real one did not"));
    }
    Ok(Answer { status: request.status, codes, document })
}

/// Gathers and plans without touching anything: the codes of the plan's problems. What is gathered is compared on the way.
async fn planned(
    world: &World,
    prediction: &Prediction,
    deployment: &Deployment,
    file: &JobFile,
) -> Result<BTreeSet<String>, String> {
    let lease = JobLease::outside();
    let case = Case::rehearse(deployment, &lease, file.clone()).await.map_err(|error| format!("rehearsal: {error}"))?;
    let planned = planning::dry_run(&case).await;
    let codes = match planned {
        Ok(plan) => plan.problems.iter().map(|problem| problem.code.clone()).collect(),
        Err(JobError::Gather(error)) => return Ok(BTreeSet::from([JobError::Gather(error).code().to_owned()])),
        Err(error) => return Err(format!("dry run: {error}")),
    };
    let mut gathering = planning::gather(&case, Reader::Work).await.map_err(|error| format!("gathering: {error}"))?;
    compare_gathering(world, prediction, &mut gathering).await?;
    gathering.close().await.map_err(|error| format!("{error}"))?;
    case.close().await;
    Ok(codes)
}

async fn run(deployment: &Arc<Deployment>, file: &JobFile) -> Result<Request, String> {
    let failed = |error: &dyn std::fmt::Debug| format!("{error:?}");
    let mut tx = deployment.ledger.begin().await.map_err(|error| failed(&error))?;
    let received = job::receive(&mut tx, deployment, file, None).await.map_err(|error| failed(&error))?;
    tx.commit().await.map_err(|error| failed(&error))?;
    let Received::New(taken) = received else { return Err("the request is not new".into()) };
    let mut tx = deployment.ledger.begin().await.map_err(|error| failed(&error))?;
    let waiting = jobs::of_request(&mut tx, &taken.id).await.map_err(|error| failed(&error))?;
    tx.rollback().await.map_err(|error| failed(&error))?;
    let handler = Arc::new(Answers::new(Arc::clone(deployment)));
    let options = WorkerOptions { concurrency: 1, ..WorkerOptions::default() };
    let worker =
        Worker::new(deployment.ledger.clone(), handler, Arc::clone(&deployment.clock), options).map_err(|error| failed(&error))?;
    let (_stop, shutdown) = watch::channel(false);
    worker.run_one(&waiting[0].id, shutdown).await.map_err(|error| failed(&error))?;
    let mut tx = deployment.ledger.begin().await.map_err(|error| failed(&error))?;
    let done = request::get(&mut tx, &taken.id).await.map_err(|error| failed(&error))?;
    let jobs = jobs::of_request(&mut tx, &taken.id).await.map_err(|error| failed(&error))?;
    tx.rollback().await.map_err(|error| failed(&error))?;
    if done.status == Status::Running || done.status == Status::Verifying || done.status == Status::Failed {
        return Err(format!(
            "the run ended as {:?}: {:?}",
            done.status,
            jobs.iter().map(|job| &job.last_error).collect::<Vec<_>>()
        ));
    }
    Ok(done)
}

/// Counts of what is owned alone, shared and accessed, per table.
async fn compare_gathering(world: &World, prediction: &Prediction, gathering: &mut Gathering<'_>) -> Result<(), String> {
    let reach = &prediction.reach;
    for (at, table) in world.tables.iter().enumerate().filter(|(_, table)| table.mapped) {
        let here = |rows: &BTreeSet<RowId>| rows.iter().filter(|row| row.0 == at).count() as u64;
        let expected = (here(&reach.alone), here(&reach.owned) - here(&reach.alone), here(&reach.accessed));
        let node = gathering.graph.node("app", &table.name).expect("a node");
        let Some((_, snapshot)) = gathering.snapshot_of(node.0) else { return Err("no snapshot".into()) };
        let tally = snapshot.tally(node.0).await.map_err(|error| format!("{error}"))?;
        let count = |rights: i64, shared: bool| {
            tally.iter().filter(|rows| rows.rights == rights && rows.shared == shared).map(|rows| rows.count).sum::<u64>()
        };
        let found = (count(2, false), count(2, true), count(1, false) + count(1, true));
        if found != expected {
            return Err(format!("gathered of {} (alone, shared, accessed): {found:?}, expected {expected:?}", table.name));
        }
    }
    Ok(())
}

fn refused(prediction: &Prediction, answer: &Answer, untouched: bool) -> Result<(), String> {
    if !untouched {
        return Err(format!("refused with {:?}, and the database has changed", answer.codes));
    }
    let without_reason: Vec<&String> = answer.codes.iter().filter(|code| !prediction.may_refuse.contains(code.as_str())).collect();
    if without_reason.is_empty() {
        return Ok(());
    }
    Err(format!("refused with {without_reason:?}, for which the model sees no reason; it sees {:?}", prediction.may_refuse))
}

fn compare(world: &World, prediction: &Prediction, now: &Dump) -> Result<(), String> {
    let mut wrong = Vec::new();
    for (at, table) in world.tables.iter().enumerate() {
        let key = |row: &Json| table.key.iter().map(|name| row[name].to_string()).collect::<Vec<_>>().join(",");
        let actual: BTreeMap<String, &Json> = now.get(&table.name).into_iter().flatten().map(|row| (key(row), row)).collect();
        let predicted: BTreeMap<RowId, Json> =
            after(world, prediction, at).into_iter().map(|(id, row)| (id, render::json_of(&row))).collect();
        for (number, row) in table.rows.iter().enumerate() {
            let id = (at, number);
            let old = render::json_of(row);
            let found = actual.get(&key(&old)).copied();
            let expected = predicted.get(&id);
            // Where a hold on somebody else may cover rows, more may be kept than must be.
            let is_spared = prediction.spares && found == Some(&old);
            if found != expected && !is_spared {
                wrong.push(format!("{}: expected {}, found {}", name(world, id), shown(expected), shown(found)));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

fn shown(row: Option<&Json>) -> String {
    row.map_or_else(|| "nothing".into(), Json::to_string)
}

pub fn name(world: &World, row: RowId) -> String {
    format!("{} {}", world.tables[row.0].name, render::json_of(world.row(row)))
}

/// An answer may say "completed" only when nothing is kept under a hold, and must not say so of a hold's person.
fn check_status(world: &World, prediction: &Prediction, answer: &Answer) -> Result<(), String> {
    let held = prediction.fates.values().any(|fate| *fate == predict::Fate::Keep(predict::Why::Hold));
    let complete = answer.document["certificate"]["outcome"] == "complete";
    if complete && held {
        return Err(format!("complete, although records are held: {}", answer.document));
    }
    // Where nothing may be changed, the certificate says that the erasure was refused.
    let acts = prediction.fates.values().any(|fate| !matches!(fate, predict::Fate::Keep(_))) || !prediction.cleared.is_empty();
    let is_clean = answer.status == Status::Completed && (complete || !acts);
    let residue = answer.document["residue"].as_array().is_some_and(|places| !places.is_empty());
    if world.holds.is_empty() && !is_clean && !residue {
        return Err(format!("nothing is held or left over, and it is not complete: {}", answer.document));
    }
    Ok(())
}
