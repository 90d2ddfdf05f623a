//! Archives in several parts, as people get them: each part pleases the validators alone, unpacked side by side their links work, and a part
//! that is missing is named. In a folder and in a bucket part 1 comes last, nothing half-made is left, and all parts go when their time is over.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::archives_s3::{BUCKET, everything, send_to, server};
use crate::objects_erase::{objects_map, people};
use crate::support::archive::Archive;
use crate::support::dice::Dice;
use crate::support::laws::{ada, configure, run};
use crate::support::s3::S3Server;
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::Misbehaviour;
use crate::support::skipped;
use crate::support::store::Store;
use crate::support::tools::Tools;
use crate::support::workspace::Workspace;

const MIB: u64 = 1024 * 1024;

fn access() -> Value {
    json!({"kind": "access", "subject": ada()})
}

/// Ada has six pictures of 600 kB, of which one part holds one, and a small note. Grace has a small picture.
fn albums() -> (Workspace, Store) {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    let mut dice = Dice::new(7);
    for number in 1..=6 {
        let mut picture = b"\x89PNG".to_vec();
        picture.extend((0..600_000).map(|_| u8::try_from(dice.below(256)).expect("a byte")));
        store.put(&format!("avatars/1/{number}.png"), &picture);
    }
    store.put("avatars/1/note.txt", b"a note");
    store.put("avatars/2/grace.png", b"\x89PNG grace");
    workspace.database.script("DELETE FROM shots;");
    configure(&workspace, "limits: {archive_part: 1 MiB}");
    (workspace, store)
}

fn in_bucket(versioning: Versioning) -> (Workspace, S3Server, Store) {
    let (workspace, store) = albums();
    let server = server(versioning);
    send_to(&workspace, &server, "");
    (workspace, server, store)
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).expect("a name")
}

/// The files that an answer names, in their order.
fn parts_of(done: &Value) -> Vec<String> {
    let files = done["archive"]["files"].as_array().expect("several files");
    files.iter().map(|file| file["path"].as_str().expect("a path").to_owned()).collect()
}

fn zips(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder).expect("the folder").map(|entry| name_of(&entry.expect("an entry").path()).to_owned()).collect()
}

/// Unpacks zips into one folder, as a person does; the folders in it.
fn unpack(zips: &[PathBuf], into: &Path) -> Vec<PathBuf> {
    for path in zips {
        let mut zip = zip::ZipArchive::new(fs::File::open(path).expect("the archive")).expect("a zip file");
        zip.extract(into).expect("unpacks");
    }
    let mut folders: Vec<PathBuf> = fs::read_dir(into).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}

/// The targets of all links of a page, from where it lies, without the place in it.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(page).expect("a page");
    let links = text.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
    let links = links.filter(|link| !link.starts_with('#')).map(|link| link.split('#').next().unwrap_or_default());
    links.map(|link| page.parent().expect("a folder").join(link)).collect()
}

#[test]
fn a_large_archive_comes_in_parts_whose_links_work_side_by_side() {
    let (workspace, _store) = albums();
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(done["archive"]["parts"], 6, "{done}");
    let parts: Vec<PathBuf> = parts_of(&done).iter().map(|path| workspace.root().join(path)).collect();
    assert_eq!(done["archive"]["path"], done["archive"]["files"][0]["path"], "{done}");
    let stem = name_of(&parts[0]).strip_suffix("-part01of06.zip").expect("part 1").to_owned();
    let expected: BTreeSet<String> = (1..=6).map(|number| format!("{stem}-part0{number}of06.zip")).collect();
    assert_eq!(zips(&workspace.path("archives")), expected, "and nothing else lies there");
    let sizes: Vec<u64> = parts.iter().map(|path| fs::metadata(path).expect("a part").len()).collect();
    assert!(sizes.iter().all(|bytes| *bytes <= MIB), "{sizes:?}");
    assert_eq!(done["archive"]["bytes"].as_u64(), Some(sizes.iter().sum()), "{done}");

    let first = Archive::open(&parts[0]);
    assert_eq!(first.json("data/request.json")["parts"], json!({"n": 1, "of": 6, "group_id": done["request_id"]}));
    let told = first.json("data/parts.json");
    for (part, file) in done["archive"]["files"].as_array().expect("files").iter().enumerate().skip(1) {
        let told = &told["parts"][part - 1];
        assert_eq!((&told["bytes"], &told["sha256"], &told["n"]), (&file["bytes"], &file["sha256"], &json!(part + 1)));
        assert_eq!(told["file_name"], name_of(&parts[part]));
    }

    let folders = unpack(&parts, &workspace.home().join("unpacked"));
    let names: Vec<&str> = folders.iter().map(|folder| name_of(folder)).collect();
    assert_eq!(names[..2], [stem.clone(), format!("{stem}-part02")]);
    let base = &folders[0];
    let mut beside = 0;
    for page in
        fs::read_dir(base.join("html")).expect("pages").map(|entry| entry.expect("a page").path()).chain([base.join("index.html")])
    {
        for target in links(&page) {
            assert!(target.is_file(), "{} links to {}", page.display(), target.display());
            beside += usize::from(!fs::canonicalize(&target).expect("a path").starts_with(base));
        }
    }
    assert_eq!(beside, 10, "five pictures lie in other parts; their table and the list of files lead to each");
    for row in first.rows("uploads/avatars") {
        let file = base.join(row["file"].as_str().expect("a file"));
        assert_eq!(fs::metadata(file).ok().map(|found| found.len()), row["bytes"].as_u64(), "{row}");
    }
    let index = first.text("data/files/index.csv");
    assert_eq!(index.lines().count(), 8, "a heading and seven files: {index}");
    assert_eq!(first.json("data/completeness.json")["totals"]["files"], 7);
}

#[test]
fn each_part_pleases_every_validator_alone() {
    let Some(tools) = Tools::find() else { return };
    let (workspace, _store) = albums();
    let done = run(&workspace, &access()).code(0).json();
    for (number, path) in parts_of(&done).iter().enumerate() {
        let zip = workspace.root().join(path);
        tools.read_zip(&zip);
        let base = tools.unpack(&zip, &workspace.home().join(format!("alone-{number}")));
        match number {
            0 => tools.validate_archive(&base),
            _ => tools.validate_bag(&base),
        }
    }
}

#[test]
fn a_person_without_large_files_gets_one_archive_without_a_number() {
    let (workspace, _store) = albums();
    let done = run(&workspace, &json!({"kind": "access", "subject": {"email": "grace@example.com"}})).code(0).json();
    assert_eq!((&done["archive"]["parts"], &done["archive"]["files"]), (&json!(1), &Value::Null), "{done}");
    let archive = Archive::only_in(&workspace.path("archives"));
    assert!(!name_of(&archive.path).contains("part"), "{}", archive.path.display());
    assert!(archive.text("bag-info.txt").contains("Bag-Count: 1 of 1\n"));
    assert!(!archive.names().contains(&"data/parts.json") && !archive.text("index.html").contains("-part"));
}

#[test]
fn verify_checks_part_1_with_all_others_and_names_the_one_that_is_missing() {
    let (workspace, _store) = albums();
    let done = run(&workspace, &access()).code(0).json();
    let parts: Vec<PathBuf> = parts_of(&done).iter().map(|path| workspace.root().join(path)).collect();
    let said = workspace.habeas("archive verify").args([&parts[0]]).run().code(0);
    assert!(said.stdout.contains("sound  (6 parts, ") && said.stdout.lines().count() == 1, "{}", said.stdout);
    let said = workspace.habeas("archive verify").args(parts.iter().rev()).run().code(0);
    assert_eq!(said.stdout.lines().count(), 1, "all of them once: {}", said.stdout);
    let said = workspace.habeas("archive verify").args([&parts[3]]).run().code(0);
    assert!(said.stdout.contains("-part04  sound  (part 4 of 6, "), "{}", said.stdout);
    let told = workspace.habeas("archive verify --json").args([&parts[0]]).run().code(0).json();
    assert_eq!((&told["part"], &told["parts"], &told["sound"]), (&json!(1), &json!(6), &json!(true)), "{told}");

    let aside = workspace.home().join("aside (1).zip");
    fs::rename(&parts[2], &aside).expect("moved");
    let said = workspace.habeas("archive verify").args([&parts[0]]).run().code(4);
    let name = name_of(&parts[2]);
    assert!(said.stdout.contains(&format!("{name}: is part 3 of 6, and it is not there: put it beside part 1")), "{}", said.stdout);
    workspace.habeas("archive verify").args([&parts[0], &aside]).run().code(0);

    // Damaged, and then another part under its name.
    let mut bytes = fs::read(&aside).expect("part 3");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&parts[2], &bytes).expect("a copy");
    let said = workspace.habeas("archive verify").args([&parts[0]]).run().code(4);
    assert!(said.stdout.contains(&format!("{name}: is not the file that part 1 tells of")), "{}", said.stdout);
    fs::copy(&parts[1], &parts[2]).expect("a copy");
    workspace.habeas("archive verify").args([&parts[0]]).run().code(4);
}

#[test]
fn people_are_told_where_every_part_is() {
    let (workspace, _store) = albums();
    let said = workspace.habeas("run - --no-input").input(access().to_string()).run().code(0);
    for number in 1..=6 {
        assert_eq!(said.stdout.matches(&format!("-part0{number}of06.zip")).count(), 1, "{}", said.stdout);
    }
    let readme = Archive::open(&workspace.path("archives").join(zips(&workspace.path("archives")).first().expect("part 1")));
    assert!(readme.text("README.txt").contains("part 1 of 6"));
    assert!(readme.text("index.html").contains("-part06of06.zip"));
}

#[test]
fn a_part_size_that_makes_no_sense_is_refused_with_its_place() {
    let (workspace, _store) = albums();
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("a configuration");
    workspace.write("habeas.yaml", &config.replace("archive_part: 1 MiB", "archive_part: 3 KiB"));
    let said = run(&workspace, &access());
    assert_ne!(said.code, Some(0));
    let told = "`limits.archive_part` must be a size from 1 MiB to 50 GiB";
    assert!(format!("{}{}", said.stdout, said.stderr).contains(told), "{}", said.stderr);
}

/// Copies what lies in the bucket under the names that an answer gives into a folder; the files there.
fn fetched(workspace: &Workspace, server: &S3Server, done: &Value) -> Vec<PathBuf> {
    let folder = workspace.home().join("fetched");
    fs::create_dir_all(&folder).expect("a folder");
    let world = server.world();
    let bucket = world.bucket(BUCKET).expect("the bucket");
    let fetch = |path: &String| {
        let key = path.strip_prefix(&format!("s3://{BUCKET}/")).expect("in the bucket");
        let body = &bucket.current(key).expect("a part").object.as_ref().expect("no marker").body;
        let copy = folder.join(name_of(Path::new(key)));
        fs::write(&copy, body.slice(0..body.length())).expect("a copy");
        copy
    };
    parts_of(done).iter().map(fetch).collect()
}

#[test]
fn in_a_bucket_part_1_is_sent_last_and_every_part_is_what_was_sent() {
    for versioning in [Versioning::Never, Versioning::Enabled] {
        let (workspace, server, _store) = in_bucket(versioning);
        let done = run(&workspace, &access()).code(0).json();
        assert_eq!(everything(&server), 6, "{done}");
        let sent: Vec<String> = server.journal().of("PutObject").into_iter().map(|put| put.key).collect();
        let order: Vec<usize> = sent
            .iter()
            .map(|key| key.find("of06.zip").map(|at| key[at - 1..at].parse().expect("a number")).expect("a part"))
            .collect();
        assert_eq!(order, [6, 5, 4, 3, 2, 1], "{sent:?}");
        let files = done["archive"]["files"].as_array().expect("files");
        assert!(files.iter().all(|file| file["version"].is_string() == (versioning == Versioning::Enabled)), "{done}");
        let parts = fetched(&workspace, &server, &done);
        let said = workspace.habeas("archive verify").args([&parts[0]]).run().code(0);
        assert!(said.stdout.contains("6 parts"), "{}", said.stdout);
        assert_eq!(fs::read_dir(workspace.path("spool")).expect("the spool").count(), 0, "nothing of it stays on this machine");
    }
}

#[test]
fn nothing_is_left_of_any_part_when_one_cannot_be_sent() {
    let (workspace, server, _store) = in_bucket(Versioning::Enabled);
    server.script().at("PutObject").after(3).times(10_000).do_this(Misbehaviour::Refuse(403, "AccessDenied"));
    let said = run(&workspace, &access());
    assert!(!matches!(said.code, Some(0 | 3)), "{}", said.stdout);
    assert!(server.journal().of("PutObject").len() >= 4, "three were sent before");
    assert!(!said.stdout.contains("s3://"), "{}", said.stdout);
    assert_eq!(everything(&server), 0);
}

#[test]
fn all_parts_go_when_their_time_is_over_and_only_then_the_answer_says_so() {
    for versioning in [Versioning::Never, Versioning::Enabled, Versioning::Suspended] {
        let (workspace, server, _store) = in_bucket(versioning);
        configure(&workspace, "archives_expire_after: 2s");
        let done = run(&workspace, &access()).code(0).json();
        let parts = parts_of(&done);
        let third = parts[2].strip_prefix(&format!("s3://{BUCKET}/")).expect("in the bucket");
        for action in ["s3:DeleteObject", "s3:DeleteObjectVersion"] {
            server.deny(action, BUCKET, third);
        }
        std::thread::sleep(Duration::from_secs(2));
        let swept = workspace.habeas("sweep --json").run().code(0).json();
        assert_eq!(swept["archives_removed"], 0, "{swept}");
        assert_eq!(swept["archives_kept"].as_array().map(Vec::len), Some(1), "{swept}");
        let show = || shown(&workspace, done["request_id"].as_str().expect("an id"));
        let answer = show();
        assert_eq!(
            (&answer["archive"]["still_there"], &answer["archive"]["removed_at"]),
            (&json!("refused"), &Value::Null),
            "{answer}"
        );
        assert_eq!(everything(&server), 1, "the one that the store would not give up");
        server.world().denied.clear();
        let swept = workspace.habeas("sweep --json").run().code(0).json();
        assert_eq!((&swept["archives_removed"], &swept["archives_kept"]), (&json!(1), &json!([])), "{swept}");
        assert_eq!(everything(&server), 0);
        let answer = show();
        assert_eq!(
            (answer["archive"]["removed_at"].is_string(), &answer["archive"]["still_there"]),
            (true, &Value::Null),
            "{answer}"
        );
        workspace.habeas("journal verify").run().code(0);
    }
}

#[test]
fn all_parts_in_a_folder_go_when_their_time_is_over() {
    let (workspace, _store) = albums();
    configure(&workspace, "archives_expire_after: 2s");
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(zips(&workspace.path("archives")).len(), 6);
    std::thread::sleep(Duration::from_secs(2));
    let said = workspace.habeas("sweep").run().code(0);
    assert!(said.stdout.contains(" 1 archive removed"), "{}", said.stdout);
    assert!(zips(&workspace.path("archives")).is_empty());
    let answer = workspace.habeas(&format!("request show {} --json", done["request_id"].as_str().expect("an id"))).run().json();
    assert!(answer["archive"]["removed_at"].is_string(), "{answer}");
}

#[test]
fn an_archive_made_anew_takes_the_place_of_the_whole_earlier_one() {
    // The first time a record names an object that is not there: an answer in part, which can be asked for again.
    for there_then in [true, false] {
        let (workspace, store) = albums();
        workspace.database.script("INSERT INTO shots VALUES (9, 1, 'late.png');");
        let first = run(&workspace, &access()).code(3).json();
        assert_eq!(first["archive"]["parts"], 6, "{first}");
        store.put("shots/late.png", b"\x89PNG late");
        if !there_then {
            // And there are fewer parts: no name is that of an earlier one.
            for number in 2..=6 {
                fs::remove_file(workspace.path(&format!("uploads/avatars/1/{number}.png"))).expect("it was there");
            }
            store.put("avatars/1/2.png", &[7; 1000]);
        }
        let code = first["code"].as_str().expect("a code");
        workspace.habeas(&format!("request retry {code} --by grace")).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!(done["status"], "completed", "{done}");
        assert!(done["archive"]["removed_at"].is_null(), "{done}");
        let there = zips(&workspace.path("archives"));
        assert_eq!(there.len() as u64, done["archive"]["parts"].as_u64().expect("a number"), "{there:?}");
        let path = done["archive"]["path"].as_str().expect("a path");
        workspace.habeas("archive verify").args([workspace.root().join(path)]).run().code(0);
    }
}

/// Kills a worker at a place, and lets others work until the request is answered. What there was in between is looked at by `look`.
fn killed_at(workspace: &Workspace, place: &str, look: impl FnOnce()) -> Value {
    let id = workspace.habeas("submit -").input(access().to_string()).run().code(0).stdout.trim().to_owned();
    killed_while_answering(workspace, &id, place, look)
}

fn killed_while_answering(workspace: &Workspace, id: &str, place: &str, look: impl FnOnce()) -> Value {
    let killed = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", place).run();
    assert_eq!(killed.code, None, "{place}: it was killed: {}", killed.stderr);
    look();
    // The lease of the killed attempt has to run out first.
    let end = Instant::now() + Duration::from_secs(180);
    while shown(workspace, id)["status"] != "completed" && Instant::now() < end {
        workspace.habeas("worker --once").run();
        std::thread::sleep(Duration::from_millis(500));
    }
    let done = shown(workspace, id);
    assert_eq!(done["status"], "completed", "{place}: {done}");
    done
}

fn shown(workspace: &Workspace, id: &str) -> Value {
    workspace.habeas(&format!("request show {id} --json")).run().code(0).json()
}

#[test]
fn an_answer_never_names_an_archive_of_which_a_part_is_another_ones() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    let (workspace, store) = albums();
    workspace.database.script("INSERT INTO shots VALUES (9, 1, 'late.png');");
    let first = run(&workspace, &access()).code(3).json();
    let id = first["request_id"].as_str().expect("an id");
    store.put("shots/late.png", b"\x89PNG late");
    workspace.habeas(&format!("request retry {id} --by grace")).run().code(0);
    let done = killed_while_answering(&workspace, id, "archive-file-published", || {
        assert_eq!(zips(&workspace.path("archives")).iter().filter(|name| !name.starts_with('.')).count(), 1);
        let answer = shown(&workspace, id);
        assert_eq!(answer["archive"]["files"], first["archive"]["files"], "still the earlier answer");
        assert!(answer["archive"]["removed_at"].is_string(), "and it says that its archive is gone: {answer}");
    });
    assert_eq!((&done["archive"]["parts"], &done["archive"]["removed_at"]), (&json!(6), &Value::Null), "{done}");
    let path = done["archive"]["path"].as_str().expect("a path");
    workspace.habeas("archive verify").args([workspace.root().join(path)]).run().code(0);
}

#[test]
fn after_a_kill_between_two_parts_the_next_attempt_cleans_up_and_answers() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    for (place, published) in [("archive-while-filling-part", 0), ("archive-file-published", 1), ("archive-file-published:5", 5)] {
        let (workspace, store) = albums();
        // The second of two small files in one part is where the first place is passed.
        store.put("avatars/1/small-1.png", &[1; 300_000]);
        store.put("avatars/1/small-2.png", &[2; 300_000]);
        let archives = workspace.path("archives");
        let done = killed_at(&workspace, place, || {
            let there = zips(&archives);
            let visible: Vec<&String> = there.iter().filter(|name| !name.starts_with('.')).collect();
            assert_eq!(visible.len(), published, "{place}: {there:?}");
            assert!(
                visible.iter().all(|name| !name.contains("part01")),
                "{place}: part 1 is not there before the others: {there:?}"
            );
        });
        let parts = parts_of(&done);
        assert_eq!(zips(&archives).len(), parts.len(), "{place}: {:?}", zips(&archives));
        workspace.habeas("archive verify").args([workspace.root().join(&parts[0])]).run().code(0);
    }
}

#[test]
fn after_a_kill_between_two_parts_nothing_half_made_stays_in_the_bucket() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    for (place, before) in [("archive-sent:2", 2), ("archive-file-published:5", 5)] {
        let (workspace, server, _store) = in_bucket(Versioning::Enabled);
        let done =
            killed_at(&workspace, place, || assert_eq!(everything(&server), before, "{place}: what the killed attempt left"));
        assert_eq!(everything(&server), 6, "{place}: one archive and nothing half-made");
        let parts = fetched(&workspace, &server, &done);
        workspace.habeas("archive verify").args([&parts[0]]).run().code(0);
        assert_eq!(fs::read_dir(workspace.path("spool")).expect("the spool").count(), 0, "{place}");
    }
}
