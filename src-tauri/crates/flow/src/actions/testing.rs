//! One attempt of an action that takes time, as the walk over a graph makes it.

use std::sync::Mutex;

use devrig_core::Result;
use devrig_expr::Data;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::action::{Actions, Context, Does, Level, Log};
use crate::permissions::Permissions;

/// What an action told.
#[derive(Default)]
pub(super) struct Said(pub Mutex<Vec<(Level, String)>>);

impl Log for Said {
    fn say(&self, level: Level, message: &str) {
        self.0.lock().unwrap().push((level, message.to_owned()));
    }
}

/// Runs an action in a flow that is allowed this, under the key `run/node`.
pub(super) async fn attempt(
    actions: &Actions,
    name: &str,
    allowed: &[String],
    config: Value,
    said: &Said,
) -> Result<Value> {
    let permissions: Permissions = allowed.iter().map(|text| text.parse().unwrap()).collect();
    let (nothing, token) = (Value::Null, CancellationToken::new());
    let data = Data::from(&nothing);
    let context = Context {
        flow: "flow",
        run: "run",
        node: "node",
        attempt: 1,
        key: "run/node",
        depth: 0,
        data: &data,
        permissions: &permissions,
        token: &token,
        log: said,
    };
    let registered = actions.get(name).unwrap();
    registered.check(&config)?;
    match &registered.does {
        Does::Work(action) => action.run(config, &context).await,
        _ => panic!("{name} takes no time"),
    }
}
