//! The tools that people check our archives and certificates with, none of them ours: validators in a Python environment that `tests/run`
//! makes, and what a Unix machine has. A check that fails shows what the tool said.

use std::fs;
use std::path::{Path, PathBuf};

use super::binary::{Said, program};
use super::skipped;

/// The validators.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// `None`, after saying so, where nobody has installed them.
    pub fn find() -> Option<Tools> {
        let Some(folder) = std::env::var_os("HABEAS_TOOLS").map(PathBuf::from) else {
            skipped("validators: tests/run installs them and sets HABEAS_TOOLS");
            return None;
        };
        Some(Tools { folder })
    }

    /// Runs a validator in a folder; what it says is its last argument's business.
    pub fn run(&self, tool: &str, arguments: &[&str], folder: &Path) -> Said {
        program(self.folder.join(tool)).args(arguments).folder(folder).run()
    }

    /// A zip file through five readers.
    pub fn read_zip(&self, zip: &Path) {
        let path = zip.to_str().expect("a readable path");
        let here = zip.parent().expect("a folder");
        stock("unzip", &["-tqq", path], here).code(0);
        stock(seven_zip(), &["t", path], here).code(0);
        stock("bsdtar", &["-tf", path], here).code(0);
        // It ends with 0 whatever it finds, and names what is broken.
        let said = self.run("python", &["-m", "zipfile", "-t", path], here).code(0);
        assert_eq!(said.stdout.trim(), "Done testing", "python -m zipfile");
    }

    /// Unpacks a zip file with `unzip`; the one folder in it.
    pub fn unpack(&self, zip: &Path, into: &Path) -> PathBuf {
        fs::create_dir_all(into).expect("a folder");
        stock("unzip", &["-q", zip.to_str().expect("a readable path")], into).code(0);
        let mut found = fs::read_dir(into).expect("the folder").map(|entry| entry.expect("an entry").path());
        let base = found.next().expect("a base folder");
        assert!(base.is_dir() && found.next().is_none(), "one base folder and nothing beside it");
        base
    }

    /// An unpacked archive through the validators of its formats.
    pub fn validate_archive(&self, base: &Path) {
        self.validate_bag(base);
        let count = "import rdflib; print(len(rdflib.Graph().parse('data/processing.jsonld', format='json-ld')))";
        let said = self.run("python", &["-c", count], base).code(0);
        assert!(said.stdout.trim().parse::<u32>().expect("a number") > 0, "statements about the processing");
    }

    /// The bag and the data package: all that a part of an archive is after the first.
    pub fn validate_bag(&self, base: &Path) {
        self.run("bagit.py", &["--validate", "."], base).code(0);
        self.run("frictionless", &["validate", "datapackage.json"], base).code(0);
        stock("sha256sum", &["--quiet", "-c", "manifest-sha256.txt", "tagmanifest-sha256.txt"], base).code(0);
    }
}

/// A tool of the machine.
pub fn stock(tool: &str, arguments: &[&str], folder: &Path) -> Said {
    program(tool).args(arguments).folder(folder).run()
}

fn seven_zip() -> &'static str {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&folders).any(|folder| folder.join("7zz").exists()) { "7zz" } else { "7z" }
}
