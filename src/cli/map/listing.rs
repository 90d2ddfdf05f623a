//! Findings for people: under the file in which they are to be mended, in the order of its lines, each with the reason and what to write.
//! What the map does not mention at all comes last. The last line counts.

use std::collections::BTreeMap;
use std::path::Path;

use super::check::Report;
use crate::cli::error::CliError;
use crate::cli::output::{Printer, harmless};
use crate::cli::show;
use crate::datamap::{Finding, Severity};

/// Columns of text; longer lines are folded.
const WIDTH: usize = 110;

/// Prints a report.
pub(super) fn print(printer: Printer, report: &Report, with_accepted: bool) -> Result<(), CliError> {
    for (heading, findings) in grouped(&report.findings) {
        printer.data(&printer.bold(&heading))?;
        for finding in findings {
            printer.data(&block(printer, finding, None))?;
        }
        printer.data("")?;
    }
    if with_accepted && !report.accepted.is_empty() {
        printer.data(&printer.bold("accepted"))?;
        for accepted in &report.accepted {
            let reason = format!("{} ({})", accepted.reason, shown_place(&accepted.accepted_at.to_string()));
            printer.data(&block(printer, &accepted.finding, Some(&reason)))?;
        }
        printer.data("")?;
    }
    let errors = report.errors();
    let accepted = match report.accepted.len() {
        0 => String::new(),
        count => format!(" ({count} more accepted)"),
    };
    printer.data(&format!("{}{accepted}", show::counted(errors, report.findings.len() - errors)))
}

/// Findings by file and line, then those without a place.
fn grouped(findings: &[Finding]) -> Vec<(String, Vec<&Finding>)> {
    let mut by_file: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    let mut nowhere = Vec::new();
    for finding in findings {
        match &finding.place {
            Some(place) => by_file.entry(shown_place(&place.file.display().to_string())).or_default().push(finding),
            None => nowhere.push(finding),
        }
    }
    let line = |finding: &&Finding| finding.place.as_ref().map_or(0, |place| place.line);
    by_file.values_mut().for_each(|of_file| of_file.sort_by_key(line));
    let mut groups: Vec<_> = by_file.into_iter().collect();
    if !nowhere.is_empty() {
        groups.push(("in no file of the map".to_owned(), nowhere));
    }
    groups
}

/// A path below the working directory as a person would type it.
fn shown_place(path: &str) -> String {
    let here = std::env::current_dir().ok();
    let short = here.as_deref().and_then(|here| Path::new(path).strip_prefix(here).ok());
    short.map_or_else(|| path.to_owned(), |short| short.display().to_string())
}

fn block(printer: Printer, finding: &Finding, reason: Option<&str>) -> String {
    let line =
        finding.place.as_ref().filter(|place| place.line > 0).map(|place| format!("line {}  ", place.line)).unwrap_or_default();
    let severity = match finding.severity {
        Severity::Error => printer.red("error"),
        Severity::Warning => printer.yellow("warning"),
    };
    let mut text = format!("  {line}{severity}[{}]\n", finding.code);
    text.push_str(&folded("    ", "    ", &format!("{}: {}", finding.subject, finding.problem)));
    match reason {
        Some(reason) => text.push_str(&folded("    accepted: ", "              ", reason)),
        None => {
            text.push_str(&folded("    why:   ", "           ", &finding.why));
            text.push_str(&folded("    hint:  ", "           ", &finding.hint));
            for (at, line) in finding.write.iter().flat_map(|write| write.lines()).enumerate() {
                let lead = if at == 0 { "    write: " } else { "           " };
                text.push_str(&format!("{lead}{}\n", printer.cyan(&harmless(line))));
            }
        }
    }
    text.trim_end().to_owned()
}

/// Folds at spaces, so that every line begins below the first word.
fn folded(first: &str, further: &str, text: &str) -> String {
    let mut lines = String::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in harmless(text).split(' ') {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push_str(line.trim_end());
            lines.push('\n');
            line = further.to_owned();
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push_str(line.trim_end());
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_below_the_first_word() {
        let text = folded("    why:   ", "           ", &"word ".repeat(40));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(lines[1].starts_with("           word"), "{text}");
    }
}
