//! Rights of the roles and row security: what a role may not see is never taken for nothing, neither by the planner nor by the verifier
//! (V-2, V-3, O-1).

use super::support::catalogue::*;
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script(more: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (13, 2, 5);
         {more}"
    )
}

fn shop() -> String {
    map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]), users()])
}

const ALL: &str = "GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}";

#[test]
fn v_2_row_security_that_hides_her_rows_refuses_the_plan_until_it_hides_none() {
    let Some(workspace) = Workspace::postgres(&script("ALTER TABLE orders ENABLE ROW LEVEL SECURITY"), &shop()) else { return };
    let role = as_role(&workspace, "worker", ALL);
    // No policy at all: the role sees no order, and would call that nothing.
    let problem = refused(&workspace, "row_security");
    assert!(problem["hint"].as_str().unwrap().contains("BYPASSRLS"), "{problem}");
    workspace.database.script(&format!("CREATE POLICY cheap ON orders TO {role} USING (total < 10)"));
    refused(&workspace, "row_security");
    assert_eq!(numbers(&workspace, "orders", "id"), [10, 11, 13]);
    // A policy of the kind that the hint names hides nothing; a restrictive one beside it does.
    workspace
        .database
        .script(&format!("DROP POLICY cheap ON orders; CREATE POLICY every ON orders FOR ALL TO {role} USING (true)"));
    workspace.database.script("CREATE POLICY narrow ON orders AS RESTRICTIVE USING (total < 10)");
    refused(&workspace, "row_security");
    workspace.database.script("DROP POLICY narrow ON orders");
    erased_whole(&workspace);
    assert_eq!(numbers(&workspace, "orders", "id"), [13]);
}

#[test]
fn v_2_the_owner_passes_row_security_unless_it_is_forced() {
    let Some(workspace) = Workspace::postgres(&script("ALTER TABLE orders ENABLE ROW LEVEL SECURITY"), &shop()) else { return };
    let role = as_role(&workspace, "owner", ALL);
    workspace.database.script(&format!("ALTER TABLE orders OWNER TO {role}; ALTER TABLE orders FORCE ROW LEVEL SECURITY"));
    refused(&workspace, "row_security");
    workspace.database.script("ALTER TABLE orders NO FORCE ROW LEVEL SECURITY");
    erased_whole(&workspace);
}

#[test]
fn a_role_that_bypasses_row_security_sees_everything() {
    let Some(workspace) = Workspace::postgres(&script("ALTER TABLE orders ENABLE ROW LEVEL SECURITY"), &shop()) else { return };
    as_role(&workspace, "bypass", &format!("{ALL}; ALTER ROLE {{role}} BYPASSRLS"));
    erased_whole(&workspace);
    assert_eq!(numbers(&workspace, "orders", "id"), [13]);
}

#[test]
fn o_1_rows_that_only_a_cascade_would_reach_have_to_be_visible() {
    // Nobody mapped the table, nobody may see its rows, and the cascade runs with its owner's rights.
    let audit = "CREATE TABLE audit (id INTEGER PRIMARY KEY, actor INTEGER REFERENCES users (id) ON DELETE CASCADE);
                 INSERT INTO audit VALUES (1, 1), (2, 2);";
    let skipped = collection("audit", "note: ''", &[KEY]).replace("habeas: {note: ''}", "fides_meta: {skip_processing: true}");
    let with_audit =
        map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]), users(), skipped]);
    let hidden = format!("{audit} ALTER TABLE audit ENABLE ROW LEVEL SECURITY;");
    for (more, grants) in [(hidden.as_str(), ALL), (audit, "GRANT SELECT, UPDATE, DELETE ON users, orders TO {role}")] {
        let Some(workspace) = Workspace::postgres(&script(more), &with_audit) else { return };
        as_role(&workspace, "blind", grants);
        let problem = refused(&workspace, "references_hidden");
        assert!(problem["hint"].as_str().unwrap().contains("GRANT SELECT ON public.audit"), "{problem}");
        assert_eq!(workspace.database.count("audit"), 2);
    }
}

#[test]
fn v_3_a_verifier_that_row_security_or_its_rights_keep_from_rows_refuses_the_plan() {
    for (more, grants) in [
        ("ALTER TABLE orders ENABLE ROW LEVEL SECURITY;", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"),
        ("", "GRANT SELECT ON users TO {role}"),
    ] {
        let Some(workspace) = Workspace::postgres(&script(more), &shop()) else { return };
        verify_as_role(&workspace, "verifier", grants);
        let problem = refused(&workspace, "verifier_blind");
        assert!(problem["subject"].as_str().unwrap().contains("app.orders"), "{problem}");
        let said = workspace.habeas("map check").run().code(2);
        assert!(said.stdout.contains("verifier_blind"), "{}", said.stdout);
    }
}

#[test]
fn v_3_a_verifier_with_the_right_to_read_vouches_for_everything() {
    let Some(workspace) = Workspace::postgres(&script(""), &shop()) else { return };
    verify_as_role(&workspace, "verifier", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}");
    erased_whole(&workspace);
}

#[test]
fn v_3_a_verifier_that_looks_elsewhere_refuses_the_plan() {
    let Some(workspace) = Workspace::postgres(&script(""), &shop()) else { return };
    let Some(elsewhere) = Workspace::postgres(&script(""), &shop()) else { return };
    let url = |workspace: &Workspace| workspace.database.source().split('"').nth(1).unwrap().to_owned();
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    let (here, there) = (url(&workspace), url(&elsewhere));
    workspace.write("habeas.yaml", &config.replace(&format!("\"{here}\""), &format!("\"{here}\", verify: \"{there}\"")));
    refused(&workspace, "verifier_blind");
}

#[test]
fn every_right_that_is_missing_is_named_before_anything_is_touched() {
    for (right, grants) in [
        ("SELECT", "GRANT SELECT, UPDATE, DELETE ON users TO {role}"),
        ("UPDATE", "GRANT SELECT, UPDATE, DELETE ON users TO {role}; GRANT SELECT, DELETE ON orders TO {role}"),
        ("DELETE", "GRANT SELECT, UPDATE, DELETE ON users TO {role}; GRANT SELECT, UPDATE ON orders TO {role}"),
    ] {
        let Some(workspace) = Workspace::postgres(&script(""), &shop()) else { return };
        as_role(&workspace, "poor", grants);
        let before = workspace.database.dump();
        for verb in ["plan - --json", "run - --json --no-input"] {
            let said = workspace.habeas(verb).input(erasure_of(&ada()).to_string()).run().code(2);
            let text = format!("{}{}", said.stdout, said.stderr);
            assert!(text.contains("GRANT") && text.contains(right), "{right} {verb}: {text}");
        }
        assert_eq!(super::support::database::difference(&before, &workspace.database.dump()), serde_json::json!({}), "{right}");
    }
}

#[test]
fn grants_on_columns_are_enough_where_they_cover_what_is_done() {
    let mask = "fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";
    let cards = collection("cards", "on_erasure: mask", &[KEY, &to_user("user_id", ""), &format!("name: holder, {mask}")]);
    let more = "CREATE TABLE cards (id INTEGER PRIMARY KEY, user_id INTEGER, holder TEXT, pin TEXT);
                INSERT INTO cards VALUES (1, 1, 'Ada', '1'), (2, 2, 'Grace', '2');";
    let all = map(&[cards, users()]);
    let base = "GRANT SELECT, UPDATE, DELETE ON users TO {role}; GRANT SELECT ON orders TO {role};";
    let Some(workspace) = Workspace::postgres(&script(more), &all) else { return };
    let role =
        as_role(&workspace, "narrow", &format!("{base} GRANT SELECT (id, user_id, holder), UPDATE (pin) ON cards TO {{role}}"));
    let problem = refused(&workspace, "missing_rights");
    assert!(problem["problem"].as_str().unwrap().contains("holder"), "{problem}");
    workspace.database.script(&format!("GRANT UPDATE (holder) ON cards TO {role}"));
    erase_ada(&workspace).run_to_end();
    assert_eq!(workspace.database.count("cards WHERE id = 1 AND holder IS NULL AND pin = '1'"), 1);
    assert_eq!(workspace.database.count("cards WHERE id = 2 AND holder = 'Grace'"), 1);
    workspace.database.script(&format!("REVOKE SELECT (user_id) ON cards FROM {role}"));
    let said = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2);
    let text = format!("{}{}", said.stdout, said.stderr);
    assert!(text.contains("user_id") && text.contains("GRANT SELECT"), "{text}");
}
