//! Makes a world from a seed. Shapes that real schemas have are likely, and so are words in the map that a plan can work with; some worlds
//! are wrong on purpose, so that refusing is tested too.

use super::super::support::dice::Dice;
use super::*;

const KINDS: [&str; 2] = ["x", "y"];
const ACTIONS: [OnDelete; 8] = [
    OnDelete::NoAction,
    OnDelete::NoAction,
    OnDelete::NoAction,
    OnDelete::Restrict,
    OnDelete::Restrict,
    OnDelete::Cascade,
    OnDelete::SetNull,
    OnDelete::SetDefault,
];

/// The world of a seed.
pub fn world(seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let dice = &mut dice;
    let count = 2 + below(dice, 7);
    let tables = (0..count).map(|at| table(dice, at)).collect();
    let mut world = World { seed, tables, references: Vec::new(), holds: Vec::new(), subject: String::new() };
    for at in 1..count {
        // Most tables hang on the people or on something before them.
        let other = if chance(dice, 50) { 0 } else { below(dice, at) };
        reference(dice, &mut world, at, other);
    }
    for _ in 0..below(dice, 4) {
        let (on, other) = (below(dice, count), below(dice, count));
        reference(dice, &mut world, on, other);
    }
    if chance(dice, 25) {
        polymorphic(dice, &mut world);
    }
    if chance(dice, 20) {
        let on = below(dice, count);
        reference(dice, &mut world, on, on);
    }
    for at in 0..count {
        fill(dice, &mut world, at);
    }
    for at in 0..world.references.len() {
        point(dice, &mut world, at);
    }
    let people = world.tables[0].rows.len();
    let guests = chance(dice, 15);
    world.subject = if guests { "guest@example.com".into() } else { address(below(dice, people)) };
    if chance(dice, 40) {
        let hold = hold(dice, &world);
        world.holds.extend(hold);
    }
    world
}

fn below(dice: &mut Dice, limit: usize) -> usize {
    usize::try_from(dice.below(limit.max(1) as u64)).expect("small")
}

fn chance(dice: &mut Dice, percent: u64) -> bool {
    dice.below(100) < percent
}

fn address(person: usize) -> String {
    format!("p{person}@example.com")
}

fn column(name: &str, is_text: bool) -> Column {
    Column { name: name.into(), is_text, not_null: false, identity: false }
}

fn table(dice: &mut Dice, at: usize) -> Table {
    let key: Vec<String> = match at > 0 && chance(dice, 25) || at == 0 && chance(dice, 10) {
        true => vec!["a".into(), "b".into()],
        false => vec!["id".into()],
    };
    let mut columns = vec![column("kind", true), column("note", true)];
    if at == 0 {
        columns.push(Column { identity: true, ..column("mail", true) });
    } else if chance(dice, 25) {
        columns.push(Column { identity: true, ..column("mail", true) });
        if chance(dice, 40) {
            columns.push(Column { identity: true, ..column("mail2", true) });
        }
    }
    let rule = match dice.below(20) {
        0..14 => Rule::Delete,
        14..17 => Rule::Mask,
        17 | 18 => Rule::Unlink,
        _ => Rule::Keep,
    };
    let law_keeps = chance(dice, 8).then(|| KINDS[below(dice, 2)]);
    let mapped = at == 0 || chance(dice, 95);
    Table { name: format!("t{at}"), key, columns, mapped, rule, law_keeps, rows: Vec::new() }
}

fn reference(dice: &mut Dice, world: &mut World, on: usize, other: usize) {
    let number = world.references.len();
    let other_columns = world.tables[other].key.clone();
    let to_key = other_columns.len() > 1 || chance(dice, 92);
    let other_columns = if to_key { other_columns } else { vec!["code".into()] };
    if !to_key && !world.tables[other].has("code") {
        world.tables[other].columns.push(column("code", false));
    }
    let not_null = chance(dice, 8);
    // Fields of one edge agree on the direction, so that a column is part of one key to the same table alone.
    let is_taken =
        world.references.iter().any(|known| known.on == on && known.other == other && known.columns.contains(&"a".to_owned()));
    let shares_part = !is_taken && on != other && other_columns.len() > 1 && world.tables[on].key.len() > 1 && chance(dice, 50);
    let mut columns = Vec::new();
    for part in 0..other_columns.len() {
        if shares_part && part == 0 {
            // The tenant, say, which is part of both keys.
            columns.push("a".to_owned());
            continue;
        }
        let name = format!("r{number}_{part}");
        world.tables[on].columns.push(Column { not_null, ..column(&name, false) });
        columns.push(name);
    }
    let both_mapped = world.tables[on].mapped && world.tables[other].mapped;
    let mut words = (both_mapped && chance(dice, 93)).then(|| words(dice, world, on, other));
    if let (Some(words), false) = (&mut words, to_key) {
        // Of two plain columns the one refers on which the map says it.
        words.on_other_side = false;
    }
    let declared = (to_key && chance(dice, 55)).then(|| action(dice, world, on, words.as_ref()));
    world.references.push(Reference { on, columns, other, other_columns, words, declared });
}

fn words(dice: &mut Dice, world: &World, on: usize, other: usize) -> Words {
    let to_referrer = if on == other { chance(dice, 60) } else { chance(dice, 80) };
    let right = match dice.below(20) {
        0..12 => Right::Owns,
        12..18 => Right::Accesses,
        _ => Right::None,
    };
    // Replies are rarely the first author's.
    let right = if on == other && chance(dice, 70) { Right::Accesses } else { right };
    let unlink = to_referrer && (chance(dice, 20) || right == Right::Accesses && chance(dice, 50));
    Words {
        to_referrer,
        right,
        unlink,
        hide: chance(dice, 15),
        kind: chance(dice, 12).then(|| KINDS[below(dice, 2)]),
        on_other_side: on != other && world.tables[other].key.len() == 1 && chance(dice, 8) && is_free(world, other),
    }
}

/// Whether nothing is written yet on the key of a table: its field has room for one set of words.
fn is_free(world: &World, other: usize) -> bool {
    let written = |reference: &&Reference| reference.words.as_ref().is_some_and(|words| words.on_other_side);
    !world.references.iter().filter(written).any(|reference| reference.other == other)
}

/// A foreign key's action. Where the map could not work with one that changes rows by itself, mostly another.
fn action(dice: &mut Dice, world: &World, on: usize, words: Option<&Words>) -> OnDelete {
    let action = ACTIONS[below(dice, ACTIONS.len())];
    let table = &world.tables[on];
    let fits = words.is_some_and(|words| {
        words.unlink
            || words.right == Right::Owns && words.kind.is_none() && table.rule == Rule::Delete && table.law_keeps.is_none()
    });
    let is_quiet = matches!(action, OnDelete::NoAction | OnDelete::Restrict);
    if is_quiet || fits || chance(dice, 15) { action } else { OnDelete::NoAction }
}

/// One pair of columns that names rows of two tables, told apart by the kind.
fn polymorphic(dice: &mut Dice, world: &mut World) {
    let single: Vec<usize> = (0..world.tables.len())
        .filter(|at| world.tables[*at].mapped && world.tables[*at].key.len() == 1 && is_free(world, *at))
        .collect();
    let on = below(dice, world.tables.len());
    let [first, .., second] = single.as_slice() else { return };
    if !world.tables[on].mapped || on == *first || on == *second {
        return;
    }
    world.tables[on].columns.push(column("owner_id", false));
    for (other, kind) in [(*first, KINDS[0]), (*second, KINDS[1])] {
        let words = Words {
            to_referrer: true,
            right: if chance(dice, 75) { Right::Owns } else { Right::Accesses },
            unlink: false,
            hide: false,
            kind: Some(kind),
            on_other_side: true,
        };
        let other_columns = world.tables[other].key.clone();
        world.references.push(Reference {
            on,
            columns: vec!["owner_id".into()],
            other,
            other_columns,
            words: Some(words),
            declared: None,
        });
    }
}

fn fill(dice: &mut Dice, world: &mut World, at: usize) {
    let count = if at == 0 { 1 + below(dice, 4) } else { below(dice, 8) };
    let mut rows: Vec<Row> = Vec::new();
    for number in 0..count {
        let table = &world.tables[at];
        let mut row = Row::new();
        let id = i64::try_from(number).expect("small");
        if table.key.len() == 1 {
            row.insert("id".into(), Value::Int(id));
        } else {
            row.insert("a".into(), Value::Int(id % 2));
            row.insert("b".into(), Value::Int(id / 2));
        }
        for column in &table.columns {
            let value = match column.name.as_str() {
                "kind" => {
                    [Value::Null, Value::Text("x".into()), Value::Text("x".into()), Value::Text("y".into())][below(dice, 4)].clone()
                }
                "note" => {
                    if chance(dice, 85) {
                        Value::Text(format!("note {at} {number}"))
                    } else {
                        Value::Null
                    }
                }
                "code" => {
                    if chance(dice, 85) {
                        Value::Int(id % 3)
                    } else {
                        Value::Null
                    }
                }
                "mail" if at == 0 => Value::Text(address(number)),
                "mail" | "mail2" => match dice.below(10) {
                    0..4 => Value::Null,
                    4..6 => Value::Text("guest@example.com".into()),
                    _ => Value::Text(address(below(dice, 3))),
                },
                _ => Value::Null,
            };
            row.insert(column.name.clone(), value);
        }
        rows.push(row);
    }
    world.tables[at].rows = rows;
}

/// Lets the rows of a reference point somewhere: mostly to a row, sometimes to none, and without a declared key now and then into the void.
fn point(dice: &mut Dice, world: &mut World, at: usize) {
    let reference = world.references[at].clone();
    let declared =
        world.references.iter().any(|other| other.on == reference.on && other.declared.is_some() && shares(other, &reference));
    let targets: Vec<Vec<Value>> = world.tables[reference.other]
        .rows
        .iter()
        .map(|row| reference.other_columns.iter().map(|name| row[name].clone()).collect::<Vec<Value>>())
        .filter(|values| !values.contains(&Value::Null))
        .collect();
    let not_null = reference.columns.iter().any(|name| !world.tables[reference.on].admits_null(name) && name != "a");
    let mut kept = Vec::new();
    for mut row in std::mem::take(&mut world.tables[reference.on].rows) {
        // A column that is part of the own key has its value already.
        let fixed = |row: &Row, part: usize| {
            reference.columns[part] == "a" || reference.columns[part] == "owner_id" && row["owner_id"] != Value::Null
        };
        let fitting: Vec<&Vec<Value>> = targets
            .iter()
            .filter(|target| (0..target.len()).all(|part| !fixed(&row, part) || target[part] == row[&reference.columns[part]]))
            .collect();
        let target = match dice.below(20) {
            0..15 if !fitting.is_empty() => Some(fitting[below(dice, fitting.len())].clone()),
            15 if !declared => Some(vec![Value::Int(77); reference.columns.len()]),
            _ if not_null && !fitting.is_empty() => Some(fitting[below(dice, fitting.len())].clone()),
            _ => None,
        };
        if target.is_none() && not_null {
            continue;
        }
        for (part, name) in reference.columns.iter().enumerate() {
            if fixed(&row, part) {
                continue;
            }
            let half = reference.columns.len() > 1 && part == 0 && chance(dice, 30);
            match &target {
                Some(values) => row.insert(name.clone(), values[part].clone()),
                // Half a key is no key.
                None if half => row.insert(name.clone(), Value::Int(0)),
                None => row.insert(name.clone(), Value::Null),
            };
        }
        kept.push(row);
    }
    world.tables[reference.on].rows = kept;
    if reference.declared.is_some() {
        drop_dangling(world);
    }
}

fn shares(one: &Reference, other: &Reference) -> bool {
    one.columns.iter().any(|name| other.columns.contains(name))
}

/// Rows whose declared key leads nowhere cannot exist: rows may have gone after they were pointed to.
fn drop_dangling(world: &mut World) {
    loop {
        let mut gone: Vec<RowId> = Vec::new();
        for reference in world.references.iter().filter(|reference| reference.declared.is_some()) {
            for (at, row) in world.tables[reference.on].rows.iter().enumerate() {
                let values: Vec<&Value> = reference.columns.iter().map(|name| row.get(name).unwrap_or(&Value::Null)).collect();
                let there = world.tables[reference.other]
                    .rows
                    .iter()
                    .any(|other| reference.other_columns.iter().zip(&values).all(|(name, value)| &other[name] == *value));
                if !values.contains(&&Value::Null) && !there {
                    gone.push((reference.on, at));
                }
            }
        }
        let Some((table, row)) = gone.pop() else { return };
        world.tables[table].rows.remove(row);
    }
}

fn hold(dice: &mut Dice, world: &World) -> Option<Hold> {
    let mapped: Vec<usize> = (0..world.tables.len()).filter(|at| world.tables[*at].mapped).collect();
    let table = mapped[below(dice, mapped.len())];
    match dice.below(10) {
        0..5 if world.tables[table].rows.is_empty() => None,
        0..5 => Some(Hold::Record((table, below(dice, world.tables[table].rows.len())))),
        5 => Some(Hold::Collection(table)),
        6 | 7 => Some(Hold::Kind(table, KINDS[below(dice, 2)])),
        8 => Some(Hold::Person(world.subject.clone())),
        _ => Some(Hold::Person(address(below(dice, 3)))),
    }
}
