//! What may run next: a plain function of the graph and of how nodes have ended.
//!
//! Every way out of a node that has ended is either taken or dead. A node whose ways in are all dead
//! is dead itself, and so are its ways out (dead-path elimination). So each node is started once or
//! found dead once, and no join can wait for what never comes, nor go on before what still may.

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

/// When a node with several ways in goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// When every way in has ended, and one of them at least was taken.
    #[default]
    All,
    /// When the first of its ways in was taken.
    Any,
}

/// A way from one node to another, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub source: usize,
    pub target: usize,
}

/// A graph without cycles, by numbers.
#[derive(Debug, Clone, Default)]
pub struct Wiring {
    joints: Vec<Joint>,
    ways: Vec<Way>,
}

#[derive(Debug, Clone, Default)]
struct Joint {
    join: Join,
    ways_in: usize,
    ways_out: Vec<usize>,
}

impl Wiring {
    /// Nodes are numbered as in `joins`; a way names two of them.
    pub fn new(joins: &[Join], ways: Vec<Way>) -> Self {
        let joint = |join: &Join| Joint { join: *join, ..Joint::default() };
        let mut joints: Vec<Joint> = joins.iter().map(joint).collect();
        for (number, way) in ways.iter().enumerate() {
            joints[way.source].ways_out.push(number);
            joints[way.target].ways_in += 1;
        }
        Self { joints, ways }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.joints.len()
    }

    /// True for a graph without nodes.
    pub fn is_empty(&self) -> bool {
        self.joints.is_empty()
    }

    /// The ways out of a node, by their numbers.
    pub fn ways_out(&self, node: usize) -> &[usize] {
        &self.joints[node].ways_out
    }
}

/// What follows from the end of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Next {
    /// Nodes that may start now. They are told once.
    pub start: Vec<usize>,
    /// Nodes that will never run.
    pub dead: Vec<usize>,
}

/// How far a graph has been walked.
#[derive(Debug, Clone)]
pub struct Plan {
    standing: Vec<Standing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Ways in that have not ended, and whether one was taken.
    Waiting {
        open: usize,
        taken: bool,
    },
    Started,
    Ended,
}

impl Plan {
    /// The beginning: every node that no way leads to may start.
    pub fn begin(wiring: &Wiring) -> (Self, Next) {
        let mut next = Next::default();
        let mut standing = Vec::with_capacity(wiring.len());
        for (node, joint) in wiring.joints.iter().enumerate() {
            standing.push(match joint.ways_in {
                0 => {
                    next.start.push(node);
                    Standing::Started
                }
                open => Standing::Waiting { open, taken: false },
            });
        }
        (Self { standing }, next)
    }

    /// A started node has ended, and `taken` says which of its ways out are taken, by their numbers.
    /// A second end of the same node changes nothing.
    pub fn end(&mut self, wiring: &Wiring, node: usize, taken: impl Fn(usize) -> bool) -> Next {
        let mut next = Next::default();
        if self.standing[node] != Standing::Started {
            return next;
        }
        self.close(node);
        for way in wiring.ways_out(node) {
            self.arrive(wiring, *way, taken(*way), &mut next);
        }
        let mut looked = 0;
        while let Some(dead) = next.dead.get(looked).copied() {
            looked += 1;
            for way in wiring.ways_out(dead) {
                self.arrive(wiring, *way, false, &mut next);
            }
        }
        next
    }

    /// True when no node is left that runs or may run.
    #[cfg(test)]
    pub fn is_done(&self) -> bool {
        self.standing.iter().all(|each| *each == Standing::Ended)
    }

    fn arrive(&mut self, wiring: &Wiring, way: usize, taken: bool, next: &mut Next) {
        let target = wiring.ways[way].target;
        let Standing::Waiting { open, taken: before } = self.standing[target] else {
            return;
        };
        let (open, taken) = (open - 1, before || taken);
        let goes_on = match wiring.joints[target].join {
            Join::All => open == 0 && taken,
            Join::Any => taken,
        };
        if goes_on {
            self.standing[target] = Standing::Started;
            next.start.push(target);
        } else if open == 0 {
            self.close(target);
            next.dead.push(target);
        } else {
            self.standing[target] = Standing::Waiting { open, taken };
        }
    }

    fn close(&mut self, node: usize) {
        self.standing[node] = Standing::Ended;
    }
}
