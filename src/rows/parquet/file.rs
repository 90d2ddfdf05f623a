//! An opened Parquet file: its footer, and what must be refused before anything is read.

use std::fs::File;
use std::sync::Arc;

use parquet::basic::{ColumnOrder, CompressionCodec};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr, WriterVersion};

use super::super::RowsError;
use super::Look;
use super::damage::{damaged, unreadable};
use super::footer::first_byte;
use super::leaf::Leaf;
use super::owners::rows_of;
use super::prune::can_match;
use super::ranged::Ranged;
use super::settings::PageIndexes;

/// A file that can be read.
pub(super) struct Opened {
    pub(super) source: Ranged,
    pub(super) footer: ParquetMetaData,
}

impl Opened {
    /// Reads the footer.
    pub(super) fn new(file: File) -> Result<Opened, RowsError> {
        let source = Ranged::new(file).map_err(|error| RowsError::Read { codec: "Parquet", error })?;
        // Encodings page by page, not only as a set: they say how a chunk was written.
        let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
        let footer = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .with_metadata_options(Some(options))
            .parse_and_finish(&source)
            .map_err(unreadable("read (its footer)"))?;
        let opened = Opened { source, footer };
        opened.refuse_what_is_not_supported()?;
        Ok(opened)
    }

    fn refuse_what_is_not_supported(&self) -> Result<(), RowsError> {
        let refused = |problem| Err(RowsError::Parquet { doing: "rewritten".to_owned(), problem });
        if self.orders().is_some_and(|orders| orders.iter().any(|order| first_byte(*order).is_none())) {
            return refused("its values are in an order that is not known");
        }
        for chunk in self.footer.row_groups().iter().flat_map(RowGroupMetaData::columns) {
            if chunk.crypto_metadata().is_some() {
                return refused("it is encrypted");
            }
            if chunk.file_path().is_some() {
                return refused("its columns are in other files");
            }
            if chunk.compression_codec() == CompressionCodec::LZO {
                return refused("it is compressed with LZO");
            }
            let places = [chunk.data_page_offset(), chunk.dictionary_page_offset().unwrap_or(4), chunk.compressed_size()];
            if places.iter().any(|place| *place < 0) || chunk.dictionary_page_offset() == Some(0) {
                return Err(damaged("read (its footer)"));
            }
        }
        Ok(())
    }

    /// By which orders the smallest and largest values of the columns are, if the file says so.
    pub(super) fn orders(&self) -> Option<&[ColumnOrder]> {
        self.footer.file_metadata().column_orders().map(Vec::as_slice)
    }

    /// Whether a row group can hold anything that is looked for.
    pub(super) fn can_match(&self, leaves: &[Leaf<'_>], group: &RowGroupMetaData, look: Look) -> Result<bool, RowsError> {
        let ordered = self.orders().is_some();
        for leaf in leaves {
            if look == Look::Everything || can_match(leaf, group.column(leaf.column), ordered, &self.source)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a chunk has a page index.
    pub(super) fn indexes(&self, group: usize, column: usize) -> PageIndexes {
        let index = self.footer.page_index();
        PageIndexes {
            columns: index.is_some_and(|index| index.column_index(group, column).is_some()),
            offsets: index.is_some_and(|index| index.offset_index(group, column).is_some()),
        }
    }

    /// The settings of the new file as a whole.
    pub(super) fn settings(&self) -> WriterPropertiesPtr {
        let about = self.footer.file_metadata();
        let groups = self.footer.row_groups();
        let sorting = groups.first().and_then(|group| group.sorting_columns());
        let same_sorting = groups.iter().all(|group| group.sorting_columns() == sorting);
        let any_offsets =
            (0..groups.len()).any(|group| (0..groups[group].num_columns()).any(|column| self.indexes(group, column).offsets));
        let version = if about.version() >= 2 { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
        let settings = WriterProperties::builder()
            .set_writer_version(version)
            // Readers decide by the writer's name which of its statistics they believe, and most of them are still its.
            .set_created_by(about.created_by().unwrap_or_default().to_owned())
            .set_key_value_metadata(about.key_value_metadata().cloned())
            .set_sorting_columns(sorting.filter(|_| same_sorting).cloned())
            .set_offset_index_disabled(!any_offsets);
        Arc::new(settings.build())
    }

    /// What a chunk that is copied as it is brings along.
    pub(super) fn as_it_is(&self, group: usize, column: usize, place: &str) -> Result<ColumnCloseResult, RowsError> {
        let about = self.footer.row_group(group);
        let chunk = about.column(column);
        let index = self.footer.page_index();
        let filter =
            Sbbf::read_from_column_chunk(chunk, &self.source).map_err(unreadable(format!("read ({place}, a bloom filter)")))?;
        Ok(ColumnCloseResult {
            bytes_written: chunk.compressed_size().cast_unsigned(),
            rows_written: rows_of(about, place)? as u64,
            metadata: chunk.clone(),
            bloom_filter: filter,
            column_index: index.and_then(|index| index.column_index(group, column)).cloned(),
            offset_index: index.and_then(|index| index.offset_index(group, column)).cloned(),
        })
    }
}
