//! Large values of runs: stored once by their content, and read back when they are asked for.
//!
//! A run keeps no such value in memory. It writes it as soon as it has it, its journal points to it,
//! and a node that reads it loads it for as long as it works on it.

mod memory;
mod pack;
mod room;

pub use room::{Held, room};

use std::sync::Arc;

use devrig_core::{Code, Error, Result};
use devrig_store::{Store, Tx, from_sqlx};
use serde_json::Value;
use tokio::sync::Semaphore;

use self::pack::{Packed, pack, unpack};
use crate::run::Stored;
use crate::table::payload as table;

/// What is longer as JSON lies in the table of payloads.
pub const LARGE: usize = 64 * 1024;
/// A single evaluation, or whoever looks, gets so much at a time.
pub const MOST: u64 = 64 * 1024 * 1024;
/// In bytes.
const GUESS: u64 = 1024 * 1024;
/// Values that are packed and written at a time, of all runs: each is there twice meanwhile.
static PACKING: Semaphore = Semaphore::const_new(4);

/// About how long a value is as JSON. It looks no further than to see that one is [`LARGE`].
pub fn weight(value: &Value) -> usize {
    let mut sum = 0;
    weigh(value, &mut sum);
    sum
}

fn weigh(value: &Value, sum: &mut usize) {
    *sum += match value {
        Value::String(text) => text.len() + 3,
        Value::Number(_) => 8,
        _ => 5,
    };
    match value {
        Value::Array(list) => {
            for value in list {
                weigh(value, sum);
                if *sum > LARGE {
                    return;
                }
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                *sum += name.len() + 3;
                weigh(value, sum);
                if *sum > LARGE {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// A value that could not be stored, as it was.
#[derive(Debug)]
pub struct Unstored {
    pub error: Error,
    pub value: Value,
}

/// Stores a value for a run, or for an event by its number with a minus, and gives where it is.
/// When this answers it is on disk. It goes on where the caller does not.
///
/// # Errors
/// What the store meets, with the value as it was.
pub async fn put(store: &Store, holder: i64, value: Value) -> Result<Stored, Box<Unstored>> {
    memory::give_back();
    let value = Arc::new(value);
    // A task of its own: a caller that is not polled for a while must not keep others from packing.
    let put = tokio::spawn(put_all(store.clone(), holder, value.clone()));
    let error = match put.await {
        Ok(Ok(stored)) => return Ok(stored),
        Ok(Err(error)) => error,
        Err(error) => Error::internal(format!("storing a large value: {error}")),
    };
    Err(Box::new(Unstored { error, value: Arc::unwrap_or_clone(value) }))
}

/// How much room is taken for an output of which nobody knows how large it will be: none, unless
/// large values wait for each other already. Many that begin together would be in memory together.
pub fn guess() -> u64 {
    if PACKING.available_permits() == 0 { GUESS } else { 0 }
}

async fn put_all(store: Store, holder: i64, value: Arc<Value>) -> Result<Stored> {
    let _turn = PACKING.acquire().await;
    let packed = tokio::task::spawn_blocking(move || pack(&value)).await;
    let packed = packed.map_err(|error| Error::internal(format!("packing: {error}")))?;
    let packed = Arc::new(packed?);
    write(&store, holder, &packed).await?;
    Ok(packed.stored.clone())
}

async fn write(store: &Store, holder: i64, packed: &Arc<Packed>) -> Result<()> {
    let Some((_, before)) = packed.parts.split_last() else { return Ok(()) };
    if !before.is_empty() {
        let all = packed.clone();
        let there = store.write(async move |tx: &mut Tx| claim(tx, holder, &all).await).await?;
        if there {
            return Ok(());
        }
        for (number, bytes) in (0..).zip(before) {
            table::add_part(store, &packed.stored.hash, number, bytes.clone()).await?;
        }
    }
    let all = packed.clone();
    store.write(async move |tx: &mut Tx| finish(tx, holder, &all).await).await
}

async fn claim(tx: &mut Tx, holder: i64, packed: &Packed) -> Result<bool> {
    let size = i64::try_from(packed.stored.size).unwrap_or(i64::MAX);
    table::claim(tx, holder, &packed.stored.hash, size).await
}

async fn finish(tx: &mut Tx, holder: i64, packed: &Packed) -> Result<()> {
    let Some((last, before)) = packed.parts.split_last() else { return Ok(()) };
    if claim(tx, holder, packed).await? {
        return Ok(());
    }
    let number = i64::try_from(before.len()).unwrap_or(i64::MAX);
    table::complete(tx, &packed.stored.hash, number, last).await
}

/// Reads a value back.
///
/// # Errors
/// `NOT_FOUND` when it was deleted, `TOO_LARGE` beyond [`MOST`], what reading meets.
pub async fn read(store: &Store, stored: &Stored) -> Result<Value> {
    if stored.size > MOST {
        return Err(too_large(stored.size));
    }
    memory::give_back();
    let mut conn = store.bulk_reader().acquire().await.map_err(from_sqlx)?;
    let parts = table::parts(&mut conn, &stored.hash).await?;
    drop(conn);
    let size = usize::try_from(stored.size).unwrap_or_default();
    tokio::task::spawn_blocking(move || unpack(parts, size))
        .await
        .map_err(|error| Error::internal(format!("reading a large value: {error}")))?
}

/// Why a value is not loaded.
pub fn too_large(size: u64) -> Error {
    let (size, most) = (size >> 20, MOST >> 20);
    Error::new(Code::TooLarge, format!("{size} MB would have to be in memory; {most} are allowed"))
        .hint("Name the part that is needed, let a node give less, or work on it in a loop.")
}

#[cfg(test)]
mod tests;
