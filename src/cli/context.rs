//! What every verb is handed: where to print, whom to tell of progress, what time it is, and which configuration applies.

use std::path::PathBuf;
use std::sync::Arc;

use super::confirm::Terminal;
use super::error::CliError;
use super::output::Printer;
use crate::clock::Clock;
use crate::config::Config;
use crate::deployment::Deployment;
use crate::observe::progress::Progress;

/// The surroundings of one command.
pub struct Context {
    /// stdout and stderr.
    pub printer: Printer,
    /// Who listens to progress.
    pub progress: Arc<dyn Progress>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// `--no-input`.
    pub no_input: bool,
    /// `--lenient-map`.
    pub lenient_map: bool,
    /// `--config` or `$HABEAS_CONFIG`.
    pub config: Option<PathBuf>,
}

impl Context {
    /// The configuration file that applies, whether it exists or not.
    pub fn config_path(&self) -> PathBuf {
        Config::locate(self.config.as_deref())
    }

    /// Reads the configuration.
    pub fn load_config(&self) -> Result<Config, CliError> {
        Ok(Config::load(&self.config_path())?)
    }

    /// Opens the installation.
    pub async fn open(&self) -> Result<Deployment, CliError> {
        let config = self.load_config()?;
        let deployment = Deployment::open(config, Arc::clone(&self.clock), Arc::clone(&self.progress), self.lenient_map).await?;
        for warning in &deployment.map_warnings {
            self.printer.warn(&warning.to_string());
        }
        Ok(deployment)
    }

    /// Whom to ask before something is destroyed.
    pub fn terminal(&self) -> Terminal {
        Terminal { no_input: self.no_input }
    }
}
