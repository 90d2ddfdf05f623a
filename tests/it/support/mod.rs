//! What the integration tests share: private PostgreSQL, MariaDB and S3 servers, databases of all kinds, the built program, a folder to run it in.
//! It never talks to a server that it did not start.

pub mod archive;
pub mod binary;
pub mod catalogue;
pub mod database;
pub mod deaths;
pub mod dice;
pub mod fides;
pub mod laws;
pub mod made_up;
pub mod mariadb;
pub mod ministack;
pub mod postgres;
pub mod s3;
pub mod schema_file;
pub mod shop;
pub mod sqlite;
pub mod statements;
pub mod store;
pub mod tools;
pub mod typical;
pub mod workspace;

/// Says that a test cannot run here. Under `tests/run`, which has installed everything, that is a failure.
pub fn skipped(needs: &str) {
    eprintln!("SKIPPED: needs {needs}");
    let strict = std::env::var("HABEAS_TESTS_NO_SKIP").is_ok_and(|value| value == "1");
    assert!(!strict, "a test was skipped although HABEAS_TESTS_NO_SKIP=1: it needs {needs}");
}

/// Runs asynchronous code of the library from a plain test.
pub fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(work)
}
