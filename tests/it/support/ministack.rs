//! A second S3 engine, not ours: `ministack`, a program in Python that `tests/run` installs. On a free port of the loopback, stopped by its own
//! process id when the value goes, also when the test is killed. It checks neither signatures nor policies.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::skipped;

/// A running engine.
pub struct Ministack {
    address: SocketAddr,
    folder: tempfile::TempDir,
    // It stops the engine when this end of its standard input closes, which also happens when we are killed.
    keeper: Child,
}

impl Ministack {
    /// `None`, after saying so, where nobody has installed it.
    pub fn start() -> Option<Ministack> {
        let program =
            std::env::var_os("HABEAS_TOOLS").map(|folder| PathBuf::from(folder).join("ministack")).filter(|path| path.exists());
        let Some(program) = program else {
            skipped("ministack: tests/run installs it and sets HABEAS_TOOLS");
            return None;
        };
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let folder = tempfile::Builder::new().prefix("habeas-ministack-").tempdir().expect("a folder");
        let log = File::create(folder.path().join("log")).expect("a log");
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg(r#""$0" < /dev/null & pid=$!; read -r _; kill -TERM $pid; wait $pid"#).arg(program);
        keeper.current_dir(folder.path()).env("HOME", folder.path()).env("TMPDIR", folder.path());
        keeper.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", address.port().to_string());
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().expect("a log")).stderr(log);
        let engine = Ministack { address, folder, keeper: keeper.spawn().expect("it starts") };
        engine.await_ready();
        Some(engine)
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(self.address).is_err() {
            let log = || std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "ministack did not start:\n{}", log());
            sleep(Duration::from_millis(50));
        }
    }

    /// `http://127.0.0.1:…`
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It is a child of ours; whatever it says at its end, it is gone then.
        let _ = self.keeper.wait();
    }
}
