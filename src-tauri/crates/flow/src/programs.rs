//! Versions of flows, compiled once and shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Context as _, Error, Result};
use devrig_store::SqliteConnection;

use crate::action::Actions;
use crate::definition;
use crate::program::Program;
use crate::run::{Entry, RunRow, only};
use crate::table::flow as table;

/// Compiled versions that are kept. A flow that runs often is in use all the time.
const KEPT: usize = 512;

/// By the numbers of flow and version.
type Kept = HashMap<(i64, i64), Arc<Program>>;

/// A handle on the compiled versions. Cheap to clone.
#[derive(Clone)]
pub struct Programs {
    actions: Arc<Actions>,
    kept: Arc<Mutex<Kept>>,
}

impl Programs {
    pub fn new(actions: Arc<Actions>) -> Self {
        Self { actions, kept: Arc::default() }
    }

    /// What nodes can do.
    pub fn actions(&self) -> &Arc<Actions> {
        &self.actions
    }

    /// A version of the flow with this number, ready to run.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` when an action of it is gone.
    pub async fn version(
        &self,
        conn: &mut SqliteConnection,
        flow: i64,
        version: i64,
    ) -> Result<Arc<Program>> {
        if let Some(found) = self.lock().get(&(flow, version)) {
            return Ok(found.clone());
        }
        let text = table::definition(conn, flow, version).await?;
        let definition = definition::read_text(&text).map_err(Error::from);
        let definition = definition.context(format!("version {version} of the flow"))?;
        let program = Arc::new(Program::compile(flow, version, definition, &self.actions)?);
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.retain(|_, program| Arc::strong_count(program) > 1);
        }
        kept.insert((flow, version), program.clone());
        Ok(program)
    }

    /// What a run walks: its version, or one node of it alone where its journal says so.
    ///
    /// # Errors
    /// As [`Programs::version`]; `NOT_FOUND` for a node that the version does not have.
    pub async fn of_run(
        &self,
        conn: &mut SqliteConnection,
        run: &RunRow,
        entries: &[Entry],
    ) -> Result<Arc<Program>> {
        let program = self.version(conn, run.flow, run.version).await?;
        match only(run.kind, entries) {
            Some(node) => program.alone(node, &self.actions).map(Arc::new),
            None => Ok(program),
        }
    }

    /// Forgets a flow that is gone: its number may be given to another one.
    pub fn forget(&self, flow: i64) {
        self.lock().retain(|(of, _), _| *of != flow);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
