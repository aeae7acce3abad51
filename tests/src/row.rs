//! One row of the hostile suite: a plugin that misbehaves on purpose, and what must come of it.

use serde_json::{Map, Value};

use crate::plugin::Package;

/// What is expected of a row, beside the standing oracle.
#[derive(Debug, Clone)]
pub(crate) enum Expect {
    /// The worker was ended, and the failure is the plugin's.
    Stopped,
    /// The sync failed with one of these codes.
    Fails(Vec<&'static str>),
    /// The sync went well: the plugin lives.
    Well,
    /// It was told this under that name.
    Found(String, Value),
    /// Everything that it tried was refused with one of these.
    AllRefused(Vec<&'static str>),
    /// The audit log has a record of that rule and verdict.
    Audit(String, &'static str),
    /// It was not installed, and the reason says this.
    NotInstalled(&'static str),
}

/// A plugin and its expected end. Its sync runs once, by itself, after the install.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub package: Package,
    /// The account gets a value for the secret `token`.
    pub secret: bool,
    pub(crate) expect: Vec<Expect>,
}

impl Row {
    /// A plugin whose sync runs `body`, with `sdk`, `cursor` and `ds` at hand. `attempt(name, f)`
    /// keeps what `f` gave under that name, or `!CODE` when it threw; what was kept is stored as
    /// an item in the end.
    pub fn new(name: &str, body: &str) -> Self {
        let code = format!(
            "devrig.activate((sdk) => {{
               sdk.dataSources.register('{name}.items', {{ async sync(cursor, ds) {{
                 const found = {{}};
                 const said = [];
                 const attempt = async (what, run) => {{
                   try {{ const value = await run(); found[what] = value === undefined ? null : value; }}
                   catch (error) {{
                     found[what] = '!' + (error === null ? 'null' : error.code ?? error.name);
                     if (error !== null) said.push(error.message + ' ' + (error.hint ?? ''));
                   }}
                 }};
                 {body}
                 await ds.storeItems([{{ externalId: 'found', type: 'note', title: 'found',
                   body: JSON.stringify({{ found, said }}) }}]);
                 return {{ cursor: 'c', itemCount: 1, hasMore: false }};
               }} }});
               sdk.actions.register('{name}.act', async () => ({{ success: true }}));
             }})"
        );
        Self::with_code(name, &code)
    }

    /// A plugin with a module of its own.
    pub fn with_code(name: &str, code: &str) -> Self {
        let package = Package::new(name, &["inbox:write"], code);
        Self { name: name.to_owned(), package, secret: false, expect: Vec::new() }
    }

    /// Further permissions, all of which are granted.
    #[must_use]
    pub fn may(mut self, permissions: &[&str]) -> Self {
        let declared = &mut self.package.manifest["permissions"];
        let list = declared.as_array_mut().expect("permissions are a list");
        list.extend(permissions.iter().map(|permission| Value::from(*permission)));
        self
    }

    #[must_use]
    pub fn file(mut self, path: &str, content: impl Into<Vec<u8>>) -> Self {
        self.package = self.package.file(path, content);
        self
    }

    #[must_use]
    pub fn with_secret(mut self) -> Self {
        self.secret = true;
        self
    }

    fn expects(mut self, expect: Expect) -> Self {
        self.expect.push(expect);
        self
    }

    /// The worker is killed in the plugin's name, with a record of a `budget` rule.
    #[must_use]
    pub fn stopped(self) -> Self {
        self.expects(Expect::Stopped).audited("budget", "stopped")
    }

    /// The worker is killed for another rule than a budget.
    #[must_use]
    pub fn stopped_for(self, rule: &str) -> Self {
        self.expects(Expect::Stopped).audited(rule, "stopped")
    }

    #[must_use]
    pub fn fails(self, codes: &[&'static str]) -> Self {
        self.expects(Expect::Fails(codes.to_vec()))
    }

    #[must_use]
    pub fn well(self) -> Self {
        self.expects(Expect::Well)
    }

    #[must_use]
    pub fn finds(self, what: &str, value: impl Into<Value>) -> Self {
        let row = self.expects(Expect::Found(what.to_owned(), value.into()));
        row.well()
    }

    #[must_use]
    pub fn all_refused(self, with: &[&'static str]) -> Self {
        self.expects(Expect::AllRefused(with.to_vec())).well()
    }

    /// `rule` is the whole rule, or its part before a colon.
    #[must_use]
    pub fn audited(self, rule: &str, verdict: &'static str) -> Self {
        self.expects(Expect::Audit(rule.to_owned(), verdict))
    }

    #[must_use]
    pub fn not_installed(self, reason: &'static str) -> Self {
        self.expects(Expect::NotInstalled(reason))
    }
}

/// What a row's plugin told in the end.
#[derive(Debug, Clone, Default)]
pub struct Found(pub Map<String, Value>);

impl Found {
    /// What was kept under a name; null when nothing was.
    pub fn at(&self, what: &str) -> &Value {
        self.0.get(what).unwrap_or(&Value::Null)
    }
}
