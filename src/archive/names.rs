//! Names inside and of an archive: letters, digits, `.`, `_` and `-` only, short enough for every system, never a device name of Windows,
//! never two that differ in case alone. They are made from names of the map and of the controller, never from data (S-1).

use std::collections::BTreeSet;

use jiff::Timestamp;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::parts::Part;

/// Longest name of a file or folder.
pub(super) const LONGEST_NAME: usize = 80;
/// Longest path, the folder of the archive included.
pub(super) const LONGEST_PATH: usize = 180;
const LONGEST_SLUG: usize = 36;
const LONGEST_CODE: usize = 16;
/// Folder, source and table share [`LONGEST_PATH`]; this leaves room for each and for the longest suffix.
pub(super) const LONGEST_PART: usize = 40;

/// `<controller>-personal-data-<date>-<code>`: the name of the archive without `.zip`, and of the folder inside it.
pub(super) fn archive_name(controller: &str, created: Timestamp, code: &str) -> String {
    let controller = slug(controller);
    let controller = if controller.is_empty() { "controller" } else { &controller };
    format!(
        "{controller}-personal-data-{}-{}",
        created.strftime("%Y-%m-%d"),
        slug(code).chars().take(LONGEST_CODE).collect::<String>()
    )
}

/// The folder inside a part. That of part 1 is named as if it were the only one, because its name is written before anybody knows.
pub(super) fn part_folder(name: &str, number: u32) -> String {
    match number {
        1 => name.to_owned(),
        number => format!("{name}-part{number:02}"),
    }
}

/// The file of a part.
pub(super) fn part_file_name(name: &str, part: Part) -> String {
    match part {
        Part { of: 1, .. } => format!("{name}.zip"),
        Part { number, of } => format!("{name}-part{number:02}of{of:02}.zip"),
    }
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in plain_letters(text) {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => slug.push(c),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() == LONGEST_SLUG {
            break;
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Letters without their accents.
fn plain_letters(text: &str) -> impl Iterator<Item = char> {
    text.nfkd().filter(|c| !is_combining_mark(*c))
}

/// Hands out safe names, each only once.
#[derive(Debug, Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// A safe name of at most `longest` characters for any text, different from every earlier one also when case is ignored.
    pub(super) fn unique(&mut self, text: &str, longest: usize) -> String {
        let stem = safe(text, longest);
        let mut name = stem.clone();
        let mut number = 2;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            let suffix = format!("_{number}");
            let kept = stem.len().min(longest.saturating_sub(suffix.len()));
            name = format!("{}{suffix}", &stem[..kept]);
            number += 1;
        }
        name
    }

    /// A safe path as it is, with a number behind it when it was handed out before.
    pub(super) fn unique_path(&mut self, path: &str) -> String {
        let mut name = path.to_owned();
        let mut number = 2;
        while !self.taken.insert(name.to_ascii_lowercase()) {
            name = format!("{path}_{number}");
            number += 1;
        }
        name
    }
}

/// The column names of one table: they stay as the database has them, and only those that are added must not collide.
#[derive(Debug, Default)]
pub(super) struct ColumnNames {
    taken: BTreeSet<String>,
}

impl ColumnNames {
    /// Takes a name of the database.
    pub(super) fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// Takes a further name, with a number behind it when it is taken.
    pub(super) fn unique(&mut self, name: String) -> String {
        let mut unique = name.clone();
        let mut number = 2;
        while !self.taken.insert(unique.clone()) {
            unique = format!("{name}_{number}");
            number += 1;
        }
        unique
    }
}

/// A safe name for any text.
pub(super) fn safe(text: &str, longest: usize) -> String {
    let mut name: String = plain_letters(text).map(|c| if is_safe_character(c) { c } else { '_' }).take(longest).collect();
    while name.ends_with('.') {
        name.pop();
    }
    if name.is_empty() || name.starts_with(['.', '-']) || is_device(&name) {
        name.insert(0, '_');
        name.truncate(longest);
    }
    name
}

/// Whether a path of an archive keeps every rule above.
pub(super) fn is_safe_path(path: &str) -> bool {
    path.len() <= LONGEST_PATH
        && path.split('/').all(|name| {
            !name.is_empty()
                && name.len() <= LONGEST_NAME
                && name.chars().all(is_safe_character)
                && !name.starts_with(['.', '-'])
                && !name.ends_with('.')
                && !is_device(name)
        })
}

fn is_safe_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => {
            stem.len() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && stem.ends_with(|c: char| c.is_ascii_digit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_named_after_controller_date_and_code() {
        let created = "2026-11-24T23:59:00Z".parse().expect("a timestamp");
        assert_eq!(archive_name("Müller & Söhne GmbH", created, "R7K2M9"), "muller-sohne-gmbh-personal-data-2026-11-24-r7k2m9");
        assert_eq!(archive_name("東京", created, "R7K2M9"), "controller-personal-data-2026-11-24-r7k2m9");
        assert!(archive_name(&"long ".repeat(50), created, "R7K2M9").len() <= LONGEST_NAME - 4);
    }

    #[test]
    fn only_the_parts_of_a_divided_archive_are_numbered() {
        let names = |number, of| (part_folder("a", number), part_file_name("a", Part { number, of }));
        assert_eq!(names(1, 1), ("a".to_owned(), "a.zip".to_owned()));
        assert_eq!(names(1, 3), ("a".to_owned(), "a-part01of03.zip".to_owned()));
        assert_eq!(names(12, 123), ("a-part12".to_owned(), "a-part12of123.zip".to_owned()));
    }

    #[test]
    fn every_name_is_safe_and_unique_without_case() {
        let mut names = Names::default();
        let given = [
            "Users",
            "users",
            "größe",
            "a b/c",
            "..",
            "-rf",
            "con",
            "NUL.txt",
            "com1",
            "50%",
            "end.",
            "",
            "x".repeat(200).as_str(),
        ]
        .map(|text| names.unique(text, LONGEST_PART));
        let mut folded: Vec<String> = given.iter().map(|name| name.to_ascii_lowercase()).collect();
        folded.sort();
        folded.dedup();
        assert_eq!(folded.len(), given.len());
        assert_eq!(
            given[..4],
            ["Users", "users_2", "große", "a_b_c"].map(|n| if n == "große" { "gro_e".to_owned() } else { n.to_owned() })
        );
        for name in given {
            assert!(is_safe_path(&name), "{name}");
        }
    }

    #[test]
    fn unsafe_paths_are_recognised() {
        for path in ["a/../b", "/a", "a//b", "a%20b", "a b", "con/x", "a/.hidden", "a/-x", "a/b.", "é"] {
            assert!(!is_safe_path(path), "{path}");
        }
        assert!(is_safe_path("acme-personal-data/data/tables/app_db/users.csv"));
    }
}
