//! What a request asks of a database: as many statements as the map has tables and edges, however many rows the person has.

use serde_json::{Value, json};

use crate::support::statements::{Asked, Logged};
use crate::support::typical;

#[test]
fn the_number_of_statements_grows_with_the_tables_and_not_with_the_rows() {
    let Some(logged) = Logged::open(&typical::schema_and_rows(), &typical::map()) else { return };
    let asked = |kind: &str, email: &str, rows: u64| -> Asked {
        logged.workspace.job("job", &json!({"kind": kind, "subject": {"email": email}, "approval": "none"}));
        let (plan, asked) = logged.asked(|workspace| workspace.habeas("plan jobs/job.json --json").run().code(0).json());
        assert_eq!(found(&plan), rows, "{kind} of {email}");
        asked
    };
    for kind in ["access", "erasure"] {
        let typical = asked(kind, typical::TYPICAL, 191);
        let busy = asked(kind, typical::BUSY, 1901);
        assert_eq!(typical.statements, busy.statements, "{kind}: ten times the rows, as many statements");
        let per_table = typical.statements / typical::TABLES;
        assert!(per_table <= 20, "{kind}: {per_table} statements for each table: {typical:?}");
    }
}

fn found(plan: &Value) -> u64 {
    plan["items"].as_array().expect("items").iter().map(|item| item["found"].as_u64().expect("a count")).sum()
}
