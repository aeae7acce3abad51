//! Paths that have to be quiet for a while before they count.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Paths at which something happened, until they are due.
#[derive(Debug)]
pub(super) struct Pending {
    quiet: Duration,
    paths: HashMap<PathBuf, Waiting>,
    /// As long as the others wait: the first is due first. One that was put off stands here twice.
    order: VecDeque<(Instant, PathBuf)>,
}

#[derive(Debug)]
struct Waiting {
    due: Instant,
    from: Option<PathBuf>,
}

/// A path that was quiet for long enough.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub path: PathBuf,
    /// Where it was before, if the system said that it was moved.
    pub from: Option<PathBuf>,
}

impl Pending {
    pub fn new(quiet: Duration) -> Self {
        Self { quiet, paths: HashMap::new(), order: VecDeque::new() }
    }

    /// Something happened at the path.
    pub fn touch(&mut self, path: PathBuf, now: Instant) {
        let from = self.paths.remove(&path).and_then(|waiting| waiting.from);
        self.put(path, from, now);
    }

    /// What was at `from` is at `to`. Moved several times, it comes from where it was first.
    pub fn moved(&mut self, from: PathBuf, to: PathBuf, now: Instant) {
        let before = self.paths.remove(&from).and_then(|waiting| waiting.from);
        if before.is_some() {
            self.put(from.clone(), None, now);
        }
        let origin = before.unwrap_or(from);
        let origin = (origin != to).then_some(origin);
        self.put(to, origin, now);
    }

    fn put(&mut self, path: PathBuf, from: Option<PathBuf>, now: Instant) {
        let due = now + self.quiet;
        self.order.push_back((due, path.clone()));
        self.paths.insert(path, Waiting { due, from });
    }

    /// When the next path is due, or may be.
    pub fn next(&self) -> Option<Instant> {
        self.order.front().map(|(due, _)| *due)
    }

    /// Takes what is due, in the order in which it became quiet.
    pub fn take_due(&mut self, now: Instant) -> Vec<Due> {
        let mut taken = Vec::new();
        while let Some((due, _)) = self.order.front()
            && *due <= now
            && let Some((due, path)) = self.order.pop_front()
        {
            let still = self.paths.get(&path).is_some_and(|waiting| waiting.due == due);
            if still && let Some(waiting) = self.paths.remove(&path) {
                taken.push(Due { path, from: waiting.from });
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(100);

    fn due(path: &str, from: Option<&str>) -> Due {
        Due { path: path.into(), from: from.map(PathBuf::from) }
    }

    #[test]
    fn a_path_is_due_when_it_was_quiet() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut pending = Pending::new(QUIET);
        pending.touch("a".into(), at(0));
        pending.touch("b".into(), at(10));
        pending.touch("a".into(), at(50));
        assert_eq!(pending.take_due(at(99)), []);
        assert_eq!(pending.take_due(at(110)), [due("b", None)]);
        assert_eq!(pending.next(), Some(at(150)));
        assert_eq!(pending.take_due(at(150)), [due("a", None)]);
        assert_eq!(pending.next(), None);
    }

    #[test]
    fn moves_in_a_row_are_one() {
        let start = Instant::now();
        let mut pending = Pending::new(QUIET);
        pending.touch("a".into(), start);
        pending.moved("a".into(), "b".into(), start);
        pending.moved("b".into(), "c".into(), start);
        pending.touch("c".into(), start);
        let taken = pending.take_due(start + QUIET);
        assert_eq!(taken, [due("b", None), due("c", Some("a"))]);
        pending.moved("a".into(), "b".into(), start);
        pending.moved("b".into(), "a".into(), start);
        let back = pending.take_due(start + QUIET);
        assert_eq!(back, [due("b", None), due("a", None)], "it is where it was");
    }
}
