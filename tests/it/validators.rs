//! What we hand out, before tools that we did not write: archives before BagIt, Frictionless, RDF, zip readers and PostgreSQL's own COPY;
//! certificates before OpenSSL by the commands that they print themselves; job files before JSON Schema. Each archive is made by the real
//! program, from the demo and from databases full of values that break exporters.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::awkward;
use super::support::archive::Archive;
use super::support::binary::habeas;
use super::support::database::Database;
use super::support::postgres::postgres;
use super::support::sqlite;
use super::support::tools::{Tools, stock};
use super::support::workspace::Workspace;

/// Runs a job that makes an archive; the archive, and where it is unpacked.
fn archive(workspace: &Workspace, tools: &Tools, job: &str) -> (Archive, PathBuf) {
    let said = workspace.habeas(&format!("run --no-input --json {job}")).run().code(0).json();
    let file =
        workspace.path("archives").join(Path::new(said["archive"]["path"].as_str().expect("a path")).file_name().expect("a name"));
    let base = tools.unpack(&file, &workspace.home().join("unpacked").join(said["code"].as_str().expect("a code").to_lowercase()));
    (Archive::open(&file), base)
}

fn access_job(workspace: &Workspace) -> &'static str {
    workspace.job("ada", &json!({"kind": "access", "subject": {"email": awkward::EMAIL}}));
    "jobs/ada.json"
}

/// Everything that holds for every archive, whatever is in it.
fn assert_sound(workspace: &Workspace, tools: &Tools, archive: &Archive, base: &Path) {
    tools.read_zip(&archive.path);
    tools.validate_archive(base);
    verify(workspace, &archive.path, 0);
    assert_every_flipped_byte_is_seen(workspace, archive);
    assert_reloads(archive);
}

fn verify(workspace: &Workspace, file: &Path, code: i32) {
    workspace.habeas("archive verify").args([file]).run().code(code);
}

/// One byte in the middle of the packed content of each file.
fn assert_every_flipped_byte_is_seen(workspace: &Workspace, archive: &Archive) {
    let sound = fs::read(&archive.path).expect("the archive");
    let copy = workspace.home().join("flipped.zip");
    for (name, at) in archive.middles() {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x20;
        fs::write(&copy, bytes).expect("a copy");
        let said = workspace.habeas("archive verify").args([&copy]).run();
        assert_eq!(said.code, Some(4), "a byte of {name} was flipped at {at}: {}", said.stdout);
    }
}

/// A cell of a JSON line, its digits and escapes as they stand in the file.
fn lines(text: &str) -> Vec<BTreeMap<String, &RawValue>> {
    text.lines().map(|line| serde_json::from_str(line).expect("an object on each line")).collect()
}

/// Loads every CSV file of the archive into PostgreSQL by COPY, into columns of text, and compares each cell with its twin in the JSON Lines.
fn assert_reloads(archive: &Archive) {
    let Some(server) = postgres() else { return };
    let database = server.create_database();
    let csv: Vec<&str> =
        archive.names().into_iter().filter(|name| name.starts_with("data/tables/") && name.ends_with(".csv")).collect();
    assert!(!csv.is_empty(), "tables");
    for name in csv {
        let text = archive.text(name);
        let twin = lines(archive.text(&name.replace(".csv", ".jsonl")));
        let columns: Vec<String> = twin.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
        let order = header(text);
        let cells: Vec<String> = (0..order.len()).map(|at| format!("c{at}")).collect();
        database.script(&format!(
            "SET client_min_messages = warning; DROP TABLE IF EXISTS reload; CREATE TABLE reload (line serial, {} text);\n\
             COPY reload ({}) FROM STDIN WITH (FORMAT csv, HEADER);\n{text}\\.\r\n",
            cells.join(" text, "),
            cells.join(", ")
        ));
        let loaded = database.psql("SELECT row_to_json(reload)::text FROM reload ORDER BY line");
        let loaded: Vec<Value> = loaded.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
        assert_eq!(loaded.len(), twin.len(), "{name}");
        assert_eq!(columns.len(), if twin.is_empty() { 0 } else { order.len() }, "{name}");
        for (at, (loaded, twin)) in loaded.iter().zip(&twin).enumerate() {
            for (place, column) in order.iter().enumerate() {
                assert_same_cell(&loaded[format!("c{place}")], twin[column].get(), &format!("{name}, row {}, {column}", at + 1));
            }
        }
    }
}

/// The names in the first line, which has no line ends of its own in our tests.
fn header(csv: &str) -> Vec<String> {
    let line = csv.strip_prefix('\u{feff}').expect("a byte order mark").lines().next().expect("a header");
    let mut names = vec![String::new()];
    let mut quoted = false;
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        let name = names.last_mut().expect("a name");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => name.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => names.push(String::new()),
            other => name.push(other),
        }
    }
    names
}

fn assert_same_cell(loaded: &Value, twin: &str, place: &str) {
    if twin == "null" {
        // A JSON document that is just `null` is not the same as no document, which only the CSV can tell.
        return assert!(loaded == &Value::Null || loaded == "null", "{place}: {loaded}");
    }
    let loaded = loaded.as_str().unwrap_or_else(|| panic!("{place}: NULL in the CSV, {twin} in its twin"));
    let text: Option<String> = twin.starts_with('"').then(|| serde_json::from_str(twin).expect("a string"));
    let Some(text) = text else { return assert_eq!(loaded, twin, "{place}") };
    // The guard against formulas is one apostrophe, and what begins with an apostrophe has one more. NUL fits into no CSV.
    let decoded = loaded.strip_prefix('\'').unwrap_or(loaded);
    assert!(decoded == text.replace('\0', "\u{2400}") || loaded == twin, "{place}: {loaded:?} and {twin}");
}

#[test]
fn the_demos_archives_please_every_validator() {
    let Some(tools) = Tools::find() else { return };
    let workspace = Workspace::demo();
    for job in ["jobs/access.json", "jobs/portability.json"] {
        let (archive, base) = archive(&workspace, &tools, job);
        assert_sound(&workspace, &tools, &archive, &base);
    }
}

#[test]
fn every_type_of_postgresql_comes_through_exactly() {
    let Some(tools) = Tools::find() else { return };
    let Some(workspace) = Workspace::postgres(awkward::POSTGRES, "dataset: []\n") else { return };
    let columns = workspace
        .database
        .psql("SELECT attname FROM pg_attribute WHERE attrelid = 'awkward'::regclass AND attnum > 0 ORDER BY attnum");
    let columns: Vec<String> = columns.lines().map(str::to_owned).collect();
    workspace.write("datamap/app.yml", &awkward::map(&columns));
    let (archive, base) = archive(&workspace, &tools, access_job(&workspace));
    assert_sound(&workspace, &tools, &archive, &base);

    let rows = lines(archive.text("data/tables/app/awkward.jsonl"));
    assert_eq!(rows.len(), 3, "Grace's row stays out");
    let text =
        |row: usize, column: &str| -> Option<String> { serde_json::from_str(rows[row][column].get()).expect("text or null") };
    // What PostgreSQL itself prints: the archive may not round, shorten or lose a digit of it.
    for column in [
        "c_numeric",
        "c_fixed",
        "c_money",
        "c_text",
        "c_long",
        "c_formula",
        "c_guarded",
        "c_eof",
        "c_varchar",
        "c_char",
        "c_inet",
        "c_range",
        "c_multi",
        "c_bit",
        "c_varbit",
        "c_xml",
        "c_mood",
        "c_shout",
        "c_point",
        "c_path",
        "c_uuid",
        "c_mac",
        "c_empty",
    ] {
        let printed = workspace
            .database
            .psql(&format!("SELECT CASE WHEN {column} IS NOT NULL THEN to_json(format('%s', {column})) END FROM awkward WHERE email = '{}' ORDER BY id", awkward::EMAIL));
        let printed: Vec<Option<String>> = printed
            .lines()
            .map(|line| if line.is_empty() { None } else { serde_json::from_str(line).expect("a string") })
            .collect();
        let ours: Vec<Option<String>> = (0..3).map(|row| text(row, column)).collect();
        assert_eq!(ours, printed, "{column}");
    }
    for (row, column, expected) in [
        (0, "c_big", r#""-9223372036854775808""#),
        (1, "c_big", r#""9007199254740993""#),
        (0, "c_nan", r#""NaN""#),
        (1, "c_nan", r#""-INF""#),
        (0, "c_double", r#""NaN""#),
        (0, "c_real", "0.1"),
        (1, "c_bool", "false"),
        (0, "c_timestamptz", r#""infinity""#),
        (1, "c_timestamptz", r#""2024-03-31T00:30:00.500000Z""#),
        (0, "c_timestamp", r#""2024-02-29T23:59:59.123456""#),
        (1, "c_date", r#""9999-12-31""#),
        (0, "c_json", r#"{"b":1,"a":2,"b":3,"n":1.10}"#),
        (0, "c_json_number", "-0.50"),
        (0, "c_ints", "[[1,2],[3,null]]"),
        (0, "c_texts", r#"["a,b","NULL",null,"\"q\"",""]"#),
        (2, "c_text", "null"),
        (0, "c_char", r#""pad     ""#),
        (0, "C odd; \"name\"", r#""@SUM(A1)""#),
    ] {
        assert_eq!(rows[row][column].get(), expected, "row {}, {column}", row + 1);
    }
    let bytes = rows[0].iter().find(|(name, _)| name.starts_with("c_bytea")).expect("the bytes");
    assert_eq!((bytes.0.as_str(), bytes.1.get()), ("c_bytea_b64", r#""AP8QJ00=""#));
    let csv = archive.text("data/tables/app/awkward.csv");
    assert!(
        csv.contains(r#""'=HYPERLINK(""http"#) && csv.contains("''=already guarded") && csv.contains(",'@SUM(A1)"),
        "the guard"
    );
}

#[test]
fn whatever_sqlite_lets_into_a_column_comes_through() {
    let Some(tools) = Tools::find() else { return };
    let workspace = Workspace::sqlite(awkward::SQLITE, "dataset: []\n");
    let Database::Sqlite(file) = &workspace.database else { unreachable!("it is a file") };
    let columns = sqlite::rows(file, "SELECT name FROM pragma_table_info('awkward')");
    let columns: Vec<String> = columns.iter().map(|row| row.text("name").expect("a name")).collect();
    workspace.write("datamap/app.yml", &awkward::map(&columns));
    let (archive, base) = archive(&workspace, &tools, access_job(&workspace));
    assert_sound(&workspace, &tools, &archive, &base);
    let rows = lines(archive.text("data/tables/app/awkward.jsonl"));
    assert_eq!(rows.len(), 5, "Grace's row stays out");
    for (row, column, expected) in [
        (0, "c_int", r#""9223372036854775807""#),
        (1, "c_int", r#""not a number""#),
        (2, "c_text", r#""a\u0000b""#),
        (1, "c_real", r#""INF""#),
        (0, "c_bool", "true"),
        (1, "c_date", r#""0000-00-00""#),
        (4, "c_text", "null"),
    ] {
        assert_eq!(rows[row][column].get(), expected, "row {}, {column}", row + 1);
    }
}

#[test]
fn job_files_fit_their_schema() {
    let Some(tools) = Tools::find() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<String> = Vec::new();
    for folder in ["jobs", "src/demo/jobs"] {
        for entry in fs::read_dir(root.join(folder)).expect("the folder") {
            let path = entry.expect("an entry").path();
            if !path.ends_with("job.schema.json") {
                files.push(path.to_str().expect("a readable path").to_owned());
            }
        }
    }
    assert!(files.len() >= 6, "{files:?}");
    let mut arguments = vec!["--schemafile", "jobs/job.schema.json"];
    arguments.extend(files.iter().map(String::as_str));
    tools.run("check-jsonschema", &arguments, root).code(0);
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("bad.json"), r#"{"kind": "access", "subject": {"email": "a@example.com"}, "polcy": "x"}"#)
        .expect("a file");
    let schema = root.join("jobs/job.schema.json");
    tools.run("check-jsonschema", &["--schemafile", schema.to_str().expect("text"), "bad.json"], home.path()).code(1);
}

#[test]
fn a_certificate_is_checked_by_the_commands_that_it_prints_and_without_us() {
    let Some(_) = Tools::find() else { return };
    let workspace = Workspace::demo();
    let said = workspace.habeas("run --no-input --json jobs/erasure.json").run().code(0).json();
    let published = workspace.root().join(said["certificate"]["path"].as_str().expect("a path"));
    // A folder that has been sent to somebody: nothing of ours is near it.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let folder = elsewhere.path().join("certificate");
    fs::create_dir(&folder).expect("a folder");
    for entry in fs::read_dir(&published).expect("the certificate") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, folder.join(path.file_name().expect("a name"))).expect("a copy");
    }
    let instructions = fs::read_to_string(folder.join("VERIFY.txt")).expect("the instructions");
    let said = stock("bash", &["-ec", &commands_of(&instructions)], &folder).code(0);
    assert_eq!(said.stdout.matches("Signature Verified Successfully").count(), 3, "{}", said.stdout);
    assert!(said.stdout.contains("included"), "{}", said.stdout);
    for digest in said.stdout.lines().filter_map(|line| line.strip_suffix(" *stdin").or(line.strip_suffix(" *certificate.json"))) {
        assert!(instructions.contains(digest), "the printed digest {digest} is the one in the instructions");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify_certificate.py");
    let arguments = [script.to_str().expect("a path"), folder.to_str().expect("a path")];
    let said = stock("python3", &arguments, elsewhere.path()).code(0);
    assert!(said.stdout.starts_with("OK complete"), "{}", said.stdout);
    habeas().folder(elsewhere.path()).args(["certificate", "verify", "certificate"]).run().code(0);

    let document = folder.join("certificate.json");
    let text = fs::read_to_string(&document).expect("the document");
    fs::write(&document, text.replacen("\"complete\"", "\"cOmplete\"", 1)).expect("a changed document");
    habeas().folder(elsewhere.path()).args(["certificate", "verify", "certificate"]).run().code(4);
    stock("python3", &arguments, elsewhere.path()).code(1);
    stock("bash", &["-ec", &commands_of(&instructions)], &folder).code(1);
}

/// The commands of `VERIFY.txt`: they begin at the margin, and one of them brings its own text.
fn commands_of(instructions: &str) -> String {
    let mut commands = String::new();
    let mut in_text = false;
    for line in instructions.lines() {
        in_text |= line.starts_with("python3 ") && line.ends_with("<<'END'");
        if in_text || line.starts_with("openssl ") {
            commands.push_str(line);
            commands.push('\n');
        }
        in_text &= line != "END";
    }
    commands
}
