//! The people of the reference deployment. They are made up, so that their addresses may stand in source code; nobody else's may.
//! Each has a part in the story that the demo tells.

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// `users.id`. Unusual enough that its digits occur in no text of the database but where they mean this person.
    pub id: i64,
    /// Address, in lower case as the application stores it.
    pub email: &'static str,
    /// Full name.
    pub full_name: &'static str,
    /// BCP 47 tag.
    pub locale: &'static str,
    /// IANA time zone.
    pub time_zone: &'static str,
    /// Working days for which time was booked, back from the last day of the data.
    pub working_days: u16,
}

/// Takes her data along: asks for portability, and for access. Owns the workspace that the others share.
pub const ADA: Person = Person {
    id: 4107,
    email: "ada@example.com",
    full_name: "Ada Lovelace",
    locale: "en-GB",
    time_zone: "Europe/London",
    working_days: 150,
};

/// Closes her account: everything goes but the invoices that the law on accounting keeps.
pub const GRACE: Person = Person {
    id: 4219,
    email: "grace@example.com",
    full_name: "Grace Hopper",
    locale: "en-US",
    time_zone: "America/New_York",
    working_days: 140,
};

/// Asks for erasure too, but stands under a legal hold.
pub const LINUS: Person = Person {
    id: 4328,
    email: "linus@example.com",
    full_name: "Linus Benedict",
    locale: "fi-FI",
    time_zone: "Europe/Helsinki",
    working_days: 130,
};

/// Was imported from an older system, whose log still quotes her address: an erasure that cannot end complete.
pub const MARGARET: Person = Person {
    id: 4436,
    email: "margaret@example.com",
    full_name: "Margaret Hamilton",
    locale: "en-US",
    time_zone: "America/Chicago",
    working_days: 25,
};

/// Answers support inquiries: sees that she handled one, not who asked.
pub const HEDY: Person = Person {
    id: 4541,
    email: "hedy@sandglass.example",
    full_name: "Hedy Kiesler",
    locale: "de-AT",
    time_zone: "Europe/Vienna",
    working_days: 0,
};

/// Everybody with an account.
pub const EVERYBODY: [Person; 5] = [ADA, GRACE, LINUS, MARGARET, HEDY];

/// Those who book time.
pub const WORKERS: [Person; 4] = [ADA, GRACE, LINUS, MARGARET];

/// Has no account: known only because others invited him, and because he reads the newsletter.
pub const STRANGER_EMAIL: &str = "alan@example.org";
