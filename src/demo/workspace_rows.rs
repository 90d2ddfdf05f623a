//! What lies inside workspaces: members, projects, tasks, booked time, attendance, positions, pages opened.

use jiff::civil::Date;

use super::people::{ADA, GRACE, LINUS, MARGARET, Person, WORKERS};
use super::rows::{Row, at, stamp, working_days};
use super::sequence::Sequence;
use crate::args;
use crate::db::Arg;

/// Ada's workspace, in which everybody works.
const ENGINES: i64 = 1;
/// Grace's workspace; Ada is a member as well.
const COMPILERS: i64 = 2;

/// `(id, workspace, name, client)`.
const PROJECTS: [(i64, i64, &str, Option<&str>); 5] = [
    (11, ENGINES, "Difference Engine", Some("Royal Society")),
    (12, ENGINES, "Analytical Engine", None),
    (13, ENGINES, "Navigation", Some("Instrumentation Laboratory")),
    (21, COMPILERS, "Flow-Matic", Some("Remington")),
    (22, COMPILERS, "Documentation", None),
];

const TITLES: [&str; 3] = ["Design review", "Implementation", "Acceptance test"];

const DESCRIPTIONS: [&str; 12] = [
    "Reviewed the drawings of the mill",
    "Wrote test cards",
    "Planning for next week",
    "Call with the client",
    "Fixed the carry mechanism",
    "Measured run times",
    "Wrote the user guide, chapter on loops",
    "Traced a defect to a loose relay",
    "Answered questions of the new colleague",
    "On site: installed the printer",
    "Sketched the interface, \"second draft\"",
    "Clean-up; moved notes to the archive",
];

const PATHS: [&str; 6] = ["/timer", "/reports/weekly", "/projects", "/settings/profile", "/integrations/calendar", "/attendance"];

const INSERT_WORKSPACE: &str = "INSERT INTO workspaces (id, name, owner_id, created_at) VALUES ($1, $2, $3, $4)";
const INSERT_MEMBER: &str = "INSERT INTO members (workspace_id, user_id, role, joined_at) VALUES ($1, $2, $3, $4)";
const INSERT_PROJECT: &str = "INSERT INTO projects (id, workspace_id, name, client) VALUES ($1, $2, $3, $4)";
const INSERT_TASK: &str = "INSERT INTO tasks (id, project_id, title, assignee_id) VALUES ($1, $2, $3, $4)";
const INSERT_ENTRY: &str = "INSERT INTO time_entries \
     (user_id, workspace_id, project_id, task_id, started_at, ended_at, description, billable, approved_by) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const INSERT_ATTENDANCE: &str = "INSERT INTO attendance (user_id, workspace_id, day, clocked_in, clocked_out, note) \
     VALUES ($1, $2, $3, $4, $5, $6)";
const INSERT_POINT: &str =
    "INSERT INTO gps_points (user_id, recorded_at, latitude, longitude, accuracy_m) VALUES ($1, $2, $3, $4, $5)";
const INSERT_USAGE: &str = "INSERT INTO usage_events (user_id, at, ip, path, user_agent) VALUES ($1, $2, $3, $4, $5)";

/// Workspaces with their members, projects and tasks.
pub(super) fn workspaces(rows: &mut Vec<Row>) {
    let opened = "2024-01-08 08:00:00";
    for (id, name, owner) in [(ENGINES, "Engines", ADA), (COMPILERS, "Compilers", GRACE)] {
        rows.push(Row { insert: INSERT_WORKSPACE, values: args![id, name, owner.id, opened] });
    }
    for (workspace, person, role) in [
        (ENGINES, ADA, "owner"),
        (ENGINES, GRACE, "engineer"),
        (ENGINES, LINUS, "engineer"),
        (ENGINES, MARGARET, "engineer"),
        (COMPILERS, GRACE, "owner"),
        (COMPILERS, ADA, "reviewer"),
    ] {
        rows.push(Row { insert: INSERT_MEMBER, values: args![workspace, person.id, role, opened] });
    }
    for (id, workspace, name, client) in PROJECTS {
        rows.push(Row { insert: INSERT_PROJECT, values: args![id, workspace, name, client] });
    }
    for (project, _, _, _) in PROJECTS {
        for (number, title) in (0i64..).zip(TITLES) {
            // The last task of each project has nobody yet.
            let assignee = match number {
                0 => Some(ADA.id),
                1 => Some(if project % 2 == 0 { LINUS.id } else { GRACE.id }),
                _ => None,
            };
            rows.push(Row { insert: INSERT_TASK, values: args![task_id(project, number), project, title, assignee] });
        }
    }
}

fn task_id(project: i64, number: i64) -> i64 {
    project * 10 + number
}

/// What each person left behind on each of their working days.
pub(super) fn bookings(rows: &mut Vec<Row>) {
    for person in WORKERS {
        let mut sequence = Sequence::new(person.id.unsigned_abs());
        for (days_ago, day) in (0i64..).zip(working_days(person.working_days)) {
            time_entries(rows, &mut sequence, person, day, days_ago);
            attendance(rows, &mut sequence, person, day, days_ago);
            positions(rows, &mut sequence, person, day);
            usage(rows, &mut sequence, person, day);
        }
    }
}

fn time_entries(rows: &mut Vec<Row>, sequence: &mut Sequence, person: Person, day: Date, days_ago: i64) {
    let mut minute = 8 * 60 + sequence.below(45);
    for number in 0..3 {
        let (project, workspace, ..) = project_of(sequence, person);
        let task = (number < 2).then(|| task_id(project, sequence.below(3)));
        let length = 45 + sequence.below(90);
        // A timer is still running in the evening of the last day.
        let ended = (days_ago > 0 || number < 2).then(|| stamp(at(day, minute + length)));
        rows.push(Row {
            insert: INSERT_ENTRY,
            values: args![
                person.id,
                workspace,
                project,
                task,
                stamp(at(day, minute)),
                ended,
                sequence.pick(&DESCRIPTIONS),
                sequence.below(4) > 0,
                approver(person, days_ago, number),
            ],
        });
        minute += length + 10 + sequence.below(30);
    }
}

/// Months that are closed have been approved: Ada approves the others' entries, Grace a sample of Ada's.
fn approver(person: Person, days_ago: i64, number: i64) -> Option<i64> {
    match person {
        _ if days_ago < 15 => None,
        ADA => (number == 0 && days_ago % 5 == 0).then_some(GRACE.id),
        _ => Some(ADA.id),
    }
}

fn project_of(sequence: &mut Sequence, person: Person) -> (i64, i64, &'static str, Option<&'static str>) {
    let everywhere = person == ADA || person == GRACE;
    sequence.pick(if everywhere { &PROJECTS[..] } else { &PROJECTS[..3] })
}

fn attendance(rows: &mut Vec<Row>, sequence: &mut Sequence, person: Person, day: Date, days_ago: i64) {
    let came = at(day, 7 * 60 + 30 + sequence.below(30));
    let left = (days_ago > 0).then(|| stamp(at(day, 16 * 60 + sequence.below(90))));
    let note = (sequence.below(12) == 0).then_some("Left early, dentist");
    let values = args![person.id, ENGINES, day.to_string(), stamp(came), left, note];
    rows.push(Row { insert: INSERT_ATTENDANCE, values });
}

fn positions(rows: &mut Vec<Row>, sequence: &mut Sequence, person: Person, day: Date) {
    for _ in 0..2 {
        let moment = stamp(at(day, 9 * 60 + sequence.below(7 * 60)));
        // Vienna and around; one part in a hundred thousand of a degree is about a metre.
        let latitude = 48.2 + degrees(sequence.below(10_000));
        let longitude = 16.3 + degrees(sequence.below(10_000));
        let values = args![person.id, moment, latitude, longitude, 4 + sequence.below(30)];
        rows.push(Row { insert: INSERT_POINT, values });
    }
}

fn degrees(hundred_thousandths: i64) -> f64 {
    i32::try_from(hundred_thousandths).map_or(0.0, f64::from) / 100_000.0
}

fn usage(rows: &mut Vec<Row>, sequence: &mut Sequence, person: Person, day: Date) {
    for _ in 0..2 {
        let moment = stamp(at(day, 8 * 60 + sequence.below(9 * 60)));
        // 203.0.113.0/24 is set aside for documentation (RFC 5737).
        let ip = format!("203.0.113.{}", 10 + sequence.below(200));
        let agent = sequence.pick(&["Mozilla/5.0 (X11; Linux x86_64)", "Sandglass/7.2 (Android)"]);
        let values: Vec<Arg> = args![person.id, moment, ip, sequence.pick(&PATHS), agent];
        rows.push(Row { insert: INSERT_USAGE, values });
    }
}
