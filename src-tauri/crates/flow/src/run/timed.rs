//! Counts the calls of actions, and how long they took.

use devrig_core::Result;

use super::Walker;
use super::node::Went;
use super::walk::Stop;
use crate::program::Step;

impl Walker<'_> {
    /// Counts one call of an action. What a walk does that leaves nothing behind counts for nothing.
    pub(super) async fn timed(
        &self,
        step: &Step,
        call: impl Future<Output = Result<Went>>,
    ) -> Result<Went> {
        if !self.journal.writes() {
            return call.await;
        }
        let ticking = step.action.lane.watch.begin();
        let went = call.await;
        if let Some(failed) = failed(&went) {
            ticking.ended(failed);
        }
        went
    }
}

/// Nothing where it was cut off.
fn failed(went: &Result<Went>) -> Option<bool> {
    match went {
        Ok(Went::Through(..)) => Some(false),
        Ok(Went::Stopped(Stop::InDoubt { error: Some(_), .. })) | Err(_) => Some(true),
        Ok(Went::Stopped(_)) => None,
    }
}
