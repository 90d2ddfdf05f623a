//! What the catalogue must tell of a schema that has one of everything.

use super::{Catalogue, OnDelete, Rights, Swallows, Table, TableKind, load_catalogue};
use crate::db::testing::{self, TestDatabase};
use crate::db::{Db, PoolOptions};
use crate::value::ColumnType;

async fn load(database: &TestDatabase) -> Catalogue {
    load_catalogue(database.db.session().await.unwrap().on()).await.unwrap()
}

fn table<'c>(catalogue: &'c Catalogue, name: &str) -> &'c Table {
    catalogue.find(None, name).unwrap_or_else(|| panic!("no table {name}"))
}

fn trigger_names(table: &Table) -> Vec<&str> {
    table.triggers.iter().map(|trigger| trigger.name.as_str()).collect()
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

const SQLITE: &str = "
    CREATE TABLE Users (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, born DATE, active BOOLEAN,
        initial TEXT GENERATED ALWAYS AS (substr(email, 1, 1)) VIRTUAL);
    CREATE TABLE entries (tenant INTEGER, number INTEGER, user_id INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
        reviewer INTEGER, note JSON, PRIMARY KEY (tenant, number), FOREIGN KEY (reviewer) REFERENCES USERS (ID) ON DELETE SET NULL) WITHOUT ROWID;
    CREATE TABLE parts (id INTEGER PRIMARY KEY, tenant INTEGER, number INTEGER, FOREIGN KEY (tenant, number) REFERENCES entries);
    CREATE INDEX entries_by_user ON entries (user_id, number);
    CREATE INDEX entries_partial ON entries (reviewer) WHERE reviewer IS NOT NULL;
    CREATE UNIQUE INDEX users_by_lower ON users (lower(email));
    CREATE TRIGGER keep AFTER DELETE ON users BEGIN SELECT 1; END;
    CREATE TRIGGER count_up AFTER INSERT ON users BEGIN SELECT 1; END;
    CREATE VIEW people AS SELECT id, email FROM users;
    CREATE VIEW broken AS SELECT * FROM nowhere;
    INSERT INTO users (email) VALUES ('ada@example.com'), ('bob@example.com');";

#[tokio::test]
async fn a_sqlite_file_is_read_with_the_spelling_of_its_tables() {
    let database = testing::sqlite(SQLITE).await;
    let catalogue = load(&database).await;
    assert!(catalogue.writable);
    assert!(catalogue.system_identity.starts_with("sqlite:") && catalogue.system_identity.len() == 39);
    let users = table(&catalogue, "Users");
    assert_eq!((users.kind, users.estimated_rows), (TableKind::Table, Some(2)));
    assert_eq!(users.primary_key, names(&["id"]));
    assert_eq!(users.uniques, [names(&["email"])], "an index on an expression is left out");
    assert!(users.has_index_on(&names(&["id"])));
    assert_eq!(trigger_names(users), ["keep"]);
    let email = users.column("email").unwrap();
    assert_eq!((email.column_type, email.not_null, email.max_length), (ColumnType::Text, true, Some(80)));
    assert!(users.column("initial").unwrap().generated && !email.generated);
    assert!(users.column("id").unwrap().not_null);

    let entries = table(&catalogue, "entries");
    assert_eq!(entries.primary_key, names(&["tenant", "number"]));
    assert!(entries.has_index_on(&names(&["user_id"])) && !entries.has_index_on(&names(&["reviewer"])), "partial does not count");
    let to_user = entries.foreign_keys.iter().find(|key| key.columns == names(&["user_id"])).unwrap();
    assert_eq!((to_user.referenced.name.as_str(), to_user.on_delete), ("Users", OnDelete::Cascade));
    assert_eq!(to_user.referenced_columns, names(&["id"]), "left out in the declaration");
    let to_reviewer = entries.foreign_keys.iter().find(|key| key.columns == names(&["reviewer"])).unwrap();
    assert_eq!((to_reviewer.referenced_columns.clone(), to_reviewer.on_delete), (names(&["id"]), OnDelete::SetNull));
    let composite = &table(&catalogue, "parts").foreign_keys[0];
    assert_eq!(composite.referenced_columns, names(&["tenant", "number"]));
    assert_eq!(table(&catalogue, "people").kind, TableKind::View);
    assert!(!table(&catalogue, "broken").rights.select, "there, but nothing can be read from it");
}

#[tokio::test]
async fn a_sqlite_file_opened_for_reading_is_not_writable() {
    let database = testing::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let reader = Db::open(&database.url, PoolOptions { read_only: true, ..PoolOptions::default() }).await.unwrap();
    let catalogue = load_catalogue(reader.session().await.unwrap().on()).await.unwrap();
    assert!(!catalogue.writable);
    let identity = load(&database).await.system_identity;
    assert_eq!(catalogue.system_identity, identity, "the identity does not depend on the session");
}

const POSTGRES: &str = "
    CREATE DOMAIN address AS character varying(120) NOT NULL;
    CREATE TYPE mood AS ENUM ('sad', 'ok');
    CREATE SCHEMA shop;
    CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email address UNIQUE, nick varchar(20), mood mood, tags text[],
        born date, seen timestamptz, made timestamp, doc jsonb, raw bytea, price numeric(10,2), ok boolean, token uuid, ip inet,
        initial text GENERATED ALWAYS AS (left(nick, 1)) STORED);
    CREATE TABLE shop.orders (id int PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
        parent int REFERENCES shop.orders ON DELETE SET NULL DEFERRABLE);
    CREATE INDEX ON shop.orders (user_id);
    CREATE INDEX ON shop.orders (parent) WHERE parent > 1;
    CREATE INDEX ON users (lower(nick));
    CREATE TABLE events (id bigint, at date, user_id bigint REFERENCES users, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE INDEX ON events (user_id);
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER swallow BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION nothing();
    CREATE TRIGGER on_insert BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION nothing();
    CREATE TRIGGER in_partition BEFORE UPDATE ON events_2024 FOR EACH ROW EXECUTE FUNCTION nothing();
    CREATE TRIGGER off BEFORE DELETE ON users FOR EACH ROW EXECUTE FUNCTION nothing();
    ALTER TABLE users DISABLE TRIGGER off;
    CREATE RULE no_delete AS ON DELETE TO shop.orders DO INSTEAD NOTHING;
    CREATE VIEW people AS SELECT id, email FROM users;
    CREATE MATERIALIZED VIEW copies AS SELECT id, email FROM users;
    CREATE TABLE walled (id int PRIMARY KEY);
    ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
    DO 'BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END';
    GRANT SELECT ON users, walled TO reader;
    ANALYZE;";

#[tokio::test]
async fn a_postgres_database_is_read_through_domains_partitions_and_rules() {
    let Some(database) = testing::postgres(POSTGRES).await else { return };
    let catalogue = load(&database).await;
    assert!(catalogue.writable);
    assert!(catalogue.system_identity.starts_with("postgres:"));
    let users = table(&catalogue, "users");
    let types: Vec<ColumnType> = users.columns.iter().map(|column| column.column_type).collect();
    use ColumnType::*;
    assert_eq!(
        types,
        [Integer, Text, Text, Text, Array, Date, TimestampUtc, TimestampLocal, Json, Bytes, Decimal, Boolean, Uuid, Other, Text]
    );
    let email = users.column("email").unwrap();
    assert_eq!((email.not_null, email.max_length, email.declared_type.as_str()), (true, Some(120), "address"), "a domain says so");
    assert_eq!(users.column("nick").unwrap().declared_type, "character varying(20)");
    assert!(users.column("id").unwrap().generated && users.column("initial").unwrap().generated);
    assert_eq!(users.uniques, [names(&["email"])]);
    assert!(!users.has_index_on(&names(&["nick"])), "an expression does not count");
    assert_eq!(trigger_names(users), ["swallow"]);
    assert_eq!(users.triggers[0].swallows(true), Swallows::Always);

    let orders = catalogue.find(Some("shop"), "orders").unwrap();
    assert_eq!(trigger_names(orders), ["rule no_delete"]);
    assert_eq!(orders.triggers[0].swallows(true), Swallows::Always);
    assert!(orders.has_index_on(&names(&["user_id"])) && !orders.has_index_on(&names(&["parent"])));
    let to_user = orders.foreign_keys.iter().find(|key| key.columns == names(&["user_id"])).unwrap();
    assert_eq!((to_user.referenced.to_string().as_str(), to_user.on_delete), ("public.users", OnDelete::Cascade));
    assert_eq!(to_user.referenced_columns, names(&["id"]));
    assert!(orders.foreign_keys.iter().any(|key| key.on_delete == OnDelete::SetNull && key.deferrable));

    assert!(catalogue.find(None, "events_2024").is_none(), "a partition is part of its table");
    let events = table(&catalogue, "events");
    assert_eq!(events.primary_key, names(&["id", "at"]));
    assert_eq!(trigger_names(events), ["in_partition"]);
    assert_eq!(events.partitions.len(), 1);
    assert_eq!((events.foreign_keys.len(), events.estimated_rows), (1, Some(0)));
    assert!(events.has_index_on(&names(&["user_id"])));
    assert_eq!(table(&catalogue, "people").kind, TableKind::View);
    assert_eq!(table(&catalogue, "copies").kind, TableKind::MaterialisedView);
    assert!(!table(&catalogue, "walled").row_security, "a superuser passes row security");
}

#[tokio::test]
async fn the_catalogue_tells_what_this_role_may_do() {
    let Some(database) = testing::postgres(POSTGRES).await else { return };
    let reader = database.as_role("reader", PoolOptions::default()).await;
    let catalogue = load_catalogue(reader.session().await.unwrap().on()).await.unwrap();
    assert_eq!(table(&catalogue, "users").rights, Rights { select: true, update: false, delete: false });
    assert!(!catalogue.find(Some("shop"), "orders").unwrap().rights.select, "listed though the schema is closed");
    assert!(table(&catalogue, "walled").row_security);
    let identity = load(&database).await.system_identity;
    assert_eq!(catalogue.system_identity, identity);
}
