//! Who a request is about: identifiers as given, their normal form, and the keyed hash by which logs, ledger and journal name a person.
//! An identifier's value never leaves this module by `Debug` or `Display` (S-1).

mod identifier;
mod normal_form;
mod subject_ref;

pub use identifier::{Identifier, Subject, SubjectError, is_plain_word};
pub use normal_form::NormalForm;
pub use subject_ref::SubjectRef;
