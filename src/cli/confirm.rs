//! The last question before data is erased. On a terminal the person types the code of the request; where nobody can be asked, the
//! digest of the plan must come with the command, so that what runs is what somebody has looked at (P-1).

use std::io::{self, BufRead, IsTerminal, Write};

use super::error::CliError;
use crate::request::Approval;

/// What is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Destructive<'a> {
    /// In one sentence, such as `this erases 214 records in 6 places`.
    pub summary: &'a str,
    /// The code of the request, which the person types.
    pub request_code: &'a str,
    /// The digest of the frozen plan.
    pub plan_digest: &'a str,
    /// What the job says about approval.
    pub approval: Approval,
}

/// Someone who can be asked.
pub trait Asker {
    /// Whether there is a person on the other end.
    fn is_there(&self) -> bool;
    /// Puts a question and reads one line.
    fn ask(&mut self, question: &str) -> io::Result<String>;
}

/// The person at the terminal: questions on stderr, answers from stdin.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// `--no-input`: behave as if nobody were there.
    pub no_input: bool,
}

impl Asker for Terminal {
    fn is_there(&self) -> bool {
        !self.no_input && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn ask(&mut self, question: &str) -> io::Result<String> {
        let mut err = io::stderr().lock();
        write!(err, "{question} ")?;
        err.flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(answer)
    }
}

/// As [`confirm`], asking at the terminal on a thread of its own: a blocking read here would keep Ctrl-C from being heard.
pub async fn confirm_at(terminal: Terminal, about: Destructive<'_>, digest: Option<&str>) -> Result<(), CliError> {
    let (summary, request_code, plan_digest) =
        (about.summary.to_owned(), about.request_code.to_owned(), about.plan_digest.to_owned());
    let (approval, digest) = (about.approval, digest.map(str::to_owned));
    let asked = tokio::task::spawn_blocking(move || {
        let about = Destructive { summary: &summary, request_code: &request_code, plan_digest: &plan_digest, approval };
        confirm(about, digest.as_deref(), &mut { terminal })
    });
    asked.await.map_err(|error| CliError::Other(error.into()))?
}

/// Passes when the plan is confirmed: by its digest, by the code typed at the terminal, or by a job that asks for no approval.
/// A digest that was given must fit, whatever else holds.
pub fn confirm(about: Destructive<'_>, digest: Option<&str>, asker: &mut dyn Asker) -> Result<(), CliError> {
    if let Some(digest) = digest {
        let bare = |digest: &str| digest.trim().trim_start_matches("sha256:").to_ascii_lowercase();
        return match bare(digest) == bare(about.plan_digest) {
            true => Ok(()),
            false => Err(CliError::OtherPlanConfirmed { plan_digest: about.plan_digest.to_owned() }),
        };
    }
    if asker.is_there() {
        let question = format!("{}; type {} to go on:", about.summary, about.request_code);
        let answer =
            asker.ask(&question).map_err(|error| CliError::Unreadable { name: "terminal".into(), reason: error.to_string() })?;
        return match answer.trim().eq_ignore_ascii_case(about.request_code) {
            true => Ok(()),
            false => Err(CliError::OtherCodeTyped),
        };
    }
    match about.approval {
        Approval::None => Ok(()),
        Approval::One | Approval::Two => Err(CliError::ConfirmationMissing { plan_digest: about.plan_digest.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    struct Person(Option<&'static str>);

    impl Asker for Person {
        fn is_there(&self) -> bool {
            self.0.is_some()
        }

        fn ask(&mut self, question: &str) -> io::Result<String> {
            assert_eq!(question, "this erases 3 records; type R7K2M9 to go on:");
            Ok(format!("{}\n", self.0.unwrap()))
        }
    }

    fn about(approval: Approval) -> Destructive<'static> {
        let summary = "this erases 3 records";
        Destructive { summary, request_code: "R7K2M9", plan_digest: "sha256:abcd", approval }
    }

    fn outcome(approval: Approval, digest: Option<&str>, typed: Option<&'static str>) -> Exit {
        confirm(about(approval), digest, &mut Person(typed)).map_or_else(|error| error.exit(), |()| Exit::Done)
    }

    #[test]
    fn p_1_nobody_to_ask_needs_the_digest_of_this_very_plan() {
        assert_eq!(outcome(Approval::One, None, None), Exit::NotApproved);
        assert_eq!(outcome(Approval::Two, None, None), Exit::NotApproved);
        assert_eq!(outcome(Approval::One, Some("sha256:abcd"), None), Exit::Done);
        assert_eq!(outcome(Approval::One, Some("ABCD"), None), Exit::Done);
        assert_eq!(outcome(Approval::One, Some("sha256:abce"), None), Exit::NotApproved);
        assert_eq!(outcome(Approval::One, Some("sha256:abc"), None), Exit::NotApproved, "a beginning is not enough");
        assert_eq!(outcome(Approval::One, Some(""), None), Exit::NotApproved);
    }

    #[test]
    fn a_job_that_asks_for_no_approval_runs_unattended_but_a_wrong_digest_still_stops_it() {
        assert_eq!(outcome(Approval::None, None, None), Exit::Done);
        assert_eq!(outcome(Approval::None, Some("sha256:other"), None), Exit::NotApproved);
    }

    #[test]
    fn a_person_types_the_code() {
        assert_eq!(outcome(Approval::One, None, Some("r7k2m9")), Exit::Done);
        assert_eq!(outcome(Approval::One, None, Some("yes")), Exit::NotApproved);
        assert_eq!(outcome(Approval::None, None, Some("")), Exit::NotApproved, "who is there is asked");
    }
}
