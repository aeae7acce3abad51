//! Who runs next: fair between flows, by priority, within each flow's own limit. No I/O.

use std::collections::{BTreeMap, VecDeque};

/// A flow's number.
type FlowSeq = i64;

/// What waits and what runs, by flow. `T` is what stands for a run.
#[derive(Debug)]
pub struct Board<T> {
    flows: BTreeMap<FlowSeq, Lane<T>>,
    running: usize,
    most: usize,
    /// Counts starts, so that the flow which was served longest ago comes first.
    served: u64,
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<T>,
    running: usize,
    most: usize,
    priority: i8,
    served: u64,
}

impl<T> Board<T> {
    /// For at most so many runs at a time, of all flows together.
    pub fn new(most: usize) -> Self {
        Self { flows: BTreeMap::new(), running: 0, most, served: 0 }
    }

    /// Changes how many there may be at a time. Those that go on beyond it are not stopped.
    pub fn set_most(&mut self, most: usize) {
        self.most = most;
    }

    /// Tells how many runs of a flow there may be at a time, and how it stands against others.
    pub fn set(&mut self, flow: FlowSeq, most: usize, priority: i8) {
        let lane = self.lane(flow);
        lane.most = most.max(1);
        lane.priority = priority;
    }

    /// Takes a place for a run at once, if there is one and nothing of that flow waits before it.
    pub fn enter(&mut self, flow: FlowSeq) -> bool {
        let full = self.running >= self.most;
        let lane = self.lane(flow);
        if full || lane.running >= lane.most || !lane.waiting.is_empty() {
            return false;
        }
        self.take(flow);
        true
    }

    /// Puts a run at the end of its flow's queue.
    pub fn wait(&mut self, flow: FlowSeq, run: T) {
        self.lane(flow).waiting.push_back(run);
    }

    /// The run that starts next; its place is taken.
    pub fn start_next(&mut self) -> Option<T> {
        if self.running >= self.most {
            return None;
        }
        let may = |lane: &Lane<T>| !lane.waiting.is_empty() && lane.running < lane.most;
        let (flow, _) = self
            .flows
            .iter()
            .filter(|(_, lane)| may(lane))
            .min_by_key(|(_, lane)| (std::cmp::Reverse(lane.priority), lane.served))?;
        let flow = *flow;
        self.take(flow);
        self.lane(flow).waiting.pop_front()
    }

    /// Gives the place of a run back.
    pub fn leave(&mut self, flow: FlowSeq) {
        self.running = self.running.saturating_sub(1);
        let lane = self.lane(flow);
        lane.running = lane.running.saturating_sub(1);
    }

    /// Takes runs out of the queue that are not wanted any more.
    pub fn drop_waiting(&mut self, flow: FlowSeq, unwanted: impl Fn(&T) -> bool) -> usize {
        let waiting = &mut self.lane(flow).waiting;
        let before = waiting.len();
        waiting.retain(|run| !unwanted(run));
        before - waiting.len()
    }

    /// How many wait, and how many run.
    pub fn counts(&self) -> (usize, usize) {
        (self.flows.values().map(|lane| lane.waiting.len()).sum(), self.running)
    }

    fn take(&mut self, flow: FlowSeq) {
        self.running += 1;
        self.served += 1;
        let served = self.served;
        let lane = self.lane(flow);
        lane.running += 1;
        lane.served = served;
    }

    fn lane(&mut self, flow: FlowSeq) -> &mut Lane<T> {
        self.flows.entry(flow).or_insert_with(|| Lane {
            waiting: VecDeque::new(),
            running: 0,
            most: 10,
            priority: 0,
            served: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(most: usize, waiting: &[(i64, usize, i8)]) -> Board<(i64, usize)> {
        let mut board = Board::new(most);
        for (flow, count, priority) in waiting {
            board.set(*flow, 2, *priority);
            (0..*count).for_each(|run| board.wait(*flow, (*flow, run)));
        }
        board
    }

    fn all(board: &mut Board<(i64, usize)>) -> Vec<(i64, usize)> {
        std::iter::from_fn(|| board.start_next()).collect()
    }

    #[test]
    fn flows_take_turns_whoever_has_more() {
        let mut board = filled(4, &[(1, 100, 0), (2, 2, 0)]);
        assert_eq!(all(&mut board), [(1, 0), (2, 0), (1, 1), (2, 1)]);
        board.leave(2);
        board.leave(1);
        assert_eq!(all(&mut board), [(1, 2)], "a flow keeps to its own limit");
    }

    #[test]
    fn a_higher_priority_goes_first() {
        let mut board = filled(3, &[(1, 5, 0), (2, 5, 9)]);
        assert_eq!(all(&mut board), [(2, 0), (2, 1), (1, 0)]);
    }

    #[test]
    fn nobody_overtakes_their_own_queue() {
        let mut board = filled(10, &[(1, 1, 0)]);
        assert!(!board.enter(1), "one waits already");
        assert!(board.enter(2));
        assert_eq!(all(&mut board), [(1, 0)]);
        assert!(board.enter(1));
        assert!(!board.enter(1), "two of this flow run");
        assert_eq!(board.counts(), (0, 3));
    }

    #[test]
    fn what_is_not_wanted_any_more_leaves() {
        let mut board = filled(0, &[(1, 5, 0)]);
        assert_eq!(board.drop_waiting(1, |(_, run)| *run == 3), 1);
        assert_eq!(board.counts(), (4, 0));
    }
}
