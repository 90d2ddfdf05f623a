//! Where words go: data to stdout (it can be piped), talk to stderr. With `--json`, stdout is one JSON document and nothing else.
//! Colour only helps; everything reads without it, and it is off for pipes, `NO_COLOR` and dumb terminals.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table};
use serde::Serialize;
use serde_json::json;

use super::error::CliError;

/// Writes for one command.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    json: bool,
    quiet: bool,
    colour: bool,
    colour_of_data: bool,
}

impl Printer {
    /// `quiet` drops talk, never data and never errors.
    pub fn new(json: bool, quiet: bool) -> Self {
        let environment = |name: &str| std::env::var(name).ok();
        let colour = colour_is_welcome(io::stderr().is_terminal(), environment);
        Printer { json, quiet, colour, colour_of_data: colour_is_welcome(io::stdout().is_terminal(), environment) }
    }

    /// Whether stdout is to be one JSON document: then a verb calls [`Printer::document`] once, and neither `data` nor `table`.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether stderr takes colour.
    pub fn colour(&self) -> bool {
        self.colour
    }

    /// A word of data that is to catch the eye, where stdout takes colour.
    pub fn red(&self, word: &str) -> String {
        painted(self.colour_of_data, word, "31;1")
    }

    /// The same for a warning.
    pub fn yellow(&self, word: &str) -> String {
        painted(self.colour_of_data, word, "33;1")
    }

    /// The same for what can be copied.
    pub fn cyan(&self, word: &str) -> String {
        painted(self.colour_of_data, word, "36")
    }

    /// The same for a heading.
    pub fn bold(&self, word: &str) -> String {
        painted(self.colour_of_data, word, "1")
    }

    /// A line of data.
    pub fn data(&self, line: &str) -> Result<(), CliError> {
        to_stdout(format!("{line}\n").as_bytes())
    }

    /// The one JSON document.
    pub fn document<T: Serialize>(&self, document: &T) -> Result<(), CliError> {
        let mut bytes = serde_json::to_vec_pretty(document).map_err(|error| CliError::Other(error.into()))?;
        bytes.push(b'\n');
        to_stdout(&bytes)
    }

    /// Data that is no text of ours, such as a CSV file.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), CliError> {
        to_stdout(bytes)
    }

    /// Data as columns under headings.
    pub fn table(&self, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Result<(), CliError> {
        self.data(&columns(headings, rows))
    }

    /// A line for the person who watches.
    pub fn talk(&self, line: &str) {
        if !self.quiet {
            to_stderr(line);
        }
    }

    /// A line for the person who watches, even with `-q`.
    pub fn warn(&self, line: &str) {
        to_stderr(&format!("{}: {line}", self.paint("warning", "33;1")));
    }

    /// What to do next.
    pub fn hint(&self, hint: &str) {
        if !self.quiet {
            to_stderr(&format!("{}: {hint}", self.paint("hint", "36")));
        }
    }

    /// Tells how a command failed: in words on stderr, and with `--json` as a document on stdout too.
    pub fn error(&self, error: &CliError) {
        if matches!(error, CliError::Told { .. }) {
            return;
        }
        to_stderr(&self.render(error));
        if self.json {
            // An error in telling of an error has nowhere to go.
            let told = self.document(&error_document(error.code(), error.exit().code(), &error.to_string(), error.hint()));
            drop(told);
        }
    }

    fn render(&self, error: &CliError) -> String {
        let mut text = format!("{}: {error}", self.paint("error", "31;1"));
        if let Some(hint) = error.hint() {
            text.push_str(&format!("\n\n{}: {hint}", self.paint("hint", "36")));
        }
        text
    }

    fn paint(&self, word: &str, code: &str) -> String {
        painted(self.colour, word, code)
    }
}

fn painted(colour: bool, word: &str, code: &str) -> String {
    if colour { format!("\u{1b}[{code}m{word}\u{1b}[0m") } else { word.to_owned() }
}

/// The document that stands on stdout when a command fails under `--json`.
pub(super) fn error_document(code: &str, exit: u8, message: &str, hint: Option<String>) -> serde_json::Value {
    json!({"error": {"code": code, "exit": exit, "message": message, "hint": hint}})
}

/// See <https://no-color.org> and <https://bixense.com/clicolors>.
fn colour_is_welcome(is_terminal: bool, environment: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return false;
    }
    let forced = environment("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0");
    forced || (is_terminal && environment("TERM").is_none_or(|term| term != "dumb"))
}

fn columns(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
    for row in rows {
        table.add_row(row.into_iter().map(|cell| harmless(&cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Names from a database may hold anything; a terminal obeys control characters.
pub(super) fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A reader that went away (`| head`) wants no more; that is no failure.
fn to_stdout(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Unwritable { path: None, reason: error.to_string() })
        }
        _ => Ok(()),
    }
}

/// Without stderr there is nobody to tell that it is missing.
fn to_stderr(line: &str) {
    let told = writeln!(io::stderr().lock(), "{line}");
    drop(told);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_lower_case_with_its_hint_after_a_blank_line() {
        let error = CliError::ConfirmationMissing { plan_digest: "sha256:ab".into() };
        let plain = Printer { json: false, quiet: false, colour: false, colour_of_data: false };
        assert_eq!(
            plain.render(&error),
            "error: this plan erases data and is not confirmed\n\nhint: look at it with `habeas plan`, then add `--confirm sha256:ab`"
        );
        let coloured = Printer { colour: true, ..plain };
        assert!(coloured.render(&error).contains("\u{1b}[36mhint\u{1b}[0m: look"), "hints are cyan");
    }

    #[test]
    fn no_color_beats_everything() {
        let with = |vars: &'static [(&str, &str)]| {
            move |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        assert!(colour_is_welcome(true, with(&[])));
        assert!(!colour_is_welcome(false, with(&[])));
        assert!(!colour_is_welcome(true, with(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")])));
        assert!(colour_is_welcome(true, with(&[("NO_COLOR", "")])), "an empty NO_COLOR says nothing");
        assert!(!colour_is_welcome(true, with(&[("TERM", "dumb")])));
        assert!(colour_is_welcome(false, with(&[("CLICOLOR_FORCE", "1")])));
    }

    #[test]
    fn a_table_is_plain_columns() {
        let rows = [vec!["app.orders".to_owned(), "200".into()], vec!["app.users".into(), "1".into()]];
        assert_eq!(columns(&["place", "found"], rows), "PLACE       FOUND\napp.orders  200\napp.users   1");
    }

    #[test]
    fn a_name_from_a_database_cannot_drive_the_terminal() {
        assert_eq!(harmless("orders\u{1b}[2J"), "orders\u{fffd}[2J");
    }
}
