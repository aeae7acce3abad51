//! What one account may do now: declared in the manifest and granted by the person, with the
//! account's settings filled in. Pure decisions; the broker asks them at each call.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result};
use devrig_net::Grant;
use serde_json::Value;

use crate::permission::{self, Kind, Permission};
use crate::text::shown;

/// Permissions, grants and settings of one account.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub plugin: String,
    pub declared: Vec<Permission>,
    /// As the manifest writes them.
    pub granted: HashSet<String>,
    pub settings: Value,
}

/// A call that is not allowed.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub error: Error,
    /// The permission that the person could still grant.
    pub ungranted: Option<String>,
}

/// A folder permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Read,
    Fetch,
}

impl Access {
    fn holds(&self, permission: &Permission) -> bool {
        self.granted.contains(&permission.text)
    }

    fn held(&self) -> impl Iterator<Item = &Permission> {
        self.declared.iter().filter(|permission| self.holds(permission))
    }

    /// Passes when a permission that allows it is declared and granted. `asked` names it in the
    /// refusal.
    pub fn need(
        &self,
        asked: &str,
        allows: impl Fn(&Kind) -> bool,
    ) -> std::result::Result<(), Refused> {
        let mut fitting = self.declared.iter().filter(|permission| allows(&permission.kind));
        if fitting.clone().any(|permission| self.holds(permission)) {
            return Ok(());
        }
        let ungranted = fitting.next().map(|permission| permission.text.clone());
        Err(self.refusal(asked, ungranted))
    }

    fn refusal(&self, asked: &str, ungranted: Option<String>) -> Refused {
        let (plugin, asked) = (shown(&self.plugin, 100), shown(asked, 200));
        let (rule, hint) = match &ungranted {
            Some(text) => (
                "permission:not-granted",
                format!(
                    "Grant it on the plugins page, or with: devrig plugin grant {plugin} {text:?}"
                ),
            ),
            None => (
                "permission:not-declared",
                "Declare it under permissions in devrig-plugin.json.".to_owned(),
            ),
        };
        let message = format!("plugin {plugin}: needs the permission {asked}");
        let error = Error::new(Code::Refused, message)
            .hint(hint)
            .details(serde_json::json!({ "rule": rule }));
        Refused { error, ungranted }
    }

    pub fn any_network(&self) -> std::result::Result<(), Refused> {
        self.need("network:<host>", |kind| matches!(kind, Kind::Network(_) | Kind::AnyNetwork))
    }

    /// Where it may send requests. A setting that names nothing sensible grants nothing.
    pub fn network(&self) -> Vec<Grant> {
        self.held()
            .filter_map(|permission| permission.grants(&self.settings).ok())
            .flatten()
            .collect()
    }

    /// A declared host permission that is not granted and that this request would need.
    pub fn ungranted_network(&self, fits: impl Fn(&[Grant]) -> bool) -> Option<String> {
        self.declared
            .iter()
            .filter(|permission| !self.holds(permission))
            .find(|permission| permission.grants(&self.settings).is_ok_and(|grants| fits(&grants)))
            .map(|permission| permission.text.clone())
    }

    /// May it use the secret? Gives the hosts that the secret is bound to.
    pub fn secret(&self, name: &str) -> std::result::Result<Vec<Grant>, Refused> {
        self.need(&format!("secrets:{name}"), |kind| match kind {
            Kind::Secret { name: known, .. } => known == name,
            Kind::AnySecret => true,
            _ => false,
        })?;
        let mut bound = Vec::new();
        for permission in self.held() {
            match &permission.kind {
                Kind::Secret { name: known, host: Some(host) } if known == name => {
                    bound.extend(permission::grants(host, &self.settings).unwrap_or_default());
                }
                Kind::Secret { name: known, host: None } if known == name => {
                    bound.extend(self.network());
                }
                Kind::AnySecret => bound.extend(self.network()),
                _ => {}
            }
        }
        Ok(bound)
    }

    pub fn reveal(&self, name: &str) -> std::result::Result<(), Refused> {
        self.need(
            &format!("secrets:reveal:{name}"),
            |kind| matches!(kind, Kind::SecretReveal(known) if known == name),
        )
    }

    /// The folders that are granted, as the person wrote them.
    pub fn folders(&self, verb: Verb) -> std::result::Result<Vec<PathBuf>, Refused> {
        let fits = |kind: &Kind| match verb {
            Verb::Read => matches!(kind, Kind::GitRead(_)),
            Verb::Fetch => matches!(kind, Kind::GitFetch(_)),
        };
        let asked = match verb {
            Verb::Read => "git:read:<folder>",
            Verb::Fetch => "git:fetch:<folder>",
        };
        self.need(asked, fits)?;
        let held = self.held().filter(|permission| fits(&permission.kind));
        Ok(held.flat_map(|permission| permission.folders(&self.settings)).collect())
    }

    /// The refusal for a path outside of every granted folder.
    pub fn outside(&self, verb: Verb, path: &Path) -> Refused {
        let asked = match verb {
            Verb::Read => format!("git:read:{}", path.display()),
            Verb::Fetch => format!("git:fetch:{}", path.display()),
        };
        self.refusal(&asked, None)
    }

    /// Permissions in force, as the manifest writes them and in its order.
    pub fn in_force(&self) -> Vec<String> {
        self.held().map(|permission| permission.text.clone()).collect()
    }

    /// Why nothing can be synced before the person has done something.
    pub fn waits_for_grants(&self, needs_inbox: bool) -> Option<String> {
        if self.declared.is_empty() || self.held().next().is_none() {
            return (!self.declared.is_empty()).then(|| "It needs your permissions.".to_owned());
        }
        let allowed = self.need("inbox:write", |kind| *kind == Kind::InboxWrite).is_ok();
        (needs_inbox && !allowed).then(|| "It needs your permission to store items.".to_owned())
    }
}

/// Checks a plugin's settings against what its permissions make of them.
///
/// # Errors
/// `INVALID_INPUT` naming the setting that cannot be granted.
pub(crate) fn check_settings(declared: &[Permission], settings: &Value) -> Result<()> {
    for permission in declared {
        let Some(setting) = permission.setting() else { continue };
        let wrong = |error: Error| {
            let field = serde_json::json!({ "field": format!("/{setting}") });
            error.context(format!("the setting {setting}")).details(field)
        };
        permission.grants(settings).map_err(wrong)?;
        if let Kind::GitRead(_) | Kind::GitFetch(_) = permission.kind {
            let given = match settings.get(setting) {
                Some(Value::String(_)) => 1,
                Some(Value::Array(values)) => values.len(),
                _ => 0,
            };
            if permission.folders(settings).len() < given {
                let error = Error::invalid("it names no folder")
                    .hint("Give whole paths, such as /home/me/code.");
                return Err(wrong(error));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn access(declared: &[&str], granted: &[&str], settings: Value) -> Access {
        Access {
            plugin: "p".into(),
            declared: declared.iter().map(|text| Permission::parse(text).unwrap()).collect(),
            granted: granted.iter().map(|text| (*text).to_owned()).collect(),
            settings,
        }
    }

    fn texts(grants: &[Grant]) -> Vec<String> {
        grants.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn declared_and_granted_are_both_needed() {
        let storage = |kind: &Kind| *kind == Kind::Storage;
        let refused = |declared: &[&str], granted: &[&str]| {
            access(declared, granted, json!({})).need("storage", storage).unwrap_err()
        };
        assert!(access(&["storage"], &["storage"], json!({})).need("storage", storage).is_ok());
        assert_eq!(refused(&["storage"], &[]).ungranted.as_deref(), Some("storage"));
        assert_eq!(refused(&[], &["storage"]).ungranted, None, "a grant alone is nothing");
        assert!(refused(&[], &[]).error.hint.unwrap().contains("Declare"));
    }

    #[test]
    fn a_secret_is_bound_to_the_plugins_hosts_or_to_its_own() {
        let all = ["network:a.test", "network:b.test", "secrets:one", "secrets:two@b.test"];
        let access = access(&all, &all, json!({}));
        assert_eq!(texts(&access.secret("one").unwrap()), ["a.test", "b.test"]);
        assert_eq!(texts(&access.secret("two").unwrap()), ["b.test"]);
        assert!(access.secret("three").is_err());
        assert!(access.reveal("one").is_err());
    }

    #[test]
    fn a_template_stands_for_the_present_setting() {
        let all = ["network:{settings.base}"];
        let at = |settings: Value| texts(&access(&all, &all, settings).network());
        assert_eq!(at(json!({ "base": "https://git.test" })), ["git.test"]);
        assert_eq!(at(json!({})), Vec::<String>::new());
        assert_eq!(at(json!({ "base": "http://169.254.169.254" })), Vec::<String>::new());
    }

    #[test]
    fn settings_that_cannot_be_granted_are_refused_by_name() {
        let declared = [
            Permission::parse("network:{settings.base}").unwrap(),
            Permission::parse("git:read:{settings.folders}").unwrap(),
        ];
        for (settings, field) in [
            (json!({ "base": "http://169.254.169.254" }), "base"),
            (json!({ "folders": ["/a", "relative"] }), "folders"),
        ] {
            let error = check_settings(&declared, &settings).unwrap_err();
            assert!(error.message.contains(field), "{error}");
            assert_eq!(error.details.unwrap()["field"], format!("/{field}"));
        }
        let good = json!({ "base": "https://a.test", "folders": ["/a", "~/b"] });
        check_settings(&declared, &good).unwrap();
    }

    #[test]
    fn a_fresh_account_waits_and_an_update_does_not() {
        let declared = ["inbox:write", "storage"];
        let waits = |granted: &[&str]| access(&declared, granted, json!({})).waits_for_grants(true);
        assert!(waits(&[]).is_some());
        assert!(waits(&["storage"]).is_some());
        assert!(waits(&["inbox:write"]).is_none(), "a new permission is held, the rest goes on");
    }
}
