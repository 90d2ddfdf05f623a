//! An S3 server in this process, for tests alone: versions, Object Lock, uploads in parts, as AWS documents them, in memory. It can be told to
//! misbehave, and it keeps a journal of what it was asked. It listens on the loopback only and ends with the value that holds it.
//!
//! Not here, and answered `NotImplemented`: the first ListObjects, GetObjectAttributes, access lists, S3 Select, inventory, encryption settings of
//! buckets. Different from AWS: only path-style addresses; signatures of old (version 2) are accepted too; customer keys are compared by their
//! digest and nothing is encrypted; a version id that S3 never gave out is `InvalidArgument` only if it does not look like one of ours.

mod api;
pub mod body;
pub mod bucket;
mod buckets;
mod checksum;
pub mod client;
pub mod clock;
mod copying;
mod deleting;
mod encode;
pub mod fault;
mod gate;
pub mod journal;
mod listen;
mod listing;
mod locks;
mod multipart;
mod page;
pub mod prepare;
mod reading;
mod restoring;
mod tags;
mod upload;
mod uploads;
pub mod version;
pub mod world;
mod writing;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use s3s::service::S3ServiceBuilder;
use tokio::sync::oneshot;

use api::Api;
use clock::Clock;
use fault::Script;
use gate::{Gate, OneUser};
use journal::Journal;
use listen::Answerer;
use world::World;

/// What clients sign with.
pub const ACCESS_KEY: &str = "AKIATESTONLY00000000";
/// What clients sign with.
pub const SECRET_KEY: &str = "a-secret-of-the-test-server-alone";
/// Where the server says it is.
pub const REGION: &str = "eu-central-1";
/// The account that owns the buckets.
pub const OWNER: &str = "111122223333";

/// A running server.
pub struct S3Server {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    journal: Journal,
    script: Script,
    clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl S3Server {
    /// Starts one on a free port, on a thread of its own, so that tests with and without a runtime can use it.
    pub fn start() -> S3Server {
        let clock = Clock::default();
        let world = Arc::new(Mutex::new(World::new(REGION, OWNER, clock.clone())));
        let (journal, script) = (Journal::default(), Script::default());
        let mut builder = S3ServiceBuilder::new(Api(world.clone()));
        builder.set_auth(OneUser);
        builder.set_access(Gate { world: world.clone(), journal: journal.clone(), script: script.clone() });
        let answerer = Answerer { service: builder.build(), world: world.clone(), journal: journal.clone() };
        let (stop, stopped) = oneshot::channel();
        let (started, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            super::wait_for(async move {
                let (listener, address) = listen::bind().await.expect("a free port");
                started.send(address).expect("somebody who waits");
                tokio::select! {
                    () = listen::accept(listener, answerer) => {}
                    _ = stopped => {}
                }
            });
        });
        let address = address.recv().expect("a server");
        S3Server { address, world, journal, script, clock, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:…`
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it keeps, to look at and to shape. No request is answered while this is held.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("the world")
    }

    /// What it was asked.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What shall go wrong.
    pub fn script(&self) -> &Script {
        &self.script
    }

    /// Its clock, by which retention ends.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has panicked at worst, and then the test has failed already.
            drop(thread.join());
        }
    }
}
