//! The words by which `discover` understands names: who is a person, who of them owns a row and who merely has to do with it, what
//! refers to a row of the same table. English, as schemas are written; a hint that data and people confirm.

/// Nouns of tables whose rows are people.
pub const PEOPLE: [&str; 33] = [
    "account",
    "admin",
    "applicant",
    "attendee",
    "author",
    "beneficiary",
    "candidate",
    "client",
    "contact",
    "customer",
    "donor",
    "driver",
    "employee",
    "guest",
    "lead",
    "member",
    "participant",
    "passenger",
    "patient",
    "person",
    "player",
    "profile",
    "recipient",
    "resident",
    "seller",
    "student",
    "subscriber",
    "teacher",
    "tenant",
    "user",
    "visitor",
    "volunteer",
    "worker",
];

/// People who work for the company: where a row names one of them and somebody else too, it is the other's row.
pub const STAFF: [&str; 9] = ["admin", "agent", "clerk", "employee", "moderator", "operator", "staff", "teacher", "worker"];

/// Roles of people in whose name a row is there.
pub const OWNERS: [&str; 23] = [
    "account",
    "applicant",
    "author",
    "booker",
    "buyer",
    "client",
    "contact",
    "creator",
    "customer",
    "donor",
    "from",
    "holder",
    "member",
    "owner",
    "patient",
    "payer",
    "person",
    "poster",
    "reporter",
    "requester",
    "sender",
    "submitter",
    "user",
];

/// Roles of people who have to do with a row that is somebody else's.
pub const OTHERS: [&str; 40] = [
    "agent",
    "approver",
    "assigned",
    "assignee",
    "banned",
    "bumper",
    "checker",
    "closer",
    "deleter",
    "destination",
    "edit",
    "editor",
    "employee",
    "handler",
    "inviter",
    "last",
    "lead",
    "locker",
    "manager",
    "moderator",
    "modifier",
    "operator",
    "parent",
    "primary",
    "publisher",
    "recipient",
    "referrer",
    "reportee",
    "responder",
    "reviewer",
    "shepherd",
    "staff",
    "supervisor",
    "target",
    "teacher",
    "to",
    "true",
    "updater",
    "verifier",
    "delete",
];

/// What others have done with a row, before `by`; every other participle makes the person its owner.
pub const DONE_BY_OTHERS: [&str; 20] = [
    "accepted",
    "approved",
    "assigned",
    "banned",
    "blocked",
    "cancelled",
    "changed",
    "checked",
    "closed",
    "confirmed",
    "deleted",
    "edited",
    "invited",
    "locked",
    "modified",
    "refused",
    "rejected",
    "reviewed",
    "updated",
    "verified",
];

/// What a person does, beside `user`-like words, that a column can be named after.
pub const PERSON_ROLES: [&str; 47] = [
    "agent",
    "approver",
    "assignee",
    "author",
    "beneficiary",
    "booker",
    "bumper",
    "buyer",
    "client",
    "closer",
    "contact",
    "creator",
    "customer",
    "deleter",
    "donor",
    "editor",
    "follower",
    "friend",
    "handler",
    "holder",
    "inviter",
    "invitee",
    "lead",
    "liker",
    "manager",
    "member",
    "mentor",
    "moderator",
    "modifier",
    "owner",
    "patient",
    "payer",
    "person",
    "poster",
    "publisher",
    "receiver",
    "recipient",
    "reportee",
    "reporter",
    "requester",
    "responder",
    "reviewer",
    "sender",
    "shepherd",
    "submitter",
    "updater",
    "user",
];

/// Words by which a row refers to another of its own table.
pub const OWN_TABLE: [&str; 12] =
    ["parent", "root", "reply", "original", "previous", "prev", "next", "moved", "replaced", "ancestor", "duplicate", "successor"];

/// Words of tables that say what kind of list it is and not of what.
pub const EMPTY_NOUNS: [&str; 8] = ["data", "info", "list", "main", "master", "record", "table", "tbl"];

/// Head nouns that many tables share: alone they name none.
pub const COMMON_HEADS: [&str; 20] = [
    "attempt", "cache", "data", "detail", "entry", "history", "info", "item", "key", "language", "log", "lookup", "map", "meta",
    "option", "relation", "state", "status", "type", "value",
];

/// Whether a list has a word.
pub fn has(list: &[&str], word: &str) -> bool {
    list.contains(&word)
}
