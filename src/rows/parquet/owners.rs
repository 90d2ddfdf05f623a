//! Whose the rows of one row group are, from the columns of the fields alone. Only rows that name a subject are remembered.

use std::collections::BTreeMap;

use parquet::column::page::PageReader;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;

use super::super::claims::{Claims, Verdict};
use super::super::{RowsError, Tally};
use super::damage::{damaged, unreadable};
use super::kind::Kind;
use super::leaf::Leaf;
use super::ranged::Ranged;

/// So many rows are decoded at once.
pub(super) const BATCH: usize = 4096;

/// Rows of one row group that name a subject, by their place in it.
pub(super) type Named = BTreeMap<usize, Claims>;

/// Reads the identifiers of a row group, counts its rows and says which of them name a subject.
pub(super) fn owners(
    source: &Ranged,
    group: &RowGroupMetaData,
    leaves: &[Leaf<'_>],
    place: &str,
    tally: &mut Tally,
) -> Result<Named, RowsError> {
    let rows = rows_of(group, place)?;
    let mut seen = Seen { named: Named::new(), foreign: vec![false; rows] };
    for leaf in leaves {
        let chunk = group.column(leaf.column);
        let doing = || format!("read ({place}, column {})", leaf.column + 1);
        let most = Levels::of(chunk);
        let read = read_leaf(open(source, chunk, rows, &doing)?, most, leaf, &mut seen).map_err(unreadable(doing()))?;
        if read != rows {
            return Err(damaged(doing()));
        }
    }
    let Seen { mut named, foreign } = seen;
    for (row, foreign) in foreign.iter().enumerate() {
        if let Some(claims) = named.get_mut(&row) {
            if *foreign {
                claims.add(None);
            }
            tally.count(claims.verdict());
        } else {
            tally.count(if *foreign { Verdict::Others } else { Verdict::Unnamed });
        }
    }
    Ok(named)
}

/// How many rows a row group says that it has.
pub(super) fn rows_of(group: &RowGroupMetaData, place: &str) -> Result<usize, RowsError> {
    usize::try_from(group.num_rows()).map_err(|_| damaged(format!("read ({place})")))
}

/// A reader of the values of a chunk.
pub(super) fn open(
    source: &Ranged,
    chunk: &ColumnChunkMetaData,
    rows: usize,
    doing: &dyn Fn() -> String,
) -> Result<ColumnReader, RowsError> {
    let pages = SerializedPageReader::new(source.clone().into(), chunk, rows, None).map_err(unreadable(doing()))?;
    let pages: Box<dyn PageReader> = Box::new(pages);
    Ok(get_column_reader(chunk.column_descr_ptr(), pages))
}

/// The highest levels of a column (Dremel encoding).
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    /// At this one a value is there; below it something is null.
    pub(super) definition: i16,
    /// Above 0 there are lists.
    pub(super) repetition: i16,
}

impl Levels {
    pub(super) fn of(chunk: &ColumnChunkMetaData) -> Levels {
        let column = chunk.column_descr();
        Levels { definition: column.max_def_level(), repetition: column.max_rep_level() }
    }
}

struct Seen {
    named: Named,
    foreign: Vec<bool>,
}

impl Seen {
    fn add(&mut self, row: usize, subject: Option<usize>) {
        match subject {
            Some(_) => self.named.entry(row).or_default().add(subject),
            None => {
                if let Some(foreign) = self.foreign.get_mut(row) {
                    *foreign = true;
                }
            }
        }
    }
}

/// Takes in the values of one column. Says how many rows there were.
fn read_leaf(reader: ColumnReader, most: Levels, leaf: &Leaf<'_>, seen: &mut Seen) -> parquet::errors::Result<usize> {
    let unsigned = leaf.kind == Kind::Unsigned;
    match reader {
        ColumnReader::BoolColumnReader(reader) => each(reader, most, |row, value| seen.add(row, leaf.boolean(*value))),
        ColumnReader::Int32ColumnReader(reader) => each(reader, most, |row, value| {
            let value = if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(*value) };
            seen.add(row, leaf.integer(value));
        }),
        ColumnReader::Int64ColumnReader(reader) => each(reader, most, |row, value| seen.add(row, leaf.integer(*value))),
        ColumnReader::Int96ColumnReader(reader) => each(reader, most, |row, _| seen.add(row, None)),
        ColumnReader::FloatColumnReader(reader) => each(reader, most, |row, value| seen.add(row, leaf.float(&value.to_string()))),
        ColumnReader::DoubleColumnReader(reader) => each(reader, most, |row, value| seen.add(row, leaf.float(&value.to_string()))),
        ColumnReader::ByteArrayColumnReader(reader) => each(reader, most, |row, value| seen.add(row, leaf.bytes(value.data()))),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            each(reader, most, |row, value| seen.add(row, leaf.bytes(value.data())))
        }
    }
}

/// Calls with every value that is not null, and the row that it is in.
fn each<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    most: Levels,
    mut take: impl FnMut(usize, &T::T),
) -> parquet::errors::Result<usize> {
    let (mut defs, mut reps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    loop {
        defs.clear();
        reps.clear();
        values.clear();
        let (records, _, levels) = reader.read_records(BATCH, Some(&mut defs), Some(&mut reps), &mut values)?;
        if records == 0 && levels == 0 {
            return Ok(rows);
        }
        let mut present = values.iter();
        for level in 0..levels {
            if most.repetition == 0 || reps.get(level) == Some(&0) {
                rows += 1;
            }
            if (most.definition == 0 || defs.get(level) == Some(&most.definition))
                && let Some(value) = present.next()
            {
                take(rows.max(1) - 1, value);
            }
        }
    }
}
