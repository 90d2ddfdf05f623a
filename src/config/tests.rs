//! What a configuration may say, and the exact words with which a wrong one is answered.

use super::*;
use crate::connector::objects::Checksums;
use jiff::SignedDuration;
use secrecy::ExposeSecret;

fn no_variables(_: &str) -> Option<String> {
    None
}

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/habeas/habeas.yaml"), &no_variables)
}

/// The messages and hints of a wrong configuration, `message | hint` each.
fn complaints(text: &str) -> Vec<String> {
    match parse(text) {
        Err(ConfigError::Invalid { problems }) => {
            let line = |p: &ConfigProblem| match &p.hint {
                Some(hint) => format!("{}:{}: {} | {hint}", p.line, p.column, p.message),
                None => format!("{}:{}: {}", p.line, p.column, p.message),
            };
            problems.iter().map(line).collect()
        }
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("was accepted:\n{text}"),
    }
}

const CONTROLLER: &str = "controller: {name: Acme Ltd}\n";

fn with_controller(rest: &str) -> Vec<String> {
    complaints(&format!("{CONTROLLER}{rest}"))
}

#[test]
fn a_name_is_enough_and_every_default_lies_beside_the_file() {
    let config = parse(CONTROLLER).unwrap();
    assert_eq!(config.ledger.expose_secret(), "sqlite:/etc/habeas/habeas.db");
    assert!(matches!(&config.archives.place, ArchivePlace::Folder(folder) if folder == Path::new("/etc/habeas/archives")));
    assert_eq!(config.archives.expire_after, SignedDuration::from_hours(14 * 24));
    assert_eq!(config.certificates, Path::new("/etc/habeas/certificates"));
    assert_eq!(config.spool, Path::new("/etc/habeas/spool"));
    assert_eq!(config.keys, Path::new("/etc/habeas/keys"));
    assert_eq!(config.journal.copies, Path::new("/etc/habeas/checkpoints"));
    assert_eq!(config.data_map, Path::new("/etc/habeas/datamap"));
    assert_eq!(config.limits.batch_rows, 10_000);
    assert_eq!(config.limits.permit.as_secs(), 5);
    assert_eq!(config.limits.archive_part, 2 << 30);
    assert_eq!(config.holds.grace_days, 7);
    assert_eq!(config.verify.again_after.last(), Some(&SignedDuration::from_hours(30 * 24)));
    assert!(config.sources.is_empty());
}

#[test]
fn the_whole_of_the_interface_is_read() {
    let text = "\
controller: {name: Acme Ltd, address: Ring 1, contact: privacy@acme.example, dpo: dpo@acme.example, supervisory_authority: {name: DSB, url: 'https://dsb.gv.at'}, time_zone: Europe/Vienna, country: AT}
ledger: sqlite:state/habeas.db
archives: file:/srv/archives
archives_expire_after: 7d
keys: keys
data_map: datamap
sources:
  app: {postgres: env:APP_URL, verify: env:VERIFY_URL, datasets: [app_db, billing]}
  local: {sqlite: data/local.db}
limits: {max_rows: 100000, max_share: 0.25, plan_age: P2D, batch_rows: 100, permit_seconds: 2, archive_part: 10 GiB}
journal: {copies: /mnt/elsewhere}
holds: {grace_days: 14}
deadlines: {profile: gdpr}
verify: {again_after: [90m, 7d]}
http: {listen: 127.0.0.1:8080}
mail: {anything: [goes]}
";
    let environment = |name: &str| Some(format!("postgres://{}@db/app", name.to_lowercase()));
    let config = Config::parse(text, Path::new("/srv/conf/habeas.yaml"), &environment).unwrap();
    assert_eq!(config.controller.time_zone.iana_name(), Some("Europe/Vienna"));
    assert_eq!(config.spool, Path::new("/srv/conf/state/spool"), "beside the ledger");
    assert_eq!(config.archives.workshop(&config.spool), Path::new("/srv/archives"));
    assert_eq!(config.archives.expire_after, SignedDuration::from_hours(7 * 24));
    assert_eq!(config.sources["local"].url().unwrap().expose_secret(), "sqlite:/srv/conf/data/local.db");
    assert_eq!(config.sources["app"].url().unwrap().expose_secret(), "postgres://app_url@db/app");
    assert_eq!(config.sources["app"].verify_url().unwrap().expose_secret(), "postgres://verify_url@db/app");
    assert!(config.sources["app"].verifies_separately());
    assert_eq!(config.limits.plan_age, SignedDuration::from_hours(48));
    assert_eq!(config.limits.archive_part, 10 << 30);
    assert_eq!(config.verify.again_after, [SignedDuration::from_mins(90), SignedDuration::from_hours(168)]);
    assert_eq!(config.unused, ["http", "mail"]);
    assert_eq!(config.source_of("billing", None).unwrap().name, "app");
    assert_eq!(config.source_of("local", None).unwrap().name, "local");
    assert_eq!(config.source_of("billing", Some("local")).unwrap().name, "local");
    assert!(config.source_of("elsewhere", None).is_none());
}

#[test]
fn an_unknown_key_is_answered_with_its_place_and_what_was_meant() {
    assert_eq!(with_controller("ledgr: sqlite:x.db\n"), ["2:1: unknown key `ledgr` | did you mean `ledger`?"]);
    assert_eq!(
        with_controller("limits:\n  batch_rows: 10\n  max_row: 7\n"),
        ["4:3: unknown key `max_row` in `limits` | did you mean `max_rows`?"]
    );
    assert_eq!(
        with_controller("sources:\n  app:\n    postgress: env:X\n"),
        [
            "4:5: unknown key `postgress` in `sources.app` | did you mean `postgres`?",
            "4:5: `sources.app` does not say what it is | such as `{postgres: env:APP_DATABASE_URL}`, `{mysql: env:APP_DATABASE_URL}`, `{sqlite: app.db}`, `{s3: {bucket: uploads}}` or `{folder: uploads}`",
        ]
    );
    assert_eq!(
        complaints("controller: {name: A, colour: red}")[0],
        "1:23: unknown key `colour` in `controller` | known here: name, address, contact, dpo, supervisory_authority, time_zone, country, representative, joint_controllers, security_measures, recipients"
    );
}

#[test]
fn a_part_of_an_archive_has_a_size_within_reason() {
    for bad in ["0", "512 KiB", "51 GiB", "large", "2 G", "1.5 GiB", "[1]"] {
        let expected =
            "2:24: `limits.archive_part` must be a size from 1 MiB to 50 GiB | write a number and its unit, such as 2 GiB";
        assert_eq!(with_controller(&format!("limits: {{archive_part: {bad}}}\n")), [expected], "{bad}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = "holds: {grace_days: 400}\ncontroller: {}\nkeyz: x\nlimits: {plan_age: 3, max_share: 50}\n";
    assert_eq!(
        complaints(text),
        [
            "1:21: `holds.grace_days` must be a whole number from 0 to 30",
            "2:13: `controller.name` is missing | name the company that answers the requests: `controller: {name: Acme Ltd}`",
            "3:1: unknown key `keyz` | did you mean `keys`?",
            "4:20: `limits.plan_age` must be a length of time, not a number | write a number and its unit, such as 24h, 7d or P30D",
            "4:34: `limits.max_share` must be a share: more than 0, at most 1 | half is 0.5",
        ]
    );
}

#[test]
fn a_missing_variable_is_named_with_its_line() {
    assert_eq!(
        with_controller("sources:\n  app: {postgres: env:APP_DATABASE_URL}\n"),
        [
            "3:19: `sources.app.postgres`: environment variable `APP_DATABASE_URL` is not set | set `APP_DATABASE_URL` in the environment of this program, or write the value by `file:PATH`"
        ]
    );
}

#[test]
fn numbers_may_come_from_the_environment() {
    let text = format!("{CONTROLLER}limits: {{max_rows: env:MOST}}\n");
    let config = Config::parse(&text, Path::new("habeas.yaml"), &|_| Some("42".into())).unwrap();
    assert_eq!(config.limits.max_rows, Some(42));
}

#[test]
fn what_this_version_cannot_do_is_an_error_and_not_a_gap() {
    let complaint = with_controller("sources:\n  stripe: {processor: stripe}\n");
    assert!(
        complaint[0].starts_with("3:23: `sources.stripe`: `processor` (processors' interfaces) is not supported by this version"),
        "{complaint:?}"
    );
    for kind in ["processor: stripe, params: {}", "manual: {recipient: x}"] {
        let complaint = with_controller(&format!("sources: {{other: {{{kind}}}}}\n"));
        assert!(complaint[0].contains("not supported by this version"), "{complaint:?}");
    }
}

#[test]
fn archives_go_into_a_bucket_by_address_or_with_all_that_a_bucket_needs() {
    let place = |text: &str| match parse(&format!("{CONTROLLER}{text}")).unwrap().archives.place {
        ArchivePlace::S3 { address, prefix } => (address, prefix),
        ArchivePlace::Folder(folder) => panic!("{}", folder.display()),
    };
    let (address, prefix) = place("archives: s3://acme-archives/dsr/2026/\n");
    assert_eq!(
        (address.bucket.as_str(), prefix.as_str(), address.checksums),
        ("acme-archives", "dsr/2026/", Checksums::WhenSupported)
    );
    assert_eq!(place("archives: s3://acme-archives\n").1, "");
    let (address, prefix) = place("archives: {s3: {bucket: a, prefix: /x, region: eu-west-1, endpoint: 'https://rgw.example'}}\n");
    assert_eq!((address.region.as_deref(), prefix.as_str(), address.checksums), (Some("eu-west-1"), "x/", Checksums::WhenRequired));
    let complaint = with_controller("archives: {s3: {bucket: a, prefx: x}}\n");
    assert!(complaint[0].contains("did you mean `prefix`?"), "{complaint:?}");
    assert!(with_controller("archives: s3:///x\n")[0].contains("names no bucket"));
    assert!(with_controller("archives_expire_after: never\n")[0].contains("must be a length of time"));
}

#[test]
fn mysql_is_a_source_and_never_the_ledger() {
    let config = parse(&format!(
        "{CONTROLLER}sources:\n  a: {{mysql: 'mysql://u:p@db/app'}}\n  b: {{mysql: 'mariadb://u:p@db/b', verify: 'mysql://v:p@db/b'}}\n"
    ))
    .unwrap();
    assert!(!config.sources["a"].verifies_separately() && config.sources["b"].verifies_separately());
    let complaint = with_controller("ledger: mysql://root:hunter2@db/x\n");
    assert!(complaint[0].contains("the ledger cannot lie in MySQL or MariaDB"), "{complaint:?}");
    let complaint = with_controller("sources: {app: {mysql: 'postgres://db/app'}}\n");
    assert!(complaint[0].contains("must start with mysql:// or mariadb://"), "{complaint:?}");
}

#[test]
fn s_1_a_url_is_never_shown() {
    for text in [
        "ledger: mysql://root:hunter2@db/x\n",
        "sources: {app: {postgres: 'host=db password=hunter2'}}\n",
        "archives: hunter2\n",
        "ledger: {password: hunter2}\n",
        "controller: hunter2: hunter2\n",
    ] {
        let error = parse(&format!("{CONTROLLER}{text}")).unwrap_err();
        let shown = format!("{error} {:?} {error:?}", error.hint());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let config = parse(&format!("{CONTROLLER}sources: {{app: {{postgres: 'postgres://app:hunter2@db/app'}}}}\n")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_dataset_has_one_source() {
    assert_eq!(
        with_controller("sources:\n  a: {sqlite: a.db, datasets: [shop]}\n  b: {sqlite: b.db, datasets: [shop]}\n"),
        ["4:32: `sources.b.datasets[0]`: dataset `shop` is already served by `sources.a`"]
    );
}

#[test]
fn a_source_is_one_system() {
    let complaint = with_controller("sources: {a: {sqlite: a.db, postgres: 'postgres://x'}}\n");
    assert_eq!(complaint, ["2:14: `sources.a` is both postgres and sqlite: one source, one system"]);
    let complaint = with_controller("sources: {a: {sqlite: a.db, verify: 'postgres://x'}}\n");
    assert!(complaint[0].contains("`sources.a.verify`: a SQLite file has no roles"), "{complaint:?}");
}

#[test]
fn an_unknown_time_zone_is_refused() {
    let complaint = complaints("controller: {name: A, time_zone: Europe/Atlantis}\n");
    assert!(complaint[0].starts_with("1:34: `controller.time_zone` is not in this machine's time zone database"), "{complaint:?}");
}

#[test]
fn a_missing_file_says_how_to_get_one() {
    let error = Config::load(Path::new("nowhere/habeas.yaml")).unwrap_err();
    assert_eq!(error.to_string(), "no configuration file `nowhere/habeas.yaml`");
    assert_eq!(error.hint().unwrap(), "`habeas init` writes one; `--config FILE` or $HABEAS_CONFIG names another");
}

#[test]
fn a_file_that_is_not_yaml_is_refused_with_its_line() {
    let complaint = complaints("controller: {name: A}\nsources: [\n");
    assert!(complaint[0].starts_with("2:") || complaint[0].starts_with("3:"), "{complaint:?}");
    assert_eq!(complaints("- a\n- b\n"), ["1:1: the configuration must be a mapping of keys to values, not a list"]);
    assert!(complaints("controller: {name: A}\ncontroller: {name: B}\n")[0].starts_with("2:1: duplicate"));
}

#[test]
fn the_example_configuration_is_one_that_loads() {
    let text = include_str!("../../deploy/config.example.yaml");
    let environment = |name: &str| match name {
        "APP_DATABASE_URL" | "APP_VERIFY_URL" | "HABEAS_LEDGER_URL" => Some(format!("postgres://{name}@db/app")),
        "FORUM_DATABASE_URL" => Some("mysql://forum@db/forum".to_owned()),
        _ => None,
    };
    let config = Config::parse(text, Path::new("/etc/habeas/habeas.yaml"), &environment).unwrap();
    assert!(config.sources["app"].verifies_separately());
    for key in KEYS {
        assert!(text.contains(&format!("{key}:")), "the example shows `{key}`");
    }
}

#[test]
fn a_bucket_is_described_and_mistakes_in_it_are_told_with_their_place() {
    let complain = |inside: &str| with_controller(&format!("sources:\n  uploads: {{s3: {{{inside}}}}}\n"));
    assert!(complain("region: r")[0].contains("`sources.uploads.s3.bucket` is missing"), "{:?}", complain("region: r"));
    assert!(complain("bucket: a/b")[0].contains("must be the name of a bucket alone"));
    assert!(complain("bucket: b, endpoint: 'rgw:80'")[0].contains("must start with https:// or http://"));
    assert!(complain("bucket: b, path_style: perhaps")[0].contains("`sources.uploads.s3.path_style` must be true or false"));
    assert!(complain("bucket: b, checksums: never")[0].contains("must be `when_required` or `when_supported`"));
    assert!(complain("bucket: b, access_key_id: A")[0].contains("`sources.uploads.s3.secret_access_key` is missing"));
    assert!(complain("bucket: b, verify: {secret_access_key: S}")[0].contains("access_key_id` is missing"));
    assert!(complain("buckt: b").iter().any(|told| told.contains("did you mean `bucket`?")), "{:?}", complain("buckt: b"));
}

#[test]
fn checksums_are_left_out_where_the_store_is_not_aws() {
    use crate::connector::objects::{Checksums, ObjectAddress};
    let checksums = |inside: &str| {
        let text = format!("{CONTROLLER}sources:\n  uploads: {{s3: {{{inside}}}}}\n  files: {{folder: up}}\n");
        let config = Config::parse(&text, Path::new("/srv/conf/habeas.yaml"), &|_| None).unwrap();
        assert!(matches!(config.sources["files"].object_address(), Some(ObjectAddress::Folder(path)) if path.ends_with("conf/up")));
        match config.sources["uploads"].object_address() {
            Some(ObjectAddress::S3(address)) => address.checksums,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(checksums("bucket: b"), Checksums::WhenSupported);
    assert_eq!(checksums("bucket: b, endpoint: 'http://127.0.0.1:1'"), Checksums::WhenRequired);
    assert_eq!(checksums("bucket: b, endpoint: 'http://127.0.0.1:1', checksums: when_supported"), Checksums::WhenSupported);
}
