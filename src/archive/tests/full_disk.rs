//! A disk that fills up at any moment: nothing is published, and nothing remains.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::storage::Workshop;
use super::*;

/// A file on a disk with only so many bytes left for all files together.
struct OnFullDisk {
    file: File,
    left: Arc<AtomicU64>,
}

impl Write for OnFullDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Taken before it is used: several files are written at once, and together they may not get more than there is.
        let wanted = bytes.len() as u64;
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(wanted)));
        let fits = before.unwrap_or_default().min(wanted);
        if fits == 0 && wanted > 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let fits = usize::try_from(fits).unwrap_or(usize::MAX);
        let written = self.file.write(&bytes[..fits])?;
        self.left.fetch_add((fits - written) as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for OnFullDisk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for OnFullDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Writes an archive of several hundred kilobytes with this much room. Returns the result and the room that is left.
fn write_with_room(folder: &Path, room: u64) -> (Result<Published, ArchiveError>, u64) {
    write_on(folder, room, |workshop| {
        let mut writer = ArchiveWriter::create_in(workshop, header())?;
        let columns = vec![ColumnSpec::new("id", ColumnType::Integer), ColumnSpec::new("digest", ColumnType::Text)];
        writer.begin_table(TableSpec::new("app", "t", columns))?;
        for id in 0..4_000_u32 {
            // Text that hardly compresses.
            let digest = crate::crypto::hex(&<sha2::Sha256 as sha2::Digest>::digest(id.to_be_bytes()));
            writer.row(&[Cell::Number(id.to_string().into()), Cell::Text(digest.into())])?;
        }
        writer.end_table(tally(4_000))?;
        writer.finish(closing(vec![outcome("app", SourceStatus::Ok)]))
    })
}

/// The same with an archive in three parts.
fn write_parts_with_room(folder: &Path, room: u64) -> (Result<Published, ArchiveError>, u64) {
    write_on(folder, room, |workshop| {
        let mut writer = ArchiveWriter::create_in(workshop, header())?.in_parts_of(100_000);
        writer.begin_table(TableSpec::new("app", "t", vec![ColumnSpec::new("photo", ColumnType::Bytes)]))?;
        for seed in 0..2 {
            writer.row(&[Cell::Bytes(super::parts::noise(seed, 120_000).into())])?;
        }
        writer.end_table(tally(2))?;
        writer.finish(closing(vec![outcome("app", SourceStatus::Ok)]))
    })
}

fn write_on(
    folder: &Path,
    room: u64,
    write: impl FnOnce(Workshop) -> Result<Published, ArchiveError>,
) -> (Result<Published, ArchiveError>, u64) {
    let left = Arc::new(AtomicU64::new(room));
    let for_files = Arc::clone(&left);
    let workshop = Workshop::with(folder, Arc::new(move |file| Box::new(OnFullDisk { file, left: Arc::clone(&for_files) })));
    let result = write(workshop);
    (result, left.load(Ordering::Relaxed))
}

#[test]
fn a_full_disk_publishes_nothing_whenever_it_fills_up() {
    fill_up(write_with_room, 1);
}

#[test]
fn a_full_disk_publishes_no_part_whenever_it_fills_up() {
    fill_up(write_parts_with_room, 3);
}

fn fill_up(write: impl Fn(&Path, u64) -> (Result<Published, ArchiveError>, u64), files: usize) {
    let there = |folder: &Path| std::fs::read_dir(folder).expect("lists").count();
    let folder = tempfile::tempdir().expect("a folder");
    const ENOUGH: u64 = 100_000_000;
    let (result, left) = write(folder.path(), ENOUGH);
    let published = result.expect("there is room");
    assert!(verify(&published.path).expect("verifies").is_sound());
    assert_eq!(there(folder.path()), files);

    let folder = tempfile::tempdir().expect("a folder");
    let needed = ENOUGH - left;
    let steps = 40;
    let almost_enough = (0..steps).map(|step| needed * step / steps).chain([needed - 1]);
    for room in almost_enough {
        let (result, _) = write(folder.path(), room);
        assert!(result.is_err(), "published with {room} of {needed} bytes");
        assert_eq!(there(folder.path()), 0, "something remains with {room} of {needed} bytes");
    }
    assert!(write(folder.path(), needed).0.is_ok());
}

#[test]
fn a_folder_that_does_not_exist_is_named() {
    let error = ArchiveWriter::create(Path::new("/nonexistent/archives"), header()).err().expect("cannot work");
    assert!(error.to_string().contains("/nonexistent/archives"), "{error}");
}
