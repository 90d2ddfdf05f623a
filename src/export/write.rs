//! Streams gathered rows into an archive. The source's cursor is read here; cells are made and compressed on a thread of their own, so that
//! both work at once, with a bounded queue between them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::Selection;
use super::columns::Columns;
use super::frame::{closing_of, header_of};
use super::inside::{Inside, LeftOut};
use super::objects::{ObjectRow, export_place};
use super::row_cells::Made;
use super::rows::export_rows;
use crate::archive::{ArchiveError, ArchiveHeader, ArchiveWriter, Finished, TableSpec, TableTally, Withheld};
use crate::connector::objects::Stores;
use crate::connector::sql::decode::{self, DecodeError};
use crate::connector::sql::{Column, Location, SqlSource, Tally};
use crate::datamap::Withhold;
use crate::db::{DbError, Record};
use crate::deployment::Deployment;
use crate::gather::{GatherError, Gathering};
use crate::job::JobError;
use crate::ledger::request::Request;
use crate::subject::Subject;
use crate::value::Cell;

/// Records per message to the writer's thread, and messages that may wait for it.
const RECORDS_PER_MESSAGE: usize = 256;
const MESSAGES_WAITING: usize = 8;

/// Everything that an archive is made from.
pub struct Source<'a> {
    /// The installation.
    pub deployment: &'a Deployment,
    /// The request that is answered.
    pub request: &'a Request,
    /// Whom it is about.
    pub subject: &'a Subject,
    /// Open sources.
    pub sources: &'a BTreeMap<String, SqlSource>,
    /// Open stores of objects.
    pub stores: &'a Stores,
    /// What was asked for.
    pub selection: Selection,
    /// When gathering began.
    pub started_at: Timestamp,
}

/// How the rows of one collection were accounted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Source in the configuration.
    pub source: String,
    /// Dataset.
    pub dataset: String,
    /// Collection.
    pub collection: String,
    /// Family of the source.
    pub kind: &'static str,
    /// Rows reached.
    pub found: u64,
    /// Rows written.
    pub exported: u64,
    /// Rows left out on purpose.
    pub withheld: u64,
    /// Rows that could not be carried over.
    pub failed: u64,
    /// Of those, how many may be read later: they are being restored from their storage class.
    pub pending: u64,
    /// Where those were: table, column, position.
    pub failures: Vec<String>,
    /// Live columns that the map does not mention.
    pub not_covered: Vec<String>,
    /// Why the place could not be read to its end, if it could not.
    pub unread: Option<String>,
}

/// What the writer's thread is told.
pub(super) enum Message {
    Begin(Box<TableSpec>, Option<Box<Shape>>),
    Rows(Vec<Record>),
    Object(Box<ObjectRow>),
    /// Rows whose cells are made already, or why they could not be.
    Made(Vec<Made>),
    Failed(String),
    End(TableTally),
}

/// What the records of a table hold.
pub(super) struct Shape {
    location: Location,
    columns: Vec<Column>,
    /// What goes out of each column, where not all of it does.
    inside: Vec<Option<Inside>>,
}

/// What it answers at the end of a table.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) exported: u64,
    pub(super) failed: u64,
    pub(super) failures: Vec<String>,
    not_covered: BTreeSet<String>,
}

impl Written {
    fn fail(&mut self, why: String) {
        self.failed += 1;
        if self.failures.len() < FAILURES_NAMED {
            self.failures.push(why);
        }
    }
}

/// Writes the archive, and reads it back. Nobody but us can see it yet.
pub async fn write_archive(source: &Source<'_>, mut gathering: Gathering<'_>) -> Result<(Finished, Vec<Account>), JobError> {
    let header = header_of(source);
    let folder = source.deployment.workshop().to_owned();
    let part_bytes = source.deployment.config.limits.archive_part;
    let (messages, inbox) = mpsc::channel::<Message>(MESSAGES_WAITING);
    let (answers, mut written) = mpsc::unbounded_channel::<Written>();
    let writer = tokio::task::spawn_blocking(move || write(&folder, header, part_bytes, inbox, &answers));
    let read = read_all(source, &mut gathering, &messages, &mut written).await;
    drop(messages);
    let archive = writer.await.map_err(|_| JobError::Stored("the archive's thread ended early".into()))?;
    let archive = match (read, archive) {
        // The writer's own failure explains why nobody took the rows any more.
        (_, Err(error)) => return Err(error.into()),
        (Err(error), Ok(_)) => return Err(error),
        (Ok(accounts), Ok(archive)) => (archive, accounts),
    };
    let (archive, accounts) = archive;
    let descriptions: BTreeMap<String, String> =
        gathering.snapshots.iter().map(|(name, snapshot)| (name.clone(), snapshot.description.clone())).collect();
    let closing = closing_of(source, &accounts, &descriptions, &gathering);
    gathering.close().await?;
    source.deployment.progress.begin("publish", None);
    let finished = tokio::task::spawn_blocking(move || archive.close(closing))
        .await
        .map_err(|_| JobError::Stored("the archive's thread ended early".into()))??;
    Ok((finished, accounts))
}

/// The writer's thread.
fn write(
    folder: &std::path::Path,
    header: ArchiveHeader,
    part_bytes: u64,
    mut inbox: mpsc::Receiver<Message>,
    answers: &mpsc::UnboundedSender<Written>,
) -> Result<ArchiveWriter, ArchiveError> {
    let mut archive = ArchiveWriter::create(folder, header)?.in_parts_of(part_bytes);
    let mut table: Option<Box<Shape>> = None;
    let mut written = Written::default();
    let mut left_out = LeftOut::default();
    while let Some(message) = inbox.blocking_recv() {
        match message {
            Message::Begin(spec, shape) => {
                archive.begin_table(*spec)?;
                table = shape;
            }
            Message::Rows(records) => {
                let Some(shape) = &table else { continue };
                for record in &records {
                    let position = written.exported + written.failed + 1;
                    let cells = decode::cells(record, &shape.location, &shape.columns, position);
                    match cells.and_then(|cells| parts_of(cells, shape, position, &mut left_out)) {
                        Ok(cells) => {
                            archive.row(&cells)?;
                            written.exported += 1;
                        }
                        Err(error) => {
                            written.failed += 1;
                            if written.failures.len() < FAILURES_NAMED {
                                written.failures.push(error.to_string());
                            }
                        }
                    }
                }
            }
            Message::Object(row) => {
                let cells = row.into_cells(|file| archive.keep_file(file))?;
                archive.row(&cells)?;
                written.exported += 1;
            }
            Message::Made(rows) => {
                for row in rows {
                    match row {
                        Ok(cells) => {
                            archive.row(&cells)?;
                            written.exported += 1;
                        }
                        Err(why) => written.fail(why),
                    }
                }
            }
            Message::Failed(why) => written.fail(why),
            Message::End(mut tally) => {
                tally.failed = written.failed;
                let left_out = std::mem::take(&mut left_out);
                for ((path, reason), count) in left_out.withheld {
                    tally.redacted_cells += count;
                    tally.redacted_columns.push((path, withhold_word(reason).to_owned()));
                }
                written.not_covered = left_out.not_covered;
                archive.end_table(tally)?;
                table = None;
                // The reader waits for this answer; if it has gone, the archive is dropped unpublished.
                if answers.send(std::mem::take(&mut written)).is_err() {
                    break;
                }
            }
        }
    }
    Ok(archive)
}

/// The cells, of JSON columns only what the archive may have. A row that fails counts nothing as left out: nothing of it is handed over.
fn parts_of<'r>(mut cells: Vec<Cell<'r>>, shape: &Shape, row: u64, left_out: &mut LeftOut) -> Result<Vec<Cell<'r>>, DecodeError> {
    let mut of_this_row = LeftOut::default();
    for (at, inside) in shape.inside.iter().enumerate() {
        let Some(inside) = inside else { continue };
        let whole = std::mem::replace(&mut cells[at], Cell::Null);
        cells[at] = inside.apply(whole, &mut of_this_row).map_err(|problem| DecodeError::Value {
            table: shape.location.table.name.name.clone(),
            column: shape.columns[at].name.clone(),
            row,
            problem: format!("{problem}, so that what may be handed over of it cannot be told from the rest"),
        })?;
    }
    left_out.add(of_this_row);
    Ok(cells)
}

/// Undecodable values named one by one; the rest is counted.
const FAILURES_NAMED: usize = 20;

async fn read_all(
    source: &Source<'_>,
    gathering: &mut Gathering<'_>,
    messages: &mpsc::Sender<Message>,
    written: &mut mpsc::UnboundedReceiver<Written>,
) -> Result<Vec<Account>, JobError> {
    let mut accounts = Vec::new();
    let graph = gathering.graph;
    let reachable = graph.reachable(Some(&kinds_of(source.subject)));
    for (node, place) in graph.nodes.iter().enumerate() {
        let Some((_, snapshot)) = gathering.snapshot_of(node) else { continue };
        let failed = |problem: DbError| GatherError::Source { source_name: place.source.clone(), problem };
        let tally = snapshot.tally(node).await.map_err(failed)?;
        let found: u64 = tally.iter().map(|t| t.count).sum();
        if found == 0 && !reachable[node] {
            continue;
        }
        let Some(location) = snapshot.location(node).cloned() else { continue };
        accounts.push(read_one(source, gathering, node, location, &tally, messages, written).await?);
    }
    for place in &graph.objects {
        // A store that was not reached is told with the sources that were not.
        let Some(store) = source.stores.get(&place.source).filter(|_| reachable[place.rows.0]) else { continue };
        accounts.push(export_place(source, gathering, place, store, messages, written).await?);
    }
    let kinds = kinds_of(source.subject);
    for place in &graph.rows {
        let Some(store) = source.stores.get(&place.source).filter(|_| place.is_reached(&reachable, Some(&kinds))) else { continue };
        accounts.push(export_rows(source, gathering, place, store, messages, written).await?);
    }
    Ok(accounts)
}

fn kinds_of(subject: &Subject) -> Vec<&str> {
    subject.identifiers().iter().map(|identifier| identifier.kind.as_str()).collect()
}

async fn read_one(
    source: &Source<'_>,
    gathering: &mut Gathering<'_>,
    node: usize,
    location: Location,
    tally: &[Tally],
    messages: &mpsc::Sender<Message>,
    written: &mut mpsc::UnboundedReceiver<Written>,
) -> Result<Account, JobError> {
    let map = &source.deployment.map;
    let place = &gathering.graph.nodes[node];
    let missing = || JobError::Stored(format!("`{}` is not in the data map", place.name()));
    let dataset = map.dataset(&place.dataset).ok_or_else(missing)?;
    let collection = map.collection(&place.dataset, &place.collection).ok_or_else(missing)?;
    let columns = Columns::of(&location, collection, gathering.graph, &source.selection);
    let found: u64 = tally.iter().map(|t| t.count).sum();
    let accessed: u64 = tally.iter().filter(|t| t.rights == 1).map(|t| t.count).sum();
    let withheld = withheld_rows(source, collection, &columns, found);
    let exports = withheld.is_empty() && found > 0;
    let account = |written: Written| Account {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: "sql",
        found,
        exported: written.exported,
        withheld: withheld.iter().map(|w| w.count).sum(),
        failed: written.failed,
        pending: 0,
        unread: None,
        failures: written.failures,
        not_covered: columns.not_covered.iter().cloned().chain(written.not_covered).collect(),
    };
    let spec = columns.table_spec(&location, dataset, collection);
    let closed = || JobError::Stopped;
    let shape = Shape { location, columns: columns.exported.clone(), inside: columns.inside.clone() };
    messages.send(Message::Begin(Box::new(spec), Some(Box::new(shape)))).await.map_err(|_| closed())?;
    if exports {
        source.deployment.progress.begin(&format!("export {}", place.collection), Some(found));
        stream_rows(source, gathering, node, &columns, messages).await?;
    }
    let tally = TableTally {
        found,
        withheld: withheld.clone(),
        failed: 0,
        redacted_cells: redacted_cells(&columns, if exports { found } else { 0 }, if exports { accessed } else { 0 }),
        redacted_columns: redacted_columns(&columns, exports && accessed > 0, exports),
    };
    messages.send(Message::End(tally)).await.map_err(|_| closed())?;
    let answer = written.recv().await.ok_or_else(closed)?;
    Ok(account(answer))
}

async fn stream_rows(
    source: &Source<'_>,
    gathering: &mut Gathering<'_>,
    node: usize,
    columns: &Columns,
    messages: &mpsc::Sender<Message>,
) -> Result<(), JobError> {
    let Some((name, snapshot)) = gathering.snapshot_of(node) else { return Ok(()) };
    let name = name.to_owned();
    let failed = |problem: DbError| GatherError::Source { source_name: name.clone(), problem };
    let names: Vec<String> = columns.exported.iter().map(|column| column.name.clone()).collect();
    let mut rows = snapshot.rows(node, &names, &columns.hidden).map_err(failed)?;
    let mut message = Vec::with_capacity(RECORDS_PER_MESSAGE);
    while let Some(record) = rows.try_next().await.map_err(failed)? {
        message.push(record);
        if message.len() == RECORDS_PER_MESSAGE {
            source.deployment.progress.advance(RECORDS_PER_MESSAGE as u64);
            let full = std::mem::replace(&mut message, Vec::with_capacity(RECORDS_PER_MESSAGE));
            messages.send(Message::Rows(full)).await.map_err(|_| JobError::Stopped)?;
        }
    }
    source.deployment.progress.advance(message.len() as u64);
    messages.send(Message::Rows(message)).await.map_err(|_| JobError::Stopped)
}

fn withheld_rows(source: &Source<'_>, collection: &crate::datamap::Collection, columns: &Columns, found: u64) -> Vec<Withheld> {
    let withheld = |reason_code: &str, legal_ref: Option<&str>, text: &str| {
        vec![Withheld { count: found, reason_code: reason_code.into(), legal_ref: legal_ref.map(str::to_owned), text: text.into() }]
    };
    if found == 0 {
        return Vec::new();
    }
    if !source.selection.is_portable(collection) {
        let text =
            "These records were not provided by you or observed of you under consent or contract. Ask for access to see them.";
        return withheld("not_portable", Some("Art. 20(1) GDPR"), text);
    }
    if !columns.exported.is_empty() {
        return Vec::new();
    }
    if source.selection.is_everything() {
        return withheld(
            "credential",
            None,
            "Every field of these records is withheld; the dictionary of the data map names the reason.",
        );
    }
    withheld("category", None, "You asked for certain categories of data, and these records have none of them.")
}

fn redacted_cells(columns: &Columns, rows: u64, accessed: u64) -> u64 {
    rows * columns.withheld.len() as u64 + accessed * columns.hidden.len() as u64
}

fn redacted_columns(columns: &Columns, hides: bool, exports: bool) -> Vec<(String, String)> {
    let mut redacted: Vec<(String, String)> = Vec::new();
    if exports {
        redacted.extend(columns.withheld.iter().map(|(name, reason)| (name.clone(), withhold_word(*reason).to_owned())));
    }
    if hides {
        redacted.extend(columns.hidden.iter().map(|name| (name.clone(), "third_party".to_owned())));
    }
    redacted
}

/// The word of a reason in `completeness.json`.
pub(super) fn withhold_word(reason: Withhold) -> &'static str {
    match reason {
        Withhold::Credential => "credential",
        Withhold::ThirdParty => "third_party",
        Withhold::TradeSecret => "trade_secret",
    }
}
