//! What a polling trigger asks.

use serde_json::{Map, Value};

use crate::definition::wire::{At, Object, Writer, words};

/// Who is asked, and what.
#[derive(Debug, Clone, PartialEq)]
pub enum PollingSource {
    /// A server. URL, headers and body are templates.
    Http { url: String, method: String, headers: Vec<(String, String)>, body: Option<Value> },
    /// An action of a plugin that only reads.
    Plugin {
        plugin_id: String,
        /// Absent: the plugin's only account.
        account_id: Option<String>,
        function_name: String,
        args: Vec<Value>,
    },
}

words! {
    SourceType {
        Http = "http",
        Plugin = "plugin",
    }
}

impl Default for PollingSource {
    fn default() -> Self {
        Self::Plugin {
            plugin_id: String::new(),
            account_id: None,
            function_name: String::new(),
            args: Vec::new(),
        }
    }
}

const USUAL_METHOD: &str = "GET";

impl PollingSource {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        match object.required("type", |at| at.word()) {
            SourceType::Http => Self::Http {
                url: object.required("url", |at| at.line(4_096)),
                method: object.or("method", USUAL_METHOD.to_owned(), read_method),
                headers: object.or("headers", Vec::new(), |at| {
                    at.fields(100, |header| header.any_text(8_192))
                }),
                body: object.optional("body", |at| at.any()),
            },
            SourceType::Plugin => Self::Plugin {
                plugin_id: object.required("pluginId", |at| at.line(214)),
                account_id: object.optional("accountId", |at| at.line(64)),
                function_name: object.required("functionName", |at| at.line(200)),
                args: object.or("args", Vec::new(), |at| at.list(0..=100, |arg| arg.any())),
            },
        }
    }

    pub(crate) fn to_map(&self) -> Map<String, Value> {
        let mut into = Writer::default();
        match self {
            Self::Http { url, method, headers, body } => {
                into.put("type", SourceType::Http);
                into.put("url", url);
                into.unless("method", method, &USUAL_METHOD.to_owned());
                if !headers.is_empty() {
                    let headers = headers.iter().cloned();
                    let headers = headers.map(|(name, value)| (name, Value::String(value)));
                    into.put("headers", headers.collect::<Map<_, _>>());
                }
                into.some("body", body);
            }
            Self::Plugin { plugin_id, account_id, function_name, args } => {
                into.put("type", SourceType::Plugin);
                into.put("pluginId", plugin_id);
                into.some("accountId", account_id);
                into.put("functionName", function_name);
                into.unless_empty("args", args);
            }
        }
        into.into_map()
    }
}

fn read_method(at: At<'_>) -> String {
    let method = at.line(20);
    if method.is_empty() || method.chars().all(|c| c.is_ascii_uppercase()) {
        return method;
    }
    at.wrong_value("is no method", "Write it in capitals, such as GET.")
}
