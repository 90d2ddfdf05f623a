//! `habeas request`: looks at requests and decides about them.

use clap::{Subcommand, ValueEnum};

use super::operator::{Operator, reason_code};
use crate::request::Kind;

/// The verbs of `habeas request`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// List requests, the most urgent first.
    List(List),
    /// Show one request, item by item.
    Show(One),
    /// Show one request until it ends.
    Watch(One),
    /// Approve the plan of a request.
    Approve(Approve),
    /// Refuse a request, with a reason.
    Refuse(WithReason),
    /// Cancel a request that has not begun to erase.
    Cancel(Decide),
    /// Take up a failed or partial request again.
    Retry(One),
    /// Extend the deadline by two months (Art. 12(3)), once, before it has passed.
    Extend(WithReason),
}

/// Which requests to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only requests of this status.
    #[arg(long, value_name = "STATUS")]
    pub status: Option<Status>,
    /// Only requests of this kind.
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<Kind>,
    /// Only requests whose deadline has passed.
    #[arg(long)]
    pub overdue: bool,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// One request.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
}

/// One request, and who decides.
#[derive(Debug, clap::Args)]
pub struct Decide {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
    /// Who decides.
    #[command(flatten)]
    pub operator: Operator,
}

/// Approval of a plan.
#[derive(Debug, clap::Args)]
pub struct Approve {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
    /// Digest of the plan that is approved, as `habeas request show` prints it.
    #[arg(long, value_name = "PLAN_DIGEST")]
    pub digest: String,
    /// Who approves.
    #[command(flatten)]
    pub operator: Operator,
}

/// A decision that needs a reason.
#[derive(Debug, clap::Args)]
pub struct WithReason {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
    /// Reason code, such as `identity_not_proven`.
    #[arg(long, value_name = "CODE", value_parser = reason_code)]
    pub reason: String,
    /// Who decides.
    #[command(flatten)]
    pub operator: Operator,
}

/// `status` of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Status {
    /// Done, all of it.
    Completed,
    /// Done in part.
    Partial,
    /// The subject must prove who they are.
    WaitingIdentity,
    /// The controller must instruct.
    WaitingController,
    /// The plan must be approved.
    WaitingApproval,
    /// Waiting for a worker.
    Queued,
    /// At work.
    Running,
    /// Erased, being verified.
    Verifying,
    /// Refused.
    Refused,
    /// Cancelled.
    Cancelled,
    /// Failed.
    Failed,
}

impl Status {
    /// The word in results.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Completed => "completed",
            Status::Partial => "partial",
            Status::WaitingIdentity => "waiting_identity",
            Status::WaitingController => "waiting_controller",
            Status::WaitingApproval => "waiting_approval",
            Status::Queued => "queued",
            Status::Running => "running",
            Status::Verifying => "verifying",
            Status::Refused => "refused",
            Status::Cancelled => "cancelled",
            Status::Failed => "failed",
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}
