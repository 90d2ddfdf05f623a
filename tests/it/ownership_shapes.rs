//! Every shape in which schemas tie rows to people, on both databases: what is handed over, what goes, and what others keep (O-1).

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::laws::*;
use super::support::skipped;
use super::support::workspace::Workspace;

fn script(tables: &str) -> String {
    format!("{PEOPLE}\n{tables}")
}

fn grace() -> Value {
    json!({"email": "grace@example.com"})
}

/// The archive of an access request.
fn handed_over(workspace: &Workspace, subject: &Value) -> Archive {
    let done = run(workspace, &json!({"kind": "access", "subject": subject})).code(0).json();
    Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")))
}

/// The numbers in a column of a table in the archive, sorted.
fn shown(archive: &Archive, table: &str, column: &str) -> Vec<i64> {
    let mut numbers: Vec<i64> = archive.rows(&format!("app/{table}")).iter().filter_map(|row| row[column].as_i64()).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn o_1_a_shared_row_is_handed_over_to_both_and_goes_with_the_last() {
    let tables = "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER, body TEXT);
                  INSERT INTO notes VALUES (1, 1, NULL, 'hers'), (2, 1, 2, 'both'), (3, 2, NULL, 'his');";
    let notes = collection("notes", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", ""), "name: body"]);
    for workspace in Workspace::on_both(&script(tables), &map(&[notes.clone(), users()])) {
        assert_eq!(shown(&handed_over(&workspace, &ada()), "notes", "id"), [1, 2]);
        assert_eq!(shown(&handed_over(&workspace, &grace()), "notes", "id"), [2, 3]);
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "notes", "id"), [2, 3]);
        assert_eq!(workspace.database.count("notes WHERE id = 2 AND author IS NULL AND partner = 2 AND body = 'both'"), 1);
        run(&workspace, &erasure_of(&grace())).code(0);
        assert_eq!(workspace.database.count("notes"), 0, "the last owner has gone");
    }
}

#[test]
fn o_1_a_path_that_mixes_owning_and_accessing_gives_access() {
    let tables = "CREATE TABLE albums (id INTEGER PRIMARY KEY, owner INTEGER, viewer INTEGER);
                  CREATE TABLE photos (id INTEGER PRIMARY KEY, album_id INTEGER, caption TEXT);
                  INSERT INTO albums VALUES (1, 1, NULL), (2, 2, 1), (3, 2, NULL);
                  INSERT INTO photos VALUES (10, 1, 'hers'), (20, 2, 'his, which she sees'), (30, 3, 'his');";
    let albums = collection(
        "albums",
        "on_erasure: delete",
        &[KEY, &to_user("owner", ""), &to_user("viewer", "right: accesses, on_erasure: unlink")],
    );
    let photos =
        collection("photos", "on_erasure: delete", &[KEY, &refers("album_id", "albums.id", "hide: [caption]"), "name: caption"]);
    for workspace in Workspace::on_both(&script(tables), &map(&[albums.clone(), photos.clone(), users()])) {
        let archive = handed_over(&workspace, &ada());
        assert_eq!((shown(&archive, "albums", "id"), shown(&archive, "photos", "id")), (vec![1, 2], vec![10, 20]));
        let photos = archive.rows("app/photos");
        let caption = |id: i64| photos.iter().find(|row| row["id"] == id).map(|row| row["caption"].clone());
        assert_eq!((caption(10), caption(20)), (Some(json!("hers")), Some(Value::Null)), "hidden where it is only accessed");
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "photos", "id"), [20, 30]);
        assert_eq!(workspace.database.count("photos WHERE caption IS NOT NULL"), 2);
        assert_eq!(workspace.database.count("albums WHERE id = 2 AND owner = 2 AND viewer IS NULL"), 1);
    }
}

#[test]
fn o_1_a_row_reached_over_two_edges_has_the_stronger_right() {
    let tables = "CREATE TABLE reviews (id INTEGER PRIMARY KEY, author INTEGER, reviewer INTEGER, remark TEXT);
                  INSERT INTO reviews VALUES (1, 1, 1, 'her own'), (2, 2, 1, 'his'), (3, 1, 2, 'hers');";
    let reviews = collection(
        "reviews",
        "on_erasure: delete",
        &[KEY, &to_user("author", ""), &to_user("reviewer", "right: accesses, hide: [remark], on_erasure: unlink"), "name: remark"],
    );
    for workspace in Workspace::on_both(&script(tables), &map(&[reviews.clone(), users()])) {
        let rows = handed_over(&workspace, &ada()).rows("app/reviews");
        let remark = |id: i64| rows.iter().find(|row| row["id"] == id).map(|row| row["remark"].clone());
        assert_eq!((remark(1), remark(2), remark(3)), (Some(json!("her own")), Some(Value::Null), Some(json!("hers"))));
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "reviews", "id"), [2]);
        assert_eq!(workspace.database.count("reviews WHERE author = 2 AND reviewer IS NULL AND remark = 'his'"), 1);
    }
}

/// Users and teams carry the same numbers, and a note belongs to one or the other.
const POLYMORPHIC: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY, lead INTEGER);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner_type TEXT, owner_id INTEGER, co_author INTEGER);
    INSERT INTO teams VALUES (1, 2), (2, 1);
    INSERT INTO notes VALUES (1, 'user', 1, NULL), (2, 'team', 1, NULL), (3, 'team', 2, NULL), (4, NULL, 1, NULL), (5, 'team', 1, 1), (6, 'user', 1, 2);";

#[test]
fn o_1_a_polymorphic_reference_leads_to_what_its_type_says() {
    let references = "[{dataset: app, field: users.id, direction: from}, {dataset: app, field: teams.id, direction: from}]";
    let owner = format!(
        "name: owner_id, fides_meta: {{references: {references}}}, \
         habeas: {{references: {{users.id: {{where: {{owner_type: user}}}}, teams.id: {{where: {{owner_type: team}}}}}}}}"
    );
    let notes = collection("notes", "on_erasure: delete", &[KEY, "name: owner_type", &owner, &to_user("co_author", "")]);
    let teams = collection("teams", "on_erasure: delete", &[KEY, &to_user("lead", "")]);
    for workspace in Workspace::on_both(&script(POLYMORPHIC), &map(&[notes.clone(), teams.clone(), users()])) {
        assert_eq!(shown(&handed_over(&workspace, &ada()), "notes", "id"), [1, 3, 5, 6], "her team is the one with the number 2");
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "notes", "id"), [2, 4, 5, 6]);
        let team_note = "notes WHERE id = 5 AND owner_type = 'team' AND owner_id = 1 AND co_author IS NULL";
        assert_eq!(workspace.database.count(team_note), 1, "the number is the team's, not hers");
        assert_eq!(workspace.database.count("notes WHERE id = 6 AND owner_id IS NULL AND co_author = 2"), 1);
        assert_eq!(workspace.database.count("notes WHERE id = 4 AND owner_id = 1"), 1, "of no type: nobody's");
        assert_eq!(numbers(&workspace, "teams", "id"), [1]);
    }
}

/// Posts of several tenants; the tenant is part of every key.
const TENANTS: &str = "CREATE TABLE accounts (tenant INTEGER NOT NULL, id INTEGER NOT NULL, email TEXT, PRIMARY KEY (tenant, id));
    CREATE TABLE posts (tenant INTEGER, id INTEGER PRIMARY KEY, author INTEGER, editor INTEGER,
        FOREIGN KEY (tenant, author) REFERENCES accounts (tenant, id), FOREIGN KEY (tenant, editor) REFERENCES accounts (tenant, id));
    INSERT INTO accounts VALUES (1, 5, 'ada@example.com'), (2, 5, 'grace@example.com'), (1, 6, 'linus@example.com');
    INSERT INTO posts VALUES (1, 1, 5, NULL), (2, 2, 5, NULL), (1, 3, 5, 6), (1, 4, 6, 5), (1, 5, NULL, NULL), (NULL, 6, 5, NULL);";

fn accounts() -> String {
    collection(
        "accounts",
        "on_erasure: delete",
        &["name: tenant, fides_meta: {primary_key: true}", KEY, "name: email, fides_meta: {identity: email}"],
    )
}

#[test]
fn o_1_composite_keys_are_cut_where_they_are_this_persons_alone() {
    let posts = collection(
        "posts",
        "on_erasure: delete",
        &[
            KEY,
            &refers("tenant", "accounts.tenant", "edge: [author, editor]"),
            &refers("author", "accounts.id", "edge: author"),
            &refers("editor", "accounts.id", "edge: editor"),
        ],
    );
    for workspace in Workspace::on_both(TENANTS, &map(&[accounts(), posts.clone()])) {
        assert_eq!(shown(&handed_over(&workspace, &ada()), "posts", "id"), [1, 3, 4]);
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "posts", "id"), [2, 3, 4, 5, 6], "half a key is no key");
        assert_eq!(workspace.database.count("posts WHERE id = 3 AND tenant = 1 AND author IS NULL AND editor = 6"), 1);
        assert_eq!(workspace.database.count("posts WHERE id = 4 AND tenant = 1 AND author = 6 AND editor IS NULL"), 1);
        assert_eq!(workspace.database.count("accounts WHERE tenant = 1 AND id = 5"), 0);
    }
}

#[test]
fn o_1_a_composite_key_that_is_only_half_declared_is_no_plan() {
    for (tenant, author) in [(refers("tenant", "accounts.tenant", ""), ""), ("name: tenant".to_owned(), "")] {
        let posts = collection(
            "posts",
            "on_erasure: delete",
            &[KEY, &tenant, &refers("author", "accounts.id", author), &refers("editor", "accounts.id", "right: none")],
        );
        for workspace in Workspace::on_both(TENANTS, &map(&[accounts(), posts.clone()])) {
            let before = workspace.database.dump();
            let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
            assert!(problems(&plan).contains(&"composite_key_half_declared"), "{plan}");
            assert!(plan["problems"].to_string().contains("habeas: {edge: "), "it says what to write: {plan}");
            erase_ada(&workspace).code(2);
            assert_eq!(before, workspace.database.dump());
        }
    }
}

const TEAMS: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE memberships (id INTEGER PRIMARY KEY, team_id INTEGER, user_id INTEGER);
    CREATE TABLE plans (id INTEGER PRIMARY KEY, team_id INTEGER);
    INSERT INTO teams VALUES (7, 'red'), (8, 'of one');
    INSERT INTO memberships VALUES (1, 7, 1), (2, 7, 2), (3, 8, 1);
    INSERT INTO plans VALUES (70, 7), (80, 8);";

fn team_map(right: &str) -> String {
    let memberships = collection(
        "memberships",
        "on_erasure: delete",
        &[
            KEY,
            &to_user("user_id", ""),
            &format!(
                "name: team_id, fides_meta: {{references: [{{dataset: app, field: teams.id, direction: to}}]}}, habeas: {{right: {right}}}"
            ),
        ],
    );
    let teams = collection("teams", "on_erasure: delete", &[KEY, "name: name"]);
    let plans = collection("plans", "on_erasure: delete", &[KEY, &refers("team_id", "teams.id", "")]);
    map(&[memberships, plans, teams, users()])
}

#[test]
fn o_1_members_do_not_own_what_the_group_owns_unless_the_map_says_so() {
    for workspace in Workspace::on_both(&script(TEAMS), &team_map("accesses")) {
        assert_eq!(shown(&handed_over(&workspace, &ada()), "plans", "id"), [70, 80], "members see it");
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "memberships", "id"), [2], "the link is the member's own");
        assert_eq!((numbers(&workspace, "teams", "id"), numbers(&workspace, "plans", "id")), (vec![7, 8], vec![70, 80]));
    }
}

#[test]
fn o_1_where_members_own_the_group_it_goes_with_the_last_of_them() {
    for workspace in Workspace::on_both(&script(TEAMS), &team_map("owns")) {
        erase_ada(&workspace).code(0);
        assert_eq!((numbers(&workspace, "teams", "id"), numbers(&workspace, "plans", "id")), (vec![7], vec![70]));
        assert_eq!(numbers(&workspace, "memberships", "id"), [2]);
        run(&workspace, &erasure_of(&grace())).code(0);
        assert_eq!(workspace.database.count("teams") + workspace.database.count("plans"), 0, "the last member has gone");
    }
}

#[test]
fn o_1_a_row_with_addresses_of_two_people_loses_only_the_one() {
    let tables = "CREATE TABLE messages (id INTEGER PRIMARY KEY, sender TEXT, recipient TEXT, body TEXT);
                  CREATE TABLE files (id INTEGER PRIMARY KEY, message_id INTEGER);
                  INSERT INTO messages VALUES (1, 'ada@example.com', 'hedy@example.com', 'to her'), (2, 'ada@example.com', NULL, 'a draft'),
                      (3, 'hedy@example.com', 'ada@example.com', 'back'), (4, 'ada@example.com', 'ada@example.com', 'to herself');
                  INSERT INTO files VALUES (10, 1), (20, 2), (40, 4);";
    let address = |column: &str| format!("name: {column}, fides_meta: {{identity: email}}");
    let messages = collection("messages", "on_erasure: delete", &[KEY, &address("sender"), &address("recipient"), "name: body"]);
    let files = collection("files", "on_erasure: delete", &[KEY, &refers("message_id", "messages.id", "")]);
    // No users at all: people are columns here.
    for workspace in Workspace::on_both(tables, &map(&[files.clone(), messages.clone()])) {
        assert_eq!(shown(&handed_over(&workspace, &ada()), "messages", "id"), [1, 2, 3, 4]);
        erase_ada(&workspace).code(0);
        assert_eq!((numbers(&workspace, "messages", "id"), numbers(&workspace, "files", "id")), (vec![1, 3], vec![10]));
        assert_eq!(workspace.database.count("messages WHERE id = 1 AND sender IS NULL AND recipient = 'hedy@example.com'"), 1);
        assert_eq!(workspace.database.count("messages WHERE id = 3 AND sender = 'hedy@example.com' AND recipient IS NULL"), 1);
        run(&workspace, &erasure_of(&json!({"email": "hedy@example.com"}))).code(0);
        assert_eq!(workspace.database.count("messages") + workspace.database.count("files"), 0);
    }
    // Two addresses of one person look the same, and only the map can tell.
    let messages = collection(
        "messages",
        "on_erasure: delete, names: one_person",
        &[KEY, &address("sender"), &address("recipient"), "name: body"],
    );
    for workspace in Workspace::on_both(tables, &map(&[files.clone(), messages.clone()])) {
        erase_ada(&workspace).run_to_end();
        assert_eq!(workspace.database.count("messages"), 0);
    }
}

#[test]
fn o_1_a_guest_who_is_a_column_has_as_many_rows_as_they_like() {
    let tables = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, guest_email TEXT);
                  CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER);
                  INSERT INTO orders VALUES (1, NULL, 'hedy@example.com'), (2, NULL, 'hedy@example.com'), (3, 1, NULL), (4, 1, 'hedy@example.com');
                  INSERT INTO order_lines VALUES (10, 1), (20, 2), (30, 3), (40, 4);";
    let orders = collection(
        "orders",
        "on_erasure: delete",
        &[KEY, &to_user("user_id", ""), "name: guest_email, fides_meta: {identity: email}"],
    );
    let lines = collection("order_lines", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")]);
    for workspace in Workspace::on_both(&script(tables), &map(&[lines.clone(), orders.clone(), users()])) {
        let hedy = json!({"email": "hedy@example.com"});
        assert_eq!(shown(&handed_over(&workspace, &hedy), "order_lines", "id"), [10, 20, 40]);
        run(&workspace, &erasure_of(&hedy)).code(0);
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "order_lines", "id")), (vec![3, 4], vec![30, 40]));
        assert_eq!(workspace.database.count("orders WHERE id = 4 AND user_id = 1 AND guest_email IS NULL"), 1);
    }
}

#[test]
fn o_1_comments_go_deepest_first_whatever_the_database_does_to_replies() {
    for action in ["CASCADE", "RESTRICT", "SET NULL", "NO ACTION"] {
        let tables = format!(
            "CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER, parent_id INTEGER REFERENCES comments (id) ON DELETE {action}, body TEXT);
             INSERT INTO comments VALUES (1, 1, NULL, 'hers'), (2, 1, 1, 'hers'), (3, 1, 2, 'hers'), (4, 2, 3, 'his'), (5, 1, 4, 'hers');"
        );
        let comments = collection(
            "comments",
            "on_erasure: delete",
            &[
                KEY,
                &to_user("user_id", ""),
                &refers("parent_id", "comments.id", "right: accesses, on_erasure: unlink"),
                "name: body",
            ],
        );
        for workspace in Workspace::on_both(&script(&tables), &map(&[comments.clone(), users()])) {
            let done = erase_ada(&workspace).code(0).json();
            assert_eq!(item(&done, "comments")["affected"], 4, "{action}: {done}");
            assert_eq!(workspace.database.count("comments"), 1, "{action}");
            assert_eq!(workspace.database.count("comments WHERE id = 4 AND parent_id IS NULL AND body = 'his'"), 1, "{action}");
        }
    }
}

#[test]
fn o_1_rows_that_refer_to_each_other_in_a_circle_are_untied_first() {
    let tables = "CREATE TABLE drafts (id INTEGER PRIMARY KEY, user_id INTEGER, next_id INTEGER REFERENCES drafts (id));
                  INSERT INTO drafts VALUES (1, 1, NULL), (2, 1, 1), (3, 1, 2), (4, 2, NULL);
                  UPDATE drafts SET next_id = 3 WHERE id = 1;";
    let drafts =
        collection("drafts", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &refers("next_id", "drafts.id", "right: none")]);
    for workspace in Workspace::on_both(&script(tables), &map(&[drafts.clone(), users()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "drafts", "id"), [4]);
    }
}

#[test]
fn o_1_a_join_may_be_written_on_the_field_that_is_referred_to() {
    let tables = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, partner INTEGER);
                  INSERT INTO orders VALUES (1, 1, NULL), (2, 2, NULL), (3, 1, 2);";
    let users = collection(
        "users",
        "on_erasure: mask",
        &[
            "name: id, fides_meta: {primary_key: true, references: [{dataset: app, field: orders.user_id, direction: to}, {dataset: app, field: orders.partner, direction: to}]}, habeas: {right: owns}",
            "name: email, fides_meta: {identity: email, masking_strategy_override: {strategy: null_rewrite}}",
        ],
    );
    let orders = collection("orders", "on_erasure: delete", &[KEY, "name: user_id", "name: partner"]);
    for workspace in Workspace::on_both(&script(tables), &map(&[orders.clone(), users.clone()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [2, 3], "the masked person does not keep what she owned");
        assert_eq!(workspace.database.count("orders WHERE id = 3 AND user_id IS NULL AND partner = 2"), 1);
        assert_eq!(workspace.database.count("users WHERE email IS NULL"), 1);
    }
}

#[test]
fn an_overwritten_row_is_untied_where_the_map_says_so() {
    let tables = "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), signature TEXT, body TEXT);
                  INSERT INTO posts VALUES (1, 1, 'Ada', 'a question'), (2, 2, 'Grace', 'an answer');";
    let posts = collection(
        "posts",
        "on_erasure: mask",
        &[
            KEY,
            &to_user("user_id", "on_erasure: unlink"),
            "name: signature, fides_meta: {masking_strategy_override: {strategy: null_rewrite}}",
            "name: body",
        ],
    );
    for workspace in Workspace::on_both(&script(tables), &map(&[posts.clone(), users()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        assert_eq!(
            workspace.database.count("posts WHERE id = 1 AND user_id IS NULL AND signature IS NULL AND body = 'a question'"),
            1
        );
        assert_eq!(workspace.database.count("posts WHERE id = 2 AND user_id = 2 AND signature = 'Grace'"), 1);
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
    }
}

#[test]
fn o_1_a_row_that_somebody_comes_to_own_between_plan_and_run_is_not_overwritten() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    let tables = "CREATE TABLE addresses (id INTEGER PRIMARY KEY, city TEXT);
                  CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, address_id INTEGER REFERENCES addresses (id));
                  INSERT INTO addresses VALUES (5, 'Vienna'), (6, 'Graz');
                  INSERT INTO users VALUES (1, 'ada@example.com', 5), (2, 'grace@example.com', 6);";
    let users = collection(
        "users",
        "on_erasure: delete",
        &[
            KEY_OF_USERS,
            "name: email, fides_meta: {identity: email}",
            "name: address_id, fides_meta: {references: [{dataset: app, field: addresses.id, direction: to}]}, habeas: {right: owns}",
        ],
    );
    let addresses = collection(
        "addresses",
        "on_erasure: mask",
        &[KEY, "name: city, fides_meta: {masking_strategy_override: {strategy: null_rewrite}}"],
    );
    let map = map(&[addresses, users]);
    for (comes_in_between, city) in [("UPDATE users SET address_id = 5 WHERE id = 2", 1), ("UPDATE users SET email = email", 0)] {
        for workspace in Workspace::on_both(tables, &map) {
            workspace.habeas("submit -").input(erasure_of(&ada()).to_string()).run().code(0);
            let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", "erase-before-permit").run();
            assert_eq!(died.code, None, "{}", died.stderr);
            workspace.database.script(comes_in_between);
            workspace.habeas("worker --once").run();
            let left = workspace.database.count("addresses WHERE id = 5 AND city = 'Vienna'");
            assert_eq!(left, city, "{comes_in_between}");
            assert_eq!(numbers(&workspace, "users", "id"), [2]);
        }
    }
}
