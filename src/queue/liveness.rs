//! Whether a worker's process is still there. After a crash nobody should have to wait for a lease to run out, if the worker ran on the
//! same machine and the kernel says that the process is gone. Where that cannot be known for certain the lease decides: a worker in
//! another container, of another user or on another machine is never declared dead.

use std::fs;

use sha2::{Digest, Sha256};

use crate::crypto::{CryptoError, hex, random_bytes};

/// A name for a worker of this process: `machine.pid.start.random`. Another worker of the same process gets another name.
pub(super) fn worker_name() -> Result<String, CryptoError> {
    worker_name_of(std::process::id())
}

pub(super) fn worker_name_of(pid: u32) -> Result<String, CryptoError> {
    let machine = machine().unwrap_or_else(|| "unknown".into());
    let started = started_at(pid).unwrap_or(0);
    Ok(format!("{machine}.{pid}.{started}.{}", hex(&random_bytes::<4>()?)))
}

/// True only if the worker was a process of this machine, process namespace and user, and that process does not exist any more.
pub(super) fn is_provably_gone(worker: &str) -> bool {
    let mut parts = worker.split('.');
    let (Some(its_machine), Some(pid), Some(started)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let (Ok(pid), Ok(started)) = (pid.parse::<u32>(), started.parse::<u64>()) else { return false };
    if started == 0 || machine().as_deref() != Some(its_machine) {
        return false;
    }
    // A process id is used again; a process id together with the instant it started at is not.
    started_at(pid) != Some(started)
}

/// What processes that can see each other have in common: the boot of the kernel, the namespace of process ids, and the user (whose
/// processes `/proc` may hide from others). `None` where there is no such thing.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    let user = user()?;
    let identity = format!("{}/{}/{user}", boot.trim(), namespace.display());
    Some(hex(&Sha256::digest(identity.as_bytes())[..6]))
}

#[cfg(unix)]
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    Some(fs::metadata("/proc/self").ok()?.uid())
}

#[cfg(not(unix))]
fn user() -> Option<u32> {
    None
}

/// When a process started, in the kernel's ticks; `None` if there is no such process or if it is a corpse that nobody has buried.
fn started_at(pid: u32) -> Option<u64> {
    const STATE: usize = 0;
    const START_TIME: usize = 19;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program may contain anything, but fields begin behind its last parenthesis.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.get(STATE), Some(&"Z" | &"X")) {
        return None;
    }
    fields.get(START_TIME)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_worker_of_this_process_is_not_gone() {
        let name = worker_name().unwrap();
        assert!(!is_provably_gone(&name));
        assert_ne!(name, worker_name().unwrap());
    }

    #[test]
    fn a_killed_process_is_gone_even_before_its_parent_noticed() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let name = format!("{}.{}.{}.x", machine().unwrap(), child.id(), started_at(child.id()).unwrap());
        assert!(!is_provably_gone(&name));
        child.kill().unwrap();
        while !is_provably_gone(&name) {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(is_provably_gone(&name));
    }

    #[test]
    fn a_process_with_a_used_again_id_is_another_process() {
        let name = format!("{}.{}.{}.x", machine().unwrap(), std::process::id(), started_at(std::process::id()).unwrap() + 1);
        assert!(is_provably_gone(&name));
    }

    #[test]
    fn q_1_a_worker_that_cannot_be_seen_from_here_is_never_declared_gone() {
        for name in ["0123456789ab.1.1.x", "unknown.1.0.x", "unknown.4194304.5.x", "somebody", ""] {
            assert!(!is_provably_gone(name), "{name}");
        }
    }
}
