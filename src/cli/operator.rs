//! Who decides. Approvals and holds need people who can be told apart; their names are the controller's own staff, never data subjects.

use clap::Args;

use super::error::CliError;

/// The person who gives the command.
#[derive(Debug, Clone, Args)]
pub struct Operator {
    /// Who decides [default: the name of the user].
    #[arg(long = "by", value_name = "NAME", env = "HABEAS_OPERATOR", hide_env_values = true)]
    by: Option<String>,
}

impl Operator {
    /// The name: as given, else that of the operating system's user.
    pub fn name(&self) -> Result<String, CliError> {
        self.name_in(|variable| std::env::var(variable).ok())
    }

    fn name_in(&self, environment: impl Fn(&str) -> Option<String>) -> Result<String, CliError> {
        let user = || environment("USER").or_else(|| environment("LOGNAME"));
        let name = self.by.clone().or_else(user).map(|name| name.trim().to_owned()).unwrap_or_default();
        let is_name = (1..=64).contains(&name.len()) && !name.chars().any(char::is_control);
        if is_name {
            return Ok(name);
        }
        let hint = Some("add `--by NAME`, or set $HABEAS_OPERATOR".into());
        Err(CliError::Usage { message: "nobody is named who decides this".into(), hint })
    }
}

/// Checks a reason code: a word of the controller's own list, since it is journalled.
pub fn reason_code(text: &str) -> Result<String, String> {
    let fits = (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if fits { Ok(text.to_owned()) } else { Err("a code of 1 to 40 of a-z, 0-9 and _, no free text".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_given_wins_and_somebody_must_be_named() {
        let name = |by: Option<&str>, user: Option<&str>| {
            let operator = Operator { by: by.map(str::to_owned) };
            operator.name_in(|variable| (variable == "USER").then_some(user).flatten().map(str::to_owned)).ok()
        };
        assert_eq!(name(Some("grace"), Some("root")).as_deref(), Some("grace"));
        assert_eq!(name(None, Some("root")).as_deref(), Some("root"));
        assert_eq!(name(None, None), None);
        assert_eq!(name(Some(" "), Some("root")), None);
    }
}
