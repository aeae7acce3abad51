//! Ids that people and devices see: cuid2 text, one type for each noun.

use serde::{Deserialize, Serialize};

/// A fresh cuid2, 24 lower-case letters and digits.
pub fn fresh() -> String {
    cuid2::create_id()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, specta::Type)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// A new id that no other row has.
            pub fn fresh() -> Self {
                Self(fresh())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

ids! {
    /// An item of the inbox.
    ItemId;
    /// A plugin as it is used: its settings, secrets, grants, cursors and items hang on it.
    AccountId;
    /// A plugin's name, as its manifest gives it.
    PluginId;
    /// One recorded change by the person, a rule or a source.
    OperationId;
    /// One unit of queued work.
    JobId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_ids_differ_and_are_plain_text() {
        let (a, b) = (ItemId::fresh(), ItemId::fresh());
        assert_ne!(a, b);
        assert!(a.as_str().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    }
}
