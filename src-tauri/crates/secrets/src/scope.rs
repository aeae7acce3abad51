//! Whose secret it is.

use devrig_core::id::AccountId;
use devrig_core::{Error, Result};

/// Secrets of one scope are invisible to every other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    Account(AccountId),
    /// Those that flows name.
    Flows,
    /// DevRig's own, such as the key of an AI provider.
    App,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Scope::Account(id) => write!(f, "account:{id}"),
            Scope::Flows => f.write_str("flows"),
            Scope::App => f.write_str("app"),
        }
    }
}

/// Names are part of what authenticates a value, so they are plain.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if name.is_empty() || name.len() > 128 || !name.chars().all(plain) {
        return Err(Error::invalid(format!("{name:?} cannot be the name of a secret"))
            .hint("Use up to 128 letters, digits, `_`, `-`, `.` and `:`, such as github_token."));
    }
    Ok(())
}
