//! What the checks of a definition are told of an action, and of a JSON Schema.

use devrig_core::{Error, Result};
use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::action::{Control, Does, Effect, Registered};
use crate::definition::{ActionShape, Call, Fault, PluginTrigger, TriggerShape, port};
use crate::plugins::{PluginAccount, PluginAction, PluginActions};

/// A schema's own sentence about a large value is cut.
const LONGEST: usize = 300;
/// Faults of an input that are told at once.
const MOST_FAULTS: usize = 5;
/// Accounts that a hint lists.
const MOST_ACCOUNTS: usize = 10;

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

/// The same of an action that a plugin offers, if both are there.
pub fn of_plugin(call: &Call, plugins: &dyn PluginActions) -> Option<ActionShape> {
    let name = call.plugin_id.as_deref()?;
    let about = plugins.about(name, &call.action)?;
    let state = plugins.plugin(name).unwrap_or_default();
    Some(ActionShape {
        ports: vec![port::OUT.to_owned()],
        faults: of_config(&about, call),
        account: of_account(name, call.account_id.as_deref(), &state.accounts),
        asleep: state.stopped.map(asleep),
        writes: about.effect == Effect::Write,
        ..ActionShape::default()
    })
}

/// What is known of a trigger that a plugin brings, if both are there.
pub fn of_trigger(wanted: &PluginTrigger, plugins: &dyn PluginActions) -> Option<TriggerShape> {
    let name = &wanted.plugin_id;
    let state = plugins.plugin(name)?;
    let about = state.trigger(&wanted.trigger)?;
    let hint = format!("See what {} takes: `devrig plugin show {name}`.", wanted.trigger);
    let config = Value::Object(wanted.config.clone());
    Some(TriggerShape {
        faults: of_given(about.config.as_ref(), &config, &wanted.trigger, hint),
        account: of_account(name, wanted.account_id.as_deref(), &state.accounts),
        is_polled: about.poll_ms.is_some(),
        asleep: state.stopped.map(asleep),
    })
}

/// Why a plugin's trigger cannot fire as things stand.
pub(crate) fn trouble(wanted: &PluginTrigger, plugins: &dyn PluginActions) -> Option<Error> {
    let name = &wanted.plugin_id;
    let Some(state) = plugins.plugin(name) else {
        return Some(
            Error::not_found(format!("the plugin {name}"))
                .hint("Install it: `devrig plugin install`."),
        );
    };
    if let Some(stopped) = state.stopped {
        return Some(stopped);
    }
    if state.trigger(&wanted.trigger).is_none() {
        let what = format!("the trigger {} of {name}", wanted.trigger);
        return Some(Error::not_found(what).hint("Update the plugin, or choose another trigger."));
    }
    let fault = of_account(name, wanted.account_id.as_deref(), &state.accounts)?;
    Some(Error::invalid(fault.message).hint(fault.hint))
}

fn asleep(why: Error) -> Fault {
    Fault { at: String::new(), message: why.message, hint: why.hint.unwrap_or_default() }
}

fn of_config(about: &PluginAction, call: &Call) -> Vec<Fault> {
    let name = &call.action;
    let hint = format!("See what {name} takes: `devrig flow actions {name}`.");
    let mut config = call.config.clone();
    about.take_item(&mut config);
    of_given(about.input.as_ref(), &Value::Object(config), name, hint)
}

fn of_given(schema: Option<&Value>, given: &Value, name: &str, hint: String) -> Vec<Fault> {
    let is_empty = given.as_object().is_some_and(serde_json::Map::is_empty);
    match schema {
        None if is_empty => Vec::new(),
        None => vec![Fault { at: String::new(), message: format!("{name} takes no input"), hint }],
        // One that is no schema was refused with its plugin.
        Some(schema) => validator(schema)
            .map_or_else(|_| Vec::new(), |validator| certain(&validator, given, &hint)),
    }
}

/// What is wrong with the account of a plugin that is named, or with naming none.
pub fn of_account(plugin: &str, named: Option<&str>, accounts: &[PluginAccount]) -> Option<Fault> {
    let message = match (named, accounts) {
        (Some(id), _) if accounts.iter().any(|account| account.id == id) => return None,
        (None, [_]) => return None,
        (Some(id), _) => format!("the plugin `{plugin}` has no account `{id}`"),
        (None, []) => format!("the plugin `{plugin}` has no account"),
        (None, _) => format!("the plugin `{plugin}` has {} accounts", accounts.len()),
    };
    Some(Fault { at: String::new(), message, hint: listed(accounts) })
}

fn listed(accounts: &[PluginAccount]) -> String {
    let shown = accounts.iter().take(MOST_ACCOUNTS);
    let shown: Vec<String> =
        shown.map(|account| format!("{} ({})", account.id, account.name)).collect();
    match shown.is_empty() {
        true => "Add one: `devrig plugin account add`.".to_owned(),
        false => format!("Name one in accountId: {}.", shown.join(", ")),
    }
}

/// The first thing of a value that does not fit a plugin's schema.
pub fn first_wrong(schema: &Value, value: &Value) -> Option<String> {
    let validator = validator(schema).ok()?;
    validator.iter_errors(value).next().map(|error| in_words(&error))
}

/// Patterns without backtracking, and nothing fetched: a stranger wrote the schema.
fn validator(schema: &Value) -> Result<Validator, ValidationError<'_>> {
    let patterns = jsonschema::PatternOptions::regex();
    jsonschema::options().offline().with_pattern_options(patterns).build(schema)
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
    certain(action.validator(), config, &hint)
}

fn certain(validator: &Validator, config: &Value, hint: &str) -> Vec<Fault> {
    let wrong = validator.iter_errors(config).filter(|error| is_certain(error));
    wrong.map(|error| fault(&error, hint.to_owned())).collect()
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

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::action::Effect;
    use crate::actions::builtin;
    use crate::plugins::{PluginDeed, PluginState};

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

    /// The plugin `desk` with so many accounts.
    struct Desk(Vec<&'static str>);

    #[async_trait::async_trait]
    impl PluginActions for Desk {
        fn plugin(&self, name: &str) -> Option<PluginState> {
            let account = |id: &&str| PluginAccount { id: (*id).into(), name: format!("of {id}") };
            let accounts = self.0.iter().map(account).collect();
            let stopped = Some(Error::invalid("it is disabled").hint("Enable it."));
            let state = PluginState { stopped, accounts, ..PluginState::default() };
            (name == "desk").then_some(state)
        }

        fn about(&self, plugin: &str, action: &str) -> Option<PluginAction> {
            self.plugin(plugin)?;
            let input = json!({"type": "object", "required": ["title"], "properties": {
                "title": {"type": "string"}, "labels": {"type": "array"}}});
            let input = (action == "desk.open").then_some(input);
            let known = ["desk.open", "desk.close"].contains(&action);
            let (effect, idempotent, output) = (Effect::Write, false, None);
            known.then_some(PluginAction { effect, idempotent, input, output })
        }

        async fn perform(&self, _: PluginDeed, _: &CancellationToken) -> Result<Value> {
            Err(Error::internal("nothing is done here"))
        }
    }

    fn of_desk(action: &str, account: Option<&str>, config: Value) -> Option<ActionShape> {
        let Value::Object(config) = config else { panic!("a config is an object") };
        let (plugin_id, account_id) = (Some("desk".to_owned()), account.map(str::to_owned));
        let call = Call { config, plugin_id, account_id, ..Call::new(action) };
        of_plugin(&call, &Desk(vec!["one", "two"]))
    }

    #[test]
    fn a_config_for_a_plugin_is_judged_by_the_plugins_schema() {
        let faults = |action, config| of_desk(action, Some("one"), config).unwrap().faults;
        assert_eq!(faults("desk.open", json!({"title": "{{trigger.id}}"})), []);
        assert_eq!(faults("desk.open", json!({"title": "a", "labels": "{{trigger.id}}"})), []);
        let wrong = faults("desk.open", json!({"title": "a", "labels": 5}));
        assert_eq!((wrong.len(), wrong[0].at.as_str()), (1, ".labels"));
        assert!(faults("desk.open", json!({}))[0].message.contains("title"));
        assert_eq!(faults("desk.close", json!({})), []);
        assert_eq!(faults("desk.close", json!({"itemId": "{{trigger.payload.itemId}}"})), []);
        assert_eq!(faults("desk.close", json!({"x": 1}))[0].message, "desk.close takes no input");
        assert_eq!(of_desk("desk.dance", Some("one"), json!({})), None);
    }

    #[test]
    fn one_account_is_meant_and_of_several_one_is_named() {
        let account = |named| of_desk("desk.close", named, json!({})).unwrap().account;
        assert_eq!(account(Some("two")), None);
        let several = account(None).unwrap();
        assert_eq!(several.message, "the plugin `desk` has 2 accounts");
        assert_eq!(several.hint, "Name one in accountId: one (of one), two (of two).");
        assert!(account(Some("three")).unwrap().message.contains("no account `three`"));
        let call = Call { plugin_id: Some("desk".into()), ..Call::new("desk.close") };
        assert_eq!(of_plugin(&call, &Desk(vec!["one"])).unwrap().account, None);
        assert_eq!(
            of_plugin(&call, &Desk(vec!["one"])).unwrap().asleep.unwrap().hint,
            "Enable it."
        );
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
