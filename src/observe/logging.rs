//! Log lines on stderr, for people or as JSON. Data goes to stdout and never through here. Messages name persons by `subject_ref`
//! only; the database driver is kept quiet, because its messages quote statements.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What to log and in which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// How talkative: negative is quiet, 0 warns, 1 informs, 2 debugs, more traces.
    pub verbosity: i16,
    /// One JSON object per line.
    pub json: bool,
    /// Colours.
    pub colour: bool,
}

/// Starts logging for the whole process; a second call changes nothing. `$RUST_LOG` wins over `verbosity`.
pub fn start<W>(options: LogOptions, writer: W)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(directives(options.verbosity)));
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_ansi(options.colour).with_target(false);
    // An error means that a subscriber is already in place, as in tests.
    let started = if options.json { builder.json().flatten_event(true).try_init() } else { builder.compact().try_init() };
    drop(started);
}

fn directives(verbosity: i16) -> &'static str {
    match verbosity {
        i16::MIN..=-1 => "error,sqlx=off",
        0 => "warn,sqlx=off",
        1 => "warn,habeas_data=info,sqlx=off",
        2 => "info,habeas_data=debug,sqlx=off",
        _ => "info,habeas_data=trace,sqlx=off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verbosity_is_a_filter_that_parses_and_keeps_the_driver_quiet() {
        for verbosity in -3..=5 {
            let directives = directives(verbosity);
            assert!(EnvFilter::try_new(directives).is_ok(), "{directives}");
            assert!(directives.contains("sqlx=off"), "{directives}");
        }
    }
}
