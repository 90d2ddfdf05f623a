//! Places next to side effects at which a test may stop the process dead. Compiled out unless the `failpoints` feature is on; the
//! environment then names the place: `HABEAS_FAILPOINT=erase-after-source-commit`, or `…:3` for the third time it is passed.
//!
//! All places: `export-before-publish`, `freeze-before-ledger`, `erase-before-permit`, `erase-after-permit`, `erase-before-source-commit`,
//! `erase-after-source-commit`, `erase-after-close`, `pass-before-ledger`, `verify-before-record`, `certify-before-record`,
//! `certify-before-commit`, `certify-after-record`, `answer-before-settle`.
//!
//! And only where archives go into a bucket: archive-while-sending, archive-sent.
//! And only where rows inside objects are erased: rows-before-prepare, rows-after-write.

/// Ends the process as SIGKILL would, if the environment asks for it here.
#[cfg(feature = "failpoints")]
pub fn hit(place: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("HABEAS_FAILPOINT") else { return };
    let (name, times) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if name == place && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == times.parse().unwrap_or(1) {
        eprintln!("failpoint {place}: the process ends here");
        std::process::abort();
    }
}

/// Nothing: this build has no failpoints.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_place: &str) {}
