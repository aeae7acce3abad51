//! The watched folder of flows, as the settings have it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::Result;
use devrig_flow::definition::{self, Definition, Problem};
use devrig_flow::folder::{Folder, Judge, Settings};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::outside::Snapshot;
use crate::{Engine, settings};

pub(crate) const FOLDER: &str = "flows.folder";
pub(crate) const PUBLISH: &str = "flows.publishFiles";

/// Follows the folder until DevRig stops.
pub(crate) async fn follow(engine: Engine, stop: CancellationToken) {
    let (store, flows) = (engine.store().clone(), engine.flows().clone());
    Folder::new(store, flows, Arc::new(Here(engine))).follow(stop).await;
}

/// The folder, where one is set.
pub(crate) async fn folder(engine: &Engine) -> Result<Option<PathBuf>> {
    let value = settings::value(engine.store(), FOLDER).await?;
    let path = value.as_str().filter(|path| !path.is_empty());
    Ok(path.map(PathBuf::from))
}

/// What flows are judged by, here and now.
struct Here(Engine);

#[async_trait]
impl Judge for Here {
    async fn check(&self, definition: &Definition) -> Result<Vec<Problem>> {
        Ok(definition::check(definition, &Snapshot::of(&self.0, definition).await?))
    }

    async fn settings(&self) -> Result<Settings> {
        let publish = settings::value(self.0.store(), PUBLISH).await?;
        let publish = publish != Value::Bool(false);
        Ok(Settings { folder: folder(&self.0).await?, publish })
    }
}
