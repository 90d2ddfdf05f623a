//! The record as Markdown. Names come from a map and may hold anything: what would be markup is escaped, so that a name stays a name.

use std::fmt::Write;

use super::{Activity, Gap, Register};

const NOT_RECORDED: &str = "*not recorded*";

pub(super) fn render(register: &Register) -> String {
    let mut page = Page(String::new());
    page.line("# Record of processing activities");
    page.line("");
    page.line("Art. 30 GDPR. Made from the data map and the configuration; what neither says is listed under *Gaps*.");
    page.controller(register);
    page.line("## As controller (Art. 30(1))");
    page.line("");
    page.activities(&register.activities, "Nothing is recorded.");
    page.line("## On behalf of others (Art. 30(2))");
    page.line("");
    page.activities(&register.processing_for_others, "Nothing is recorded as processed on behalf of another controller.");
    if !register.held_elsewhere.is_empty() {
        page.line("## Held elsewhere");
        page.line("");
        page.line("Documented, and out of the controller's reach.");
        page.line("");
        page.table(
            &["data", "held by", "note"],
            register.held_elsewhere.iter().map(|held| {
                let data = held
                    .description
                    .as_ref()
                    .map_or_else(|| held.collection.clone(), |text| format!("{} ({text})", held.collection));
                vec![data, held.held_by.clone(), held.note.clone().unwrap_or_default()]
            }),
        );
    }
    page.gaps(&register.gaps);
    page.line("---");
    page.line("");
    page.line(&format!("Record `{}` · data map `{}`", register.digest, register.data_map_digest));
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{text}");
    }

    fn table(&mut self, headings: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        self.line(&format!("| {} |", headings.join(" | ")));
        self.line(&format!("|{}", "---|".repeat(headings.len())));
        for row in rows {
            let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
            self.line(&format!("| {} |", cells.join(" | ")));
        }
        self.line("");
    }

    fn controller(&mut self, register: &Register) {
        let controller = &register.controller;
        let joint = Some(controller.joint_controllers.join("; ")).filter(|text| !text.is_empty());
        let rows = [
            ("name", Some(controller.name.clone())),
            ("address", controller.address.clone()),
            ("contact", controller.contact.clone()),
            ("joint controllers", joint),
            ("representative", controller.representative.clone()),
            ("data protection officer", controller.data_protection_officer.clone()),
            ("supervisory authority", controller.supervisory_authority.clone()),
        ];
        self.line("");
        self.line("## Controller");
        self.line("");
        let optional = ["joint controllers", "representative", "supervisory authority"];
        let shown = rows.into_iter().filter(|(label, value)| value.is_some() || !optional.contains(label));
        self.facts(shown.map(|(label, value)| (label, value.map(|text| escaped(&text)))));
    }

    /// A table without headings worth the name; the values are Markdown already.
    fn facts<'l>(&mut self, facts: impl Iterator<Item = (&'l str, Option<String>)>) {
        self.line("| | |");
        self.line("|---|---|");
        for (label, value) in facts {
            self.line(&format!("| {label} | {} |", value.as_deref().unwrap_or(NOT_RECORDED)));
        }
        self.line("");
    }

    fn activities(&mut self, activities: &[Activity], nothing: &str) {
        if activities.is_empty() {
            self.line(nothing);
            self.line("");
        }
        for activity in activities {
            self.line(&format!("### {}", escaped(&activity.name)));
            self.line("");
            self.facts(facts(activity).into_iter());
        }
    }

    fn gaps(&mut self, gaps: &[Gap]) {
        self.line(&format!("## Gaps ({})", gaps.len()));
        self.line("");
        if gaps.is_empty() {
            self.line("None: everything that Art. 30 asks for is recorded.");
            self.line("");
            return;
        }
        self.table(
            &["about", "missing", "asked for by", "write it at", "such as"],
            gaps.iter().map(|gap| {
                vec![gap.about.clone(), gap.missing.clone(), gap.article.to_owned(), gap.place.to_string(), gap.write.clone()]
            }),
        );
    }
}

fn facts(activity: &Activity) -> Vec<(&'static str, Option<String>)> {
    let list =
        |items: Vec<String>| (!items.is_empty()).then(|| items.iter().map(|item| escaped(item)).collect::<Vec<_>>().join("<br>"));
    let coded = |items: &[super::Labelled]| list(items.iter().map(|item| item.words.clone()).collect());
    let categories = activity.data_categories.iter().map(|category| {
        let mark = match category.special {
            Some("art9") => " **(special category, Art. 9)**",
            Some(_) => " **(criminal convictions, Art. 10)**",
            None => "",
        };
        format!("{} (`{}`){mark}", escaped(&category.words), category.key)
    });
    let categories: Vec<String> = categories.collect();
    let recipients = activity.recipients.iter().map(|recipient| {
        let more: Vec<&str> = [&recipient.who, &recipient.country].into_iter().flatten().map(String::as_str).collect();
        if more.is_empty() { recipient.name.clone() } else { format!("{} ({})", recipient.name, more.join(", ")) }
    });
    let transfers = activity.transfers.as_ref().map(|transfers| {
        let told = transfers.iter().map(|transfer| {
            let recipient = transfer.recipient.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
            let safeguard = transfer.safeguard.as_deref().unwrap_or("safeguard not recorded");
            escaped(&format!("{}{recipient}: {safeguard}", transfer.to))
        });
        if transfers.is_empty() { "none".to_owned() } else { told.collect::<Vec<_>>().join("<br>") }
    });
    let retention = activity.retention.iter().map(|part| {
        let class = part.class.as_ref().map(|class| format!(" (class {class})")).unwrap_or_default();
        match &part.collection {
            Some(name) => format!("{name}: {}{class}", part.words),
            None => part.words.clone(),
        }
    });
    let duties = activity.statutory_duties.iter().map(|duty| {
        let until = duty.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default();
        let law = duty.law.as_deref().unwrap_or("law not recorded");
        format!("{}: rows with {}, {law}{until}", duty.collection, duty.rows)
    });
    let mut facts = vec![("purposes", list(activity.purposes.clone()))];
    if activity.role == crate::datamap::Role::Processor {
        facts.push(("on behalf of", list(activity.on_behalf_of.clone())));
    }
    if !activity.data_uses.is_empty() {
        facts.push(("uses", coded(&activity.data_uses)));
    }
    facts.extend([
        ("legal basis", coded(&activity.legal_bases)),
        ("categories of data subjects", coded(&activity.data_subjects)),
        ("categories of data", (!categories.is_empty()).then(|| categories.join("<br>"))),
        ("recipients", list(recipients.collect())),
        ("transfers outside the EEA", transfers),
        ("time limits", list(retention.collect())),
    ]);
    if !activity.statutory_duties.is_empty() {
        facts.push(("kept by law", list(duties.collect())));
    }
    facts.extend([
        ("security measures", list(activity.security_measures.clone())),
        ("systems", list(activity.systems.clone())),
        ("collections", list(activity.collections.clone())),
    ]);
    facts
}

/// Text that stays text in a table of Markdown, also where HTML is let through.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut previous = ' ';
    while let Some(character) = characters.next() {
        // Inside a word an underscore is no emphasis, and names of columns read better without backslashes.
        let is_inside_a_word = previous.is_alphanumeric() && characters.peek().is_some_and(|next| next.is_alphanumeric());
        previous = character;
        match character {
            '_' if is_inside_a_word => safe.push('_'),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' => safe.extend(['\\', character]),
            control if control.is_control() => safe.push(' '),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        assert_eq!(
            escaped("a|b <img src=x> `c` [d](e)\nf & *g* h_i _j_"),
            "a\\|b &lt;img src=x&gt; \\`c\\` \\[d\\](e) f &amp; \\*g\\* h_i \\_j\\_"
        );
    }
}
