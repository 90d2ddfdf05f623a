//! Habeas Data answers data subject requests under the GDPR. Data flows one way through these modules:
//!
//! ```text
//! cli ─> request ─> queue ─> job ─> plan ─┬─> export ──> archive
//!                             │      ▲    └─> erase ───> verify ───> certify
//!          datamap, subject, hold ───┘              connector: sql
//!                                   ledger: the one durable truth
//! ```

pub mod archive;
pub mod certify;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod counted;
pub mod crypto;
pub mod datamap;
pub mod db;
pub mod decide;
pub mod demo;
pub mod deployment;
pub mod discover;
pub mod erase;
pub mod export;
pub mod failpoint;
pub mod gather;
pub mod hold;
pub mod job;
pub mod journal;
pub mod json;
pub mod ledger;
pub mod observe;
pub mod plan;
pub mod queue;
pub mod register;
pub mod request;
pub mod row_objects;
pub mod rows;
pub mod subject;
pub mod suggest;
pub mod value;
pub mod verify;
