//! Defects of DevRig's own: what panicked, and who is told.

use std::any::Any;

use devrig_core::Error;
use tokio::sync::broadcast;

use super::Runs;
use crate::run::RunRow;

/// Defects that a slow listener may lag behind.
pub(super) const KEPT: usize = 64;

/// A run that a defect of DevRig's own ended.
#[derive(Debug, Clone)]
pub struct Defect {
    pub run: String,
    /// The path of the node that it happened in, where it was one.
    pub node: Option<String>,
    pub error: Error,
}

impl Runs {
    /// Defects from now on, as they happen.
    pub fn defects(&self) -> broadcast::Receiver<Defect> {
        self.inner.defects.subscribe()
    }

    /// Tells of a panic while a run was walked, and gives what the run has failed with.
    pub(super) fn defect(
        &self,
        run: &RunRow,
        node: Option<String>,
        panic: &(dyn Any + Send),
    ) -> Error {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(said, run = run.id, node, "an action of a flow panicked");
        let place = node.as_deref().unwrap_or("the run");
        let error = Error::internal(format!("{place} met a defect of DevRig's own: {said}"))
            .hint("Retry the run; please report it if it happens again.");
        let defect = Defect { run: run.id.clone(), node, error: error.clone() };
        // Nobody may be listening.
        let _ = self.inner.defects.send(defect);
        error
    }
}
