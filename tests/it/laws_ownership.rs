//! O-1 and I-1 on real databases: a row is erased only when it is this subject's alone, and only bytes decide who a person is.

use serde_json::{Value, json};

use super::support::database::difference;
use super::support::laws::*;
use super::support::postgres::postgres;
use super::support::workspace::Workspace;

fn script(tables: &str) -> String {
    format!("{PEOPLE}\n{tables}")
}

/// The dump without what is allowed to change.
fn untouched(workspace: &Workspace, before: &super::support::database::Dump) {
    assert_eq!(difference(before, &workspace.database.dump()), json!({}));
}

#[test]
fn o_1_a_row_with_two_owners_stays_and_loses_only_this_subjects_column() {
    let tables = "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER, body TEXT);
                  INSERT INTO notes VALUES (1, 1, NULL, 'hers'), (2, 1, 2, 'both'), (3, 2, 1, 'both'), (4, 2, NULL, 'his'), (5, 1, 1, 'hers twice');";
    let notes = collection("notes", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", ""), "name: body"]);
    for workspace in Workspace::on_each(&script(tables), &map(&[users(), notes.clone()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(numbers(&workspace, "notes", "id"), [2, 3, 4], "{done}");
        assert_eq!(workspace.database.count("notes WHERE id = 2 AND author IS NULL AND partner = 2 AND body = 'both'"), 1);
        assert_eq!(workspace.database.count("notes WHERE id = 3 AND author = 2 AND partner IS NULL AND body = 'both'"), 1);
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
        assert_eq!(item(&done, "notes")["retained"][0]["ground"], "shared", "{done}");

        let done = run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0).json();
        assert_eq!(numbers(&workspace, "notes", "id"), [] as [i64; 0], "the last owner has gone: {done}");
    }
}

#[test]
fn o_1_what_belongs_to_a_shared_row_is_shared_too() {
    let tables = "CREATE TABLE albums (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER);
                  CREATE TABLE photos (id INTEGER PRIMARY KEY, album_id INTEGER, caption TEXT);
                  CREATE TABLE tags (id INTEGER PRIMARY KEY, photo_id INTEGER);
                  INSERT INTO albums VALUES (1, 1, NULL), (2, 1, 2);
                  INSERT INTO photos VALUES (10, 1, 'hers'), (20, 2, 'of both');
                  INSERT INTO tags VALUES (100, 10), (200, 20);";
    let albums = collection("albums", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", "")]);
    let photos = collection("photos", "on_erasure: delete", &[KEY, &refers("album_id", "albums.id", ""), "name: caption"]);
    let tags = collection("tags", "on_erasure: delete", &[KEY, &refers("photo_id", "photos.id", "")]);
    for workspace in Workspace::on_each(&script(tables), &map(&[albums.clone(), photos.clone(), tags.clone(), users()])) {
        let done = erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "albums", "id"), [2], "{done}");
        assert_eq!(numbers(&workspace, "photos", "id"), [20], "the other owner's album keeps its photo: {done}");
        assert_eq!(workspace.database.count("photos WHERE id = 20 AND album_id = 2"), 1, "and stays in it");
        assert_eq!(numbers(&workspace, "tags", "id"), [200]);
        assert_eq!(workspace.database.count("albums WHERE id = 2 AND author IS NULL AND partner = 2"), 1);
    }
}

#[test]
fn o_1_a_link_table_gives_up_its_link_and_not_what_it_links() {
    let tables = "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT);
                  CREATE TABLE memberships (team_id INTEGER NOT NULL, user_id INTEGER NOT NULL, PRIMARY KEY (team_id, user_id));
                  INSERT INTO teams VALUES (7, 'red'), (8, 'blue');
                  INSERT INTO memberships VALUES (7, 1), (7, 2), (8, 2), (8, 1), (7, 3);";
    let memberships = collection(
        "memberships",
        "on_erasure: delete",
        &[
            "name: team_id, fides_meta: {primary_key: true, references: [{dataset: app, field: teams.id, direction: to}]}, habeas: {right: accesses}",
            "name: user_id, fides_meta: {primary_key: true, references: [{dataset: app, field: users.id, direction: from}]}",
        ],
    );
    let teams = collection("teams", "on_erasure: keep", &[KEY, "name: name"]);
    for workspace in Workspace::on_each(&script(tables), &map(&[memberships.clone(), teams.clone(), users()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(workspace.database.count("memberships"), 3);
        assert_eq!(workspace.database.count("memberships WHERE user_id = 1"), 0);
        assert_eq!(numbers(&workspace, "teams", "id"), [7, 8]);
    }
}

#[test]
fn o_1_replies_of_others_survive_the_comment_they_answer() {
    let tables = "CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), parent_id INTEGER REFERENCES comments (id), body TEXT);
                  INSERT INTO comments VALUES (1, 1, NULL, 'hers'), (2, 2, 1, 'his reply'), (3, 1, 2, 'her reply'), (4, 1, 3, 'her own thread'), (5, 2, NULL, 'his');";
    let comments = collection(
        "comments",
        "on_erasure: delete",
        &[KEY, &to_user("user_id", ""), &refers("parent_id", "comments.id", "right: accesses, on_erasure: unlink"), "name: body"],
    );
    for workspace in Workspace::on_each(&script(tables), &map(&[comments.clone(), users()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(numbers(&workspace, "comments", "id"), [2, 5], "{done}");
        assert_eq!(
            workspace.database.count("comments WHERE id = 2 AND body = 'his reply' AND user_id = 2 AND parent_id IS NULL"),
            1
        );
    }
}

#[test]
fn o_1_a_reply_that_cannot_lose_its_parent_keeps_the_plan_from_running() {
    let tables = "CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER, parent_id INTEGER NOT NULL REFERENCES comments (id), body TEXT);
                  INSERT INTO comments VALUES (1, 1, 1, 'hers'), (2, 2, 1, 'his reply');";
    let comments = collection("comments", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: parent_id", "name: body"]);
    for workspace in Workspace::on_each(&script(tables), &map(&[comments.clone(), users()])) {
        let before = workspace.database.dump();
        let said = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert!(problems(&said).contains(&"delete_blocked"), "{said}");
        erase_ada(&workspace).code(2);
        untouched(&workspace, &before);
    }
}

#[test]
fn o_1_a_row_that_names_another_person_in_an_identity_column_is_shared() {
    let tables = "CREATE TABLE bookings (id INTEGER PRIMARY KEY, user_id INTEGER, guest_email TEXT);
                  INSERT INTO bookings VALUES (1, 1, NULL), (2, 1, 'hedy@example.com'), (3, 1, 'ada@example.com'), (4, 2, 'ada@example.com'), (5, 2, 'hedy@example.com');";
    let bookings = collection(
        "bookings",
        "on_erasure: delete",
        &[KEY, &to_user("user_id", ""), "name: guest_email, fides_meta: {identity: email}"],
    );
    for workspace in Workspace::on_each(&script(tables), &map(&[bookings.clone(), users()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(numbers(&workspace, "bookings", "id"), [2, 4, 5], "{done}");
        assert_eq!(workspace.database.count("bookings WHERE id = 2 AND user_id IS NULL AND guest_email = 'hedy@example.com'"), 1);
        assert_eq!(workspace.database.count("bookings WHERE id = 4 AND user_id = 2 AND guest_email IS NULL"), 1, "{done}");

        // The guest has no account at all: she is a plain column in a row.
        run(&workspace, &erasure_of(&json!({"email": "hedy@example.com"}))).code(0);
        assert_eq!(numbers(&workspace, "bookings", "id"), [4, 5]);
        assert_eq!(workspace.database.count("bookings WHERE id = 5 AND user_id = 2 AND guest_email IS NULL"), 1);
    }
}

#[test]
fn o_1_an_accessed_row_is_never_deleted_and_unlink_clears_only_her_column() {
    let tables = "CREATE TABLE reviews (id INTEGER PRIMARY KEY, author INTEGER, reviewer INTEGER, note_to_self TEXT, text TEXT);
                  INSERT INTO reviews VALUES (1, 2, 1, 'private', 'public'), (2, 2, 3, 'private', 'public'), (3, 1, 2, 'private', 'public');";
    let reviews = collection(
        "reviews",
        "on_erasure: delete",
        &[
            KEY,
            &to_user("author", ""),
            &to_user("reviewer", "right: accesses, hide: [note_to_self], on_erasure: unlink"),
            "name: note_to_self",
            "name: text",
        ],
    );
    for workspace in Workspace::on_each(&script(tables), &map(&[reviews.clone(), users()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "reviews", "id"), [1, 2]);
        let left = "reviews WHERE id = 1 AND author = 2 AND reviewer IS NULL AND note_to_self = 'private' AND text = 'public'";
        assert_eq!(workspace.database.count(left), 1);
        assert_eq!(workspace.database.count("reviews WHERE id = 2 AND reviewer = 3"), 1);
    }
}

#[test]
fn o_1_composite_keys_are_compared_whole() {
    let tables = "CREATE TABLE accounts (tenant INTEGER, id INTEGER, email TEXT, PRIMARY KEY (tenant, id));
                  CREATE TABLE posts (tenant INTEGER, id INTEGER, account_id INTEGER, PRIMARY KEY (tenant, id),
                                      FOREIGN KEY (tenant, account_id) REFERENCES accounts (tenant, id));
                  INSERT INTO accounts VALUES (1, 5, 'ada@example.com'), (2, 5, 'grace@example.com'), (1, 6, 'linus@example.com');
                  INSERT INTO posts VALUES (1, 1, 5), (2, 1, 5), (1, 2, 6), (1, 3, 5), (2, 3, 5), (1, 4, NULL);";
    let accounts = collection(
        "accounts",
        "on_erasure: delete",
        &["name: tenant, fides_meta: {primary_key: true}", KEY, "name: email, fides_meta: {identity: email}"],
    );
    let posts = collection(
        "posts",
        "on_erasure: delete",
        &[
            "name: tenant, fides_meta: {primary_key: true, references: [{dataset: app, field: accounts.tenant, direction: from}]}, habeas: {edge: author}",
            KEY,
            &refers("account_id", "accounts.id", "edge: author"),
        ],
    );
    for workspace in Workspace::on_each(tables, &map(&[accounts.clone(), posts.clone()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(workspace.database.count("posts WHERE tenant = 1"), 2);
        assert_eq!(workspace.database.count("posts WHERE tenant = 2"), 2, "the same numbers in another tenant are other people");
        assert_eq!(workspace.database.count("accounts WHERE tenant = 1 AND id = 5"), 0);
        assert_eq!(workspace.database.count("accounts"), 2);
    }
}

#[test]
fn o_1_the_keys_zero_and_empty_are_keys_like_others() {
    let tables = "CREATE TABLE people (id INTEGER PRIMARY KEY, handle TEXT UNIQUE, email TEXT);
                  CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER);
                  CREATE TABLE likes (id VARCHAR(40) PRIMARY KEY, handle TEXT);
                  INSERT INTO people VALUES (0, '', 'ada@example.com'), (1, 'g', 'grace@example.com');
                  INSERT INTO posts VALUES (0, 0), (1, 1), (2, NULL);
                  INSERT INTO likes VALUES ('', ''), ('b', 'g'), ('c', NULL), ('d', ' ');";
    let people =
        collection("people", "on_erasure: delete", &[KEY_OF_USERS, "name: handle", "name: email, fides_meta: {identity: email}"]);
    let posts = collection("posts", "on_erasure: delete", &[KEY, &refers("user_id", "people.id", "")]);
    let likes = collection("likes", "on_erasure: delete", &[KEY, &refers("handle", "people.handle", "")]);
    for workspace in Workspace::on_each(tables, &map(&[people.clone(), posts.clone(), likes.clone()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "people", "id"), [1]);
        assert_eq!(numbers(&workspace, "posts", "id"), [1, 2], "what has no owner is not hers");
        assert_eq!(workspace.database.count("likes WHERE id IN ('b', 'c', 'd')"), 3);
        assert_eq!(workspace.database.count("likes"), 3);
    }
}

#[test]
fn o_1_tables_that_refer_to_each_other_are_erased_together() {
    let tables = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, default_project_id INTEGER, manager_id INTEGER REFERENCES users (id));
                  CREATE TABLE projects (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES users (id));";
    let rows = "INSERT INTO users VALUES (1, 'ada@example.com', NULL, NULL), (2, 'grace@example.com', NULL, 1), (3, 'linus@example.com', NULL, 2);
                INSERT INTO projects VALUES (10, 1), (11, 1), (20, 2);
                UPDATE users SET default_project_id = 10 WHERE id = 1; UPDATE users SET default_project_id = 20 WHERE id = 2;";
    let people = collection(
        "users",
        "on_erasure: delete",
        &[
            KEY_OF_USERS,
            "name: email, fides_meta: {identity: email}",
            &refers("default_project_id", "projects.id", "on_erasure: unlink"),
            &refers("manager_id", "users.id", "right: accesses, on_erasure: unlink"),
        ],
    );
    let projects = collection("projects", "on_erasure: delete", &[KEY, &to_user("owner_id", "")]);
    let sqlite = tables.replace("default_project_id INTEGER,", "default_project_id INTEGER REFERENCES projects (id),");
    let postgres = format!("{tables} ALTER TABLE users ADD FOREIGN KEY (default_project_id) REFERENCES projects (id);");
    let map = map(&[people, projects]);
    let both = [Some(Workspace::sqlite(&format!("{sqlite}{rows}"), &map)), Workspace::postgres(&format!("{postgres}{rows}"), &map)];
    for workspace in both.into_iter().flatten() {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3], "{done}");
        assert_eq!(numbers(&workspace, "projects", "id"), [20]);
        assert_eq!(workspace.database.count("users WHERE id = 2 AND default_project_id = 20 AND manager_id IS NULL"), 1);
        assert_eq!(workspace.database.count("users WHERE id = 3 AND manager_id = 2"), 1);
    }
}

/// Addresses that look alike. Only the first is Ada's.
const ALIKE: [&str; 6] =
    ["ada@example.com", "Ada@example.com", "ada@example.com ", "áda@example.com", "ada@EXAMPLE.com", "a\u{301}da@example.com"];

fn alike(column: &str) -> String {
    let rows: Vec<String> = ALIKE.iter().enumerate().map(|(at, address)| format!("({}, '{address}')", at + 1)).collect();
    format!("CREATE TABLE users (id INTEGER PRIMARY KEY, email {column}); INSERT INTO users VALUES {};", rows.join(", "))
}

#[test]
fn i_1_addresses_that_only_look_alike_are_other_people() {
    for workspace in Workspace::on_each(&alike("TEXT"), &map(&[users()])) {
        let found = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        assert_eq!(found["found"], 1, "{found}");
        // The others stay, and the verification does not take them for her.
        let done = erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3, 4, 5, 6], "{done}");
    }
}

/// Whether the server brings something of its own, such as an extension.
fn has(what: &str) -> bool {
    postgres().is_some_and(|server| server.create_database().count(what) > 0)
}

#[test]
fn i_1_a_collation_does_not_decide_who_a_person_is() {
    let citext = format!("CREATE EXTENSION IF NOT EXISTS citext; {}", alike("citext"));
    let unaccented = format!(
        "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false); {}",
        alike("TEXT COLLATE loose")
    );
    let mut workspaces = vec![Workspace::sqlite(&alike("TEXT COLLATE NOCASE"), &map(&[users()]))];
    if has("pg_available_extensions WHERE name = 'citext'") {
        workspaces.extend(Workspace::postgres(&citext, &map(&[users()])));
    }
    if has("pg_collation WHERE collprovider = 'i'") {
        workspaces.extend(Workspace::postgres(&unaccented, &map(&[users()])));
    }
    for workspace in workspaces {
        let done = erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3, 4, 5, 6], "{done}");
    }
}

#[test]
fn i_1_a_collation_does_not_decide_whose_a_row_is() {
    let rows = "INSERT INTO people VALUES ('ada', 'ada@example.com'), ('grace', 'grace@example.com');
                INSERT INTO posts VALUES (1, 'ada'), (2, 'Ada'), (3, 'ADA'), (4, 'grace');";
    let tables = |handle: &str| {
        format!(
            "CREATE TABLE people (handle {handle} PRIMARY KEY, email TEXT);
             CREATE TABLE posts (id INTEGER PRIMARY KEY, author {handle}); {rows}"
        )
    };
    let people = collection(
        "people",
        "on_erasure: delete",
        &["name: handle, fides_meta: {primary_key: true}", "name: email, fides_meta: {identity: email}"],
    );
    let posts = collection("posts", "on_erasure: delete", &[KEY, &refers("author", "people.handle", "")]);
    let map = map(&[people, posts]);
    let citext = format!("CREATE EXTENSION IF NOT EXISTS citext; {}", tables("citext"));
    let mut workspaces = vec![Workspace::sqlite(&tables("TEXT COLLATE NOCASE"), &map)];
    if has("pg_available_extensions WHERE name = 'citext'") {
        workspaces.extend(Workspace::postgres(&citext, &map));
    }
    for workspace in workspaces {
        let done = erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "posts", "id"), [2, 3, 4], "{done}");
    }
}

#[test]
fn i_1_a_declared_normal_form_is_the_only_tolerance() {
    let lower = users().replace("{identity: email}", "{identity: email}, habeas: {normal_form: ascii_lower}");
    let script = alike("TEXT");
    for workspace in Workspace::on_each(&script, &map(std::slice::from_ref(&lower))) {
        let before = workspace.database.dump();
        let said = erase_ada(&workspace).code(6);
        assert!(said.stderr.contains("different records"), "three spellings in lower case are one address: {}", said.stderr);
        assert!(!said.stderr.to_lowercase().contains("ada@"), "S-1: {}", said.stderr);
        untouched(&workspace, &before);
        workspace.database.script("DELETE FROM users WHERE id IN (1, 5)");
        erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "users", "id"), [3, 4, 6]);
    }
}

#[test]
fn i_1_an_identifier_that_names_two_people_stops_before_anything_is_touched() {
    let script = format!("{PEOPLE} INSERT INTO users VALUES (4, 'ada@example.com');");
    for workspace in Workspace::on_each(&script, &map(&[users()])) {
        let before = workspace.database.dump();
        for job in [erasure_of(&ada()), json!({"kind": "access", "subject": ada()})] {
            let said = run(&workspace, &job).code(6);
            assert!(said.stderr.contains("hint:"), "{}", said.stderr);
            workspace.habeas("plan -").input(job.to_string()).run().code(6);
        }
        untouched(&workspace, &before);
        assert!(!workspace.path("archives").exists() || std::fs::read_dir(workspace.path("archives")).unwrap().count() == 0);
        erase_the_fourth(&workspace);
    }
}

/// The id says who is meant. The address in their record is somebody else's too: nothing that it alone names is taken for theirs.
fn erase_the_fourth(workspace: &Workspace) {
    let plan = workspace.habeas("plan - --json").input(erasure_of(&json!({"user_id": 4})).to_string()).run().code(0).json();
    assert!(plan["warnings"].to_string().contains("stands in another person's record too"), "{plan}");
    run(workspace, &erasure_of(&json!({"user_id": 4}))).code(0);
    assert_eq!(numbers(workspace, "users", "id"), [1, 2, 3]);
}

#[test]
fn i_1_identifiers_that_contradict_each_other_stop_before_anything_is_touched() {
    for workspace in Workspace::on_each(PEOPLE, &map(&[users()])) {
        let before = workspace.database.dump();
        let both = json!({"email": "ada@example.com", "user_id": "2"});
        let said = run(&workspace, &erasure_of(&both)).code(6);
        assert!(said.stderr.contains("contradict") || said.stderr.contains("different records"), "{}", said.stderr);
        untouched(&workspace, &before);
        let agree: Value = json!({"email": "ada@example.com", "user_id": "1"});
        run(&workspace, &erasure_of(&agree)).code(0);
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
    }
}
