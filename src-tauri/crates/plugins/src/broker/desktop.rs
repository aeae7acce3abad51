//! Notifications, and opening folders.

use std::time::{Duration, Instant};

use devrig_core::notify::Notice;
use devrig_core::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::git::canonical;
use super::{Broker, Desk, read};
use crate::access::Verb;
use crate::permission::Kind;
use crate::text::shown;
use crate::worker::Purpose;

/// Notifications of one worker in a minute.
const NOTICES_A_MINUTE: usize = 6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notify {
    title: String,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    path: String,
}

impl Broker {
    /// The title begins with the plugin's name, so that none speaks as DevRig.
    pub(super) fn notify(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let allowed = desk.access.need("notifications", |kind| *kind == Kind::Notifications);
        allowed.map_err(|refused| self.refuse(desk, refused))?;
        let Notify { title, body } = read(params)?;
        {
            let mut shown = self.lock(&self.notices);
            shown.retain(|at| at.elapsed() < Duration::from_secs(60));
            if shown.len() >= NOTICES_A_MINUTE {
                let message = "the plugin showed six notifications within a minute";
                return Err(Error::new(Code::QuotaExceeded, message)
                    .hint("Gather what there is to say into one."));
            }
            shown.push(Instant::now());
        }
        let plugin = &desk.seat.plugin.manifest.display_name;
        desk.core.notifier.notify(Notice {
            title: format!("{plugin}: {}", shown(&title, 100)),
            body: shown(&body, 300),
            ..Notice::default()
        });
        Ok(Value::Null)
    }

    pub(super) async fn open_folder(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let allowed = desk.access.need("desktop:open-folder", |kind| *kind == Kind::OpenFolder);
        allowed.map_err(|refused| self.refuse(desk, refused))?;
        let Open { path } = read(params)?;
        by_person(desk, "a folder is opened")?;
        let folder = self.granted_folder(desk, Verb::Read, &path).await?;
        if !canonical(&folder).await?.is_dir() {
            return Err(Error::invalid("only a folder can be opened"));
        }
        desk.core.opener.open_folder(&folder).await?;
        Ok(Value::Null)
    }
}

/// Some things happen only while the person waits for them.
pub(super) fn by_person(desk: &Desk, what: &str) -> Result<()> {
    let by_person = desk
        .call
        .as_ref()
        .is_some_and(|call| matches!(call.purpose, Purpose::Action { by_person: true, .. }));
    if by_person {
        return Ok(());
    }
    Err(Error::new(
        Code::Refused,
        format!("{what} only while an action that a person started runs"),
    )
    .hint("Offer it as an action.")
    .details(serde_json::json!({ "rule": "person:not-asked" })))
}
