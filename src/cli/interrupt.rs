//! Ctrl-C and SIGTERM. Work is dropped at its next await: an open transaction rolls back, everything that was committed stays, and a
//! running job is taken up again when its lease ends. The person is told so.

use std::future::Future;

use super::error::CliError;

/// Runs `work` until it ends or somebody interrupts; `kept` says what then remains and how to go on.
pub async fn or_interrupted<T>(kept: &'static str, work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::select! {
        outcome = work => outcome,
        () = interruption() => Err(CliError::Interrupted { kept }),
    }
}

/// Resolves when the process is asked to stop.
pub async fn interruption() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = ctrl_c => {}
        () = termination() => {}
    }
}

#[cfg(unix)]
async fn termination() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn termination() {
    std::future::pending().await
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::exit::Exit;

    #[tokio::test]
    async fn a_request_to_stop_ends_the_work_and_tells_what_is_kept() {
        let work = async {
            // By then the handlers are in place: both branches have been polled.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let own_id = std::process::id().to_string();
            assert!(std::process::Command::new("kill").args(["-TERM", &own_id]).status().unwrap().success());
            std::future::pending::<Result<(), CliError>>().await
        };
        let error = tokio::time::timeout(Duration::from_secs(10), or_interrupted("all is kept", work)).await.unwrap().unwrap_err();
        assert_eq!(error.exit(), Exit::Interrupted);
        assert_eq!(error.hint().as_deref(), Some("all is kept"));
    }

    #[tokio::test]
    async fn whoever_is_not_interrupted_gets_the_outcome() {
        let outcome = or_interrupted("all is kept", async { Ok(Exit::Partial) }).await;
        assert_eq!(outcome.unwrap(), Exit::Partial);
    }
}
