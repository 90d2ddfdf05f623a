//! `submit` and `request`: jobs come in whole or not at all, people decide, and every refusal has its exit code.

use std::fs;

use habeas_data::plan::{Disposition, Plan, PlanItem};
use habeas_data::request::Kind;
use serde_json::{Value, json};

use super::support::database::Database;
use super::support::sqlite;
use super::support::workspace::Workspace;

const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
                      INSERT INTO users VALUES (1, 'ada@example.com'), (2, 'grace@example.com');";
const MAP: &str = "dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true, identity: user_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
";

fn workspace() -> Workspace {
    Workspace::sqlite(SCHEMA, MAP)
}

fn erasure(approval: &str) -> Value {
    json!({"kind": "erasure", "subject": {"email": "ada@example.com"}, "approval": approval})
}

/// Submits one job and gives its id and code.
fn submit(workspace: &Workspace, job: &Value) -> (String, String) {
    workspace.job("job", job);
    let said = workspace.habeas("submit jobs/job.json --json").run().code(0).json();
    (said[0]["request_id"].as_str().expect("text").to_owned(), said[0]["code"].as_str().expect("text").to_owned())
}

fn ledger(workspace: &Workspace, sql: &str) {
    sqlite::script(&workspace.path("habeas.db"), sql);
}

fn requests(workspace: &Workspace) -> Vec<Value> {
    workspace.habeas("request list --json").run().code(0).json().as_array().expect("a list").clone()
}

fn journal_kinds(workspace: &Workspace, request: &str) -> Vec<String> {
    let entries = workspace.habeas(&format!("journal show --request {request} --json")).run().code(0).json();
    entries.as_array().expect("a list").iter().map(|entry| entry["event"]["kind"].as_str().expect("text").to_owned()).collect()
}

/// Puts a request where the engine leaves one whose plan waits: a frozen plan, and nothing in the queue.
fn wait_for_approval(workspace: &Workspace, id: &str, fuses: &[&str]) -> String {
    let item = PlanItem {
        source: "app".into(),
        dataset: "app".into(),
        collection: "users".into(),
        kind: "sql".into(),
        disposition: Disposition::Erase,
        found: 1,
        expected: 1,
        retained: Vec::new(),
        rows: None,
        columns: Vec::new(),
    };
    let plan = Plan {
        kind: Kind::Erasure,
        subject_ref: "00".into(),
        policy: None,
        categories: Vec::new(),
        data_map_digest: "sha256:00".into(),
        holds_digest: "sha256:00".into(),
        items: vec![item],
        gaps: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
        fuses: fuses.iter().map(|fuse| (*fuse).to_owned()).collect(),
        schema_digest: String::new(),
        people_digest: String::new(),
        manifest_digest: "sha256:00".into(),
    };
    let digest = plan.digest();
    let document = serde_json::to_string(&plan).expect("it can be read").replace('\'', "''");
    ledger(
        workspace,
        &format!(
            "INSERT INTO plan (request_id, digest, shape_digest, document, created_at, frozen_at)
                 VALUES ('{id}', '{digest}', 'sha256:00', '{document}', 0, 0);
             UPDATE request SET status = 'waiting_approval', plan_digest = '{digest}' WHERE id = '{id}';
             UPDATE job SET state = 'done', finished_at = 0 WHERE request_id = '{id}';"
        ),
    );
    digest
}

fn live_jobs(workspace: &Workspace) -> u64 {
    Database::Sqlite(workspace.path("habeas.db")).count("job WHERE state = 'ready'")
}

#[test]
fn q_1_every_accepted_job_has_an_id_a_place_in_the_queue_and_a_journal_entry() {
    let workspace = workspace();
    workspace.write(
        "jobs/many.jsonl",
        "{\"kind\": \"access\", \"subject\": {\"email\": \"ada@example.com\"}}\n{\"kind\": \"erasure\", \"subject\": {\"user_id\": 2}}\n",
    );
    let said = workspace.habeas("submit jobs/many.jsonl -").input(erasure("one").to_string()).run().code(0);
    let ids: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(ids.len(), 3, "{}", said.stdout);
    assert!(ids.iter().all(|id| id.len() == 36));
    assert_eq!(live_jobs(&workspace), 3);
    assert_eq!(requests(&workspace).len(), 3);
    for id in ids {
        assert_eq!(journal_kinds(&workspace, id), ["request_received"]);
    }
    workspace.habeas("journal verify").run().code(0);
}

#[test]
fn one_bad_line_among_good_ones_and_nothing_is_accepted() {
    let workspace = workspace();
    let good = "{\"kind\": \"access\", \"subject\": {\"email\": \"grace@example.com\"}}\n";
    for bad in [
        "{\"kind\": \"acces\", \"subject\": {\"email\": \"grace@example.com\"}}\n",
        "{\"kind\": \"access\"}\n",
        "{\"kind\": \"objection\", \"subject\": {\"email\": \"grace@example.com\"}}\n",
        "{\"kind\": \"access\", \"subject\": {\"phone\": \"+43 1\"}}\n",
        "{\"kind\": \"access\", \"subject\": {\"email\": \"grace@example.com\"}, \"categories\": [\"user.contactt\"]}\n",
        "{\"kind\": \"erasure\", \"subject\": {\"email\": \"grace@example.com\"}, \"policy\": \"none_such\"}\n",
    ] {
        let said = workspace.habeas("submit -").input(format!("{good}{bad}{good}")).run().code(2);
        assert_eq!(said.stdout, "", "{bad}");
        assert!(!said.stderr.contains("grace@"), "S-1: {}", said.stderr);
        assert_eq!(requests(&workspace), [] as [Value; 0], "{bad}");
    }
}

#[test]
fn an_idempotency_key_makes_one_request_of_two_and_refuses_other_content() {
    let workspace = workspace();
    let mut job = erasure("one");
    job["idempotency_key"] = "ticket-4711".into();
    let (first, code) = submit(&workspace, &job);
    assert_eq!(submit(&workspace, &job).0, first);
    assert_eq!(requests(&workspace).len(), 1);
    job["kind"] = "access".into();
    workspace.job("job", &job);
    let said = workspace.habeas("submit jobs/job.json --json").run().code(8);
    assert_eq!(said.json()["error"]["exit"], 8);
    assert!(said.stderr.contains(&code), "the hint names the request: {}", said.stderr);
}

#[test]
fn what_was_accepted_before_a_conflict_is_told() {
    let workspace = workspace();
    let mut job = erasure("one");
    job["idempotency_key"] = "ticket-1".into();
    submit(&workspace, &job);
    job["ground"] = "art17_1_b".into();
    let other = json!({"kind": "access", "subject": {"user_id": "2"}});
    let said = workspace.habeas("submit -").input(format!("{other}\n{job}\n")).run().code(8);
    assert_eq!(said.stdout.lines().count(), 1);
    assert!(said.stderr.contains("job 2 of 2") && said.stderr.contains("the 1 before it were accepted"), "{}", said.stderr);
    assert_eq!(requests(&workspace).len(), 2);
}

#[test]
fn show_gives_the_document_of_the_interface_at_every_stage() {
    let workspace = workspace();
    let (id, code) = submit(&workspace, &erasure("one"));
    let shown = workspace.habeas(&format!("request show {} --json", code.to_lowercase())).run().code(0).json();
    let mut keys: Vec<&str> = shown.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "archive",
        "certificate",
        "code",
        "due_at",
        "extended_to",
        "gaps",
        "items",
        "kind",
        "pending",
        "plan_digest",
        "received_at",
        "request_id",
        "residue",
        "status",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&shown["request_id"], &shown["kind"], &shown["status"]), (&json!(id), &json!("erasure"), &json!("queued")));
    assert_eq!((&shown["items"], &shown["archive"], &shown["plan_digest"]), (&json!([]), &Value::Null, &Value::Null));

    let result = json!({"items": [{"source": "app", "dataset": "app", "collection": "users", "disposition": "erase", "found": 1,
                                   "expected": 1, "affected": 1, "retained": [], "outcome": "erased", "level": 2, "error": null}],
                        "certificate": {"id": "c", "path": "certificates/c", "outcome": "complete", "level": 2}});
    ledger(&workspace, &format!("UPDATE request SET status = 'completed', closed_at = 1, result = '{result}' WHERE id = '{id}'"));
    let shown = workspace.habeas(&format!("request show {id} --json")).run().code(0).json();
    assert_eq!((&shown["status"], &shown["items"][0]["outcome"]), (&json!("completed"), &json!("erased")));
    assert_eq!(shown["certificate"], result["certificate"]);
    let text = workspace.habeas(&format!("request show {id}")).run().code(0).stdout;
    assert!(text.contains("app.users") && text.contains("complete, level 2"), "{text}");
    workspace.habeas(&format!("request watch {id} --json")).run().code(0).json();
}

#[test]
fn an_unknown_request_is_not_found_and_what_was_typed_is_not_repeated() {
    let workspace = workspace();
    for verb in
        ["show", "watch", "approve --by a", "refuse --reason x --by a", "cancel --by a", "retry --by a", "extend --reason x --by a"]
    {
        let said = workspace.habeas(&format!("request {verb} ZZZZZZ")).run().code(7);
        assert!(said.stderr.contains("no request `ZZZZZZ`"), "{}", said.stderr);
    }
    let said = workspace.habeas("request show ada@example.com").run().code(7);
    assert!(!said.stderr.contains("ada"), "S-1: {}", said.stderr);
}

#[test]
fn p_1_an_approval_names_the_plan_and_queues_the_request() {
    let workspace = workspace();
    let (id, code) = submit(&workspace, &erasure("one"));
    let said = workspace.habeas(&format!("request approve {code} --by grace")).run().code(8);
    assert!(said.stderr.contains("is queued and does not wait"), "{}", said.stderr);
    let digest = wait_for_approval(&workspace, &id, &[]);
    let text = workspace.habeas(&format!("request show {code}")).run().code(0);
    assert!(text.stdout.contains("app.users") && text.stderr.contains(&digest), "the plan is shown: {text:?}");

    let said = workspace.habeas(&format!("request approve {code} --by grace --no-input")).run().code(6);
    assert!(said.stderr.contains(&format!("--digest {digest}")), "{}", said.stderr);
    let wrong = format!("sha256:{}", "0".repeat(64));
    workspace.habeas(&format!("request approve {code} --by grace --digest {wrong}")).run().code(6);
    assert_eq!(live_jobs(&workspace), 0);

    let said = workspace.habeas(&format!("request approve {code} --by grace --digest {digest} --json")).run().code(0).json();
    assert_eq!((&said["status"], &said["approvals"], &said["needed"]), (&json!("queued"), &json!(1), &json!(1)));
    assert_eq!(live_jobs(&workspace), 1);
    assert_eq!(journal_kinds(&workspace, &code), ["request_received", "plan_approved"]);
}

#[test]
fn two_different_people_must_agree_where_the_job_or_a_fuse_says_so() {
    for (approval, fuses) in [("two", &[][..]), ("one", &["more rows than limits.max_rows"][..])] {
        let workspace = workspace();
        let (id, code) = submit(&workspace, &erasure(approval));
        let digest = wait_for_approval(&workspace, &id, fuses);
        let approve = |by: &str| {
            workspace.habeas(&format!("request approve {code} --digest {digest} --json")).env("HABEAS_OPERATOR", by).run()
        };
        assert_eq!(approve("grace").code(0).json()["status"], "waiting_approval");
        let said = approve(" Grace ").code(6);
        assert!(said.stderr.contains("takes another person"), "{}", said.stderr);
        assert_eq!(live_jobs(&workspace), 0);
        assert_eq!(approve("linus").code(0).json()["status"], "queued");
        assert_eq!(live_jobs(&workspace), 1);
    }
}

#[test]
fn whoever_asked_may_approve_and_counts_as_one_person() {
    for (approval, after_the_submitter) in [("one", "queued"), ("two", "waiting_approval")] {
        let workspace = workspace();
        workspace.job("job", &erasure(approval));
        let said = workspace.habeas("submit jobs/job.json --json --by ines").run().code(0).json();
        let (id, code) = (said[0]["request_id"].as_str().unwrap(), said[0]["code"].as_str().unwrap());
        let digest = wait_for_approval(&workspace, id, &[]);
        let approve = |by: &str| workspace.habeas(&format!("request approve {code} --digest {digest} --json --by {by}")).run();
        assert_eq!(approve("ines").code(0).json()["status"], after_the_submitter, "{approval}");
        if approval == "two" {
            approve("INES").code(6);
            assert_eq!(approve("omar").code(0).json()["status"], "queued", "it takes one other");
        }
    }
}

#[test]
fn refusing_and_cancelling_take_the_work_out_of_the_queue() {
    let workspace = workspace();
    let (_, refused) = submit(&workspace, &erasure("one"));
    let (_, cancelled) = submit(&workspace, &json!({"kind": "access", "subject": {"user_id": "2"}}));
    workspace.habeas(&format!("request refuse {refused} --reason identity_not_proven --by grace")).run().code(0);
    workspace.habeas(&format!("request cancel {cancelled} --by grace")).run().code(0);
    assert_eq!(live_jobs(&workspace), 0);
    let entries = workspace.habeas(&format!("journal show --request {refused} --json")).run().code(0).json();
    let last = &entries.as_array().unwrap().last().unwrap()["event"];
    assert_eq!((&last["outcome"], &last["reason"]), (&json!("refused"), &json!("identity_not_proven")));
    assert!(last["actor"].as_str().unwrap().starts_with("person:"), "J-1: no name in the journal");
    let statuses: Vec<Value> = requests(&workspace).into_iter().map(|request| request["status"].clone()).collect();
    assert!(statuses.contains(&json!("refused")) && statuses.contains(&json!("cancelled")));
    workspace.habeas(&format!("request cancel {refused} --by grace")).run().code(8);
    workspace.habeas(&format!("request retry {cancelled} --by grace")).run().code(8);
}

#[test]
fn what_a_worker_has_begun_is_not_refused_in_the_middle() {
    let workspace = workspace();
    let (id, code) = submit(&workspace, &erasure("one"));
    ledger(
        &workspace,
        &format!("UPDATE job SET state = 'running', attempt = 1, lease_until = 9000000000000000 WHERE request_id = '{id}'"),
    );
    ledger(&workspace, &format!("UPDATE request SET status = 'running' WHERE id = '{id}'"));
    workspace.habeas(&format!("request refuse {code} --reason x --by grace")).run().code(8);
    let said = workspace.habeas(&format!("request cancel {code} --by grace --json")).run().code(0).json();
    assert_eq!((&said["status"], &said["asked_to_stop"]), (&json!("running"), &json!(true)));
}

#[test]
fn a_failed_request_is_taken_up_again() {
    let workspace = workspace();
    let (id, code) = submit(&workspace, &erasure("one"));
    ledger(
        &workspace,
        &format!(
            "UPDATE request SET status = 'failed', failure_code = 'source_unreachable' WHERE id = '{id}';
             UPDATE job SET state = 'dead', finished_at = 0 WHERE request_id = '{id}'"
        ),
    );
    let text = workspace.habeas("request list --status failed").run().code(0).stdout;
    assert!(text.contains(&code) && text.contains("given up: source_unreachable"), "{text}");
    workspace.habeas(&format!("request watch {code}")).run().code(1);
    workspace.habeas(&format!("request retry {code} --by grace")).run().code(0);
    assert_eq!(live_jobs(&workspace), 1);
    assert_eq!(requests(&workspace)[0]["status"], "queued");
}

#[test]
fn d_1_a_deadline_is_extended_once_and_in_time() {
    let workspace = workspace();
    let (_, code) = submit(&workspace, &erasure("one"));
    let said = workspace.habeas(&format!("request extend {code} --reason complex --by grace --json")).run().code(0).json();
    let shown = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
    assert_eq!(shown["extended_to"], said["extended_to"]);
    assert!(shown["extended_to"].as_str() > shown["due_at"].as_str());
    workspace.habeas(&format!("request extend {code} --reason complex --by grace")).run().code(9);

    let late = json!({"kind": "access", "subject": {"user_id": "2"}, "received_at": "2020-01-10T09:00:00Z"});
    let (_, late) = submit(&workspace, &late);
    let said = workspace.habeas(&format!("request extend {late} --reason complex --by grace")).run().code(9);
    assert!(said.stderr.contains("too late"), "{}", said.stderr);
    let overdue = workspace.habeas("request list --overdue --json").run().code(0).json();
    assert_eq!(overdue.as_array().unwrap().len(), 1);
    assert_eq!((&overdue[0]["code"], &overdue[0]["overdue"]), (&json!(late), &json!(true)));
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() {
    let workspace = workspace();
    submit(&workspace, &erasure("one"));
    ledger(&workspace, "INSERT INTO schema_version (version) VALUES (4711)");
    let said = workspace.habeas("request list").run().code(1);
    assert!(said.stderr.contains("version 4711") && said.stderr.contains("hint:"), "{}", said.stderr);
}

#[test]
fn without_a_configuration_the_hint_says_how_to_get_one() {
    let workspace = workspace();
    fs::remove_file(workspace.path("habeas.yaml")).unwrap();
    let said = workspace.habeas("request list").run().code(2);
    assert!(said.stderr.contains("`habeas init` writes one"), "{}", said.stderr);
}

#[test]
fn p_1_what_a_worker_planned_runs_when_somebody_has_approved_it() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        let (_, code) = submit(&workspace, &erasure("one"));
        workspace.habeas("worker --once").run().code(0);
        let said = workspace.habeas(&format!("request show {code}")).run().code(0);
        assert!(said.stdout.contains("waiting_approval") && said.stdout.contains("app.users"), "{}", said.stdout);
        assert_eq!(workspace.database.count("users"), 2, "nothing is touched before");
        let waiting = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        let digest = waiting["plan_digest"].as_str().unwrap();
        workspace.habeas(&format!("request approve {code} --by grace --digest {digest}")).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(workspace.database.count("users"), 1);
    }
}

#[test]
fn a_plan_that_cannot_work_waits_for_the_controller_and_is_taken_up_again() {
    let workspace = Workspace::sqlite(SCHEMA, &MAP.replace("        habeas: {on_erasure: delete}\n", ""));
    let (_, code) = submit(&workspace, &erasure("none"));
    workspace.habeas("worker --once").run().code(0);
    let said = workspace.habeas(&format!("request show {code}")).run().code(0);
    assert!(said.stdout.contains("waiting_controller") && said.stdout.contains("on_erasure"), "{}", said.stdout);
    assert!(said.stderr.contains("habeas map check"), "{}", said.stderr);
    workspace.habeas("map check").run().code(2);
    workspace.write("datamap/app.yml", MAP);
    workspace.habeas(&format!("request retry {code} --by grace")).run().code(0);
    workspace.habeas("worker --once").run().code(0);
    let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
    assert_eq!(done["status"], "completed", "{done}");
}

#[test]
fn an_archive_is_sound_until_a_byte_of_it_changes() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        let (_, code) = submit(&workspace, &json!({"kind": "access", "subject": {"email": "ada@example.com"}}));
        workspace.habeas("worker --once").run().code(0);
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        let path = workspace.path(done["archive"]["path"].as_str().expect("an archive"));
        let said = workspace.habeas(&format!("archive verify {} --json", path.display())).run().code(0).json();
        assert_eq!((&said["sound"], &said["problems"]), (&json!(true), &json!([])));
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        fs::write(&path, bytes).unwrap();
        workspace.habeas(&format!("archive verify {}", path.display())).run().code(4);
    }
}
