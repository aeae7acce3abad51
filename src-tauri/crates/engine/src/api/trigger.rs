//! What starts flows by itself.

use devrig_core::{Error, Result};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

/// A trigger of an enabled flow.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct TriggerInfo {
    pub flow: String,
    pub trigger: String,
    /// Such as `webhook`.
    pub kind: String,
    /// Why it does not fire, where it does not.
    pub error: Option<Error>,
    /// Where requests go, of a webhook that is open.
    pub url: Option<String>,
}

pub(super) async fn list(engine: &Engine, _: NoArgs) -> Result<Vec<TriggerInfo>> {
    let hearing = engine.hearing();
    let address = hearing.listener.address();
    let states = hearing.triggers.states().await;
    let shown = states.into_iter().map(|state| TriggerInfo {
        url: address
            .zip(state.path.filter(|_| state.error.is_none()))
            .map(|(address, path)| format!("http://{address}{path}")),
        flow: state.flow,
        trigger: state.trigger,
        kind: state.kind.to_owned(),
        error: state.error,
    });
    Ok(shown.collect())
}
