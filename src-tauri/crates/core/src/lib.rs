//! What every other room of DevRig shares: errors, ids, time, change rows, the notifier and the
//! messages that cross the wall between the core and a plugin worker. No I/O happens here.

pub mod change;
pub mod clock;
pub mod error;
pub mod frame;
pub mod id;
pub mod nearest;
pub mod notify;
pub mod protocol;
pub mod quiet;
pub mod sensitive;
pub mod snippet;

pub use change::{Actor, Change, ChangeKind, Origin, Tag};
pub use clock::{Clock, ManualClock, SharedClock, SystemClock, Timestamp};
pub use error::{Category, Code, Context, Error, Result};
pub use nearest::nearest;
pub use quiet::QuietHours;
pub use sensitive::Sensitive;
