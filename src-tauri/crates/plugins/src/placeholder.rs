//! Texts that stand for secrets inside a worker. They are random per start, mean something only to
//! the core, and become values in request headers only.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Code, Error, Result, Sensitive};

const PREFIX: &str = "devrig-secret-";
/// Hexadecimal digits after the prefix.
const RANDOM: usize = 32;
/// More than any plugin has secrets; each start begins anew.
const MOST: usize = 1_000;
const LONGEST: usize = 4 * 1024;

/// Values of secrets by name, fetched for one request.
pub(crate) type Values = HashMap<String, Sensitive<String>>;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Meaning {
    Secret(String),
    /// User and password of `Basic …`; texts that may hold placeholders.
    Basic(String, String),
}

/// The placeholders of one running worker.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    known: Mutex<HashMap<String, Meaning>>,
}

impl Placeholders {
    /// The placeholder of a secret; always the same within one start.
    pub fn secret(&self, name: &str) -> Result<String> {
        self.keep(Meaning::Secret(name.to_owned()))
    }

    /// The placeholder of `Basic …`.
    pub fn basic(&self, user: &str, password: &str) -> Result<String> {
        if user.len() + password.len() > LONGEST {
            return Err(Error::new(Code::TooLarge, "user and password are longer than 4 KiB"));
        }
        if user.contains(':') {
            return Err(Error::invalid("a user name of Basic has no colon"));
        }
        self.keep(Meaning::Basic(user.to_owned(), password.to_owned()))
    }

    fn keep(&self, meaning: Meaning) -> Result<String> {
        let mut known = self.lock();
        if let Some((text, _)) = known.iter().find(|(_, known)| **known == meaning) {
            return Ok(text.clone());
        }
        if known.len() >= MOST {
            return Err(Error::new(Code::QuotaExceeded, "too many placeholders for secrets")
                .hint("Ask for each once, and keep it."));
        }
        let mut random = [0; RANDOM / 2];
        getrandom::fill(&mut random)
            .map_err(|error| Error::internal(format!("no randomness: {error}")))?;
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!("{PREFIX}{digits}");
        known.insert(text.clone(), meaning);
        Ok(text)
    }

    /// The placeholders in a text, in order.
    pub fn find<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let known = self.lock();
        text.match_indices(PREFIX)
            .filter_map(|(at, _)| text.get(at..at + PREFIX.len() + RANDOM))
            .filter(|found| known.contains_key(*found))
            .collect()
    }

    /// The names of the secrets that a placeholder needs.
    pub fn names(&self, placeholder: &str) -> BTreeSet<String> {
        let meaning = self.lock().get(placeholder).cloned();
        match meaning {
            Some(Meaning::Secret(name)) => BTreeSet::from([name]),
            Some(Meaning::Basic(user, password)) => {
                let inner = self.find(&user).into_iter().chain(self.find(&password));
                // A Basic within a Basic means nothing, and stays a text.
                inner.filter_map(|inner| self.secret_name(inner)).collect()
            }
            None => BTreeSet::new(),
        }
    }

    fn secret_name(&self, placeholder: &str) -> Option<String> {
        match self.lock().get(placeholder) {
            Some(Meaning::Secret(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// What a placeholder stands for; nothing when a value is missing.
    pub fn value(&self, placeholder: &str, values: &Values) -> Option<Sensitive<String>> {
        let meaning = self.lock().get(placeholder).cloned()?;
        match meaning {
            Meaning::Secret(name) => values.get(&name).cloned(),
            Meaning::Basic(user, password) => {
                let pair = Sensitive::new(format!(
                    "{}:{}",
                    self.fill(&user, values)?.expose(),
                    self.fill(&password, values)?.expose()
                ));
                Some(Sensitive::new(format!("Basic {}", STANDARD.encode(pair.expose()))))
            }
        }
    }

    fn fill(&self, text: &str, values: &Values) -> Option<Sensitive<String>> {
        let mut filled = text.to_owned();
        for found in self.find(text) {
            if let Some(name) = self.secret_name(found) {
                filled = filled.replace(found, values.get(&name)?.expose());
            }
        }
        Some(Sensitive::new(filled))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Meaning>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        HashMap::from([("token".to_owned(), Sensitive::from("hunter2".to_owned()))])
    }

    #[test]
    fn a_placeholder_is_random_and_the_same_within_a_start() {
        let (one, two) = (Placeholders::default(), Placeholders::default());
        let text = one.secret("token").unwrap();
        assert_eq!(one.secret("token").unwrap(), text);
        assert_ne!(two.secret("token").unwrap(), text);
        assert!(two.find(&text).is_empty(), "another worker's means nothing");
        assert!(!text.contains("token"));
    }

    #[test]
    fn they_are_found_in_headers_and_filled_in() {
        let placeholders = Placeholders::default();
        let text = placeholders.secret("token").unwrap();
        let header = format!("Bearer {text}, {text} {PREFIX}{}", "0".repeat(RANDOM));
        assert_eq!(placeholders.find(&header).len(), 2, "the third is not ours");
        assert_eq!(placeholders.value(&text, &values()).unwrap().expose(), "hunter2");
        assert!(placeholders.value(&text, &Values::new()).is_none());
    }

    #[test]
    fn basic_is_built_here() {
        let placeholders = Placeholders::default();
        let token = placeholders.secret("token").unwrap();
        let basic = placeholders.basic("me", &token).unwrap();
        assert_eq!(placeholders.names(&basic), BTreeSet::from(["token".to_owned()]));
        let value = placeholders.value(&basic, &values()).unwrap();
        assert_eq!(value.expose(), &format!("Basic {}", STANDARD.encode("me:hunter2")));
        assert!(placeholders.value(&basic, &Values::new()).is_none());
    }

    #[test]
    fn their_number_is_bounded() {
        let placeholders = Placeholders::default();
        for n in 0..MOST {
            placeholders.basic(&n.to_string(), "").unwrap();
        }
        assert_eq!(placeholders.basic("x", "").unwrap_err().code, Code::QuotaExceeded);
    }
}
