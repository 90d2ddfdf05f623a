//! Which objects a person's rows name: values are streamed out of the snapshot, filled into the template of the map, and the store is asked
//! what is there. Whose an object is follows from whose the rows are.

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use thiserror::Error;

use super::Gathering;
use super::traverse::GatherError;
use crate::connector::objects::{Details, Entry, EntryKind, ObjectKey, ObjectStore, StoreError, Walk, entries_of_key};
use crate::connector::sql::text::objects as text;
use crate::datamap::{Locate, ObjectPlace, Piece};
use crate::db::{DbError, Record};

/// Why objects could not be gathered.
#[derive(Debug, Error)]
pub enum ObjectError {
    /// The rows that name them.
    #[error(transparent)]
    Rows(#[from] GatherError),
    /// The store.
    #[error("source `{source_name}`: {problem}")]
    Store {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: StoreError,
    },
}

/// What one set of values names, with what is known of all rows that have them.
#[derive(Clone)]
pub struct Named {
    /// Prefix, key or value, filled.
    pub text: String,
    /// The values that fill it.
    pub values: Vec<String>,
    /// Whether somebody else owns one of these rows too (O-1).
    pub is_shared: bool,
    /// Whether all these rows go. Only once it is decided.
    pub goes: bool,
    /// Why one of them stays.
    pub ground: Option<String>,
    /// Matter or law.
    pub reference: Option<String>,
    /// When to look again.
    pub review_on: Option<String>,
}

/// Details of single objects that are asked for at once.
const AT_ONCE: usize = 16;

impl Gathering<'_> {
    /// What the rows of a place name, in the order of the values.
    pub fn named<'g>(
        &'g mut self,
        place: &'g ObjectPlace,
        is_decided: bool,
        masks_name: bool,
    ) -> Result<BoxStream<'g, Result<Named, GatherError>>, GatherError> {
        let template = place.locate.template();
        let columns = template.columns();
        let Some((source, snapshot)) = self.snapshot_of(place.rows.0) else { return Ok(stream::empty().boxed()) };
        let source_name = source.to_owned();
        if !snapshot.is_reached(place.rows.0) {
            return Ok(stream::empty().boxed());
        }
        let Some(location) = snapshot.location(place.rows.0).cloned() else { return Ok(stream::empty().boxed()) };
        if let Some(missing) = columns.iter().find(|column| location.table.column(column).is_none()) {
            return Err(GatherError::Map(format!("`{}` has no column `{missing}`, which names objects", location.table.name.name)));
        }
        let statement = text::names(&location, &columns, is_decided, masks_name, snapshot.dialect);
        let failed = move |problem: DbError| GatherError::Source { source_name: source_name.clone(), problem };
        let width = columns.len();
        let rows = snapshot.stream(statement).map_err(failed.clone())?;
        let named = rows.map(move |row| {
            let row = row.map_err(failed.clone())?;
            read(place, &row, width, is_decided).map_err(failed.clone())
        });
        Ok(named.try_filter_map(|named| async { Ok(named) }).boxed())
    }

    /// Columns whose values could make what one row names lie inside what another row names: a prefix of `a/` is also that of `a/b/`.
    pub async fn overlapping(&mut self, place: &ObjectPlace) -> Result<Option<String>, GatherError> {
        let Locate::Prefix(template) = &place.locate else { return Ok(None) };
        let Some((source, snapshot)) = self.snapshot_of(place.rows.0) else { return Ok(None) };
        let source_name = source.to_owned();
        let Some(location) = snapshot.location(place.rows.0).cloned() else { return Ok(None) };
        for pair in template.pieces().windows(2) {
            let [Piece::Value { column, .. }, Piece::Text(after)] = pair else { continue };
            let separator: String = after.chars().take(1).collect();
            let statement = text::with_separator(&location, column, &separator, snapshot.dialect);
            let found = snapshot.count(statement).await;
            let found = found.map_err(|problem| GatherError::Source { source_name: source_name.clone(), problem })?;
            if found > 0 {
                return Ok(Some(column.clone()));
            }
        }
        Ok(None)
    }
}

/// A row that leaves a value of the template open names nothing.
fn read(place: &ObjectPlace, row: &Record, width: usize, is_decided: bool) -> Result<Option<Named>, DbError> {
    let mut values = Vec::with_capacity(width);
    for at in 0..width {
        values.push(row.text_at(at)?.map(str::to_owned));
    }
    let Some(text) = place.locate.template().fill(&values) else { return Ok(None) };
    let of_decision = |column: &str| if is_decided { row.opt_text(column) } else { Ok(None) };
    Ok(Some(Named {
        text,
        values: values.into_iter().flatten().collect(),
        is_shared: row.int("shared")? == 1,
        goes: is_decided && row.int("goes")? == 1,
        ground: of_decision("ground")?,
        reference: of_decision("reference")?,
        review_on: of_decision("review_on")?,
    }))
}

/// What a store holds of what is named, page after page.
pub struct Found<'a> {
    store: &'a dyn ObjectStore,
    kind: FoundKind<'a>,
}

enum FoundKind<'a> {
    Walk(Walk<'a>),
    Key(Option<ObjectKey>),
    /// With this value, or with any.
    Labelled {
        walk: Walk<'a>,
        name: &'a str,
        value: Option<String>,
        is_tag: bool,
    },
    Meant {
        walk: Walk<'a>,
        locate: &'a Locate,
    },
}

impl<'a> Found<'a> {
    /// Begins to look.
    pub fn begin(store: &'a dyn ObjectStore, locate: &'a Locate, named: &Named) -> Found<'a> {
        let kind = match locate {
            Locate::Prefix(_) => FoundKind::Walk(Walk::under(store, named.text.as_bytes())),
            Locate::Key(_) => FoundKind::Key(key_named(store, &named.text)),
            Locate::Tag { prefix, name, .. } => FoundKind::Labelled {
                walk: Walk::under(store, prefix.as_bytes()),
                name,
                value: Some(named.text.clone()),
                is_tag: true,
            },
            Locate::Metadata { prefix, name, .. } => FoundKind::Labelled {
                walk: Walk::under(store, prefix.as_bytes()),
                name,
                value: Some(named.text.clone()),
                is_tag: false,
            },
        };
        Found { store, kind }
    }

    /// Begins to look at everything that rows of anybody could name so.
    pub fn begin_with_all(store: &'a dyn ObjectStore, locate: &'a Locate) -> Found<'a> {
        let below = |prefix: &str| Walk::under(store, prefix.as_bytes());
        let kind = match locate {
            Locate::Prefix(template) | Locate::Key(template) => FoundKind::Meant { walk: below(template.lead()), locate },
            Locate::Tag { prefix, name, .. } => FoundKind::Labelled { walk: below(prefix), name, value: None, is_tag: true },
            Locate::Metadata { prefix, name, .. } => FoundKind::Labelled { walk: below(prefix), name, value: None, is_tag: false },
        };
        Found { store, kind }
    }

    /// The next entries; none at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, StoreError> {
        match &mut self.kind {
            FoundKind::Walk(walk) => walk.next().await,
            FoundKind::Key(key) => match key.take() {
                None => Ok(None),
                Some(key) => Ok(Some(entries_of_key(self.store, &key).await?).filter(|entries| !entries.is_empty())),
            },
            FoundKind::Labelled { walk, name, value, is_tag } => loop {
                let Some(page) = walk.next().await? else { return Ok(None) };
                let labelled = labelled(self.store, page, name, value.as_deref(), *is_tag).await?;
                if !labelled.is_empty() {
                    return Ok(Some(labelled));
                }
            },
            FoundKind::Meant { walk, locate } => loop {
                let Some(mut page) = walk.next().await? else { return Ok(None) };
                page.retain(|entry| locate.could_name(entry.key.bytes()));
                if !page.is_empty() {
                    return Ok(Some(page));
                }
            },
        }
    }
}

/// The key of a name. In a folder a value such as `../x` leads out of what the map wrote before it, and values are often what a person has typed
/// in: such a name names nothing (O-1). In a bucket two dots are two dots.
fn key_named(store: &dyn ObjectStore, name: &str) -> Option<ObjectKey> {
    let climbs = name.split('/').any(|part| part == "..");
    store.key_of(name).filter(|key| !climbs || key.bytes() == name.as_bytes())
}

/// Those of a page that carry a label. Markers and unfinished uploads carry none.
async fn labelled(
    store: &dyn ObjectStore,
    page: Vec<Entry>,
    name: &str,
    value: Option<&str>,
    is_tag: bool,
) -> Result<Vec<Entry>, StoreError> {
    let asked: Vec<_> = page
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::Version)
        .map(|entry| async move {
            match store.details(&entry).await {
                Ok(details) => Ok(has_label(&details, name, value, is_tag).then_some(entry)),
                Err(StoreError::Gone) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .collect();
    let answers: Vec<Option<Entry>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    Ok(answers.into_iter().flatten().collect())
}

fn has_label(details: &Details, name: &str, value: Option<&str>, is_tag: bool) -> bool {
    let labels = if is_tag { &details.tags } else { &details.metadata };
    labels.get(name).is_some_and(|found| value.is_none_or(|value| found == value))
}
