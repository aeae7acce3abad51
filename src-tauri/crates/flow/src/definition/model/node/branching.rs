//! The ways that a condition node chooses between.

use serde_json::{Value, json};

use crate::definition::model::{edge::read_port, port};
use crate::definition::wire::Object;

/// How a condition node chooses its port. Conditions are in the condition language.
#[derive(Debug, Clone, PartialEq)]
pub enum Branching {
    /// Ports `true` and `false`.
    If(Value),
    /// The port of the first case that holds, else `else`.
    Cases(Vec<Case>),
}

/// One way of several.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Case {
    pub port: String,
    pub condition: Value,
}

impl Default for Branching {
    fn default() -> Self {
        Self::Cases(Vec::new())
    }
}

impl Branching {
    /// The ports that it can choose, in their order.
    pub fn ports(&self) -> Vec<&str> {
        match self {
            Self::If(_) => vec![port::TRUE, port::FALSE],
            Self::Cases(cases) => {
                let named = cases.iter().map(|case| case.port.as_str());
                named.chain([port::ELSE]).collect()
            }
        }
    }

    pub(crate) fn read(config: &Object<'_>) -> Self {
        if config.has("cases") {
            config.refuse("condition", "the cases have their own");
            return Self::Cases(
                config.required("cases", |at| at.list(1..=100, |case| case.object(Case::read))),
            );
        }
        config.optional("cases", |_| ());
        Self::If(config.required("condition", |at| Value::Object(at.map())))
    }

    pub(crate) fn to_config(&self) -> Value {
        match self {
            Self::If(condition) => json!({ "condition": condition }),
            Self::Cases(cases) => {
                let case = |case: &Case| json!({ "port": case.port, "condition": case.condition });
                json!({ "cases": cases.iter().map(case).collect::<Vec<_>>() })
            }
        }
    }
}

impl Case {
    fn read(object: &Object<'_>) -> Self {
        Self {
            port: object.required("port", read_port),
            condition: object.required("condition", |at| Value::Object(at.map())),
        }
    }
}
