//! What a trigger told, as expressions see it under `trigger`.

use devrig_core::{Result, Timestamp};
use devrig_store::Store;
use serde_json::{Value, json};

use super::{Output, Stored};
use crate::payloads;

/// `trigger`, whose payload may be stored.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// Without the payload where that is stored.
    seen: Value,
    stored: Option<Stored>,
    kind: &'static str,
}

impl Told {
    pub fn new(trigger: &str, kind: &'static str, at: Timestamp, payload: Output) -> Self {
        let (payload, stored) = match payload {
            Output::Stored(stored) => (Value::Null, Some(stored)),
            Output::Here(payload) => (read(kind, payload), None),
            _ => (Value::Null, None),
        };
        let mut seen = json!({ "id": trigger, "type": kind, "firedAt": at });
        // Put in as it is; the macro would copy it.
        seen["payload"] = payload;
        Self { seen, stored, kind }
    }

    /// What is in memory of it.
    pub fn seen(&self) -> &Value {
        &self.seen
    }

    /// The same, for whoever needs no more.
    pub fn into_seen(self) -> Value {
        self.seen
    }

    /// Where the payload is, when it is large.
    pub fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref()
    }

    /// With the payload.
    ///
    /// # Errors
    /// `NOT_FOUND` for what was deleted, `TOO_LARGE`, what reading meets.
    pub async fn whole(&self, store: &Store) -> Result<Value> {
        let mut seen = self.seen.clone();
        if let Some(stored) = &self.stored {
            seen["payload"] = read(self.kind, payloads::read(store, stored).await?);
        }
        Ok(seen)
    }
}

/// Of a request, the body is read.
fn read(kind: &str, payload: Value) -> Value {
    match kind {
        "webhook" => crate::triggers::webhook::with_body(payload),
        _ => payload,
    }
}
