//! How the program is watched while it works: log lines and progress. Neither ever carries an identifier (S-1).

pub mod logging;
pub mod panics;
pub mod progress;
