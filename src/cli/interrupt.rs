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
