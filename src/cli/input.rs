//! Job files as arguments: a path, or `-` for standard input. Identifiers come this way and never as arguments (S-1).

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::CliError;
use super::output::Printer;
use crate::deployment::Deployment;
use crate::job::doubts;
use crate::request::JobFile;
use crate::subject::Subject;

/// What errors call `-`.
const STANDARD_INPUT: &str = "standard input";

/// The one job of a file.
pub fn read_job(path: &Path) -> Result<JobFile, CliError> {
    let (text, name) = read_text(path)?;
    Ok(JobFile::parse(&text, &name)?)
}

/// All jobs of all files, or none: each file may hold one document or JSON Lines.
pub fn read_jobs(paths: &[PathBuf]) -> Result<Vec<JobFile>, CliError> {
    let mut jobs = Vec::new();
    for path in paths {
        let (text, name) = read_text(path)?;
        jobs.extend(JobFile::parse_many(&text, &name)?);
    }
    Ok(jobs)
}

/// Refuses what this version does not carry out, before anything is stored or touched.
pub fn refuse_what_is_not_carried_out(job: &JobFile) -> Result<(), CliError> {
    match job.not_carried_out() {
        Some(what) => Err(CliError::NotCarriedOut { what }),
        None => Ok(()),
    }
}

/// Says what about a job's identifiers is probably not meant so.
pub fn warn_of_doubts(subject: Option<&Subject>, deployment: &Deployment, printer: Printer) {
    for doubt in subject.map(|subject| doubts(&deployment.graph, subject)).unwrap_or_default() {
        printer.warn(&doubt);
    }
}

/// A whole file, or standard input, with the name that errors give it.
pub fn read_text(path: &Path) -> Result<(String, String), CliError> {
    let name = if path == Path::new("-") { STANDARD_INPUT.to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let outcome = match name.as_str() {
        STANDARD_INPUT => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
        _ => std::fs::read(path).map(|content| bytes = content),
    };
    let unreadable = |reason: String| CliError::Unreadable { name: name.clone(), reason };
    outcome.map_err(|error| unreadable(why(&error)))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| unreadable(format!("not UTF-8 from byte {}", error.utf8_error().valid_up_to())))?;
    Ok((text, name))
}

/// Why a file cannot be read, in words that people use.
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it is not there".into(),
        std::io::ErrorKind::PermissionDenied => "this user may not read it".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit::Exit;

    #[test]
    fn a_job_file_that_is_not_there_is_wrong_input() {
        let error = read_job(Path::new("no/such/job.json")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `no/such/job.json`: it is not there");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn a_kind_of_a_later_version_is_refused_in_clear_words() {
        let job = JobFile::parse(r#"{"kind": "objection", "subject": {"email": "ada@example.com"}}"#, "job.json").unwrap();
        let error = refuse_what_is_not_carried_out(&job).unwrap_err();
        assert_eq!(error.to_string(), "a job of kind `objection` is not carried out by this version yet");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn all_files_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let (good, bad) = (folder.path().join("good.jsonl"), folder.path().join("bad.json"));
        std::fs::write(&good, "{\"kind\":\"reverify\"}\n{\"kind\":\"reverify\"}\n").unwrap();
        std::fs::write(&bad, [b'{', 0xff]).unwrap();
        assert_eq!(read_jobs(&[good.clone(), good.clone()]).unwrap().len(), 4);
        let error = read_jobs(&[good, bad]).unwrap_err();
        assert!(error.to_string().ends_with("not UTF-8 from byte 1"), "{error}");
    }
}
