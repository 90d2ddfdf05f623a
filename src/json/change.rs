//! What happens to the parts of a JSON value, as a tree beside it.

/// What happens to one value. `C` tells why something is cut out, `R` how it is replaced.
#[derive(Debug, Clone, PartialEq)]
pub enum Change<C, R> {
    /// It stays as it is, whatever it is.
    Keep,
    /// It is left out: a member with its key; an element of an array becomes `null`, because those behind it keep their place.
    Cut(C),
    /// It is replaced; in an array each element is, in its place.
    Replace(R),
    /// An object is gone through member by member; in an array each element is.
    Into(Members<C, R>),
}

/// What happens inside an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Members<C, R> {
    /// Members by key. A key that the object has twice stands for both.
    pub named: Vec<(String, Change<C, R>)>,
    /// All other members; and the value itself when it is neither object nor array.
    pub rest: Box<Change<C, R>>,
}

impl<C, R> Change<C, R> {
    /// Whether anything at all is changed.
    pub fn is_keep(&self) -> bool {
        match self {
            Change::Keep => true,
            Change::Cut(_) | Change::Replace(_) => false,
            Change::Into(members) => members.rest.is_keep() && members.named.iter().all(|(_, change)| change.is_keep()),
        }
    }
}
