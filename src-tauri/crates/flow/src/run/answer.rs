//! The answer that a flow gives to the request which started it.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

/// What `http.respond` gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    #[serde(default = "ok")]
    pub status: u16,
    #[serde(default)]
    pub headers: serde_json::Map<String, Value>,
    #[serde(default)]
    pub body: Value,
}

fn ok() -> u16 {
    200
}

/// Keeps an answer back until what led to it is on disk.
#[derive(Debug, Default)]
pub struct Held {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    to: Option<oneshot::Sender<Answer>>,
    answer: Option<Answer>,
}

impl Held {
    /// For a request that waits at the other end of `to`.
    pub fn to(to: oneshot::Sender<Answer>) -> Self {
        Self { state: Mutex::new(State { to: Some(to), answer: None }) }
    }

    /// Takes an answer. Only the first counts; false when there was one or nobody waits.
    pub fn give(&self, answer: Answer) -> bool {
        let mut state = self.lock();
        let first = state.to.is_some() && state.answer.is_none();
        if first {
            state.answer = Some(answer);
        }
        first
    }

    /// True while an answer is kept back.
    pub fn is_held(&self) -> bool {
        self.lock().answer.is_some()
    }

    /// Sends the answer that is kept back: call it when the journal is on disk.
    pub fn release(&self) {
        let mut state = self.lock();
        if state.answer.is_some()
            && let Some(to) = state.to.take()
            && let Some(answer) = state.answer.take()
        {
            // Whoever asked may have gone.
            let _ = to.send(answer);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
