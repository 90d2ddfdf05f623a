//! Writes the file anew: row groups without a row to erase are copied as bytes, the columns of the others are written side by side, and
//! everything lands in its old order.

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::super::claims::Verdict;
use super::super::{Matcher, Rewritten, RowsError, Tally};
use super::Look;
use super::column::{Chunk, Written, rewrite_chunk};
use super::damage::unwritable;
use super::file::Opened;
use super::footer::HeldBack;
use super::leaf::leaves;
use super::owners::{Named, owners, rows_of};
use super::runs::{Run, without};
use super::settings::settings;
use super::{in_thread, place_of};

/// Written columns of one row group together may take so much memory before they go to temporary files.
const IN_MEMORY: usize = 48 * 1024 * 1024;

/// Writes the file without the rows that are one subject's alone. The output comes back only inside [`Rewritten`]: what was written before an
/// error must be thrown away.
///
/// # Errors
/// When the file is damaged, encrypted or of columns in other files, a field is no column or no identifier can be in it, the output cannot be
/// written, or the counts do not add up.
pub fn erase_parquet<W: Write + Send>(input: File, matcher: &Matcher, look: Look, output: W) -> Result<Rewritten<W>, RowsError> {
    in_thread(|| {
        let opened = Opened::new(input)?;
        rewrite(&opened, matcher, look, output)
    })
}

fn rewrite<W: Write + Send>(opened: &Opened, matcher: &Matcher, look: Look, output: W) -> Result<Rewritten<W>, RowsError> {
    let schema = opened.footer.file_metadata().schema_descr();
    let leaves = leaves(schema, matcher)?;
    let mut tally = Tally::of(matcher.subjects());
    let mut output = HeldBack::new(output, schema.num_columns());
    let mut writer = SerializedFileWriter::new(&mut output, schema.root_schema_ptr(), opened.settings()).map_err(unwritable)?;
    for (number, group) in opened.footer.row_groups().iter().enumerate() {
        let place = place_of(number);
        let rows = rows_of(group, &place)?;
        let named = if opened.can_match(&leaves, group, look)? {
            owners(&opened.source, group, &leaves, &place, &mut tally)?
        } else {
            tally.before += rows as u64;
            Named::new()
        };
        let erased: Vec<usize> =
            named.iter().filter(|(_, claims)| matches!(claims.verdict(), Verdict::Of(_))).map(|(row, _)| *row).collect();
        if rows > 0 && erased.len() == rows {
            // A row group without rows is something that readers stumble over.
            continue;
        }
        let mut to = writer.next_row_group().map_err(unwritable)?;
        if erased.is_empty() {
            for column in 0..group.num_columns() {
                to.append_column(&opened.source, opened.as_it_is(number, column, &place)?).map_err(unwritable)?;
            }
        } else {
            rewrite_group(opened, number, &without(rows, &erased), &mut to)?;
        }
        to.close().map_err(unwritable)?;
    }
    tally.after = writer.flushed_row_groups().iter().map(|group| group.num_rows().cast_unsigned()).sum();
    writer.finish().map_err(unwritable)?;
    drop(writer);
    let output = output.finish(opened.orders()).map_err(RowsError::Write)?;
    Rewritten::new(output, tally)
}

/// Writes the columns of a row group with the rows that are kept.
fn rewrite_group<W: Write + Send>(
    opened: &Opened,
    number: usize,
    runs: &[Run],
    to: &mut SerializedRowGroupWriter<'_, W>,
) -> Result<(), RowsError> {
    let columns = opened.footer.row_group(number).num_columns();
    let workers = thread::available_parallelism().map_or(1, NonZero::get).clamp(1, 4).min(columns.max(1));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (done, chunks) = sync_channel(columns);
        for _ in 0..workers {
            let (done, next) = (done.clone(), &next);
            scope.spawn(move || {
                loop {
                    let column = next.fetch_add(1, Ordering::Relaxed);
                    if column >= columns || done.send((column, rewrite_column(opened, number, column, columns, runs))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let mut waiting: Vec<Option<Chunk>> = (0..columns).map(|_| None).collect();
        let mut written = 0;
        for (column, chunk) in chunks {
            waiting[column] = Some(chunk?);
            while let Some(chunk) = waiting.get_mut(written).and_then(Option::take) {
                append(to, chunk)?;
                written += 1;
            }
        }
        if written == columns { Ok(()) } else { Err(RowsError::Stopped("column writer")) }
    })
}

fn rewrite_column(opened: &Opened, number: usize, column: usize, columns: usize, runs: &[Run]) -> Result<Chunk, RowsError> {
    let group = opened.footer.row_group(number);
    let place = place_of(number);
    let doing = || format!("rewritten ({place}, column {})", column + 1);
    let rows = rows_of(group, &place)?;
    let chunk = group.column(column);
    let settings = settings(&opened.source, chunk, rows, opened.indexes(number, column), &doing)?;
    rewrite_chunk(&opened.source, chunk, rows, runs, settings, IN_MEMORY / columns, &doing)
}

fn append<W: Write + Send>(to: &mut SerializedRowGroupWriter<'_, W>, chunk: Chunk) -> Result<(), RowsError> {
    match chunk.content {
        Written::Memory(bytes) => to.append_column(&bytes, chunk.close),
        Written::File(file) => to.append_column(&file, chunk.close),
    }
    .map_err(unwritable)
}
