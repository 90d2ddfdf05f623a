//! Carries selected rows out of a MySQL snapshot and back into a temporary table of the same session, where the change is then made
//! ([`Then`]). A session can send or receive, not both, so that what is selected has to lie somewhere in between: a bounded number of keys
//! in memory, and what is more in a sealed temporary file under a key that nobody else has.

use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::decode;
use super::text::Statement;
use super::text::mysql_reach::{Selected, Then};
use crate::args;
use crate::crypto::{SpoolError, SpoolReader, SpoolWriter, random_bytes};
use crate::db::{Conn, DbError, Record};
use crate::value::KeyPart;

/// Keys that may lie in memory.
const IN_MEMORY: usize = 5_000;
/// Rows per INSERT.
const CHUNK: usize = 500;
/// Rows after which the change is made to those that have been brought back.
const LOT: usize = 5_000;

/// Selects, carries and changes; the number of changed rows.
pub(super) async fn carry(conn: &mut Conn, statement: Statement, then: &Then) -> Result<u64, DbError> {
    let mut between = Between::default();
    let mut rows = conn.on().stream(statement.sql, statement.args)?;
    while let Some(record) = rows.try_next().await? {
        between.push(read(&record, then)?)?;
    }
    drop(rows);
    let mut source = between.into_rows()?;
    let mut changed = 0;
    loop {
        let lot = source.next(LOT)?;
        if lot.is_empty() {
            return Ok(changed);
        }
        conn.on().execute(then.clear(), args![]).await?;
        for chunk in lot.chunks(CHUNK) {
            let fill = then.fill(chunk);
            conn.on().execute(fill.sql, fill.args).await?;
        }
        for effect in then.effects() {
            changed += conn.on().execute(effect.clone(), args![]).await?;
        }
    }
}

fn read(record: &Record, then: &Then) -> Result<Selected, DbError> {
    let width = then.key_width();
    let value = |at: usize| record.text_at(width + at).map(|text| text.map(str::to_owned));
    Ok(Selected { key: decode::key(record, width)?, values: (0..then.values()).map(value).collect::<Result<_, _>>()? })
}

/// Rows on their way.
#[derive(Default)]
struct Between {
    rows: Vec<Selected>,
    file: Option<(TempDir, SpoolWriter, [u8; 32])>,
}

impl Between {
    fn push(&mut self, row: Selected) -> Result<(), DbError> {
        if self.rows.len() < IN_MEMORY {
            self.rows.push(row);
            return Ok(());
        }
        if self.file.is_none() {
            let folder = tempfile::tempdir().map_err(|error| unwritable(&error.kind()))?;
            let key = random_bytes::<32>().map_err(|error| unwritable(&error))?;
            let writer = SpoolWriter::create(&folder.path().join("keys"), key).map_err(unwritable_spool)?;
            self.file = Some((folder, writer, key));
        }
        let Some((_, writer, _)) = &mut self.file else { return Ok(()) };
        let bytes = serde_json::to_vec(&(&row.key, &row.values)).map_err(|_| unwritable(&"a row cannot be encoded"))?;
        writer.append(&bytes).map_err(unwritable_spool)
    }

    fn into_rows(self) -> Result<Rows, DbError> {
        let file = match self.file {
            None => None,
            Some((folder, writer, key)) => {
                writer.finish().map_err(unwritable_spool)?;
                let reader = SpoolReader::open(&folder.path().join("keys"), key).map_err(unwritable_spool)?;
                Some((folder, reader))
            }
        };
        Ok(Rows { in_memory: self.rows.into_iter(), file })
    }
}

/// Rows on their way back. The file goes with the folder.
struct Rows {
    in_memory: std::vec::IntoIter<Selected>,
    file: Option<(TempDir, SpoolReader)>,
}

impl Rows {
    fn next(&mut self, at_most: usize) -> Result<Vec<Selected>, DbError> {
        let mut lot: Vec<Selected> = self.in_memory.by_ref().take(at_most).collect();
        let Some((_, reader)) = &mut self.file else { return Ok(lot) };
        while lot.len() < at_most {
            let Some(bytes) = reader.next_record().map_err(unwritable_spool)? else { break };
            let (key, values): (Vec<KeyPart>, Vec<Option<String>>) =
                serde_json::from_slice(bytes).map_err(|_| unwritable(&"a row cannot be read back"))?;
            lot.push(Selected { key, values });
        }
        Ok(lot)
    }
}

fn unwritable(problem: &dyn std::fmt::Display) -> DbError {
    DbError::Full(format!("a temporary file for keys on their way ({problem})"))
}

fn unwritable_spool(error: SpoolError) -> DbError {
    unwritable(&error)
}
