//! S-1 and J-1: a person whose every value is a word that occurs nowhere else goes through everything that the program does, and afterwards
//! these words are looked for wherever nobody should find them: in what it said, in its ledger, its journal, its files and their names, its
//! arguments and its environment. Only archives and the source itself may have them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use serde_json::{Value, json};

use super::support::binary::{Habeas, Said};
use super::support::database::Database;
use super::support::shop::{On, Shop};

/// Words of the person: identifiers, keys of rows, values of all kinds.
const CANARIES: [&str; 9] = [
    "zqmail@canary.example",
    "918273645",
    "Zqname Quillfeather",
    "zqnote-of-an-order",
    "zqagent/7.1",
    "zqsubject of a ticket",
    "556677881",
    "447788992",
    "998811773",
];

const PERSON: &str = "
INSERT INTO customers VALUES (918273645, 'zqmail@canary.example', 'Zqname Quillfeather');
INSERT INTO orders VALUES (556677881, 918273645, 'zqnote-of-an-order', 3), (447788992, 918273645, 'zqnote-of-an-order', 4);
INSERT INTO visits VALUES (998811773, 918273645, 'zqagent/7.1');
INSERT INTO tickets VALUES (998811774, 918273645, 1002, 'zqsubject of a ticket'), (998811775, 1002, 918273645, 'of another person');
";

/// The words in every form that is read without a key, in any case of letters.
struct Needles {
    search: AhoCorasick,
    canaries: Vec<&'static str>,
}

impl Needles {
    fn new() -> Needles {
        let mut needles = Vec::new();
        let mut canaries = Vec::new();
        for canary in CANARIES {
            let mut forms = vec![canary.to_owned(), hex(canary.as_bytes()), canary.replace('@', "%40").replace(' ', "%20")];
            // Base64 at each of the three offsets, without the ends that depend on the neighbours.
            for (offset, first) in [(0, 0), (1, 2), (2, 3)] {
                let mut padded = vec![0; offset];
                padded.extend(canary.as_bytes());
                let encoded = base64(&padded);
                forms.push(encoded[first..encoded.len() - 4].to_owned());
            }
            canaries.extend(std::iter::repeat_n(canary, forms.len()));
            needles.extend(forms);
        }
        let search = AhoCorasick::builder().ascii_case_insensitive(true).build(needles).expect("a search");
        Needles { search, canaries }
    }

    /// The first word that occurs in these bytes.
    fn found_in(&self, bytes: &[u8]) -> Option<&'static str> {
        self.search.find(bytes).map(|found| self.canaries[found.pattern().as_usize()])
    }

    #[track_caller]
    fn refuse(&self, place: &str, bytes: &[u8]) {
        if let Some(canary) = self.found_in(bytes) {
            panic!("S-1: `{canary}` stands in {place}:\n{}", String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let word = group.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for at in 0..=group.len() {
            text.push(char::from(ALPHABET[(word >> (18 - 6 * at) & 63) as usize]));
        }
        text.extend(std::iter::repeat_n('=', 3 - group.len()));
    }
    text
}

/// The program under observation.
struct Observed {
    shop: Shop,
    needles: Needles,
    temp: PathBuf,
}

impl Observed {
    fn open(on: On) -> Option<Observed> {
        let shop = Shop::with(on, PERSON, "limits: {batch_rows: 2}\nholds: {grace_days: 0}\n")?;
        let temp = shop.workspace.home().join("temp");
        fs::create_dir_all(&temp).expect("a folder");
        Some(Observed { shop, needles: Needles::new(), temp })
    }

    fn call(&self, arguments: &str) -> Habeas {
        self.shop.habeas(arguments).env("TMPDIR", &self.temp)
    }

    /// Runs a command as loudly as it can be and reads all that it says.
    fn say(&self, arguments: &str, input: Option<&Value>) -> Said {
        let call = self.call(&format!("{arguments} -vvv"));
        let call = match input {
            Some(input) => call.input(input.to_string()),
            None => call,
        };
        self.heard(arguments, call.run())
    }

    #[track_caller]
    fn heard(&self, arguments: &str, said: Said) -> Said {
        self.needles.refuse(&format!("standard output of `{arguments}`"), said.stdout.as_bytes());
        self.needles.refuse(&format!("standard error of `{arguments}`"), said.stderr.as_bytes());
        said
    }

    /// Runs a command while others look at its process and its files.
    fn watch(&self, arguments: &str) -> Said {
        let mut running = self.call(&format!("{arguments} -vvv")).start();
        let process = PathBuf::from(format!("/proc/{}", running.pid()));
        let mut looks = 0;
        running.until(Duration::from_secs(60), || {
            for file in ["cmdline", "environ", "comm"] {
                self.needles.refuse(file, &fs::read(process.join(file)).unwrap_or_default());
            }
            self.look_at_files();
            looks += 1;
            false
        });
        assert!(looks > 1, "it was seen at work");
        let said = running.finish();
        self.heard(arguments, said)
    }

    /// Everything under the operator's folder and the temporary one: names of all files, contents of all but archives and the source.
    fn look_at_files(&self) {
        for root in [self.shop.workspace.root(), &self.temp] {
            self.look_into(root);
        }
    }

    fn look_into(&self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = path.to_string_lossy().into_owned();
            self.needles.refuse("a file's name", name.as_bytes());
            if path.is_dir() {
                self.look_into(&path);
                continue;
            }
            let is_archive = path.parent().is_some_and(|parent| parent.ends_with("archives"));
            let is_source = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("app.db"));
            if !is_archive && !is_source {
                // A file may be gone since the folder was read.
                self.needles.refuse(&name, &fs::read(&path).unwrap_or_default());
            }
        }
    }

    /// All tables of the ledger, sealed columns included: bytes are shown in hex.
    fn look_at_ledger(&self) {
        let dump = self.shop.ledger.dump();
        for table in
            ["request", "job", "attempt", "permit", "plan", "execution", "hold", "hold_alias", "journal_entry", "certificate"]
        {
            assert!(dump[table].iter().len() > 0, "`{table}` has rows to look at");
        }
        for (table, rows) in &dump {
            for row in rows {
                self.needles.refuse(&format!("the ledger's table `{table}`"), row.to_string().as_bytes());
            }
        }
    }

    /// Makes the source refuse, in words that quote the person, to let an order go.
    fn make_the_source_refuse(&self) {
        let script = match &self.shop.workspace.database {
            Database::Sqlite(_) => {
                "CREATE TRIGGER refusing BEFORE DELETE ON orders WHEN OLD.customer_id = 918273645
                 BEGIN SELECT RAISE(ABORT, 'zqmail@canary.example may not lose zqnote-of-an-order'); END"
            }
            Database::MariaDb { .. } => {
                "DELIMITER //\nCREATE TRIGGER refusing BEFORE DELETE ON orders FOR EACH ROW BEGIN IF OLD.customer_id = 918273645 THEN
                   SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'zqmail@canary.example may not lose zqnote-of-an-order'; END IF; END//"
            }
            Database::Postgres(_) => {
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   RAISE EXCEPTION 'refused for %: %', OLD.customer_id, OLD.note USING DETAIL = 'Key (id)=(' || OLD.id || ')', HINT = OLD.note;
                 END $$;
                 CREATE TRIGGER refusing BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION refuse()"
            }
        };
        self.shop.workspace.database.script(script);
    }

    fn let_the_source_agree(&self) {
        let on_orders = if matches!(self.shop.workspace.database, Database::Postgres(_)) { " ON orders" } else { "" };
        self.shop.workspace.database.script(&format!("DROP TRIGGER refusing{on_orders}"));
        self.shop.ledger.script("UPDATE job SET run_at = 0 WHERE state = 'ready' AND duty = 'answer'");
    }
}

fn about_the_person(kind: &str) -> Value {
    let mut job = json!({"kind": kind, "subject": {"email": "ZqMail@canary.example", "customer_id": "918273645"}});
    if kind == "erasure" {
        job["approval"] = json!("none");
    }
    job
}

fn full_cycle(on: On) {
    let Some(observed) = Observed::open(on) else { return };
    let submit = |job: &Value| observed.say("submit -", Some(job)).code(0).stdout.trim().to_owned();
    let show = |request: &str| observed.say(&format!("request show {request} --json"), None).code(0).json();

    let source = format!("{:?}", observed.shop.workspace.database.dump());
    assert!(observed.needles.found_in(source.as_bytes()).is_some(), "the search sees what there is to see");
    observed.say("map check", None);
    observed.say("plan -", Some(&about_the_person("erasure"))).code(0);
    observed.say("plan - --json", Some(&about_the_person("portability"))).code(0);
    let export = submit(&about_the_person("portability"));
    observed.watch("worker --once").code(0);
    let archive = show(&export)["archive"]["path"].as_str().expect("an archive").to_owned();
    observed.say(&format!("archive verify {archive}"), None).code(0);

    // Two people, nobody, nonsense: what cannot be answered is told without the words either.
    submit(&json!({"kind": "access", "subject": {"email": "zqmail@canary.example", "customer_id": "1002"}}));
    submit(&json!({"kind": "access", "subject": {"email": "no-zqmail@canary.example"}}));
    observed.say("worker --once", None);
    for wrong in [
        json!({"kind": "erasure", "subject": "zqmail@canary.example"}),
        json!({"kind": "erasure", "subject": {"email": ["zqmail@canary.example"]}}),
        json!({"kind": "erasure", "subject": {"email": {"zqmail@canary.example": 918273645}}}),
        json!({"kind": "access", "subject": {"email": "zqmail@canary.example"}, "changes": "Zqname Quillfeather"}),
    ] {
        observed.say("submit -", Some(&wrong)).code(2);
    }
    observed.say("submit -", Some(&json!({"kind": "access", "subject": {"phone": "zqmail@canary.example"}}))).code(2);

    observed.make_the_source_refuse();
    let erasure = submit(&about_the_person("erasure"));
    let refused = observed.watch("worker --once");
    assert_ne!(show(&erasure)["status"], "completed", "{refused:?}");
    assert!(observed.shop.ledger.count("attempt WHERE outcome IN ('failed', 'dead', 'parked') AND ended_at IS NOT NULL") > 0);
    assert!(refused.stderr.contains("erasure_failed"), "it says that something went wrong: {}", refused.stderr);
    observed.say(&format!("request show {erasure}"), None);
    observed.let_the_source_agree();

    let hold = json!({"matter": "M-1", "reason": "litigation", "scope": {"subject": {"email": "zqmail@canary.example"}}});
    observed.say("hold preview -", Some(&hold)).code(0);
    let placed = observed.say("hold place - --by grace --json", Some(&hold)).code(0).json();
    let hold = placed["hold_id"].as_str().expect("an id");
    let record = json!({"matter": "M-2", "reason": "audit", "scope": {"record": {"dataset": "app", "collection": "orders", "key": ["556677881"]}}});
    let second =
        observed.say("hold place - --by grace --json", Some(&record)).code(0).json()["hold_id"].as_str().expect("an id").to_owned();
    observed.say("hold list", None).code(0);
    observed.say(&format!("hold show {second}"), None).code(0);
    observed.say("worker --once", None);
    observed.say("doctor", None);
    for hold in [hold, &second] {
        for person in ["grace", "linus"] {
            observed.say(&format!("hold release {hold} --by {person}"), None).code(0);
        }
    }
    observed.say("request list", None).code(0);
    let stuck = show(&erasure)["status"].as_str().expect("text").to_owned();
    if stuck.starts_with("waiting") || stuck == "failed" {
        observed.say(&format!("request retry {erasure} --by grace"), None).code(0);
    }
    observed.watch("worker --once").code(0);
    let done = show(&erasure);
    assert_eq!(done["status"], "completed", "{done}");
    observed.say(&format!("request show {erasure}"), None).code(0);
    observed.say(&format!("certificate verify {}", done["certificate"]["path"].as_str().expect("a path")), None).code(0);
    observed.say(&format!("verify {erasure}"), None).code(0);
    observed.say("sweep", None).code(0);
    observed.say("journal show --last 1000", None).code(0);
    observed.say("journal verify", None).code(0);
    observed.say("doctor", None);

    // The person comes back: a resurrection is news, and its report must not quote her.
    observed
        .shop
        .workspace
        .database
        .script("INSERT INTO customers VALUES (918273645, 'zqmail@canary.example', 'Zqname Quillfeather')");
    observed.say(&format!("verify {erasure}"), None).code(4);
    observed.look_at_files();
    observed.look_at_ledger();
}

#[test]
fn s_1_j_1_no_word_of_a_person_leaves_source_and_archive_on_sqlite() {
    full_cycle(On::Sqlite);
}

#[test]
fn s_1_j_1_no_word_of_a_person_leaves_source_and_archive_on_postgres() {
    full_cycle(On::Postgres);
}

#[test]
fn s_1_j_1_no_word_of_a_person_leaves_source_and_archive_on_mariadb() {
    full_cycle(On::MariaDb);
}

#[test]
fn the_search_finds_a_word_in_every_form() {
    let needles = Needles::new();
    for canary in CANARIES {
        assert_eq!(needles.found_in(format!("x{canary}y").as_bytes()), Some(canary));
        assert_eq!(needles.found_in(canary.to_uppercase().as_bytes()), Some(canary));
        assert_eq!(needles.found_in(hex(canary.as_bytes()).as_bytes()), Some(canary));
        for before in ["", "a", "ab"] {
            assert_eq!(
                needles.found_in(base64(format!("{before}{canary} and more").as_bytes()).as_bytes()),
                Some(canary),
                "{before}"
            );
        }
    }
    assert_eq!(needles.found_in(b"nobody is here"), None);
}
