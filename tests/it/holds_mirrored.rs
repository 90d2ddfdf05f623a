//! Holds of ours as locks of the store: what a hold covers is counted and locked, and no lock goes that somebody else set or another hold needs
//! (H-1).

use serde_json::{Value, json};

use crate::objects_erase::{fill, objects_map, people, tag};
use crate::row_files::{JSON, events_map};
use crate::support::database::Database;
use crate::support::laws::{PEOPLE, ada, collection, configure, erase_ada, hold, item, map, numbers, users};
use crate::support::s3::bucket::Versioning;
use crate::support::skipped;
use crate::support::sqlite;
use crate::support::store::{BUCKET, Store};
use crate::support::workspace::Workspace;

const ME: &str = "avatars/1/me.jpg";
/// What Ada's rows name, sorted; the last is Grace's as well.
const ADAS: [&str; 5] = [ME, "avatars/1/old/notes.txt", "shots/one.png", "shots/three.png", "shots/two ü+%2F.png"];

/// A bucket that locks, filled; a release takes effect at once.
fn lockable() -> (Workspace, Store) {
    let (workspace, store) = Store::lockable(&people(), &objects_map());
    configure(&workspace, "holds: {grace_days: 0}");
    fill(&store);
    (workspace, store)
}

/// Keys of versions that carry the store's legal hold, one for each version.
fn locked(store: &Store) -> Vec<String> {
    let world = store.server().world();
    let bucket = world.bucket(BUCKET).expect("the bucket");
    let has_lock =
        |version: &&crate::support::s3::version::Version| version.object.as_ref().is_some_and(|object| object.about.hold);
    bucket.keys.iter().flat_map(|(key, all)| all.iter().filter(has_lock).map(move |_| key.clone())).collect()
}

/// Sets or clears the lock of every version of a key, as somebody else does it.
fn by_hand(store: &Store, key: &str, on: bool) {
    store.server().shape(BUCKET, |bucket| {
        for version in bucket.keys.get_mut(key).expect("a key") {
            version.object.as_mut().expect("an object").about.hold = on;
        }
    });
}

/// How often the store was asked to set or clear a lock, since it was counted last.
fn changes(store: &Store) -> usize {
    let count = store.server().journal().of("PutObjectLegalHold").len();
    store.server().journal().clear();
    count
}

fn file(matter: &str, scope: &Value) -> String {
    json!({"matter": matter, "reason": "litigation", "scope": scope}).to_string()
}

fn place(workspace: &Workspace, scope: &Value) -> Value {
    workspace.habeas("hold place - --by grace --json").input(file("M-2026-4", scope)).run().code(0).json()
}

fn id(placed: &Value) -> String {
    placed["hold_id"].as_str().expect("text").to_owned()
}

fn release(workspace: &Workspace, hold: &str) -> Value {
    workspace.habeas(&format!("hold release {hold} --by grace")).run().code(0);
    workspace.habeas(&format!("hold release {hold} --by linus --json")).run().code(0).json()
}

fn sweep(workspace: &Workspace) -> Value {
    workspace.habeas("sweep --json").run().code(0).json()
}

fn of_ada() -> Value {
    json!({"subject": ada()})
}

fn one_avatar() -> Value {
    json!({"record": {"dataset": "app", "collection": "avatars", "key": [ME]}})
}

/// Rows about locks, oldest state first.
fn rows(workspace: &Workspace) -> u64 {
    Database::Sqlite(workspace.path("habeas.db")).count("store_lock")
}

/// Makes attempts look as if they had been under way for longer than any takes.
fn an_hour_later(workspace: &Workspace) {
    sqlite::script(&workspace.path("habeas.db"), "UPDATE store_lock SET noted_at = noted_at - 3600000000");
}

fn count(said: &Value, collection: &str) -> Value {
    let covers = said["covers"].as_array().expect("a list").iter();
    covers.filter(|place| place["collection"] == collection).map(|place| place["count"].clone()).next().unwrap_or(json!("not told"))
}

#[test]
fn a_preview_counts_the_versions_that_every_kind_of_scope_covers_and_locks_none() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        store.put(ME, b"once more");
        let twice = if matches!(store, Store::S3(_)) { 2 } else { 1 };
        for (scope, expected) in [
            (of_ada(), [("avatars", 1 + twice), ("shots.file", 3)]),
            (one_avatar(), [("avatars", twice), ("shots.file", 0)]),
            (json!({"record": {"dataset": "app", "collection": "users", "key": ["2"]}}), [("avatars", 1), ("shots.file", 0)]),
            (json!({"record": {"dataset": "app", "collection": "shots", "key": ["1"]}}), [("avatars", 0), ("shots.file", 1)]),
            (json!({"collection": {"dataset": "app", "collection": "avatars"}}), [("avatars", 3 + twice), ("shots.file", 0)]),
            (json!({"collection": {"dataset": "app", "collection": "shots"}}), [("avatars", 0), ("shots.file", 4)]),
        ] {
            let said = workspace.habeas("hold preview - --json").input(file("M-1", &scope)).run().code(0).json();
            for (place, number) in expected {
                let told = if number == 0 { json!("not told") } else { json!(number) };
                assert_eq!(count(&said, place), told, "{place} of {scope}: {said}");
            }
        }
        let words = workspace.habeas("hold preview -").input(file("M-1", &of_ada())).run().code(0);
        assert!(words.stdout.contains("app.avatars"), "{}", words.stdout);
        assert!(!words.stdout.contains("me.jpg"), "S-1: {}", words.stdout);
    }
}

#[test]
fn v_2_objects_that_are_not_looked_for_or_cannot_be_listed_are_said_and_never_none() {
    let (workspace, store) = lockable();
    for scope in
        [json!({"everything": {}}), json!({"predicate": {"dataset": "app", "collection": "users", "where": {"id": {"gt": 0}}}})]
    {
        let said = workspace.habeas("hold preview - --json").input(file("M-1", &scope)).run().code(3).json();
        assert_eq!(count(&said, "avatars"), Value::Null, "{said}");
        assert!(said["warnings"].to_string().contains("objects of `app.avatars` are covered and were not counted"), "{said}");
    }
    store.server().deny("s3:ListBucketVersions", BUCKET, "");
    let placed = place(&workspace, &of_ada());
    assert_eq!((&placed["state"], count(&placed, "avatars")), (&json!("active"), Value::Null), "{placed}");
    assert!(placed["warnings"].to_string().contains("source `uploads`"), "{placed}");
    assert_eq!(locked(&store), [] as [&str; 0]);
}

#[test]
fn v_2_rows_inside_objects_are_said_to_be_covered_and_not_counted() {
    let (workspace, store) = Store::lockable(PEOPLE, &events_map("format: jsonl"));
    store.put("events/a.jsonl", JSON.as_bytes());
    for scope in [of_ada(), json!({"collection": {"dataset": "app", "collection": "events"}})] {
        let placed = place(&workspace, &scope);
        assert_eq!(count(&placed, "events"), Value::Null, "{placed}");
        assert!(placed["warnings"].to_string().contains("rows inside objects of `app.events` are covered and were not counted"));
        assert!(!placed["warnings"].to_string().contains("left out of processing"), "{placed}");
    }
    let of_people = json!({"collection": {"dataset": "app", "collection": "users"}});
    assert_eq!(place(&workspace, &of_people)["warnings"], json!([]));
}

#[test]
fn v_2_labelled_objects_are_counted_by_their_label() {
    let avatars = "on_erasure: delete, objects: {source: uploads, prefix: 'a/', tag: {name: owner, value: '{users.id}'}}";
    let (workspace, store) = Store::lockable(&people(), &map(&[users(), collection("avatars", avatars, &[])]));
    for (key, owner) in [("a/1", "1"), ("a/2", "2"), ("a/3", "1")] {
        store.server().place_with(BUCKET, key, "x", |about| about.tags = vec![tag("owner", owner)]);
    }
    store.server().place_with(BUCKET, "a/4", "x", |about| about.tags = vec![tag("colour", "red")]);
    assert_eq!(count(&place(&workspace, &of_ada()), "avatars"), 2);
    assert_eq!(locked(&store), ["a/1", "a/3"]);
    let whole = json!({"collection": {"dataset": "app", "collection": "avatars"}});
    assert_eq!(count(&place(&workspace, &whole), "avatars"), 3);
    assert_eq!(locked(&store), ["a/1", "a/2", "a/3"], "what carries no such label belongs to no such set");
}

#[test]
fn h_1_what_a_hold_covers_is_locked_in_the_store_and_goes_when_two_people_have_let_it_go() {
    let (workspace, store) = lockable();
    store.put(ME, b"a second version");
    let placed = place(&workspace, &of_ada());
    assert_eq!(placed["locked_in_stores"], json!({"now": 6, "by_others": 0}), "{placed}");
    assert_eq!(placed["kept"], 1 + 4 + 3 + 3, "{placed}");
    let mut expected: Vec<&str> = ADAS.to_vec();
    expected.insert(0, ME);
    assert_eq!(locked(&store), expected, "every version");
    let hold = id(&placed);
    let shown = workspace.habeas(&format!("hold show {hold} --json")).run().code(0).json();
    assert_eq!(shown["locked_in_stores"], json!({"ours": 6, "unsettled": 0}));
    let words = workspace.habeas(&format!("hold show {hold}")).run().code(0).stdout;
    assert!(words.contains("locked in stores 6 versions"), "{words}");

    erase_ada(&workspace).code(5);
    assert_eq!(store.keys().len(), 8);

    let released = release(&workspace, &hold);
    assert_eq!(released["state"], "released");
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0));
    let swept = sweep(&workspace);
    assert_eq!((&swept["jobs_done"], &swept["versions_still_locked"]), (&json!(1), &json!(0)), "{swept}");
    let requests = workspace.habeas("request list --json").run().code(0).json();
    assert_eq!(requests[0]["status"], "completed", "{requests}");
    assert_eq!(store.keys().iter().filter(|key| ADAS.contains(&key.as_str())).count(), 1, "Grace's as well: {:?}", store.keys());
    assert!(!numbers(&workspace, "users", "id").contains(&1));
    let journal = workspace.habeas("journal show --json").run().code(0).json();
    let of_kind = |kind: &str| journal.as_array().expect("a list").iter().find(|entry| entry["event"]["kind"] == kind).cloned();
    let counts = |kind: &str| of_kind(kind).map(|entry| entry["event"]["counts"]["affected"].clone());
    assert_eq!((counts("hold_mirrored"), counts("hold_unmirrored")), (Some(json!(6)), Some(json!(6))), "{journal}");
    assert!(!journal.to_string().contains("avatars"), "S-1");
}

#[test]
fn h_1_a_version_that_two_holds_cover_stays_locked_until_both_are_over() {
    let (workspace, store) = lockable();
    let first = hold(&workspace, "M-1", &of_ada());
    changes(&store);
    let second = hold(&workspace, "M-2", &one_avatar());
    assert_eq!(changes(&store), 0, "it is locked already");
    release(&workspace, &first);
    assert_eq!(locked(&store), [ME]);
    assert_eq!(changes(&store), ADAS.len() - 1, "the other four");
    erase_ada(&workspace);
    assert!(store.keys().contains(&ME.to_owned()));
    release(&workspace, &second);
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0));
}

#[test]
fn h_1_two_sources_for_one_bucket_count_together() {
    let twice = objects_map().replace("source: uploads, key: 'shots/{file}'", "source: copy, key: 'avatars/1/{file}'");
    let (workspace, store) = Store::lockable(&people().replace("one.png", "me.jpg"), &twice);
    configure(&workspace, "holds: {grace_days: 0}");
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    let source = config.lines().find(|line| line.starts_with("  uploads:")).expect("a source").to_owned();
    workspace.write("habeas.yaml", &config.replace(&source, &format!("{source}\n{}", source.replace("uploads:", "copy:"))));
    store.put(ME, b"one");
    let by_key = hold(&workspace, "M-1", &one_avatar());
    let by_row = hold(&workspace, "M-2", &json!({"record": {"dataset": "app", "collection": "shots", "key": ["1"]}}));
    release(&workspace, &by_key);
    assert_eq!(locked(&store), [ME], "the other hold found it under another source");
    release(&workspace, &by_row);
    assert_eq!(locked(&store), [] as [&str; 0]);
}

#[test]
fn h_1_a_lock_that_somebody_else_set_is_never_taken_off() {
    let (workspace, store) = lockable();
    by_hand(&store, ME, true);
    let placed = place(&workspace, &of_ada());
    assert_eq!(placed["locked_in_stores"], json!({"now": 4, "by_others": 1}), "{placed}");
    let hold = id(&placed);
    sweep(&workspace);
    release(&workspace, &hold);
    sweep(&workspace);
    assert_eq!((locked(&store), rows(&workspace)), (vec![ME.to_owned()], 0));
    let asked = store.server().journal().of("PutObjectLegalHold");
    assert!(asked.iter().all(|request| request.key != ME), "it was never touched");
}

#[test]
fn h_1_what_is_written_after_the_hold_is_locked_by_the_next_sweep_and_a_lock_that_was_taken_off_is_set_again() {
    let (workspace, store) = lockable();
    place(&workspace, &of_ada());
    store.put(ME, b"written later");
    by_hand(&store, "shots/one.png", false);
    assert_eq!(locked(&store).len(), 4);
    let swept = sweep(&workspace);
    assert_eq!(swept["versions_locked"], 2, "{swept}");
    assert!(swept["lock_warnings"].to_string().contains("1 version had lost the lock"), "{swept}");
    assert_eq!(locked(&store).len(), 6);
    changes(&store);
    let again = sweep(&workspace);
    assert_eq!((&again["versions_locked"], &again["lock_warnings"]), (&json!(0), &json!([])), "{again}");
    assert_eq!(changes(&store), 0, "E-3");
}

#[test]
fn h_1_a_hold_stands_where_the_store_lets_us_lock_nothing() {
    let (workspace, store) = lockable();
    store.server().deny("s3:PutObjectLegalHold", BUCKET, "");
    let placed = place(&workspace, &of_ada());
    assert_eq!((&placed["state"], &placed["locked_in_stores"]["now"]), (&json!("active"), &json!(0)), "{placed}");
    let warnings = placed["warnings"].to_string();
    assert!(warnings.contains("the store does not allow us to set the legal hold of an object"), "{placed}");
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0), "nothing was set, and nothing is noted");
    erase_ada(&workspace).code(5);
    assert_eq!(store.keys().len(), 8, "the hold itself keeps them");

    store.server().world().denied.clear();
    assert_eq!(sweep(&workspace)["versions_locked"], 5);
    store.server().deny("s3:PutObjectLegalHold", BUCKET, "");
    let hold = id(&placed);
    workspace.habeas(&format!("hold release {hold} --by grace")).run().code(0);
    let said = workspace.habeas(&format!("hold release {hold} --by linus")).run().code(0);
    assert!(said.stderr.contains("5 versions still locked for a hold that is over"), "{}", said.stderr);
    let swept = sweep(&workspace);
    assert_eq!((&swept["versions_still_locked"], &swept["jobs_done"]), (&json!(5), &json!(1)), "{swept}");
    let kept = workspace.habeas("request list --json").run().code(0).json();
    assert_eq!(kept[0]["status"], "partial", "they are under a lock, whosever it is: {kept}");
    store.server().world().denied.clear();
    let swept = sweep(&workspace);
    assert_eq!((&swept["versions_unlocked"], &swept["requests_resumed"]), (&json!(5), &json!(1)), "{swept}");
    let done = workspace.habeas("request list --json").run().code(0).json();
    assert_eq!((&done[0]["status"], rows(&workspace)), (&json!("completed"), 0), "{done}");
}

#[test]
fn nothing_is_locked_where_a_store_cannot_or_where_the_configuration_says_no() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Suspended);
    fill(&store);
    let placed = place(&workspace, &of_ada());
    assert_eq!((&placed["locked_in_stores"]["now"], &placed["warnings"]), (&json!(0), &json!([])), "{placed}");
    assert_eq!(changes(&store), 0);

    let (workspace, store) = Store::lockable(&people(), &objects_map());
    configure(&workspace, "holds: {mirror: false}");
    fill(&store);
    place(&workspace, &of_ada());
    sweep(&workspace);
    assert_eq!((changes(&store), locked(&store)), (0, Vec::new()));
}

#[test]
fn h_1_a_hold_that_is_kept_after_all_is_locked_again() {
    let (workspace, store) = Store::lockable(&people(), &objects_map());
    fill(&store);
    let hold = hold(&workspace, "M-1", &of_ada());
    for by in ["grace", "linus"] {
        workspace.habeas(&format!("hold release {hold} --by {by}")).run().code(0);
    }
    assert_eq!(sweep(&workspace)["versions_unlocked"], 0, "it covers until its grace is over");
    assert_eq!(locked(&store).len(), 5);
    workspace.habeas(&format!("hold keep {hold} --by hedy")).run().code(0);
    sweep(&workspace);
    assert_eq!(locked(&store).len(), 5);
}

/// Dies at a place of `hold place` or `hold release`.
fn die(workspace: &Workspace, arguments: &str, input: &str, place: &str) {
    let died = workspace.habeas(arguments).input(input.to_owned()).env("HABEAS_FAILPOINT", place).run();
    assert_eq!(died.code, None, "{place} is passed: {died:?}");
}

#[test]
fn h_1_whatever_an_attempt_to_lock_dies_of_no_lock_is_without_a_row_and_none_is_taken_off_that_might_not_be_ours() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    // Noted and not set: the next sweep sets it, and it is ours.
    let (workspace, store) = lockable();
    die(&workspace, "hold place - --by grace --json", &file("M-1", &one_avatar()), "hold-lock-noted");
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 1), "the note comes first");
    sweep(&workspace);
    let listed = workspace.habeas("hold list --json").run().code(0).json();
    assert_eq!((locked(&store).len(), &listed[0]["locked_in_stores"]), (1, &json!({"ours": 1, "unsettled": 0})));
    release(&workspace, &id(&listed[0]));
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0));

    // Noted, and on: set by us, or by somebody else in between. Nobody can tell.
    for by_us in [true, false] {
        let (workspace, store) = lockable();
        let place = if by_us { "hold-lock-set" } else { "hold-lock-noted" };
        die(&workspace, "hold place - --by grace --json", &file("M-1", &one_avatar()), place);
        by_hand(&store, ME, true);
        let young = sweep(&workspace);
        assert_eq!(young["lock_warnings"], json!([]), "somebody may still be at it: {young}");
        an_hour_later(&workspace);
        let swept = sweep(&workspace);
        assert!(swept["lock_warnings"].to_string().contains("nobody knows whether by us"), "{swept}");
        let listed = workspace.habeas("hold list --json").run().code(0).json();
        assert_eq!(listed[0]["locked_in_stores"], json!({"ours": 0, "unsettled": 1}));
        release(&workspace, &id(&listed[0]));
        let swept = sweep(&workspace);
        assert_eq!((locked(&store), &swept["versions_still_locked"]), (vec![ME.to_owned()], &json!(1)), "{swept}");
        assert!(swept["lock_warnings"].to_string().contains("take the lock off in the store"), "{swept}");
        by_hand(&store, ME, false);
        assert_eq!(sweep(&workspace)["versions_still_locked"], 0);
        assert_eq!(rows(&workspace), 0);
    }
}

#[test]
fn h_1_whatever_an_attempt_to_unlock_dies_of_no_lock_is_forgotten_and_none_is_taken_off_twice() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    let dying = |place: &str| {
        let (workspace, store) = lockable();
        let hold = hold(&workspace, "M-1", &one_avatar());
        workspace.habeas(&format!("hold release {hold} --by grace")).run().code(0);
        die(&workspace, &format!("hold release {hold} --by linus"), "", place);
        assert_eq!(rows(&workspace), 1, "{place}");
        (workspace, store)
    };
    // Cleared and not written down: seen off, and struck off.
    let (workspace, store) = dying("hold-lock-cleared");
    assert_eq!(locked(&store), [] as [&str; 0]);
    an_hour_later(&workspace);
    let swept = sweep(&workspace);
    assert_eq!((&swept["versions_unlocked"], &swept["holds_released"], rows(&workspace)), (&json!(1), &json!(1), 0), "{swept}");

    // About to be cleared, and still on; or cleared, and set by somebody else since. Nobody can tell.
    for place in ["hold-lock-clearing", "hold-lock-cleared"] {
        let (workspace, store) = dying(place);
        by_hand(&store, ME, true);
        sweep(&workspace);
        an_hour_later(&workspace);
        let swept = sweep(&workspace);
        assert_eq!((locked(&store), &swept["versions_still_locked"]), (vec![ME.to_owned()], &json!(1)), "{place}: {swept}");
        by_hand(&store, ME, false);
        assert_eq!((sweep(&workspace)["versions_unlocked"].clone(), rows(&workspace)), (json!(1), 0), "{place}");
    }
}

#[test]
fn h_1_a_source_that_stands_for_another_bucket_later_unlocks_nothing_in_it() {
    let (workspace, store) = lockable();
    let hold = hold(&workspace, "M-1", &one_avatar());
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    store.server().make_lock_bucket("other");
    workspace.write("habeas.yaml", &config.replace("bucket: uploads", "bucket: other"));
    changes(&store);
    release(&workspace, &hold);
    let swept = sweep(&workspace);
    assert!(swept["lock_warnings"].to_string().contains("the source stands for another store now"), "{swept}");
    assert_eq!((changes(&store), rows(&workspace)), (0, 1));
    workspace.write("habeas.yaml", &config);
    sweep(&workspace);
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0));
}

#[test]
fn more_versions_than_a_page_are_locked_and_let_go() {
    let (workspace, store) = lockable();
    for n in 0..150 {
        store.put(&format!("avatars/1/{n}"), b"x");
    }
    let hold = hold(&workspace, "M-1", &of_ada());
    assert_eq!(locked(&store).len(), 155);
    let plan = json!({"kind": "erasure", "subject": ada()});
    let plan = workspace.habeas("plan - --json").input(plan.to_string()).run().json();
    assert_eq!(item(&plan, "avatars")["retained"][0]["ref"], "M-1", "{plan}");
    release(&workspace, &hold);
    assert_eq!((locked(&store), rows(&workspace)), (Vec::new(), 0));
}
