//! A table while its rows arrive: every cell is normalised once and then written to the CSV, to its JSON Lines twin and, for the first
//! pages, to HTML. Rows are only counted and passed on; nothing of them is kept in memory.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::ArchiveError;
use super::bag::{Bag, Entry};
use super::column::Column;
use super::csv::{self, BYTE_ORDER_MARK};
use super::files::{Bags, Files, LARGEST_CELL};
use super::html::{PageRows, Rows};
use super::jsonl;
use super::keys::KeyWatches;
use super::late_bytes::LateBytes;
use super::names::ColumnNames;
use super::normal::{Normal, Value, normalise};
use super::spool::{Spool, Spooled};
use super::storage::Workshop;
use super::table::{ColumnSpec, TableSpec};
use crate::value::{Cell, ColumnType};

/// A table being written.
pub(super) struct OpenTable {
    pub(super) spec: TableSpec,
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) keys: KeyWatches,
    json_keys: Vec<Vec<u8>>,
    streams: Option<Streams>,
    late: Option<LateBytes>,
    names: ColumnNames,
    scratch: String,
}

/// Where rows go; opened by the first one.
struct Streams {
    csv: Spool,
    jsonl: Spool,
    pages: Rows,
}

/// What a row may need besides its own streams.
pub(super) struct Stores<'a> {
    pub(super) bags: Bags<'a>,
    pub(super) files: &'a mut Files,
    pub(super) workshop: &'a Workshop,
}

/// A table whose rows are all there.
pub(super) struct WrittenTable {
    pub(super) csv: Entry,
    pub(super) jsonl: Entry,
    pub(super) pages: PageRows,
}

impl OpenTable {
    /// Opens a table.
    pub(super) fn new(spec: TableSpec) -> OpenTable {
        let mut names = ColumnNames::default();
        for column in spec.columns.iter().filter(|column| column.column_type != ColumnType::Bytes) {
            names.reserve(&column.name);
        }
        let columns: Vec<Column> = spec
            .columns
            .iter()
            .map(|column| {
                let name = match column.column_type {
                    ColumnType::Bytes => names.unique(format!("{}_b64", column.name)),
                    _ => column.name.clone(),
                };
                Column::new(column.clone(), name)
            })
            .collect();
        let json_keys = columns.iter().map(|column| jsonl::key(&column.name)).collect();
        let keys = KeyWatches::new(&spec);
        OpenTable { spec, columns, rows: 0, keys, json_keys, streams: None, late: None, names, scratch: String::new() }
    }

    /// Writes a row.
    pub(super) fn row(&mut self, cells: &[Cell<'_>], stores: &mut Stores<'_>) -> Result<(), ArchiveError> {
        if cells.len() != self.columns.len() {
            return Err(ArchiveError::RowWidth {
                source_key: self.spec.source.clone(),
                table: self.spec.table.clone(),
                cells: cells.len(),
                columns: self.columns.len(),
            });
        }
        let mut streams = match self.streams.take() {
            Some(streams) => streams,
            None => self.open_streams(stores)?,
        };
        self.rows += 1;
        let shown = streams.pages.has_room();
        streams.jsonl.buffer().push(b'{');
        for (index, cell) in cells.iter().enumerate() {
            let stored;
            // What a page shows when the files have the value in a further column.
            let mut instead = None;
            let mut scratch = std::mem::take(&mut self.scratch);
            let normal = match cell {
                Cell::Bytes(bytes) if self.columns[index].spec.column_type != ColumnType::Bytes => {
                    stored = self.put_late(index, bytes, cells, stores)?;
                    instead = Some(Value::Coded(&stored));
                    Normal { value: Value::Null, fits: true }
                }
                Cell::Bytes(bytes) if bytes.len() > LARGEST_CELL => {
                    stored = self.store(index, bytes, cells, stores)?;
                    Normal { value: Value::Coded(&stored), fits: false }
                }
                cell => normalise(cell, self.columns[index].spec.column_type, &mut scratch),
            };
            let column = &mut self.columns[index];
            column.watch(&normal);
            self.keys.cell(index, normal.value);
            let csv = streams.csv.buffer();
            if index > 0 {
                csv.push(b',');
            }
            column.nuls_replaced += csv::push_cell(csv, normal.value);
            let json = streams.jsonl.buffer();
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(&self.json_keys[index]);
            jsonl::push_value(json, normal.value);
            if shown {
                match normal.value {
                    Value::Text(way) if column.spec.leads_to_files => streams.pages.push_file(way),
                    value => streams.pages.push_cell(instead.unwrap_or(value), column.spec.column_type),
                }
            }
            self.scratch = scratch;
        }
        streams.csv.buffer().extend_from_slice(b"\r\n");
        streams.jsonl.buffer().extend_from_slice(b"}\n");
        self.keys.end_row();
        if shown {
            streams.pages.end_row()?;
        }
        streams.csv.pass_on()?;
        streams.jsonl.pass_on()?;
        self.streams = Some(streams);
        Ok(())
    }

    /// Puts both files into the bag, under the given path without its ending. `None` when there were no rows: then there are no files.
    pub(super) fn finish(&mut self, path: &str, bag: &mut Bag, workshop: &Workshop) -> Result<Option<WrittenTable>, ArchiveError> {
        let Some(streams) = self.streams.take() else { return Ok(None) };
        // Both ends are awaited before either error is looked at: no thread is left behind.
        let (csv, jsonl) = (streams.csv.finish(), streams.jsonl.finish());
        let (csv, jsonl) = self.widened(csv?, jsonl?, bag, workshop)?;
        Ok(Some(WrittenTable {
            csv: bag.add_spooled(&format!("{path}.csv"), csv)?,
            jsonl: bag.add_spooled(&format!("{path}.jsonl"), jsonl)?,
            pages: streams.pages.finish()?,
        }))
    }

    /// Both files with the columns that came late, if any did.
    fn widened(
        &mut self,
        csv: Spooled,
        jsonl: Spooled,
        bag: &Bag,
        workshop: &Workshop,
    ) -> Result<(Spooled, Spooled), ArchiveError> {
        let Some(late) = self.late.take() else { return Ok((csv, jsonl)) };
        for (index, name) in late.columns.iter().zip(&late.names) {
            let origin = &self.columns[*index].spec;
            let description = format!("The bytes of those values of `{}` that are not text.", origin.name);
            let spec =
                ColumnSpec { description: Some(description), column_type: ColumnType::Bytes, name: name.clone(), ..origin.clone() };
            let mut column = Column::new(spec, name.clone());
            column.has_blanks = true;
            column.mark_unfit();
            self.columns.push(column);
        }
        let start = || Spool::start(workshop, bag.options());
        late.widen(csv, jsonl, start()?, start()?)
    }

    fn open_streams(&self, stores: &Stores<'_>) -> Result<Streams, ArchiveError> {
        let (options, workshop) = (stores.bags.first.options(), stores.workshop);
        let mut csv = Spool::start(workshop, options)?;
        csv.buffer().extend_from_slice(BYTE_ORDER_MARK);
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                csv.buffer().push(b',');
            }
            csv::push_name(csv.buffer(), &column.name);
        }
        csv.buffer().extend_from_slice(b"\r\n");
        Ok(Streams { csv, jsonl: Spool::start(workshop, options)?, pages: Rows::new(workshop)? })
    }

    /// Puts bytes aside for a further column, and returns how it spells them.
    fn put_late(
        &mut self,
        index: usize,
        bytes: &[u8],
        cells: &[Cell<'_>],
        stores: &mut Stores<'_>,
    ) -> Result<String, ArchiveError> {
        let value = match bytes.len() > LARGEST_CELL {
            true => self.store(index, bytes, cells, stores)?,
            false => STANDARD.encode(bytes),
        };
        let mut late = match self.late.take() {
            Some(late) => late,
            None => LateBytes::new(stores.workshop)?,
        };
        let slot = match late.columns.iter().position(|column| *column == index) {
            Some(slot) => slot,
            None => {
                late.columns.push(index);
                late.names.push(self.names.unique(format!("{}_b64", self.columns[index].spec.name)));
                late.columns.len() - 1
            }
        };
        late.put(self.rows, slot, &value)?;
        self.late = Some(late);
        Ok(value)
    }

    fn store(&self, index: usize, bytes: &[u8], cells: &[Cell<'_>], stores: &mut Stores<'_>) -> Result<String, ArchiveError> {
        let place = (self.spec.source.as_str(), self.spec.table.as_str(), self.spec.columns[index].name.as_str());
        stores.files.store(&mut stores.bags, place, bytes, self.record_of(cells))
    }

    /// The primary key of a row as text.
    fn record_of(&self, cells: &[Cell<'_>]) -> String {
        let mut parts = Vec::new();
        for name in &self.spec.primary_key {
            let Some(index) = self.spec.columns.iter().position(|column| column.name == *name) else { continue };
            let mut scratch = String::new();
            let text = match normalise(&cells[index], self.columns[index].spec.column_type, &mut scratch).value {
                Value::Null => String::new(),
                Value::Bool(value) => value.to_string(),
                Value::Number { text, .. } | Value::Text(text) | Value::Coded(text) | Value::Json(text) => text.to_owned(),
            };
            parts.push(format!("{name}={text}"));
        }
        parts.join(", ")
    }
}
