//! A proposal in a few lines for whoever started it: how much was found, how sure, and what to look at first. Also the evidence of an edge
//! in words.

use super::evidence::Evidence;
use super::name_match::Reason;
use super::proposal::Proposal;
use crate::counted::counted;
use crate::datamap::Right;

/// Numbers of a proposal.
pub struct Counts {
    /// Tables of people.
    pub subjects: usize,
    /// Tables in which a person's data is found.
    pub reached: usize,
    /// Edges in the map.
    pub active: usize,
    /// Edges in comments.
    pub unsure: usize,
}

/// Counts.
pub fn counts(proposal: &Proposal) -> Counts {
    Counts {
        subjects: proposal.tables.iter().filter(|table| table.is_subject).count(),
        reached: proposal.tables.iter().filter(|table| table.is_reached).count(),
        active: proposal.edges.iter().filter(|edge| edge.active).count(),
        unsure: proposal.edges.iter().filter(|edge| !edge.active).count(),
    }
}

/// The lines.
pub fn summary(proposal: &Proposal) -> Vec<String> {
    let counts = counts(proposal);
    let people: Vec<&str> = proposal.tables.iter().filter(|table| table.is_subject).map(|table| table.name.as_str()).collect();
    let mut lines = vec![
        format!(
            "{}, {} of people ({}), {} in which a person's data is found",
            counted(proposal.tables.len(), "table", "tables"),
            counts.subjects,
            if people.is_empty() { "none".to_owned() } else { people.join(", ") },
            counts.reached
        ),
        format!(
            "{} in the map, {} in comments",
            counted(counts.active, "edge", "edges"),
            counted(counts.unsure, "unsure one", "unsure ones")
        ),
    ];
    lines.extend(proposal.unread.iter().map(|unread| format!("not looked at: {}: {}", unread.table, unread.problem)));
    let named: Vec<&str> = proposal
        .tables
        .iter()
        .filter(|table| table.columns.iter().any(|column| column.identity.is_some()))
        .map(|table| table.name.as_str())
        .collect();
    if people.is_empty() && named.is_empty() {
        lines.push("first: no table of people was found; write `identity` on the fields by which people are known".to_owned());
        return lines;
    }
    if people.is_empty() {
        lines.push(format!(
            "first: no table is clearly one of people, but {} names them: if its rows are the people, write `right` on what refers to it",
            named.join(", ")
        ));
    } else {
        lines.push("first: are these the people, and do the identities fit how the application compares them?".to_owned());
    }
    let shared = proposal.edges.iter().filter(|edge| edge.active && edge.right == Right::Accesses).count();
    if shared > 0 {
        lines.push(format!("then: {} with `right: accesses`: who really owns those rows?", counted(shared, "edge", "edges")));
    }
    let personal = proposal.tables.iter().filter(|table| {
        !table.is_reached && table.columns.iter().any(|column| column.label.is_some_and(|label| !label.is_credential))
    });
    let personal: Vec<&str> = personal.map(|table| table.name.as_str()).collect();
    if !personal.is_empty() {
        lines.push(format!("then: personal-looking, and reached by nothing: {}", personal.join(", ")));
    }
    lines.push(format!(
        "last: decide `on_erasure`, for the {} reached above all; until every table says it, no plan erases anything",
        counted(counts.reached, "table that is", "tables that are")
    ));
    lines
}

/// What speaks for an edge, in words.
pub fn in_words(evidence: &Evidence) -> String {
    let mut said = Vec::new();
    if evidence.declared {
        said.push("declared by the database".to_owned());
    }
    if let Some(name) = evidence.name {
        said.push(reason_in_words(name.reason).to_owned());
    }
    match evidence.inclusion {
        Some(seen) => {
            let chance = match seen.surprise() {
                surprise if surprise >= 0.75 => ", not by chance",
                surprise if surprise >= 0.25 => "",
                _ => ", which chance could explain",
            };
            let chance = if seen.share() >= 0.85 { chance } else { "" };
            said.push(format!("{} of {} sampled values exist there{chance}", seen.found, seen.tried));
        }
        None if !evidence.declared => said.push("no values to try".to_owned()),
        None => {}
    }
    if evidence.joins > 0 {
        said.push(format!("joined {} in the query log", counted(evidence.joins, "time", "times")));
    }
    if let Some(rival) = &evidence.rival {
        let rival: String = rival.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        said.push(format!("also possible: {rival}"));
    }
    said.join("; ")
}

fn reason_in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::SameNameAsKey => "called like the key",
        Reason::NamesTheTable => "named after the table",
        Reason::NamesItWithOwnTable => "with its own table's name it names the table",
        Reason::EndsWithTheTable => "ends with the table's name",
        Reason::BeginsWithTheTable => "begins with the table's name",
        Reason::ContainsTheTable => "contains the table's name",
        Reason::RoleOfAPerson => "a role that people have",
        Reason::RowOfTheSameTable => "refers to its own table",
    }
}
