//! One question, and what its answer says.

use devrig_core::{Error, Result};
use devrig_net::{Method, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Asked, Poll, feed};
use crate::action::Effect;
use crate::actions::http;
use crate::definition::{PollingSource, input_of};
use crate::network::Network;
use crate::plugins::{PluginActions, PluginCall, PluginDeed};
use crate::secrets::Masks;

/// With which the server can tell that nothing is new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Validators {
    etag: Option<String>,
    modified: Option<String>,
}

/// What came back.
pub(super) enum Answer {
    /// The server says that nothing is new.
    Same,
    Said {
        value: Value,
        validators: Validators,
    },
}

/// Of a validator that is kept.
const LONGEST: usize = 1_000;
const NOT_MODIFIED: u16 = 304;

impl Poll {
    pub(super) async fn ask(
        &self,
        known: Option<&Validators>,
        masks: &Masks,
        stop: &CancellationToken,
    ) -> Result<Answer> {
        let config = self.source.resolved(&self.input, masks).await?;
        match &self.asked {
            Asked::Address(network) => self.fetch(network, config, known).await,
            Asked::Plugin(plugins) => {
                let value = self.function(&**plugins, config, stop).await?;
                Ok(Answer::Said { value, validators: Validators::default() })
            }
        }
    }

    async fn fetch(
        &self,
        network: &Network,
        config: Value,
        known: Option<&Validators>,
    ) -> Result<Answer> {
        let permissions = self.source.permissions().await?;
        let mut request = http::request(config)?;
        if let Some(known) = known {
            add(&mut request, known);
        }
        let flow = self.source.program.definition.id.as_str();
        let response = network.fetch(flow, &permissions, request).await?;
        if response.status == NOT_MODIFIED && known.is_some() {
            return Ok(Answer::Same);
        }
        http::check(&response)?;
        let validators = Validators {
            etag: kept(&response, "etag"),
            modified: kept(&response, "last-modified"),
        };
        Ok(Answer::Said { value: said(&response)?, validators })
    }

    /// Calls an action that only reads.
    async fn function(
        &self,
        plugins: &dyn PluginActions,
        config: Value,
        stop: &CancellationToken,
    ) -> Result<Value> {
        let PollingSource::Plugin { plugin_id, account_id, function_name, .. } =
            &self.definition.source
        else {
            return Err(Error::internal("not a function of a plugin"));
        };
        self.source.permissions().await?.plugin(plugin_id)?;
        let about = plugins.about(plugin_id, function_name);
        if about.is_some_and(|about| about.effect == Effect::Write) {
            let what = format!("{function_name} of {plugin_id} changes something");
            return Err(Error::invalid(what).hint("Ask an action that only reads."));
        }
        let args = config["args"].as_array().map(Vec::as_slice).unwrap_or_default();
        let input = input_of(args).ok_or_else(|| {
            Error::invalid(format!("{function_name} takes one argument, an object"))
        })?;
        let call = PluginCall {
            plugin: plugin_id.clone(),
            action: function_name.clone(),
            account: account_id.clone(),
        };
        let key = format!("{}/{}", self.source.program.definition.id, self.source.trigger);
        let (input, item, told_of) = (Value::Object(input), None, None);
        plugins.perform(PluginDeed { call, input, item, told_of, key, depth: 0 }, stop).await
    }
}

fn add(request: &mut Request, known: &Validators) {
    if request.method != Method::GET {
        return;
    }
    for (name, value) in [("if-none-match", &known.etag), ("if-modified-since", &known.modified)] {
        if let Some(value) = value
            && http::header(&request.headers, name).is_none()
        {
            request.headers.push((name.to_owned(), value.clone()));
        }
    }
}

fn kept(response: &Response, name: &str) -> Option<String> {
    let value = http::header(&response.headers, name)?;
    (value.len() <= LONGEST).then(|| value.to_owned())
}

/// A feed as JSON, anything else as a request's answer.
fn said(response: &Response) -> Result<Value> {
    let kind = http::header(&response.headers, "content-type").unwrap_or_default();
    let start = response.body.trim_ascii_start();
    if (kind.contains("xml") || start.starts_with(b"<"))
        && let Some(feed) = feed::read(&response.body)
    {
        return Ok(feed);
    }
    http::said(response)
}
