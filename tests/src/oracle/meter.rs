//! Somebody who asks questions over the socket all the while, and listens to every event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_engine::{Api, NoArgs};
use futures::StreamExt;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::rig::Rig;
use crate::witness::{Secrets, Witness};

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

pub struct Meter {
    over: CancellationToken,
    task: JoinHandle<Vec<Duration>>,
    listener: JoinHandle<()>,
}

impl Meter {
    pub async fn start(rig: &Rig, secrets: &Arc<Secrets>) -> Self {
        let over = CancellationToken::new();
        let inner: Arc<dyn Api> = Arc::new(rig.guest().await);
        let witness = Witness { inner: Arc::clone(&inner), secrets: Arc::clone(secrets) };
        let mut events = witness.events().await.expect("a subscription");
        let listener = tokio::spawn({
            let over = over.clone();
            // The witness looks at each.
            async move { while let Some(Some(_)) = over.run_until_cancelled(events.next()).await {} }
        });
        let task = tokio::spawn(measure(inner, over.clone()));
        Self { over, task, listener }
    }

    /// How long each call took.
    pub async fn end(self) -> Vec<Duration> {
        self.over.cancel();
        self.listener.await.expect("the listener does not panic");
        self.task.await.expect("the core answered every call")
    }
}

async fn measure(guest: Arc<dyn Api>, over: CancellationToken) -> Vec<Duration> {
    let mut calls = Vec::new();
    while !over.is_cancelled() {
        let begun = Instant::now();
        guest.inbox_stats(NoArgs {}).await.expect("the core answers");
        calls.push(begun.elapsed());
        let begun = Instant::now();
        guest.engine_info(NoArgs {}).await.expect("the core answers");
        calls.push(begun.elapsed());
        tokio::time::sleep(PAUSE).await;
    }
    calls
}
