use std::collections::{BTreeMap, BTreeSet};

use super::reference::{Fate, fate};
use super::{Join, Next, Plan, Way, Wiring};

fn ways(pairs: &[(usize, usize)]) -> Vec<Way> {
    pairs.iter().map(|(source, target)| Way { source: *source, target: *target }).collect()
}

/// Two branches of a choice that meet again: 0 → 1 → 3, 0 → 2 → 3.
fn diamond(join: Join) -> Wiring {
    let joins = [Join::All, Join::All, Join::All, join];
    Wiring::new(&joins, ways(&[(0, 1), (0, 2), (1, 3), (2, 3)]))
}

#[test]
fn a_join_of_all_waits_for_what_may_come_and_not_for_what_is_dead() {
    let wiring = diamond(Join::All);
    let (mut plan, first) = Plan::begin(&wiring);
    assert_eq!(first, Next { start: vec![0], dead: vec![] });
    assert_eq!(plan.end(&wiring, 0, |_| true).start, [1, 2]);
    assert_eq!(plan.end(&wiring, 1, |_| true), Next::default(), "the other branch still runs");
    assert_eq!(plan.end(&wiring, 2, |_| true).start, [3]);
    assert!(!plan.is_done());
    plan.end(&wiring, 3, |_| true);
    assert!(plan.is_done());

    let (mut plan, _) = Plan::begin(&wiring);
    let chosen = plan.end(&wiring, 0, |way| way == 0);
    assert_eq!(chosen, Next { start: vec![1], dead: vec![2] });
    assert_eq!(plan.end(&wiring, 1, |_| true).start, [3], "the dead branch is not waited for");
}

#[test]
fn a_join_of_any_goes_on_once_with_the_first() {
    let wiring = diamond(Join::Any);
    let (mut plan, _) = Plan::begin(&wiring);
    plan.end(&wiring, 0, |_| true);
    assert_eq!(plan.end(&wiring, 2, |_| true).start, [3]);
    assert_eq!(plan.end(&wiring, 3, |_| true), Next::default());
    assert!(!plan.is_done(), "a branch still runs");
    assert_eq!(plan.end(&wiring, 1, |_| true), Next::default(), "the join has gone on already");
    assert!(plan.is_done());
}

#[test]
fn death_goes_down_to_the_end() {
    let wiring = Wiring::new(&[Join::All; 5], ways(&[(0, 1), (1, 2), (2, 3), (3, 4)]));
    let (mut plan, _) = Plan::begin(&wiring);
    assert_eq!(plan.end(&wiring, 0, |_| false).dead, [1, 2, 3, 4]);
    assert!(plan.is_done());
}

#[test]
fn a_second_end_changes_nothing() {
    let wiring = diamond(Join::All);
    let (mut plan, _) = Plan::begin(&wiring);
    plan.end(&wiring, 0, |_| true);
    plan.end(&wiring, 1, |_| true);
    assert_eq!(plan.end(&wiring, 1, |_| true), Next::default());
    assert_eq!(plan.end(&wiring, 3, |_| true), Next::default(), "it has not started");
    assert_eq!(plan.end(&wiring, 2, |_| true).start, [3]);
}

#[test]
fn a_deep_graph_needs_no_deep_stack() {
    let deep = 200_000;
    let pairs: Vec<_> = (1..deep).map(|node| (node - 1, node)).collect();
    let wiring = Wiring::new(&vec![Join::All; deep], ways(&pairs));
    let (mut plan, _) = Plan::begin(&wiring);
    assert_eq!(plan.end(&wiring, 0, |_| false).dead.len(), deep - 1);
}

/// A random graph whose ways all lead to higher numbers, with some doubled.
struct Random {
    joins: Vec<Join>,
    ways: Vec<Way>,
    random: fastrand::Rng,
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let nodes = random.usize(1..=12);
        let join = |random: &mut fastrand::Rng| if random.bool() { Join::All } else { Join::Any };
        let joins = (0..nodes).map(|_| join(&mut random)).collect();
        let count = if nodes < 2 { 0 } else { random.usize(0..=nodes * 2) };
        let pick = |random: &mut fastrand::Rng| {
            let source = random.usize(0..nodes - 1);
            Way { source, target: random.usize(source + 1..nodes) }
        };
        let ways = (0..count).map(|_| pick(&mut random)).collect();
        Self { joins, ways, random }
    }
}

/// Walks one graph in a random order, and asks the reference before each step.
fn agrees(seed: u64) {
    let Random { joins, ways, mut random } = Random::new(seed);
    let wiring = Wiring::new(&joins, ways.clone());
    let (mut plan, first) = Plan::begin(&wiring);
    let mut running: Vec<usize> = first.start.clone();
    let mut started: BTreeSet<usize> = first.start.into_iter().collect();
    let mut dead = BTreeSet::new();
    let mut ended = BTreeMap::new();
    loop {
        for node in 0..joins.len() {
            let expected = fate(&joins, &ways, &ended, node);
            let is = match (started.contains(&node), dead.contains(&node)) {
                (true, false) => Fate::Runs,
                (false, true) => Fate::Dead,
                (false, false) => Fate::Open,
                (true, true) => panic!("graph {seed}: node {node} was started and found dead"),
            };
            assert_eq!(is, expected, "graph {seed}: node {node} after {ended:?}");
        }
        if running.is_empty() {
            break;
        }
        let node = running.swap_remove(random.usize(0..running.len()));
        let taken: Vec<usize> =
            wiring.ways_out(node).iter().copied().filter(|_| random.u8(0..10) < 6).collect();
        let next = plan.end(&wiring, node, |way| taken.contains(&way));
        ended.insert(node, taken);
        for node in next.start {
            assert!(started.insert(node), "graph {seed}: node {node} was started twice");
            running.push(node);
        }
        for node in next.dead {
            assert!(dead.insert(node), "graph {seed}: node {node} died twice");
        }
    }
    assert!(plan.is_done(), "graph {seed}: nothing runs, and nodes are left");
    assert_eq!(started.len() + dead.len(), joins.len(), "graph {seed}: every node has its fate");
}

#[test]
fn a_hundred_thousand_random_graphs_go_as_the_reference_says() {
    for seed in 0..100_000 {
        agrees(seed);
    }
}
