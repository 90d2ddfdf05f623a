//! Rewrites a 200 MB object without the rows of 100 among 200,000 subjects: gzip JSON Lines, the same as CSV, and Parquet. The objects are
//! made here, from a fixed seed. `cargo bench --bench rewrite`; `HABEAS_BENCH_ROWS=100000` makes them smaller. Each rewrite runs in a
//! process of its own, so that its peak memory is its own. It fails when a count is wrong or more than 200 MiB are used.

#[expect(dead_code, reason = "stages and servers are for the other benchmarks")]
mod measure;
mod rewrite_data;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};

use habeas_data::rows::{Codec, Dialect, Matcher, Tally, erase_csv, erase_json_lines};
use habeas_data::subject::NormalForm;
use measure::measure;
use rewrite_data::{SUBJECTS, subject};

type Problem = Box<dyn std::error::Error>;

/// Subjects who are erased.
const ERASED: u64 = 100;

/// The most memory that a rewrite may take.
const MOST_MEMORY: u64 = 200 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["make", case, rows, to] => rows.parse().map_err(Into::into).and_then(|rows| rewrite_data::make(case, rows, Path::new(to))),
        ["rewrite", case, from, to] => rewrite(case, Path::new(from), Path::new(to)),
        // `cargo test --all-targets` and test listers start benchmarks without this word; then there is nothing to do.
        words if words.contains(&"--bench") => bench(),
        _ => Ok(()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("FAILED: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), Problem> {
    let wanted = std::env::var("HABEAS_BENCH_ROWS").ok().map(|rows| rows.parse::<u64>()).transpose()?;
    let folder = tempfile::tempdir()?;
    let cases: &[(&str, u64)] = &[("json.gz", 3_850_000), ("json.zst", 3_850_000), ("csv.gz", 3_850_000), ("parquet", 2_750_000)];
    println!("case             rows   erased      from        to      wall       cpu      peak");
    for (case, rows) in cases {
        if *case == "parquet" && !cfg!(feature = "parquet") {
            continue;
        }
        let rows = wanted.unwrap_or(*rows);
        let from = folder.path().join(format!("from.{case}"));
        let to = folder.path().join(format!("to.{case}"));
        rewrite_data::make(case, rows, &from)?;
        for _ in 0..2 {
            let run = measure(Command::new(std::env::current_exe()?).arg("rewrite").arg(case).arg(&from).arg(&to), None)?;
            let said = run.document()?;
            println!(
                "{case:<10} {:>10} {:>8} {:>5.1} MiB {:>5.1} MiB {:>7.2} s {:>7.2} s {:>5} MiB",
                said["before"].as_u64().unwrap_or(0),
                said["erased"].as_u64().unwrap_or(0),
                mebibytes(std::fs::metadata(&from)?.len()),
                mebibytes(std::fs::metadata(&to)?.len()),
                run.wall.as_secs_f64(),
                run.processor.as_secs_f64(),
                run.peak_memory >> 20,
            );
            if said["before"] != rows || said["erased"] != rewrite_data::rows_of_the_first(ERASED, rows) {
                return Err(format!("{case}: the counts are wrong: {said}").into());
            }
            if run.peak_memory > MOST_MEMORY {
                return Err(format!("{case}: {} MiB of memory", run.peak_memory >> 20).into());
            }
        }
        std::fs::remove_file(&from)?;
        std::fs::remove_file(&to)?;
    }
    Ok(())
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What the process of its own does.
fn rewrite(case: &str, from: &Path, to: &Path) -> Result<(), Problem> {
    let mut matcher = Matcher::new();
    let user = matcher.field(&["user_id"], NormalForm::Exact)?;
    for number in 0..ERASED {
        matcher.add(user, usize::try_from(number)?, &subject(number * (SUBJECTS / ERASED)))?;
    }
    let output = BufWriter::new(File::create(to)?);
    let input = File::open(from)?;
    let (mut output, tally) = match case {
        "json.gz" => erase_json_lines(input, Codec::Gzip, &matcher, output)?.into_parts(),
        "json.zst" => erase_json_lines(input, Codec::Zstd, &matcher, output)?.into_parts(),
        "csv.gz" => erase_csv(input, Codec::Gzip, Dialect::default(), &matcher, output)?.into_parts(),
        _ => rewrite_parquet(input, &matcher, output)?,
    };
    output.flush()?;
    println!("{{\"before\": {}, \"erased\": {}}}", tally.before, tally.erased_in_all());
    Ok(())
}

#[cfg(feature = "parquet")]
fn rewrite_parquet<W: Write + Send>(input: File, matcher: &Matcher, output: W) -> Result<(W, Tally), Problem> {
    Ok(habeas_data::rows::erase_parquet(input, matcher, habeas_data::rows::Look::Pruned, output)?.into_parts())
}

#[cfg(not(feature = "parquet"))]
fn rewrite_parquet<W: Write + Send>(_: File, _: &Matcher, _: W) -> Result<(W, Tally), Problem> {
    Err("built without Parquet".into())
}
