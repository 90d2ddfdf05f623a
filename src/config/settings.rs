//! The settings that shape how requests are carried out: fuses, batch sizes, waiting times. Each has a default that is safe to keep.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::SignedDuration;

use super::section::Section;
use crate::verify::residue::ObjectLimits;

const GIB: u64 = 1024 * 1024 * 1024;
/// Parts below a gibibyte are for trying out: nobody likes to unpack hundreds of files.
const SMALLEST_PART: u64 = 1024 * 1024;
const LARGEST_PART: u64 = 50 * GIB;

/// How much one request may touch, and how fast.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// More records to erase than this need a second approver. No such fuse when absent.
    pub max_rows: Option<u64>,
    /// A larger share of a table than this needs a second approver. No such fuse when absent.
    pub max_share: Option<f64>,
    /// A plan that is older is made anew before it runs.
    pub plan_age: SignedDuration,
    /// Rows erased in one transaction at most.
    pub batch_rows: u64,
    /// How long a permit to erase lives; it bounds how long placing a hold can take.
    pub permit: Duration,
    /// Bytes that a part of an archive may have before a further part is begun.
    pub archive_part: u64,
    /// How much of a store of objects the search after an erasure opens.
    pub scan: ObjectLimits,
}

/// Where checkpoints of the journal are copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// A folder outside the ledger; best on another machine.
    pub copies: PathBuf,
}

/// How holds are released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds {
    /// Days between the second signature and the release taking effect.
    pub grace_days: u8,
}

/// Which law's deadlines apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeadlineProfile {
    /// Art. 12(3): one month, two more when extended.
    Gdpr,
}

/// When verification looks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Waiting times after the erasure, ascending.
    pub again_after: Vec<SignedDuration>,
}

pub(super) fn read_limits(root: &Section<'_, '_>) -> Limits {
    let mut limits = Limits {
        max_rows: None,
        max_share: None,
        plan_age: SignedDuration::from_hours(24),
        batch_rows: 10_000,
        permit: Duration::from_secs(5),
        archive_part: 2 * GIB,
        scan: ObjectLimits { objects: 10_000, bytes: 16 * 1024 * 1024 },
    };
    let known =
        ["max_rows", "max_share", "plan_age", "batch_rows", "permit_seconds", "archive_part", "scan_objects", "scan_object_bytes"];
    let Some(section) = root.section("limits", &known) else { return limits };
    limits.max_rows = section.whole("max_rows", 1..=1_000_000_000_000);
    limits.max_share = section.share("max_share");
    limits.plan_age = section.duration("plan_age").unwrap_or(limits.plan_age);
    limits.batch_rows = section.whole("batch_rows", 1..=100_000).unwrap_or(limits.batch_rows);
    limits.permit = section.whole("permit_seconds", 1..=300).map_or(limits.permit, Duration::from_secs);
    limits.archive_part = section.size("archive_part", SMALLEST_PART..=LARGEST_PART).unwrap_or(limits.archive_part);
    limits.scan.objects = section.whole("scan_objects", 0..=1_000_000_000).unwrap_or(limits.scan.objects);
    limits.scan.bytes = section.whole("scan_object_bytes", 0..=1_000_000_000).unwrap_or(limits.scan.bytes);
    limits
}

pub(super) fn read_journal(root: &Section<'_, '_>, keys: &Path) -> Journal {
    let copies = root.section("journal", &["copies"]).and_then(|section| section.path("copies"));
    Journal { copies: copies.unwrap_or_else(|| keys.with_file_name("checkpoints")) }
}

pub(super) fn read_holds(root: &Section<'_, '_>) -> Holds {
    let days = root.section("holds", &["grace_days"]).and_then(|section| section.whole("grace_days", 0..=30));
    Holds { grace_days: days.and_then(|days| u8::try_from(days).ok()).unwrap_or(7) }
}

pub(super) fn read_deadlines(root: &Section<'_, '_>) -> DeadlineProfile {
    if let Some(entry) = root.section("deadlines", &["profile"]).and_then(|section| section.text("profile"))
        && entry.value != "gdpr"
    {
        root.reader.note(entry.position, format!("`{}` is not known", entry.name), Some("this version knows `gdpr`".into()));
    }
    DeadlineProfile::Gdpr
}

pub(super) fn read_verification(root: &Section<'_, '_>) -> Verification {
    let again = root.section("verify", &["again_after"]).and_then(|section| section.durations("again_after"));
    let default = || [1, 24, 7 * 24, 30 * 24].map(SignedDuration::from_hours).to_vec();
    Verification { again_after: again.unwrap_or_else(default) }
}
