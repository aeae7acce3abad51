//! From an event to a run: told twice counts once, and the flow's entry conditions decide.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use devrig_core::{Result, Timestamp};
use devrig_expr::{Condition, Data};
use devrig_store::Batch;
use serde_json::{Value, json};

use super::{Runs, Start, Started};
use crate::others::{Asker, NoRun};
use crate::program::Program;
use crate::table::run as table;

/// What became of an event.
#[derive(Debug)]
pub enum Fired {
    Started(Started),
    /// The entry conditions do not hold.
    Refused,
    /// It was told before, within the window.
    Repeated,
}

/// Keys of events that are being taken, so that two at the same moment are not both the first.
#[derive(Debug, Default)]
pub struct Taking(Mutex<HashSet<(i64, String, String)>>);

struct Taken<'a> {
    taking: &'a Taking,
    key: (i64, String, String),
}

impl Taking {
    fn take(&self, key: (i64, String, String)) -> Option<Taken<'_>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone()).then(|| Taken { taking: self, key })
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.taking.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Runs {
    /// Takes an event: it is stored with what was decided, and starts a run where all is well. An
    /// event whose key came within `window` before is not taken again.
    ///
    /// # Errors
    /// What the store meets, and a condition that cannot be decided.
    pub async fn fire(&self, start: Start, window: Duration) -> Result<Fired> {
        let key = start.key.as_ref().filter(|_| !window.is_zero());
        let key = key.map(|key| (start.program.flow, start.trigger.clone(), key.clone()));
        let _taken = match key {
            None => None,
            Some(key) => match self.inner.taking.take(key) {
                Some(taken) if !self.came_before(&taken.key, window).await? => Some(taken),
                _ => {
                    self.note(&start, "repeated").await?;
                    return Ok(Fired::Repeated);
                }
            },
        };
        let Start { program, trigger, payload, .. } = &start;
        if !self.admits(program, trigger, start.trigger_type, payload).await? {
            self.note(&start, "refused").await?;
            return Ok(Fired::Refused);
        }
        self.begin(start).await.map(Fired::Started)
    }

    /// Whether the entry conditions of a flow let an event in.
    ///
    /// # Errors
    /// A condition that cannot be decided.
    pub(crate) async fn admits(
        &self,
        program: &Program,
        trigger: &str,
        kind: &'static str,
        payload: &Value,
    ) -> Result<bool> {
        if program.entry.is_empty() {
            return Ok(true);
        }
        self.all_hold(program, &program.entry, &self.told(trigger, kind, payload)).await
    }

    /// Whether an event of this key was taken before, whenever that was.
    ///
    /// # Errors
    /// What reading meets.
    pub(crate) async fn came(&self, flow: i64, trigger: &str, key: &str) -> Result<bool> {
        let mut conn = self.inner.store.read().await?;
        table::came_since(&mut conn, flow, trigger, key, Timestamp::from_ms(0)).await
    }

    async fn came_before(&self, key: &(i64, String, String), window: Duration) -> Result<bool> {
        let since = self.inner.store.clock().now() - window;
        let mut conn = self.inner.store.read().await?;
        table::came_since(&mut conn, key.0, &key.1, &key.2, since).await
    }

    /// Keeps an event that starts nothing, so that a person can see why.
    pub(crate) async fn note(&self, start: &Start, verdict: &'static str) -> Result<()> {
        let mut event = self.event(start, verdict);
        if event.is_large() {
            self.lay_aside(&mut event, start.payload.clone()).await;
        }
        let mut batch = Batch::default();
        table::add_event(&mut batch, &event)?;
        self.inner.store.write_batch(batch).await
    }

    /// Whether conditions hold that see nothing but an event, before there is a run.
    pub(crate) async fn all_hold(
        &self,
        program: &Program,
        conditions: &[Condition],
        trigger: &Value,
    ) -> Result<bool> {
        let definition = &program.definition;
        let flow = json!({ "id": definition.id, "name": definition.name });
        let variables = Value::Object(definition.variables.clone());
        let data = Data::object([
            ("trigger", Data::from(trigger)),
            ("flow", Data::from(&flow)),
            ("variables", Data::from(&variables)),
        ]);
        let (access, log) = (self.access(program.flow), NoRun(definition));
        let asker = Asker { flow: definition, access: &access, log: &log, stand_in: None };
        for condition in conditions {
            if !self.inner.others.holds(condition, &data, &asker).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
