//! Rows inside objects on their way into an archive: one table for each place, one column for each field of the map, as stored. Only what the
//! objects hold now is looked at. An object that cannot be read to its end makes the place a gap, never nothing (V-2).

use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::objects::why_left_out;
use super::row_cells::{Gathered, Made, RowShape};
use super::write::{Account, Message, Source, Written, withhold_word};
use crate::archive::{TableTally, Withheld};
use crate::connector::objects::{Entry, EntryKind, ObjectKey, ObjectSource, StoreError, Walk};
use crate::counted::counted;
use crate::datamap::RowPlace;
use crate::gather::Gathering;
use crate::job::JobError;
use crate::row_objects::{RowNames, RowsFailure, bring, take_from};

/// Rows per message to the writer's thread.
const ROWS_PER_MESSAGE: usize = 256;

/// The person's rows in one place, also those that name somebody else as well, as with rows of tables.
pub(super) async fn export_rows(
    source: &Source<'_>,
    gathering: &mut Gathering<'_>,
    place: &RowPlace,
    store: &ObjectSource,
    messages: &mpsc::Sender<Message>,
    written: &mut mpsc::UnboundedReceiver<Written>,
) -> Result<Account, JobError> {
    let missing = || JobError::Stored(format!("`{}` is not in the data map", place.name()));
    let dataset = source.deployment.map.dataset(&place.dataset).ok_or_else(missing)?;
    let collection = source.deployment.map.collection(&place.dataset, &place.collection).ok_or_else(missing)?;
    let shape = RowShape::of(place, collection, &source.selection);
    let left_out = why_left_out(&source.selection, collection, None).or_else(|| shape.why_nothing(&source.selection));
    let closed = || JobError::Stopped;
    messages.send(Message::Begin(Box::new(shape.table_spec(place, dataset, collection)), None)).await.map_err(|_| closed())?;
    source.deployment.progress.begin(&format!("search {}", place.collection), None);
    let gathered = Arc::new(Mutex::new(Gathered::default()));
    let names = gathering.row_names(place).await?;
    let mut looking =
        Looking { source, place, store, names: &names.names, shape: &shape, gathered: &gathered, unread: Vec::new(), position: 0 };
    let unread = match (names.is_too_many, names.names.is_empty()) {
        (true, _) => Some("more values name this person's rows than can be looked for".to_owned()),
        // Nothing is known that could stand in these rows.
        (false, true) => None,
        (false, false) => looking.all_objects(if left_out.is_some() { None } else { Some(messages) }).await?,
    };
    let gathered = std::mem::take(&mut *gathered.lock().map_err(|_| closed())?);
    let withheld: Vec<Withheld> =
        left_out.filter(|_| gathered.found > 0).map(|why| Withheld { count: gathered.found, ..why }).into_iter().collect();
    let handed_over = if withheld.is_empty() { gathered.found } else { 0 };
    let mut tally = TableTally { found: gathered.found, withheld: withheld.clone(), ..TableTally::default() };
    tally.redacted_cells = handed_over * shape.withheld.len() as u64;
    if handed_over > 0 {
        tally.redacted_columns =
            shape.withheld.iter().map(|(name, reason)| (name.clone(), withhold_word(*reason).to_owned())).collect();
    }
    for ((path, reason), count) in &gathered.left_out.withheld {
        tally.redacted_cells += count;
        tally.redacted_columns.push((path.clone(), withhold_word(*reason).to_owned()));
    }
    messages.send(Message::End(tally)).await.map_err(|_| closed())?;
    let answer = written.recv().await.ok_or_else(closed)?;
    Ok(Account {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: store.kind,
        found: gathered.found,
        exported: answer.exported,
        withheld: withheld.iter().map(|part| part.count).sum(),
        failed: answer.failed,
        pending: 0,
        failures: answer.failures,
        not_covered: gathered.not_covered.into_iter().chain(gathered.left_out.not_covered).collect(),
        unread,
    })
}

struct Looking<'a> {
    source: &'a Source<'a>,
    place: &'a RowPlace,
    store: &'a ObjectSource,
    names: &'a RowNames,
    shape: &'a RowShape,
    gathered: &'a Arc<Mutex<Gathered>>,
    unread: Vec<String>,
    position: u64,
}

impl Looking<'_> {
    /// Looks through every object as it is now; why some could not be read.
    async fn all_objects(&mut self, messages: Option<&mpsc::Sender<Message>>) -> Result<Option<String>, JobError> {
        let mut walk = Walk::under(self.store.work.as_ref(), self.place.at.as_bytes());
        loop {
            let page = match walk.next().await {
                Ok(None) => break,
                Ok(Some(page)) => page,
                Err(problem) if problem.is_transient() => return Err(self.failed(problem)),
                Err(problem) => return Ok(Some(problem.to_string())),
            };
            let is_now =
                |entry: &&Entry| entry.kind == EntryKind::Version && entry.is_latest && self.place.has_key(entry.key.bytes());
            for entry in page.iter().filter(is_now).cloned().collect::<Vec<_>>() {
                self.position += 1;
                match self.one_object(&entry, messages).await {
                    Ok(()) => {}
                    Err(RowsFailure::Store(StoreError::Gone)) => {}
                    Err(failure) if failure.is_transient() => return Err(self.failed(failure.into_store_error())),
                    Err(failure) => self.unread.push(format!("object {}: {failure}", self.position)),
                }
                self.source.deployment.progress.advance(1);
            }
        }
        Ok(self.unread.first().map(|first| {
            let objects = counted(self.unread.len() as u64, "object", "objects");
            // By its place in the order of the keys: a key may be somebody's name (S-1).
            format!("{objects} could not be read as {}, the first in the order of their keys: {first}", self.place.format)
        }))
    }

    fn failed(&self, problem: StoreError) -> JobError {
        JobError::Store { source_name: self.store.name.clone(), problem }
    }

    async fn one_object(&self, entry: &Entry, messages: Option<&mpsc::Sender<Message>>) -> Result<(), RowsFailure> {
        let file = bring(self.store.work.as_ref(), entry, self.source.deployment.workshop()).await?;
        let handing = Handing {
            key: entry.key.clone(),
            shape: self.shape.clone(),
            gathered: Arc::clone(self.gathered),
            messages: messages.cloned(),
            waiting: Vec::new(),
        };
        let handing = Arc::new(Mutex::new(handing));
        let hands = Arc::clone(&handing);
        let take = move |found: crate::rows::Found<'_>| hands.lock().map_err(|_| nobody_takes())?.take(&found);
        let taken = take_from(file, self.place.format, self.names, true, take).await;
        // Rows that were found before an error are the person's all the same.
        let rest = std::mem::take(&mut handing.lock().map_err(|_| RowsFailure::Stopped)?.waiting);
        if let Some(messages) = messages.filter(|_| !rest.is_empty()) {
            messages.send(Message::Made(rest)).await.map_err(|_| RowsFailure::Stopped)?;
        }
        taken.map(|_| ())
    }
}

/// Makes cells of found rows and hands them on, on the thread that reads the object.
struct Handing {
    key: ObjectKey,
    shape: RowShape,
    gathered: Arc<Mutex<Gathered>>,
    messages: Option<mpsc::Sender<Message>>,
    waiting: Vec<Made>,
}

impl Handing {
    fn take(&mut self, found: &crate::rows::Found<'_>) -> std::io::Result<()> {
        let mut gathered = self.gathered.lock().map_err(|_| nobody_takes())?;
        gathered.found += 1;
        let Some(messages) = &self.messages else { return Ok(()) };
        self.waiting.push(self.shape.cells(&self.key, found, &mut gathered));
        drop(gathered);
        if self.waiting.len() < ROWS_PER_MESSAGE {
            return Ok(());
        }
        messages.blocking_send(Message::Made(std::mem::take(&mut self.waiting))).map_err(|_| nobody_takes())
    }
}

/// The archive itself has failed, and says why.
fn nobody_takes() -> std::io::Error {
    std::io::Error::other("nobody takes the rows any more")
}
