//! Requests that resume runs.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use devrig_net::listener::{
    Auth, Delivery, Handler, Listener, Registration, Reply, Route, RouteLimits,
};
use http::{Method, StatusCode};
use serde_json::json;

use super::webhook;
use crate::runs::{Door, Runs, WAIT_ROOT};

/// Opens the listener for runs that wait for requests, from the first of them on.
pub struct WaitDoor {
    runs: Runs,
    listener: Arc<Listener>,
    open: Mutex<Option<Registration>>,
}

impl WaitDoor {
    pub fn new(runs: Runs, listener: Arc<Listener>) -> Self {
        Self { runs, listener, open: Mutex::default() }
    }

    /// Closes it: whoever comes then finds nobody, and comes again.
    pub fn close(&self) {
        self.lock().take();
    }

    /// Opens it, where it is not open.
    ///
    /// # Errors
    /// What the listener meets when it opens its port.
    pub fn open(&self) -> Result<()> {
        let mut open = self.lock();
        if open.is_none() {
            *open = Some(self.listener.register(self.route())?);
        }
        Ok(())
    }

    fn route(&self) -> Route {
        Route {
            path: format!("{WAIT_ROOT}*"),
            owner: "runs that wait".to_owned(),
            methods: vec![Method::POST, Method::GET, Method::PUT, Method::PATCH, Method::DELETE],
            auth: Auth::None,
            limits: RouteLimits::default(),
            handler: Arc::new(Resume { runs: self.runs.clone() }),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Registration>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Door for WaitDoor {
    fn address(&self, path: &str) -> Option<String> {
        if let Err(error) = self.open() {
            tracing::warn!(%error, "requests cannot resume runs");
            return None;
        }
        let status = self.listener.status();
        match status.public_host {
            Some(host) => Some(format!("https://{host}{path}")),
            None => status.address.map(|address| format!("http://{address}{path}")),
        }
    }
}

struct Resume {
    runs: Runs,
}

#[async_trait]
impl Handler for Resume {
    async fn handle(&self, delivery: Delivery) -> Reply {
        let below = delivery.path.strip_prefix(WAIT_ROOT).unwrap_or_default();
        let (token, node) = match below.split_once('/') {
            Some((token, node)) => (token, Some(node)),
            None => (below, None),
        };
        let request = webhook::with_body(webhook::payload(&delivery));
        match self.runs.resume(token, node, request).await {
            Ok(run) => Reply::json(StatusCode::OK, &json!({ "run": run })),
            Err(error) => refused(&error),
        }
    }
}

fn refused(error: &Error) -> Reply {
    let status = match error.code {
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::NothingToDo => StatusCode::CONFLICT,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    Reply::error(status, error)
}
