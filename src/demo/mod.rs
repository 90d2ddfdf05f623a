//! The reference deployment: a time-tracking company in a folder, with its configuration, data map, application database and job files.
//! It is made-up data for real code: everything that works on it is the same as in production. It never writes into a folder that it
//! did not make.

mod account_rows;
pub mod people;
mod picture;
mod rows;
mod sequence;
mod uploads;
mod workspace_rows;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::crypto::{CryptoError, Keys};
use crate::db::{Db, DbError, PoolOptions};

/// Why the demo could not be laid out.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The folder is somebody else's.
    #[error("`{}` was not made by the demo, so that nothing in it is touched", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// A file could not be written or removed.
    #[error("cannot write `{}`: {reason}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: io::Error,
    },
    /// The application database could not be filled.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The key folder could not be made.
    #[error(transparent)]
    Keys(#[from] CryptoError),
}

/// Where the parts of the demo lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPaths {
    /// The folder itself.
    pub root: PathBuf,
    /// `habeas.yaml`.
    pub config: PathBuf,
    /// The company's application database.
    pub database: PathBuf,
    /// Folder of the data map.
    pub data_map: PathBuf,
    /// Folder of the job files: `access`, `portability`, `erasure`, `erasure-held`, `erasure-residue` (each `.json`).
    pub jobs: PathBuf,
    /// The hold that somebody is about to place.
    pub hold: PathBuf,
}

impl DemoPaths {
    /// The parts of the demo that lies, or is to lie, in `root`.
    pub fn of(root: &Path) -> DemoPaths {
        DemoPaths {
            root: root.to_owned(),
            config: root.join("habeas.yaml"),
            database: root.join("app.db"),
            data_map: root.join("datamap"),
            jobs: root.join("jobs"),
            hold: root.join("holds/dispute.json"),
        }
    }
}

const MARKER: &str = ".habeas-demo";
const MARKER_TEXT: &str = "Made by `habeas demo`, which removes everything in this folder when it runs again.\n";

/// Text files of the demo, by path below its folder.
const FILES: [(&str, &str); 9] = [
    ("habeas.yaml", include_str!("habeas.yaml")),
    ("datamap/account.yml", include_str!("datamap/account.yml")),
    ("datamap/workspace.yml", include_str!("datamap/workspace.yml")),
    ("holds/dispute.json", include_str!("holds/dispute.json")),
    ("jobs/access.json", include_str!("jobs/access.json")),
    ("jobs/portability.json", include_str!("jobs/portability.json")),
    ("jobs/erasure.json", include_str!("jobs/erasure.json")),
    ("jobs/erasure-held.json", include_str!("jobs/erasure-held.json")),
    ("jobs/erasure-residue.json", include_str!("jobs/erasure-residue.json")),
];

/// Lays the demo out in `root`. What an earlier run left there is removed first; a folder without the demo's own marker is refused,
/// even an empty one.
pub async fn create(root: &Path) -> Result<DemoPaths, DemoError> {
    claim(root)?;
    let paths = DemoPaths::of(root);
    for (name, text) in FILES {
        write(&root.join(name), text)?;
    }
    Keys::create_missing(&root.join("keys"))?;
    fill_database(&paths.database).await?;
    let uploads = root.join("uploads");
    for upload in uploads::all().map_err(|error| failed(&uploads, error))? {
        write(&uploads.join(&upload.path), upload.bytes)?;
    }
    Ok(paths)
}

/// Makes the folder ours and empty. The marker is the first thing written and the last removed, so that a folder left behind by an
/// interrupted run is still known.
fn claim(root: &Path) -> Result<(), DemoError> {
    match fs::symlink_metadata(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir_all(root).map_err(|error| failed(root, error))?,
        Err(error) => return Err(failed(root, error)),
        Ok(found) if found.is_dir() && is_marked(root) => empty(root)?,
        Ok(_) => return Err(DemoError::NotOurs { path: root.to_owned() }),
    }
    write(&root.join(MARKER), MARKER_TEXT)
}

/// A link is no marker: somebody could have pointed it at one.
fn is_marked(root: &Path) -> bool {
    let marker = root.join(MARKER);
    let is_file = fs::symlink_metadata(&marker).is_ok_and(|found| found.is_file());
    is_file && fs::read_to_string(&marker).is_ok_and(|text| text == MARKER_TEXT)
}

fn empty(root: &Path) -> Result<(), DemoError> {
    for entry in fs::read_dir(root).map_err(|error| failed(root, error))? {
        let entry = entry.map_err(|error| failed(root, error))?;
        if entry.file_name() == MARKER {
            continue;
        }
        let path = entry.path();
        // `file_type` does not follow links, so that a link is removed and not what it points to.
        let is_folder = entry.file_type().map_err(|error| failed(&path, error))?.is_dir();
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<(), DemoError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    fs::write(path, content).map_err(|error| failed(path, error))
}

fn failed(path: &Path, reason: io::Error) -> DemoError {
    DemoError::File { path: path.to_owned(), reason }
}

async fn fill_database(path: &Path) -> Result<(), DemoError> {
    let options = PoolOptions { connections: 1, create: true, application_name: "habeas-demo".into(), ..PoolOptions::default() };
    let db = Db::open(&format!("sqlite:{}", path.display()), options).await?;
    let mut tx = db.begin().await?;
    tx.on().execute_script(include_str!("schema.sql")).await?;
    for row in rows::all() {
        tx.on().execute(row.insert, row.values).await?;
    }
    tx.commit().await?;
    db.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_demo_replaces_its_own_folder_and_no_other() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("habeas-demo");
        let paths = create(&root).await.unwrap();
        let leftover = root.join("archives/old.zip");
        write(&leftover, "old").unwrap();
        assert_eq!(create(&root).await.unwrap(), paths);
        assert!(!leftover.exists());
        assert!(paths.config.is_file() && paths.database.is_file() && root.join("keys/master.key").is_file());

        let foreign = home.path().join("foreign");
        write(&foreign.join("thesis.txt"), "years of work").unwrap();
        assert!(matches!(create(&foreign).await, Err(DemoError::NotOurs { .. })));
        assert_eq!(fs::read_to_string(foreign.join("thesis.txt")).unwrap(), "years of work");
        write(&foreign.join(MARKER), "not the demo's own words").unwrap();
        assert!(matches!(create(&foreign).await, Err(DemoError::NotOurs { .. })));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_are_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("habeas-demo");
        create(&root).await.unwrap();
        let treasure = home.path().join("treasure");
        write(&treasure.join("gold.txt"), "gold").unwrap();
        std::os::unix::fs::symlink(&treasure, root.join("link")).unwrap();
        create(&root).await.unwrap();
        assert!(treasure.join("gold.txt").exists() && !root.join("link").exists());

        let alias = home.path().join("alias");
        std::os::unix::fs::symlink(&root, &alias).unwrap();
        assert!(matches!(create(&alias).await, Err(DemoError::NotOurs { .. })));
    }

    #[test]
    fn job_files_name_the_people_of_the_story() {
        for (name, person) in [
            ("access", people::ADA),
            ("portability", people::ADA),
            ("erasure", people::GRACE),
            ("erasure-held", people::LINUS),
            ("erasure-residue", people::MARGARET),
        ] {
            let text = FILES.iter().find(|(path, _)| *path == format!("jobs/{name}.json")).unwrap().1;
            let job: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(job["subject"]["email"], person.email);
            assert_eq!(job["subject"]["user_id"], person.id.to_string());
        }
    }
}
