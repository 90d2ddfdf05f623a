//! How a request lives: its statuses and which may follow which. Pure: the ledger asks here before it changes anything.
//!
//! `partial` is open-with-retention: something is kept (a hold, another owner) or could not be reached; the request stays open and is
//! queued again when the reason falls away. `failed` is open too: the work stopped, the deadline did not (Q-1, D-1).

use serde::{Deserialize, Serialize};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Accepted; a worker will take it.
    Queued,
    /// The person has to prove who they are.
    WaitingIdentity,
    /// The controller has to decide something, such as which of two people is meant.
    WaitingController,
    /// The plan is frozen and has to be approved.
    WaitingApproval,
    /// A worker is at it.
    Running,
    /// Everything is done and is being read back.
    Verifying,
    /// Done, and nothing is left open.
    Completed,
    /// Done as far as possible; open for what is retained or missing.
    Partial,
    /// The controller declined, on a ground.
    Refused,
    /// Withdrawn before anything was done.
    Cancelled,
    /// The work stopped for good; somebody has to look. The deadline runs on.
    Failed,
}

impl Status {
    /// All statuses.
    pub const ALL: [Status; 11] = [
        Status::Queued,
        Status::WaitingIdentity,
        Status::WaitingController,
        Status::WaitingApproval,
        Status::Running,
        Status::Verifying,
        Status::Completed,
        Status::Partial,
        Status::Refused,
        Status::Cancelled,
        Status::Failed,
    ];

    /// The word in results and in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::WaitingIdentity => "waiting_identity",
            Status::WaitingController => "waiting_controller",
            Status::WaitingApproval => "waiting_approval",
            Status::Running => "running",
            Status::Verifying => "verifying",
            Status::Completed => "completed",
            Status::Partial => "partial",
            Status::Refused => "refused",
            Status::Cancelled => "cancelled",
            Status::Failed => "failed",
        }
    }

    /// Reads the word back; `None` for any other.
    pub fn parse(word: &str) -> Option<Status> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether somebody still has to do something for the person. Only open requests can miss their deadline.
    pub fn is_open(self) -> bool {
        !matches!(self, Status::Completed | Status::Refused | Status::Cancelled)
    }

    /// The statuses that may follow this one.
    pub fn successors(self) -> &'static [Status] {
        use Status::*;
        match self {
            // To `partial` from anywhere: what had been done before stays done, and the rest was withdrawn.
            Queued => &[Running, WaitingIdentity, WaitingController, WaitingApproval, Partial, Refused, Cancelled, Failed],
            WaitingIdentity => &[Queued, WaitingController, Partial, Refused, Cancelled, Failed],
            WaitingController => &[Queued, WaitingIdentity, Partial, Refused, Cancelled, Failed],
            WaitingApproval => &[Queued, WaitingController, Partial, Refused, Cancelled, Failed],
            Running => &[
                Verifying,
                Completed,
                Partial,
                Queued,
                WaitingIdentity,
                WaitingController,
                WaitingApproval,
                Refused,
                Cancelled,
                Failed,
            ],
            Verifying => &[Completed, Partial, Running, Queued, Failed],
            // A hold was released, or what was pending has been confirmed.
            Partial => &[Queued, Running, Verifying, Completed, Refused, Failed],
            // Read-back found that something had come back: the request opens again.
            Completed => &[Queued, Partial],
            // An operator had the cause removed.
            Failed => &[Queued, Partial, Refused, Cancelled],
            Refused | Cancelled => &[],
        }
    }

    /// Whether `next` may follow. Staying where one is always may, so that a repeated step changes nothing (E-3).
    pub fn may_become(self, next: Status) -> bool {
        self == next || self.successors().contains(&next)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_the_status_that_wrote_them() {
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{status}\""));
        }
        assert_eq!(Status::parse("done"), None);
    }

    #[test]
    fn q_1_no_open_request_is_in_a_dead_end() {
        for status in Status::ALL.into_iter().filter(|status| status.is_open()) {
            let mut reached = vec![status];
            let mut at = 0;
            while at < reached.len() {
                for next in reached[at].successors() {
                    if !reached.contains(next) {
                        reached.push(*next);
                    }
                }
                at += 1;
            }
            assert!(reached.contains(&Status::Completed), "{status} can never be completed");
        }
    }

    #[test]
    fn a_dead_letter_may_fail_every_status_in_which_work_is_still_owed() {
        for status in Status::ALL {
            assert_eq!(status.may_become(Status::Failed), status.is_open(), "{status}");
        }
    }

    #[test]
    fn erased_work_is_never_called_cancelled_or_refused_afterwards() {
        assert!(!Status::Completed.may_become(Status::Cancelled));
        assert!(!Status::Completed.may_become(Status::Refused));
        assert!(!Status::Partial.may_become(Status::Cancelled));
        assert!(!Status::Verifying.may_become(Status::Cancelled));
        assert!(Status::Refused.successors().is_empty());
        assert!(Status::Cancelled.successors().is_empty());
    }

    #[test]
    fn a_request_kept_open_by_a_hold_is_queued_again() {
        assert!(Status::Partial.is_open());
        assert!(Status::Partial.may_become(Status::Queued));
    }
}
