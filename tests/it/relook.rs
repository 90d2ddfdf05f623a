//! Looking again after the demo's erasures, and a journal whose outside copies were lost: what is said has to be true the second time too.

use std::fs;
use std::path::PathBuf;

use super::support::binary::{Said, habeas};
use super::support::sqlite;

struct Demo {
    home: tempfile::TempDir,
}

impl Demo {
    fn new() -> Demo {
        let home = tempfile::tempdir().expect("a folder");
        habeas().folder(home.path()).args(["demo", "--quiet"]).run().code(0);
        Demo { home }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.path().join("habeas-demo").join(below)
    }

    fn run(&self, line: &str) -> Said {
        habeas().folder(&self.path("")).args(line.split_whitespace()).run()
    }

    fn code_of(&self, job: &str) -> String {
        let said = self.run(&format!("run --no-input --json jobs/{job}.json"));
        said.json()["code"].as_str().expect("a code").to_owned()
    }
}

#[test]
fn v_1_what_came_back_is_not_called_gone_by_a_second_look() {
    let demo = Demo::new();
    let grace = demo.code_of("erasure");
    let said = demo.run(&format!("verify {grace}")).code(0);
    assert!(said.stdout.contains("still gone"), "{}", said.stdout);
    sqlite::script(
        &demo.path("app.db"),
        "INSERT INTO legacy_import_log (imported_at, payload) VALUES ('2026-11-01', 'grace@example.com')",
    );
    demo.run(&format!("verify {grace}")).code(4);
    let said = demo.run(&format!("verify {grace}")).code(3);
    assert!(!said.stdout.contains("still gone") && said.stdout.contains("legacy_import_log"), "{}", said.stdout);
}

#[test]
fn v_1_what_was_left_over_is_not_called_gone() {
    let demo = Demo::new();
    let margaret = demo.code_of("erasure-residue");
    let said = demo.run(&format!("verify {margaret}")).code(3);
    assert!(said.stdout.contains("left over") && said.stdout.contains("legacy_import_log"), "{}", said.stdout);
}

#[test]
fn j_1_a_journal_without_outside_copies_is_anchored_anew_only_by_somebody_who_says_so() {
    let demo = Demo::new();
    fs::remove_dir_all(demo.path("checkpoints")).expect("the copies");
    let lost = demo.run("journal verify").code(4);
    assert!(lost.stderr.contains("habeas journal anchor"), "{}", lost.stderr);
    demo.run("journal anchor").code(6);
    demo.run("journal verify").code(4);
    demo.run("journal anchor --this-ledger-is-the-true-one").code(0);
    demo.run("journal verify").code(0);
}
