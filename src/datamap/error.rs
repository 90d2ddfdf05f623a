//! What can be wrong with the text of a data map. All mistakes of all files are collected before anything is said, because a person who
//! repairs a map wants one list, not one mistake per run. Nothing here quotes data: a map holds names of places, not of people.

use std::fmt;

use serde::Serialize;

use super::{DataMap, Place};

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapError {
    /// Where.
    pub place: Place,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for MapError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_message(formatter, &self.place, &self.message, self.hint.as_deref())
    }
}

/// All mistakes of a map, in the order of files and lines; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapErrors(pub Vec<MapError>);

impl fmt::Display for MapErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(formatter, "the data map has 1 mistake")?,
            count => write!(formatter, "the data map has {count} mistakes")?,
        }
        for error in &self.0 {
            write!(formatter, "\n{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for MapErrors {}

/// Something that was passed over and should not go unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MapWarning {
    /// Where.
    pub place: Place,
    /// What was passed over.
    pub message: String,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl fmt::Display for MapWarning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_message(formatter, &self.place, &self.message, self.hint.as_deref())
    }
}

fn write_message(formatter: &mut fmt::Formatter<'_>, place: &Place, message: &str, hint: Option<&str>) -> fmt::Result {
    write!(formatter, "{place}: {message}")?;
    match hint {
        Some(hint) => write!(formatter, "\n  hint: {hint}"),
        None => Ok(()),
    }
}

/// A map that can be used.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The map.
    pub map: DataMap,
    /// What was passed over, in the order of files and lines.
    pub warnings: Vec<MapWarning>,
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;

    fn error(line: u32, hint: Option<&str>) -> MapError {
        let place = Place { file: Arc::new(PathBuf::from("datamap/app.yml")), line };
        MapError { place, message: "unknown key `feilds` in collection `users`".into(), hint: hint.map(str::to_owned) }
    }

    #[test]
    fn the_list_of_mistakes_reads_line_by_line() {
        let errors = MapErrors(vec![error(3, Some("did you mean `fields`?")), error(9, None)]);
        assert_eq!(
            errors.to_string(),
            "the data map has 2 mistakes\n\
             datamap/app.yml:3: unknown key `feilds` in collection `users`\n  hint: did you mean `fields`?\n\
             datamap/app.yml:9: unknown key `feilds` in collection `users`"
        );
    }

    #[test]
    fn a_mistake_about_a_whole_file_has_no_line() {
        assert!(error(0, None).to_string().starts_with("datamap/app.yml: unknown"));
    }
}
