//! A folder as an operator has it: `habeas.yaml`, a data map, job files, and a source to work on.

use std::fs;
use std::path::{Path, PathBuf};

use habeas_data::crypto::Keys;
use habeas_data::demo;
use serde_json::Value;
use tempfile::TempDir;

use super::binary::{Habeas, habeas};
use super::database::Database;
use super::mariadb::mariadb;
use super::postgres::postgres;
use super::wait_for;

/// The folder with its source; removed when dropped.
pub struct Workspace {
    home: TempDir,
    root: PathBuf,
    /// The data that requests are about.
    pub database: Database,
}

impl Workspace {
    /// With a SQLite source filled by `script`, described by `map`. The source and the dataset it serves are named `app`.
    pub fn sqlite(script: &str, map: &str) -> Workspace {
        let home = new_home();
        let database = Database::Sqlite(home.path().join("app.db"));
        database.script(script);
        Workspace::lay_out(home, database, map)
    }

    /// The same on PostgreSQL; `None`, after saying so, where there is none.
    pub fn postgres(script: &str, map: &str) -> Option<Workspace> {
        let database = postgres()?.create_database();
        database.script(script);
        Some(Workspace::lay_out(new_home(), database, map))
    }

    /// The same on MariaDB.
    pub fn mariadb(script: &str, map: &str) -> Option<Workspace> {
        let database = mariadb()?.create_database();
        database.script(script);
        Some(Workspace::lay_out(new_home(), database, map))
    }

    /// The same on every kind of database: the test runs on each in turn.
    pub fn on_each(script: &str, map: &str) -> Vec<Workspace> {
        Workspace::on_both(script, map).into_iter().chain(Workspace::mariadb(script, map)).collect()
    }

    /// The same on SQLite and PostgreSQL, for what MySQL has not or writes otherwise.
    pub fn on_both(script: &str, map: &str) -> Vec<Workspace> {
        [Some(Workspace::sqlite(script, map)), Workspace::postgres(script, map)].into_iter().flatten().collect()
    }

    /// On a database that is there already.
    pub fn on(database: Database, map: &str) -> Workspace {
        Workspace::lay_out(new_home(), database, map)
    }

    /// The reference deployment.
    pub fn demo() -> Workspace {
        let home = new_home();
        let paths = wait_for(demo::create(&home.path().join("habeas-demo"))).expect("the demo is laid out");
        Workspace { home, root: paths.root, database: Database::Sqlite(paths.database) }
    }

    fn lay_out(home: TempDir, database: Database, map: &str) -> Workspace {
        let root = home.path().to_owned();
        let workspace = Workspace { home, root, database };
        let config = format!(
            "controller: {{name: Test Ltd, address: 1 Test Street, contact: privacy@test.example, time_zone: Europe/Vienna, country: AT}}\n\
             ledger: sqlite:habeas.db\narchives: file:archives\nkeys: keys\ndata_map: datamap\nsources:\n  app: {}\n",
            workspace.database.source()
        );
        workspace.write("habeas.yaml", &config);
        workspace.write("datamap/app.yml", map);
        Keys::create_missing(&workspace.path("keys")).expect("keys");
        workspace
    }

    /// The folder that the program runs in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A folder beside it, for what must not lie in it.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path below the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file below the folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
        fs::write(&path, text).expect("the file");
        path
    }

    /// Writes a job file.
    pub fn job(&self, name: &str, job: &Value) -> PathBuf {
        self.write(&format!("jobs/{name}.json"), &job.to_string())
    }

    /// A call of the program in this folder; arguments separated by spaces.
    pub fn habeas(&self, arguments: &str) -> Habeas {
        habeas().folder(&self.root).args(arguments.split_whitespace())
    }
}

fn new_home() -> TempDir {
    tempfile::Builder::new().prefix("habeas-it-").tempdir().expect("a folder")
}
