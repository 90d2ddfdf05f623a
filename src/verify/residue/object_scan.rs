//! The search of a store of objects: keys, tags, metadata and bodies, for a person's identifiers in every form. Keys are all searched; objects
//! are opened up to a number and a size, and what was not opened is said (V-2). Compressed media are not searched, text in gzip is.

use std::io::{self, Read};

use flate2::bufread::MultiGzDecoder;
use tokio::io::AsyncReadExt;

use super::matcher::{Found, Matcher};
use super::report::Control;
use super::{ResidueError, control};
use crate::connector::objects::{Entry, EntryKind, ObjectSource, StoreError, Walk};
use crate::value::Key;

/// How much of a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectLimits {
    /// Objects.
    pub objects: u64,
    /// Bytes of one object.
    pub bytes: u64,
}

/// What the search of a store gave.
#[derive(Debug, Clone, Default)]
pub struct ObjectReport {
    /// Occurrences by part of an object (`keys`, `tags`, `metadata`, `bodies`), certain and not.
    pub hits: Vec<ObjectHit>,
    /// Places that were searched: each key, and each body that was opened.
    pub places: u64,
    /// Objects whose bytes were not searched, by reason.
    pub unsearched: Vec<(&'static str, u64)>,
    /// The positive control (V-3).
    pub control: Control,
}

/// Objects in a part of which an identifier stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHit {
    /// Which part.
    pub part: &'static str,
    /// False for a match inside a longer word, or a weak identifier.
    pub certain: bool,
    /// How many objects.
    pub count: u64,
    /// How many of them are known to be kept for this person.
    pub retained: u64,
}

/// Bytes that are searched at once, and how many of the piece before are searched again with it.
const PIECE: usize = 1024 * 1024;
const OVERLAP: usize = 8 * 1024;

/// Searches a whole store.
pub async fn scan_store(
    store: &ObjectSource,
    matcher: &Matcher,
    limits: ObjectLimits,
    is_retained: &(dyn Fn(&Key) -> bool + Send + Sync),
) -> Result<ObjectReport, ScanStop> {
    let mut report = ObjectReport { control: planted(matcher)?, ..ObjectReport::default() };
    let mut opened = 0;
    let mut walk = Walk::under(store.verify.as_ref(), b"");
    while let Some(page) = walk.next().await? {
        for entry in &page {
            let retained = is_retained(&entry.manifest_key());
            report.places += 1;
            report.take("keys", &search_whole(matcher, entry.key.bytes()), retained);
            if entry.kind != EntryKind::Version {
                continue;
            }
            if opened >= limits.objects {
                report.leave("more objects than limits.scan_objects");
                continue;
            }
            opened += 1;
            match search_object(store, entry, matcher, limits, retained, &mut report).await {
                Ok(()) => {}
                // It went away while we looked at the others.
                Err(StoreError::Gone) => {}
                Err(error) if error.is_transient() => return Err(error.into()),
                Err(StoreError::Cold) => report.leave("in an archive class"),
                Err(StoreError::Encrypted) => report.leave("cannot be decrypted"),
                Err(_) => report.leave("could not be read"),
            }
        }
    }
    Ok(report)
}

/// Why the search of a store ended early.
#[derive(Debug, thiserror::Error)]
pub enum ScanStop {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The search itself.
    #[error(transparent)]
    Search(#[from] ResidueError),
}

async fn search_object(
    store: &ObjectSource,
    entry: &Entry,
    matcher: &Matcher,
    limits: ObjectLimits,
    retained: bool,
    report: &mut ObjectReport,
) -> Result<(), StoreError> {
    let details = store.verify.details(entry).await?;
    for (part, labels) in [("metadata", &details.metadata), ("tags", &details.tags)] {
        for (name, value) in labels {
            report.take(part, &search_whole(matcher, name.as_bytes()), retained);
            report.take(part, &search_whole(matcher, value.as_bytes()), retained);
        }
    }
    if details.restore.is_some() {
        return Err(StoreError::Cold);
    }
    if details.size > limits.bytes {
        report.leave("larger than limits.scan_object_bytes");
        return Ok(());
    }
    let mut bytes = Vec::new();
    let mut input = store.verify.read(entry).await?.take(limits.bytes.saturating_add(1));
    input.read_to_end(&mut bytes).await.map_err(|_| StoreError::Lost)?;
    if bytes.len() as u64 != details.size {
        return Err(StoreError::Lost);
    }
    match search_body(matcher, &bytes, limits.bytes) {
        Some(found) => {
            report.places += 1;
            report.take("bodies", &found, retained);
        }
        None => report.leave("compressed or an image"),
    }
    Ok(())
}

/// What stands in some bytes; none where they are compressed in a way that is not opened.
fn search_body(matcher: &Matcher, bytes: &[u8], most: u64) -> Option<Vec<Found>> {
    match bytes {
        [0x1F, 0x8B, ..] => {
            // A small file may unpack to a huge one: what lies beyond the limit was not searched.
            let mut unpacked = MultiGzDecoder::new(bytes).take(most.saturating_mul(16));
            let found = search_stream(matcher, &mut unpacked).ok()?;
            (unpacked.limit() > 0).then_some(found)
        }
        _ if is_opaque(bytes) => None,
        _ => search_stream(matcher, &mut &bytes[..]).ok(),
    }
}

fn is_opaque(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x89, b'P', b'N', b'G', ..]
            | [0xFF, 0xD8, 0xFF, ..]
            | [b'G', b'I', b'F', b'8', ..]
            | [b'R', b'I', b'F', b'F', ..]
            | [b'%', b'P', b'D', b'F', ..]
            | [b'P', b'K', 3, 4, ..]
            | [b'P', b'A', b'R', b'1', ..]
            | [0x28, 0xB5, 0x2F, 0xFD, ..]
            | [_, _, _, _, b'f', b't', b'y', b'p', ..]
    )
}

/// Piece after piece, each with the end of the one before, so that nothing hides across a border. Each finding once.
fn search_stream(matcher: &Matcher, input: &mut dyn Read) -> io::Result<Vec<Found>> {
    let mut found: Vec<Found> = Vec::new();
    let mut piece = Vec::with_capacity(PIECE + OVERLAP);
    loop {
        let before = piece.len();
        (&mut *input).take(PIECE as u64).read_to_end(&mut piece)?;
        let is_end = piece.len() == before;
        if is_end {
            break;
        }
        matcher.search(&piece, None, &mut found);
        let keep = piece.len().saturating_sub(OVERLAP);
        piece.drain(..keep);
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn search_whole(matcher: &Matcher, value: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    matcher.search(value, None, &mut found);
    found
}

/// Values that nobody has, in every form, plain and in gzip, read by the code that reads bodies.
fn planted(matcher: &Matcher) -> Result<Control, ResidueError> {
    let mut control = Control::default();
    for (form, bytes) in control::planted_bytes(matcher) {
        for body in [bytes.clone(), gzip(&bytes)] {
            control.planted += 1;
            let found = search_body(matcher, &body, u64::from(u32::MAX)).unwrap_or_default();
            let is_it = |one: &Found| one.person == matcher.people() && one.form == form && one.certain;
            control.found += u64::from(found.iter().any(is_it));
        }
    }
    Ok(control)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    // Writing to memory does not fail; were it to, the control would not be found and the search would count for nothing.
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    if encoder.read_to_end(&mut packed).is_err() {
        packed.clear();
    }
    packed
}

impl ObjectReport {
    fn take(&mut self, part: &'static str, found: &[Found], retained: bool) {
        for certain in [true, false] {
            if !found.iter().any(|one| one.certain == certain && one.person == 0) {
                continue;
            }
            let hit = match self.hits.iter_mut().find(|hit| hit.part == part && hit.certain == certain) {
                Some(hit) => hit,
                None => {
                    self.hits.push(ObjectHit { part, certain, count: 0, retained: 0 });
                    let last = self.hits.len() - 1;
                    &mut self.hits[last]
                }
            };
            hit.count += 1;
            hit.retained += u64::from(retained);
        }
    }

    fn leave(&mut self, why: &'static str) {
        match self.unsearched.iter_mut().find(|(known, _)| *known == why) {
            Some((_, count)) => *count += 1,
            None => self.unsearched.push((why, 1)),
        }
    }

    /// Objects certainly naming the person that no known retention explains.
    pub fn unexplained(&self) -> u64 {
        self.hits.iter().filter(|hit| hit.certain).map(|hit| hit.count - hit.retained).sum()
    }
}
