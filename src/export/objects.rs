//! Objects on their way into an archive. Each is copied to a nameless file first, its bytes counted and digested on the way: only what has
//! arrived whole goes into the archive, and one that cannot be read is a failure of that object alone.

use futures_util::TryStreamExt;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::Selection;
use super::write::{Account, Message, Source, Written, withhold_word};
use crate::archive::{ColumnSpec, ReadFile, TableSpec, TableTally, Withheld};
use crate::connector::objects::{Entry, EntryKind, ObjectSource, Restore, StoreError, copy_to_file};
use crate::crypto::hex;
use crate::datamap::{Collection, ObjectPlace};
use crate::gather::{Found, Gathering, Named};
use crate::job::JobError;
use crate::value::{Cell, ColumnType};

/// One object as a row of its table.
pub(super) struct ObjectRow {
    cells: Vec<Cell<'static>>,
    file: Option<ReadFile>,
}

impl ObjectRow {
    /// The row, the file put into the archive by `keep`, which says where it is.
    pub(super) fn into_cells<E>(self, keep: impl FnOnce(ReadFile) -> Result<String, E>) -> Result<Vec<Cell<'static>>, E> {
        let mut cells = self.cells;
        let file = match self.file {
            None => Cell::Null,
            Some(file) => Cell::Text(keep(file)?.into()),
        };
        cells.insert(FILE_COLUMN, file);
        Ok(cells)
    }
}

/// Place of the column that says where the object is, after its name: who looks at the table wants to open it.
const FILE_COLUMN: usize = 1;
/// Days for which a restored object stays readable.
const RESTORED_DAYS: u16 = 7;

/// Why an object is not in the archive.
enum NotCopied {
    /// It must be restored from its storage class, which has been asked for.
    Pending,
    /// It could not be read.
    Failed(String),
}

/// The objects of one place. A store that cannot be listed is an error of the place, which the caller makes a gap.
pub(super) async fn export_place(
    source: &Source<'_>,
    gathering: &mut Gathering<'_>,
    place: &ObjectPlace,
    store: &ObjectSource,
    messages: &mpsc::Sender<Message>,
    written: &mut mpsc::UnboundedReceiver<Written>,
) -> Result<Account, JobError> {
    let missing = || JobError::Stored(format!("`{}` is not in the data map", place.name()));
    let collection = source.deployment.map.collection(&place.dataset, &place.described_in).ok_or_else(missing)?;
    let spec = table_spec(source, place, collection);
    let left_out = why_left_out(&source.selection, collection, place.field.as_deref());
    let closed = || JobError::Stopped;
    messages.send(Message::Begin(Box::new(spec), None)).await.map_err(|_| closed())?;
    source.deployment.progress.begin(&format!("copy {}", place.collection), None);
    let mut counts = Counts::default();
    let mut problem = None;
    let mut names = gathering.named(place, false, false)?;
    while let Some(named) = names.try_next().await? {
        match export_named(source, place, store, &named, left_out.is_some(), messages, &mut counts).await {
            Ok(()) => {}
            Err(JobError::Store { problem: why, .. }) if !why.is_transient() => {
                problem = Some(why);
                break;
            }
            Err(error) => return Err(error),
        }
    }
    drop(names);
    let withheld: Vec<Withheld> =
        left_out.filter(|_| counts.found > 0).map(|why| Withheld { count: counts.found, ..why }).into_iter().collect();
    let tally = TableTally { found: counts.found, withheld: withheld.clone(), ..TableTally::default() };
    messages.send(Message::End(tally)).await.map_err(|_| closed())?;
    let answer = written.recv().await.ok_or_else(closed)?;
    Ok(Account {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: store.kind,
        found: counts.found,
        exported: answer.exported,
        withheld: withheld.iter().map(|part| part.count).sum(),
        failed: answer.failed,
        pending: counts.pending,
        failures: answer.failures,
        not_covered: Vec::new(),
        unread: problem.map(|why| why.to_string()),
    })
}

#[derive(Default)]
struct Counts {
    found: u64,
    pending: u64,
}

fn table_spec(source: &Source<'_>, place: &ObjectPlace, collection: &Collection) -> TableSpec {
    let columns = [
        ("key", ColumnType::Text, "The name of the object in the store."),
        ("file", ColumnType::Text, "Where it is in this archive."),
        ("version", ColumnType::Text, "The version of the object, where the store keeps versions."),
        ("current", ColumnType::Boolean, "Whether this is the version that is in use."),
        ("bytes", ColumnType::Integer, "How long it is."),
        ("modified_at", ColumnType::TimestampUtc, "When it was stored."),
        ("media_type", ColumnType::Text, "What it was said to be when it was stored."),
        ("metadata", ColumnType::Json, "Notes that were stored with it."),
        ("tags", ColumnType::Json, "Tags that it carries."),
    ];
    let column = |(name, kind, words): (&str, ColumnType, &str)| {
        let mut column = ColumnSpec::new(name, kind);
        column.description = Some(words.to_owned());
        column.leads_to_files = name == "file";
        column
    };
    let mut spec = TableSpec::new(&place.source, &place.collection, columns.into_iter().map(column).collect());
    spec.description = collection.description.clone();
    spec.purpose = collection.purpose.clone();
    spec.legal_basis = collection.legal_basis.clone();
    spec.categories = collection.data_categories.clone();
    spec.recipients = collection.recipients.clone();
    spec.origin = collection.provided;
    spec.role = source.deployment.map.dataset(&place.dataset).map(|dataset| dataset.role).unwrap_or_default();
    spec
}

/// Why none of the objects is handed over; the count is still open.
pub(super) fn why_left_out(selection: &Selection, collection: &Collection, field: Option<&str>) -> Option<Withheld> {
    let withheld = |reason_code: &str, legal_ref: Option<&str>, text: &str| {
        Some(Withheld { count: 0, reason_code: reason_code.into(), legal_ref: legal_ref.map(str::to_owned), text: text.into() })
    };
    if !selection.is_portable(collection) {
        let text =
            "These objects were not provided by you or observed of you under consent or contract. Ask for access to see them.";
        return withheld("not_portable", Some("Art. 20(1) GDPR"), text);
    }
    let field = field.and_then(|field| collection.field(field));
    if let Some(reason) = field.and_then(|field| field.withhold) {
        return withheld(withhold_word(reason), None, "The data map withholds the field that names these objects.");
    }
    let taken = match field {
        Some(field) => selection.takes(collection, field),
        None => {
            selection.is_everything()
                || selection.matches(&collection.data_categories)
                || collection.fields.iter().any(|field| selection.takes(collection, field))
        }
    };
    if taken {
        None
    } else {
        withheld("category", None, "You asked for certain categories of data, and these objects have none of them.")
    }
}

async fn export_named(
    source: &Source<'_>,
    place: &ObjectPlace,
    store: &ObjectSource,
    named: &Named,
    leave_out: bool,
    messages: &mpsc::Sender<Message>,
    counts: &mut Counts,
) -> Result<(), JobError> {
    let failed = |problem| JobError::Store { source_name: store.name.clone(), problem };
    // Nobody takes the rows any more when the archive itself has failed, and says why.
    let closed = |_| JobError::Stopped;
    let mut found = Found::begin(store.work.as_ref(), &place.locate, named);
    let mut any = false;
    while let Some(entries) = found.next().await.map_err(failed)? {
        // A marker holds nothing but the key, and an upload that nobody completed cannot be read by anybody.
        for entry in entries.iter().filter(|entry| entry.kind == EntryKind::Version) {
            any = true;
            counts.found += 1;
            if leave_out {
                continue;
            }
            let message = match copy(source, store, entry).await {
                Ok(row) => Message::Object(Box::new(row)),
                Err(NotCopied::Pending) => {
                    counts.pending += 1;
                    Message::Failed("an object must first be restored from its storage class; that has been asked for".into())
                }
                Err(NotCopied::Failed(why)) => Message::Failed(why),
            };
            source.deployment.progress.advance(1);
            messages.send(message).await.map_err(closed)?;
        }
    }
    if !any && matches!(place.locate, crate::datamap::Locate::Key(_)) {
        // A row names it and it is not there: not nothing, but a failure of this one.
        counts.found += 1;
        if !leave_out {
            let message = Message::Failed("an object that a record names is not in the store".into());
            messages.send(message).await.map_err(closed)?;
        }
    }
    Ok(())
}

async fn copy(source: &Source<'_>, store: &ObjectSource, entry: &Entry) -> Result<ObjectRow, NotCopied> {
    let failed = |problem: StoreError| NotCopied::Failed(format!("an object could not be read: {problem}"));
    let details = store.work.details(entry).await.map_err(failed)?;
    match details.restore {
        None => {}
        Some(Restore::UnderWay) => return Err(NotCopied::Pending),
        Some(Restore::NotAsked) => {
            store.work.restore(entry, RESTORED_DAYS).await.map_err(failed)?;
            return Err(NotCopied::Pending);
        }
    }
    // A copy of fewer or more bytes than the store says that there are is none.
    let digest = |hash: &mut Sha256, chunk: &[u8]| hash.update(chunk);
    let (file, sha256) = match copy_to_file(store.work.as_ref(), entry, details.size, source.deployment.workshop(), digest).await {
        Ok((file, hash)) => (file, hex(&hash.finalize())),
        Err(StoreError::Cold) => return Err(NotCopied::Pending),
        Err(problem) => return Err(failed(problem)),
    };
    let map = |all: &std::collections::BTreeMap<String, String>| match all.is_empty() {
        true => Cell::Null,
        false => Cell::Json(serde_json::to_string(all).unwrap_or_default().into()),
    };
    let text = |text: Option<&String>| text.map_or(Cell::Null, |text| Cell::Text(text.clone().into()));
    let shown = entry.key.shown();
    let cells = vec![
        match entry.key.text() {
            Some(key) => Cell::Text(key.to_owned().into()),
            None => Cell::Bytes(entry.key.bytes().to_vec().into()),
        },
        text(entry.id.as_ref()),
        Cell::Bool(entry.is_latest),
        Cell::Number(details.size.to_string().into()),
        details.modified.map_or(Cell::Null, |at| Cell::Text(format!("{at:.6}").into())),
        text(details.media_type.as_ref()),
        map(&details.metadata),
        map(&details.tags),
    ];
    let record = entry.id.as_ref().filter(|id| *id != "null").map_or_else(|| shown.clone(), |id| format!("{shown} ({id})"));
    let file = ReadFile { file, bytes: details.size, sha256, original_name: shown, record, modified: details.modified };
    Ok(ObjectRow { cells, file: Some(file) })
}
