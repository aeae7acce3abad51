//! Looks for secrets in everything that DevRig says: each reply, each error, each event, and the
//! bytes of every file.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use devrig_core::Result;
use devrig_engine::api::{
    approval, engine, expr, flow, inbox, job, metrics, plugin, rule, run, secret, settings, split,
    trigger, tunnel,
};
use devrig_engine::events::EventStream;
use devrig_engine::{Api, NoArgs};
use futures::StreamExt;
use serde::Serialize;

/// The values that must not be seen, and where one was.
#[derive(Debug, Default)]
pub struct Secrets {
    needles: Mutex<Vec<String>>,
    leaks: Mutex<Vec<String>>,
    looked: std::sync::atomic::AtomicUsize,
}

impl Secrets {
    /// Adds a value, and the forms in which it could hide.
    pub fn add(&self, value: &str) {
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let forms = [value.to_owned(), STANDARD.encode(value), STANDARD_NO_PAD.encode(value), hex];
        self.needles.lock().unwrap_or_else(PoisonError::into_inner).extend(forms);
    }

    /// Looks into what was said at `place`.
    pub fn look(&self, place: &str, said: &[u8]) {
        self.looked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let needles = self.needles.lock().unwrap_or_else(PoisonError::into_inner);
        if needles.iter().any(|needle| holds(said, needle.as_bytes())) {
            let mut leaks = self.leaks.lock().unwrap_or_else(PoisonError::into_inner);
            leaks.push(place.to_owned());
        }
    }

    /// Looks into every file below a folder.
    pub fn look_into(&self, folder: &Path) {
        for path in files(folder) {
            if let Ok(bytes) = std::fs::read(&path) {
                self.look(&path.display().to_string(), &bytes);
            }
        }
    }

    pub fn leaks(&self) -> Vec<String> {
        self.leaks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many texts and files were searched.
    pub fn looked(&self) -> usize {
        self.looked.load(std::sync::atomic::Ordering::Relaxed)
    }
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

/// Every plain file below a folder, sorted.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// An [`Api`] that looks at each answer before it gives it on.
pub struct Witness {
    pub inner: Arc<dyn Api>,
    pub secrets: Arc<Secrets>,
}

impl Witness {
    fn look<T: Serialize>(&self, call: &str, answer: &Result<T>) {
        let text = match answer {
            Ok(answer) => serde_json::to_vec(answer),
            Err(error) => serde_json::to_vec(error),
        };
        self.secrets.look(&format!("the answer of {call}"), &text.expect("answers are JSON"));
    }
}

macro_rules! witness {
    ($($kind:ident $name:ident = $module:ident :: $function:ident ($args:ty) -> $answer:ty [$($tag:ident),*];)*) => {
        #[async_trait::async_trait]
        impl Api for Witness {
            $(async fn $name(&self, args: $args) -> Result<$answer> {
                let answer = self.inner.$name(args).await;
                self.look(stringify!($name), &answer);
                answer
            })*

            async fn events(&self) -> Result<EventStream> {
                let secrets = Arc::clone(&self.secrets);
                let events = self.inner.events().await?;
                let events = events.inspect(move |event| {
                    let text = serde_json::to_vec(event).expect("events are JSON");
                    secrets.look("an event", &text);
                });
                Ok(events.boxed())
            }

            fn role(&self) -> engine::Role {
                self.inner.role()
            }
        }
    };
}

devrig_engine::calls!(witness);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leak_is_seen_in_every_form() {
        let secrets = Secrets::default();
        secrets.add("hunter2-Zq9");
        secrets.look("nowhere", b"nothing to see");
        assert!(secrets.leaks().is_empty());
        for form in ["x hunter2-Zq9 y", "aHVudGVyMi1acTk=", "68756e746572322d5a7139"] {
            let before = secrets.leaks().len();
            secrets.look(form, form.as_bytes());
            assert_eq!(secrets.leaks().len(), before + 1, "{form}");
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("deep")).expect("a folder");
        std::fs::write(folder.path().join("deep/file"), "..hunter2-Zq9..").expect("a file");
        secrets.look_into(folder.path());
        assert_eq!(secrets.leaks().len(), 4);
    }
}
