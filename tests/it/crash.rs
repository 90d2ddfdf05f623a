//! Whatever moment the program dies at, the next worker brings the request to the end that it would have had: the same rows, the same answer,
//! one certificate or one archive, and nothing twice (E-2, E-3, Q-1).

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::support::database::Dump;
use super::support::dice::Dice;
use super::support::shop::{On, Shop, job};
use super::support::skipped;

/// Several batches: seven orders, two tickets, one ticket to clear, three visits and the customer.
const ORDERS: u32 = 7;
const SMALL_BATCHES: &str = "limits: {batch_rows: 3}\n";

/// Whether the program under test can be made to die at a place; says so where it cannot.
fn can_die() -> bool {
    let can = cfg!(feature = "failpoints");
    if !can {
        skipped("--features failpoints");
    }
    can
}

/// What an observer can tell of a finished request.
#[derive(Debug)]
struct End {
    source: Dump,
    status: Value,
    items: Value,
    open: Value,
    certificate: Value,
    has_archive: bool,
    once_in_journal: BTreeMap<String, usize>,
}

/// Looks at everything, and demands what is true of every end.
fn end_of(shop: &Shop, request: &str) -> End {
    let answer = shop.request(request);
    let mut source = shop.workspace.database.dump();
    source.values_mut().for_each(|rows| rows.sort_by_key(Value::to_string));

    assert_eq!(shop.ledger.count("job WHERE duty = 'answer' AND state <> 'done'"), 0, "the queue is done with it");
    assert_eq!(shop.ledger.count("permit WHERE outcome IS NULL OR outcome = 'unknown'"), 0, "E-2: every outcome is known");
    assert_eq!(shop.ledger.count("attempt WHERE ended_at IS NULL"), 0, "every attempt has an end");
    shop.habeas("journal verify").run().code(0);

    let archives = shop.names_in("archives");
    let has_archive = answer["archive"].is_object();
    assert_eq!(archives.len(), usize::from(has_archive), "one archive and nothing half-made: {archives:?}");
    if has_archive {
        let path = answer["archive"]["path"].as_str().expect("a path");
        shop.habeas(&format!("archive verify {path}")).run().code(0);
    }

    let certificates = shop.names_in("certificates");
    let has_certificate = answer["certificate"].is_object();
    assert_eq!(shop.ledger.count("certificate"), u64::from(has_certificate));
    assert_eq!(certificates.len(), 3 * usize::from(has_certificate), "a certificate, its zip, its opening: {certificates:?}");
    if has_certificate {
        let path = answer["certificate"]["path"].as_str().expect("a path");
        shop.habeas(&format!("certificate verify {path} --key keys/signing.pub")).run().code(0);
    }

    let manifests = shop.names_in("spool").len();
    assert_eq!(shop.ledger.count("execution WHERE manifest_file IS NOT NULL"), manifests as u64, "no manifest that nobody knows");

    let mut once_in_journal = BTreeMap::new();
    for kind in shop.journal() {
        if ["plan_frozen", "certificate_issued", "archive_published"].contains(&kind.as_str()) {
            *once_in_journal.entry(kind).or_default() += 1;
        }
    }
    End {
        source,
        status: answer["status"].clone(),
        items: answer["items"].clone(),
        open: json!([answer["gaps"], answer["pending"], answer["residue"]]),
        certificate: json!([answer["certificate"]["outcome"], answer["certificate"]["level"]]),
        has_archive,
        once_in_journal,
    }
}

/// Compares two ends part by part, so that a failure is short enough to read.
#[track_caller]
fn assert_same(end: &End, expected: &End, circumstances: &str) {
    assert_eq!(end.source, expected.source, "{circumstances}");
    let (items, expected_items) = (end.items.as_array().expect("a list"), expected.items.as_array().expect("a list"));
    for (item, expected) in items.iter().zip(expected_items) {
        assert_eq!(item, expected, "{circumstances}");
    }
    assert_eq!(items.len(), expected_items.len(), "{circumstances}");
    let rest =
        |end: &End| (end.status.clone(), end.open.clone(), end.certificate.clone(), end.has_archive, end.once_in_journal.clone());
    assert_eq!(rest(end), rest(expected), "{circumstances}");
}

/// A request that nobody disturbs.
struct Undisturbed {
    end: End,
    batches: u64,
    took: Duration,
}

fn undisturbed(on: On, kind: &str, orders: u32, config: &str) -> Option<Undisturbed> {
    let shop = Shop::open(on, orders, config)?;
    let request = shop.submit(&job(kind));
    let started = Instant::now();
    shop.habeas("worker --once").run().code(0);
    let took = started.elapsed();
    let end = end_of(&shop, &request);
    assert_eq!(end.status, "completed", "{end:?}");
    Some(Undisturbed { end, batches: shop.ledger.count("permit"), took })
}

/// Dies at a place, comes back, and is compared. Whether the place was passed so often at all.
fn dies_at(on: On, kind: &str, place: &str, expected: &End) -> bool {
    let shop = Shop::open(on, ORDERS, SMALL_BATCHES).expect("it opened before");
    let request = shop.submit(&job(kind));
    let died = shop.habeas("worker --once").env("HABEAS_FAILPOINT", place).run();
    let reached = died.code.is_none();
    assert!(reached || died.code == Some(0), "{place}: {died:?}");
    assert_eq!(reached, died.stderr.contains("the process ends here"), "{place}: {}", died.stderr);
    shop.habeas("worker --once").run().code(0);
    assert_same(&end_of(&shop, &request), expected, &format!("{kind} on {on:?}, died at {place}"));
    reached
}

/// The places as their own file lists them, so that no new one is forgotten here.
fn places() -> Vec<&'static str> {
    let source = include_str!("../../src/failpoint.rs");
    let list = source.split("All places:").nth(1).and_then(|rest| rest.split("\n\n").next().or(Some(rest)));
    let list = list.and_then(|list| list.split("/// ").next()).expect("the list of places");
    list.split('`').skip(1).step_by(2).collect()
}

fn applies(place: &str, kind: &str) -> bool {
    match place {
        "answer-before-settle" => true,
        place => place.starts_with("export-") == (kind == "portability"),
    }
}

fn every_place(on: On, kind: &str) {
    if !can_die() {
        return;
    }
    let Some(Undisturbed { end: expected, batches, .. }) = undisturbed(on, kind, ORDERS, SMALL_BATCHES) else { return };
    let places: Vec<&str> = places().into_iter().filter(|place| applies(place, kind)).collect();
    assert!(!places.is_empty());
    for place in places {
        // A second pass has a place of its own, and a test below.
        let expect_reached = place != "pass-before-ledger";
        assert_eq!(dies_at(on, kind, place, &expected), expect_reached, "{place} is passed");
        if place.starts_with("erase-") {
            assert!(batches > 4, "several batches");
            assert!(dies_at(on, kind, &format!("{place}:2"), &expected), "{place} is passed twice");
            assert!(dies_at(on, kind, &format!("{place}:{batches}"), &expected), "{place} is passed for the person's own row");
        }
    }
}

#[test]
fn e_3_an_erasure_that_dies_anywhere_ends_as_if_it_had_not_on_sqlite() {
    every_place(On::Sqlite, "erasure");
}

#[test]
fn e_3_an_erasure_that_dies_anywhere_ends_as_if_it_had_not_on_postgres() {
    every_place(On::Postgres, "erasure");
}

#[test]
fn e_3_an_export_that_dies_anywhere_ends_as_if_it_had_not() {
    every_place(On::Sqlite, "portability");
    every_place(On::Postgres, "portability");
}

#[test]
fn e_3_an_operator_run_that_dies_is_finished_by_the_next_worker() {
    if !can_die() {
        return;
    }
    for on in On::ALL {
        let Some(Undisturbed { end: expected, .. }) = undisturbed(on, "erasure", ORDERS, SMALL_BATCHES) else { continue };
        let shop = Shop::open(on, ORDERS, SMALL_BATCHES).expect("it opened before");
        let path = shop.workspace.job("erasure", &job("erasure"));
        let call = format!("run {} --no-input", path.display());
        let died = shop.habeas(&call).env("HABEAS_FAILPOINT", "erase-after-source-commit:2").run();
        assert_eq!(died.code, None, "{died:?}");
        shop.habeas("worker --once").run().code(0);
        let request = only_request(&shop);
        assert_same(&end_of(&shop, &request), &expected, &format!("run on {on:?}"));
    }
}

fn only_request(shop: &Shop) -> String {
    let requests = shop.habeas("request list --json").run().code(0).json();
    assert_eq!(requests.as_array().expect("a list").len(), 1);
    requests[0]["request_id"].as_str().expect("an id").to_owned()
}

/// A process may die again and again: what was found out by reading the source is not found out twice.
#[test]
fn e_2_dying_again_while_finding_out_changes_no_count() {
    if !can_die() {
        return;
    }
    for on in On::ALL {
        let Some(Undisturbed { end: expected, batches, .. }) = undisturbed(on, "erasure", ORDERS, SMALL_BATCHES) else { continue };
        let shop = Shop::open(on, ORDERS, SMALL_BATCHES).expect("it opened before");
        let request = shop.submit(&job("erasure"));
        let mut deaths = 0;
        // Each attempt gets one batch committed and dies in another way.
        let ways = ["erase-after-source-commit", "erase-before-permit", "erase-after-permit", "erase-before-source-commit"];
        for way in ways.iter().cycle().take(ways.len() * usize::try_from(batches).expect("few")) {
            let died = shop.habeas("worker --once").env("HABEAS_FAILPOINT", way).run();
            if died.code == Some(0) {
                break;
            }
            assert_eq!(died.code, None, "{died:?}");
            deaths += 1;
            // Dying is the worker's failure, and this test needs more of it than a job forgives.
            shop.ledger.script("UPDATE job SET failures = 0");
        }
        assert!(deaths >= 5, "{deaths}");
        shop.habeas("worker --once").run().code(0);
        assert_same(&end_of(&shop, &request), &expected, &format!("on {on:?}"));
    }
}

/// Rows that come while an erasure is on its way get passes of their own, and dying in one of them is like dying anywhere else.
#[test]
fn e_3_rows_that_appeared_meanwhile_are_erased_and_counted_once() {
    if !can_die() {
        return;
    }
    for on in On::ALL {
        let mut ends = Vec::new();
        let deaths = [
            "",
            "pass-before-ledger",
            "erase-before-permit",
            "erase-after-permit",
            "erase-before-source-commit",
            "erase-after-source-commit",
            "erase-after-close",
        ];
        for death in deaths {
            let Some(shop) = Shop::open(on, ORDERS, "") else { continue };
            let request = shop.submit(&job("erasure"));
            // Everything but the person's own row is erased in the first batch; then the shop sells once more.
            shop.habeas("worker --once").env("HABEAS_FAILPOINT", "erase-after-close").run();
            shop.workspace.database.script("INSERT INTO orders VALUES (500, 1001, 'late', 7), (501, 1001, 'later', 7)");
            if !death.is_empty() {
                let died = shop.habeas("worker --once").env("HABEAS_FAILPOINT", death).run();
                assert_eq!(died.code, None, "{death}: {died:?}");
            }
            shop.habeas("worker --once").run().code(0);
            let end = end_of(&shop, &request);
            let orders = end.items.as_array().expect("a list").iter().find(|item| item["collection"] == "orders");
            let orders = orders.expect("an item");
            assert_eq!((&orders["affected"], &orders["expected"]), (&json!(ORDERS + 2), &json!(ORDERS + 2)), "{death}: {orders}");
            assert_eq!(end.status, "completed");
            ends.push(end);
        }
        for (end, death) in ends.iter().zip(deaths).skip(1) {
            assert_same(end, &ends[0], &format!("on {on:?}, died at {death}"));
        }
    }
}

/// Kills the worker at moments of its run that a seed picks. It gets through now and then; then the next request begins.
fn killed_at_random(on: On, kind: &str, orders: u32, kills: u32) {
    let config = "limits: {batch_rows: 500}\n";
    let Some(Undisturbed { end: expected, mut took, .. }) = undisturbed(on, kind, orders, config) else { return };
    let mut dice = Dice::new(0x5eed);
    let mut killed = 0;
    let mut shop = None;
    for _ in 0..kills {
        let (shop_now, request) = shop.take().unwrap_or_else(|| {
            let shop = Shop::open(on, orders, config).expect("it opened before");
            let request = shop.submit(&job(kind));
            (shop, request)
        });
        let moment = Duration::from_millis(dice.below(u64::try_from(took.as_millis()).expect("short") + 1));
        let started = Instant::now();
        let mut worker = shop_now.habeas("worker --once").start();
        worker.until(moment, || false);
        let said = worker.kill();
        if said.code.is_some() {
            // A machine that was busy before is faster now: later moments would come too late as well.
            took = took.min((took + started.elapsed()) / 2);
        }
        killed += u32::from(said.code.is_none());
        // Being killed is the worker's failure, and this test needs more of it than a job forgives.
        shop_now.ledger.script("UPDATE job SET failures = 0");
        if said.code.is_none() {
            shop = Some((shop_now, request));
        } else {
            assert_same(&end_of(&shop_now, &request), &expected, &format!("{kind} on {on:?}, after {killed} kills"));
        }
    }
    assert!(killed > kills / 3, "it was caught {killed} times");
    if let Some((shop, request)) = shop {
        shop.habeas("worker --once").run().code(0);
        assert_same(&end_of(&shop, &request), &expected, &format!("{kind} on {on:?}, killed {killed} times"));
    }
}

#[test]
fn e_3_an_erasure_that_is_killed_at_random_moments_ends_as_if_it_had_not() {
    killed_at_random(On::Sqlite, "erasure", 20_000, 15);
    killed_at_random(On::Postgres, "erasure", 20_000, 15);
}

#[test]
fn e_3_an_export_that_is_killed_at_random_moments_ends_as_if_it_had_not() {
    killed_at_random(On::Sqlite, "portability", 20_000, 15);
    killed_at_random(On::Postgres, "portability", 20_000, 15);
}

#[test]
fn q_1_two_workers_answer_everything_once_and_never_one_person_twice_at_a_time() {
    let Some(shop) = Shop::open(On::Postgres, ORDERS, "") else { return };
    let people: Vec<String> =
        (0..20).map(|number| format!("({}, 'person{number}@example.com', 'Person')", 2000 + number)).collect();
    shop.workspace.database.script(&format!("INSERT INTO customers VALUES {}", people.join(", ")));
    let mut jobs: Vec<Value> = (0..20)
        .map(|number| json!({"kind": "erasure", "subject": {"email": format!("person{number}@example.com")}, "approval": "none"}))
        .collect();
    // The same person five times, by different names, among the others.
    for number in 0..5 {
        let subject = if number % 2 == 0 { json!({"email": "Ada@example.com"}) } else { json!({"customer_id": "1001"}) };
        jobs.insert(number * 4, json!({"kind": "access", "subject": subject}));
    }
    let lines: Vec<String> = jobs.iter().map(Value::to_string).collect();
    let path = shop.workspace.write("jobs/all.jsonl", &lines.join("\n"));
    let submitted = shop.habeas(&format!("submit {}", path.display())).run().code(0).stdout;
    assert_eq!(submitted.lines().count(), 25);
    let workers: Vec<_> = (0..2).map(|_| shop.habeas("worker --once --concurrency 3").start()).collect();
    for worker in workers {
        worker.finish().code(0);
    }
    assert_eq!(shop.ledger.count("request WHERE status = 'completed'"), 25);
    assert_eq!(shop.ledger.count("certificate"), 20);
    assert_eq!(shop.names_in("archives").len(), 5);
    assert_eq!(shop.workspace.database.count("customers WHERE id >= 2000"), 0);
    assert!(shop.ledger.count("(SELECT DISTINCT worker FROM attempt) AS workers") >= 2, "both had work");
    // Answering takes time, so attempts that overlap were at work at once.
    let overlapping =
        "attempt a JOIN job ja ON ja.id = a.job_id JOIN attempt b ON b.job_id <> a.job_id JOIN job jb ON jb.id = b.job_id
                       WHERE a.started_at < b.ended_at AND b.started_at < a.ended_at AND a.outcome = 'done' AND b.outcome = 'done'";
    assert!(shop.ledger.count(overlapping) > 0, "something ran side by side");
    let same_person = format!(
        "{overlapping} AND EXISTS (SELECT 1 FROM request_alias mine JOIN request_alias theirs ON theirs.alias_ref = mine.alias_ref
                                   WHERE mine.request_id = ja.request_id AND theirs.request_id = jb.request_id)"
    );
    assert_eq!(shop.ledger.count(&same_person), 0, "Q-1");
    shop.habeas("journal verify").run().code(0);
    assert!(
        fs::read_dir(shop.workspace.path("archives"))
            .expect("a folder")
            .flatten()
            .all(|entry| entry.path().extension().is_some_and(|e| e == "zip"))
    );
}
