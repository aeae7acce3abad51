//! Reading a package: its manifest and all that it names, with every problem and its place.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use devrig_core::{Code, Error};
use nodejs_semver::{Range, Version};
use serde_json::Value;

use crate::hooks::Pattern;
use crate::info::Problem;
use crate::manifest::{Capabilities, Connect, Hook, Manifest, Raw};
use crate::package::{self, Entry};
use crate::permission::{Kind, Permission};
use crate::position::Positions;
use crate::schema::Schema;
use crate::text::shown;

/// Where a manifest is looked for, in this order.
const MANIFEST: &str = "devrig-plugin.json";
const PACKAGE: &str = "package.json";
/// Of a manifest or a schema.
const MAX_JSON: u64 = 1024 * 1024;
const MAX_PROBLEMS: usize = 50;

/// A package that was read: without problems it can be installed.
#[derive(Debug)]
pub struct Checked {
    pub manifest: Option<Manifest>,
    pub entries: Vec<Entry>,
    pub problems: Vec<Problem>,
}

impl Checked {
    /// The manifest, or the first problem as an error.
    pub fn into_manifest(self) -> Result<(Manifest, Vec<Entry>), Error> {
        match (self.manifest, self.problems.first()) {
            (Some(manifest), None) => Ok((manifest, self.entries)),
            (_, problem) => Err(manifest_error(problem)),
        }
    }
}

fn manifest_error(problem: Option<&Problem>) -> Error {
    let Some(problem) = problem else {
        return Error::internal("a manifest without problems was not read");
    };
    let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
    let field = problem.field.as_deref().filter(|field| !field.is_empty());
    let field = field.map(|field| format!(" {field}")).unwrap_or_default();
    let mut error = Error::new(
        Code::InvalidManifest,
        format!("{}{line}{field}: {}", problem.file, problem.message),
    );
    error.details = serde_json::to_value(problem).ok().map(Box::new);
    error.hint = problem.hint.clone().or(Some("`devrig plugin check` lists every problem.".into()));
    error
}

/// Reads the package in `folder` for a DevRig of this version. Runs nothing of it.
pub fn check(folder: &Path, devrig: &str) -> Checked {
    let mut check = Check {
        folder,
        file: MANIFEST,
        prefix: String::new(),
        positions: Positions::default(),
        problems: Vec::new(),
    };
    let entries = match package::files(folder) {
        Ok(entries) => entries,
        Err(refused) => {
            check.problems.push(Problem {
                file: if refused.path.is_empty() { ".".into() } else { refused.path },
                line: None,
                column: None,
                field: None,
                message: refused.message,
                hint: Some(refused.hint.to_owned()),
            });
            return Checked { manifest: None, entries: Vec::new(), problems: check.problems };
        }
    };
    let manifest = check.manifest(&entries, devrig);
    let mut problems = check.problems;
    problems.truncate(MAX_PROBLEMS);
    Checked { manifest: manifest.filter(|_| problems.is_empty()), entries, problems }
}

struct Check<'a> {
    folder: &'a Path,
    file: &'static str,
    /// Before every pointer: `/devrig` in a package.json.
    prefix: String,
    positions: Positions,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, field: &str, message: impl Into<String>, hint: Option<&str>) {
        let pointer = format!("{}{field}", self.prefix);
        let place = self.positions.find(&pointer);
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            field: Some(pointer),
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    fn error(&mut self, field: &str, error: &Error) {
        self.problem(field, error.message.clone(), error.hint.as_deref());
    }

    fn manifest(&mut self, entries: &[Entry], devrig: &str) -> Option<Manifest> {
        let value = self.read(entries)?;
        let manifest = self.described(&value, entries, devrig);
        // Last, and only for fields that nothing better was said about.
        self.against_schema(&value);
        if manifest.is_none() && self.problems.is_empty() {
            self.problem("", "is not what a manifest is", None);
        }
        manifest
    }

    fn described(&mut self, value: &Value, entries: &[Entry], devrig: &str) -> Option<Manifest> {
        let raw: Raw = match serde_json::from_value(value.clone()) {
            Ok(raw) => raw,
            // The schema names the field, unless it is laxer than the code.
            Err(error) if manifest_schema().check(value).is_empty() => {
                self.problem("", error.to_string(), None);
                return None;
            }
            Err(_) => return None,
        };
        self.name_and_version(&raw, devrig);
        let main = self.main(&raw, entries);
        for (pointer, path) in named_files(value) {
            self.named_file(&pointer, &path, entries);
        }
        let mut capabilities = raw.capabilities.and(raw.legacy);
        self.capabilities(&capabilities);
        self.schemas(&mut capabilities, entries);
        let described = raw.settings_schema.is_some();
        let settings_schema = self.schema("/settingsSchema", raw.settings_schema, entries);
        let settings = match &settings_schema {
            // It is there and cannot be read: nothing more is said about it.
            None if described => None,
            None => Some(&Value::Null),
            schema => schema.as_ref(),
        };
        let permissions = self.permissions(&raw.permissions, settings, &capabilities);
        if let Some(connect) = &raw.connection {
            self.connection(connect, &permissions);
        }
        Some(Manifest {
            display_name: shown(raw.display_name.as_deref().unwrap_or(&raw.name), 80),
            description: shown(&raw.description, 500),
            author: shown(&raw.author.into_name(), 120),
            name: raw.name,
            version: raw.version,
            main,
            permissions,
            data_sources: capabilities.data_sources,
            actions: capabilities.actions,
            conditions: capabilities.conditions,
            hooks: capabilities.hooks,
            triggers: capabilities.triggers,
            settings_schema,
            connection: raw.connection,
        })
    }

    /// Reads in what capabilities say of their inputs and outputs.
    fn schemas(&mut self, capabilities: &mut Capabilities, entries: &[Entry]) {
        for action in &mut capabilities.actions {
            let at = |name: &str| format!("{}/{name}", action.at);
            let (input, output) = (at("inputSchema"), at("outputSchema"));
            action.input_schema = self.schema(&input, action.input_schema.take(), entries);
            action.output_schema = self.schema(&output, action.output_schema.take(), entries);
        }
        for condition in &mut capabilities.conditions {
            let at = format!("{}/configSchema", condition.at);
            condition.config_schema = self.schema(&at, condition.config_schema.take(), entries);
        }
        for trigger in &mut capabilities.triggers {
            let at = |name: &str| format!("{}/{name}", trigger.at);
            let (config, payload) = (at("configSchema"), at("payloadSchema"));
            trigger.config_schema = self.schema(&config, trigger.config_schema.take(), entries);
            trigger.payload_schema = self.schema(&payload, trigger.payload_schema.take(), entries);
        }
    }

    fn connection(&mut self, connect: &Connect, permissions: &[Permission]) {
        let usable = permissions.iter().any(|permission| match &permission.kind {
            Kind::Secret { name, .. } => *name == connect.secret,
            Kind::AnySecret => true,
            _ => false,
        });
        if !usable {
            let message = format!("names a secret that it may not use: {:?}", connect.secret);
            let hint = format!("Add \"secrets:{}\" to permissions.", connect.secret);
            self.problem("/connection/secret", message, Some(&hint));
        }
    }

    /// The manifest as JSON, wherever it is.
    fn read(&mut self, entries: &[Entry]) -> Option<Value> {
        let has = |name: &str| entries.iter().any(|entry| entry.path == name);
        if has(MANIFEST) {
            let value = self.json(MANIFEST)?;
            if let Some(package) = has(PACKAGE).then(|| self.folder_json(PACKAGE)).flatten() {
                self.same_name(&value, &package);
            }
            return Some(value);
        }
        if has(PACKAGE) {
            self.file = PACKAGE;
            let package = self.json(PACKAGE)?;
            if let Some(mut value) = package.get("devrig").cloned() {
                self.prefix = "/devrig".to_owned();
                self.same_name(&value, &package);
                if let Some(members) = value.as_object_mut() {
                    for name in ["name", "version", "description", "author", "license", "main"] {
                        if let Some(inherited) = package.get(name) {
                            members.entry(name).or_insert_with(|| inherited.clone());
                        }
                    }
                }
                return Some(value);
            }
            self.file = MANIFEST;
        }
        self.positions = Positions::default();
        let hint =
            "Name the folder that holds devrig-plugin.json, or a package.json with \"devrig\".";
        self.problem("", "is not there, so this is no plugin", Some(hint));
        None
    }

    fn same_name(&mut self, manifest: &Value, package: &Value) {
        let (ours, theirs) = (manifest.get("name"), package.get("name"));
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours != theirs
        {
            let message = "differs from the name in package.json";
            self.problem("/name", message, Some("Give both the same name."));
        }
    }

    fn folder_json(&self, path: &str) -> Option<Value> {
        serde_json::from_slice(&package::read(self.folder, path, MAX_JSON).ok()?).ok()
    }

    fn json(&mut self, path: &'static str) -> Option<Value> {
        let text = match package::read(self.folder, path, MAX_JSON).map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => {
                self.problem("", "is not UTF-8 text", Some("Save it as UTF-8."));
                return None;
            }
            Err(error) => {
                self.error("", &error);
                return None;
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        self.positions = Positions::of(text);
        match serde_json::from_str(text) {
            Ok(value) => Some(value),
            Err(error) => {
                let number = |n: usize| u32::try_from(n).ok().filter(|&n| n > 0);
                self.problems.push(Problem {
                    file: self.file.to_owned(),
                    line: number(error.line()),
                    column: number(error.column()),
                    field: None,
                    message: format!("is not JSON: {error}"),
                    hint: Some("JSON has no comments and no trailing commas.".into()),
                });
                None
            }
        }
    }

    fn against_schema(&mut self, value: &Value) {
        for wrong in manifest_schema().check(value) {
            let field = format!("{}{}", self.prefix, wrong.field);
            let told = |problem: &Problem| {
                let told = problem.field.as_deref().unwrap_or_default();
                told == field || told.starts_with(&format!("{field}/"))
            };
            if !self.problems.iter().any(told) {
                self.problem(&wrong.field, wrong.message, None);
            }
        }
    }

    fn name_and_version(&mut self, raw: &Raw, devrig: &str) {
        if matches!(raw.name.as_str(), "engine" | "flows" | "import") {
            self.problem("/name", "is a name that DevRig uses itself", Some("Choose another."));
        }
        if Version::parse(&raw.version).is_err() || raw.version.len() > 64 {
            self.problem("/version", "is no version", Some("Write it as 1.2.3."));
        }
        match (Range::parse(&raw.engine), Version::parse(devrig)) {
            (Err(_), _) => {
                let hint = "Write it as npm does, such as >=0.1.0 or ^1.2.0.";
                self.problem("/engine", "is no range of versions", Some(hint));
            }
            // A development build of 1.2.0 is as good as 1.2.0.
            (Ok(range), Ok(version)) if !range.satisfies_with_prerelease(&version, true) => {
                let message = format!(
                    "the plugin works with DevRig {}, and this is {devrig}",
                    shown(&raw.engine, 60)
                );
                self.problem("/engine", message, Some("Update the plugin or DevRig."));
            }
            _ => {}
        }
    }

    fn main(&mut self, raw: &Raw, entries: &[Entry]) -> Option<String> {
        let Some(main) = &raw.main else {
            let hint = Some("Name the bundled entry module, such as dist/index.js.");
            self.problem("/main", "is missing", hint);
            return None;
        };
        let path = self.named_file("/main", main, entries)?;
        if !package::is_module(&path) {
            let hint = Some("Only JavaScript modules are run, never native or compiled files.");
            self.problem("/main", "is no .js or .mjs file", hint);
            return None;
        }
        match package::read(self.folder, &path, package::MAX_BYTES) {
            Ok(bytes) if is_source(&bytes) => Some(path),
            Ok(_) => {
                let hint = Some("Ship JavaScript source; compiled bytecode is never loaded.");
                self.problem("/main", format!("{path} is not UTF-8 text"), hint);
                None
            }
            Err(error) => {
                self.error("/main", &error);
                None
            }
        }
    }

    /// A path of the manifest that must be a file of the package.
    fn named_file(&mut self, field: &str, path: &str, entries: &[Entry]) -> Option<String> {
        let Some(inside) = package::inside(path) else {
            let message = format!("{:?} leads out of the package", shown(path, 200));
            self.problem(
                field,
                message,
                Some("Name a file in the package, such as ./schema.json."),
            );
            return None;
        };
        if entries.iter().any(|entry| entry.path == inside) {
            return Some(inside);
        }
        let message = format!("{:?} is not in the package", shown(path, 200));
        self.problem(field, message, Some("Build the plugin, and check the path."));
        None
    }

    /// A schema, inline or in a file, that is one and refers to nothing outside.
    fn schema(&mut self, field: &str, given: Option<Value>, entries: &[Entry]) -> Option<Value> {
        let schema = match given? {
            Value::String(path) => {
                // A missing file has been told of already.
                let inside = package::inside(&path)?;
                entries.iter().find(|entry| entry.path == inside)?;
                match self.folder_json(&inside) {
                    Some(schema) => schema,
                    None => {
                        self.problem(field, format!("{inside} is not JSON"), None);
                        return None;
                    }
                }
            }
            inline => inline,
        };
        match Schema::new(&schema) {
            Ok(_) => Some(schema),
            Err(error) => {
                self.error(field, &error);
                None
            }
        }
    }

    fn capabilities(&mut self, capabilities: &Capabilities) {
        let mut seen = HashSet::new();
        for (index, source) in capabilities.data_sources.iter().enumerate() {
            let at = format!("/capabilities/dataSources/{index}");
            self.id(&format!("{at}/id"), &source.id, &mut seen);
        }
        let mut seen = HashSet::new();
        for action in &capabilities.actions {
            let at = &action.at;
            self.id(&id_of(at), &action.id, &mut seen);
            if let Some(reverse) = &action.reverse
                && !capabilities.actions.iter().any(|other| other.id == *reverse)
            {
                let message = format!("{:?} is no action of this plugin", shown(reverse, 100));
                self.problem(&format!("{at}/reverse"), message, None);
            }
        }
        let mut seen = HashSet::new();
        for condition in &capabilities.conditions {
            self.id(&id_of(&condition.at), &condition.id, &mut seen);
        }
        self.hooks(&capabilities.hooks);
        let mut seen = HashSet::new();
        for trigger in &capabilities.triggers {
            self.id(&id_of(&trigger.at), &trigger.id, &mut seen);
            // Nobody can pass a config to one that is not asked.
            if trigger.poll_interval_ms.is_none() && trigger.config_schema.is_some() {
                let hint = "Give it pollIntervalMs, or let entry conditions of flows choose.";
                let at = format!("{}/configSchema", trigger.at);
                self.problem(&at, "is of a trigger that is not polled", Some(hint));
            }
        }
    }

    fn hooks(&mut self, hooks: &[Hook]) {
        let mut seen = HashSet::new();
        for (index, hook) in hooks.iter().enumerate() {
            let at = format!("/capabilities/hooks/{index}");
            self.id(&format!("{at}/id"), &hook.id, &mut seen);
            if !hook.before && !hook.after {
                let hint = Some("Give it \"before\": true, \"after\": true, or both.");
                self.problem(&at, "is asked neither before nor after", hint);
            }
            for (index, pattern) in hook.actions.iter().enumerate() {
                if let Err(error) = Pattern::parse(pattern) {
                    self.error(&format!("{at}/actions/{index}"), &error);
                }
            }
        }
    }

    fn id<'a>(&mut self, field: &str, id: &'a str, seen: &mut HashSet<&'a str>) {
        if !seen.insert(id) {
            self.problem(field, format!("{:?} is there twice", shown(id, 100)), None);
        }
    }

    fn permissions(
        &mut self,
        texts: &[String],
        settings_schema: Option<&Value>,
        capabilities: &Capabilities,
    ) -> Vec<Permission> {
        let mut permissions: Vec<Permission> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let at = format!("/permissions/{index}");
            let permission = match Permission::parse(text) {
                Ok(permission) => permission,
                Err(error) => {
                    self.error(&at, &error);
                    continue;
                }
            };
            if let (Some(setting), Some(schema)) = (permission.setting(), settings_schema)
                && schema.pointer(&format!("/properties/{setting}")).is_none()
            {
                let message = format!("there is no setting {setting:?}");
                self.problem(&at, message, Some("Describe it in settingsSchema."));
            }
            if permissions.iter().any(|other| other.text == permission.text) {
                self.problem(&at, "is there twice", None);
            }
            permissions.push(permission);
        }
        let has = |kind: &Kind| permissions.iter().any(|permission| permission.kind == *kind);
        if !capabilities.data_sources.is_empty() && !has(&Kind::InboxWrite) {
            let message = "data sources need the permission inbox:write";
            self.problem("/permissions", message, Some("Add \"inbox:write\"."));
        }
        if !capabilities.hooks.is_empty() && !has(&Kind::FlowHooks) {
            let message = "hooks need the permission flows:hooks";
            self.problem("/permissions", message, Some("Add \"flows:hooks\"."));
        }
        permissions
    }
}

/// The field that names a capability: `type` in the legacy form.
fn id_of(at: &str) -> String {
    let name = if at.starts_with("/capabilities/") { "id" } else { "type" };
    format!("{at}/{name}")
}

/// Text, and not an engine's bytecode under a script's name.
fn is_source(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0)
}

/// Every file that capabilities name, beside `main` and the schemas' own reading.
fn named_files(manifest: &Value) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for name in ["icon", "settingsSchema"] {
        if let Some(path) = manifest.get(name).and_then(Value::as_str) {
            files.push((format!("/{name}"), path.to_owned()));
        }
    }
    let empty = serde_json::Map::new();
    let capabilities = manifest.get("capabilities").and_then(Value::as_object).unwrap_or(&empty);
    let legacy = ["triggers", "actions", "conditions"]
        .iter()
        .filter_map(|kind| Some((format!("/{kind}"), manifest.get(kind)?)));
    let listed = capabilities
        .iter()
        .map(|(kind, list)| (format!("/capabilities/{}", crate::position::escape(kind)), list))
        .chain(legacy);
    for (at, list) in listed {
        for (index, one) in list.as_array().into_iter().flatten().enumerate() {
            for name in ["configSchema", "inputSchema", "outputSchema", "payloadSchema"] {
                if let Some(path) = one.get(name).and_then(Value::as_str) {
                    files.push((format!("{at}/{index}/{name}"), path.to_owned()));
                }
            }
            let prompts = one.get("promptTemplates").and_then(Value::as_object);
            for (stage, path) in prompts.into_iter().flatten() {
                if let Some(path) = path.as_str() {
                    let stage = crate::position::escape(stage);
                    files.push((format!("{at}/{index}/promptTemplates/{stage}"), path.to_owned()));
                }
            }
        }
    }
    files
}

/// The published schema of the manifest.
fn manifest_schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
        Schema::own(include_str!("../../../../plugins/sdk/devrig-plugin.schema.json"))
    });
    &SCHEMA
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn good() -> Value {
        json!({
            "name": "hello", "version": "0.1.0", "displayName": "Hello", "engine": ">=0.1.0",
            "main": "dist/index.js",
            "permissions": ["inbox:write", "network:{settings.base}", "flows:hooks"],
            "capabilities": {
                "dataSources": [{ "id": "hello.items", "name": "Items" }],
                "actions": [{ "id": "hello.close", "name": "Close", "inputSchema": "in.json" }],
                "triggers": [{ "id": "hello.opened", "name": "Opened", "pollIntervalMs": 60_000 }],
                "conditions": [{ "id": "hello.open", "name": "Open", "configSchema": {} }],
                "hooks": [{ "id": "hello.guard", "name": "Guard", "actions": ["http.*"], "before": true }],
            },
            "settingsSchema": { "properties": { "base": { "type": "string" } } },
        })
    }

    fn checked(manifest: &Value) -> Checked {
        let text = serde_json::to_string_pretty(manifest).unwrap();
        let folder = package(&[
            ("devrig-plugin.json", text.as_bytes()),
            ("dist/index.js", b"export default {}"),
            ("in.json", b"{\"type\": \"object\"}"),
            ("bad.json", b"{\"$ref\": \"http://evil.test/\"}"),
            ("code.js", b"\x02\x05qbc1\0\0"),
        ]);
        check(folder.path(), "0.1.0")
    }

    #[test]
    fn a_good_package_is_read_with_its_schemas() {
        let checked = checked(&good());
        assert_eq!(checked.problems, []);
        let (manifest, entries) = checked.into_manifest().unwrap();
        assert_eq!(manifest.main.as_deref(), Some("dist/index.js"));
        assert_eq!(manifest.actions[0].input_schema, Some(json!({ "type": "object" })));
        assert_eq!(manifest.data_sources[0].default_sync_interval_ms, 300_000.0);
        assert_eq!(entries.len(), 5);
    }

    #[test]
    fn every_problem_names_its_field_and_line() {
        for (pointer, value, field, says) in [
            ("/name", json!("Hello"), "/name", "match"),
            ("/name", json!("import"), "/name", "itself"),
            ("/name", json!("flows"), "/name", "itself"),
            ("/version", json!("one"), "/version", "no version"),
            ("/engine", json!(">=2"), "/engine", "this is 0.1.0"),
            ("/engine", json!("soon"), "/engine", "no range"),
            ("/main", json!("../../etc/passwd"), "/main", "leads out"),
            ("/main", json!("gone.js"), "/main", "not in the package"),
            ("/main", json!("in.json"), "/main", "no .js"),
            ("/main", json!("code.js"), "/main", "not UTF-8 text"),
            ("/permissions", json!(["flows:hooks"]), "/permissions", "inbox:write"),
            ("/permissions", json!(["inbox:write"]), "/permissions", "flows:hooks"),
            ("/permissions/1", json!("everything"), "/permissions/1", "not known"),
            ("/permissions/1", json!("network:{settings.x}"), "/permissions/1", "no setting"),
            ("/permissions/1", json!("inbox:write"), "/permissions/1", "twice"),
            ("/permissions/1", json!(7), "/permissions/1", "not valid"),
            ("/settingsSchema", json!("bad.json"), "/settingsSchema", "not part of it"),
            ("/settingsSchema", json!("gone.json"), "/settingsSchema", "not in the package"),
            ("/settingsSchema", json!({ "type": 1 }), "/settingsSchema", "not a JSON Schema"),
            (
                "/capabilities/actions/0/inputSchema",
                json!("/etc/passwd"),
                "/capabilities/actions/0/inputSchema",
                "leads out",
            ),
            ("/capabilities/actions/0/id", json!("a b"), "/capabilities/actions/0/id", "match"),
            ("/capabilities/actions/0/name", json!(1), "/capabilities/actions/0/name", "type"),
            (
                "/capabilities/conditions/0/configSchema",
                json!("bad.json"),
                "/capabilities/conditions/0/configSchema",
                "not part of it",
            ),
            (
                "/capabilities/triggers/0/pollIntervalMs",
                json!(10),
                "/capabilities/triggers/0/pollIntervalMs",
                "minimum",
            ),
            (
                "/capabilities/triggers/0",
                json!({ "id": "hello.x", "name": "X", "configSchema": {} }),
                "/capabilities/triggers/0/configSchema",
                "not polled",
            ),
            (
                "/capabilities/conditions/0",
                json!({ "id": "hello.x", "name": "X", "inputSchema": {} }),
                "/capabilities/conditions/0/inputSchema",
                "",
            ),
            (
                "/capabilities/hooks/0/actions/0",
                json!("http.*.x"),
                "/capabilities/hooks/0/actions/0",
                "not at its end",
            ),
            ("/capabilities/hooks/0/actions", json!([]), "/capabilities/hooks/0/actions", ""),
            ("/capabilities/hooks/0/before", json!(false), "/capabilities/hooks/0", "neither"),
            ("/capabilities/hooks/0/before", json!(1), "/capabilities/hooks/0/before", "type"),
            (
                "/capabilities/actions/0",
                json!({ "id": "hello.x", "name": "X", "reverse": "hello.y" }),
                "/capabilities/actions/0/reverse",
                "no action",
            ),
        ] {
            let mut manifest = good();
            *manifest.pointer_mut(pointer).unwrap() = value.clone();
            let problems = checked(&manifest).problems;
            let found = problems.iter().find(|problem| problem.field.as_deref() == Some(field));
            let found = found.unwrap_or_else(|| panic!("{field} {value}: {problems:?}"));
            assert!(found.message.contains(says), "{field} {value}: {problems:?}");
            assert!(found.line > Some(1), "{found:?}");
            assert_eq!(problems.len(), 1, "said once: {problems:?}");
        }
    }

    #[test]
    fn broken_json_is_pointed_at() {
        let folder = package(&[("devrig-plugin.json", b"{\n  \"name\": \"a\",\n}")]);
        let problems = check(folder.path(), "0.1.0").problems;
        assert_eq!((problems[0].line, problems[0].column), (Some(3), Some(1)));
    }

    #[test]
    fn a_package_json_can_hold_the_manifest() {
        let mut manifest = good();
        let members = manifest.as_object_mut().unwrap();
        members.remove("version");
        members.remove("capabilities");
        let text = json!({ "name": "hello", "version": "2.0.0", "devrig": manifest }).to_string();
        let files: &[(&str, &[u8])] = &[("package.json", text.as_bytes()), ("dist/index.js", b"")];
        let (manifest, _) = check(package(files).path(), "0.1.0").into_manifest().unwrap();
        assert_eq!(manifest.version, "2.0.0");
        let other = text.replacen("hello", "other", 1);
        let files: &[(&str, &[u8])] = &[("package.json", other.as_bytes()), ("dist/index.js", b"")];
        let problems = check(package(files).path(), "0.1.0").problems;
        assert_eq!(problems[0].field.as_deref(), Some("/devrig/name"));
    }

    fn legacy() -> Value {
        json!({
            "name": "old", "version": "1.0.0", "displayName": "Old", "engine": ">=0.1.0",
            "main": "dist/index.js", "permissions": ["network", "secrets:read"],
            "triggers": [{ "type": "old.push", "name": "Push" }],
            "actions": [{ "type": "old.create", "name": "Create", "inputSchema": "./in.json" }],
            "conditions": [{ "type": "old.open", "name": "Open", "configSchema": "./in.json" }],
        })
    }

    #[test]
    fn the_legacy_form_loads() {
        let (manifest, _) = checked(&legacy()).into_manifest().unwrap();
        let schema = Some(json!({ "type": "object" }));
        assert_eq!(manifest.action("old.create").unwrap().input_schema, schema);
        assert_eq!(manifest.trigger("old.push").unwrap().name, "Push");
        assert_eq!(manifest.condition("old.open").unwrap().config_schema, schema);
        assert!(manifest.permissions.iter().all(Permission::is_wide));
    }

    #[test]
    fn a_problem_of_the_legacy_form_has_its_own_place() {
        let mut twice = legacy();
        twice["conditions"] = json!([twice["conditions"][0], twice["conditions"][0]]);
        let problems = checked(&twice).problems;
        assert_eq!(problems[0].field.as_deref(), Some("/conditions/1/type"), "{problems:?}");
    }
}
