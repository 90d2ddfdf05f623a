//! How many people must agree to a plan, and when two names are one person. Asked by whoever waits for approvals and by whoever gives one,
//! so that both count alike (P-1).

use crate::ledger::LedgerError;
use crate::ledger::request::Request;
use crate::plan::Plan;
use crate::request::Approval;

/// How many different people must approve this plan before it runs: as many as the job asks for, two when the plan is larger than anybody
/// expects, nobody when it changes nothing.
pub fn people_needed(asked: Approval, plan: &Plan) -> usize {
    if plan.effects() == 0 {
        return 0;
    }
    let asked = if plan.fuses.is_empty() { asked.people() } else { asked.people().max(Approval::Two.people()) };
    usize::from(asked)
}

/// What the request's job says about approval.
pub fn approval_asked(request: &Request) -> Result<Approval, LedgerError> {
    let unreadable = |_| LedgerError::Unreadable { noun: "job file", problem: "what it says about approval is not known".into() };
    let document: serde_json::Value = serde_json::from_str(&request.document).map_err(unreadable)?;
    let asked = document.get("approval").cloned().map(serde_json::from_value::<Approval>).transpose().map_err(unreadable)?;
    Ok(Approval::of(asked, request.kind))
}

/// One spelling for a person's login: `Ada`, `ada` and ` ada ` must not pass for different people.
pub fn person_key(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Disposition, PlanItem};
    use crate::request::Kind;

    fn plan(expected: u64, fuses: &[&str]) -> Plan {
        let item = PlanItem {
            source: "app".into(),
            dataset: "app".into(),
            collection: "users".into(),
            kind: "sql".into(),
            disposition: Disposition::Erase,
            found: expected,
            expected,
            retained: Vec::new(),
            rows: None,
            columns: Vec::new(),
        };
        Plan {
            kind: Kind::Erasure,
            subject_ref: "00".into(),
            policy: None,
            categories: Vec::new(),
            data_map_digest: String::new(),
            holds_digest: String::new(),
            items: vec![item],
            gaps: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            fuses: fuses.iter().map(|fuse| (*fuse).to_owned()).collect(),
            schema_digest: String::new(),
            people_digest: String::new(),
            manifest_digest: String::new(),
        }
    }

    #[test]
    fn p_1_a_blown_fuse_takes_two_people_whatever_the_job_says() {
        assert_eq!(people_needed(Approval::None, &plan(1, &[])), 0);
        assert_eq!(people_needed(Approval::One, &plan(1, &[])), 1);
        assert_eq!(people_needed(Approval::Two, &plan(1, &[])), 2);
        for asked in [Approval::None, Approval::One, Approval::Two] {
            assert_eq!(people_needed(asked, &plan(1, &["too many"])), 2);
        }
        assert_eq!(people_needed(Approval::Two, &plan(0, &[])), 0);
    }
}
