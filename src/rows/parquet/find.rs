//! Hands over the rows that name a subject, as JSON objects. Only the rows that are found are decoded in full.

use std::borrow::Cow;
use std::fs::File;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;

use super::super::claims::Claims;
use super::super::found::Taker;
use super::super::{Content, Found, Matcher, RowsError, Tally};
use super::assemble::{Assembly, Column, Entry};
use super::damage::{damaged, unreadable};
use super::file::Opened;
use super::kind::Kind;
use super::leaf::leaves;
use super::owners::{BATCH, Levels, open, owners, rows_of};
use super::runs::{Run, only};
use super::{Look, in_thread, place_of, value};

/// So many found rows are held at once.
const ROWS_AT_ONCE: usize = 2000;

/// Hands over every row that names a subject, and counts: `erased` of the tally are the rows that [`erase_parquet`](super::erase_parquet)
/// would erase.
///
/// # Errors
/// When the file is damaged, encrypted or of columns in other files, a field is no column, a value of a found row cannot be written as JSON,
/// and what the taker says.
pub fn find_parquet(
    input: File,
    matcher: &Matcher,
    look: Look,
    taker: &mut (dyn FnMut(Found<'_>) -> std::io::Result<()> + Send),
) -> Result<Tally, RowsError> {
    in_thread(|| {
        let opened = Opened::new(input)?;
        find(&opened, matcher, look, taker)
    })
}

fn find(opened: &Opened, matcher: &Matcher, look: Look, taker: &mut Taker<'_>) -> Result<Tally, RowsError> {
    let leaves = leaves(opened.footer.file_metadata().schema_descr(), matcher)?;
    let mut tally = Tally::of(matcher.subjects());
    for (number, group) in opened.footer.row_groups().iter().enumerate() {
        let place = place_of(number);
        let first_row = tally.before;
        if !opened.can_match(&leaves, group, look)? {
            tally.before += rows_of(group, &place)? as u64;
            continue;
        }
        let named: Vec<(usize, Claims)> = owners(&opened.source, group, &leaves, &place, &mut tally)?.into_iter().collect();
        for some in named.chunks(ROWS_AT_ONCE) {
            hand_over(opened, number, first_row, some, taker)?;
        }
    }
    Ok(tally)
}

fn hand_over(
    opened: &Opened,
    number: usize,
    first_row: u64,
    named: &[(usize, Claims)],
    taker: &mut Taker<'_>,
) -> Result<(), RowsError> {
    let group = opened.footer.row_group(number);
    let place = place_of(number);
    let rows = rows_of(group, &place)?;
    let places: Vec<usize> = named.iter().map(|(row, _)| *row).collect();
    let runs = only(rows, &places);
    let mut columns = Vec::new();
    for (column, chunk) in group.columns().iter().enumerate() {
        let doing = || format!("read ({place}, column {})", column + 1);
        let reader = open(&opened.source, chunk, rows, &doing)?;
        let entries = entries(reader, Kind::of(chunk.column_descr()), Levels::of(chunk), &runs).map_err(unreadable(doing()))?;
        let entries = entries.ok_or_else(|| RowsError::Parquet { doing: doing(), problem: "a value cannot be written as JSON" })?;
        columns.push(entries);
    }
    let schema = opened.footer.file_metadata().schema_descr().root_schema();
    let wrong = || damaged(format!("read ({place}, levels)"));
    for (row, claims) in named {
        let json = Assembly { columns: &mut columns }.row(schema).ok_or_else(wrong)?;
        let verdict = claims.verdict();
        let Some((subjects, shared)) = verdict.subjects() else { continue };
        let found = Found { row: first_row + *row as u64 + 1, subjects, shared, content: Content::Json(Cow::Owned(json)) };
        taker(found).map_err(RowsError::HandOver)?;
    }
    if columns.iter().all(Column::is_used_up) { Ok(()) } else { Err(wrong()) }
}

/// The entries of the rows that are kept; `None` inside when a value has no JSON.
fn entries(reader: ColumnReader, kind: Kind, most: Levels, runs: &[Run]) -> parquet::errors::Result<Option<Column>> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => collect(reader, most, runs, |value| Some(value.to_string())),
        ColumnReader::Int32ColumnReader(reader) => {
            collect(reader, most, runs, |value| value::integer(kind, i64::from(*value), true))
        }
        ColumnReader::Int64ColumnReader(reader) => collect(reader, most, runs, |value| value::integer(kind, *value, false)),
        ColumnReader::Int96ColumnReader(reader) => collect(reader, most, runs, value::int96),
        ColumnReader::FloatColumnReader(reader) => {
            collect(reader, most, runs, |value| Some(value::float(&value.to_string(), value.is_finite())))
        }
        ColumnReader::DoubleColumnReader(reader) => {
            collect(reader, most, runs, |value| Some(value::float(&value.to_string(), value.is_finite())))
        }
        ColumnReader::ByteArrayColumnReader(reader) => collect(reader, most, runs, |value| value::bytes(kind, value.data())),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            collect(reader, most, runs, |value| value::bytes(kind, value.data()))
        }
    }
}

fn collect<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    most: Levels,
    runs: &[Run],
    json: impl Fn(&T::T) -> Option<String>,
) -> parquet::errors::Result<Option<Column>> {
    let too_short = || ParquetError::EOF("fewer rows than the row group has".to_owned());
    let (mut defs, mut reps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut column = Column::default();
    for run in runs {
        let mut left = match run {
            Run::Skip(rows) if reader.skip_records(*rows)? == *rows => continue,
            Run::Skip(_) => return Err(too_short()),
            Run::Keep(rows) => *rows,
        };
        while left > 0 {
            defs.clear();
            reps.clear();
            values.clear();
            let (records, _, levels) = reader.read_records(left.min(BATCH), Some(&mut defs), Some(&mut reps), &mut values)?;
            if records == 0 {
                return Err(too_short());
            }
            left = left.checked_sub(records).ok_or_else(too_short)?;
            let mut present = values.iter();
            for level in 0..levels {
                let definition = defs.get(level).copied().unwrap_or(most.definition);
                let repetition = reps.get(level).copied().unwrap_or(0);
                let mut value = None;
                if definition == most.definition {
                    value = json(present.next().ok_or_else(too_short)?);
                    if value.is_none() {
                        return Ok(None);
                    }
                }
                column.entries.push(Entry { definition, repetition, value });
            }
        }
    }
    Ok(Some(column))
}
