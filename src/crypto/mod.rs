//! Keys and what is done with them: sealing what names a person, keyed hashes, signatures, sealed spools, random values. The master
//! key never leaves this module; every use has a purpose of its own, from which its key is derived.

mod keys;
mod random;
mod signing;
mod spool;

pub use keys::{CryptoError, Keys, hex, hmac_sha256, open_with, seal_with, unhex, write_secret};
pub use random::{random_bytes, random_code};
pub use signing::{PublicKey, SigningKey};
pub use spool::{SpoolDigest, SpoolError, SpoolReader, SpoolWriter, destroy_spool};
