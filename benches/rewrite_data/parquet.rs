//! The events as Parquet: snappy, dictionaries, row groups of 250,000.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::{Event, events, subject};

const ROWS_OF_A_GROUP: usize = 250_000;

const SCHEMA: &str = "message events {
    required binary event_id (STRING);
    required binary user_id (STRING);
    required int64 time (TIMESTAMP(MICROS, true));
    required binary action (STRING);
    optional binary page (STRING);
    required binary session (STRING);
    optional int64 duration_ms;
    optional double amount;
}";

/// Writes all rows.
pub fn write(rows: u64, file: BufWriter<File>) -> Result<(), Box<dyn Error>> {
    let settings =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_statistics_enabled(EnabledStatistics::Chunk);
    let mut writer = SerializedFileWriter::new(file, Arc::new(parse_message_type(SCHEMA)?), Arc::new(settings.build()))?;
    let mut rows = events(rows).peekable();
    while rows.peek().is_some() {
        let group: Vec<Event> = rows.by_ref().take(ROWS_OF_A_GROUP).collect();
        let mut to = writer.next_row_group()?;
        texts(&mut to, &group, |event| format!("{:016x}-{:08x}-{:012x}", event.token, event.session as u32, event.device >> 16))?;
        texts(&mut to, &group, |event| subject(event.subject))?;
        column::<Int64Type>(&mut to, &group, None, |event| {
            1_793_000_000_000_000 + (event.number * 500_000 + event.milliseconds).cast_signed()
        })?;
        texts(&mut to, &group, |event| event.action.to_owned())?;
        let present: Vec<i16> = group.iter().map(|event| i16::from(event.page != 0)).collect();
        let page = |event: &Event| ByteArray::from(format!("/catalogue/section/{}", event.page).into_bytes());
        column::<ByteArrayType>(&mut to, &group, Some(&present), page)?;
        texts(&mut to, &group, |event| format!("{:016x}", event.session))?;
        let present: Vec<i16> = group.iter().map(|event| i16::from(event.milliseconds % 50 != 0)).collect();
        column::<Int64Type>(&mut to, &group, Some(&present), |event| event.milliseconds.cast_signed())?;
        let present = vec![1; group.len()];
        column::<DoubleType>(&mut to, &group, Some(&present), |event| event.cents as f64 / 100.0)?;
        to.close()?;
    }
    writer.close()?;
    Ok(())
}

fn texts(
    to: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    group: &[Event],
    text: impl Fn(&Event) -> String,
) -> Result<(), Box<dyn Error>> {
    column::<ByteArrayType>(to, group, None, |event| ByteArray::from(text(event).into_bytes()))
}

fn column<T: DataType>(
    to: &mut SerializedRowGroupWriter<'_, BufWriter<File>>,
    group: &[Event],
    present: Option<&[i16]>,
    value: impl Fn(&Event) -> T::T,
) -> Result<(), Box<dyn Error>> {
    let is_present = |place: &usize| present.is_none_or(|levels| levels[*place] == 1);
    let values: Vec<T::T> = (0..group.len()).filter(is_present).map(|place| value(&group[place])).collect();
    let mut column = to.next_column()?.ok_or("fewer columns than expected")?;
    column.typed::<T>().write_batch(&values, present, None)?;
    column.close()?;
    Ok(())
}
