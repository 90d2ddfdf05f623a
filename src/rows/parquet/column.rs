//! Writes one column chunk anew without some of its rows, value by value with its levels, in batches. Smallest and largest value, page
//! index, dictionary and bloom filter are made from what stays, so that none of them still tells of an erased value.

use std::io::{self, Write};

use bytes::Bytes;
use parquet::bloom_filter::Sbbf;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, ColumnWriterImpl, get_column_writer};
use parquet::data_type::{AsBytes, DataType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use tempfile::{SpooledData, SpooledTempFile};

use super::super::RowsError;
use super::damage::{damaged, unreadable};
use super::owners::{BATCH, open};
use super::ranged::Ranged;
use super::runs::Run;

/// A chunk that was written, waiting for its place in the file.
pub(super) struct Chunk {
    pub(super) content: Written,
    pub(super) close: ColumnCloseResult,
}

/// Where a written chunk lies: in memory, or in a file without a name if it is large.
pub(super) enum Written {
    Memory(Bytes),
    File(Ranged),
}

/// Writes a chunk with the rows that are kept. Beyond `in_memory` bytes it goes to a temporary file.
pub(super) fn rewrite_chunk(
    source: &Ranged,
    chunk: &ColumnChunkMetaData,
    rows: usize,
    runs: &[Run],
    settings: WriterPropertiesPtr,
    in_memory: usize,
    doing: &dyn Fn() -> String,
) -> std::result::Result<Chunk, RowsError> {
    let reader = open(source, chunk, rows, doing)?;
    let old_filter = Sbbf::read_from_column_chunk(chunk, source).map_err(unreadable(doing()))?;
    let mut filter = old_filter.map(|old| Sbbf::new_with_num_of_bytes(old.num_blocks() * 32));
    let mut spool = TrackedWrite::new(SpooledTempFile::new(in_memory));
    let pages = Box::new(SerializedPageWriter::new(&mut spool));
    let writer = get_column_writer(chunk.column_descr_ptr(), settings, pages);
    let close = copy(reader, writer, runs, filter.as_mut()).map_err(unreadable(doing()))?;
    let kept: usize = runs.iter().map(|run| if let Run::Keep(rows) = run { *rows } else { 0 }).sum();
    if close.rows_written != kept as u64 {
        return Err(damaged(doing()));
    }
    let content = settle(spool).map_err(RowsError::Write)?;
    Ok(Chunk { content, close: ColumnCloseResult { bloom_filter: filter, ..close } })
}

fn settle(mut spool: TrackedWrite<SpooledTempFile>) -> io::Result<Written> {
    spool.flush()?;
    let spool = spool.into_inner().map_err(io::Error::other)?;
    Ok(match spool.into_inner() {
        SpooledData::InMemory(bytes) => Written::Memory(Bytes::from(bytes.into_inner())),
        SpooledData::OnDisk(file) => Written::File(Ranged::new(file)?),
    })
}

fn copy(reader: ColumnReader, writer: ColumnWriter<'_>, runs: &[Run], filter: Option<&mut Sbbf>) -> Result<ColumnCloseResult> {
    match (reader, writer) {
        (ColumnReader::BoolColumnReader(from), ColumnWriter::BoolColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::Int32ColumnReader(from), ColumnWriter::Int32ColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::Int64ColumnReader(from), ColumnWriter::Int64ColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::Int96ColumnReader(from), ColumnWriter::Int96ColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::FloatColumnReader(from), ColumnWriter::FloatColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::DoubleColumnReader(from), ColumnWriter::DoubleColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::ByteArrayColumnReader(from), ColumnWriter::ByteArrayColumnWriter(to)) => copy_values(from, to, runs, filter),
        (ColumnReader::FixedLenByteArrayColumnReader(from), ColumnWriter::FixedLenByteArrayColumnWriter(to)) => {
            copy_values(from, to, runs, filter)
        }
        _ => Err(ParquetError::General("types differ".to_owned())),
    }
}

fn copy_values<T: DataType>(
    mut from: ColumnReaderImpl<T>,
    mut to: ColumnWriterImpl<'_, T>,
    runs: &[Run],
    mut filter: Option<&mut Sbbf>,
) -> Result<ColumnCloseResult> {
    let column = to.get_descriptor();
    let (has_defs, has_reps) = (column.max_def_level() > 0, column.max_rep_level() > 0);
    let (mut defs, mut reps, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let too_short = || ParquetError::EOF("fewer rows than the row group has".to_owned());
    for run in runs {
        let mut left = match run {
            Run::Skip(rows) => {
                if from.skip_records(*rows)? != *rows {
                    return Err(too_short());
                }
                continue;
            }
            Run::Keep(rows) => *rows,
        };
        while left > 0 {
            defs.clear();
            reps.clear();
            values.clear();
            let (records, _, _) = from.read_records(left.min(BATCH), Some(&mut defs), Some(&mut reps), &mut values)?;
            if records == 0 {
                return Err(too_short());
            }
            left = left.checked_sub(records).ok_or_else(too_short)?;
            if let Some(filter) = &mut filter {
                values.iter().for_each(|value| filter.insert(value.as_bytes()));
            }
            to.write_batch(&values, has_defs.then_some(&defs), has_reps.then_some(&reps))?;
        }
    }
    to.close()
}
