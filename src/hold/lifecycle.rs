//! The life of a hold: `proposed → placing → active → releasing → released`. One person places it, at once; letting go takes two
//! people, neither of whom asked for an erasure that the hold affects, and a time of grace in which one person can still keep it.
//! Narrowing is placing a narrower hold and releasing the wide one: holds are a union, so nothing is uncovered in between.

use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

/// Where a hold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Asked for; covers nothing yet.
    Proposed,
    /// Covers for every new permit; older permits may still be at work.
    Placing,
    /// Nothing in flight can erase what it covers (H-2).
    Active,
    /// Two people agreed to let go; covers until the grace is over.
    Releasing,
    /// Covers nothing any more.
    Released,
}

impl State {
    const ALL: [State; 5] = [State::Proposed, State::Placing, State::Active, State::Releasing, State::Released];

    /// The word in the ledger and in results.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Proposed => "proposed",
            State::Placing => "placing",
            State::Active => "active",
            State::Releasing => "releasing",
            State::Released => "released",
        }
    }

    /// Reads the word back; `None` for any other.
    pub fn parse(word: &str) -> Option<State> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether a hold in this state keeps records.
    pub fn covers(self) -> bool {
        matches!(self, State::Placing | State::Active | State::Releasing)
    }
}

/// Why a step is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The hold is not where the step starts.
    #[error("the hold is {}: {step} is not possible", state.as_str())]
    State {
        /// Where it stands.
        state: State,
        /// What was asked.
        step: &'static str,
    },
    /// Nobody is named.
    #[error("the person who does this must be named")]
    Nobody,
    /// The second person is the first.
    #[error("releasing a hold takes two people: the one who asked for the release cannot approve it")]
    SamePerson,
    /// One of the two asked for an affected erasure.
    #[error("whoever asked for an erasure that the hold affects cannot release the hold")]
    AffectedRequester,
    /// Approval without a request.
    #[error("nobody has asked for the release of this hold")]
    NotRequested,
    /// The grace is not over.
    #[error("the grace of this release lasts until {until}")]
    Grace {
        /// When it ends.
        until: Timestamp,
    },
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The operator's login name.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Act {
    fn new(by: &str, at: Timestamp) -> Result<Act, Refusal> {
        match by.trim() {
            "" => Err(Refusal::Nobody),
            name => Ok(Act { by: name.to_owned(), at }),
        }
    }
}

/// How long an approved release waits before anything is let go: 0 to 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace(u8);

impl Grace {
    /// Whole days; `None` above 30.
    pub fn of_days(days: u8) -> Option<Grace> {
        (days <= 30).then_some(Grace(days))
    }

    fn duration(self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.0))
    }
}

impl Default for Grace {
    fn default() -> Self {
        Grace(7)
    }
}

/// What has happened to a hold so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// Where it stands.
    pub state: State,
    /// Who proposed it, if it began as a proposal.
    pub proposed: Option<Act>,
    /// Who placed it.
    pub placed: Option<Act>,
    /// When the last older permit was settled.
    pub active_at: Option<Timestamp>,
    /// Who asked for the release.
    pub release_requested: Option<Act>,
    /// Who approved it.
    pub release_approved: Option<Act>,
    /// End of the grace.
    pub release_at: Option<Timestamp>,
    /// When it ceased to cover.
    pub released_at: Option<Timestamp>,
}

impl Life {
    /// A life that begins with a proposal, which covers nothing.
    pub fn propose(by: &str, now: Timestamp) -> Result<Life, Refusal> {
        Ok(Life {
            state: State::Proposed,
            proposed: Some(Act::new(by, now)?),
            placed: None,
            active_at: None,
            release_requested: None,
            release_approved: None,
            release_at: None,
            released_at: None,
        })
    }

    /// A life that begins by placing: one person, at once.
    pub fn place_at_once(by: &str, now: Timestamp) -> Result<Life, Refusal> {
        let mut life = Life::propose(by, now)?;
        life.place(by, now)?;
        life.proposed = None;
        Ok(life)
    }

    /// Places what was proposed.
    pub fn place(&mut self, by: &str, now: Timestamp) -> Result<(), Refusal> {
        self.must_be(&[State::Proposed], "placing")?;
        self.placed = Some(Act::new(by, now)?);
        self.state = State::Placing;
        Ok(())
    }

    /// Nothing older is in flight any more.
    pub fn activate(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.must_be(&[State::Placing], "activating")?;
        self.active_at = Some(now);
        self.state = State::Active;
        Ok(())
    }

    /// The first of two people asks for the release. The hold goes on covering.
    pub fn request_release(&mut self, by: &str, now: Timestamp, requesters: &[String]) -> Result<(), Refusal> {
        self.must_be(&[State::Placing, State::Active], "asking for a release")?;
        let act = Act::new(by, now)?;
        refuse_requester(by, requesters)?;
        self.release_requested = Some(act);
        Ok(())
    }

    /// The second person agrees: the grace begins. Both are checked against the requesters of affected erasures, because an erasure
    /// may have been asked for since the first step.
    pub fn approve_release(&mut self, by: &str, now: Timestamp, requesters: &[String], grace: Grace) -> Result<(), Refusal> {
        self.must_be(&[State::Placing, State::Active], "approving a release")?;
        let act = Act::new(by, now)?;
        let first = self.release_requested.as_ref().ok_or(Refusal::NotRequested)?;
        if same_person(&first.by, by) {
            return Err(Refusal::SamePerson);
        }
        refuse_requester(by, requesters)?;
        refuse_requester(&first.by, requesters)?;
        self.release_approved = Some(act);
        // A time beyond the calendar is never reached: the hold stays.
        self.release_at = Some(now.saturating_add(grace.duration()).unwrap_or(Timestamp::MAX));
        self.state = State::Releasing;
        Ok(())
    }

    /// Calls off a release that was asked for or approved. Keeping is the safe side, so that one person is enough.
    pub fn keep(&mut self) -> Result<(), Refusal> {
        if self.release_requested.is_none() {
            return Err(Refusal::NotRequested);
        }
        self.must_be(&[State::Placing, State::Active, State::Releasing], "keeping")?;
        if self.state == State::Releasing {
            self.state = if self.active_at.is_some() { State::Active } else { State::Placing };
        }
        self.release_requested = None;
        self.release_approved = None;
        self.release_at = None;
        Ok(())
    }

    /// Ends the hold when its grace is over.
    pub fn finish_release(&mut self, now: Timestamp) -> Result<(), Refusal> {
        self.must_be(&[State::Releasing], "ending")?;
        let until = self.release_at.unwrap_or(Timestamp::MAX);
        if now < until {
            return Err(Refusal::Grace { until });
        }
        self.released_at = Some(now);
        self.state = State::Released;
        Ok(())
    }

    fn must_be(&self, allowed: &[State], step: &'static str) -> Result<(), Refusal> {
        if allowed.contains(&self.state) {
            return Ok(());
        }
        Err(Refusal::State { state: self.state, step })
    }
}

fn refuse_requester(by: &str, requesters: &[String]) -> Result<(), Refusal> {
    match requesters.iter().any(|requester| same_person(requester, by)) {
        true => Err(Refusal::AffectedRequester),
        false => Ok(()),
    }
}

/// `Ada`, `ada` and ` ada ` are one person: two spellings of a login must not pass for two people.
fn same_person(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

#[cfg(test)]
mod tests;
