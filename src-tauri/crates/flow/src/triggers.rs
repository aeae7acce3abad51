//! What starts flows by itself: kept in step with which flows are enabled, and which version of each
//! is live.

mod by_hand;
mod clockwork;
mod cron;
mod ended;
mod event;
pub mod filesystem;
mod inbox;
mod plugin;
mod polling;
mod sample;
mod source;
mod standing;
mod tally;
mod task;
pub mod wait;
pub mod webhook;

pub use by_hand::{FiredByHand, With};
pub use source::{Happened, Source};
pub use standing::{Standing, TriggerState};

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Code, Error, Result, Timestamp};
use devrig_inbox::Inbox;
use devrig_net::listener::{Listener, Registration};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::Flows;
use crate::definition::{PluginTrigger, PollingSource, Trigger, TriggerKind};
use crate::network::Network;
use crate::plugins::{PluginEvent, PluginTriggers};
use crate::program::Program;
use crate::secrets::Secrets;
use crate::table::trigger::Said;
use clockwork::Clockwork;
use event::Ends;
use tally::{Meter, Tallies};
use task::{Tasks, Watching};

/// What triggers need from outside.
#[derive(Clone)]
pub struct Surroundings {
    pub listener: Arc<Listener>,
    pub secrets: Arc<dyn Secrets>,
    pub inbox: Inbox,
    pub network: Network,
    /// Whom triggers of plugins ask for news.
    pub plugins: Option<Arc<dyn PluginTriggers>>,
}

/// A handle on the triggers of all flows. Cheap to clone.
#[derive(Clone)]
pub struct Triggers {
    flows: Flows,
    surroundings: Surroundings,
    armed: Arc<Mutex<HashMap<TriggerId, Armed>>>,
    timing: Timing,
    /// Those that watch have a task each.
    watchers: Arc<Tasks>,
    items: inbox::Hub,
    /// Whether the flows were read, so that an event finds who waits for it.
    read: Arc<watch::Sender<bool>>,
    followed: watch::Receiver<bool>,
    tasks: TaskTracker,
    stop: CancellationToken,
    /// Ends the tasks with the last handle.
    _end: Arc<DropGuard>,
}

/// The ids of a flow and of one of its triggers.
type TriggerId = (String, String);

/// What goes on beside the flows' own requests.
#[derive(Clone)]
struct Timing {
    clockwork: Clockwork,
    ends: Ends,
    tallies: Tallies,
}

/// A trigger that should fire.
#[derive(Clone)]
struct Wanted {
    flow_name: String,
    program: Arc<Program>,
    trigger: Trigger,
    said: Option<Said>,
}

/// A trigger that fires, while this is kept.
struct Armed {
    wanted: Wanted,
    held: Result<Held>,
}

enum Held {
    Webhook(#[expect(dead_code, reason = "dropping it takes the route away")] Registration),
    Cron(cron::Armed),
    Event(Arc<event::Listener>),
    /// A task of its own fires it.
    Watching(Watching),
    Inbox(inbox::Registration),
    Plugin {
        waiting: Arc<plugin::Waiting>,
        /// Asks it for news, as long as it has any to be asked for.
        asking: Option<Watching>,
    },
    /// Fires when somebody asks for it.
    Passive,
    /// The person stopped it.
    Paused,
}

impl Triggers {
    /// Nothing fires before [`Triggers::follow`].
    pub fn new(flows: Flows, surroundings: Surroundings) -> Self {
        let store = flows.runs().store().clone();
        let timing = Timing {
            clockwork: Clockwork::new(store.clock().clone()),
            ends: Ends::new(flows.runs().clone()),
            tallies: Tallies::new(store),
        };
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (read, followed) = watch::channel(false);
        timing.start(&tasks, &stop);
        Self {
            items: inbox::Hub::new(surroundings.inbox.clone()),
            flows,
            surroundings,
            armed: Arc::default(),
            read: Arc::new(read),
            followed,
            timing,
            watchers: Arc::default(),
            tasks,
            _end: Arc::new(stop.clone().drop_guard()),
            stop,
        }
    }

    /// Arms what should fire and disarms what should not. One that cannot be armed costs only itself,
    /// and says why.
    ///
    /// # Errors
    /// What reading the flows meets.
    pub async fn follow(&self) -> Result<()> {
        let mut armed = self.armed.lock().await;
        if self.stop.is_cancelled() {
            return Ok(());
        }
        self.timing.tallies.read().await?;
        let wanted = self.wanted().await?;
        armed.retain(|id, now| {
            now.held.is_ok() && wanted.get(id).is_some_and(|wanted| wanted.is_same(&now.wanted))
        });
        for (id, wanted) in wanted {
            if armed.contains_key(&id) {
                continue;
            }
            let held = self.arm(&wanted);
            if let Err(error) = &held {
                tracing::warn!(flow = id.0, trigger = id.1, %error, "a trigger does not fire");
                wanted.meter(&self.timing.tallies).failed(error.clone(), self.now());
            }
            armed.insert(id, Armed { wanted, held });
        }
        self.timing.ends.tell(armed.values().filter_map(Armed::listener).collect());
        // Not before: what arrived while DevRig was stopped is for those that are armed now.
        let items = self.items.clone();
        self.watchers.start_once(|stop| items.run(stop));
        self.read.send_replace(true);
        Ok(())
    }

    /// Looks at the clock now: it was set, or the machine slept.
    pub fn look(&self) {
        self.timing.clockwork.look();
    }

    /// Disarms everything for good, and writes down what is known of it.
    pub async fn stop(&self) {
        let mut armed = self.armed.lock().await;
        self.stop.cancel();
        armed.clear();
        // Whoever waits for them is told that they stop.
        self.read.send_replace(true);
        drop(armed);
        self.watchers.end().await;
        self.tasks.close();
        self.tasks.wait().await;
        if let Err(error) = self.timing.tallies.write().await {
            tracing::warn!(%error, "counts of triggers were not written");
        }
    }

    async fn wanted(&self) -> Result<HashMap<TriggerId, Wanted>> {
        let mut said = self.flows.said().await?;
        let mut wanted = HashMap::new();
        for (flow, program) in self.flows.live().await? {
            let program = match program {
                Ok(program) => program,
                // One flow that cannot run keeps no other from starting.
                Err(error) => {
                    tracing::error!(flow = flow.id, %error, "a flow cannot run");
                    continue;
                }
            };
            for trigger in program.definition.triggers.iter().filter(|each| !each.disabled) {
                let said = said.remove(&(program.flow, trigger.id.to_string()));
                let (program, trigger) = (program.clone(), trigger.clone());
                let id = (flow.id.clone(), trigger.id.to_string());
                let flow_name = flow.name.clone();
                wanted.insert(id, Wanted { flow_name, program, trigger, said });
            }
        }
        Ok(wanted)
    }

    fn arm(&self, wanted: &Wanted) -> Result<Held> {
        if wanted.said.is_some_and(|said| said.paused) {
            return Ok(Held::Paused);
        }
        let source = self.source(wanted);
        let trigger = &wanted.trigger;
        match &trigger.kind {
            TriggerKind::Webhook(hook) => {
                webhook::arm(hook, source, &self.surroundings).map(Held::Webhook)
            }
            TriggerKind::Cron(cron) => {
                cron::arm(cron, source, &self.timing.clockwork).map(Held::Cron)
            }
            TriggerKind::Event(event) => event::arm(event, source).map(Held::Event),
            TriggerKind::Filesystem(files) => {
                let files = files.clone();
                Ok(Held::Watching(self.watchers.start(&source.clone(), |health, stop| {
                    health.starts();
                    filesystem::watch(files, source, health, stop)
                })))
            }
            TriggerKind::Inbox(wanted) => self.items.arm(wanted, source).map(Held::Inbox),
            TriggerKind::Polling(asked) => {
                let whom = self.asked_by(&asked.source)?;
                let poll = polling::Poll::new(asked, source.clone(), whom)?;
                let task = self.watchers.start(&source, |health, stop| poll.run(health, stop));
                Ok(Held::Watching(task))
            }
            TriggerKind::Plugin(plugin) => self.arm_plugin(plugin, source),
            TriggerKind::Manual { .. } => Ok(Held::Passive),
        }
    }

    fn arm_plugin(&self, wanted: &PluginTrigger, source: Source) -> Result<Held> {
        let plugins = self.flows.actions().shared_plugins();
        let plugins = plugins.ok_or_else(|| plugin::nobody(wanted))?;
        let waiting = Arc::new(plugin::Waiting::new(wanted, source.clone(), plugins));
        let asking = match self.surroundings.plugins.clone() {
            None => None,
            Some(asked) => {
                let poll = plugin::Poll::new(waiting.clone(), asked)?;
                Some(self.watchers.start(&source, |health, stop| poll.run(health, stop)))
            }
        };
        Ok(Held::Plugin { waiting, asking })
    }

    fn asked_by(&self, source: &PollingSource) -> Result<polling::Asked> {
        let PollingSource::Plugin { plugin_id, .. } = source else {
            return Ok(polling::Asked::Address(self.surroundings.network.clone()));
        };
        let plugins = self.flows.actions().shared_plugins().ok_or_else(|| {
            let what = format!("{plugin_id} cannot be asked");
            Error::new(Code::Unsupported, what).hint("There are no plugins here.")
        })?;
        Ok(polling::Asked::Plugin(plugins))
    }

    /// Tells an event of a plugin to the triggers that wait for it; gives their number. Returns when
    /// it is on disk for each of them.
    ///
    /// # Errors
    /// Trouble with the store, after which the same event should be told again, and `CANCELLED`
    /// while DevRig stops.
    pub async fn take(&self, event: &PluginEvent) -> Result<u32> {
        self.followed.clone().wait_for(|followed| *followed).await.map_err(|_| stopping())?;
        let waiting: Vec<_> = {
            // While flows are followed, a trigger may be between two versions of itself.
            let armed = self.armed.lock().await;
            if self.stop.is_cancelled() {
                return Err(stopping());
            }
            armed.values().filter_map(|armed| armed.waits_for(event)).collect()
        };
        for waiting in &waiting {
            waiting.take(event).await?;
        }
        Ok(u32::try_from(waiting.len()).unwrap_or(u32::MAX))
    }

    fn source(&self, wanted: &Wanted) -> Source {
        let trigger = &wanted.trigger;
        let usual = match trigger.kind {
            TriggerKind::Webhook(_) => webhook::WINDOW,
            TriggerKind::Polling(_) => polling::WINDOW,
            TriggerKind::Plugin(_) => plugin::WINDOW,
            _ => Duration::ZERO,
        };
        let window = trigger.dedup_window_ms.map(Duration::from_millis);
        Source {
            runs: self.flows.runs().clone(),
            program: wanted.program.clone(),
            trigger: trigger.id.to_string(),
            kind: trigger.trigger_type().as_str(),
            window: window.unwrap_or(usual),
            by_content: window.is_some_and(|window| !window.is_zero()),
            since: wanted.said.map(|said| said.since),
            meter: wanted.meter(&self.timing.tallies),
        }
    }

    fn now(&self) -> Timestamp {
        self.flows.runs().store().clock().now()
    }
}

impl Timing {
    fn start(&self, tasks: &TaskTracker, stop: &CancellationToken) {
        let Self { clockwork, ends, tallies } = self.clone();
        let token = stop.clone();
        tasks.spawn(async move { clockwork.run(token).await });
        let token = stop.clone();
        tasks.spawn(async move { ends.run(token).await });
        let token = stop.clone();
        tasks.spawn(async move { tallies.keep(token).await });
    }
}

impl Wanted {
    fn is_same(&self, other: &Self) -> bool {
        (self.program.flow, self.program.version) == (other.program.flow, other.program.version)
            && self.trigger == other.trigger
            && self.said == other.said
    }

    fn meter(&self, tallies: &Tallies) -> Arc<Meter> {
        tallies.meter(self.program.flow, self.trigger.id.as_str())
    }
}

impl Armed {
    /// Why it does not fire at the moment, where it does not.
    fn error(&self) -> Option<Error> {
        match &self.held {
            Err(error) => Some(error.clone()),
            Ok(Held::Watching(watching)) => watching.health.error(),
            Ok(Held::Inbox(waiting)) => waiting.health.error(),
            Ok(Held::Plugin { waiting, asking }) => {
                let asked = asking.as_ref().and_then(|asking| asking.health.error());
                waiting.error().or(asked)
            }
            Ok(_) => None,
        }
    }

    fn waits_for(&self, event: &PluginEvent) -> Option<Arc<plugin::Waiting>> {
        match &self.held {
            Ok(Held::Plugin { waiting, .. }) if waiting.waits_for(event) => Some(waiting.clone()),
            _ => None,
        }
    }

    fn listener(&self) -> Option<Arc<event::Listener>> {
        match &self.held {
            Ok(Held::Event(listener)) => Some(listener.clone()),
            _ => None,
        }
    }
}

fn stopping() -> Error {
    Error::new(Code::Cancelled, "DevRig is stopping, so nothing is started")
}
