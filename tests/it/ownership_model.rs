//! Random maps and random rows against a small model in memory that shares no code with the engine: what the plan would erase must belong to
//! this person alone (O-1), and everything that belongs to this person alone must be in it; a record under a hold never is (H-1).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use habeas_data::connector::sql::{Reader, SqlAddress, SqlSource};
use habeas_data::crypto::Keys;
use habeas_data::datamap::{self, Graph};
use habeas_data::decide::{Brief, Fuses, ManifestSink, MaskSecret, WhichRows, decide};
use habeas_data::gather::Gathering;
use habeas_data::hold::{Coverage, HoldRef, HoldSet, Matter, Scope};
use habeas_data::plan::{Action, ManifestRecord};
use habeas_data::request::Kind;
use habeas_data::subject::{Identifier, Subject};
use habeas_data::value::KeyPart;
use proptest::prelude::*;

use crate::support::{sqlite, wait_for};

/// A row: its table and its id.
type Row = (usize, i64);

/// A reference from a column of `on` to the ids of `other`.
#[derive(Debug, Clone)]
struct Reference {
    on: usize,
    other: usize,
    /// Whether data flows from the referenced row to the referring one (`from`), or the other way (`to`).
    towards_referrer: bool,
    right: &'static str,
}

/// A random world: table 0 holds people, and every table has ids and one column per reference.
#[derive(Debug, Clone)]
struct World {
    tables: usize,
    references: Vec<Reference>,
    /// Ids that exist, per table.
    rows: Vec<BTreeSet<i64>>,
    /// Value of a row's column for a reference.
    values: BTreeMap<(usize, Row), i64>,
    held: Option<Row>,
}

fn world() -> impl Strategy<Value = World> {
    (2usize..6)
        .prop_flat_map(|tables| {
            let reference =
                (0..tables, 0..tables, any::<bool>(), prop::sample::select(vec!["owns", "owns", "owns", "accesses", "none"]))
                    .prop_map(|(on, other, towards_referrer, right)| Reference { on, other, towards_referrer, right });
            let references = prop::collection::vec(reference, 1..8);
            let rows = prop::collection::vec(prop::collection::btree_set(0i64..6, 1..6), tables);
            (Just(tables), references, rows, prop::option::of((0..tables, 0i64..6)), any::<u64>())
        })
        .prop_map(|(tables, references, rows, held, seed)| {
            let mut values = BTreeMap::new();
            let mut state = seed;
            for (number, reference) in references.iter().enumerate() {
                for id in &rows[reference.on] {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    // Some NULL, some leading nowhere, most to a row.
                    let value = i64::try_from((state >> 33) % 9).unwrap_or(0);
                    if value < 7 {
                        values.insert((number, (reference.on, *id)), value);
                    }
                }
            }
            World { tables, references, rows, values, held }
        })
}

/// Rows at the end of a reference's flow, with the rows that they come from; `None` for a value that leads nowhere.
fn flows(world: &World, number: usize) -> Vec<(Option<Row>, Row)> {
    let reference = &world.references[number];
    let mut flows = Vec::new();
    for ((of, row), value) in &world.values {
        if *of != number {
            continue;
        }
        let there = world.rows[reference.other].contains(value).then_some((reference.other, *value));
        match (reference.towards_referrer, there) {
            (true, there) => flows.push((there, *row)),
            (false, Some(there)) => flows.push((Some(*row), there)),
            (false, None) => {}
        }
    }
    flows
}

/// Everything that a person owns.
fn owned_by(world: &World, person: Row) -> BTreeSet<Row> {
    let mut owned = BTreeSet::from([person]);
    loop {
        let before = owned.len();
        for number in 0..world.references.len() {
            if world.references[number].right != "owns" {
                continue;
            }
            for (start, end) in flows(world, number) {
                if start.is_some_and(|start| owned.contains(&start)) {
                    owned.insert(end);
                }
            }
        }
        if owned.len() == before {
            return owned;
        }
    }
}

/// What belongs to the person alone beyond doubt: owned, and over no owning reference also somebody else's or nobody knows whose.
fn alone(world: &World, person: Row) -> BTreeSet<Row> {
    let mut alone = owned_by(world, person);
    alone.retain(|row| row.0 != 0 || *row == person);
    loop {
        let before = alone.len();
        for number in 0..world.references.len() {
            if world.references[number].right != "owns" {
                continue;
            }
            for (start, end) in flows(world, number) {
                // The person's own row is theirs by their address, whatever else leads to it... unless somebody else owns it.
                if start.is_none_or(|start| !alone.contains(&start)) {
                    alone.remove(&end);
                }
            }
        }
        if alone.len() == before {
            return alone;
        }
    }
}

fn map_text(world: &World) -> String {
    let mut text = String::from("dataset:\n  - fides_key: app\n    collections:\n");
    for table in 0..world.tables {
        let _ = writeln!(text, "      - name: t{table}\n        habeas: {{on_erasure: delete}}\n        fields:");
        text.push_str("          - {name: id, fides_meta: {primary_key: true}}\n");
        if table == 0 {
            text.push_str("          - {name: email, fides_meta: {identity: email}}\n");
        }
        for (number, reference) in world.references.iter().enumerate().filter(|(_, reference)| reference.on == table) {
            let direction = if reference.towards_referrer { "from" } else { "to" };
            let _ = writeln!(
                text,
                "          - name: r{number}\n            fides_meta: {{references: [{{dataset: app, field: t{}.id, direction: {direction}}}]}}\n            habeas: {{right: {}}}",
                reference.other, reference.right
            );
        }
    }
    text
}

fn schema_text(world: &World) -> String {
    let mut text = String::new();
    for table in 0..world.tables {
        let mut columns = vec!["id INTEGER PRIMARY KEY NOT NULL".to_owned()];
        if table == 0 {
            columns.push("email TEXT".into());
        }
        let references = || world.references.iter().enumerate().filter(move |(_, reference)| reference.on == table);
        columns.extend(references().map(|(number, _)| format!("r{number} INTEGER")));
        let _ = writeln!(text, "CREATE TABLE t{table} ({});", columns.join(", "));
        for id in &world.rows[table] {
            let mut names = vec!["id".to_owned()];
            let mut values = vec![id.to_string()];
            if table == 0 {
                names.push("email".into());
                values.push(format!("'p{id}@example.com'"));
            }
            for (number, _) in references() {
                if let Some(value) = world.values.get(&(number, (table, *id))) {
                    names.push(format!("r{number}"));
                    values.push(value.to_string());
                }
            }
            let _ = writeln!(text, "INSERT INTO t{table} ({}) VALUES ({});", names.join(", "), values.join(", "));
        }
    }
    text
}

#[derive(Default)]
struct Collected(Vec<ManifestRecord>);

impl ManifestSink for Collected {
    fn put(&mut self, record: &ManifestRecord) -> std::io::Result<()> {
        self.0.push(record.clone());
        Ok(())
    }
    fn digest(&self) -> String {
        String::new()
    }
}

/// Rows that the engine's plan deletes, and those that it clears columns of.
fn planned(world: &World, person: Row) -> (BTreeSet<Row>, BTreeSet<Row>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.db");
    let url = format!("sqlite:{}", file.display());
    Keys::create_missing(&folder.path().join("keys")).expect("new keys");
    let keys = Keys::load(&folder.path().join("keys")).expect("the keys");
    let map = datamap::parse(&[(PathBuf::from("map.yml"), map_text(world))], false).unwrap_or_else(|errors| panic!("{errors}")).map;
    let graph = Graph::build(&map);
    sqlite::script(&file, &schema_text(world));
    wait_for(async {
        let source = SqlSource::open(&SqlAddress { name: "app".into(), url: url.clone().into(), verify_url: None })
            .await
            .expect("the source");
        let sources = BTreeMap::from([("app".to_owned(), source)]);
        let subject = Subject::new([Identifier::new("email", format!("p{}@example.com", person.1))]).expect("a subject");
        let mut gathering = Gathering::run(&graph, &sources, Vec::new(), &subject, Reader::Work).await.expect("gathered");
        let holds = holds(world);
        let brief = Brief {
            kind: Kind::Erasure,
            map: &map,
            graph: &graph,
            sources: &sources,
            holds: &holds,
            keys: &keys,
            alias_refs: vec![keys.alias_ref(&subject.identifiers()[0])],
            policy: None,
            categories: &[],
            today: "2026-11-24".into(),
            fuses: Fuses { max_rows: u64::MAX, max_share: 1.0 },
            subject_ref: String::new(),
        };
        let decided = decide(&brief, &mut gathering).await.expect("decided");
        let mut sink = Collected::default();
        let frozen = decided.freeze(&mut gathering, &MaskSecret::new([0; 32]), &mut sink, WhichRows::All).await.expect("frozen");
        let (mut deleted, mut cleared) = (BTreeSet::new(), BTreeSet::new());
        for record in sink.0 {
            let step = &frozen.steps[usize::from(record.step)];
            let table: usize = step.collection.trim_start_matches('t').parse().expect("a table number");
            let KeyPart::Int(id) = record.key[0] else { panic!("an id is a number") };
            match &step.action {
                Action::Delete => assert!(deleted.insert((table, id)), "listed twice"),
                Action::Clear { .. } => {
                    cleared.insert((table, id));
                }
                _ => {}
            }
        }
        (deleted, cleared)
    })
}

fn holds(world: &World) -> HoldSet {
    let Some((table, id)) = world.held else { return HoldSet::new(0, Vec::new()) };
    let scope = Scope::Record { dataset: "app".into(), collection: format!("t{table}"), key: vec![id.to_string()] };
    let hold = HoldRef { id: "h1".into(), matter: Matter::new("M-1").expect("a matter"), review_on: None };
    HoldSet::new(1, vec![(hold, Coverage::Scope(scope))])
}

/// Random worlds per run; ten times as many under `tests/run --full`.
fn worlds() -> u32 {
    if std::env::var_os("HABEAS_TESTS_FULL").is_some() { 1_000 } else { 100 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: worlds(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn o_1_h_1_a_plan_erases_what_is_this_persons_alone_and_nothing_that_is_held(world in world()) {
        let person: Row = (0, *world.rows[0].first().unwrap());
        let (deleted, cleared) = planned(&world, person);
        let owners_of = |row: &Row| -> BTreeSet<i64> {
            world.rows[0].iter().copied().filter(|id| owned_by(&world, (0, *id)).contains(row)).collect()
        };
        for row in &deleted {
            prop_assert_eq!(owners_of(row), BTreeSet::from([person.1]), "{:?} has other owners", row);
            prop_assert_ne!(Some(*row), world.held, "a held record");
        }
        for row in &cleared {
            prop_assert_ne!(Some(*row), world.held, "a held record stays exactly as it is");
        }
        if world.held.is_none() {
            let expected: BTreeSet<Row> = alone(&world, person);
            prop_assert_eq!(deleted, expected);
        }
    }
}
