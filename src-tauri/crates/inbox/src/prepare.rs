//! What a source hands in, made ready to be written: cleaned, hashed, split into tokens. Pure, and
//! done before the writer's turn, because it costs as much as the writing.

use std::collections::HashMap;
use std::sync::Arc;

use devrig_core::{Result, Timestamp};
use sha2::{Digest, Sha256};

use crate::clean;
use crate::item::{ItemInput, Priority};
use crate::query::plan::EVERY;
use crate::tokens::{self, term};

/// The source's side of an item, as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub external_id: String,
    pub hash: i64,
    pub kind: String,
    pub title: String,
    pub preview: String,
    pub source_url: Option<String>,
    pub thread_key: Option<String>,
    pub actor: Option<String>,
    pub repo: Option<String>,
    pub reason: Option<String>,
    pub labels: Vec<String>,
    pub priority: Option<i64>,
    pub state: Option<String>,
    pub actionable: bool,
    pub source_created_at: Option<i64>,
    pub source_updated_at: Option<i64>,
    pub metadata: Option<Arc<str>>,
    pub body: Arc<str>,
}

/// The account that items belong to, and what its items are found by.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub account: String,
    pub plugin: String,
}

impl Source {
    /// `devrig-plugin-github` and `@acme/devrig-plugin-github` are `github` in queries.
    fn short(&self) -> &str {
        let name = self.plugin.rsplit('/').next().unwrap_or(&self.plugin);
        name.strip_prefix("devrig-plugin-").unwrap_or(name)
    }
}

/// Facts with what the search needs.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub facts: Facts,
    pub words: Words,
}

/// One row of the full text. The attributes that the person can change are added when it is
/// written.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    title: String,
    pub body: Arc<str>,
}

impl Words {
    pub fn of(source: &Source, facts: &Facts) -> Self {
        let mut title = String::with_capacity(facts.title.len() + 256);
        tokens::index(&facts.title, &mut title);
        terms(source, facts, &mut |term| {
            if !title.is_empty() {
                title.push(' ');
            }
            title.push_str(term);
        });
        let mut body = String::with_capacity(facts.body.len() + 16);
        tokens::index(&facts.body, &mut body);
        Self { title, body: body.into() }
    }

    /// The title's tokens and all terms, with the person's labels and priority.
    pub fn title(&self, facts: &Facts, own_labels: &[String], own_priority: Option<i64>) -> String {
        let priority = priority(own_priority.or(facts.priority)).as_str();
        let mut title = format!("{} {}", self.title, term("priority", priority));
        for label in own_labels {
            title.push(' ');
            title.push_str(&term("label", label));
        }
        let labelled = !own_labels.is_empty() || !facts.labels.is_empty();
        title.push(' ');
        title.push_str(&term(if labelled { "has" } else { "no" }, "label"));
        title
    }
}

pub(crate) fn priority(stored: Option<i64>) -> Priority {
    stored
        .and_then(|index| usize::try_from(index).ok())
        .and_then(|index| Priority::ALL.get(index).copied())
        .unwrap_or_default()
}

fn terms(source: &Source, facts: &Facts, sink: &mut dyn FnMut(&str)) {
    sink(EVERY);
    sink(&term("from", &source.account));
    sink(&term("from", source.short()));
    if source.short() != source.plugin {
        sink(&term("from", &source.plugin));
    }
    sink(&term("type", &facts.kind));
    if let Some(repo) = &facts.repo {
        sink(&term("repo", repo));
        if let Some((owner, name)) = repo.split_once('/') {
            sink(&term("org", owner));
            sink(&term("repo", name));
        }
    }
    let single = [
        ("reason", &facts.reason),
        ("state", &facts.state),
        ("author", &facts.actor),
        ("thread", &facts.thread_key),
    ];
    for (field, value) in single {
        if let Some(value) = value {
            sink(&term(field, value));
        }
    }
    for label in &facts.labels {
        sink(&term("label", label));
    }
    let held = [
        ("is", "actionable", facts.actionable),
        ("has", "body", !facts.body.is_empty()),
        ("has", "link", facts.source_url.is_some()),
        // Until something writes drafts.
        ("has", "draft", false),
    ];
    for (field, value, holds) in held {
        sink(&term(if holds { field } else { "no" }, value));
    }
}

/// Checks, cleans, hashes and tokenises. Of several with one external id the last counts.
///
/// # Errors
/// `INVALID_INPUT` naming the first item and field that breaks a limit; nothing is to be stored
/// then.
pub(crate) fn prepare(source: &Source, items: &[ItemInput], first: usize) -> Result<Vec<Ready>> {
    let mut last = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        item.validate(first + index)?;
        last.insert(item.external_id.as_str(), index);
    }
    Ok(items
        .iter()
        .enumerate()
        .filter(|(index, item)| last.get(item.external_id.as_str()) == Some(index))
        .map(|(_, item)| {
            let facts = Facts::of(item);
            let words = Words::of(source, &facts);
            Ready { facts, words }
        })
        .collect())
}

impl Facts {
    pub fn of(item: &ItemInput) -> Self {
        let line = |text: &Option<String>| {
            text.as_deref().map(clean::line).filter(|text| !text.is_empty())
        };
        let ms = |time: Option<Timestamp>| time.map(Timestamp::as_ms);
        let body = clean::text(item.body.as_deref().unwrap_or_default());
        let preview = line(&item.preview).unwrap_or_else(|| clean::preview(&body));
        let mut labels: Vec<String> = item.labels.iter().map(|label| clean::line(label)).collect();
        labels.retain(|label| !label.is_empty());
        let mut facts = Self {
            external_id: item.external_id.clone(),
            hash: 0,
            kind: item.kind.clone(),
            title: clean::line(&item.title),
            preview,
            source_url: item.source_url.clone(),
            thread_key: line(&item.thread_key),
            actor: line(&item.actor),
            repo: line(&item.repo),
            reason: line(&item.reason),
            labels,
            priority: item.priority.map(|priority| priority as i64),
            state: line(&item.state),
            actionable: item.is_actionable.unwrap_or(false),
            source_created_at: ms(item.external_created_at),
            source_updated_at: ms(item.external_updated_at),
            metadata: item.metadata.as_ref().map(|metadata| metadata.to_string().into()),
            body: body.into(),
        };
        facts.hash = facts.fingerprint();
        facts
    }

    /// Changes when anything that is stored changes.
    fn fingerprint(&self) -> i64 {
        let mut hasher = Sha256::new();
        let mut add = |part: Option<&str>| {
            let part = part.map_or(&b"-"[..], |text| text.as_bytes());
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        };
        for part in [
            Some(self.kind.as_str()),
            Some(&self.title),
            Some(&self.preview),
            self.source_url.as_deref(),
            self.thread_key.as_deref(),
            self.actor.as_deref(),
            self.repo.as_deref(),
            self.reason.as_deref(),
            self.state.as_deref(),
            self.metadata.as_deref(),
            Some(&self.body),
        ] {
            add(part);
        }
        for label in &self.labels {
            add(Some(label));
        }
        let numbers = [self.priority, self.source_created_at, self.source_updated_at];
        add(Some(&format!("{numbers:?}{}", self.actionable)));
        let digest: [u8; 32] = hasher.finalize().into();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        i64::from_le_bytes(first)
    }

    /// When something last happened to it, as far as the source says; never after `now`.
    pub fn activity_ms(&self, now: i64) -> i64 {
        self.source_updated_at.or(self.source_created_at).unwrap_or(now).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(plugin: &str) -> Source {
        Source { account: "acc".into(), plugin: plugin.into() }
    }

    fn item() -> ItemInput {
        ItemInput {
            external_id: "1".into(),
            kind: "issue".into(),
            title: "Fix login".into(),
            repo: Some("Acme/API".into()),
            labels: vec!["bug".into()],
            body: Some("文件 breaks".into()),
            ..ItemInput::default()
        }
    }

    #[test]
    fn the_row_of_the_full_text_holds_words_and_terms() {
        let facts = Facts::of(&item());
        let words = Words::of(&source("@x/devrig-plugin-github"), &facts);
        assert_eq!(
            words.title(&facts, &["mine".into()], Some(3)),
            "fix login =all =from:acc =from:github =from:@x/devrig-plugin-github =type:issue \
             =repo:acme/api =org:acme =repo:api =label:bug =no:actionable =has:body =no:link \
             =no:draft =priority:urgent =label:mine =has:label"
        );
        assert_eq!(&*words.body, "文件 件 breaks");
    }

    #[test]
    fn any_changed_fact_changes_the_hash_and_nothing_else_does() {
        let hash = |item: &ItemInput| Facts::of(item).hash;
        assert_eq!(hash(&item()), hash(&item()));
        let others = [
            ItemInput { title: "x".into(), ..item() },
            ItemInput { labels: vec![], ..item() },
            ItemInput { priority: Some(Priority::Low), ..item() },
            ItemInput { state: Some("open".into()), ..item() },
            ItemInput { reason: Some("open".into()), ..item() },
            ItemInput { is_actionable: Some(true), ..item() },
            ItemInput { external_updated_at: Some(Timestamp::from_ms(5)), ..item() },
            ItemInput { external_created_at: Some(Timestamp::from_ms(5)), ..item() },
            ItemInput { metadata: Some(serde_json::json!({"a": 1})), ..item() },
        ];
        let mut hashes: Vec<i64> = others.iter().map(hash).collect();
        hashes.push(hash(&item()));
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), others.len() + 1);
    }

    #[test]
    fn of_two_with_one_id_the_last_counts() {
        let two = [item(), ItemInput { title: "second".into(), ..item() }];
        let ready = prepare(&source("p"), &two, 0).unwrap();
        assert_eq!(ready.len(), 1);
        assert_eq!(ready[0].facts.title, "second");
    }
}
