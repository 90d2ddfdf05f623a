//! What is known of an archive before its first row: who answers, who asked, what for. It ends up in `request.json`, `bag-info.txt` and
//! on the first page. The identifiers in it are personal data: they go inside the archive and nowhere else (S-1).

use jiff::Timestamp;

use crate::request::Kind;
use crate::subject::Identifier;

/// Everything that opens an archive.
#[derive(Debug, Clone)]
pub struct ArchiveHeader {
    /// Who answers.
    pub controller: Controller,
    /// What is answered.
    pub request: RequestInfo,
    /// When the archive is made: its date of name and the modification time of every entry. Equal input gives equal bytes.
    pub created: Timestamp,
    /// Version of this software.
    pub software_version: String,
}

/// The controller (Art. 4(7)), as the subject should see it.
#[derive(Debug, Clone, Default)]
pub struct Controller {
    /// Name of the organisation.
    pub name: String,
    /// Postal address.
    pub address: Option<String>,
    /// Where to write about personal data: an e-mail address or a URL.
    pub contact: Option<String>,
    /// The data protection officer.
    pub dpo: Option<String>,
    /// Whom to complain to (Art. 77).
    pub supervisory_authority: Option<SupervisoryAuthority>,
}

/// A supervisory authority (Art. 51).
#[derive(Debug, Clone, Default)]
pub struct SupervisoryAuthority {
    /// Its name.
    pub name: String,
    /// Its site.
    pub url: Option<String>,
}

/// The request that is answered.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Its id (a UUID).
    pub id: String,
    /// The short code that people use.
    pub code: String,
    /// Access or portability.
    pub kind: Kind,
    /// When it was received.
    pub received_at: Timestamp,
    /// The state of the data that was copied.
    pub as_of: Timestamp,
    /// Until when it must be answered (Art. 12(3)).
    pub due_at: Option<Timestamp>,
    /// Extended until, when it was.
    pub extended_until: Option<Timestamp>,
    /// By what the person was looked up, as they gave it.
    pub identifiers_used: Vec<Identifier>,
    /// How it was made sure that the person is who they say.
    pub identity_method: Option<String>,
    /// Language tag of the answer (BCP 47).
    pub answer_language: String,
}
