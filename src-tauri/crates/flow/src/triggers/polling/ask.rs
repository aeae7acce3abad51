//! One question, and what its answer says.

use devrig_core::Result;
use devrig_expr::Data;
use devrig_net::{Method, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Poll, feed};
use crate::actions::http;
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
    pub(super) async fn ask(&self, known: Option<&Validators>, masks: &Masks) -> Result<Answer> {
        let permissions = self.source.permissions().await?;
        let mut request = http::request(self.config(masks).await?)?;
        if let Some(known) = known {
            add(&mut request, known);
        }
        let flow = self.source.program.definition.id.as_str();
        let response = self.network.fetch(flow, &permissions, request).await?;
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

    async fn config(&self, masks: &Masks) -> Result<Value> {
        let definition = &self.source.program.definition;
        let own = self.source.access().roots(&self.input.reads, masks).await?;
        let flow = json!({ "id": definition.id, "name": definition.name });
        let variables = Value::Object(definition.variables.clone());
        let mut roots = vec![("flow", Data::from(&flow)), ("variables", Data::from(&variables))];
        roots.extend(own.iter().map(|(name, value)| (*name, Data::from(value))));
        self.input.resolve(&Data::object(roots))
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
