//! What stands in the way of a decision on rows inside objects, and what a person should know before approving it, in words. Objects are named by
//! their place in the order of the keys, because a key may be somebody's name (S-1). Pure.

use crate::counted::counted;
use crate::datamap::RowPlace;
use crate::plan::Problem;

/// Objects that are named one by one.
const NAMED: usize = 3;

fn problem(place: &RowPlace, code: &str, problem: String, hint: &str) -> Problem {
    Problem { code: code.into(), subject: format!("{} ({})", place.name(), place.place), problem, hint: hint.into() }
}

pub(super) fn unread_place(place: &RowPlace, why: &str) -> Problem {
    let hint =
        "nothing is erased, because nobody knows which of these rows are the person's; `habeas doctor` tells what the source needs";
    problem(place, "objects_not_read", format!("the objects that hold these rows cannot be listed: {why}"), hint)
}

pub(super) fn unread_objects(place: &RowPlace, unread: &[String]) -> Problem {
    let named = unread[..unread.len().min(NAMED)].join("; ");
    let more = if unread.len() > NAMED { ", and further ones" } else { "" };
    let text = format!(
        "{} cannot be read as {}; in the order of their keys and versions, {named}{more}",
        counted(unread.len() as u64, "object", "objects"),
        place.format
    );
    let hint =
        "mend these objects, move what is no such file out of the prefix, or let the map name a narrower one; then plan again";
    problem(place, "rows_not_read", text, hint)
}

pub(super) fn too_many_names(place: &RowPlace) -> Problem {
    let hint = "let a field with fewer different values say whose a row is, such as the number of the account";
    problem(place, "too_many_row_names", "more than 10,000 values name this person's rows".into(), hint)
}

pub(super) fn unfit_files(place: &RowPlace, count: u64) -> Problem {
    let text = format!(
        "{} with rows of the person's: each is a link, or known under a second name (a hard link), and the old bytes would stay",
        counted(count, "file", "files")
    );
    problem(place, "object_not_erasable", text, "put the files themselves there, or remove the links; then plan again")
}

pub(super) fn names_set_aside(place: &RowPlace, count: u64) -> String {
    format!(
        "{}: {} of the person's {} in rows of others as well; rows inside objects that only have such a value are not taken for the person's",
        place.name(),
        counted(count, "value", "values"),
        if count == 1 { "stands" } else { "stand" }
    )
}

pub(super) fn leftover_uploads(place: &RowPlace, count: u64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{}: {} under keys that hold rows of the person: nobody can read what is in them, and they stay; a lifecycle rule of the bucket \
             ends them",
            place.name(),
            counted(count, "unfinished upload", "unfinished uploads")
        )
    })
}

pub(super) fn cold_gap(place: &RowPlace, count: u64) -> String {
    format!(
        "{}: {} in an archive class and must be restored before {} rows can be looked at",
        place.name(),
        counted(count, "object is", "objects are"),
        if count == 1 { "its" } else { "their" }
    )
}
