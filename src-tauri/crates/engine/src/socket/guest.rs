//! A guest's side of the socket.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Context, Result};
use futures::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Question, Reply, encode, frames, gone, greet};
use crate::events::{EngineEvent, EventStream};

/// Events of one subscription that may wait; the owner waits with the next.
const EVENTS: usize = 1024;

/// Asks the owner over its socket.
pub struct Guest {
    questions: mpsc::Sender<Question>,
    next: AtomicU64,
    waiting: Arc<Waiting>,
    closed: watch::Receiver<bool>,
}

#[derive(Default)]
struct Waiting {
    answers: Mutex<HashMap<u64, oneshot::Sender<Result<Value>>>>,
    streams: Mutex<HashMap<u64, mpsc::Sender<EngineEvent>>>,
}

impl Guest {
    /// # Errors
    /// `NOT_FOUND` or `IO` when nobody listens, `PROTOCOL_MISMATCH` for another version.
    pub async fn connect(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).await.context("asking the running DevRig")?;
        let mut frames = frames(stream);
        greet(&mut frames).await?;
        let (mut outgoing, mut incoming) = frames.split();
        let (questions, mut asked) = mpsc::channel::<Question>(64);
        let waiting = Arc::new(Waiting::default());
        let (closing, closed) = watch::channel(false);
        let expected = waiting.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    question = asked.recv() => {
                        let Some(question) = question else { break };
                        let Ok(frame) = encode(&question) else { continue };
                        if outgoing.send(frame).await.is_err() { break }
                    }
                    frame = incoming.next() => {
                        let Some(Ok(frame)) = frame else { break };
                        let Ok(reply) = serde_json::from_slice(&frame) else { break };
                        expected.settle(reply).await;
                    }
                }
            }
            expected.abandon();
            closing.send_replace(true);
        });
        Ok(Self { questions, next: AtomicU64::new(1), waiting, closed })
    }

    /// Returns when the owner has gone.
    pub async fn closed(&self) {
        let mut closed = self.closed.clone();
        let _ = closed.wait_for(|closed| *closed).await;
    }

    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        name: &str,
        args: &impl Serialize,
    ) -> Result<T> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.waiting.answers).insert(id, answer);
        let args = serde_json::to_value(args)?;
        self.ask(Question::Call { id, name: name.to_owned(), args }).await?;
        let value = answered.await.map_err(|_| gone())??;
        Ok(serde_json::from_value(value)?)
    }

    pub(crate) async fn subscribe(&self) -> Result<EventStream> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (events, received) = mpsc::channel(EVENTS);
        lock(&self.waiting.streams).insert(id, events);
        self.ask(Question::Subscribe { id }).await?;
        let stream = futures::stream::unfold(received, |mut received| async move {
            received.recv().await.map(|event| (event, received))
        });
        Ok(stream.boxed())
    }

    async fn ask(&self, question: Question) -> Result<()> {
        if *self.closed.borrow() {
            self.waiting.abandon();
        }
        self.questions.send(question).await.map_err(|_| gone())
    }
}

impl Waiting {
    async fn settle(&self, reply: Reply) {
        match reply {
            Reply::Answer { id, value } => self.answer(id, Ok(value)),
            Reply::Failed { id, error } => self.answer(id, Err(error)),
            Reply::Event { id, event } => {
                let stream = lock(&self.streams).get(&id).cloned();
                if let Some(stream) = stream
                    && stream.send(event).await.is_err()
                {
                    lock(&self.streams).remove(&id);
                }
            }
        }
    }

    fn answer(&self, id: u64, outcome: Result<Value>) {
        if let Some(answer) = lock(&self.answers).remove(&id) {
            // The asker may have given up.
            let _ = answer.send(outcome);
        }
    }

    /// Dropping the senders tells everyone who waits.
    fn abandon(&self) {
        lock(&self.answers).clear();
        lock(&self.streams).clear();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The maps are whole after any panic: each change is one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
