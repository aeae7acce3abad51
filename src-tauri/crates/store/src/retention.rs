//! Deleting old history in small batches, and giving the space back.

use std::time::Duration;

use devrig_core::Result;

use crate::error::from_sqlx;
use crate::group::Store;
use crate::tx::Tx;

const BATCH: i64 = 2_000;

impl Store {
    /// Deletes change rows older than `keep` that every durable subscriber has passed. Gives their
    /// number. Other writers get their turn between batches.
    pub async fn forget_changes(&self, keep: Duration) -> Result<u64> {
        let before = (self.clock().now() - keep).to_string();
        let mut total = 0;
        loop {
            let before = before.clone();
            let deleted = self
                .write(async move |tx: &mut Tx| {
                    let done = sqlx::query(
                        "DELETE FROM change WHERE seq IN (
                           SELECT seq FROM change
                           WHERE seq <= coalesce((SELECT min(cursor) FROM subscriber), seq)
                           ORDER BY seq LIMIT ?) AND at < ?",
                    )
                    .bind(BATCH)
                    .bind(&before)
                    .execute(tx.conn())
                    .await
                    .map_err(from_sqlx)?;
                    Ok(done.rows_affected())
                })
                .await?;
            total += deleted;
            if deleted == 0 {
                return Ok(total);
            }
        }
    }

    /// Returns free pages to the disk, some at a time.
    pub async fn shrink(&self) -> Result<()> {
        let mut last = i64::MAX;
        loop {
            let free = self
                .write(async |tx: &mut Tx| {
                    sqlx::query("PRAGMA incremental_vacuum(1000)")
                        .execute(tx.conn())
                        .await
                        .map_err(from_sqlx)?;
                    sqlx::query_scalar::<_, i64>("PRAGMA freelist_count")
                        .fetch_one(tx.conn())
                        .await
                        .map_err(from_sqlx)
                })
                .await?;
            if free == 0 || free >= last {
                return Ok(());
            }
            last = free;
        }
    }
}
