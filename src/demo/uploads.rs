//! What people uploaded: avatars in folders named by the account, screenshots under names that their rows know. Files, because the demo needs
//! no server; a bucket is described in the map in the same words.

use std::io;

use jiff::civil::Date;

use super::people::{EVERYBODY, Person, WORKERS};
use super::picture;
use super::rows::{Row, at, stamp, working_days};
use super::sequence::Sequence;
use crate::args;

/// A screenshot is taken on every tenth working day.
const EVERY: usize = 10;
/// Sets the sequence of screenshots apart from the bookings of the same person.
const SCREENS: u64 = 0x5C4E;

const INSERT_SCREENSHOT: &str = "INSERT INTO screenshots (user_id, taken_at, file) VALUES ($1, $2, $3)";

/// One file below `uploads/`.
pub(super) struct Upload {
    /// Its path there, with slashes.
    pub(super) path: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// A picture of somebody's screen.
struct Screenshot {
    person: Person,
    day: Date,
    file: String,
    seed: u64,
}

/// Everything below `uploads/`.
pub(super) fn all() -> io::Result<Vec<Upload>> {
    let mut uploads = Vec::new();
    for person in EVERYBODY {
        let bytes = picture::avatar(person.id.unsigned_abs())?;
        uploads.push(Upload { path: format!("avatars/{}/portrait.png", person.id), bytes });
    }
    for shot in screenshots() {
        uploads.push(Upload { path: format!("screens/{}", shot.file), bytes: picture::screen(shot.seed)? });
    }
    Ok(uploads)
}

/// The rows that name the screenshots.
pub(super) fn rows(rows: &mut Vec<Row>) {
    for shot in screenshots() {
        let values = args![shot.person.id, stamp(at(shot.day, 11 * 60)), shot.file];
        rows.push(Row { insert: INSERT_SCREENSHOT, values });
    }
}

fn screenshots() -> impl Iterator<Item = Screenshot> {
    WORKERS.into_iter().flat_map(|person| {
        let mut sequence = Sequence::new(person.id.unsigned_abs() ^ SCREENS);
        let days = working_days(person.working_days).step_by(EVERY);
        days.map(move |day| Screenshot { person, day, file: format!("{}.png", sequence.letters(20)), seed: sequence.bits() })
    })
}
