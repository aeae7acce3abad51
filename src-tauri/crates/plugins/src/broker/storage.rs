//! The account's own key-value store.

use devrig_core::{Code, Error, Result};
use devrig_store::Tx;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Broker, Desk, read};
use crate::permission::Kind;
use crate::table::storage;

const LONGEST_KEY: usize = 256;
const LARGEST_VALUE: usize = 256 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set<'a> {
    key: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    prefix: Option<String>,
}

impl Broker {
    fn may_store(&self, desk: &Desk) -> Result<()> {
        let allowed = desk.access.need("storage", |kind| *kind == Kind::Storage);
        allowed.map_err(|refused| self.refuse(desk, refused))
    }

    pub(super) async fn storage_get(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_store(desk)?;
        let Key { key } = read(params)?;
        let value = storage::value(desk.core.store.reader(), &desk.seat.id, &key).await?;
        Ok(match value {
            Some(value) => serde_json::from_str(&value)?,
            None => Value::Null,
        })
    }

    pub(super) async fn storage_set(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_store(desk)?;
        let Set { key, value } = read(params)?;
        let value = value.get().to_owned();
        if value.len() > LARGEST_VALUE {
            let message = format!("a stored value holds at most {} KB", LARGEST_VALUE / 1024);
            return Err(Error::new(Code::TooLarge, message).hint("Store it in parts."));
        }
        self.write(desk, key, Some(value)).await
    }

    pub(super) async fn storage_delete(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_store(desk)?;
        let Key { key } = read(params)?;
        self.write(desk, key, None).await
    }

    async fn write(&self, desk: &Desk, key: String, value: Option<String>) -> Result<Value> {
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Error::invalid(format!("a key has 1 to {LONGEST_KEY} bytes")));
        }
        let account = desk.seat.id.clone();
        desk.core
            .store
            .write(async move |tx: &mut Tx| {
                storage::set(tx, &account, &key, value.as_deref()).await
            })
            .await?;
        Ok(Value::Null)
    }

    pub(super) async fn storage_list(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        self.may_store(desk)?;
        let List { prefix } = read(params)?;
        let prefix = prefix.unwrap_or_default();
        let keys = storage::keys(desk.core.store.reader(), &desk.seat.id, &prefix).await?;
        Ok(json!(keys))
    }
}
