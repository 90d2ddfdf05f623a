//! How long-running work tells how far it is. The engine talks to this trait alone; what becomes of it (bars, lines, JSON, nothing) is
//! decided by whoever started the work. Stage names and notes are read by people and must hold no identifiers (S-1).

/// Listens to one piece of work: stages, one after the other, each with or without a known length.
pub trait Progress: Send + Sync {
    /// A stage begins, such as `gather app.orders`; `total` is its length in steps, where known. Ends the stage before.
    fn begin(&self, stage: &str, total: Option<u64>);
    /// So many more steps of the current stage are done.
    fn advance(&self, steps: u64);
    /// The current stage is finished.
    fn end(&self);
    /// Something worth a line of its own.
    fn note(&self, text: &str);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: &str, _total: Option<u64>) {}
    fn advance(&self, _steps: u64) {}
    fn end(&self) {}
    fn note(&self, _text: &str) {}
}
