//! Actions towards a source: an operation, a row here and a job, all in one transaction.

use devrig_core::{Origin, Result};
use devrig_store::Tx;

use crate::inbox::Inbox;

pub(crate) fn is_action(_detail: &str) -> bool {
    false
}

pub(crate) async fn withdraw(_tx: &mut Tx, _operation: i64, _origin: &Origin) -> Result<()> {
    Ok(())
}

pub(crate) async fn submit_again(
    _inbox: &Inbox,
    _tx: &mut Tx,
    _operation: i64,
    _origin: &Origin,
) -> Result<()> {
    Ok(())
}
