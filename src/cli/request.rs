//! `habeas request`: looks at requests and decides about them.

mod approve;
mod decide;
mod find;
mod list;
mod show;
mod watch;

use clap::{Subcommand, ValueEnum};

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::operator::{Operator, reason_code};
use crate::request::{self, Kind};

pub(super) use find::find;

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
    Retry(Decide),
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
    /// Digest of the plan that is approved, as `habeas request show` prints it [default: shows the plan and asks].
    #[arg(long, value_name = "PLAN_DIGEST")]
    pub digest: Option<String>,
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

impl From<Status> for request::Status {
    fn from(status: Status) -> Self {
        match status {
            Status::Completed => request::Status::Completed,
            Status::Partial => request::Status::Partial,
            Status::WaitingIdentity => request::Status::WaitingIdentity,
            Status::WaitingController => request::Status::WaitingController,
            Status::WaitingApproval => request::Status::WaitingApproval,
            Status::Queued => request::Status::Queued,
            Status::Running => request::Status::Running,
            Status::Verifying => request::Status::Verifying,
            Status::Refused => request::Status::Refused,
            Status::Cancelled => request::Status::Cancelled,
            Status::Failed => request::Status::Failed,
        }
    }
}

/// Looks at requests or decides about one.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let deployment = context.open().await?;
    match verb {
        Verb::List(args) => list::run(&args, &deployment, context).await,
        Verb::Show(args) => show::run(&args, &deployment, context).await,
        Verb::Watch(args) => watch::run(&args, &deployment, context).await,
        Verb::Approve(args) => approve::run(&args, &deployment, context).await,
        Verb::Refuse(args) => decide::refuse(&args, &deployment, context).await,
        Verb::Cancel(args) => decide::cancel(&args, &deployment, context).await,
        Verb::Retry(args) => decide::retry(&args, &deployment, context).await,
        Verb::Extend(args) => decide::extend(&args, &deployment, context).await,
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("one of {}", Kind::ALL.map(Kind::as_str).join(", ")))
}
