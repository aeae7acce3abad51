//! Actions that wait for the disk: they run beside everything else, and learn when nobody waits for
//! them any more.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::{bounds, compute};
use crate::action::{About, Action, Actions, Context, Does, Stakes};
use crate::permissions::{Permissions, Wanted};

/// An action as a function that blocks.
pub(super) trait Blocking: Send + Sync + 'static {
    const ABOUT: About;
    type Config: DeserializeOwned + Send + 'static;

    fn run(config: Self::Config, scene: &Scene) -> Result<Value>;

    /// As [`Action::needs`].
    fn needs(config: &Map<String, Value>) -> Vec<Wanted>;

    /// As [`Action::stakes`].
    fn stakes(_input: &Value, usual: Stakes) -> Stakes {
        usual
    }
}

/// Around one call.
pub(super) struct Scene {
    pub permissions: Permissions,
    stop: CancellationToken,
}

impl Scene {
    /// # Errors
    /// `CANCELLED` when nobody waits for it any more.
    pub fn go_on(&self) -> Result<()> {
        match self.stop.is_cancelled() {
            true => Err(Error::new(Code::Cancelled, "nobody waits for it any more")),
            false => Ok(()),
        }
    }

    /// Whether nobody waits for it any more, for those who ask from elsewhere.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    #[cfg(test)]
    pub fn with(permissions: Permissions) -> Self {
        Self { permissions, stop: CancellationToken::new() }
    }

    #[cfg(test)]
    pub fn allowing(list: &[String]) -> Self {
        Self::with(list.iter().map(|text| text.parse().unwrap()).collect())
    }
}

/// What became of a task beside this one that did not come to its end. A panic there goes on here, so
/// that it is told as the defect that it is.
pub(crate) fn undone(error: JoinError, what: &str) -> Error {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Error::internal(format!("{what}: {error}")),
    }
}

pub(super) fn add<B: Blocking>(actions: &mut Actions) -> Result<()> {
    actions.add(B::ABOUT, Does::Work(Arc::new(Beside::<B>(PhantomData))))
}

struct Beside<B>(PhantomData<B>);

#[async_trait]
impl<B: Blocking> Action for Beside<B> {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config = serde_json::from_value(input).map_err(|error| compute::unread(&error))?;
        let scene =
            Scene { permissions: context.permissions.clone(), stop: context.token.child_token() };
        let _told = scene.stop.clone().drop_guard();
        let output = tokio::task::spawn_blocking(move || B::run(config, &scene)).await;
        let output = output.map_err(|error| undone(error, B::ABOUT.name))?;
        let output = output.map_err(|error| error.context(B::ABOUT.name))?;
        bounds::check(&output, "output")?;
        Ok(output)
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        B::needs(config)
    }

    fn stakes(&self, input: &Value, usual: Stakes) -> Stakes {
        B::stakes(input, usual)
    }
}
