//! Every effect that a plugin can have. One module for each family of calls; each reads its
//! parameters strictly, asks what is declared and granted, does it, and writes refusals down.

mod desktop;
mod events;
mod git;
mod http;
mod inbox;
mod secrets;
mod storage;
mod triggers;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use devrig_core::protocol::{HostMethod, LogLevel};
use devrig_core::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::access::{Access, Refused};
use crate::core::Core;
use crate::info::LogLine;
use crate::placeholder::Placeholders;
use crate::scrub::Scrub;
use crate::seat::Seat;
use crate::text::shown;
use crate::worker::{Call, Host, HostCall, Need};

/// The host side of one running worker: what it says means something in this start only.
pub(crate) struct Broker {
    core: Weak<Core>,
    seat: Weak<Seat>,
    placeholders: Placeholders,
    /// Values that went out with requests: a server may repeat them in any later answer.
    spent: Mutex<Scrub>,
    /// Values that were given out by `secrets.get`, so that logs do not keep them.
    revealed: Mutex<Scrub>,
    /// Topics that it listens to, as it wrote them, by their whole names.
    pub(crate) topics: Mutex<HashMap<String, Vec<String>>>,
    told: Mutex<HashMap<String, (Instant, u32)>>,
    notices: Mutex<Vec<Instant>>,
    /// Events of triggers since then.
    fired: Mutex<(Instant, u32)>,
    /// Names that were looked up for it.
    hosts: Mutex<HashSet<String>>,
    /// Requests that are open or wait for their turn.
    requests: AtomicUsize,
}

/// What a call needs at hand.
struct Desk {
    core: Arc<Core>,
    seat: Arc<Seat>,
    access: Arc<Access>,
    call: Option<Arc<Call>>,
}

impl Desk {
    fn note_need(&self, need: Need) {
        if let Some(call) = &self.call {
            call.note(|notes| {
                notes.need.get_or_insert(need);
            });
        }
    }

    fn plugin(&self) -> &str {
        self.seat.plugin.name()
    }
}

/// Audit entries of one rule that a worker can cause in a minute.
const TOLD_A_MINUTE: u32 = 10;

#[async_trait::async_trait]
impl Host for Broker {
    async fn call(&self, call: HostCall) -> Result<Value> {
        let gone = || Error::new(Code::PluginStopped, "the plugin is being stopped");
        let (core, seat) = (self.core.upgrade(), self.seat.upgrade());
        let (core, seat) = core.zip(seat).ok_or_else(gone)?;
        let access = seat.access();
        let desk = Desk { core, seat, access, call: call.call };
        let params = &call.params;
        let outcome = match call.method {
            HostMethod::HttpFetch => self.fetch(&desk, params).await,
            HostMethod::SecretRef => self.secret_ref(&desk, params).await,
            HostMethod::SecretGet => self.secret_get(&desk, params).await,
            HostMethod::SecretBasic => self.secret_basic(params),
            HostMethod::SecretList => self.secret_list(&desk, params).await,
            HostMethod::StorageGet => self.storage_get(&desk, params).await,
            HostMethod::StorageSet => self.storage_set(&desk, params).await,
            HostMethod::StorageDelete => self.storage_delete(&desk, params).await,
            HostMethod::StorageList => self.storage_list(&desk, params).await,
            HostMethod::StoreItems => self.store_items(&desk, params).await,
            HostMethod::QueryItems => self.query_items(&desk, params).await,
            HostMethod::MarkRead => self.mark_read(&desk, params).await,
            HostMethod::Archive => self.archive(&desk, params).await,
            HostMethod::SyncProgress => self.sync_progress(&desk, params).await,
            HostMethod::EventEmit => self.emit(&desk, params),
            HostMethod::EventSubscribe => self.subscribe(&desk, params),
            HostMethod::TriggerFire => self.trigger_fire(&desk, params).await,
            HostMethod::Notify => self.notify(&desk, params),
            HostMethod::GitDiscover => self.git_discover(&desk, params).await,
            HostMethod::GitState => self.git_state(&desk, params).await,
            HostMethod::GitFetch => self.git_fetch(&desk, params).await,
            HostMethod::OpenFolder => self.open_folder(&desk, params).await,
        };
        outcome.inspect_err(|error| {
            let refused =
                matches!(error.code, Code::Refused | Code::QuotaExceeded | Code::TooLarge);
            if refused || http::is_breaker(error) {
                self.tell(&desk, call.method, params, error);
            }
        })
    }

    fn log(&self, level: LogLevel, message: &str, meta: Option<&RawValue>) {
        let (Some(core), Some(seat)) = (self.core.upgrade(), self.seat.upgrade()) else { return };
        let revealed = self.lock(&self.revealed);
        let message = revealed.text(message);
        let meta = meta.map(RawValue::get).filter(|meta| *meta != "null" && meta.len() < 64 * 1024);
        let meta = meta.and_then(|meta| serde_json::from_str(&revealed.text(meta)).ok());
        let line = LogLine {
            seq: 0.0,
            at: core.clock.now(),
            account: seat.id.clone(),
            level: level_name(level).to_owned(),
            message: devrig_process::escape_text(message.as_bytes()),
            meta,
        };
        core.logs.write(seat.plugin.name(), line);
    }
}

impl Broker {
    pub fn new(core: &Arc<Core>, seat: &Arc<Seat>) -> Self {
        Self {
            core: Arc::downgrade(core),
            seat: Arc::downgrade(seat),
            placeholders: Placeholders::default(),
            spent: Mutex::default(),
            revealed: Mutex::default(),
            topics: Mutex::default(),
            told: Mutex::default(),
            notices: Mutex::default(),
            fired: Mutex::new((Instant::now(), 0)),
            hosts: Mutex::default(),
            requests: AtomicUsize::new(0),
        }
    }

    fn lock<'a, T>(&self, mutex: &'a Mutex<T>) -> MutexGuard<'a, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A refusal on its way to the plugin; what the person could grant is noted for the sync.
    fn refuse(&self, desk: &Desk, refused: Refused) -> Error {
        if let Some(permission) = refused.ungranted {
            desk.note_need(Need::Grant(permission));
        }
        refused.error
    }

    /// Writes a refusal into the audit log, unless it is one of very many.
    fn tell(&self, desk: &Desk, method: HostMethod, params: &RawValue, error: &Error) {
        let method = serde_json::to_value(method).unwrap_or_default();
        let method = method.as_str().unwrap_or_default();
        let rule = match error.details.as_ref().and_then(|details| details["rule"].as_str()) {
            _ if http::is_breaker(error) => "network:breaker".to_owned(),
            Some(rule) if method == "http.fetch" && !rule.contains(':') => {
                format!("network:{rule}")
            }
            Some(rule) => rule.to_owned(),
            None => format!("limit:{}", error.code.as_str().to_ascii_lowercase()),
        };
        self.tell_as(
            desk,
            &rule,
            &format!("{method} {}", target(method, params)),
            "refused",
            error,
        );
    }

    fn tell_as(&self, desk: &Desk, rule: &str, action: &str, verdict: &str, error: &Error) {
        {
            let mut told = self.lock(&self.told);
            let (since, count) = told.entry(rule.to_owned()).or_insert((Instant::now(), 0));
            if since.elapsed() > Duration::from_secs(60) {
                (*since, *count) = (Instant::now(), 0);
            }
            *count += 1;
            if *count > TOLD_A_MINUTE {
                return;
            }
        }
        let detail = serde_json::json!({
            "account": desk.seat.id, "message": shown(&error.message, 500),
        });
        desk.core.audit(desk.plugin(), rule, action, verdict, detail);
    }
}

/// What a call was about, for the audit: no header, no body, no value.
fn target(method: &str, params: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Target<'a> {
        #[serde(default, borrow)]
        url: Option<std::borrow::Cow<'a, str>>,
        #[serde(default, borrow)]
        method: Option<std::borrow::Cow<'a, str>>,
        #[serde(
            default,
            borrow,
            alias = "key",
            alias = "topic",
            alias = "folder",
            alias = "trigger"
        )]
        #[serde(alias = "repository", alias = "path")]
        name: Option<std::borrow::Cow<'a, str>>,
    }
    let Ok(target) = serde_json::from_str::<Target<'_>>(params.get()) else {
        return String::new();
    };
    if method != "http.fetch" {
        return shown(target.name.as_deref().unwrap_or_default(), 200);
    }
    let url = target.url.unwrap_or_default();
    // Queries and fragments carry what is nobody else's business.
    let place = url.split(['?', '#']).next().unwrap_or_default();
    shown(&format!("{} {place}", target.method.as_deref().unwrap_or("GET")), 250)
}

/// Reads parameters exactly as the protocol has them.
fn read<'a, T: Deserialize<'a>>(params: &'a RawValue) -> Result<T> {
    serde_json::from_str(params.get()).map_err(|error| {
        Error::invalid(format!("the arguments are not as documented: {error}"))
            .hint("See the types of @devrig/sdk.")
    })
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}

impl Broker {
    /// The names under which the plugin listens to a topic.
    pub fn heard(&self, topic: &str) -> Vec<String> {
        self.lock(&self.topics).get(topic).cloned().unwrap_or_default()
    }
}
