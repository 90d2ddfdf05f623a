//! How many people must agree to a plan: as many as the job asks for, and two when the plan is larger than anybody expects. Asked by
//! whoever waits for approvals and by whoever gives one, so that both count alike (P-1).

use crate::ledger::LedgerError;
use crate::ledger::request::Request;
use crate::plan::Plan;
use crate::request::Approval;

/// How many different people must approve this plan of the request before it runs; 0 when nobody must.
pub fn people_needed(request: &Request, plan: &Plan) -> Result<u8, LedgerError> {
    let unreadable = || LedgerError::Unreadable { noun: "job file", problem: "what it says about approval is not known".into() };
    let document: serde_json::Value = serde_json::from_str(&request.document).map_err(|_| unreadable())?;
    let asked: Option<Approval> = match document.get("approval") {
        Some(word) => Some(serde_json::from_value(word.clone()).map_err(|_| unreadable())?),
        None => None,
    };
    let asked = Approval::of(asked, request.kind).people();
    Ok(if plan.fuses.is_empty() { asked } else { asked.max(Approval::Two.people()) })
}
