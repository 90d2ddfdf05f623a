//! What a panic tells: where, and nothing else. A message often quotes the value that surprised the code, which may be somebody's address,
//! and the default hook prints it to stderr (S-1). The place is enough to find the fault in the program.

use std::io::Write;
use std::panic::{self, Location, PanicHookInfo};

/// Has every panic from now on reported by its place alone.
pub fn report_places_only() {
    panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        // Straight to stderr: the logger may be what failed. Nobody is left to tell when even this fails.
        drop(writeln!(std::io::stderr(), "{}", words(panic.location())));
    }));
}

fn words(location: Option<&Location<'_>>) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), |place| format!("{}:{}", place.file(), place.line()));
    format!("error: the program has a fault at {place}; what it had committed is kept, and unfinished jobs are taken up again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_1_a_panic_tells_its_place_and_not_its_message() {
        // In a process of its own: the hook is one for all threads, and other tests want their messages.
        if std::env::var_os("HABEAS_PANICS_HERE").is_some() {
            report_places_only();
            panic!("canary-51aa@example.com is not a number");
        }
        let test = "observe::panics::tests::s_1_a_panic_tells_its_place_and_not_its_message";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env("HABEAS_PANICS_HERE", "1")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&child.stderr);
        assert!(!child.status.success());
        assert!(stderr.contains("src/observe/panics.rs:"), "{stderr}");
        assert!(!stderr.contains("canary-"), "{stderr}");
    }
}
