//! From the process's arguments to its exit code: parse, set up, run the verb, tell how it ended.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use super::args::{Cli, Command, Global};
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::interrupt::or_interrupted;
use super::output::{self, Printer};
use super::{
    archive, certificate, completion, demo, doctor, hold, init, journal, map, plan, progress, request, run, submit, sweep, verify,
    worker,
};
use crate::clock::SystemClock;
use crate::observe::logging::{self, LogOptions};
use crate::observe::panics;

/// Runs the program with its arguments, the program's own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    panics::report_places_only();
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(refusal) => return refuse(&refusal, &arguments),
    };
    let context = set_up(&cli.global);
    let outcome = start(cli.command, &context);
    context.progress.end();
    outcome.unwrap_or_else(|error| {
        context.printer.error(&error);
        error.exit()
    })
}

fn start(command: Command, context: &Context) -> Result<Exit, CliError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| CliError::Other(error.into()))?;
    let outcome = runtime.block_on(or_interrupted(what_is_kept(&command), dispatch(command, context)));
    // A thread that still waits for the terminal must not keep the program from ending.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}

async fn dispatch(command: Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Init(args) => init::run(&args, context),
        Command::Completion(args) => completion::run(&args, context),
        Command::Demo(args) => demo::run(&args, context).await,
        Command::Doctor => doctor::run(context).await,
        Command::Run(args) => run::run(&args, context).await,
        Command::Submit(args) => submit::run(&args, context).await,
        Command::Worker(args) => worker::run(&args, context).await,
        Command::Request(verb) => request::run(verb, context).await,
        Command::Plan(args) => plan::run(&args, context).await,
        Command::Hold(verb) => hold::run(verb, context).await,
        Command::Map(verb) => map::run(verb, context).await,
        Command::Archive(verb) => archive::run(verb, context).await,
        Command::Certificate(verb) => certificate::run(verb, context).await,
        Command::Journal(verb) => journal::run(verb, context).await,
        Command::Verify(args) => verify::run(&args, context).await,
        Command::Sweep => sweep::run(context).await,
    }
}

/// What remains after an interruption, and how to go on.
fn what_is_kept(command: &Command) -> &'static str {
    match command {
        Command::Run(_) => {
            "the request and everything that was committed are kept; it goes on where it stopped: `habeas worker` or \
             `habeas request retry`"
        }
        Command::Worker(_) | Command::Sweep | Command::Verify(_) => {
            "everything that was committed is kept; unfinished jobs are taken up again by the next `habeas worker`"
        }
        Command::Submit(_) => "every request whose id was printed is kept; the others were not accepted",
        Command::Hold(_) => "a hold that was being placed already keeps what it covers; `habeas hold list` shows it",
        Command::Demo(_) => "the folder of the demo is left as it is; another `habeas demo` begins anew",
        _ => "nothing was changed that this command had not finished",
    }
}

fn set_up(global: &Global) -> Context {
    let quiet = global.quiet > 0;
    let printer = Printer::new(global.json, quiet);
    let (progress, log_writer) = progress::choose(global.progress, quiet);
    let options = LogOptions {
        verbosity: i16::from(global.verbose) - i16::from(global.quiet),
        json: global.progress == progress::ProgressMode::Json,
        colour: printer.colour(),
    };
    logging::start(options, log_writer);
    Context {
        printer,
        progress,
        clock: Arc::new(SystemClock),
        no_input: global.no_input,
        lenient_map: global.lenient_map,
        config: global.config.clone(),
    }
}

/// `--help` and `--version` are answers; everything else that clap refuses is a usage error.
fn refuse(refusal: &clap::Error, arguments: &[OsString]) -> Exit {
    // Where even this cannot be printed, the exit code still tells.
    drop(refusal.print());
    if matches!(refusal.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Exit::Done;
    }
    if arguments.iter().any(|argument| argument == "--json") {
        let text = refusal.render().to_string();
        let mut paragraphs = text.split("\n\n");
        let message = paragraphs.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = paragraphs.find_map(|paragraph| paragraph.trim().strip_prefix("tip: ")).map(str::to_owned);
        let document = output::error_document("usage", Exit::Usage.code(), &message, hint);
        drop(Printer::new(true, true).document(&document));
    }
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_of_the_interface_parses_with_global_flags_before_and_after() {
        for line in [
            "habeas init",
            "habeas demo --dir d",
            "habeas doctor --json",
            "habeas --no-input run jobs/erasure.json --confirm sha256:ab",
            "habeas submit a.json - --config c.yaml",
            "habeas worker --once --concurrency 4 --progress json",
            "habeas request list --status waiting_approval --kind erasure --overdue",
            "habeas request show R7K2M9 --json",
            "habeas request watch R7K2M9",
            "habeas request approve R7K2M9 --digest sha256:ab --by grace",
            "habeas request refuse R7K2M9 --reason identity_not_proven",
            "habeas request cancel R7K2M9",
            "habeas request retry R7K2M9",
            "habeas request extend R7K2M9 --reason complex",
            "habeas plan -",
            "habeas hold place hold.json --by grace",
            "habeas hold release H1",
            "habeas hold keep H1",
            "habeas hold list --all",
            "habeas hold show H1",
            "habeas hold preview -",
            "habeas map check",
            "habeas map check --source app --accepted",
            "habeas map check --offline",
            "habeas map register --csv",
            "habeas map register --format json",
            "habeas map graph --dot",
            "habeas map graph --mermaid",
            "habeas archive verify a.zip",
            "habeas certificate verify certificates/x --key issuer.pub",
            "habeas request approve R7K2M9",
            "habeas journal verify",
            "habeas journal show --request R7K2M9 --last 5",
            "habeas verify R7K2M9",
            "habeas -vv sweep",
            "habeas completion bash",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn verbs_of_later_versions_do_not_exist() {
        for line in ["habeas serve", "habeas deliver list", "habeas replay --source s", "habeas key list", "habeas map discover"] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn a_reason_is_a_code_and_a_status_a_known_word() {
        for line in [
            "habeas request refuse R7 --reason Nope",
            "habeas request list --status done",
            "habeas request list --kind export",
            "habeas worker --concurrency 0",
            "habeas submit",
            "habeas -v -q sweep",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
    }

    #[test]
    fn s_1_no_verb_takes_an_identifier_as_an_argument() {
        fn all(command: &clap::Command, found: &mut Vec<String>) {
            found.extend(command.get_arguments().map(|argument| argument.get_id().to_string()));
            command.get_subcommands().for_each(|inner| all(inner, found));
        }
        let mut arguments = Vec::new();
        all(&Cli::command(), &mut arguments);
        for word in ["subject", "email", "identifier", "user", "name", "phone"] {
            assert!(!arguments.iter().any(|argument| argument.contains(word)), "{word}");
        }
    }
}
