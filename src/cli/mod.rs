//! The command line: one file per verb, and what verbs share. It parses, asks, prints and chooses the exit code; it decides nothing
//! about anybody's data, which is the engine's part.

mod args;
mod dispatch;

mod answer;
pub mod archive;
pub mod certificate;
pub mod completion;
pub mod confirm;
pub mod context;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod hold;
pub mod init;
pub mod input;
pub mod interrupt;
pub mod journal;
pub mod map;
pub mod operator;
pub mod output;
pub mod plan;
mod plan_export;
pub mod progress;
pub mod request;
pub mod run;
pub mod show;
pub mod submit;
pub mod sweep;
pub mod verify;
mod work;
pub mod worker;

pub use args::{Cli, Command, Global};
pub use dispatch::main;
