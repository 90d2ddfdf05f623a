//! How a chunk was written, so that it is written again in the same way: codec, encodings, page version, statistics, page index.

use std::sync::Arc;

use parquet::basic::{Encoding, PageType, Type};
use parquet::column::page::PageReader;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::file::serialized_reader::SerializedPageReader;

use super::super::RowsError;
use super::damage::unreadable;
use super::ranged::Ranged;

/// A dictionary never outgrows the one that was there; where the writer gave up on one, so may ours, at the size that writers share.
const DICTIONARY_LIMIT: usize = 1024 * 1024;

/// What the page index of a chunk was.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageIndexes {
    pub(super) columns: bool,
    pub(super) offsets: bool,
}

/// The settings that make a chunk like this one.
pub(super) fn settings(
    source: &Ranged,
    chunk: &ColumnChunkMetaData,
    rows: usize,
    indexes: PageIndexes,
    doing: &dyn Fn() -> String,
) -> Result<WriterPropertiesPtr, RowsError> {
    let version = page_version(source, chunk, rows).map_err(unreadable(doing()))?;
    let dictionary = has_dictionary(chunk);
    let statistics = match (chunk.statistics().is_some(), indexes.columns) {
        (_, true) => EnabledStatistics::Page,
        (true, false) => EnabledStatistics::Chunk,
        (false, false) => EnabledStatistics::None,
    };
    let limit = if dictionary && is_all_dictionary(chunk) { i32::MAX as usize } else { DICTIONARY_LIMIT };
    Ok(Arc::new(
        WriterProperties::builder()
            .set_writer_version(version)
            .set_compression(chunk.compression())
            .set_dictionary_enabled(dictionary)
            .set_dictionary_page_size_limit(limit)
            .set_encoding(plain_encoding(chunk))
            .set_statistics_enabled(statistics)
            .set_statistics_truncate_length(None)
            .set_column_index_truncate_length(None)
            .set_offset_index_disabled(!indexes.offsets)
            .build(),
    ))
}

fn has_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    chunk.dictionary_page_offset().is_some() || chunk.encodings().any(is_dictionary)
}

fn is_dictionary(encoding: Encoding) -> bool {
    // Old writers name the dictionary encoding so.
    matches!(encoding, Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY)
}

fn is_data(page: PageType) -> bool {
    matches!(page, PageType::DATA_PAGE | PageType::DATA_PAGE_V2)
}

/// Whether the file says that no data page was written without the dictionary.
fn is_all_dictionary(chunk: &ColumnChunkMetaData) -> bool {
    chunk
        .page_encoding_stats()
        .is_some_and(|pages| pages.iter().all(|page| !is_data(page.page_type) || is_dictionary(page.encoding)))
}

/// The encoding of data pages that use no dictionary.
fn plain_encoding(chunk: &ColumnChunkMetaData) -> Encoding {
    let of_pages = chunk.page_encoding_stats().into_iter().flatten();
    let told = of_pages.filter(|page| is_data(page.page_type)).map(|page| page.encoding).find(|encoding| !is_dictionary(*encoding));
    if let Some(encoding) = told {
        return encoding;
    }
    // Without that, the list also names what levels and the dictionary page are written in.
    let all: Vec<Encoding> = chunk.encodings().collect();
    let special =
        [Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY, Encoding::BYTE_STREAM_SPLIT];
    if let Some(encoding) = special.into_iter().find(|encoding| all.contains(encoding)) {
        return encoding;
    }
    if chunk.column_type() == Type::BOOLEAN && !all.contains(&Encoding::PLAIN) { Encoding::RLE } else { Encoding::PLAIN }
}

/// Which version the data pages have: only those of the second say their number of rows.
fn page_version(source: &Ranged, chunk: &ColumnChunkMetaData, rows: usize) -> parquet::errors::Result<WriterVersion> {
    let mut pages = SerializedPageReader::new(source.clone().into(), chunk, rows, None)?;
    while let Some(page) = pages.peek_next_page()? {
        if !page.is_dict {
            return Ok(if page.num_rows.is_some() { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 });
        }
        pages.skip_next_page()?;
    }
    Ok(WriterVersion::PARQUET_1_0)
}
