//! The plugins' logs: lines are gathered for a moment and written together; what is too much is
//! left out, never waited for.

use std::collections::HashMap;
use std::time::Duration;

use devrig_store::{Bind, Store, Tx};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::core::PluginEvent;
use crate::info::LogLine;
use crate::table::log;

/// Lines that may wait to be written.
const WAITING: usize = 4_096;
const GATHER: Duration = Duration::from_millis(100);
/// Lines of a plugin between two cuts of its log.
const CUT_EVERY: u32 = 500;

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Logs {
    lines: mpsc::Sender<(String, LogLine)>,
}

impl Logs {
    pub fn start(
        store: Store,
        events: broadcast::Sender<PluginEvent>,
        tasks: &TaskTracker,
        over: CancellationToken,
    ) -> Self {
        let (lines, waiting) = mpsc::channel(WAITING);
        tasks.spawn(keep(store, events, waiting, over));
        Self { lines }
    }

    /// Never waits: with the queue full the line is lost.
    pub fn write(&self, plugin: &str, line: LogLine) {
        _ = self.lines.try_send((plugin.to_owned(), line));
    }
}

async fn keep(
    store: Store,
    events: broadcast::Sender<PluginEvent>,
    mut waiting: mpsc::Receiver<(String, LogLine)>,
    over: CancellationToken,
) {
    let mut uncut: HashMap<String, u32> = HashMap::new();
    let mut lines = Vec::new();
    loop {
        let open = tokio::select! {
            read = waiting.recv_many(&mut lines, WAITING) => read > 0,
            () = over.cancelled() => {
                waiting.close();
                waiting.recv_many(&mut lines, WAITING).await > 0
            }
        };
        if lines.is_empty() {
            return;
        }
        if open && !over.is_cancelled() {
            tokio::time::sleep(GATHER).await;
        }
        while lines.len() < WAITING
            && let Ok(line) = waiting.try_recv()
        {
            lines.push(line);
        }
        let mut values: Vec<Bind> = Vec::with_capacity(lines.len() * log::COLUMNS);
        let mut plugins: HashMap<String, u32> = HashMap::new();
        for (plugin, line) in lines.drain(..) {
            values.extend(log::values(&plugin, &line));
            *plugins.entry(plugin).or_default() += 1;
        }
        if let Err(error) = store.append(log::INTO, log::COLUMNS, values).await {
            tracing::warn!(%error, "lines of plugins' logs were not written");
            continue;
        }
        for (plugin, count) in plugins {
            let lines = uncut.entry(plugin.clone()).or_insert(CUT_EVERY);
            *lines += count;
            if *lines >= CUT_EVERY {
                *lines = 0;
                cut(&store, plugin.clone()).await;
            }
            _ = events.send(PluginEvent::Log { plugin });
        }
    }
}

async fn cut(store: &Store, plugin: String) {
    let cut = store.write(async move |tx: &mut Tx| log::trim(tx, &plugin, log::KEPT).await).await;
    if let Err(error) = cut {
        tracing::warn!(%error, "a plugin's log could not be cut");
    }
}
