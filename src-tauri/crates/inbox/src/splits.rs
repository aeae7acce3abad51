//! Splits: the person's own views of the inbox, each a name and a query, in an order.
//!
//! As text, one split is a line `Name = query`, or `Name [notify, badge] = query`; empty lines and
//! lines that begin with `#` are left out. So they can be kept in a file, compared and given to
//! others.

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{SqliteConnection, settings};
use serde::{Deserialize, Serialize};

use crate::query::{self, plan::Plan};

pub const MOST: usize = 50;
const LONGEST_NAME: usize = 60;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct Split {
    pub name: String,
    /// In the query language; without a place it means the inbox.
    pub query: String,
    /// Tell the person outside the window what comes into it.
    #[serde(default)]
    pub notify: bool,
    /// Count what is unread in it on the icon.
    #[serde(default)]
    pub badge: bool,
}

/// The setting that holds them.
pub const SETTING: &str = "inbox.splits";

impl Split {
    pub fn new(name: &str, query: &str) -> Self {
        Self { name: name.to_owned(), query: query.to_owned(), notify: false, badge: false }
    }

    /// The name as text has it, with what it asks for.
    pub fn heading(&self) -> String {
        match (self.notify, self.badge) {
            (false, false) => self.name.clone(),
            (true, false) => format!("{} [notify]", self.name),
            (false, true) => format!("{} [badge]", self.name),
            (true, true) => format!("{} [notify, badge]", self.name),
        }
    }

    /// # Errors
    /// `INVALID_INPUT` for anything in brackets that is neither `notify` nor `badge`.
    pub fn from_heading(heading: &str, query: &str) -> Result<Self> {
        let heading = heading.trim();
        let Some((name, asked)) = heading.strip_suffix(']').and_then(|text| text.rsplit_once('['))
        else {
            return Ok(Self::new(heading, query));
        };
        let mut split = Self::new(name.trim(), query);
        for word in asked.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word {
                "notify" => split.notify = true,
                "badge" => split.badge = true,
                other => {
                    return Err(Error::invalid(format!("{other:?} is nothing a split can do"))
                        .hint("In brackets stand notify, badge, or both."));
                }
            }
        }
        Ok(split)
    }
}

/// As the person has them now.
pub async fn stored(conn: &mut SqliteConnection) -> Result<Vec<Split>> {
    match settings::get(conn, SETTING).await? {
        Some(value) => Ok(serde_json::from_value(value)?),
        None => Ok(shipped()),
    }
}

/// What a new person begins with.
pub fn shipped() -> Vec<Split> {
    vec![
        Split { notify: true, badge: true, ..Split::new("Needs me", "is:actionable") },
        Split::new("Reviews", "reason:review_requested"),
        Split::new("Mentions", "reason:mention,team_mention"),
        Split::new("Checks", "type:check,build"),
    ]
}

/// # Errors
/// `INVALID_INPUT` or `INVALID_QUERY` that names the split.
pub fn validate(splits: &[Split], now: Timestamp) -> Result<()> {
    if splits.len() > MOST {
        return Err(Error::invalid(format!("there can be {MOST} splits at most")));
    }
    for (index, split) in splits.iter().enumerate() {
        let name = &split.name;
        let plain = name.trim() == name
            && !name.is_empty()
            && name.chars().count() <= LONGEST_NAME
            && !name.contains(['=', '[', ']', '\n', '\r'])
            && !name.starts_with('#');
        if !plain {
            return Err(Error::invalid(format!("{name:?} is no name for a split")).hint(format!(
                "1 to {LONGEST_NAME} characters on one line, without = [ ] and no # at the front."
            )));
        }
        if splits[..index].iter().any(|other| other.name.eq_ignore_ascii_case(name)) {
            return Err(Error::invalid(format!("there are two splits named {name:?}")));
        }
        if split.query.contains(['\n', '\r']) {
            return Err(Error::invalid(format!("the query of {name:?} has a line break")));
        }
        let query = query::parse(&split.query, now).and_then(|query| Plan::of(&query));
        query.map_err(|error| {
            let message = format!("split {name:?}: {}", error.message);
            Error { message, ..error }
        })?;
    }
    Ok(())
}

pub fn to_text(splits: &[Split]) -> String {
    splits.iter().map(|split| format!("{} = {}\n", split.heading(), split.query)).collect()
}

/// # Errors
/// `INVALID_INPUT` that names the line; as [`validate`].
pub fn from_text(text: &str, now: Timestamp) -> Result<Vec<Split>> {
    let mut splits = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, query) = line.split_once('=').ok_or_else(|| {
            Error::invalid(format!("line {number}: {line:?} is no split"))
                .hint("Write it as: Name = query")
        })?;
        let split = Split::from_heading(name, query.trim()).map_err(|error| {
            let message = format!("line {number}: {}", error.message);
            Error { message, ..error }
        })?;
        splits.push(split);
    }
    validate(&splits, now)?;
    Ok(splits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_ms(1_790_000_000_000)
    }

    #[test]
    fn what_ships_is_valid_and_survives_its_text() {
        let splits = shipped();
        validate(&splits, now()).unwrap();
        assert_eq!(from_text(&to_text(&splits), now()).unwrap(), splits);
        let text = "# mine\n\nBugs = label:bug is:unread\r\n";
        assert_eq!(from_text(text, now()).unwrap(), [Split::new("Bugs", "label:bug is:unread")]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, said) in [
            ("Bugs", "line 1"),
            ("a = is:any\na = is:any", "two splits"),
            (" = is:any", "no name"),
            ("Bugs = colour:red", "Bugs"),
            ("Bugs [shout] = is:any", "shout"),
        ] {
            let error = from_text(text, now()).unwrap_err();
            assert!(error.message.contains(said), "{text}: {}", error.message);
        }
    }
}
