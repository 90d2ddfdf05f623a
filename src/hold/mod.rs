//! Legal holds: what they cover and how they live. Pure: who asks and when are handed in.

mod scope;

pub use scope::Scope;
