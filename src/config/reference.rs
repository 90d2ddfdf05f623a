//! Values by reference: `env:NAME` is the environment variable, `file:PATH` the content of a file (its last line end dropped). Secrets
//! stay out of the configuration this way. What a reference yields is taken as it is: it is not looked at for further references.

use std::path::Path;

/// Where environment variables are looked up; tests hand in their own.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// Why a reference yields nothing. Names the variable or the file, never a value.
pub(super) struct Unresolved {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// The process's own environment.
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The value that `text` stands for, and whether it came from elsewhere. `folder` is that of the configuration file.
pub(super) fn resolve(text: &str, folder: &Path, environment: Environment<'_>) -> Result<(String, bool), Unresolved> {
    if let Some(name) = text.strip_prefix("env:") {
        return from_environment(name, environment).map(|value| (value, true));
    }
    match text.strip_prefix("file:") {
        Some(path) => from_file(&folder.join(path)).map(|value| (value, true)),
        None => Ok((text.to_owned(), false)),
    }
}

/// As [`resolve`], for values in which `file:` is a scheme of their own.
pub(super) fn resolve_environment_only(text: &str, environment: Environment<'_>) -> Result<String, Unresolved> {
    match text.strip_prefix("env:") {
        Some(name) => from_environment(name, environment),
        None => Ok(text.to_owned()),
    }
}

fn from_environment(name: &str, environment: Environment<'_>) -> Result<String, Unresolved> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_name {
        let hint = Some("write `env:` and the name of an environment variable, such as `env:APP_DATABASE_URL`".into());
        return Err(Unresolved { message: "names no environment variable".into(), hint });
    }
    match environment(name) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) => Err(Unresolved { message: format!("environment variable `{name}` is empty"), hint: None }),
        None => Err(Unresolved {
            message: format!("environment variable `{name}` is not set"),
            hint: Some(format!("set `{name}` in the environment of this program, or write the value by `file:PATH`")),
        }),
    }
}

fn from_file(path: &Path) -> Result<String, Unresolved> {
    let text = std::fs::read_to_string(path).map_err(|error| Unresolved {
        message: format!("cannot read file `{}`: {}", path.display(), error.kind()),
        hint: Some("a path after `file:` is relative to the configuration file".into()),
    })?;
    let value = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).unwrap_or(&text);
    if value.is_empty() {
        return Err(Unresolved { message: format!("file `{}` is empty", path.display()), hint: None });
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_referenced_value_is_not_a_reference_itself() {
        let environment = |name: &str| (name == "A").then(|| "env:B".to_owned());
        let Ok((value, referenced)) = resolve("env:A", Path::new("."), &environment) else { panic!("is set") };
        assert_eq!((value.as_str(), referenced), ("env:B", true));
    }

    #[test]
    fn a_file_gives_its_content_without_the_last_line_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("url"), "postgres://x\r\n").unwrap();
        let Ok((value, _)) = resolve("file:url", folder.path(), &|_| None) else { panic!("is there") };
        assert_eq!(value, "postgres://x");
        let Err(problem) = resolve("file:none", folder.path(), &|_| None) else { panic!("is not there") };
        assert!(problem.message.starts_with("cannot read file `") && problem.message.contains("none"), "{}", problem.message);
    }
}
