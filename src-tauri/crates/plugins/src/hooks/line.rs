//! What hooks are told after actions, in a line of its own for each account: no run waits for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use devrig_core::protocol::{Handler, HookReport};
use devrig_core::{Code, Error, Result};
use tokio::sync::{Semaphore, mpsc};

use super::is_allowed;
use crate::core::Core;
use crate::seat::Seat;
use crate::worker::Purpose;

/// What may wait. With what a report holds at most these are 32 MB.
const LONGEST: usize = 256;
/// What one account is told at a time.
const AT_ONCE: usize = 8;

/// The line of one account. It begins with the first report.
#[derive(Default)]
pub(crate) struct Line {
    end: OnceLock<mpsc::Sender<Told>>,
    /// Reports that found the line full since it was last empty.
    lost: AtomicU64,
}

/// A report for one hook.
pub(crate) struct Told {
    pub hook: String,
    pub report: Arc<HookReport>,
    pub depth: u8,
}

impl Line {
    /// Puts a report into the line of its account, unless that is full.
    pub fn put(core: &Arc<Core>, seat: &Arc<Seat>, told: Told) {
        let line = &seat.line;
        let end = line.end.get_or_init(|| begin(core, seat));
        if end.try_send(told).is_ok() || line.lost.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let message =
            format!("More than {LONGEST} reports for its hooks wait, so some are left out.");
        tracing::warn!(plugin = seat.plugin.name(), "{message}");
        core.note(seat.plugin.name(), &seat.id, "warn", message);
    }
}

fn begin(core: &Arc<Core>, seat: &Arc<Seat>) -> mpsc::Sender<Told> {
    let (end, reports) = mpsc::channel(LONGEST);
    let (over, core, seat) = (core.over.clone(), Arc::downgrade(core), Arc::downgrade(seat));
    let Some(tasks) = core.upgrade().map(|core| core.tasks.clone()) else { return end };
    tasks.spawn(async move {
        tokio::select! {
            () = over.cancelled() => {}
            () = work_off(core, seat, reports) => {}
        }
    });
    end
}

/// Until the account is gone.
async fn work_off(core: Weak<Core>, seat: Weak<Seat>, mut reports: mpsc::Receiver<Told>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    while let Some(told) = reports.recv().await {
        let Ok(turn) = turns.clone().acquire_owned().await else { return };
        let Some((core, seat)) = core.upgrade().zip(seat.upgrade()) else { return };
        if reports.is_empty() {
            own_up(&core, &seat);
        }
        let tasks = core.tasks.clone();
        tasks.spawn(async move {
            hand_over(&core, &seat, &told).await;
            drop(turn);
        });
    }
}

/// Tells how much was left out.
fn own_up(core: &Core, seat: &Seat) {
    let lost = seat.line.lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let message = format!("{lost} reports for its hooks were left out.");
        core.note(seat.plugin.name(), &seat.id, "warn", message);
    }
}

async fn hand_over(core: &Core, seat: &Arc<Seat>, told: &Told) {
    // The person may have taken the permission back since.
    if !is_allowed(seat) || seat.plugin.may_run().is_err() {
        return;
    }
    match call(core, seat, told).await {
        Err(error) if error.code != Code::Cancelled => {
            let (hook, action) = (&told.hook, &told.report.call.action);
            let message = format!("The hook {hook} failed after {action}: {}", error.message);
            core.note(seat.plugin.name(), &seat.id, "warn", message);
        }
        _ => {}
    }
}

async fn call(core: &Core, seat: &Arc<Seat>, told: &Told) -> Result<(), Error> {
    let worker = seat.worker().await?;
    let handler = Handler::After { hook: told.hook.clone() };
    let input = serde_json::to_value(&*told.report)?;
    let purpose = Purpose::After { depth: told.depth };
    worker.call(handler, input, purpose, &core.over).await.0.map(drop)
}
