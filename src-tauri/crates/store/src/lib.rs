//! One SQLite file in WAL mode: one writer that commits in groups, a pool of readers, embedded
//! migrations, the change feed, settings and the audit log.
//!
//! Only the owner process opens the file (DESIGN §4).

mod append;
mod appender;
pub mod audit;
pub mod backup;
mod checkpoint;
mod error;
mod feed;
mod group;
mod migrate;
mod open;
mod retention;
pub mod settings;
mod tx;

pub use append::{Batch, Bind};
pub use error::from_sqlx;
pub use feed::{ChangeRow, Subscriber};
pub use group::Store;
pub use open::{Durability, StoreOptions};
pub use tx::Tx;

/// A reading connection or a unit's transaction: what the functions of a table module take.
pub use sqlx::SqliteConnection;
