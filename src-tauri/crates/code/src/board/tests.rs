use std::collections::HashMap;

use devrig_core::frame;
use devrig_core::snippet::{Budget, ToRunner};
use proptest::prelude::*;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::*;
use crate::run::{CodeRun, Snippet};

/// A board with workers that are made of paper. A worker is known by the number in its name, which
/// is its seat's.
struct Table {
    board: Board<u64>,
    outboxes: HashMap<u64, Arc<Outbox>>,
    answers: HashMap<u64, oneshot::Receiver<Ended>>,
    now: Instant,
    cpu: Duration,
    last: u64,
    starts: usize,
    ended: Vec<u64>,
}

const SHORT: Duration = Duration::from_micros(20);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

impl Table {
    fn new(workers: usize) -> Self {
        Self {
            board: Board::new(workers, 1000),
            outboxes: HashMap::new(),
            answers: HashMap::new(),
            now: Instant::now(),
            cpu: Duration::ZERO,
            last: 0,
            starts: 0,
            ended: Vec::new(),
        }
    }

    fn with_seats(workers: usize, seats: usize) -> Self {
        let mut table = Self::new(workers);
        table.board.starting = seats;
        (0..seats).for_each(|_| table.join());
        table
    }

    fn join(&mut self) {
        let outbox = Arc::<Outbox>::default();
        let name = self.board.last_seat + 1;
        let (seat, acts) = self.board.joined(name, Arc::clone(&outbox), self.now);
        assert_eq!(seat, name);
        self.outboxes.insert(seat, outbox);
        self.note(acts);
    }

    fn note(&mut self, acts: Vec<Act<u64>>) {
        for act in acts {
            match act {
                Act::Start => self.starts += 1,
                Act::End(worker) => self.ended.push(worker),
                Act::Answer(to, ended) => drop(to.send(ended)),
                Act::Flush(_) => {}
            }
        }
    }

    fn add(&mut self, source: &str) -> u64 {
        self.last += 1;
        let (answer, ended) = oneshot::channel();
        self.answers.insert(self.last, ended);
        let input = RawValue::from_string("{}".to_owned()).unwrap();
        let snippet = Snippet::new(source).unwrap();
        let run = CodeRun { snippet, input, budget: Budget::default() };
        let acts = self.board.add(Job::new(self.last, run, Purpose::Run, answer), self.now);
        self.note(acts);
        self.last
    }

    /// What a worker has been sent: ids of runs, and those of skips as negative numbers.
    fn sent(&self, seat: u64) -> Vec<i64> {
        let bytes = std::mem::take(&mut *self.outboxes[&seat].lock());
        let mut rest = &*bytes;
        let mut all = Vec::new();
        while let Some(payload) = frame::read(&mut rest).unwrap() {
            all.push(match ToRunner::read(&payload).unwrap() {
                ToRunner::Run(run) => run.id as i64,
                ToRunner::Skip(id) => -(id as i64),
            });
        }
        all
    }

    fn tell(&mut self, seat: u64, id: u64, cpu: Duration, end: ToldEnd) {
        let told = Told { id, cpu, console: Vec::new(), end };
        let acts = self.board.told(seat, vec![told], self.now);
        self.note(acts);
    }

    fn answer(&mut self, seat: u64, id: u64, cpu: Duration) {
        let output = RawValue::from_string("1".to_owned()).unwrap();
        self.tell(seat, id, cpu, ToldEnd::Output(output));
    }

    /// Has a source known to take so long.
    fn teach(&mut self, source: &str, cpu: Duration) {
        self.board.lengths.note(Snippet::new(source).unwrap().hash(), cpu);
    }

    /// Lets the workers be looked at before and after so much time and CPU.
    fn pass(&mut self, time: Duration, cpu: Duration) {
        let begin = ms(2).min(time);
        for (time, cpu) in [(begin, Duration::ZERO), (time - begin, cpu)] {
            self.now += time;
            self.cpu += cpu;
            let used = self.cpu;
            let acts = self.board.look(self.now, |_| Some(used));
            self.note(acts);
        }
    }

    fn outcome(&mut self, id: u64) -> Option<Ended> {
        self.answers.get_mut(&id).unwrap().try_recv().ok()
    }

    fn code(&mut self, id: u64) -> Option<devrig_core::Code> {
        self.outcome(id).map(|ended| ended.unwrap_err().error.code)
    }
}

#[test]
fn what_is_not_known_to_be_short_is_run_with_nothing_behind_it() {
    let mut table = Table::with_seats(1, 1);
    let first = table.add("a");
    table.add("a");
    table.add("b");
    assert_eq!(table.sent(1), [1], "nothing is known of either");
    table.answer(1, first, SHORT);
    assert_eq!(table.sent(1), [2], "and b must not wait behind a in the worker");
    table.answer(1, 2, SHORT);
    table.answer(1, 3, SHORT);
    for _ in 0..20 {
        table.add("a");
    }
    let sent = table.sent(1).len();
    assert!((4..=8).contains(&(sent - 1)), "now several short ones go in one write: {sent}");
}

#[test]
fn a_worker_is_started_when_a_run_would_wait_and_no_more_than_allowed() {
    let mut table = Table::new(2);
    table.add("a");
    assert_eq!(table.starts, 1);
    table.add("a");
    assert_eq!(table.starts, 2);
    table.add("a");
    assert_eq!(table.starts, 2);
    table.join();
    table.join();
    assert_eq!((table.sent(1), table.sent(2)), (vec![1], vec![2]), "each has one at once");
    table.teach("a", SHORT);
    table.answer(1, 1, SHORT);
    assert_eq!(table.starts, 2);
}

#[test]
fn those_behind_a_slow_run_are_given_to_others() {
    let mut table = Table::with_seats(2, 2);
    table.teach("a", SHORT);
    let ids: Vec<u64> = (0..6).map(|_| table.add("a")).collect();
    let (one, two) = (table.sent(1), table.sent(2));
    assert_eq!((one, two), (vec![1, 3, 5], vec![2, 4, 6]));
    table.answer(2, 2, SHORT);
    table.answer(2, 4, SHORT);
    table.answer(2, 6, SHORT);
    table.pass(ms(4), ms(0));
    assert!(table.sent(1).is_empty(), "it has not been given its turn, so it may be short yet");
    table.pass(ms(4), ms(3));
    assert_eq!(table.sent(1), [-5, -3]);
    assert_eq!(table.sent(2), [3, 5], "in their order");
    table.add("a");
    assert_eq!((table.sent(1), table.sent(2)), (vec![], vec![7]), "nothing behind the slow one");
    table.answer(1, 1, ms(9));
    table.answer(2, 3, SHORT);
    table.answer(2, 5, SHORT);
    table.tell(1, 3, Duration::ZERO, ToldEnd::Skipped);
    table.answer(1, 5, SHORT);
    for id in ids {
        assert!(table.outcome(id).unwrap().is_ok(), "each is answered once: {id}");
    }
    assert!(table.ended.is_empty(), "an answer to a run that was taken back is no offence");
}

#[test]
fn long_runs_never_have_all_workers_while_short_ones_wait() {
    let mut table = Table::with_seats(2, 2);
    table.teach("long", ms(50));
    table.teach("short", SHORT);
    (0..4).for_each(|_| _ = table.add("long"));
    assert_eq!((table.sent(1), table.sent(2)), (vec![1], vec![2]), "alone they have both");
    table.add("short");
    assert_eq!(table.starts, 1, "both are held up, so a third is started");
    table.join();
    assert_eq!(table.sent(3), [5]);
    (0..9).for_each(|_| _ = table.add("short"));
    table.answer(1, 1, ms(50));
    assert!(table.sent(1).contains(&14), "the first is for short ones now, one is long already");
}

#[test]
fn a_long_run_gets_its_turn_beside_a_stream_of_short_ones() {
    for workers in [1, 2] {
        let mut table = Table::with_seats(workers, workers);
        table.teach("long", ms(50));
        table.teach("short", SHORT);
        (0..100).for_each(|_| _ = table.add("short"));
        let long = table.add("long");
        let mut inbox = Vec::new();
        let begun = (0..40).any(|_| {
            for seat in 1..=workers as u64 {
                inbox.extend(table.sent(seat).into_iter().map(|id| (seat, id as u64)));
            }
            if inbox.iter().any(|(_, id)| *id == long) {
                return true;
            }
            let (seat, id) = inbox.remove(0);
            table.answer(seat, id, SHORT);
            table.add("short");
            false
        });
        assert!(begun, "{workers} workers");
    }
}

#[test]
fn the_last_worker_is_for_what_is_known_to_be_short() {
    let mut table = Table::new(1);
    table.teach("short", SHORT);
    (0..6).for_each(|n| _ = table.add(&format!("new {n}")));
    for seat in 1..=4 {
        table.join();
        table.pass(ms(4), ms(4));
        let sent = table.sent(seat).len();
        assert_eq!(sent, usize::from(seat < 4), "{seat}");
    }
    assert_eq!(table.starts, 4, "no more than four for each core");
    table.add("short");
    assert_eq!(table.sent(4), [7], "past three that wait");
    table.answer(1, 1, SHORT);
    assert_eq!(table.sent(1), [4]);
}

#[test]
fn an_overrun_ends_the_worker_and_only_the_guilty_fails() {
    use devrig_core::Code::Timeout;
    let mut table = Table::with_seats(1, 1);
    table.teach("a", SHORT);
    (0..3).for_each(|_| _ = table.add("a"));
    table.pass(ms(900), ms(900));
    assert_eq!(table.outcome(1).map(|_| ()), None, "within its second");
    table.pass(ms(300), ms(1200));
    assert_eq!(table.code(1), Some(Timeout));
    assert_eq!(table.ended, [1]);
    assert_eq!(table.starts, 1);
    table.join();
    assert_eq!(table.sent(2), [2], "the other two are run by the next worker");
    table.answer(2, 2, SHORT);
    assert_eq!(table.sent(2), [3]);
    table.pass(ms(6000), ms(0));
    assert_eq!(table.code(3), Some(Timeout), "by the clock too");
    let mut table = Table::with_seats(1, 1);
    table.add("a");
    let acts = table.board.gone(1, Gone::Overran, table.now);
    table.note(acts);
    assert_eq!(table.code(1), Some(Timeout), "or by its own word");
}

#[test]
fn a_run_whose_worker_dies_is_tried_once_more() {
    use devrig_core::Code::PluginStopped;
    let mut table = Table::with_seats(1, 1);
    table.teach("a", SHORT);
    (0..2).for_each(|_| _ = table.add("a"));
    let crash = |table: &mut Table, seat| {
        let acts = table.board.gone(seat, Gone::Crashed("signal 9".into()), table.now);
        table.note(acts);
        table.join();
    };
    crash(&mut table, 1);
    assert_eq!(table.sent(2), [1, 2], "both, in their order");
    crash(&mut table, 2);
    assert_eq!(table.code(1), Some(PluginStopped), "it was running both times");
    assert_eq!(table.sent(3), [2], "the other one never began");
    table.answer(3, 2, SHORT);
    assert!(table.outcome(2).unwrap().is_ok());
}

#[test]
fn who_answers_what_was_not_asked_is_ended() {
    for (id, end) in [
        (9, ToldEnd::Unknown),
        (2, ToldEnd::Unknown),
        (1, ToldEnd::Skipped),
        (0, ToldEnd::Output(RawValue::NULL.to_owned())),
    ] {
        let mut table = Table::with_seats(1, 1);
        table.teach("a", SHORT);
        (0..2).for_each(|_| _ = table.add("a"));
        table.tell(1, id, SHORT, end);
        assert_eq!(table.ended, [1], "{id}");
        table.join();
        assert_eq!(table.sent(2), [1, 2], "{id}: the runs go on elsewhere");
    }
}

#[test]
fn a_source_that_is_not_known_is_sent_again_but_not_for_ever() {
    let mut table = Table::with_seats(1, 1);
    table.add("a");
    for _ in 0..MOST_UNKNOWN {
        assert_eq!(table.sent(1), [1]);
        table.tell(1, 1, SHORT, ToldEnd::Unknown);
    }
    assert!(table.ended.is_empty());
    assert_eq!(table.sent(1), [1]);
    table.tell(1, 1, SHORT, ToldEnd::Unknown);
    assert_eq!(table.ended, [1]);
}

#[test]
fn a_run_that_is_given_up_is_skipped_or_its_worker_ended() {
    let mut table = Table::with_seats(1, 1);
    table.teach("a", SHORT);
    (0..3).for_each(|_| _ = table.add("a"));
    table.sent(1);
    for id in [2, 1, 99] {
        let acts = table.board.drop_job(id);
        table.note(acts);
    }
    assert_eq!(table.sent(1), [-2, -1]);
    table.pass(ms(10), ms(10));
    assert!(table.ended.is_empty(), "it may end by itself");
    table.pass(ms(60), ms(60));
    assert_eq!(table.ended, [1]);
    table.join();
    assert_eq!(table.sent(2), [3], "only the one that is wanted");
}

#[test]
fn too_many_are_refused_and_without_workers_nobody_waits() {
    use devrig_core::Code::{Io, QuotaExceeded};
    let mut table = Table::new(1);
    (0..1001).for_each(|_| _ = table.add("a"));
    assert_eq!(table.code(1001), Some(QuotaExceeded));
    assert!(table.outcome(1000).is_none());
    for failed in 1..=STARTS {
        assert!(table.outcome(1).is_none(), "it may have been by chance");
        assert_eq!(table.starts, usize::from(failed));
        let acts = table.board.not_started(&Error::new(Io, "no such program"));
        table.note(acts);
    }
    assert_eq!(table.code(1), Some(Io));
    assert_eq!(table.code(1000), Some(Io));
    table.add("a");
    assert_eq!(table.starts, 3, "the next one tries again");
}

#[test]
fn idle_workers_end_but_for_some() {
    let mut table = Table::with_seats(3, 3);
    table.add("a");
    table.now += ms(100);
    let acts = table.board.end_idle(ms(50), 2, table.now);
    table.note(acts);
    assert_eq!(table.ended, [3]);
    let acts = table.board.end_idle(ms(50), 0, table.now);
    table.note(acts);
    assert_eq!(table.ended, [3, 2], "one has work");
    let acts = table.board.close();
    table.note(acts);
    assert_eq!(table.ended, [3, 2, 1]);
    assert_eq!(table.code(1), Some(devrig_core::Code::Cancelled));
}

#[derive(Debug, Clone)]
enum Event {
    Add(u8),
    Answer(u8, u16),
    Unknown(u8),
    Crash(u8),
    Overrun(u8),
    Drop(u8),
    Look(u16, u16),
    Join,
    NotStarted,
    Idle,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0..5u8).prop_map(Event::Add),
        6 => (any::<u8>(), 1..4000u16).prop_map(|(seat, us)| Event::Answer(seat, us)),
        1 => any::<u8>().prop_map(Event::Unknown),
        1 => any::<u8>().prop_map(Event::Crash),
        1 => any::<u8>().prop_map(Event::Overrun),
        1 => any::<u8>().prop_map(Event::Drop),
        2 => (0..3000u16, 0..3000u16).prop_map(|(time, cpu)| Event::Look(time, cpu)),
        3 => Just(Event::Join),
        1 => Just(Event::NotStarted),
        1 => Just(Event::Idle),
    ]
}

impl Table {
    /// What a worker does, which sees only what it is sent.
    fn happen(&mut self, event: &Event, inbox: &mut HashMap<u64, Vec<u64>>) {
        let seats: Vec<u64> = self.board.seats.iter().map(|seat| seat.id).collect();
        for &seat in &seats {
            let sent = self.sent(seat);
            let runs = sent.iter().filter(|&&id| id > 0).map(|&id| id as u64);
            inbox.entry(seat).or_default().extend(runs);
        }
        let pick = |which: u8| seats.get(usize::from(which) % seats.len().max(1)).copied();
        let acts = match *event {
            Event::Add(source) => {
                self.add(&format!("source {source}"));
                return;
            }
            Event::Answer(which, us) => {
                let Some(seat) = pick(which) else { return };
                let waiting = inbox.entry(seat).or_default();
                if waiting.is_empty() {
                    return;
                }
                let id = waiting.remove(0);
                return self.answer(seat, id, Duration::from_micros(us.into()));
            }
            Event::Unknown(which) => {
                let Some(seat) = pick(which) else { return };
                let waiting = inbox.entry(seat).or_default();
                if waiting.is_empty() {
                    return;
                }
                let id = waiting.remove(0);
                return self.tell(seat, id, SHORT, ToldEnd::Unknown);
            }
            Event::Crash(which) => match pick(which) {
                Some(seat) => self.board.gone(seat, Gone::Crashed("x".into()), self.now),
                None => return,
            },
            Event::Overrun(which) => match pick(which) {
                Some(seat) => self.board.gone(seat, Gone::Overran, self.now),
                None => return,
            },
            Event::Drop(which) => self.board.drop_job(u64::from(which) % (self.last + 1)),
            Event::Look(time, cpu) => return self.pass(ms(time.into()), ms(cpu.into())),
            Event::Join if self.board.starting > 0 => return self.join(),
            Event::NotStarted if self.board.starting > 0 => {
                self.board.not_started(&Error::new(devrig_core::Code::Io, "x"))
            }
            Event::Join | Event::NotStarted => return,
            Event::Idle => self.board.end_idle(ms(10), 1, self.now),
        };
        self.note(acts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever happens, once everything works again every run that was not given up is answered.
    #[test]
    fn no_run_is_ever_forgotten(events in prop::collection::vec(event(), 1..120)) {
        let mut table = Table::new(2);
        let mut inbox = HashMap::new();
        let mut dropped = Vec::new();
        for event in &events {
            if let Event::Drop(which) = event {
                dropped.push(u64::from(*which) % (table.last + 1));
            }
            table.happen(event, &mut inbox);
            let seats = table.board.seats.len() + table.board.starting;
            prop_assert!(seats <= 2 * RELIEF, "{seats} workers");
        }
        for _ in 0..10 * events.len() + 50 {
            table.happen(&Event::Join, &mut inbox);
            for seat in 0..8 {
                table.happen(&Event::Answer(seat, 20), &mut inbox);
            }
        }
        prop_assert_eq!((table.board.waiting(), table.board.running()), (0, 0));
        for id in (1..=table.last).filter(|id| !dropped.contains(id)) {
            prop_assert!(table.outcome(id).is_some(), "run {} of {:?}", id, events);
        }
    }
}
