//! What became of a workflow's parts.

use serde::{Deserialize, Serialize};

/// Three lists, each in the order of the workflow.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename = "N8nReport", rename_all = "camelCase")]
pub struct Report {
    /// Nodes that have a counterpart.
    pub mapped: Vec<Mapped>,
    /// What is there, but not quite as it was.
    pub changed: Vec<Changed>,
    /// What somebody has to do by hand.
    pub not_mapped: Vec<NotMapped>,
}

/// A node and what it became.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "N8nMapped")]
pub struct Mapped {
    pub name: String,
    /// Its type in n8n.
    pub from: String,
    /// An action, a trigger or a kind of node here.
    pub into: String,
}

/// Something that works in another way than before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "N8nChanged")]
pub struct Changed {
    pub place: String,
    pub what: String,
}

/// Something without a counterpart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "N8nNotMapped")]
pub struct NotMapped {
    pub place: String,
    pub reason: String,
    pub remedy: String,
}

impl Report {
    pub(super) fn mapped(&mut self, name: &str, from: &str, into: impl Into<String>) {
        let into = into.into();
        self.mapped.push(Mapped { name: name.to_owned(), from: from.to_owned(), into });
    }

    pub(super) fn changed(&mut self, place: impl Into<String>, what: impl Into<String>) {
        let changed = Changed { place: place.into(), what: what.into() };
        if !self.changed.contains(&changed) {
            self.changed.push(changed);
        }
    }

    pub(super) fn not_mapped(
        &mut self,
        place: impl Into<String>,
        reason: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (place, reason, remedy) = (place.into(), reason.into(), remedy.into());
        self.not_mapped.push(NotMapped { place, reason, remedy });
    }
}
