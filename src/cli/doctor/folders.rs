//! Key files and the folders that the program writes into: there, readable by the right people alone, writable.

use std::fs;
use std::path::Path;

use super::Finding;
use crate::config::Config;
use crate::crypto::{Keys, SigningKey};

/// Checks keys and folders.
pub(super) fn check(config: &Config) -> Vec<Finding> {
    let mut findings = keys(&config.keys);
    let folders = [
        ("archives", config.archives.workshop(&config.spool)),
        ("certificates", config.certificates.as_path()),
        ("spool", config.spool.as_path()),
        ("journal.copies", config.journal.copies.as_path()),
    ];
    findings.extend(folders.into_iter().filter_map(|(key, folder)| not_writable(key, folder)));
    findings
}

fn keys(folder: &Path) -> Vec<Finding> {
    let lost = "`habeas init` makes missing keys; a lost key must come from a backup, or sealed requests stay closed";
    let loaded = Keys::load(folder).map(drop).and_then(|()| SigningKey::load(folder).map(drop));
    let mut findings: Vec<Finding> =
        loaded.err().map(|error| Finding::error("keys", "keys", error.to_string(), lost)).into_iter().collect();
    findings.extend(too_open(folder));
    findings
}

/// Files that others than the owner can read or write.
#[cfg(unix)]
fn too_open(folder: &Path) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt;
    let mode_of = |path: &Path| fs::metadata(path).map(|metadata| metadata.permissions().mode() & 0o777);
    let mut findings = Vec::new();
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let secret = files.filter(|path| path.extension().is_some_and(|extension| extension == "key"));
    for path in secret {
        if let Ok(mode) = mode_of(&path)
            && mode & 0o077 != 0
        {
            let hint = format!("chmod 600 {}", path.display());
            findings.push(Finding::error(
                "keys_open",
                path.display().to_string(),
                format!("others can use it (mode {mode:o})"),
                hint,
            ));
        }
    }
    if let Ok(mode) = mode_of(folder)
        && mode & 0o022 != 0
    {
        let hint = format!("chmod 700 {}", folder.display());
        findings.push(Finding::error(
            "keys_open",
            folder.display().to_string(),
            format!("others can put keys there (mode {mode:o})"),
            hint,
        ));
    }
    findings
}

#[cfg(not(unix))]
fn too_open(_folder: &Path) -> Vec<Finding> {
    Vec::new()
}

/// A folder is tried, because rights alone do not tell of a full or read-only disk.
fn not_writable(key: &'static str, folder: &Path) -> Option<Finding> {
    let tried = fs::create_dir_all(folder).and_then(|()| tempfile::NamedTempFile::new_in(folder).map(drop));
    let error = tried.err()?;
    let hint = format!("let this program write there, or name another folder under `{key}`");
    Some(Finding::error(
        "folder_not_writable",
        folder.display().to_string(),
        format!("cannot be written to: {}", error.kind()),
        hint,
    ))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_that_others_can_read_is_found() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(folder.path()).unwrap();
        assert_eq!(keys(folder.path()), []);
        let key = folder.path().join("master.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let findings = keys(folder.path());
        assert_eq!((findings.len(), findings[0].code), (1, "keys_open"));
        assert!(findings[0].hint.starts_with("chmod 600 "));
    }

    #[test]
    fn a_missing_key_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(keys(folder.path())[0].code, "keys");
    }

    #[test]
    fn a_file_where_a_folder_belongs_cannot_be_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("archives");
        fs::write(&file, "").unwrap();
        assert_eq!(not_writable("archives", &file).unwrap().code, "folder_not_writable");
        assert_eq!(not_writable("archives", &folder.path().join("new")), None);
    }
}
