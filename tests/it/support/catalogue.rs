//! Words for tests of the planner against live schemas: a plan that is refused before anything is touched, an erasure that is whole, one that
//! waits for an approval, and a role of PostgreSQL that may do only some things.

use std::fs;

use serde_json::{Value, json};

use super::database::{Database, difference};
use super::laws::{ada, erase_ada, erasure_of, problems};
use super::workspace::Workspace;

/// The plan for Ada, which is one that can be approved.
#[track_caller]
pub fn plan_of_ada(workspace: &Workspace) -> Value {
    workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json()
}

/// The warnings of a plan in one text.
pub fn warnings(plan: &Value) -> String {
    plan["warnings"].as_array().expect("a list").iter().map(|text| format!("{}\n", text.as_str().expect("text"))).collect()
}

/// A plan is refused with this problem and a hint, a run is refused for the same reason, and neither touches anything. The problem.
#[track_caller]
pub fn refused(workspace: &Workspace, code: &str) -> Value {
    let before = workspace.database.dump();
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert_eq!(plan["can_be_approved"], false, "{plan}");
    assert!(problems(&plan).contains(&code), "{code}: {plan}");
    let problem = plan["problems"].as_array().expect("a list").iter().find(|problem| problem["code"] == code).expect("it is there");
    assert!(problem["hint"].as_str().is_some_and(|hint| hint.len() > 10), "{problem}");
    let said = erase_ada(workspace).code(2);
    assert!(said.stderr.contains("hint"), "{}", said.stderr);
    assert_eq!(said.json()["certificate"], Value::Null);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{code}");
    problem.clone()
}

/// Ada is erased, and the certificate says that everything is.
#[track_caller]
pub fn erased_whole(workspace: &Workspace) -> Value {
    let done = erase_ada(workspace).code(0).json();
    assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
    done
}

/// Certificates that say "complete".
pub fn complete_certificates(workspace: &Workspace) -> u64 {
    Database::Sqlite(workspace.path("habeas.db")).count("certificate WHERE document LIKE '%\"outcome\": \"complete\"%'")
}

/// Lets the program work as another role of PostgreSQL, which may log in and is granted what `grants` says ({role} is its name).
pub fn as_role(workspace: &Workspace, name: &str, grants: &str) -> String {
    let role = make_role(workspace, name, grants);
    let Database::Postgres(url) = &workspace.database else { panic!("roles are for PostgreSQL") };
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    workspace.write("habeas.yaml", &config.replace(url, &url.replace("user=habeas_test", &format!("user={role}"))));
    role
}

/// Lets the program verify as another role.
pub fn verify_as_role(workspace: &Workspace, name: &str, grants: &str) -> String {
    let role = make_role(workspace, name, grants);
    let Database::Postgres(url) = &workspace.database else { panic!("roles are for PostgreSQL") };
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    let verify = url.replace("user=habeas_test", &format!("user={role}"));
    workspace.write("habeas.yaml", &config.replace(&format!("\"{url}\""), &format!("\"{url}\", verify: \"{verify}\"")));
    role
}

fn make_role(workspace: &Workspace, name: &str, grants: &str) -> String {
    // Roles belong to the whole server, which many tests share.
    let database = workspace.database.psql("SELECT current_database()").trim().to_owned();
    let role = format!("{name}_{database}");
    workspace.database.script(&format!("CREATE ROLE {role} LOGIN; {}", grants.replace("{role}", &role)));
    role
}

/// An erasure of Ada that waits for one approval.
pub struct Waiting {
    /// The request's code.
    pub code: String,
}

impl Waiting {
    /// Submits it, and lets a worker plan it.
    #[track_caller]
    pub fn submit(workspace: &Workspace) -> Waiting {
        let job = json!({"kind": "erasure", "subject": ada(), "approval": "one"});
        let code = workspace.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned();
        workspace.habeas("worker --once").run().code(0);
        let waiting = Waiting { code };
        assert_eq!(waiting.show(workspace)["status"], "waiting_approval");
        waiting
    }

    /// The request as it stands.
    pub fn show(&self, workspace: &Workspace) -> Value {
        workspace.habeas(&format!("request show {} --json", self.code)).run().code(0).json()
    }

    /// Approves the plan that there is now.
    pub fn approve(&self, workspace: &Workspace) {
        let digest = self.show(workspace)["plan_digest"].as_str().expect("a plan").to_owned();
        workspace.habeas(&format!("request approve {} --by grace --digest {digest}", self.code)).run().code(0);
    }

    /// A change of the schema behind the approval that makes the plan impossible: it is told with this word, and nothing is touched.
    #[track_caller]
    pub fn is_refused_after(change: &str, word: &str, workspace: &Workspace) {
        let request = Waiting::submit(workspace);
        request.approve(workspace);
        workspace.database.script(change);
        let before = workspace.database.dump();
        let shown = request.work(workspace);
        assert_eq!(shown["status"], "waiting_controller", "{change}: {shown}");
        assert!(shown["reason"].to_string().contains(word), "{change}: {shown}");
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{change}");
        assert_eq!(complete_certificates(workspace), 0);
    }

    /// What becomes of the request with the next worker.
    pub fn work(&self, workspace: &Workspace) -> Value {
        workspace.habeas("worker --once").run().code(0);
        self.show(workspace)
    }
}
