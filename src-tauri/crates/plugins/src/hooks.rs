//! Hooks around actions of flows: which there are, and what one has to put up with of plugins.

mod line;
mod patience;
mod pattern;

pub(crate) use line::{Line, Told};
pub(crate) use patience::Patience;
pub(crate) use pattern::{Pattern, whole_name};

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use crate::core::{read, write};
use crate::permission::Kind;
use crate::seat::Seat;

/// The hooks that the person allowed, by plugin and account.
#[derive(Default)]
pub(crate) struct Hooks {
    any: AtomicBool,
    all: RwLock<Arc<Vec<Arc<Hook>>>>,
}

/// One hook of one account.
pub(crate) struct Hook {
    pub seat: Arc<Seat>,
    pub id: String,
    patterns: Vec<Pattern>,
    pub before: bool,
    pub after: bool,
}

impl Hooks {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Those around an action, by the name that patterns fit, of plugins that may run.
    pub fn around(&self, action: &str) -> Vec<Arc<Hook>> {
        let all = Arc::clone(&read(&self.all));
        let fits = |hook: &&Arc<Hook>| {
            hook.patterns.iter().any(|pattern| pattern.fits(action))
                && hook.seat.plugin.may_run().is_ok()
        };
        all.iter().filter(fits).cloned().collect()
    }

    /// Takes what there is now in the place of what there was.
    pub fn look(&self, seats: impl FnOnce() -> Vec<Arc<Seat>>) {
        // Held over the reading, so that of two changes the later one is what stays.
        let mut all = write(&self.all);
        let found: Vec<_> = seats().iter().filter(|seat| is_allowed(seat)).flat_map(of).collect();
        self.any.store(!found.is_empty(), Ordering::Relaxed);
        *all = Arc::new(found);
    }
}

/// Whether an account's hooks may see anything.
pub(crate) fn is_allowed(seat: &Seat) -> bool {
    seat.access().need("flows:hooks", |kind| *kind == Kind::FlowHooks).is_ok()
}

fn of(seat: &Arc<Seat>) -> Vec<Arc<Hook>> {
    let hook = |hook: &crate::manifest::Hook| {
        Arc::new(Hook {
            seat: Arc::clone(seat),
            id: hook.id.clone(),
            patterns: hook.actions.iter().filter_map(|text| Pattern::parse(text).ok()).collect(),
            before: hook.before,
            after: hook.after,
        })
    };
    seat.plugin.manifest.hooks.iter().map(hook).collect()
}
