//! Object storage: what holds files under keys. One trait, [`ObjectStore`], and one folder or file per family of stores. A store can list
//! everything under a prefix (every version, delete marker and unfinished upload), read, look at locks, and delete by version. What belongs
//! to whom is decided elsewhere; nothing here widens what it is asked for, and a key never appears in an error (S-1).

mod address;
mod batch;
mod copy;
mod entry;
mod eraser;
mod error;
pub mod folder;
mod folder_leftovers;
mod presence;
mod probe;
pub mod s3;
mod source;
mod store;
mod walk;

pub use address::{Checksums, Encryption, ObjectAddress, S3Address, S3Credentials, open_store};
pub use batch::ObjectBatch;
pub use copy::copy_to_file;
pub use entry::{Entry, EntryKind, Fate, Lock, ObjectKey};
pub use eraser::{Erased, Ready, look_before};
pub use error::StoreError;
pub use folder::{FolderStore, plain_path};
pub use folder_leftovers::is_unfinished_file;
pub use presence::present;
pub use probe::{Probe, Unnamed, probe, unnamed};
pub use s3::S3Store;
pub use source::{ObjectSource, Stores};
pub use store::{Condition, Details, ObjectStore, Page, PageMark, Reading, Restore, StoreFacts, Versioning, Writing};
pub use walk::{Walk, entries_of_key};
