//! What stands in the way of a decision on objects, and what a person should know before approving it, in words. Pure.

use crate::connector::objects::ObjectSource;
use crate::counted::counted;
use crate::datamap::ObjectPlace;
use crate::plan::Problem;

/// Rows are the way to the objects that they name. Were they erased while the store cannot be read, nobody would ever find those objects again.
pub(super) fn unread_problem(place: &ObjectPlace, why: &str) -> Problem {
    Problem {
        code: "objects_not_read".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!("the objects that this person's rows name cannot be listed: {why}"),
        hint: "nothing is erased, because the rows are the only way to the objects; `habeas doctor` tells what the source needs"
            .into(),
    }
}

/// Were such an entry left and the row that names it erased, nobody would find it again.
pub(super) fn obstacle_problem(place: &ObjectPlace, obstacle: &str, count: u64) -> Problem {
    let what = match obstacle {
        "SymbolicLink" => "a link to somewhere else",
        _ => "known under a second name (a hard link)",
    };
    Problem {
        code: "object_not_erasable".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!(
            "{} of the person's that would have to go: each is {what}, and its bytes would stay",
            counted(count, "file", "files")
        ),
        hint: "put the files themselves there, or remove the links; then plan again".into(),
    }
}

/// One person's objects may be among another's.
pub(super) fn overlap_problem(place: &ObjectPlace, column: &str) -> Problem {
    Problem {
        code: "object_prefix_overlaps".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!(
            "values of `{column}` contain the separator that follows them in the prefix, so that one person's prefix may lie inside another's"
        ),
        hint: "name the objects by a column that cannot contain the separator, such as a number".into(),
    }
}

/// What could not be found out counts as held.
pub(super) fn unknown_locks(place: &str, count: u64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "{place}: of {count} objects it could not be found out whether they are locked, so that they count as held: the source needs the \
             rights to read legal holds and retention"
        )
    })
}

/// What a store's own settings mean for an erasure.
pub(super) fn warnings_of(store: &ObjectSource) -> Vec<String> {
    let mut warnings = Vec::new();
    let facts = &store.facts;
    if facts.mfa_delete {
        warnings.push(format!(
            "source `{}`: versions can be deleted only with a second factor, which has to be done by hand",
            store.name
        ));
    }
    warnings.extend(facts.copies.iter().map(|copy| format!("source `{}`: {copy} is not reached by this erasure", store.name)));
    warnings.extend(facts.unknown.iter().map(|what| format!("source `{}`: it could not be found out {what}", store.name)));
    warnings
}
