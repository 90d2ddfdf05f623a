//! Two owners of the same rows who are erased at the same moment: both plans are frozen while the other is still there. Whoever comes second
//! takes the rows along, a third owner keeps them, a hold keeps them as they are, and no answer says more than what has happened (O-1, E-1,
//! H-1, V-1).

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::support::binary::{Running, Said};
use super::support::database::Database;
use super::support::laws::*;
use super::support::skipped;
use super::support::workspace::Workspace;

fn grace() -> Value {
    json!({"email": "grace@example.com"})
}

/// Who goes first when both plans are frozen.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    AdaFirst,
    GraceFirst,
    AtOnce,
}

const ORDERS: [Order; 3] = [Order::AdaFirst, Order::GraceFirst, Order::AtOnce];

/// Whether the program under test can be stopped at a place; says so where it cannot.
fn can_stop() -> bool {
    let can = cfg!(feature = "failpoints");
    if !can {
        skipped("--features failpoints");
    }
    can
}

/// An erasure whose plan is frozen, and that has touched nothing yet.
struct Frozen {
    run: Running,
    barrier: PathBuf,
}

impl Frozen {
    fn at(workspace: &Workspace, subject: &Value, place: &str, barrier: &str) -> Frozen {
        let barrier = workspace.path(barrier);
        std::fs::create_dir_all(&barrier).expect("a folder");
        let run = workspace
            .habeas("run - --json --no-input")
            .input(erasure_of(subject).to_string())
            .env("HABEAS_FAILPOINT", format!("{place}@{}", barrier.display()))
            .start();
        let mut frozen = Frozen { run, barrier };
        let here = frozen.barrier.join(format!("{}.here", frozen.run.pid()));
        if !frozen.run.until(Duration::from_secs(60), || here.exists()) {
            panic!("it does not come to {place}: {:?}", frozen.run.finish());
        }
        frozen
    }

    fn go(&self) {
        std::fs::write(self.barrier.join("go"), b"").expect("a file");
    }

    fn finish(self) -> Said {
        self.run.finish()
    }
}

/// Freezes both erasures and lets them run; the answers of Ada's and of Grace's. What happens `between` comes after the first, where one is.
fn both(workspace: &Workspace, order: Order, between: impl FnOnce()) -> (Said, Said) {
    let ada = Frozen::at(workspace, &ada(), "erase-before-permit", "ada");
    let grace = Frozen::at(workspace, &grace(), "erase-before-permit", "grace");
    let one_after_the_other = |first: Frozen, second: Frozen, between: &mut dyn FnMut()| {
        first.go();
        let first = first.finish();
        between();
        second.go();
        (first, second.finish())
    };
    let mut between = Some(between);
    let mut between = || between.take().expect("once")();
    match order {
        Order::AdaFirst => one_after_the_other(ada, grace, &mut between),
        Order::GraceFirst => {
            let (grace, ada) = one_after_the_other(grace, ada, &mut between);
            (ada, grace)
        }
        Order::AtOnce => {
            ada.go();
            grace.go();
            (ada.finish(), grace.finish())
        }
    }
}

/// Both say that they are complete, in certificates that hold.
#[track_caller]
fn both_complete(workspace: &Workspace, order: Order, (ada, grace): (Said, Said)) -> (Value, Value) {
    let one = |who: &str, said: Said| {
        assert_eq!(said.code, Some(0), "{who}, {order:?}\n--- stdout\n{}\n--- stderr\n{}", said.stdout, said.stderr);
        let answer = said.json();
        assert_eq!((&answer["status"], &answer["certificate"]["outcome"]), (&json!("completed"), &json!("complete")), "{answer}");
        let path = answer["certificate"]["path"].as_str().expect("a path");
        workspace.habeas(&format!("certificate verify {path} --key keys/signing.pub")).run().code(0);
        answer
    };
    (one("Ada", ada), one("Grace", grace))
}

fn both_go(workspace: &Workspace, order: Order) -> (Value, Value) {
    let said = both(workspace, order, || {});
    both_complete(workspace, order, said)
}

/// How many rows of a collection an answer says to have been deleted or overwritten, and to be kept for others.
fn told(answer: &Value, collection: &str, disposition: &str) -> (u64, u64) {
    let number = |value: &Value| value.as_u64().expect("a number");
    let items = items(answer, collection);
    let affected = items.iter().filter(|item| item["disposition"] == disposition).map(|item| number(&item["affected"])).sum();
    let retained = items.iter().flat_map(|item| item["retained"].as_array().expect("a list"));
    let shared = retained.filter(|kept| kept["ground"] == "shared").map(|kept| number(&kept["count"])).sum();
    (affected, shared)
}

/// A world for each order and database.
fn worlds(tables: &str, collections: &[String]) -> Vec<(Order, Workspace)> {
    let script = format!("{PEOPLE}\n{tables}");
    let on_each = |order: Order| Workspace::on_each(&script, &map(collections)).into_iter().map(move |world| (order, world));
    ORDERS.into_iter().flat_map(on_each).collect()
}

const MESSAGES: &str = "CREATE TABLE messages (id INTEGER PRIMARY KEY, sender INTEGER, recipient INTEGER, body TEXT);
    INSERT INTO messages VALUES (1, 1, 2, 'of both'), (2, 2, 1, 'of both'), (3, 1, NULL, 'hers'), (4, 2, NULL, 'his'),
        (5, 1, 3, 'hers and of one who stays'), (6, 3, 2, 'his and of one who stays'), (7, 1, 1, 'hers twice'), (8, 3, NULL, 'of the third');";

fn messages(habeas: &str) -> String {
    let fields = [KEY, &to_user("sender", ""), &to_user("recipient", ""), "name: body"];
    collection("messages", habeas, &fields)
}

#[test]
fn e_1_of_two_owners_who_are_erased_at_the_same_moment_the_second_takes_the_row_along() {
    if !can_stop() {
        return;
    }
    for (order, workspace) in worlds(MESSAGES, &[messages("on_erasure: delete"), users()]) {
        let (ada, grace) = both_go(&workspace, order);
        assert_eq!(numbers(&workspace, "messages", "id"), [5, 6, 8], "{order:?}: {ada} {grace}");
        assert_eq!(workspace.database.count("messages WHERE id = 5 AND sender IS NULL AND recipient = 3"), 1);
        assert_eq!(workspace.database.count("messages WHERE id = 6 AND sender = 3 AND recipient IS NULL"), 1);
        assert_eq!(numbers(&workspace, "users", "id"), [3]);
        // Each answer says of the messages of both what its own run did to them.
        let (of_ada, of_grace) = (told(&ada, "messages", "erase"), told(&grace, "messages", "erase"));
        match order {
            Order::AdaFirst => assert_eq!((of_ada, of_grace), ((2, 3), (3, 1)), "{ada} {grace}"),
            Order::GraceFirst => assert_eq!((of_ada, of_grace), ((4, 1), (1, 3)), "{ada} {grace}"),
            // Three of theirs alone and two of both, each of which exactly one of them has erased.
            Order::AtOnce => assert_eq!(of_ada.0 + of_grace.0, 5, "{ada} {grace}"),
        }
    }
}

/// The first is in the middle of it, its change made and not committed, when the second comes to the same row.
#[test]
fn e_1_a_second_owner_who_comes_while_the_first_has_not_committed_waits_and_then_takes_the_row_along() {
    if !can_stop() {
        return;
    }
    for (_, workspace) in
        worlds(MESSAGES, &[messages("on_erasure: delete"), users()]).into_iter().filter(|(order, _)| *order == Order::AtOnce)
    {
        let grace = Frozen::at(&workspace, &grace(), "erase-before-permit", "grace");
        let ada = Frozen::at(&workspace, &ada(), "erase-before-source-commit", "ada");
        grace.go();
        std::thread::sleep(Duration::from_millis(500));
        ada.go();
        let said = (ada.finish(), grace.finish());
        both_complete(&workspace, Order::AtOnce, said);
        assert_eq!(numbers(&workspace, "messages", "id"), [5, 6, 8]);
    }
}

#[test]
fn e_1_what_belongs_to_a_row_of_both_goes_with_the_second() {
    if !can_stop() {
        return;
    }
    let tables = "CREATE TABLE albums (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER);
                  CREATE TABLE photos (id INTEGER PRIMARY KEY, album_id INTEGER, uploader INTEGER);
                  INSERT INTO albums VALUES (1, 1, NULL), (2, 1, 2), (3, 2, NULL);
                  INSERT INTO photos VALUES (10, 1, 1), (20, 2, 1), (21, 2, 2), (22, 2, NULL), (23, 2, 3), (30, 3, 2), (31, 3, 1), (11, 1, 2);";
    let albums = collection("albums", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", "")]);
    let photos = collection("photos", "on_erasure: delete", &[KEY, &refers("album_id", "albums.id", ""), &to_user("uploader", "")]);
    for (order, workspace) in worlds(tables, &[albums.clone(), photos.clone(), users()]) {
        both_go(&workspace, order);
        assert_eq!(numbers(&workspace, "albums", "id"), [] as [i64; 0], "{order:?}");
        assert_eq!(numbers(&workspace, "photos", "id"), [23], "the third owns it: {order:?}");
        assert_eq!(workspace.database.count("photos WHERE uploader = 3 AND album_id IS NULL"), 1, "{order:?}");
    }
}

#[test]
fn e_1_two_who_are_named_in_columns_of_one_row_and_erased_at_once_leave_no_row_of_nobody() {
    if !can_stop() {
        return;
    }
    let tables = "CREATE TABLE letters (id INTEGER PRIMARY KEY, from_mail TEXT, to_mail TEXT, reader INTEGER, body TEXT);
                  INSERT INTO letters VALUES (1, 'ada@example.com', 'grace@example.com', NULL, 'of both'),
                      (2, 'grace@example.com', NULL, 1, 'of both'), (3, 'ada@example.com', 'hedy@example.com', NULL, 'a third is named'),
                      (4, 'ada@example.com', NULL, NULL, 'hers'), (5, 'ada@example.com', 'ada@example.com', 2, 'of both'),
                      (6, NULL, NULL, NULL, 'of nobody before');";
    let mail = "fides_meta: {identity: email}";
    let fields =
        [KEY, &format!("name: from_mail, {mail}"), &format!("name: to_mail, {mail}"), &to_user("reader", ""), "name: body"];
    let letters = collection("letters", "on_erasure: delete", &fields);
    for (order, workspace) in worlds(tables, &[letters.clone(), users()]) {
        both_go(&workspace, order);
        assert_eq!(numbers(&workspace, "letters", "id"), [3, 6], "{order:?}");
        assert_eq!(workspace.database.count("letters WHERE id = 3 AND from_mail IS NULL AND to_mail = 'hedy@example.com'"), 1);
    }
}

#[test]
fn e_1_two_who_are_named_inside_json_and_erased_at_once_leave_no_row_of_nobody() {
    if !can_stop() {
        return;
    }
    let tables = r#"CREATE TABLE boards (id INTEGER PRIMARY KEY, members JSON, readers JSON, lead INTEGER, title TEXT);
        INSERT INTO boards VALUES (1, '{"ids": [1, 2]}', NULL, NULL, 'of both'), (2, '{"ids": [1]}', '{"ids": [2]}', NULL, 'of both'),
            (3, '{"ids": [2]}', NULL, 1, 'of both'), (4, '{"ids": [1, 2, 3]}', '{"ids": [1]}', 2, 'of a third'),
            (5, '{"ids": [1]}', NULL, 1, 'hers'), (6, '{"ids": [3]}', NULL, NULL, 'his'), (7, '{"ids": [1, 2]}', '{"ids": [2, 1]}', 1, 'of both');"#;
    let column = |name: &str| {
        format!(
            "name: {name}, fields: [{{name: ids, fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}}}]"
        )
    };
    let fields = [KEY, &column("members"), &column("readers"), &to_user("lead", ""), "name: title"];
    let boards = collection("boards", "on_erasure: delete", &fields);
    let script = format!("{PEOPLE}\n{tables}");
    let on_both = |order: Order| Workspace::on_both(&script, &map(&[boards.clone(), users()])).into_iter().map(move |w| (order, w));
    for (order, workspace) in ORDERS.into_iter().flat_map(on_both) {
        both_go(&workspace, order);
        assert_eq!(numbers(&workspace, "boards", "id"), [4, 6], "{order:?}");
        let left = |column: &str| -> Value {
            let text = workspace.database.text(&format!("SELECT CAST({column} AS TEXT) AS value FROM boards WHERE id = 4"));
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!((left("members"), left("readers")), (json!({"ids": [null, null, 3]}), json!({"ids": [null]})));
        assert_eq!(workspace.database.count("boards WHERE id = 4 AND lead IS NULL"), 1);
    }
}

#[test]
fn e_1_rows_of_both_that_are_to_be_overwritten_are_overwritten_by_the_second() {
    if !can_stop() {
        return;
    }
    let text = "fides_meta: {masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: gone}}}";
    let fields = [KEY, &to_user("sender", ""), &to_user("recipient", ""), &format!("name: body, {text}")];
    let messages = collection("messages", "on_erasure: mask", &fields);
    for (order, workspace) in worlds(MESSAGES, &[messages.clone(), users()]) {
        let (ada, grace) = both_go(&workspace, order);
        assert_eq!(workspace.database.count("messages WHERE body = 'gone'"), 5, "{order:?}: {ada} {grace}");
        assert_eq!(workspace.database.count("messages WHERE id IN (5, 6, 8) AND body <> 'gone'"), 3, "others have a part in them");
        assert_eq!(told(&ada, "messages", "mask").0 + told(&grace, "messages", "mask").0, 5, "{ada} {grace}");
    }
}

/// Of two people one owns the other's record: the record is looked at in the end, when all else of its person is gone.
#[test]
fn e_1_a_record_of_a_person_that_another_owns_too_goes_with_the_second() {
    if !can_stop() {
        return;
    }
    let tables = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT, manager INTEGER);
                  CREATE TABLE posts (id INTEGER PRIMARY KEY, author INTEGER);
                  INSERT INTO accounts VALUES (1, 'ada@example.com', NULL), (2, 'grace@example.com', 1), (3, 'linus@example.com', 1);
                  INSERT INTO posts VALUES (10, 1), (20, 2), (30, 3);";
    let accounts = collection(
        "accounts",
        "on_erasure: delete",
        &[KEY, "name: email, fides_meta: {identity: email}", &refers("manager", "accounts.id", "")],
    );
    let posts = collection("posts", "on_erasure: delete", &[KEY, &refers("author", "accounts.id", "")]);
    for order in ORDERS {
        for workspace in Workspace::on_each(tables, &map(&[posts.clone(), accounts.clone()])) {
            both_go(&workspace, order);
            assert_eq!(numbers(&workspace, "accounts", "id"), [3], "{order:?}");
            assert_eq!(workspace.database.count("accounts WHERE id = 3 AND manager IS NULL AND email IS NOT NULL"), 1);
            assert!(numbers(&workspace, "posts", "id").contains(&30), "{order:?}");
        }
    }
}

#[test]
fn h_1_a_hold_that_comes_between_two_owners_keeps_the_row_as_the_first_has_left_it() {
    if !can_stop() {
        return;
    }
    for (order, workspace) in worlds(MESSAGES, &[messages("on_erasure: delete"), users()]) {
        if order == Order::AtOnce {
            continue;
        }
        configure(&workspace, "holds: {grace_days: 0}");
        let record = json!({"record": {"dataset": "app", "collection": "messages", "key": ["1"]}});
        let mut placed = String::new();
        let (ada, grace) = both(&workspace, order, || placed = hold(&workspace, "M-1", &record));
        let second = if order == Order::AdaFirst { grace.code(3).json() } else { ada.code(3).json() };
        assert_eq!(second["status"], "partial", "{second}");
        assert_eq!(numbers(&workspace, "messages", "id"), [1, 5, 6, 8], "{order:?}: {second}");
        let tie = if order == Order::AdaFirst { "sender IS NULL AND recipient = 2" } else { "sender = 1 AND recipient IS NULL" };
        assert_eq!(workspace.database.count(&format!("messages WHERE id = 1 AND body = 'of both' AND {tie}")), 1);
        for person in ["grace", "linus"] {
            workspace.habeas(&format!("hold release {placed} --by {person}")).run().code(0);
        }
        workspace.habeas("sweep").run().code(0);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(numbers(&workspace, "messages", "id"), [5, 6, 8], "the hold is gone, and nobody owns it: {order:?}");
        let requests = workspace.habeas("request list --json").run().code(0).json();
        assert!(requests.as_array().expect("a list").iter().all(|request| request["status"] == "completed"), "{requests}");
    }
}

/// Two people approve two plans; then both are carried out, by two workers that have frozen them in the same moment.
#[test]
fn e_1_approved_plans_of_two_owners_are_carried_out_by_two_workers() {
    if !can_stop() {
        return;
    }
    for workspace in Workspace::on_each(&format!("{PEOPLE}\n{MESSAGES}"), &map(&[messages("on_erasure: delete"), users()])) {
        let submit = |subject: &Value| {
            let job = json!({"kind": "erasure", "subject": subject, "approval": "one"});
            workspace.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned()
        };
        let requests = [submit(&ada()), submit(&grace())];
        workspace.habeas("worker --once").run().code(0);
        let show = |request: &str| workspace.habeas(&format!("request show {request} --json")).run().code(0).json();
        for request in &requests {
            let digest = show(request)["plan_digest"].as_str().expect("a plan").to_owned();
            workspace.habeas(&format!("request approve {request} --by linus --digest {digest}")).run().code(0);
        }
        let barrier = workspace.path("barrier");
        std::fs::create_dir_all(&barrier).expect("a folder");
        let point = format!("erase-before-permit@{}", barrier.display());
        let worker = || workspace.habeas("worker --once --concurrency 1").env("HABEAS_FAILPOINT", &point).start();
        let mut workers = [worker(), worker()];
        for worker in &mut workers {
            let here = barrier.join(format!("{}.here", worker.pid()));
            assert!(worker.until(Duration::from_secs(60), || here.exists()), "both have a plan frozen");
        }
        std::fs::write(barrier.join("go"), b"").expect("a file");
        for worker in workers {
            worker.finish().code(0);
        }
        for request in &requests {
            let answer = show(request);
            assert_eq!(
                (&answer["status"], &answer["certificate"]["outcome"]),
                (&json!("completed"), &json!("complete")),
                "{answer}"
            );
        }
        assert_eq!(numbers(&workspace, "messages", "id"), [5, 6, 8]);
    }
}

fn ledger(folder: &Path) -> Database {
    Database::Sqlite(folder.join("habeas.db"))
}

/// The second is killed at every moment of what it does when it finds that the first has gone.
#[test]
fn e_3_a_second_owner_whose_erasure_is_killed_takes_the_row_along_all_the_same() {
    if !can_stop() {
        return;
    }
    let places = [
        "erase-before-permit",
        "erase-after-permit",
        "erase-before-source-commit",
        "erase-after-source-commit",
        "erase-after-close",
    ];
    let mut deaths: Vec<String> = places.iter().flat_map(|place| (1..=3).map(move |time| format!("{place}:{time}"))).collect();
    deaths.push("pass-before-ledger".to_owned());
    for death in deaths {
        for workspace in Workspace::on_both(&format!("{PEOPLE}\n{MESSAGES}"), &map(&[messages("on_erasure: delete"), users()])) {
            let frozen = workspace.habeas("run - --json --no-input").input(erasure_of(&grace()).to_string());
            assert_eq!(frozen.env("HABEAS_FAILPOINT", "erase-before-permit").run().code, None, "her plan is frozen");
            erase_ada(&workspace).code(0);
            let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", &death).run();
            assert_eq!(died.code, None, "{death} is passed: {died:?}");
            workspace.habeas("worker --once").run().code(0);
            assert_eq!(numbers(&workspace, "messages", "id"), [5, 6, 8], "{death}");
            assert_eq!(numbers(&workspace, "users", "id"), [3], "{death}");
            let requests = workspace.habeas("request list --json").run().code(0).json();
            assert!(
                requests.as_array().expect("a list").iter().all(|request| request["status"] == "completed"),
                "{death}: {requests}"
            );
            let ledger = ledger(workspace.root());
            assert_eq!(ledger.count("certificate"), 2, "{death}");
            assert_eq!(ledger.count("permit WHERE outcome IS NULL OR outcome = 'unknown'"), 0, "E-2: {death}");
        }
    }
}

const TEAMS: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE memberships (team_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (team_id, user_id));
    CREATE TABLE files (id INTEGER PRIMARY KEY, team_id INTEGER, name TEXT);
    INSERT INTO teams VALUES (7, 'of both'), (8, 'of a third too'), (9, 'his');
    INSERT INTO memberships VALUES (7, 1), (7, 2), (8, 1), (8, 2), (8, 3), (9, 2);
    INSERT INTO files VALUES (70, 7, 'of both'), (80, 8, 'of three'), (90, 9, 'his');";

fn teams() -> [String; 4] {
    let team = "name: team_id, fides_meta: {primary_key: true, references: [{dataset: app, field: teams.id, direction: to}]}, habeas: {right: owns}";
    let member = "name: user_id, fides_meta: {primary_key: true, references: [{dataset: app, field: users.id, direction: from}]}";
    [
        collection("files", "on_erasure: delete", &[KEY, &refers("team_id", "teams.id", ""), "name: name"]),
        collection("memberships", "on_erasure: delete", &[team, member]),
        collection("teams", "on_erasure: delete", &[KEY, "name: name"]),
        users(),
    ]
}

#[test]
fn e_1_what_a_group_owns_goes_with_the_second_of_its_last_two_members() {
    if !can_stop() {
        return;
    }
    for (order, workspace) in worlds(TEAMS, &teams()) {
        let (ada, grace) = both(&workspace, order, || {});
        let left = numbers(&workspace, "teams", "id");
        if order == Order::AtOnce && left == [7, 8] {
            // Neither could see the other go; then it is not called complete.
            let answers = [ada.run_to_end(), grace.run_to_end()];
            assert!(answers.iter().any(says_left_without_owner), "{answers:?}");
            continue;
        }
        both_complete(&workspace, order, (ada, grace));
        assert_eq!((left, numbers(&workspace, "files", "id")), (vec![8], vec![80]), "{order:?}");
        assert_eq!(workspace.database.count("memberships"), 1);
    }
}

fn says_left_without_owner(answer: &Value) -> bool {
    let is_told = |gap: &Value| gap["code"] == "left_without_owner" && gap["place"] == "app.teams" && gap["count"] == 1;
    answer["status"] == "partial"
        && answer["certificate"]["outcome"] == "partial"
        && answer["gaps"].as_array().expect("a list").iter().any(is_told)
}

/// Her membership is deleted and not yet committed when the other's goes: no statement of either sees that nobody is left.
#[test]
fn v_1_a_row_whose_last_two_owners_could_not_see_each_other_go_is_not_called_complete() {
    if !can_stop() {
        return;
    }
    let script = format!("{PEOPLE}\n{TEAMS}");
    let world = map(&teams());
    // SQLite has one writer, and on MariaDB the second deletion waits for the first: there the second sees the first.
    if let Some(workspace) = Workspace::postgres(&script, &world) {
        configure(&workspace, "limits: {permit_seconds: 60}");
        let ada = Frozen::at(&workspace, &ada(), "erase-before-source-commit:2", "ada");
        let said = run(&workspace, &erasure_of(&grace())).code(0).json();
        assert_eq!(said["certificate"]["outcome"], "complete", "she is a member still: {said}");
        ada.go();
        let said = ada.finish().code(3).json();
        assert!(says_left_without_owner(&said), "{said}");
        assert_eq!(numbers(&workspace, "teams", "id"), [7, 8]);
    }
}
