//! The only way to an [`Authorised`] batch: what a hold covers is taken out first, whatever the plan said. The holds are those that
//! the permit has seen, so that nobody can pass an older set. Conditions that only the source can evaluate go along with the batch.

use crate::datamap::Predicate;
use crate::erase::{Permit, PermitError};
use crate::hold::{CollectionHolds, HoldRef};

/// Who else a record belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CoOwners {
    /// Nobody: the set of owners is {this subject} (O-1).
    None,
    /// People with these keyed aliases; every alias of each of them.
    Known(Vec<String>),
    /// Somebody; then every subject's hold might cover the record, and does.
    Unknown,
}

/// Records of one collection that are to be erased, masked or unlinked together.
pub trait Batch {
    /// The configured source.
    fn source(&self) -> &str;
    /// Dataset of the data map.
    fn dataset(&self) -> &str;
    /// Collection of the dataset.
    fn collection(&self) -> &str;
    /// How many records.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The primary key of one record, in the order of its columns; `None` when a part has no text form (NULL, bytes).
    fn key_as_text(&self, position: usize) -> Option<Vec<String>>;
    /// Who else one record belongs to.
    fn co_owners(&self, position: usize) -> CoOwners;
    /// Keeps the records whose flag is set; there is one flag for each.
    fn keep(&mut self, keep: &[bool]);
}

/// A batch that may be erased under one permit.
#[derive(Debug)]
pub struct Authorised<B> {
    batch: B,
    permit_id: String,
    must_not_match: Vec<(HoldRef, Predicate)>,
}

impl<B> Authorised<B> {
    /// The records, without those that are held.
    pub fn batch(&self) -> &B {
        &self.batch
    }

    /// The permit: the name of the session that erases.
    pub fn permit_id(&self) -> &str {
        &self.permit_id
    }

    /// Conditions of holds. In the transaction that erases, and under the lock of the rows, each must be FALSE for a row to go; a row
    /// for which one is true or NULL is held: `(condition) IS NOT FALSE`.
    pub fn must_not_match(&self) -> &[(HoldRef, Predicate)] {
        &self.must_not_match
    }
}

/// Records that a hold keeps. A record under several holds is told once, under the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The hold.
    pub hold: HoldRef,
    /// Positions in the batch as it was given.
    pub positions: Vec<usize>,
}

/// What a permit gives for one batch.
#[derive(Debug)]
pub struct Authorisation<B> {
    /// What may be erased; `None` when everything is held or the batch was empty.
    pub authorised: Option<Authorised<B>>,
    /// What is held, by hold.
    pub held: Vec<Held>,
}

/// Takes out of a batch what the holds cover. Several batches of the permit's source may be authorised under one permit, up to the
/// number of records that it was opened for; held records count as well.
pub fn authorise<B: Batch>(mut batch: B, permit: &mut Permit) -> Result<Authorisation<B>, PermitError> {
    if batch.source() != permit.source() {
        return Err(PermitError::OtherSource { permit: permit.source().to_owned(), batch: batch.source().to_owned() });
    }
    permit.spend(batch.len() as u64)?;
    let on_collection = permit.holds().for_collection(batch.dataset(), batch.collection());
    let on_subject = permit.holds().covers_subject(permit.aliases());
    let mut held: Vec<Held> = Vec::new();
    let mut free = vec![true; batch.len()];
    for (position, free) in free.iter_mut().enumerate() {
        let Some(hold) = first_hold(&batch, position, permit, &on_collection, &on_subject) else { continue };
        *free = false;
        match held.iter_mut().find(|known| known.hold == hold) {
            Some(known) => known.positions.push(position),
            None => held.push(Held { hold, positions: vec![position] }),
        }
    }
    if !free.contains(&true) {
        return Ok(Authorisation { authorised: None, held });
    }
    if !held.is_empty() {
        batch.keep(&free);
    }
    let must_not_match = on_collection.predicates().to_vec();
    Ok(Authorisation { authorised: Some(Authorised { batch, permit_id: permit.id().to_owned(), must_not_match }), held })
}

fn first_hold<B: Batch>(
    batch: &B,
    position: usize,
    permit: &Permit,
    on_collection: &CollectionHolds,
    on_subject: &[HoldRef],
) -> Option<HoldRef> {
    if let Some(hold) = on_subject.first().or(on_collection.whole().first()) {
        return Some(hold.clone());
    }
    let on_record = match on_collection.records().is_empty() {
        true => None,
        false => on_collection.held_by(batch.key_as_text(position).as_deref()).into_iter().next(),
    };
    on_record.or_else(|| match batch.co_owners(position) {
        CoOwners::None => None,
        // An empty list would read as "nobody knows whose", which holds too.
        CoOwners::Known(aliases) => permit.holds().covers_subject(&aliases).into_iter().next(),
        CoOwners::Unknown => permit.holds().covers_subject(&[]).into_iter().next(),
    })
}
