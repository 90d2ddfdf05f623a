//! What a store can answer instead of what it was asked. Codes and statuses only: keys, and what a store quotes of them, stay out (S-1).

use thiserror::Error;

/// Why a store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The credentials do not allow it. Not being allowed to look is never absence (V-2).
    #[error("the store does not allow us to {doing}")]
    Denied {
        /// What was tried, in words.
        doing: &'static str,
    },
    /// There is no such bucket or folder.
    #[error("there is no such {0}")]
    Missing(&'static str),
    /// The bucket is in another region than configured.
    #[error("the bucket is in another region than the configuration says")]
    WrongRegion,
    /// The object or version is not there.
    #[error("the object is not there any more")]
    Gone,
    /// The object is another one than was read or expected.
    #[error("the object was replaced meanwhile")]
    Changed,
    /// The store does not know the call.
    #[error("the store cannot {doing}")]
    NotSupported {
        /// What was tried, in words.
        doing: &'static str,
    },
    /// Its clock and ours differ too much for signatures.
    #[error("the clocks of this machine and of the store differ too much")]
    ClockSkew,
    /// The bytes are in an archive class and must be restored first.
    #[error("the object must be restored from its storage class before it can be read")]
    Cold,
    /// The bytes cannot be decrypted: the key is missing, disabled or deleted.
    #[error("the object cannot be decrypted")]
    Encrypted,
    /// The store is overloaded or failing. Nothing is known to have happened.
    #[error("the store is busy or failing ({0})")]
    Busy(String),
    /// The connection broke: whether it took effect is not known.
    #[error("the connection to the store was lost")]
    Lost,
    /// It answers in a way that cannot be true.
    #[error("the store contradicts itself: {0}")]
    Contradiction(&'static str),
    /// Anything else.
    #[error("the store refused to {doing} ({code})")]
    Refused {
        /// What was tried, in words.
        doing: &'static str,
        /// Its code.
        code: String,
    },
    /// The file system.
    #[error("cannot {doing}: {reason}")]
    File {
        /// What was tried, in words.
        doing: &'static str,
        /// Kind of the error, without paths.
        reason: String,
    },
}

impl StoreError {
    /// Whether trying again a little later may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, StoreError::Busy(_) | StoreError::Lost | StoreError::Changed)
    }

    /// What an operator can do.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            StoreError::Denied { .. } => Some("docs/objects.md lists the rights that a source needs"),
            StoreError::Missing(_) => Some("check the name of the bucket or folder in the configuration"),
            StoreError::WrongRegion => Some("write the bucket's own region under `region`"),
            StoreError::ClockSkew => Some("let this machine synchronise its clock"),
            StoreError::Encrypted => Some("give the role the right to decrypt with the object's key"),
            _ => None,
        }
    }

    /// An error of the file system, by its kind: its text may hold a path.
    pub fn file(doing: &'static str, error: &std::io::Error) -> StoreError {
        match error.kind() {
            std::io::ErrorKind::NotFound => StoreError::Gone,
            std::io::ErrorKind::PermissionDenied => StoreError::Denied { doing },
            kind => StoreError::File { doing, reason: kind.to_string() },
        }
    }
}
