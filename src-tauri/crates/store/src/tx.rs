//! What a unit of writing gets: the connection inside its transaction, and what is to be written
//! or told with it.

use devrig_core::{Change, Timestamp};
use sqlx::SqliteConnection;

use crate::append::{Batch, Bind, Rows, Waiting};

/// One transaction of the writer. Dropping changes of mind is the writer's work: a unit that
/// returns an error leaves nothing behind.
pub struct Tx {
    pub(crate) conn: SqliteConnection,
    pub(crate) now: Timestamp,
    pub(crate) changes: Vec<Change>,
    pub(crate) appends: Waiting,
    pub(crate) after_commit: Vec<Box<dyn FnOnce() + Send>>,
}

impl Tx {
    /// Where statements run; pass it on to the functions of a table module.
    pub fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    /// The time of this group's commit, for rows that record it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Writes a change row with this transaction; subscribers hear of it after the commit.
    pub fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Appends rows to a table in multi-row statements at the end of the group, so this
    /// transaction's own reads do not see them. `into` is `INSERT INTO table (columns) `, `values`
    /// holds whole rows of `columns` values.
    pub fn append(&mut self, into: &'static str, columns: usize, values: Vec<Bind>) {
        self.appends.push(Rows { into, columns, values });
    }

    /// The rows and changes of a batch.
    pub fn add(&mut self, mut batch: Batch) {
        self.changes.append(&mut batch.changes);
        self.appends.add(batch);
    }

    /// Runs after the commit and not at all without one: waking a worker, for instance.
    pub fn after_commit(&mut self, run: impl FnOnce() + Send + 'static) {
        self.after_commit.push(Box::new(run));
    }

    pub(crate) fn forget(&mut self) {
        self.changes.clear();
        self.appends.clear();
        self.after_commit.clear();
    }
}
