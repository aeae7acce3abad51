//! Ids that people and devices see: text in the form of cuid2, one type for each noun.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};

const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
/// In the order in which text is compared.
const RISING: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A fresh id: a letter, then 23 letters and digits, all lower case, of the system's randomness.
/// The form is that of cuid2; its hashing would take most of the time of a short run.
///
/// # Panics
/// When the system has no randomness to give, without which nothing here is safe.
pub fn fresh() -> String {
    let bytes = random();
    let [mut first, mut second] = [&bytes[..8], &bytes[8..]]
        .map(|half| half.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)));
    let mut id = String::with_capacity(24);
    id.push(digit(&mut first, 26));
    id.extend((0..11).map(|_| digit(&mut first, 36)));
    id.extend((0..12).map(|_| digit(&mut second, 36)));
    id
}

/// Bytes of the system's randomness, which is asked for those of many ids at once.
fn random() -> [u8; 16] {
    const IDS: usize = 32;
    thread_local! {
        static BYTES: RefCell<(usize, [u8; 16 * IDS])> = const { RefCell::new((IDS, [0; 16 * IDS])) };
    }
    BYTES.with_borrow_mut(|(used, bytes)| {
        if *used == IDS {
            getrandom::fill(bytes).expect("the system gives random bytes");
            *used = 0;
        }
        let mut own = [0; 16];
        own.copy_from_slice(&bytes[*used * 16..][..16]);
        *used += 1;
        own
    })
}

/// A fresh id of the same form whose order is that of `rank`, so that an index of many rows grows
/// at its end instead of everywhere. 77 of its bits are random.
///
/// # Panics
/// As [`fresh`].
pub fn ranked(rank: u64) -> String {
    let mut left = rank;
    let mut id = [0_u8; 9];
    for place in id[1..].iter_mut().rev() {
        *place = RISING[(left % 36) as usize];
        left /= 36;
    }
    // Ids begin with a letter, which changes after 2,821,109,907,456 of them.
    id[0] = b'a' + (left % 26) as u8;
    id.iter().map(|byte| char::from(*byte)).chain(fresh().chars().skip(9)).collect()
}

/// The last digit of a number to a base, which is taken off.
fn digit(number: &mut u64, base: u64) -> char {
    let digit = *number % base;
    *number /= base;
    char::from(DIGITS[digit as usize])
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
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_have_one_form_and_none_comes_twice() {
        let ids: HashSet<String> = (0..10_000).map(|_| fresh()).collect();
        assert_eq!(ids.len(), 10_000);
        for id in &ids {
            assert_eq!(id.len(), 24);
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id}");
            assert!(id.bytes().all(|c| DIGITS.contains(&c)), "{id}");
        }
        let seen: HashSet<(usize, char)> = ids.iter().flat_map(|id| id.char_indices()).collect();
        assert_eq!(seen.len(), 26 + 23 * 36, "every place takes every digit");
    }

    #[test]
    fn ranked_ids_come_in_the_order_of_their_ranks() {
        let ranks = [0, 1, 35, 36, 1_000_000, 2_821_109_907_455, 2_821_109_907_456];
        let ids = ranks.map(ranked);
        assert!(ids.is_sorted(), "{ids:?}");
        for id in &ids {
            assert_eq!(id.len(), 24);
            assert!(id.starts_with(|c: char| c.is_ascii_lowercase()), "{id}");
            assert!(id.bytes().all(|c| DIGITS.contains(&c)), "{id}");
        }
        let same: HashSet<String> = (0..10_000).map(|_| ranked(5)).collect();
        assert_eq!(same.len(), 10_000);
    }
}
