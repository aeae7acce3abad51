//! The variables that a program is given.

use std::ffi::OsString;

use devrig_core::{Error, Result};
use serde_json::{Map, Value};

use crate::action::Context;

/// Where programs are when nobody says.
pub(super) const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The variable with the key of the attempt, by which a program that was left behind is found.
pub(super) const KEY: &str = "DEVRIG_KEY";

/// What programs need to act for the person, and that says little about them.
const PASSED_ON: &[&str] = &[
    "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ",
    "USER",
];

/// Variables that decide which code a program loads: whoever sets them runs whatever he likes.
const LOADING: &[&str] = &[
    "BASH_ENV",
    "ENV",
    "IFS",
    "NODE_OPTIONS",
    "PATH",
    "PERL5LIB",
    "PERL5OPT",
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "RUBYLIB",
    "RUBYOPT",
    "SHELLOPTS",
];
const LOADERS: &[&str] = &["BASH_FUNC_", "DYLD_", "GIT_", "LD_"];

/// All of them, those of the config over those that are passed on.
pub(super) fn variables(
    given: &Map<String, Value>,
    context: &Context<'_>,
) -> Result<Vec<(OsString, OsString)>> {
    let passed = PASSED_ON.iter().filter(|name| !given.contains_key(**name));
    let mut all: Vec<(OsString, OsString)> =
        passed.filter_map(|name| Some(((*name).into(), std::env::var_os(name)?))).collect();
    for (name, value) in given {
        check(name, context)?;
        let value = super::text(value);
        if value.contains('\0') {
            return Err(Error::invalid(format!("env.{name} has a null character in it")));
        }
        all.push((name.into(), value.into()));
    }
    all.push((KEY.into(), context.key.into()));
    Ok(all)
}

fn check(name: &str, context: &Context<'_>) -> Result<()> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Error::invalid(format!("env: {name:?} cannot name a variable")));
    }
    if LOADING.contains(&name) || LOADERS.iter().any(|begin| name.starts_with(begin)) {
        context.permissions.env(name)?;
    }
    Ok(())
}
