//! Runs one node: from what is remembered of it, to its end.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Category, Code, Error, Result, Timestamp};
use serde_json::Value;

use super::hooks::{Attempt, Hooked};
use super::walk::{Ended, Stop};
use super::{End, Entry, Frame, Loaded, NodeStatus, Output, Walker};
use crate::action::{Action, Context, Does, Effect, Stakes};
use crate::actions::{is_heavy, undone};
use crate::circuits::Pass;
use crate::definition::{ErrorHandling, port};
use crate::program::{Node, Step, Work};

/// A node that has to wait longer than this gives its run's place away, when nothing else runs.
pub(super) const PARK: Duration = Duration::from_secs(10);

/// In milliseconds: a day.
const LONGEST_REST_MS: f64 = 86_400_000.0;

/// What an action that only computes does.
type Plain = fn(Value) -> Result<Value>;

/// How an attempt went, when it did not fail.
pub(super) enum Went {
    /// With an output, at a port where it is not `out`.
    Through(Output, Option<String>),
    Stopped(Stop),
}

impl Went {
    /// Without an output.
    pub(super) fn on() -> Self {
        Self::with(Value::Null)
    }

    pub(super) fn with(output: Value) -> Self {
        Self::Through(Output::Here(output), None)
    }

    /// At a port, without an output.
    pub(super) fn at(port: &str) -> Self {
        Self::Through(Output::default(), Some(port.to_owned()))
    }
}

impl Walker<'_> {
    pub(super) async fn node(&self, frame: &Frame<'_>, number: usize) -> Ended {
        self.journal.lighten().await;
        let path = frame.path(number);
        let past = self.memory.past(&path);
        if let Some(end) = past.and_then(|past| past.end.clone()) {
            return match &end.error {
                Some(error) if end.stopped_the_run() => {
                    self.note_failure(&path, false);
                    Ended::Stopped(Stop::Failed(error.clone()))
                }
                _ => Ended::With(end),
            };
        }
        let at = past.and_then(|past| past.at).unwrap_or_else(|| self.journal.elapsed());
        let node = &frame.graph.nodes[number];
        let mut attempts = past.map_or(0, |past| past.attempts);
        let masks = self.journal.masks();
        let went = self.tries(frame, node, &path, &mut attempts).await;
        let end = End {
            at,
            took: self.journal.elapsed().saturating_sub(at),
            attempts: attempts.max(1),
            ..End::default()
        };
        match went {
            Ok(Went::Through(output, port)) => {
                let status = match node.disabled {
                    true => NodeStatus::Disabled,
                    false => NodeStatus::Completed,
                };
                let (output, kept) = match output {
                    Output::Here(value) => (value, None),
                    stored => (Value::Null, Some(stored)),
                };
                Ended::With(Arc::new(End { node: path, status, output, kept, port, ..end }))
            }
            Ok(Went::Stopped(stop)) => Ended::Stopped(stop),
            Err(error) => self.failed(node, masks.error(error), End { node: path, ..end }),
        }
    }

    /// A node has failed for good: something handles it, or it stops the run.
    fn failed(&self, node: &Node, error: Error, end: End) -> Ended {
        if self.token.is_cancelled() {
            return Ended::Stopped(Stop::Cancelled);
        }
        let told = End { error: Some(error.clone()), ..end };
        let handled = node.handles_errors || node.on_error == ErrorHandling::Skip;
        self.note_failure(&told.node, handled);
        if node.handles_errors {
            let port = Some(port::ERROR.to_owned());
            return Ended::With(Arc::new(End { status: NodeStatus::Failed, port, ..told }));
        }
        if node.on_error == ErrorHandling::Skip {
            return Ended::With(Arc::new(End { status: NodeStatus::Skipped, ..told }));
        }
        self.journal.note(Entry::Ended(Arc::new(End { status: NodeStatus::Failed, ..told })));
        Ended::Stopped(Stop::Failed(error))
    }

    /// Attempts by the node's policy, until one goes through.
    async fn tries(
        &self,
        frame: &Frame<'_>,
        node: &Node,
        path: &str,
        attempts: &mut u32,
    ) -> Result<Went> {
        if node.disabled {
            return Ok(Went::on());
        }
        if let Some(due) = self.memory.past(path).and_then(|past| past.due)
            && let Some(stop) = self.pause(due).await
        {
            return Ok(Went::Stopped(stop));
        }
        loop {
            *attempts += 1;
            let error = match self.attempt(frame, node, path, *attempts).await {
                Ok(went) => return Ok(went),
                Err(error) => error,
            };
            let delay = self.delay(node, &error, *attempts);
            let delay = delay.or_else(|| self.delay_of_run(node, &error, *attempts));
            let Some(delay) = delay else { return Err(error) };
            let due = self.now() + delay;
            self.journal.note(Entry::Again {
                node: path.to_owned(),
                at: self.journal.elapsed(),
                error: self.journal.masks().error(error),
                due,
            });
            if let Some(stop) = self.pause(due).await {
                return Ok(Went::Stopped(stop));
            }
        }
    }

    fn delay(&self, node: &Node, error: &Error, attempt: u32) -> Option<Duration> {
        let control = matches!(&node.work, Work::Action(step) if step.control().is_some());
        let over = self.token.is_cancelled() || self.stand_in.is_some();
        if control || over || error.category == Category::Cancelled {
            return None;
        }
        // Attempts of a run that was tried again are counted on.
        let most = node.retry.max_attempts.max(1);
        let delay = node.retry.after((attempt - 1) % most + 1, error, fastrand::f64())?;
        Some(delay.max(asked_for(error)))
    }

    /// Where errors are handled by `retry`, the run is tried again from the node by the flow's policy,
    /// each time with all attempts that the node has.
    fn delay_of_run(&self, node: &Node, error: &Error, attempts: u32) -> Option<Duration> {
        let control = matches!(&node.work, Work::Action(step) if step.control().is_some());
        let retried = node.on_error == ErrorHandling::Retry && !node.handles_errors && !control;
        if !retried || self.token.is_cancelled() || self.stand_in.is_some() {
            return None;
        }
        let round = attempts / node.retry.max_attempts.max(1);
        let delay = self.program.retry.after(round.max(1), error, fastrand::f64())?;
        Some(delay.max(asked_for(error)))
    }

    /// Waits for a time here, or says that the run should be parked until then.
    pub(super) async fn pause(&self, until: Timestamp) -> Option<Stop> {
        let left = until.since(self.now());
        if left > PARK {
            return Some(Stop::Parked(Some(until)));
        }
        tokio::select! {
            () = tokio::time::sleep(left) => None,
            () = self.token.cancelled() => Some(Stop::Cancelled),
        }
    }

    /// One attempt. A large output is stored before the room is given back that was taken for it.
    async fn attempt(
        &self,
        frame: &Frame<'_>,
        node: &Node,
        path: &str,
        attempt: u32,
    ) -> Result<Went> {
        let mut loaded = Loaded::default();
        match self.act(frame, node, path, attempt, &mut loaded).await? {
            Went::Through(Output::Here(output), port) => {
                // What later nodes see is what the journal has, before a crash as after it.
                let output = self.keep(Output::Here(self.journal.masks().value(output))).await;
                node.expect(output.stored());
                Ok(Went::Through(output, port))
            }
            went => Ok(went),
        }
    }

    async fn act(
        &self,
        frame: &Frame<'_>,
        node: &Node,
        path: &str,
        attempt: u32,
        loaded: &mut Loaded,
    ) -> Result<Went> {
        if let Some(pinned) = node.pin.as_ref().filter(|_| self.pins) {
            return Ok(Went::with(pinned.clone()));
        }
        if let Some(given) = self.stand_in(node, path) {
            return given;
        }
        match &node.work {
            Work::Junction => Ok(Went::on()),
            Work::Choice { cases, otherwise } => {
                for (port, condition) in cases {
                    if self.holds(frame, condition).await? {
                        return Ok(Went::at(port));
                    }
                }
                Ok(Went::at(otherwise))
            }
            Work::Action(step) => {
                // Before its input takes memory.
                let _place = match self.turn(step, path).await? {
                    Ok(place) => place,
                    Err(stop) => return Ok(Went::Stopped(stop)),
                };
                let own = self.access.roots(&step.input.reads, self.journal.masks()).await?;
                *loaded = self.load(frame, || step.input.seen.clone(), node.expected()).await?;
                let input = step.input.resolve(&self.data(frame, &own, loaded))?;
                step.action.check(&input)?;
                match &step.action.does {
                    Does::Pure(work) => {
                        loaded.empty();
                        self.timed(step, self.compute(node, *work, input)).await
                    }
                    Does::Control(control) => {
                        // What runs inside of it needs the room.
                        *loaded = Loaded::default();
                        self.control(*control, frame, node, step, path, input).await
                    }
                    Does::Work(_) => {
                        // Apart, so that nodes which only compute have no room for it.
                        let work = Box::pin(self.work(frame, step, path, attempt, input, loaded));
                        self.timed(step, self.in_time(node, work)).await
                    }
                }
            }
        }
    }

    /// Runs an action that takes time. One with an effect begins when everything before it is on
    /// disk.
    async fn work(
        &self,
        frame: &Frame<'_>,
        step: &Step,
        path: &str,
        attempt: u32,
        input: Value,
        loaded: &mut Loaded,
    ) -> Result<Went> {
        let Does::Work(action) = &step.action.does else {
            return Err(Error::internal("not an action that takes time"));
        };
        let stakes = action.stakes(&input, step.action.about.stakes());
        if self.is_in_doubt(path, attempt, stakes) {
            return Ok(Went::Stopped(Stop::InDoubt { path: path.to_owned(), error: None }));
        }
        let (action, effect) = (&**action, stakes.effect);
        let asked = Attempt { step, action, effect, path, number: attempt, input: &input };
        let hooked = self.ask_hooks(asked).await?;
        let pass = self.pass(action, &input)?;
        if effect == Effect::Write {
            let at = self.journal.elapsed();
            let masked = self.journal.masks().value(input.clone());
            let (input, kept) = match self.keep(Output::Here(masked)).await {
                Output::Here(input) => (Some(input), None),
                stored => (None, Some(stored)),
            };
            self.journal.note(Entry::Begun { node: path.to_owned(), at, input, kept });
            self.journal.barrier().await?;
            self.answer.release();
        } else if self.answer.is_held() {
            // An answer is not kept waiting by what follows it.
            self.journal.barrier().await?;
            self.answer.release();
        }
        if !step.input.seen.sees_code() {
            loaded.empty();
        }
        let data = self.data(frame, &[], loaded);
        let run = self.journal.run();
        let context = Context {
            flow: self.program.definition.id.as_str(),
            run: &run.id,
            node: path,
            attempt,
            // A target that has seen it of the run that failed does not do it twice.
            key: &format!("{}/{path}", run.retry_of.as_ref().unwrap_or(&run.id)),
            depth: run.depth,
            data: &data,
            permissions: &*self.access.permissions().await?,
            token: &self.token,
            log: self.journal,
        };
        let going = hooked.map(Hooked::begin);
        let output = tokio::select! {
            output = action.run(input, &context) => output,
            () = self.token.cancelled() => return Ok(Went::Stopped(Stop::Cancelled)),
        };
        if let Some(pass) = pass {
            pass.ended(&output);
        }
        if let Ok(output) = &output {
            self.hold_to_word(step, path, output);
        }
        if let Some(going) = going {
            going.ended(&output);
        }
        match output {
            // Its beginning is in the journal without an end, which the person's decision goes by.
            Err(error) if error.code == Code::InDoubt && stakes.effect == Effect::Write => {
                let error = Some(self.journal.masks().error(error.context(path)));
                Ok(Went::Stopped(Stop::InDoubt { path: path.to_owned(), error }))
            }
            output => output.map(Went::with),
        }
    }

    /// Whether a crash left an effect of which nobody knows. Only the first attempt since the restart
    /// can meet what was left then.
    fn is_in_doubt(&self, path: &str, attempt: u32, stakes: Stakes) -> bool {
        let past = self.memory.past(path);
        let left = past.is_some_and(|past| past.in_doubt && attempt == past.attempts + 1);
        left && stakes.effect == Effect::Write && !stakes.idempotent
    }

    /// What takes long goes where it holds up no other run.
    async fn compute(&self, node: &Node, work: Plain, input: Value) -> Result<Went> {
        if !is_heavy(&input) {
            return work(input).map(Went::with);
        }
        let computed = tokio::task::spawn_blocking(move || work(input));
        let computed = Box::pin(async {
            tokio::select! {
                output = computed => match output {
                    Ok(output) => output.map(Went::with),
                    Err(error) => Err(undone(error, &format!("computing {}", node.id))),
                },
                () = self.token.cancelled() => Ok(Went::Stopped(Stop::Cancelled)),
            }
        });
        self.in_time(node, computed).await
    }

    /// Leave to try what an action is about, where the flow has a breaker.
    fn pass(&self, action: &dyn Action, input: &Value) -> Result<Option<Pass<'_>>> {
        let definition = &self.program.definition;
        let Some(breaker) = &definition.settings.circuit_breaker else { return Ok(None) };
        let Some(target) = action.target(input) else { return Ok(None) };
        self.circuits.enter(definition.id.as_str(), &target, breaker).map(Some)
    }

    async fn in_time(&self, node: &Node, work: impl Future<Output = Result<Went>>) -> Result<Went> {
        let Some(timeout) = node.timeout else { return work.await };
        tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| {
            let after = timeout.as_millis();
            Err(Error::new(Code::Timeout, format!("{} was not done after {after} ms", node.id))
                .hint("Give the node a longer timeoutMs, or make it do less."))
        })
    }
}

/// How long whoever refused wants to be left alone. Nobody is believed beyond a day.
fn asked_for(error: &Error) -> Duration {
    let ms = error.retry_after_ms().filter(|ms| ms.is_finite()).unwrap_or(0.0);
    Duration::from_secs_f64(ms.clamp(0.0, LONGEST_REST_MS) / 1_000.0)
}
