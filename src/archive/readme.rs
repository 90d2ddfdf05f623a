//! `README.txt`: what this is and how to use and check it, for somebody who has nothing but a text editor. Windows line ends, because that is
//! where such an editor is least forgiving.

use super::ArchiveHeader;
use super::bagit::size_in_words;
use super::names::{part_file_name, part_folder};
use super::parts::{OtherPart, Part};
use super::timestamp;

/// Path of the document.
pub(super) const PATH: &str = "README.txt";

const CHECKS: &str = "HOW TO CHECK THAT NOTHING WAS CHANGED\n  \
   In this folder:\n    \
     sha256sum -c manifest-sha256.txt\n    \
     sha256sum -c tagmanifest-sha256.txt\n  \
   Or with independent programs:\n    \
     bagit.py --validate .\n    \
     frictionless validate datapackage.json";

/// Builds the document. `statement` says in a sentence what is here and what is not.
pub(super) fn build(header: &ArchiveHeader, statement: &str, others: &[OtherPart]) -> String {
    let controller = &header.controller;
    let contact = controller.contact.as_deref().unwrap_or(&controller.name);
    let mut paragraphs = vec![
        format!("YOUR PERSONAL DATA AT {}", controller.name.to_uppercase()),
        statement.to_owned(),
        "START HERE\n  Open index.html in any browser. It needs no internet connection and runs no program.".to_owned(),
        "WHAT IS IN THIS FOLDER\n  \
           index.html, html/            pages to read\n  \
           data/tables/*/*.csv          your records for spreadsheets: UTF-8, comma, first line has the names\n  \
           data/tables/*/*.jsonl        the same for programs: one JSON object per line\n  \
           data/files/                  files, and values too large for a table, if there are any\n  \
           data/dictionary.csv          what every column means\n  \
           data/completeness.json       what was found, what was left out and why\n  \
           data/processing.jsonld       what the data is used for (W3C Data Privacy Vocabulary)\n  \
           data/request.json            the request that this answers\n  \
           datapackage.json             the whole as a Frictionless Data Package\n  \
           bagit.txt and *-sha256.txt   the whole as a BagIt bag"
            .to_owned(),
        "HOW TO READ THE CSV FILES\n  \
           Nothing between two commas means that there is no value; \"\" means an empty text.\n  \
           Times end with Z and are in UTC; times without Z have no recorded zone unless dictionary.csv names one.\n  \
           A text that a spreadsheet would take for a formula begins with an apostrophe: it starts with = + - @,\n  \
           a tab, a line end or an apostrophe of its own. Take one apostrophe away to get the text as it is stored.\n  \
           Columns ending in _b64 hold binary data as base64."
            .to_owned(),
        CHECKS.to_owned(),
        format!(
            "QUESTIONS\n  Write to {contact} and name the request {}. html/rights.html lists your rights.\n  \
             The link by which you got this archive stops working on the day given in the message; this copy is yours.",
            header.request.code
        ),
    ];
    if !others.is_empty() {
        paragraphs.insert(3, other_parts(others));
    }
    finished(paragraphs, header)
}

/// The document of a further part.
pub(super) fn of_part(header: &ArchiveHeader, name: &str, part: Part) -> String {
    let Part { number, of } = part;
    let first = Part { number: 1, of };
    let paragraphs = vec![
        format!("YOUR PERSONAL DATA AT {}, PART {number} OF {of}", header.controller.name.to_uppercase()),
        format!(
            "START WITH PART 1\n  \
               This part holds nothing but files. What they belong to stands in part 1, {}.\n  \
               Unpack all parts into the same place, so that this folder lies beside the folder {},\n  \
               and open index.html there: its links lead to the files here.",
            part_file_name(name, first),
            part_folder(name, 1)
        ),
        CHECKS.to_owned(),
    ];
    finished(paragraphs, header)
}

fn other_parts(others: &[OtherPart]) -> String {
    let mut text = format!(
        "THE OTHER PARTS\n  \
           This is part 1 of {}. Files for which it has no room are in further parts. Unpack all of them into the same\n  \
           place, so that their folders lie beside this one; then the links in the pages and the paths that begin with\n  \
           ../ in tables lead to them. data/parts.json has the size and SHA-256 of each.",
        others.len() + 1
    );
    for part in others {
        text.push_str(&format!("\n    {}  ({})", part.file_name, size_in_words(part.bytes)));
    }
    text
}

fn finished(mut paragraphs: Vec<String>, header: &ArchiveHeader) -> String {
    paragraphs.push(format!("Made on {} by habeas-data {}.", timestamp::for_people(header.created), header.software_version));
    let mut text = paragraphs.join("\n\n");
    text.push('\n');
    text.replace('\n', "\r\n")
}
