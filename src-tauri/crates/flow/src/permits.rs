//! What each flow may touch, as the person said it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use devrig_core::{Change, ChangeKind, Context as _, Origin, Result};
use devrig_store::{Store, Tx};
use tokio::sync::Mutex;

use crate::permissions::{Permission, Permissions};
use crate::table::{flow as flows, permission as table};

/// A handle on the permissions of all flows. Cheap to clone.
#[derive(Clone)]
pub struct Permits {
    store: Store,
    /// By the numbers of flows. Held while one is read or changed, so that nothing old is kept.
    known: Arc<Mutex<HashMap<i64, Arc<Permissions>>>>,
    /// DevRig's own folder.
    own: Arc<PathBuf>,
}

impl Permits {
    pub fn new(store: Store) -> Self {
        let own = Arc::new(own_folder(&store));
        Self { store, known: Arc::default(), own }
    }

    /// What the flow with this number may touch.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn of(&self, flow: i64) -> Result<Arc<Permissions>> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.get(&flow) {
            return Ok(known.clone());
        }
        let mut conn = self.store.read().await?;
        let read = table::list(&mut conn, flow).await.context("permissions of a flow")?;
        let read = Arc::new(read.without(&self.own));
        known.insert(flow, read.clone());
        Ok(read)
    }

    /// Allows a flow more, or less.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    pub async fn change(
        &self,
        flow: &str,
        allow: Vec<Permission>,
        forbid: Vec<Permission>,
    ) -> Result<()> {
        let mut known = self.known.lock().await;
        let id = flow.to_owned();
        let seq = self
            .store
            .write(async move |tx: &mut Tx| {
                let seq = flows::get(tx.conn(), &id).await?.seq;
                let now = tx.now();
                for permission in &allow {
                    table::add(tx.conn(), seq, permission, now).await?;
                }
                for permission in &forbid {
                    table::remove(tx.conn(), seq, permission).await?;
                }
                tx.change(Change::new("flow", &id, ChangeKind::Updated, &Origin::person()));
                Ok(seq)
            })
            .await?;
        known.remove(&seq);
        Ok(())
    }

    /// Forgets a flow that is gone: its number may be given to another one.
    pub async fn forget(&self, flow: i64) {
        self.known.lock().await.remove(&flow);
    }
}

/// What is DevRig's lies beside its backups.
fn own_folder(store: &Store) -> PathBuf {
    let backups = &store.options().backups;
    let own = backups.parent().unwrap_or(backups);
    own.canonicalize().unwrap_or_else(|_| own.to_owned())
}
