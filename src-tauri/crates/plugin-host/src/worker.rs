//! The worker's life: engine, `Start`, and then one turn after the other.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use devrig_core::protocol::{
    Failure, FromWorker, Handler, HostMethod, LogLevel, MAX_IN_FLIGHT, Outcome, Start,
};
use devrig_core::{Code, Error, Result, frame};

use crate::boot::speaks_our_version;
use crate::budget::{ACTIVATION, Budget, DEACTIVATION, Overrun};
use crate::channel::{Arrival, Channel};
use crate::engine::Engine;
use crate::stack::SourceMaps;
use crate::timers::Timers;
use crate::wire::Incoming;
use crate::{exit, memory, sandbox, wire};

/// How long an interrupted plugin may take to unwind before the worker ends on the spot.
const UNWINDING: Duration = Duration::from_millis(50);

/// After this long without work, the memory that work took is given back.
const REST: Duration = Duration::from_secs(1);

/// Timers that fire before the socket is looked at again.
const TIMERS_A_TURN: usize = 64;

pub struct Worker {
    channel: Channel,
    budget: Budget,
    timers: RefCell<Timers>,
    pub maps: Rc<SourceMaps>,
    engine: OnceCell<Engine>,
    started: Instant,
    last_host_call: Cell<u64>,
    in_flight: Cell<usize>,
    active: Cell<bool>,
    /// Code ran since memory was last given back.
    worked: Cell<bool>,
    /// Where plugin code was when its budget ended.
    cut: RefCell<Option<String>>,
    /// Set when the turn's end is the worker's end.
    ending: Cell<Option<u8>>,
}

impl Worker {
    pub fn new(channel: Channel) -> Self {
        Self {
            channel,
            budget: Budget::new(),
            timers: RefCell::default(),
            maps: Rc::default(),
            engine: OnceCell::new(),
            started: Instant::now(),
            last_host_call: Cell::new(0),
            in_flight: Cell::new(0),
            active: Cell::new(false),
            worked: Cell::new(true),
            cut: RefCell::default(),
            ending: Cell::new(None),
        }
    }

    /// From `Start` to the last message; gives the exit code.
    pub fn live(self: &Rc<Self>, start: Start) -> Result<u8> {
        let engine = Engine::new(self)
            .map_err(|error| Error::internal(format!("the engine does not start: {error}")))?;
        _ = self.engine.set(engine);
        if let Err(error) = self.start(start) {
            let outcome = Outcome::Err(error.into());
            self.send(&frame::encode(&FromWorker::Done { id: ACTIVATION, outcome })?);
            return Ok(exit::ACTIVATION);
        }
        loop {
            if let Some(code) = self.ending.get() {
                return Ok(code);
            }
            if self.wait()? == Arrival::End {
                return Ok(exit::STOPPED);
            }
            while let Some(payload) = self.channel.next()? {
                self.handle(&payload)?;
                if let Some(code) = self.ending.get() {
                    return Ok(code);
                }
            }
            self.fire_timers();
            self.end_late_calls();
        }
    }

    /// Blocks until something arrives or is due. A worker spends nearly all of its life here, so it
    /// does not keep what its largest sync needed.
    fn wait(&self) -> Result<Arrival> {
        let timeout = self.until_next_event();
        let rests = self.worked.get() && !self.budget.is_busy();
        if rests && timeout.is_none_or(|timeout| timeout > REST) {
            let arrival = self.channel.receive(Some(REST))?;
            if arrival == Arrival::Nothing {
                self.worked.set(false);
                self.engine.get().inspect(|engine| engine.collect_garbage());
                memory::give_back();
            }
            return Ok(arrival);
        }
        Ok(self.channel.receive(timeout)?)
    }

    fn start(&self, start: Start) -> Result<()> {
        speaks_our_version(start.protocol)?;
        if !start.modules.contains_key(&start.main) {
            return Err(Error::not_found(format!("the entry module {}", start.main))
                .hint("Build the plugin, and check \"main\" in its manifest."));
        }
        sandbox::fit(start.limits.heap_bytes)?;
        self.budget.set(&start.limits);
        self.budget.open(ACTIVATION);
        let maps = Rc::clone(&self.maps);
        self.turn(|engine| engine.start(start, &maps)).or_else(|message| {
            self.answer(ACTIVATION, Failure::from(Error::new(Code::PluginFailed, message)));
            Ok(())
        })
    }

    // ---- turns ----

    /// Lets plugin code run: `entry`, and then every microtask. Ends the worker when a budget is
    /// used up on the way.
    fn turn(
        &self,
        entry: impl FnOnce(&Engine) -> std::result::Result<(), String>,
    ) -> std::result::Result<(), String> {
        let engine = self.engine.get().expect("the engine is set before the first turn");
        self.worked.set(true);
        self.budget.enter();
        let mut result = entry(engine);
        if self.budget.overrun().is_none() {
            let report = |message: &str| self.log(LogLevel::Error, message, "null");
            engine.drain(|| self.budget.exhausted(), report);
        }
        if self.budget.overrun().is_none() {
            let flushed = engine.call("flushRejections", |_, hook| hook.call(()));
            result = result.and(flushed);
        }
        self.budget.leave();
        if self.budget.overrun().is_some() {
            self.end_over_budget();
        }
        if result.is_err() {
            // Most likely the heap is full: make room for the message about it.
            engine.collect_garbage();
        }
        result
    }

    /// A turn whose failure belongs to no call.
    fn turn_or_log(&self, entry: impl FnOnce(&Engine) -> std::result::Result<(), String>) {
        if let Err(message) = self.turn(entry) {
            self.log(LogLevel::Error, &message, "null");
        }
    }

    /// The engine's question, asked regularly while plugin code runs.
    pub fn interrupted(&self) -> bool {
        if !self.budget.exhausted() {
            return false;
        }
        if self.budget.overrun().is_some_and(|(_, since)| since > UNWINDING) {
            self.end_over_budget();
        }
        true
    }

    /// Keeps the trace of the first cut; what follows is the unwinding.
    pub fn note_cut(&self, stack: String) {
        self.cut.borrow_mut().get_or_insert(stack);
    }

    /// Tells every open call that it is over, and ends: a plugin that was cut off in the middle of
    /// something is not run any further.
    fn end_over_budget(&self) -> ! {
        let message = match self.budget.overrun() {
            Some((Overrun::Wall, _)) => {
                format!("the plugin was still busy after {} ms", self.budget.wall().as_millis())
            }
            _ => format!("the plugin used up its {} ms of CPU", self.budget.cpu().as_millis()),
        };
        let stack = self.cut.take().map(|stack| self.maps.readable(&stack));
        self.log(LogLevel::Error, &format!("Stopped: {message}"), "null");
        for call in self.budget.open_calls() {
            let failure = Failure {
                name: "TimeoutError".to_owned(),
                // The worker ends with it; a call that is only late leaves it running.
                code: Code::PluginStopped.as_str().to_owned(),
                message: message.clone(),
                retryable: true,
                stack: stack.clone(),
                hint: Some("Do the work in smaller pieces.".to_owned()),
                retry_after_ms: None,
            };
            self.answer(call, failure);
        }
        std::process::exit(exit::BUDGET.into());
    }

    fn handle(&self, payload: &[u8]) -> Result<()> {
        let message: Incoming = serde_json::from_slice(payload)?;
        let id = message.id;
        let text = |raw: Option<&serde_json::value::RawValue>| {
            raw.map_or_else(|| "null".to_owned(), |raw| raw.get().to_owned())
        };
        match &*message.kind {
            "call" => {
                let handler =
                    message.handler.ok_or_else(|| Error::invalid("a call names no handler"))?;
                self.call(id, handler, text(message.input));
            }
            "cancel" => self.turn_or_log(|engine| {
                engine.call("abort", |_, hook| hook.call((id as f64, "cancelled")))
            }),
            "reply" => {
                self.in_flight.set(self.in_flight.get().saturating_sub(1));
                let outcome = text(message.outcome);
                self.turn_or_log(|engine| {
                    engine.call("reply", |ctx, hook| match ctx.json_parse(outcome) {
                        Ok(outcome) => hook.call((id as f64, outcome)),
                        Err(_) => {
                            // The answer does not fit into the heap; its caller must hear that.
                            ctx.catch();
                            ctx.run_gc();
                            hook.call((id as f64, rquickjs::Null))
                        }
                    })
                });
            }
            "event" => {
                let (topic, data) = (message.topic.unwrap_or_default(), text(message.data));
                self.turn_or_log(|engine| {
                    engine.call("event", |ctx, hook| {
                        let data = ctx.json_parse(data)?;
                        hook.call((&*topic, data))
                    })
                });
            }
            "stop" => {
                self.budget.open(DEACTIVATION);
                self.turn_or_log(|engine| engine.call("stop", |_, hook| hook.call(())));
            }
            other => {
                return Err(Error::invalid(format!("the message \"{other}\" is not known")));
            }
        }
        Ok(())
    }

    fn call(&self, id: u64, handler: Handler, input: String) {
        if !self.active.get() || self.budget.is_open(id) {
            let error = Error::new(Code::Conflict, "the plugin is not ready for this call");
            self.refuse(id, error.into());
            return;
        }
        let (hook, name) = match handler {
            Handler::Sync { source } => ("sync", source),
            Handler::Action { action } => ("action", action),
            Handler::Connection => ("check", String::new()),
            Handler::Condition { condition } => ("condition", condition),
            Handler::Poll { trigger } => ("poll", trigger),
            Handler::Before { hook } => ("before", hook),
            Handler::After { hook } => ("after", hook),
        };
        self.budget.open(id);
        let result = self.turn(|engine| {
            engine.call(hook, |ctx, function| {
                let input = ctx.json_parse(input)?;
                function.call((id as f64, name, input))
            })
        });
        if let Err(message) = result {
            self.answer(id, Failure::from(Error::new(Code::TooLarge, message)));
        }
    }

    fn fire_timers(&self) {
        for _ in 0..TIMERS_A_TURN {
            let due = self.timers.borrow_mut().due(Instant::now());
            let Some(id) = due else { return };
            self.turn_or_log(|engine| engine.call("timer", |_, hook| hook.call((id as f64,))));
        }
    }

    fn end_late_calls(&self) {
        let (late, _) = self.budget.late();
        for id in late {
            if id == DEACTIVATION {
                self.stopped();
                return;
            }
            let message = format!("no result after {} ms", self.budget.wall().as_millis());
            self.answer(id, Failure::from(Error::new(Code::Timeout, message)));
            self.turn_or_log(|engine| {
                engine.call("abort", |_, hook| hook.call((id as f64, "timeout")))
            });
        }
    }

    fn until_next_event(&self) -> Option<Duration> {
        let (late, next_late) = self.budget.late();
        if !late.is_empty() {
            return Some(Duration::ZERO);
        }
        let next = [next_late, self.timers.borrow_mut().next()].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    // ---- what our JavaScript asks for ----

    /// Sends a call to the broker and gives its id.
    pub fn host_call(&self, call: u64, method: HostMethod, params: &str) -> Result<u64> {
        if self.in_flight.get() >= MAX_IN_FLIGHT {
            return Err(Error::new(Code::QuotaExceeded, "too many calls are unanswered"));
        }
        let id = self.last_host_call.get() + 1;
        let frame = wire::host(id, call, method, params)?;
        self.last_host_call.set(id);
        self.in_flight.set(self.in_flight.get() + 1);
        self.send(&frame);
        Ok(id)
    }

    /// Answers a call, unless it was answered already.
    pub fn done(&self, call: u64, output: &str) -> Result<()> {
        if !self.budget.is_open(call) {
            return Ok(());
        }
        let frame = wire::done(call, output)?;
        self.budget.close(call);
        self.send(&frame);
        Ok(())
    }

    /// As [`Self::done`], with a `Failure` as JSON. A failed activation ends the worker.
    pub fn failed(&self, call: u64, failure: &str) -> Result<()> {
        if !self.budget.is_open(call) {
            return Ok(());
        }
        let frame = wire::failed(call, failure)?;
        self.budget.close(call);
        self.send(&frame);
        if call == ACTIVATION {
            self.ending.set(Some(exit::ACTIVATION));
        }
        Ok(())
    }

    pub fn activated(&self, registered: &str) -> Result<()> {
        if self.budget.close(ACTIVATION) {
            self.send(&wire::active(registered)?);
            self.active.set(true);
        }
        Ok(())
    }

    pub fn stopped(&self) {
        if let Ok(frame) = frame::encode(&FromWorker::Stopped) {
            self.send(&frame);
        }
        self.ending.set(Some(exit::STOPPED));
    }

    pub fn log(&self, level: LogLevel, message: &str, meta: &str) {
        match wire::log(level, message, meta) {
            Ok(frame) => self.send(&frame),
            // Only its meta can be unfit.
            Err(_) => self.send(&wire::log(level, message, "null").unwrap_or_default()),
        }
    }

    pub fn arm(&self, delay_ms: f64) -> u64 {
        self.timers.borrow_mut().arm(delay_ms).unwrap_or(0)
    }

    pub fn disarm(&self, timer: u64) {
        self.timers.borrow_mut().clear(timer);
    }

    /// Milliseconds since the worker began, coarse enough to time nothing but work.
    pub fn now(&self) -> f64 {
        (self.started.elapsed().as_micros() / 100) as f64 / 10.0
    }

    /// A failure of the worker's own making for a call that is open.
    fn answer(&self, call: u64, failure: Failure) {
        if self.budget.close(call) {
            self.refuse(call, failure);
            if call == ACTIVATION {
                self.ending.set(Some(exit::ACTIVATION));
            }
        }
    }

    fn refuse(&self, call: u64, failure: Failure) {
        let outcome = Outcome::Err(failure);
        if let Ok(frame) = frame::encode(&FromWorker::Done { id: call, outcome }) {
            self.send(&frame);
        }
    }

    fn send(&self, frame: &[u8]) {
        if self.channel.send(frame).is_err() {
            // The core is gone, and with it the only reason to be here.
            std::process::exit(exit::STOPPED.into());
        }
    }
}
