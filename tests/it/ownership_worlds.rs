//! Many random worlds (`worlds/`): the engine erases a person, and every row of the database must be as the model says (O-1, H-1). A world
//! that fails is made smaller and printed with its seed; `HABEAS_WORLD=<seed>` plays one world alone, `HABEAS_WORLDS=<from>..<to>` a stretch.

use super::worlds::play::{Went, play};
use super::worlds::render::{self, Dialect};
use super::worlds::{World, generate, shrink};

/// Worlds on SQLite in each quarter of a normal run; ten times as many under `tests/run --full`.
const IN_A_QUARTER: u64 = 50;
/// On PostgreSQL, in all.
const ON_POSTGRES: u64 = 16;

fn times() -> u64 {
    if std::env::var_os("HABEAS_TESTS_FULL").is_some() { 10 } else { 1 }
}

fn play_all(seeds: impl Iterator<Item = u64>, dialect: Dialect) {
    let mut went = [0_u64; 2];
    let mut failed: Vec<(World, String)> = Vec::new();
    for seed in seeds {
        let world = generate::world(seed);
        match play(&world, dialect) {
            Ok(Went::Erased) => went[0] += 1,
            Ok(Went::Refused) => went[1] += 1,
            Ok(Went::Skipped) => return,
            Err(problem) => {
                println!("world {seed} failed: {problem}");
                failed.push((world, problem));
            }
        }
    }
    println!("{} worlds erased, {} refused, {} failed", went[0], went[1], failed.len());
    if let Some((first, _)) = failed.first() {
        let seeds: Vec<u64> = failed.iter().map(|(world, _)| world.seed).collect();
        panic!("{}\nworlds on {dialect:?} that failed: {seeds:?}", explained(first, dialect));
    }
    assert!(went[0] + went[1] < 20 || went[0] >= went[1] / 2, "most worlds are refused, which tests little: {went:?}");
}

/// A failing world, made small, with everything that it takes to play it by hand.
fn explained(world: &World, dialect: Dialect) -> String {
    let kind = |problem: String| problem.chars().take(12).collect::<String>();
    let first = play(world, dialect).err().map(kind);
    let small = shrink::smallest(world, |world| play(world, dialect).err().map(kind) == first);
    let problem = play(&small, dialect).err().unwrap_or_else(|| "it does not fail any more".into());
    format!(
        "world {} on {dialect:?}:\n{problem}\n\nsubject: {}\n\n{}\n{}\nholds: {}\n",
        world.seed,
        small.subject,
        render::schema(&small, dialect),
        render::map(&small),
        serde_json::json!(render::holds(&small))
    )
}

fn quarter(number: u64) {
    let count = IN_A_QUARTER * times();
    play_all(number * 1_000_000..number * 1_000_000 + count, Dialect::Sqlite);
}

#[test]
fn o_1_h_1_worlds_of_the_first_quarter() {
    quarter(1);
}

#[test]
fn o_1_h_1_worlds_of_the_second_quarter() {
    quarter(2);
}

#[test]
fn o_1_h_1_worlds_of_the_third_quarter() {
    quarter(3);
}

#[test]
fn o_1_h_1_worlds_of_the_fourth_quarter() {
    quarter(4);
}

#[test]
fn o_1_h_1_worlds_on_postgres() {
    play_all(5_000_000..5_000_000 + ON_POSTGRES * times(), Dialect::Postgres);
}

#[test]
fn o_1_h_1_worlds_by_name() {
    let dialect = if std::env::var_os("HABEAS_WORLDS_POSTGRES").is_some() { Dialect::Postgres } else { Dialect::Sqlite };
    if let Some(seed) = std::env::var("HABEAS_WORLD").ok().and_then(|seed| seed.parse().ok()) {
        play_all(seed..seed + 1, dialect);
    }
    if let Ok(stretch) = std::env::var("HABEAS_WORLDS") {
        let (from, to) = stretch.split_once("..").expect("two numbers");
        play_all(from.parse().expect("a number")..to.parse().expect("a number"), dialect);
    }
}
