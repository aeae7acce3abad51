//! A node whose action has limits waits for its turn, and what an action gives is held against what
//! it promises.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::Result;
use serde_json::Value;
use tokio::sync::oneshot;

use super::Walker;
use super::node::PARK;
use super::walk::Stop;
use crate::action::{Does, Level, Log as _};
use crate::limits::{Asked, Lane, Place, Who};
use crate::program::Step;

/// Who waits for longer says so in the run's log.
const TOLD: Duration = Duration::from_secs(1);
/// A parked run asks again after this. It is parked so that others get its place on the board.
const AGAIN: Duration = Duration::from_secs(1);

impl Walker<'_> {
    /// Lets one more call of an action begin, at once where it may.
    pub(super) async fn turn(&self, step: &Step, path: &str) -> Result<Result<Place, Stop>> {
        let lane = &step.action.lane;
        if !matches!(step.action.does, Does::Work(_)) {
            // What steers runs others in it, which could wait for its own place.
            return Ok(Ok(Place::default()));
        }
        match lane.ask(self.who(), self.now()) {
            Asked::Now(place) => Ok(Ok(place)),
            // Apart, so that those who need not wait have no room for it in their futures.
            asked => Box::pin(self.wait_in(lane, asked, path)).await,
        }
    }

    async fn wait_in(
        &self,
        lane: &Arc<Lane>,
        mut asked: Asked,
        path: &str,
    ) -> Result<Result<Place, Stop>> {
        if self.answer.is_held() {
            // An answer is not kept waiting by what follows it.
            self.journal.barrier().await?;
            self.answer.release();
        }
        let mut told = self.remembered(path).is_some();
        loop {
            let until = match asked {
                Asked::Now(place) => return Ok(Ok(place)),
                Asked::NotBefore(until) => until,
                Asked::After(place) => match self.place(lane, place, path, &mut told).await {
                    Ok(place) => match place.begin(self.now()) {
                        Ok(place) => return Ok(Ok(place)),
                        Err(until) => until,
                    },
                    Err(stop) => return Ok(Err(stop)),
                },
            };
            if until.since(self.now()) > TOLD {
                self.tell(&mut told, path, || {
                    format!("no call of {} begins before {until}", lane.action())
                });
            }
            if let Some(stop) = self.pause(until).await {
                return Ok(Err(stop));
            }
            asked = lane.ask(self.who(), self.now());
        }
    }

    /// Waits for a place among the calls that go on, or says that the run should be parked.
    async fn place(
        &self,
        lane: &Lane,
        mut place: oneshot::Receiver<Place>,
        path: &str,
        told: &mut bool,
    ) -> Result<Place, Stop> {
        if let Some(place) = self.within(TOLD, &mut place).await? {
            return Ok(place);
        }
        self.tell(told, path, || {
            let (waiting, going) = lane.counts();
            let action = lane.action();
            format!("of {action}, {going} go on and {waiting} wait")
        });
        if let Some(place) = self.within(PARK - TOLD, &mut place).await? {
            return Ok(place);
        }
        drop(place);
        lane.tidy(self.program.flow);
        Err(Stop::Parked(Some(self.now() + AGAIN)))
    }

    async fn within(
        &self,
        patience: Duration,
        place: &mut oneshot::Receiver<Place>,
    ) -> Result<Option<Place>, Stop> {
        tokio::select! {
            Ok(place) = place => Ok(Some(place)),
            () = self.token.cancelled() => Err(Stop::Cancelled),
            () = tokio::time::sleep(patience) => Ok(None),
        }
    }

    /// A node says once that it waits, however often its run is parked.
    fn tell(&self, told: &mut bool, path: &str, why: impl FnOnce() -> String) {
        if std::mem::replace(told, true) {
            return;
        }
        self.note_wait(path, None);
        self.journal.say(Level::Info, &format!("{path} waits for its turn: {}", why()));
    }

    fn who(&self) -> Who {
        let priority = self.program.definition.settings.priority;
        Who { flow: self.program.flow, priority }
    }

    /// Says where an action gave something else than it promises. What was done stays done.
    pub(super) fn hold_to_word(&self, step: &Step, path: &str, output: &Value) {
        if let Some(wrong) = step.action.unpromised(output) {
            let name = step.action.about.name;
            let told = format!("{path}: {name} gave something else than its schema says: {wrong}");
            self.journal.say(Level::Warn, &told);
        }
    }
}
