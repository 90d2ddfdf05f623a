//! Looks in an object for the rows of a person, hands them over, or makes the object anew without them. Reading and writing rows takes threads
//! of its own, so that nothing else waits.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom};
use std::path::Path;

use super::{RowNames, RowsFailure};
use crate::datamap::RowFormat;
use crate::rows::{Codec, Dialect, Found, Matcher, RowsError, Tally, erase_csv, erase_json_lines, find_csv, find_json_lines};
#[cfg(feature = "parquet")]
use crate::rows::{Look, erase_parquet, find_parquet};

/// What was seen in one object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Looked {
    /// Rows in it, of anybody.
    pub rows: u64,
    /// Rows that are the person's alone.
    pub own: u64,
    /// Rows that name the person and somebody else. They stay (O-1).
    pub shared: u64,
}

impl Looked {
    fn of(tally: &Tally) -> Looked {
        let first = |counts: &[u64]| counts.first().copied().unwrap_or(0);
        Looked { rows: tally.before, own: first(&tally.erased), shared: first(&tally.shared) }
    }
}

/// An object without the person's rows.
pub struct Remade {
    /// Its bytes, read from their beginning on.
    pub file: File,
    /// How many there are.
    pub bytes: u64,
    /// What was counted: rows before and after differ by exactly those that are gone (E-1).
    pub looked: Looked,
}

/// Counts the rows in an object. Every row is looked at, whatever a Parquet file says of its parts, unless `trusting`.
///
/// # Errors
/// When the object is not what `format` says.
pub async fn look_in(file: File, format: RowFormat, names: &RowNames, trusting: bool) -> Result<Looked, RowsFailure> {
    take_from(file, format, names, trusting, |_| Ok(())).await
}

/// The same, handing every row that names the person to `take`.
///
/// # Errors
/// When the object is not what `format` says, and what `take` says.
pub async fn take_from(
    file: File,
    format: RowFormat,
    names: &RowNames,
    trusting: bool,
    mut take: impl FnMut(Found<'_>) -> std::io::Result<()> + Send + 'static,
) -> Result<Looked, RowsFailure> {
    let matcher = names.matcher()?;
    let work = move || find(file, format, &matcher, trusting, &mut take);
    tokio::task::spawn_blocking(work).await.map_err(|_| RowsFailure::Stopped)?
}

fn find(
    file: File,
    format: RowFormat,
    matcher: &Matcher,
    trusting: bool,
    take: &mut (dyn FnMut(Found<'_>) -> std::io::Result<()> + Send),
) -> Result<Looked, RowsFailure> {
    if is_empty(&file)? {
        return Ok(Looked::default());
    }
    let tally = match format {
        RowFormat::JsonLines => find_json_lines(&file, codec_of(&file)?, matcher, take)?,
        RowFormat::Csv { delimiter } => find_csv(&file, codec_of(&file)?, Dialect { delimiter }, matcher, take)?,
        #[cfg(feature = "parquet")]
        RowFormat::Parquet => find_parquet(file, matcher, if trusting { Look::Pruned } else { Look::Everything }, take)?,
        #[cfg(not(feature = "parquet"))]
        RowFormat::Parquet => return Err(not_built(trusting)),
    };
    Ok(Looked::of(&tally))
}

/// Makes an object anew, in a nameless file in `folder`, without the rows that are the person's alone.
///
/// # Errors
/// When the object is not what `format` says, or the rows do not add up.
pub async fn remake(file: File, format: RowFormat, names: &RowNames, folder: &Path) -> Result<Remade, RowsFailure> {
    let matcher = names.matcher()?;
    let new = tempfile::tempfile_in(folder).map_err(RowsError::Write)?;
    let work = move || erase(file, format, &matcher, new);
    tokio::task::spawn_blocking(work).await.map_err(|_| RowsFailure::Stopped)?
}

fn erase(file: File, format: RowFormat, matcher: &Matcher, new: File) -> Result<Remade, RowsFailure> {
    let output = BufWriter::new(new);
    let rewritten = match format {
        RowFormat::JsonLines => erase_json_lines(&file, codec_of(&file)?, matcher, output)?,
        RowFormat::Csv { delimiter } => erase_csv(&file, codec_of(&file)?, Dialect { delimiter }, matcher, output)?,
        #[cfg(feature = "parquet")]
        RowFormat::Parquet => erase_parquet(file, matcher, Look::Everything, output)?,
        #[cfg(not(feature = "parquet"))]
        RowFormat::Parquet => return Err(not_built(output.capacity() > 0)),
    };
    let (output, tally) = rewritten.into_parts();
    let mut file = output.into_inner().map_err(|error| RowsError::Write(error.into_error()))?;
    let bytes = file.seek(SeekFrom::End(0)).map_err(RowsError::Write)?;
    file.seek(SeekFrom::Start(0)).map_err(RowsError::Write)?;
    Ok(Remade { file, bytes, looked: Looked::of(&tally) })
}

/// Without a byte there is no row, whatever the format: such objects mark the end of a job, or stand for a folder.
fn is_empty(file: &File) -> Result<bool, RowsError> {
    Ok(file.metadata().map_err(|error| RowsError::Read { codec: "a file", error })?.len() == 0)
}

fn codec_of(mut file: &File) -> Result<Codec, RowsError> {
    let unreadable = |error| RowsError::Read { codec: "a file", error };
    let mut first = Vec::with_capacity(4);
    file.take(4).read_to_end(&mut first).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    Ok(Codec::of_first_bytes(&first))
}

#[cfg(not(feature = "parquet"))]
fn not_built(_: bool) -> RowsFailure {
    RowsFailure::NotBuilt
}
