//! Places next to side effects at which a test may stop the process dead. Compiled out unless the `failpoints` feature is on; the
//! environment then names the place: `HABEAS_FAILPOINT=erase-after-source-commit`, or `…:3` for the third time it is passed. With a folder
//! behind it (`…@/tmp/barrier`) the process does not end: it leaves a file of its own there and goes on when there is one named `go`.
//!
//! All places: `export-before-publish`, `freeze-before-ledger`, `erase-before-permit`, `erase-after-permit`, `erase-before-source-commit`,
//! `erase-after-source-commit`, `erase-after-close`, `pass-before-ledger`, `verify-before-record`, `certify-before-record`,
//! `certify-before-commit`, `certify-after-record`, `answer-before-settle`.
//!
//! And only where archives go into a bucket or come in parts: archive-while-sending, archive-sent, archive-while-filling-part,
//! archive-file-published (once for each file; part 1 is the last).
//!
//! And only where a store locks what holds cover: hold-lock-noted, hold-lock-set, hold-lock-clearing, hold-lock-cleared.
//!
//! And only where rows inside objects are erased: rows-before-prepare, rows-after-write.

/// Ends the process as SIGKILL would, if the environment asks for it here.
#[cfg(feature = "failpoints")]
pub fn hit(place: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("HABEAS_FAILPOINT") else { return };
    let (wanted, barrier) = wanted.split_once('@').map_or((wanted.as_str(), None), |(point, folder)| (point, Some(folder)));
    let (name, times) = wanted.split_once(':').unwrap_or((wanted, "1"));
    if name == place && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == times.parse().unwrap_or(1) {
        match barrier {
            Some(folder) => wait(std::path::Path::new(folder)),
            None => {
                eprintln!("failpoint {place}: the process ends here");
                std::process::abort();
            }
        }
    }
}

/// Waits for others at a barrier; a test that forgets to open it fails.
#[cfg(feature = "failpoints")]
fn wait(barrier: &std::path::Path) {
    const PATIENCE_IN_STEPS: u32 = 6_000;
    let here = barrier.join(format!("{}.here", std::process::id()));
    if let Err(error) = std::fs::write(&here, b"") {
        eprintln!("failpoint: no barrier at {}: {error}", barrier.display());
        std::process::abort();
    }
    for _ in 0..PATIENCE_IN_STEPS {
        if barrier.join("go").exists() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    eprintln!("failpoint: nobody opened the barrier");
    std::process::abort();
}

/// Nothing: this build has no failpoints.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn hit(_place: &str) {}
