//! What the company holds for itself: accounts, sessions, bills, support threads, addresses, and a leftover that nobody remembers.

use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::people::{ADA, EVERYBODY, GRACE, HEDY, LINUS, MARGARET, Person, STRANGER_EMAIL, WORKERS};
use super::rows::{LAST_DAY, Row, at, stamp};
use super::sequence::Sequence;
use crate::args;

const INSERT_USER: &str = "INSERT INTO users (id, email, password_hash, full_name, locale, time_zone, api_key, created_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const INSERT_SESSION: &str =
    "INSERT INTO login_sessions (user_id, token_hash, ip, started_at, last_seen_at) VALUES ($1, $2, $3, $4, $5)";
const INSERT_INVOICE: &str = "INSERT INTO invoices \
     (id, number, user_id, billing_name, billing_address, total_cents, currency, paid, issued_on) \
     VALUES ($1, $2, $3, $4, $5, $6, 'EUR', $7, $8)";
const INSERT_PAYMENT: &str = "INSERT INTO payments (invoice_id, amount_cents, card_brand, card_last4, settled, paid_on) \
     VALUES ($1, $2, 'Visa', $3, $4, $5)";
const INSERT_INQUIRY: &str = "INSERT INTO support_inquiries (id, user_id, agent_id, contact_email, subject, opened_at, closed_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const INSERT_MESSAGE: &str = "INSERT INTO support_messages (id, inquiry_id, author_id, in_reply_to, from_agent, body, sent_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)";
const INSERT_SIGNUP: &str = "INSERT INTO newsletter_signups (email, consented_at, unsubscribed_at) VALUES ($1, $2, $3)";
const INSERT_INVITATION: &str = "INSERT INTO invitations (email, invited_by, sent_at, joined_at) VALUES ($1, $2, $3, $4)";
const INSERT_LEFTOVER: &str = "INSERT INTO legacy_import_log (imported_at, payload) VALUES ($1, $2)";

/// Accounts.
pub(super) fn users(rows: &mut Vec<Row>) {
    for person in EVERYBODY {
        let mut sequence = Sequence::new(person.id.unsigned_abs() ^ 0xACC0);
        // Only those who use the interface for programs have a key; the others' is NULL.
        let api_key = (person == ADA || person == GRACE).then(|| format!("sg_{}", sequence.letters(32)));
        rows.push(Row {
            insert: INSERT_USER,
            values: args![
                person.id,
                person.email,
                format!("$argon2id$v=19$m=65536,t=3,p=4${}", sequence.letters(43)),
                person.full_name,
                person.locale,
                person.time_zone,
                api_key,
                "2024-01-08 08:00:00",
            ],
        });
    }
}

/// Recent logins; one session is still open.
pub(super) fn sessions(rows: &mut Vec<Row>) {
    for person in WORKERS {
        let mut sequence = Sequence::new(person.id.unsigned_abs() ^ 0x5E55);
        for age in 0..6i64 {
            let started = at(LAST_DAY.saturating_sub((age * 4).days()), 7 * 60 + sequence.below(60));
            let seen = (age > 0).then(|| stamp(started.saturating_add(8.hours())));
            let ip = format!("203.0.113.{}", 10 + sequence.below(200));
            rows.push(Row { insert: INSERT_SESSION, values: args![person.id, sequence.letters(40), ip, stamp(started), seen] });
        }
    }
}

/// Bills. Grace's tell the whole story of retention: six within the statutory period, one past it, one never paid.
pub(super) fn bills(rows: &mut Vec<Row>) {
    let recent = |count: i64| (0..count).map(|number| (LAST_DAY.first_of_month().saturating_sub((number * 4).months()), true));
    let grace = [(date(2017, 3, 1), true), (date(2026, 11, 1), false)];
    bills_of(rows, ADA, 300, "12 St James's Square, London", &recent(8).collect::<Vec<_>>());
    bills_of(rows, GRACE, 400, "1 Moore Lane, Arlington", &recent(6).chain(grace).collect::<Vec<_>>());
    bills_of(rows, LINUS, 500, "Mannerheimintie 1, Helsinki", &recent(3).collect::<Vec<_>>());
}

fn bills_of(rows: &mut Vec<Row>, payer: Person, first_id: i64, address: &str, bills: &[(Date, bool)]) {
    for (id, (issued_on, paid)) in (first_id..).zip(bills) {
        let number = format!("SG-{}-{id}", issued_on.year());
        let total = 900 + (id % 5) * 300;
        rows.push(Row {
            insert: INSERT_INVOICE,
            values: args![id, number, payer.id, payer.full_name, address, total, *paid, issued_on.to_string()],
        });
        if *paid {
            let paid_on = issued_on.saturating_add(9.days()).to_string();
            rows.push(Row { insert: INSERT_PAYMENT, values: args![id, total, "0005", true, paid_on] });
        }
    }
}

/// Support threads: the customer asks, the agent replies, and so on, each message under the one before.
pub(super) fn support(rows: &mut Vec<Row>) {
    let inquiries = [
        (ADA, "Export to a spreadsheet", 3),
        (ADA, "Rounding of durations", 4),
        (GRACE, "Change of billing address", 3),
        (GRACE, "Timer does not stop", 5),
        (LINUS, "Dispute about overtime", 4),
    ];
    let mut message_id = 900;
    for (inquiry_id, (customer, subject, messages)) in (800i64..).zip(inquiries) {
        let opened = at(date(2026, 9, 1), (inquiry_id - 800) * 24 * 60 + 10 * 60);
        let closed = (customer != LINUS).then(|| stamp(opened.saturating_add(3.days())));
        let values = args![inquiry_id, customer.id, HEDY.id, customer.email, subject, stamp(opened), closed];
        rows.push(Row { insert: INSERT_INQUIRY, values });
        for number in 0..messages {
            let from_agent = number % 2 == 1;
            let author = (!from_agent).then_some(customer.id);
            let in_reply_to = (number > 0).then_some(message_id - 1);
            let body = match (number, from_agent) {
                (0, _) => format!("Hello, I have a question: {subject}. My account is {}.", customer.email),
                (_, true) => "Thank you for writing. We have looked into it; please try again.".to_owned(),
                (_, false) => "That helped, one more thing though.".to_owned(),
            };
            let sent = stamp(opened.saturating_add((i64::from(number) * 5).hours()));
            rows.push(Row {
                insert: INSERT_MESSAGE,
                values: args![message_id, inquiry_id, author, in_reply_to, from_agent, body, sent],
            });
            message_id += 1;
        }
    }
}

/// Addresses outside accounts: the newsletter and invitations.
pub(super) fn addresses(rows: &mut Vec<Row>) {
    let open: Option<&str> = None;
    for (email, unsubscribed) in
        [(ADA.email, open), (GRACE.email, open), (STRANGER_EMAIL, open), ("reader@example.net", Some("2026-02-02 07:00:00"))]
    {
        rows.push(Row { insert: INSERT_SIGNUP, values: args![email, "2025-05-04 12:00:00", unsubscribed] });
    }
    for (email, inviter, joined) in [
        (GRACE.email, ADA, Some("2024-01-08 08:00:00")),
        (LINUS.email, ADA, Some("2024-01-08 08:00:00")),
        (STRANGER_EMAIL, GRACE, open),
        ("colleague@example.org", ADA, open),
    ] {
        rows.push(Row { insert: INSERT_INVITATION, values: args![email, inviter.id, "2024-01-07 15:00:00", joined] });
    }
}

/// The log of an import that ran years ago. One line quotes a person who still has an account.
pub(super) fn leftovers(rows: &mut Vec<Row>) {
    for payload in [
        r#"{"file":"customers.csv","rows":3,"status":"ok"}"#.to_owned(),
        format!(r#"{{"row":2,"status":"duplicate","record":{{"mail":"{}","plan":"team"}}}}"#, MARGARET.email),
        r#"{"row":3,"status":"skipped","reason":"no address"}"#.to_owned(),
    ] {
        rows.push(Row { insert: INSERT_LEFTOVER, values: args!["2023-12-30 23:59:59", payload] });
    }
}
