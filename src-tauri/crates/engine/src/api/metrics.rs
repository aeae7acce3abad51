//! Figures of DevRig at this moment, computed when somebody asks.

use devrig_core::{Result, Timestamp};
pub use devrig_flow::runs::Figures as RunFigures;
pub use devrig_flow::stopwatch::ActionFigures;
pub use devrig_flow::tally::LastHour;
use devrig_jobs::JobStats;
use devrig_plugins::info::{PluginState, SyncState};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::{Engine, gauge};

/// What DevRig does and takes.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    pub at: Timestamp,
    pub started_at: Timestamp,
    pub runs: RunFigures,
    /// The actions that were called since DevRig started, by name.
    pub actions: Vec<ActionFigures>,
    pub code: CodeFigures,
    /// The queue of syncs and of what goes to sources.
    pub jobs: JobStats,
    pub inbox: InboxFigures,
    pub plugins: PluginFigures,
    pub triggers: TriggerFigures,
    pub system: SystemFigures,
}

/// The workers that run code of flows.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct CodeFigures {
    pub workers: u32,
    /// Snippets that go on, and those that wait for a worker.
    pub running: u32,
    pub waiting: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct InboxFigures {
    /// Items in the inbox, and those of them that are unread.
    pub inbox: u32,
    pub unread: u32,
    pub snoozed: u32,
    pub total: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct PluginFigures {
    pub active: u32,
    /// Plugins that do not run because something is wrong with them.
    pub failing: u32,
    /// Sources that sync at this moment, and those whose last sync failed.
    pub syncing: u32,
    pub sync_errors: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct TriggerFigures {
    /// Those that fire, and those of enabled flows that do not.
    pub armed: u32,
    pub failing: u32,
    /// Where webhooks are heard; absent while nothing listens.
    pub listener: Option<String>,
}

/// What the process takes. What the system does not tell is absent.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct SystemFigures {
    /// In bytes, without the workers of plugins.
    #[specta(type = Option<u32>)]
    pub memory: Option<f64>,
    /// Of one core, since the figures were last asked for.
    pub cpu_percent: Option<f64>,
    /// The database, and its write-ahead log, in bytes.
    #[specta(type = u32)]
    pub database: f64,
    #[specta(type = u32)]
    pub log: f64,
}

pub(super) async fn metrics(engine: &Engine, _: NoArgs) -> Result<Metrics> {
    Ok(Metrics {
        at: engine.clock().now(),
        started_at: engine.started_at(),
        runs: engine.flows().runs().figures().await?,
        actions: engine.flows().actions().limits().figures(),
        code: code(engine),
        jobs: engine.jobs().stats().await?,
        inbox: inbox(engine).await?,
        plugins: plugins(engine).await?,
        triggers: triggers(engine).await,
        system: system(engine),
    })
}

fn code(engine: &Engine) -> CodeFigures {
    let status = engine.code().status();
    let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    CodeFigures {
        workers: most(status.workers),
        running: most(status.running),
        waiting: most(status.waiting),
    }
}

async fn inbox(engine: &Engine) -> Result<InboxFigures> {
    let stats = engine.inbox().stats().await?;
    Ok(InboxFigures {
        inbox: stats.inbox,
        unread: stats.unread,
        snoozed: stats.snoozed,
        total: stats.total,
    })
}

async fn plugins(engine: &Engine) -> Result<PluginFigures> {
    let plugins = engine.plugins().list().await?;
    let syncs = engine.plugins().sync_status().await?;
    let fails = |state| matches!(state, PluginState::Error | PluginState::Quarantined);
    Ok(PluginFigures {
        active: count(plugins.iter(), |plugin| plugin.state == PluginState::Active),
        failing: count(plugins.iter(), |plugin| fails(plugin.state)),
        syncing: count(syncs.iter(), |sync| sync.state == SyncState::Syncing),
        sync_errors: count(syncs.iter(), |sync| sync.state == SyncState::Error),
    })
}

async fn triggers(engine: &Engine) -> TriggerFigures {
    let hearing = engine.hearing();
    let states = hearing.triggers.states().await;
    TriggerFigures {
        armed: count(states.iter(), |state| state.error.is_none()),
        failing: count(states.iter(), |state| state.error.is_some()),
        listener: hearing.listener.address().map(|address| address.to_string()),
    }
}

fn system(engine: &Engine) -> SystemFigures {
    SystemFigures {
        memory: gauge::memory().map(|bytes| bytes as f64),
        cpu_percent: engine.gauge().cpu_percent(),
        database: engine.store().size() as f64,
        log: engine.store().log_size() as f64,
    }
}

fn count<T>(all: impl Iterator<Item = T>, holds: impl Fn(&T) -> bool) -> u32 {
    u32::try_from(all.filter(holds).count()).unwrap_or(u32::MAX)
}
