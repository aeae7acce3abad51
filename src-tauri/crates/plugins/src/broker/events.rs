//! Events of a plugin's own namespace, and of others that the person granted.

use devrig_core::{Code, Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Broker, Desk, read};
use crate::permission::Kind;
use crate::text::shown;

const LONGEST_TOPIC: usize = 200;
const LARGEST_EVENT: usize = 64 * 1024;
const MOST_TOPICS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emit<'a> {
    topic: String,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    topic: String,
}

impl Broker {
    pub(super) fn emit(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Emit { topic, data } = read(params)?;
        let whole = whole(desk.plugin(), &topic)?;
        if !is_own(desk.plugin(), &whole) {
            return Err(refused(format!(
                "{:?} is not an event of this plugin, so it cannot send it",
                shown(&topic, 100)
            )));
        }
        let data = data.map_or("null", RawValue::get);
        if data.len() > LARGEST_EVENT {
            return Err(Error::new(Code::TooLarge, "an event holds at most 64 KB"));
        }
        let data: Value = serde_json::from_str(data)?;
        for seat in desk.core.seats() {
            // Accounts of one plugin are strangers to each other, unless that was granted.
            let own = seat.id == desk.seat.id;
            if own || (seat.plugin.name() != desk.plugin() && may_hear(&seat.access(), &whole)) {
                seat.deliver(&whole, &data);
            }
        }
        Ok(Value::Null)
    }

    pub(super) fn subscribe(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let Subscribe { topic } = read(params)?;
        let whole = whole(desk.plugin(), &topic)?;
        if !is_own(desk.plugin(), &whole) {
            desk.access
                .need(&format!("events:{whole}"), |kind| *kind == Kind::Events(whole.clone()))
                .map_err(|refused| self.refuse(desk, refused))?;
        }
        let mut topics = self.lock(&self.topics);
        if topics.len() >= MOST_TOPICS {
            return Err(Error::new(Code::QuotaExceeded, "a plugin listens to at most 100 topics"));
        }
        let names = topics.entry(whole).or_default();
        if !names.contains(&topic) {
            names.push(topic);
        }
        Ok(Value::Null)
    }
}

/// `saved` and `plugin:saved` are the same topic of that plugin.
fn whole(plugin: &str, topic: &str) -> Result<String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || c == '*';
    if topic.is_empty() || topic.len() > LONGEST_TOPIC || topic.contains(odd) {
        return Err(Error::invalid("a topic is one word of at most 200 bytes, such as saved")
            .hint("There are no patterns: name each topic."));
    }
    Ok(match topic.contains(':') {
        true => topic.to_owned(),
        false => format!("{plugin}:{topic}"),
    })
}

fn is_own(plugin: &str, whole: &str) -> bool {
    whole.strip_prefix(plugin).is_some_and(|rest| rest.starts_with(':'))
}

fn may_hear(access: &crate::access::Access, whole: &str) -> bool {
    access.need("events", |kind| *kind == Kind::Events(whole.to_owned())).is_ok()
}

fn refused(message: String) -> Error {
    Error::new(Code::Refused, message)
        .hint("Send events of your own namespace only.")
        .details(serde_json::json!({ "rule": "events:foreign-namespace" }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_whole_words() {
        for (topic, own) in [
            ("saved", true),
            ("hello:saved", true),
            ("hello2:saved", false),
            ("engine:started", false),
            (":saved", false),
        ] {
            assert_eq!(is_own("hello", &whole("hello", topic).unwrap()), own, "{topic}");
        }
        for topic in ["*", "engine:*", "", "a b"] {
            assert!(whole("hello", topic).is_err(), "{topic}");
        }
    }
}
