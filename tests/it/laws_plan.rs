//! P-1 with the real program: what nobody has decided, approved, or thought through to the end does not run, and touches nothing.

use serde_json::{Value, json};

use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (13, 2, 5);"
    )
}

fn orders(habeas: &str) -> String {
    collection("orders", habeas, &[KEY, &to_user("user_id", ""), "name: total"])
}

fn shop() -> String {
    let visits = collection("visits", "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    map(&[orders("on_erasure: delete"), users(), visits])
}

/// A plan is refused with this problem, and a run touches nothing.
#[track_caller]
fn refuses(workspace: &Workspace, code: &str) {
    let before = workspace.database.dump();
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(problems(&plan).contains(&code), "{code}: {plan}");
    let problem = plan["problems"].as_array().expect("a list").iter().find(|problem| problem["code"] == code).expect("it is there");
    assert!(!problem["hint"].as_str().expect("text").is_empty(), "{problem}");
    let answer = erase_ada(workspace).code(2).json();
    assert_eq!(answer["status"], "waiting_controller", "{answer}");
    assert_eq!(answer["certificate"], Value::Null);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{code}");
}

struct Waiting {
    code: String,
}

impl Waiting {
    fn submit(workspace: &Workspace, approval: &str) -> Waiting {
        let job = json!({"kind": "erasure", "subject": ada(), "approval": approval});
        let id = workspace.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned();
        workspace.habeas("worker --once").run().code(0);
        let waiting = Waiting { code: id };
        assert_eq!(waiting.show(workspace)["status"], "waiting_approval");
        waiting
    }

    fn show(&self, workspace: &Workspace) -> Value {
        workspace.habeas(&format!("request show {} --json", self.code)).run().code(0).json()
    }

    fn digest(&self, workspace: &Workspace) -> String {
        self.show(workspace)["plan_digest"].as_str().expect("a plan").to_owned()
    }

    /// Approves what is shown now, lets a worker go on, and gives the status.
    fn approve(&self, workspace: &Workspace, by: &str) -> Value {
        let digest = self.digest(workspace);
        workspace.habeas(&format!("request approve {} --by {by} --digest {digest}", self.code)).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        self.show(workspace)["status"].clone()
    }
}

#[test]
fn p_1_what_nobody_has_decided_cannot_run() {
    let undecided = map(&[orders("purpose: contract"), users()]);
    for workspace in Workspace::on_each(&script(), &undecided) {
        let before = workspace.database.dump();
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert_eq!((&plan["can_be_approved"], &item(&plan, "orders")["disposition"]), (&json!(false), &json!("undecided")));
        let said = erase_ada(&workspace).code(2);
        assert!(said.stderr.contains("app.orders") && said.stderr.contains("on_erasure"), "{}", said.stderr);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn p_1_nothing_runs_before_as_many_people_as_the_job_asks_for_have_approved() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let before = workspace.database.dump();
        let request = Waiting::submit(&workspace, "two");
        let wrong = format!("request approve {} --by grace --digest sha256:{}", request.code, "0".repeat(64));
        workspace.habeas(&wrong).run().code(6);
        assert_eq!(request.approve(&workspace, "grace"), "waiting_approval");
        let digest = request.digest(&workspace);
        workspace.habeas(&format!("request approve {} --by GRACE --digest {digest}", request.code)).run().code(6);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "one person is not two");
        assert_eq!(request.approve(&workspace, "linus"), "completed");
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn p_1_a_run_needs_the_digest_of_the_plan_that_it_would_carry_out() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let before = workspace.database.dump();
        let job = json!({"kind": "erasure", "subject": ada(), "approval": "one", "idempotency_key": "ticket-1"});
        workspace.job("erase", &job);
        let planned = workspace.habeas("plan jobs/erase.json --json").run().code(0).json();
        workspace.habeas("run jobs/erase.json --no-input").run().code(6);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        let digest = planned["plan_digest"].as_str().expect("a digest");
        let other = Workspace::sqlite(&script(), &shop());
        other.job("erase", &json!({"kind": "erasure", "subject": ada(), "approval": "one"}));
        other.habeas(&format!("run jobs/erase.json --no-input --confirm sha256:{}", "0".repeat(64))).run().code(6);
        assert_eq!(other.database.count("orders"), 3);
        workspace.job("erase", &json!({"kind": "erasure", "subject": ada(), "approval": "one"}));
        let said = workspace.habeas(&format!("run jobs/erase.json --no-input --confirm {digest}")).run();
        assert_eq!(said.code, Some(0), "the plan shown is the plan run: {}", said.stderr);
    }
}

#[test]
fn p_1_a_plan_of_another_shape_needs_approval_again() {
    let script = format!("{} CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER);", script());
    let notes = collection("notes", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", "")]);
    for workspace in Workspace::on_each(&script, &map(&[notes.clone(), orders("on_erasure: delete"), users()])) {
        let request = Waiting::submit(&workspace, "one");
        let first = request.digest(&workspace);
        // Not one row more of a kind that was approved, but a row of two people.
        workspace.database.script("INSERT INTO notes VALUES (1, 1, 2)");
        let before = workspace.database.dump();
        assert_eq!(request.approve(&workspace, "grace"), "waiting_approval");
        assert_ne!(request.digest(&workspace), first);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "what was approved was another plan");
        assert_eq!(request.approve(&workspace, "grace"), "completed");
        assert_eq!(workspace.database.count("notes WHERE author IS NULL AND partner = 2"), 1);
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn p_1_another_data_map_needs_approval_again() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let request = Waiting::submit(&workspace, "one");
        workspace.write("datamap/app.yml", &shop().replacen("on_erasure: delete", "on_erasure: keep", 1));
        assert_eq!(request.approve(&workspace, "grace"), "waiting_approval");
        assert_eq!(workspace.database.count("orders"), 3);
        assert_eq!(request.approve(&workspace, "grace"), "completed");
        assert_eq!(numbers(&workspace, "orders", "id"), [10, 11, 13]);
    }
}

#[test]
fn p_1_more_rows_of_the_same_shape_keep_the_approval() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let request = Waiting::submit(&workspace, "one");
        workspace.database.script("INSERT INTO orders VALUES (14, 1, 7)");
        assert_eq!(request.approve(&workspace, "grace"), "completed");
        assert_eq!(numbers(&workspace, "orders", "id"), [13], "the new row is hers as well");
    }
}

#[test]
fn p_1_a_mask_that_the_schema_does_not_take_refuses_the_plan() {
    let table = "CREATE TABLE cards (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT, holder TEXT NOT NULL, iban TEXT UNIQUE, amount INTEGER, pin VARCHAR(4));
                 INSERT INTO cards VALUES (1, 1, 'a', 'Ada', 'AT1', 3, '1234'), (2, 2, 'b', 'Grace', 'AT2', 4, '1234');";
    let script = format!("{} {table}", script());
    let null = "{strategy: null_rewrite}";
    let text = "{strategy: string_rewrite, configuration: {rewrite_value: MASKED}}";
    for (column, strategy, code) in [
        ("id", text, "mask_breaks_key"),
        ("holder", null, "mask_breaks_not_null"),
        ("iban", text, "mask_breaks_unique"),
        ("amount", text, "mask_does_not_fit_type"),
        ("pin", text, "mask_too_long"),
    ] {
        let mut fields: Vec<String> = vec![to_user("user_id", "")];
        for name in ["id", "code", "holder", "iban", "amount", "pin"] {
            let key = if name == "id" { "primary_key: true" } else { "" };
            let mask = if name == column { format!("masking_strategy_override: {strategy}") } else { String::new() };
            let meta: Vec<&str> = [key, mask.as_str()].into_iter().filter(|part| !part.is_empty()).collect();
            fields.push(format!("name: {name}, fides_meta: {{{}}}", meta.join(", ")));
        }
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let cards = collection("cards", "on_erasure: mask", &fields);
        let map = map(&[cards, orders("on_erasure: delete"), users()]);
        for workspace in Workspace::on_each(&script, &map) {
            refuses(&workspace, code);
        }
    }
}

#[test]
fn p_1_a_cascade_that_the_plan_does_not_know_refuses_it() {
    for (action, code) in [
        ("ON DELETE CASCADE", "cascade_outside_plan"),
        ("ON DELETE SET NULL", "cascade_outside_plan"),
        ("ON DELETE SET DEFAULT", "cascade_outside_plan"),
        ("ON DELETE RESTRICT", "delete_blocked"),
        ("", "delete_blocked"),
    ] {
        // An audit trail that the map does not mention at all.
        let unmapped = format!(
            "{} CREATE TABLE audit (id INTEGER PRIMARY KEY, actor INTEGER REFERENCES users (id) {action});
             INSERT INTO audit VALUES (1, 1), (2, 2);",
            script()
        );
        // MySQL takes SET DEFAULT for RESTRICT.
        let code_on = |workspace: &Workspace| match workspace.database {
            Database::MariaDb { .. } if action == "ON DELETE SET DEFAULT" => "delete_blocked",
            _ => code,
        };
        for workspace in Workspace::on_each(&unmapped, &shop()) {
            refuses(&workspace, code_on(&workspace));
            assert_eq!(workspace.database.count("audit WHERE actor = 1"), 1);
        }
        // The same reference from rows of others that stay.
        let mapped = format!(
            "{} CREATE TABLE audit (id INTEGER PRIMARY KEY, user_id INTEGER, seen_by INTEGER REFERENCES users (id) {action});
             INSERT INTO audit VALUES (1, 2, 1), (2, 1, 1);",
            script()
        );
        let audit = collection("audit", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &to_user("seen_by", "right: none")]);
        for workspace in Workspace::on_each(&mapped, &map(&[audit.clone(), orders("on_erasure: delete"), users()])) {
            refuses(&workspace, code_on(&workspace));
        }
    }
}

#[test]
fn p_1_a_cascade_inside_the_plan_is_carried_out_by_us_and_counted() {
    let script = script().replace("user_id INTEGER, total", "user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, total");
    for workspace in Workspace::on_each(&script, &shop()) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(item(&done, "orders")["affected"], 2, "{done}");
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn p_1_a_fuse_takes_two_people_even_where_the_job_asks_for_none() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        configure(&workspace, "limits: {max_rows: 2}");
        let before = workspace.database.dump();
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        assert!(plan["fuses"][0].as_str().expect("a fuse").contains("max_rows"), "{plan}");
        erase_ada(&workspace).code(6);
        let request =
            Waiting { code: workspace.habeas("request list --json").run().code(0).json()[0]["code"].as_str().unwrap().into() };
        assert_eq!(request.approve(&workspace, "grace"), "waiting_approval");
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        assert_eq!(request.approve(&workspace, "linus"), "completed");
    }
}

#[test]
fn p_1_a_large_share_of_a_large_table_takes_two_people() {
    let rows = "INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1099) SELECT i, 1, 0 FROM n;";
    for workspace in Workspace::on_each(&format!("{} {rows}", script()), &shop()) {
        configure(&workspace, "limits: {max_share: 0.5}");
        erase_ada(&workspace).code(6);
        assert_eq!(workspace.database.count("orders"), 1003);
    }
}

/// Whoever confirms what waits gets no second request for it, also after the data has changed in between.
#[test]
fn e_3_a_run_without_confirmation_waits_and_the_next_one_goes_on_with_it() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        workspace.job("erase", &json!({"kind": "erasure", "subject": ada(), "approval": "one"}));
        let requests = || workspace.habeas("request list --json").run().code(0).json();
        let said = workspace.habeas("run jobs/erase.json --no-input").run().code(6);
        assert!(said.stderr.contains("goes on with it and makes no second one"), "{}", said.stderr);
        workspace.habeas("run jobs/erase.json --no-input").run().code(6);
        let waiting = requests();
        assert_eq!(waiting.as_array().map(Vec::len), Some(1), "{waiting}");
        assert_eq!(waiting[0]["status"], "waiting_approval", "{waiting}");

        workspace.database.script("INSERT INTO orders VALUES (77, 1, 5)");
        let planned = workspace.habeas("plan jobs/erase.json --json").run().code(0).json();
        let digest = planned["plan_digest"].as_str().expect("a digest");
        let done = workspace.habeas(&format!("run jobs/erase.json --no-input --json --confirm {digest}")).run().code(0).json();
        assert_eq!((&done["code"], &done["status"]), (&waiting[0]["code"], &json!("completed")), "{done}");
        assert_eq!(requests().as_array().map(Vec::len), Some(1), "nothing is left waiting");
        // Another person's is another request, and so is the next one of the same person.
        workspace
            .habeas("run - --no-input")
            .input(json!({"kind": "erasure", "subject": {"email": "grace@example.com"}}).to_string())
            .run()
            .code(6);
        assert_eq!(requests().as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn the_plan_of_an_access_speaks_of_what_is_handed_over_and_not_of_erasing() {
    let secret = "name: total, fides_meta: {masking_strategy_override: {strategy: null_rewrite}}, habeas: {withhold: trade_secret}";
    let orders = collection(
        "orders",
        "on_erasure: mask, retain_when: [{where: {total: {gt: 10}}, ground: art17_3_b}]",
        &[KEY, &to_user("user_id", ""), secret],
    );
    for workspace in Workspace::on_each(&script(), &map(&[orders.clone(), users()])) {
        configure(&workspace, "limits: {max_rows: 1}");
        let job = json!({"kind": "access", "subject": ada()}).to_string();
        let said = workspace.habeas("plan -").input(job.clone()).run().code(0);
        for word in ["null_rewrite", "keep", "erase", "mask", "max_rows", "art17"] {
            let text = format!("{}{}", said.stdout, said.stderr).to_lowercase();
            assert!(!text.contains(word), "{word}: {text}");
        }
        assert!(said.stdout.contains("total: trade secret"), "{}", said.stdout);
        let plan = workspace.habeas("plan - --json").input(job).run().code(0).json();
        let orders = item(&plan, "orders");
        assert_eq!((&orders["columns"], &orders["retained"], &plan["fuses"]), (&json!([]), &json!([]), &json!([])), "{plan}");
        assert_eq!(orders["left_out"], json!(["total: trade secret"]), "{plan}");
    }
}
