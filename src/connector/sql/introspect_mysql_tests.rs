//! What the catalogue must tell of a MariaDB schema that has one of everything.

use super::{Catalogue, OnDelete, Rights, Table, TableKind, load_catalogue};
use crate::db::testing::{self, TestDatabase};
use crate::db::{Db, DbError, PoolOptions};
use crate::value::ColumnType;

async fn load(database: &TestDatabase) -> Catalogue {
    load_catalogue(database.db.session().await.unwrap().on()).await.unwrap()
}

fn table<'c>(catalogue: &'c Catalogue, name: &str) -> &'c Table {
    catalogue.find(None, name).unwrap_or_else(|| panic!("no table {name}"))
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

const SCHEMA: &str = "
    CREATE TABLE users (id bigint unsigned PRIMARY KEY AUTO_INCREMENT, email varchar(120) CHARACTER SET latin1 NOT NULL UNIQUE, nick varchar(20),
        mood enum('sad','ok'), tags set('a','b'), born date, seen timestamp NULL, made datetime(6), doc json, raw blob, price decimal(10,2),
        ok boolean, flag bit(1), bits bit(5), token uuid, year_ year, at_ time(3), ratio float, exact double, place point,
        initial varchar(1) AS (left(nick, 1)) STORED, CONSTRAINT positive CHECK (price >= 0));
    CREATE TABLE orders (id int PRIMARY KEY, user_id bigint unsigned NOT NULL, parent int, INDEX by_nick (user_id, parent),
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE ON UPDATE RESTRICT,
        FOREIGN KEY (parent) REFERENCES orders (id) ON DELETE SET NULL);
    CREATE TABLE keyless (a int, b text, FULLTEXT (b));
    CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM;
    CREATE TABLE remembered (id int PRIMARY KEY) WITH SYSTEM VERSIONING;
    CREATE VIEW people AS SELECT id, email FROM users;
    CREATE VIEW names_ AS SELECT email FROM people;
    CREATE TABLE log (id int, what text);
    CREATE TRIGGER keep BEFORE DELETE ON users FOR EACH ROW INSERT INTO log VALUES (OLD.id, 'gone');
    CREATE TRIGGER on_insert BEFORE INSERT ON users FOR EACH ROW SET NEW.ok = TRUE;";

#[tokio::test]
async fn a_mariadb_database_is_read_with_its_types_keys_engines_and_triggers() {
    let Some(database) = testing::mariadb(SCHEMA).await else { return };
    let catalogue = load(&database).await;
    assert!(catalogue.writable);
    assert!(catalogue.system_identity.starts_with("mysql:") && catalogue.system_identity.ends_with(&catalogue.default_schema));
    let users = table(&catalogue, "users");
    use ColumnType::*;
    let types: Vec<ColumnType> = users.columns.iter().map(|column| column.column_type).collect();
    assert_eq!(
        types,
        [
            Integer,
            Text,
            Text,
            Text,
            Text,
            Date,
            TimestampUtc,
            TimestampLocal,
            Json,
            Bytes,
            Decimal,
            Boolean,
            Boolean,
            Other,
            Uuid,
            Integer,
            Time,
            Float,
            Float,
            Bytes,
            Text
        ]
    );
    assert_eq!(users.primary_key, names(&["id"]));
    assert_eq!(users.uniques, [names(&["email"])]);
    let email = users.column("email").unwrap();
    assert_eq!((email.declared_type.as_str(), email.not_null, email.max_length), ("varchar(120)", true, Some(120)));
    assert_eq!(email.collation.as_deref(), Some("latin1_swedish_ci"));
    assert_eq!(users.column("id").unwrap().declared_type, "bigint(20) unsigned");
    assert_eq!(users.column("bits").unwrap().max_length, Some(5));
    let initial = users.column("initial").unwrap();
    assert!(initial.generated && initial.computed_from == names(&["nick"]) && !email.generated);
    assert!(users.checks.iter().any(|check| check.name == "positive"), "{:?}", users.checks);
    assert!(users.checks.iter().all(|check| !check.condition.contains("json_valid")), "that is how JSON is written there");
    let [keep] = users.triggers.as_slice() else { panic!("{:?}", users.triggers) };
    assert!(keep.on_delete && !keep.on_update && keep.effect.inserts_into.contains("log"));

    let orders = table(&catalogue, "orders");
    assert!(orders.has_index_on(&names(&["user_id"])) && orders.has_index_on(&names(&["parent"])));
    let to_user = orders.foreign_keys.iter().find(|key| key.columns == names(&["user_id"])).unwrap();
    assert_eq!((to_user.referenced.name.as_str(), to_user.on_delete, to_user.deferrable), ("users", OnDelete::Cascade, false));
    assert_eq!((to_user.referenced_columns.clone(), to_user.on_update), (names(&["id"]), OnDelete::Restrict));
    assert!(orders.foreign_keys.iter().any(|key| key.referenced.name == "orders" && key.on_delete == OnDelete::SetNull));

    assert!(table(&catalogue, "keyless").primary_key.is_empty() && table(&catalogue, "keyless").indexes.is_empty());
    assert_eq!(table(&catalogue, "people").kind, TableKind::View);
    let read: Vec<&str> = table(&catalogue, "names_").reads.iter().map(|name| name.name.as_str()).collect();
    assert_eq!(read, ["people", "users"]);
    assert!(users.obstacle.is_none());
    assert!(table(&catalogue, "old").obstacle.as_ref().unwrap().problem.contains("MyISAM"));
    assert!(table(&catalogue, "remembered").obstacle.as_ref().unwrap().problem.contains("history"));
}

#[tokio::test]
async fn a_change_of_a_mariadb_schema_is_noticed() {
    let Some(database) = testing::mariadb(SCHEMA).await else { return };
    let before = load(&database).await.version;
    assert_eq!(load(&database).await.version, before, "and nothing else is");
    for change in
        ["ALTER TABLE orders ADD COLUMN note text", "CREATE TRIGGER t AFTER UPDATE ON orders FOR EACH ROW DELETE FROM log"]
    {
        let before = load(&database).await.version;
        database.db.session().await.unwrap().on().execute_script(change).await.unwrap();
        assert_ne!(load(&database).await.version, before, "{change}");
    }
}

#[tokio::test]
async fn a_mariadb_catalogue_tells_what_this_role_may_do_wherever_the_right_comes_from() {
    let Some(database) = testing::mariadb(SCHEMA).await else { return };
    let grants = "CREATE OR REPLACE ROLE clerks; GRANT SELECT, DELETE ON orders TO clerks; CREATE OR REPLACE USER reader@localhost;
        GRANT clerks TO reader@localhost; SET DEFAULT ROLE clerks FOR reader@localhost; GRANT SELECT, UPDATE (email) ON users TO reader@localhost;
        GRANT UPDATE ON log TO reader@localhost;";
    database.db.session().await.unwrap().on().execute_script(grants).await.unwrap();
    let reader = database.as_role("reader", PoolOptions::default()).await;
    let catalogue = load_catalogue(reader.session().await.unwrap().on()).await.unwrap();
    assert_eq!(
        table(&catalogue, "users").rights,
        Rights { select: true, update: false, delete: false },
        "one column is not the table"
    );
    assert_eq!(table(&catalogue, "orders").rights, Rights { select: true, update: false, delete: true }, "through a role");
    assert!(!table(&catalogue, "log").rights.select);
    assert!(catalogue.find(None, "old").is_none(), "the server hides what a role has no right to");
    assert_eq!(catalogue.system_identity, load(&database).await.system_identity);
    let all = "GRANT SELECT, UPDATE, DELETE ON *.* TO reader@localhost";
    database.db.session().await.unwrap().on().execute_script(all).await.unwrap();
    let reader = database.as_role("reader", PoolOptions::default()).await;
    let catalogue = load_catalogue(reader.session().await.unwrap().on()).await.unwrap();
    assert_eq!(table(&catalogue, "log").rights, Rights { select: true, update: true, delete: true });
}

#[tokio::test]
async fn a_mariadb_session_that_may_not_write_is_not_writable_and_a_url_without_a_database_says_so() {
    let Some(database) = testing::mariadb("CREATE TABLE t (id int PRIMARY KEY)").await else { return };
    let reader = Db::open(&database.url, PoolOptions { read_only: true, ..PoolOptions::default() }).await.unwrap();
    assert!(!load_catalogue(reader.session().await.unwrap().on()).await.unwrap().writable);
    let (server, rest) = database.url.rsplit_once('/').map(|_| database.url.split_once("localhost/").unwrap()).unwrap();
    let nameless = format!("{server}localhost/?{}", rest.split_once('?').unwrap().1);
    let db = Db::open(&nameless, PoolOptions::default()).await.unwrap();
    let refused = load_catalogue(db.session().await.unwrap().on()).await.unwrap_err();
    assert!(matches!(&refused, DbError::Unreachable(text) if text.contains("/DATABASE")), "{refused}");
}

#[tokio::test]
async fn a_table_of_another_database_that_refers_to_ours_is_seen() {
    let Some(database) = testing::mariadb("CREATE TABLE users (id int PRIMARY KEY)").await else { return };
    let ours = load(&database).await.default_schema;
    let other: &'static str = format!(
        "CREATE DATABASE {ours}_b; CREATE TABLE {ours}_b.votes (id int PRIMARY KEY, user_id int, FOREIGN KEY (user_id) REFERENCES {ours}.users (id)
         ON DELETE CASCADE); CREATE TABLE {ours}_b.unrelated (id int PRIMARY KEY)"
    )
    .leak();
    database.db.session().await.unwrap().on().execute_script(other).await.unwrap();
    let catalogue = load(&database).await;
    let listed: Vec<&str> = catalogue.tables.keys().map(|table| table.name.as_str()).collect();
    assert_eq!(listed, ["users", "votes"]);
    assert_eq!(table(&catalogue, "votes").foreign_keys[0].on_delete, OnDelete::Cascade);
}
