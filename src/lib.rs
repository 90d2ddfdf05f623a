//! Habeas Data answers data subject requests under the GDPR. Data flows one way through these modules:
//!
//! ```text
//! cli ─> request ─> queue ─> job ─> plan ─┬─> export ──> archive
//!                             │      ▲    └─> erase ───> verify ───> certify
//!          datamap, subject, hold ───┘              connector: sql
//!                                   ledger: the one durable truth
//! ```

pub mod archive;
pub mod clock;
pub mod connector;
pub mod crypto;
pub mod datamap;
pub mod db;
pub mod hold;
pub mod ledger;
pub mod plan;
pub mod request;
pub mod subject;
pub mod value;
