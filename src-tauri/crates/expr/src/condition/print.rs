//! A condition as JSON again; what is read from it is the same condition.

use serde_json::{Value, json};

use super::ask::Asks;
use super::check::Check;
use super::value_ref::{Named, ValueRef};
use super::{Condition, Node};
use crate::path::Path;

impl Condition {
    /// The canonical form, with every field written out.
    pub fn to_value(&self) -> Value {
        node(&self.root)
    }
}

impl serde::Serialize for Condition {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

fn node(condition: &Node) -> Value {
    match condition {
        Node::And(list) => json!({ "type": "and", "conditions": each(list, node) }),
        Node::Or(list) => json!({ "type": "or", "conditions": each(list, node) }),
        Node::Not(inner) => json!({ "type": "not", "condition": node(inner) }),
        Node::Check(check) => self::check(check),
        Node::Ask { asks, .. } => self::asks(asks),
    }
}

fn check(check: &Check) -> Value {
    match check {
        Check::Compare { left, operator, right } => json!({
            "type": "compare",
            "left": value(left),
            "operator": operator.name(),
            "right": value(right),
        }),
        Check::Exists(subject) => json!({ "type": "exists", "ref": value(subject) }),
        Check::Matches { subject, pattern } => {
            json!({ "type": "matches", "ref": value(subject), "pattern": pattern.as_str() })
        }
        Check::In { subject, values } => {
            json!({ "type": "in", "ref": value(subject), "values": values })
        }
    }
}

fn asks(asks: &Asks) -> Value {
    match asks {
        Asks::Custom { plugin_id, account_id, function, args } => {
            let mut custom = json!({
                "type": "custom",
                "pluginId": plugin_id,
                "functionName": function,
                "args": each(args, value),
            });
            if let Some(account) = account_id {
                custom["accountId"] = json!(account);
            }
            custom
        }
        Asks::Query { query, subject: None } => json!({ "type": "query", "query": query }),
        Asks::Query { query, subject: Some(subject) } => {
            json!({ "type": "query", "query": query, "ref": value(subject) })
        }
    }
}

fn value(reference: &ValueRef) -> Value {
    match reference {
        ValueRef::Literal(literal) => json!({ "type": "literal", "value": literal }),
        ValueRef::Cast { to, of } => json!({ "type": "cast", "to": to.name(), "ref": value(of) }),
        ValueRef::Read { named, path } => read(*named, path),
    }
}

fn read(named: Named, path: &Path) -> Value {
    let step = path.steps().get(1).map_or("", |step| step.name());
    match named {
        Named::Context => json!({ "type": "context", "path": path.to_string() }),
        Named::Env => json!({ "type": "env", "key": step }),
        Named::Secret => json!({ "type": "secret", "key": step }),
        Named::Node => {
            let rest = Path::new(path.steps().iter().skip(3).cloned());
            json!({ "type": "node", "nodeId": step, "path": rest.to_string() })
        }
    }
}

fn each<T>(list: &[T], write: fn(&T) -> Value) -> Vec<Value> {
    list.iter().map(write).collect()
}
