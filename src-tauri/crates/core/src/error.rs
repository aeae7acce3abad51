//! The one error that travels between crates, to the window, to guests and to scripts.
//!
//! Categories are those of the reference (§15.1); a retry policy reads the category and never
//! the text.

use serde::{Deserialize, Serialize};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// How an error is to be treated, whoever raised it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// May pass by itself: network trouble, rate limits.
    Transient,
    /// Will not pass: bad input, refused credentials.
    Permanent,
    /// Something is used up: disk, memory, a quota.
    Resource,
    /// Took longer than allowed.
    Timeout,
    /// The person or the shutdown ended it.
    Cancelled,
    /// A plugin broke its contract or crashed.
    Plugin,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $category:ident;)*) => {
        /// Machine-readable name of what went wrong. Add one when somebody branches on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
        pub enum Code {
            $($(#[$doc])* #[serde(rename = $text)] $name,)*
        }

        impl Code {
            /// Every code, for documentation and tests.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The name as it is written in JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text),* }
            }

            /// The category that decides on retry.
            pub fn category(self) -> Category {
                match self { $(Code::$name => Category::$category),* }
            }
        }
    };
}

codes! {
    /// An argument, file or message breaks its contract.
    InvalidInput = "INVALID_INPUT", Permanent;
    /// A search query cannot be parsed; `details.column` points at the place.
    InvalidQuery = "INVALID_QUERY", Permanent;
    /// A plugin's manifest is wrong; `details` holds file, line and field.
    InvalidManifest = "INVALID_MANIFEST", Permanent;
    NotFound = "NOT_FOUND", Permanent;
    /// It exists already, or changed in the meantime.
    Conflict = "CONFLICT", Permanent;
    /// Not granted, not allowed here.
    Refused = "REFUSED", Permanent;
    /// An expected "nothing to do", shown as a notice.
    NothingToDo = "NOTHING_TO_DO", Permanent;
    Unsupported = "UNSUPPORTED", Permanent;
    KeychainLocked = "KEYCHAIN_LOCKED", Transient;
    KeychainAbsent = "KEYCHAIN_ABSENT", Permanent;
    /// A stored secret does not decrypt under the present key.
    SecretUnreadable = "SECRET_UNREADABLE", Permanent;
    DiskFull = "DISK_FULL", Resource;
    ReadOnly = "READ_ONLY", Permanent;
    DatabaseCorrupt = "DATABASE_CORRUPT", Permanent;
    DatabaseNewer = "DATABASE_NEWER", Permanent;
    DatabaseBusy = "DATABASE_BUSY", Transient;
    Database = "DATABASE", Permanent;
    /// Another process owns the home folder.
    OwnerElsewhere = "OWNER_ELSEWHERE", Transient;
    /// The owner went away while it was answering.
    OwnerGone = "OWNER_GONE", Transient;
    /// The other side of the socket speaks another protocol version.
    ProtocolMismatch = "PROTOCOL_MISMATCH", Permanent;
    QuotaExceeded = "QUOTA_EXCEEDED", Resource;
    RateLimited = "RATE_LIMITED", Transient;
    Network = "NETWORK", Transient;
    /// A target of a flow kept failing and is left alone for a while.
    CircuitOpen = "CIRCUIT_OPEN", Transient;
    /// The upstream refused the credentials.
    Unauthorized = "UNAUTHORIZED", Permanent;
    Http = "HTTP", Transient;
    TooLarge = "TOO_LARGE", Resource;
    Timeout = "TIMEOUT", Timeout;
    Cancelled = "CANCELLED", Cancelled;
    PluginFailed = "PLUGIN_FAILED", Plugin;
    PluginStopped = "PLUGIN_STOPPED", Plugin;
    PluginQuarantined = "PLUGIN_QUARANTINED", Plugin;
    /// A snippet of a flow threw, does not parse, or returned no JSON; `details` has the place.
    CodeFailed = "CODE_FAILED", Permanent;
    /// A command of a flow ended as it should not have; `details` has its exit code and what it
    /// said.
    CommandFailed = "COMMAND_FAILED", Permanent;
    /// The system's sandbox is missing, so a third-party plugin does not start.
    SandboxMissing = "SANDBOX_MISSING", Permanent;
    Io = "IO", Transient;
    /// A flow's own node says that it failed.
    FlowFailed = "FLOW_FAILED", Permanent;
    /// An effect may have happened or not, and only the person can say how to go on.
    InDoubt = "IN_DOUBT", Permanent;
    /// A defect of DevRig's own.
    Internal = "INTERNAL", Permanent;
}

/// What went wrong, in words for a person and in a code for a program.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct Error {
    pub code: Code,
    pub category: Category,
    /// One sentence that names the thing and the place. Never holds a secret.
    pub message: String,
    /// What the person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    pub retryable: bool,
    /// Structured extras, such as the column of a query error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<serde_json::Value>>,
}

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let category = code.category();
        let retryable = matches!(
            category,
            Category::Transient | Category::Resource | Category::Timeout | Category::Plugin
        );
        Self { code, category, message: message.into(), hint: None, retryable, details: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidInput, message)
    }

    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("{what} was not found"))
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// The remedy, as an imperative sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(Box::new(details));
        self
    }

    /// Says that trying again gives the same, where the code alone would not tell.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.category = Category::Permanent;
        self.retryable = false;
        self
    }

    /// Milliseconds until the same may be tried again, when whoever refused said so.
    pub fn retry_after_ms(&self) -> Option<f64> {
        self.details.as_ref()?.get("retryAfterMs")?.as_f64()
    }

    /// Says what was being done when it happened: "syncing github.notifications: HTTP 429".
    #[must_use]
    pub fn context(mut self, doing: impl std::fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Adds what was being done to an error of any kind on its way up.
pub trait Context<T> {
    /// Errors of ours keep their code.
    fn context(self, doing: impl std::fmt::Display) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, doing: impl std::fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(doing))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let code = match error.kind() {
            Kind::NotFound => Code::NotFound,
            Kind::PermissionDenied => Code::Refused,
            Kind::StorageFull | Kind::QuotaExceeded => Code::DiskFull,
            Kind::ReadOnlyFilesystem => Code::ReadOnly,
            Kind::TimedOut => Code::Timeout,
            _ => Code::Io,
        };
        Self::new(code, error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::invalid(format!("not the expected JSON: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_reads_back_from_its_json_name() {
        for &code in Code::ALL {
            let json = serde_json::to_string(&code).unwrap();
            assert_eq!(json, format!("\"{}\"", code.as_str()));
            assert_eq!(serde_json::from_str::<Code>(&json).unwrap(), code);
        }
    }

    #[test]
    fn context_keeps_the_code_and_adds_the_place() {
        let error = Err::<(), _>(Error::new(Code::RateLimited, "HTTP 429"))
            .context("syncing github.notifications")
            .unwrap_err();
        assert_eq!(error.code, Code::RateLimited);
        assert!(error.retryable);
        assert_eq!(error.message, "syncing github.notifications: HTTP 429");
    }

    #[test]
    fn a_full_disk_is_a_resource_error() {
        let error = Error::from(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert_eq!(error.category, Category::Resource);
    }
}
