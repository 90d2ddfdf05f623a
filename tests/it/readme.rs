//! The tour in the README, run as it stands: every line that begins with `$ ` in a block marked `console`, in one shell, with the built
//! program on the path. A command ends well unless the line says otherwise in a comment at its end: `# exit 3`.

use std::fmt::Write;
use std::path::Path;

use super::support::binary::{Habeas, program};

const README: &str = include_str!("../../README.md");

/// A command of the tour and the code that it ends with.
#[derive(Debug, PartialEq, Eq)]
struct Step<'t> {
    command: &'t str,
    code: i32,
}

fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(language) => inside = !inside && language == "console",
            None if inside => steps.extend(line.strip_prefix("$ ").map(step)),
            None => {}
        }
    }
    steps
}

fn step(line: &str) -> Step<'_> {
    match line.rsplit_once("# exit ") {
        Some((command, code)) => Step { command: command.trim_end(), code: code.trim().parse().expect("an exit code") },
        None => Step { command: line, code: 0 },
    }
}

/// One script, so that `cd` and variables last. The first command that ends otherwise than said ends the tour.
fn script(steps: &[Step<'_>]) -> String {
    let mut script = String::new();
    for Step { command, code } in steps {
        let shown = command.replace('\'', r"'\''");
        write!(
            script,
            "printf '$ %s\\n' '{shown}'\n{command}\ncode=$?\n\
             if [ $code != {code} ]; then printf 'README: exit code %s instead of {code}: %s\\n' $code '{shown}' >&2; exit 1; fi\n"
        )
        .expect("writing to text works");
    }
    script
}

/// From a file and not through standard input, which a command of the tour could read.
fn tour(folder: &Path, steps: &[Step<'_>]) -> Habeas {
    let file = folder.join("tour.sh");
    std::fs::write(&file, script(steps)).expect("the script");
    program("bash").args([file]).folder(folder)
}

#[test]
fn the_tour_of_the_readme_runs() {
    let home = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_habeas")).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let steps = steps(README);
    assert!(steps.len() >= 15, "the tour has {} commands", steps.len());
    tour(home.path(), &steps).env("PATH", path).env("NO_COLOR", "1").run().code(0);
}

#[test]
fn the_tour_stops_at_a_command_that_ends_otherwise_than_said() {
    let text = "```console\n$ false   # exit 1\nits output\n$ there='it is'; cd /\n$ test \"$PWD $there\" = '/ it is'\n```\n```sh\n$ exit 9\n```\n";
    let good = steps(text);
    assert_eq!(good.len(), 3);
    assert_eq!(good[0], Step { command: "false", code: 1 });
    let home = tempfile::tempdir().unwrap();
    tour(home.path(), &good).run().code(0);
    let bad = steps("```console\n$ true # exit 3\n$ touch reached\n```");
    let said = tour(home.path(), &bad).run().code(1);
    assert!(said.stderr.contains("exit code 0 instead of 3: true"), "{}", said.stderr);
    assert!(!home.path().join("reached").exists());
}
