//! How the program ends: every exit code with its meaning, in one place. Scripts depend on them; a code never changes its meaning.

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: everything asked for was done.
    Done = 0,
    /// 1: something broke.
    Failure = 1,
    /// 2: the command, the configuration or the input is wrong; nothing was touched.
    Usage = 2,
    /// 3: finished, with gaps or with something still pending (V-1).
    Partial = 3,
    /// 4: verification failed: something is still there, altered, or not as signed.
    VerificationFailed = 4,
    /// 5: everything asked for is under legal hold.
    Held = 5,
    /// 6: not approved, or the confirmation is missing.
    NotApproved = 6,
    /// 7: no such request, hold or entry.
    NotFound = 7,
    /// 8: the same subject is being worked on, or an idempotency key came again with other content.
    Conflict = 8,
    /// 9: a deadline or a rule of policy forbids it.
    Refused = 9,
    /// 130: interrupted by Ctrl-C or SIGTERM; what was done is kept.
    Interrupted = 130,
}

impl Exit {
    /// All codes, for documentation.
    pub const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Failure,
        Exit::Usage,
        Exit::Partial,
        Exit::VerificationFailed,
        Exit::Held,
        Exit::NotApproved,
        Exit::NotFound,
        Exit::Conflict,
        Exit::Refused,
        Exit::Interrupted,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, for `--help`.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "ok",
            Exit::Failure => "failure",
            Exit::Usage => "usage or invalid input",
            Exit::Partial => "finished but partial (gaps, pending)",
            Exit::VerificationFailed => "verification failed",
            Exit::Held => "everything asked for is under hold",
            Exit::NotApproved => "not approved, or confirmation missing",
            Exit::NotFound => "not found",
            Exit::Conflict => "conflict (same subject running, idempotency key reused with other content)",
            Exit::Refused => "refused by a deadline or policy rule",
            Exit::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        std::process::ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_interface() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130]);
    }

    #[test]
    fn the_runbook_explains_every_code() {
        let runbook = include_str!("../../deploy/runbook.md");
        for exit in Exit::ALL {
            assert!(runbook.contains(&format!("| {} |", exit.code())), "{exit:?}");
        }
    }
}
