//! What the checks of a definition are told of an action, and of a JSON Schema.

use devrig_core::{Error, Result};
use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::action::{Control, Does, Registered};
use crate::definition::{ActionShape, Call, Fault, port};

/// A schema's own sentence about a large value is cut.
const LONGEST: usize = 300;
/// Faults of an input that are told at once.
const MOST_FAULTS: usize = 5;

/// What is known of an action, with the config of one of its calls judged as far as this can be
/// done before its expressions have values.
pub fn of_call(action: &Registered, call: &Call) -> ActionShape {
    let chooses = matches!(action.does, Does::Control(Control::Branch));
    let ports = match &action.does {
        Does::Control(Control::Fail | Control::Break) => Vec::new(),
        Does::Control(Control::Wait) => ports_of_wait(call),
        _ if chooses => call.config.get("port").and_then(plain).into_iter().collect(),
        _ => vec![port::OUT.to_owned()],
    };
    let waits = matches!(action.does, Does::Control(Control::Wait));
    ActionShape {
        any_port: (chooses || waits) && ports.is_empty(),
        ports,
        raw: action.about.raw.iter().map(|field| (*field).to_owned()).collect(),
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

/// Holds an input against the schema of the manual trigger that takes it.
///
/// # Errors
/// `INVALID_INPUT` with the fields that do not fit, each with what is wrong.
pub fn check_input(trigger: &str, schema: &Value, input: &Value) -> Result<()> {
    let validator = jsonschema::validator_for(schema).map_err(|error| {
        Error::invalid(format!("the input schema of the trigger {trigger} is none: {error}"))
    })?;
    let wrong = validator.iter_errors(input).take(MOST_FAULTS);
    let wrong: Vec<String> = wrong.map(|error| in_words(&error)).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let message = format!("the input does not fit the trigger {trigger}: {}", wrong.join("; "));
    Err(Error::invalid(message).hint("`devrig flow show` has the schema of its input."))
}

fn in_words(error: &ValidationError<'_>) -> String {
    let fault = fault(error, String::new());
    match fault.at.trim_start_matches('.') {
        "" => fault.message,
        field => format!("{field}: {}", fault.message),
    }
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

/// None when what it waits for is known only when it runs.
fn ports_of_wait(call: &Call) -> Vec<String> {
    let what = call.config.get("for").and_then(Value::as_str).unwrap_or("time");
    let ports: &[&str] = match what {
        "approval" => &[port::APPROVED, port::REJECTED, port::TIMEOUT],
        "webhook" => &[port::OUT, port::TIMEOUT],
        "time" => &[port::OUT],
        _ => &[],
    };
    ports.iter().map(|port| (*port).to_owned()).collect()
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
    fn an_input_that_does_not_fit_is_told_by_its_fields() {
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "number": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
        }});
        let told = |input: Value| check_input("start", &schema, &input).map_err(|e| e.message);
        assert_eq!(told(json!({"name": "x", "number": 1})), Ok(()));
        let wrong = told(json!({"number": "one", "tags": ["a", 2]})).unwrap_err();
        assert!(wrong.starts_with("the input does not fit the trigger start: "), "{wrong}");
        for part in ["number: \"one\"", "tags[1]: 2", "\"name\" is a required"] {
            assert!(wrong.contains(part), "{part} in {wrong}");
        }
        assert!(check_input("start", &json!({"type": "nonsense"}), &json!(1)).is_err());
    }

    #[test]
    fn places_are_written_as_in_paths() {
        assert_eq!(place("/headers/0/x~1y"), ".headers[0][\"x/y\"]");
        assert_eq!(place(""), "");
    }
}
