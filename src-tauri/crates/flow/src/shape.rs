//! What the checks of a definition are told of an action, and of a JSON Schema.

use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::action::{Control, Does, Registered};
use crate::definition::{ActionShape, Call, Fault, port};

/// A schema's own sentence about a large value is cut.
const LONGEST: usize = 300;

/// What is known of an action, with the config of one of its calls judged as far as this can be
/// done before its expressions have values.
pub fn of_call(action: &Registered, call: &Call) -> ActionShape {
    let chooses = matches!(action.does, Does::Control(Control::Branch));
    let ports = match &action.does {
        Does::Control(Control::Fail | Control::Break) => Vec::new(),
        _ if chooses => call.config.get("port").and_then(plain).into_iter().collect(),
        _ => vec![port::OUT.to_owned()],
    };
    ActionShape {
        any_port: chooses && ports.is_empty(),
        ports,
        takes_body: matches!(action.does, Does::Control(Control::Loop | Control::Parallel)),
        faults: faults(action, &Value::Object(call.config.clone())),
        ..ActionShape::default()
    }
}

/// What is wrong with a JSON Schema.
pub fn of_schema(schema: &Value) -> Option<Fault> {
    let hint = "Write it as JSON Schema has it; {} takes everything.";
    let error = match jsonschema::meta::validate(schema) {
        Err(error) => error,
        // A reference that leads nowhere is found only here.
        Ok(()) => jsonschema::validator_for(schema).err()?,
    };
    Some(fault(&error, hint.to_owned()))
}

fn faults(action: &Registered, config: &Value) -> Vec<Fault> {
    let name = action.about.name;
    let hint = format!("See what {name} takes: `devrig flow actions {name}`.");
    let wrong = action.validator().iter_errors(config).filter(|error| is_certain(error));
    wrong.map(|error| fault(&error, hint.clone())).collect()
}

/// What an expression stands for is not known yet, so it fits everything.
fn is_certain(error: &ValidationError<'_>) -> bool {
    let value = error.instance();
    if !has_expression(value) {
        return true;
    }
    let of_the_whole = matches!(
        error.kind(),
        Kind::Required { .. }
            | Kind::AdditionalProperties { .. }
            | Kind::UnevaluatedProperties { .. }
            | Kind::MinItems { .. }
            | Kind::MaxItems { .. }
            | Kind::Type { .. }
    );
    of_the_whole && !value.is_string()
}

fn has_expression(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(values) => values.iter().any(has_expression),
        Value::Object(fields) => fields.values().any(has_expression),
        _ => false,
    }
}

fn plain(port: &Value) -> Option<String> {
    port.as_str().filter(|port| !port.contains("{{")).map(str::to_owned)
}

fn fault(error: &ValidationError<'_>, hint: String) -> Fault {
    let at = place(error.instance_path().as_str());
    Fault { at, message: error.to_string().chars().take(LONGEST).collect(), hint }
}

/// `/headers/0/x~1y` as `.headers[0]["x/y"]`.
fn place(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~"));
    steps.map(|step| shown(&step)).collect()
}

fn shown(step: &str) -> String {
    let is = |good: fn(&char) -> bool| !step.is_empty() && step.chars().all(|c| good(&c));
    if is(char::is_ascii_digit) {
        format!("[{step}]")
    } else if is(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$')) {
        format!(".{step}")
    } else {
        format!("[{}]", Value::from(step))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::actions::builtin;

    fn shape(action: &str, config: Value) -> ActionShape {
        let Value::Object(config) = config else { panic!("a config is an object") };
        let call = Call { config, ..Call::new(action) };
        of_call(builtin().unwrap().get(action).unwrap(), &call)
    }

    fn places(action: &str, config: Value) -> Vec<String> {
        shape(action, config).faults.into_iter().map(|fault| fault.at).collect()
    }

    #[test]
    fn a_config_is_judged_as_far_as_its_expressions_let_it() {
        assert_eq!(places("flow.loop", json!({})), [""]);
        assert_eq!(places("flow.loop", json!({"items": 5, "concurrency": 0})).len(), 2);
        assert!(places("flow.loop", json!({"items": "{{nodes.a.output}}"})).is_empty());
        let more = json!({"items": "{{nodes.a.output}}", "itmes": "{{x}}"});
        assert_eq!(places("flow.loop", more), [""], "a name is wrong whatever its value");
        assert_eq!(places("http.respond", json!({"headers": {"x": 1}})), [".headers.x"]);
        let headers = json!({"headers": {"x": "{{trigger.id}}", "y": 1}, "status": 99});
        assert_eq!(places("http.respond", headers).len(), 2);
    }

    #[test]
    fn a_branch_chooses_the_port_that_its_config_names() {
        assert_eq!(shape("flow.branch", json!({"port": "left"})).ports, ["left"]);
        let open = shape("flow.branch", json!({"port": "{{trigger.payload.way}}"}));
        assert!(open.any_port && open.ports.is_empty());
        assert!(shape("flow.fail", json!({"message": "no"})).ports.is_empty());
        let each = shape("flow.loop", json!({"items": []}));
        assert!(each.takes_body && each.ports == ["out"] && !each.any_port);
    }

    #[test]
    fn a_schema_is_checked_itself() {
        assert_eq!(of_schema(&json!({"type": "object"})), None);
        assert_eq!(
            of_schema(&json!({"properties": {"a": {"type": "nmber"}}})).unwrap().at,
            ".properties.a.type"
        );
        assert!(of_schema(&json!({"$ref": "#/nowhere"})).is_some());
    }

    #[test]
    fn places_are_written_as_in_paths() {
        assert_eq!(place("/headers/0/x~1y"), ".headers[0][\"x/y\"]");
        assert_eq!(place(""), "");
    }
}
