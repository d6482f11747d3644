//! Look-ahead: the speeds at which moves join, as far as the moves to come are known.
//!
//! Owns: [`Planner`], a window of moves of bounded size. Must not know: G-code.
//!
//! Speeds are squared away backwards (every move must be able to brake for what follows it) and forwards (and
//! to reach what it ends at). At the end of what is known the plan is to stop, as a firmware's is; while moves
//! may still come it is to stop wholly, because the next corner may be slower than any speed taken for granted.

use std::collections::VecDeque;

use super::block::{Block, LEAST_MM_S, Segment};
use super::junction;
use super::limits::Limits;
use super::trapezoid::{Trapezoid, reachable};

/// How many moves are looked at behind one before its speeds are settled, if nothing else is said. Marlin
/// looks 16 ahead (`BLOCK_BUFFER_SIZE`), slicers estimate with 64.
pub const LOOK_AHEAD: usize = 64;

/// A move whose speeds are settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned<T> {
    /// The move as it was asked for.
    pub segment: Segment,
    /// Its speeds.
    pub trapezoid: Trapezoid,
    /// What was given with it.
    pub tag: T,
}

#[derive(Debug, Clone, Copy)]
struct Queued<T> {
    block: Block,
    segment: Segment,
    tag: T,
    /// The greatest speed at its beginning.
    most_entry: f64,
    /// The speed at its beginning, as it is planned.
    entry: f64,
}

/// Plans moves one behind the other, in memory for a bounded number of them.
#[derive(Debug)]
pub struct Planner<T> {
    queue: VecDeque<Queued<T>>,
    look_ahead: usize,
    /// The last move, also when it is no longer in the queue.
    last: Option<Block>,
}

impl<T: Copy> Default for Planner<T> {
    fn default() -> Self {
        Self::new(LOOK_AHEAD)
    }
}

impl<T: Copy> Planner<T> {
    /// A planner that stands still and settles a move when it knows `look_ahead` moves behind it (at least
    /// one).
    #[must_use]
    pub fn new(look_ahead: usize) -> Self {
        let look_ahead = look_ahead.max(1);
        Self { queue: VecDeque::with_capacity(2 * look_ahead), look_ahead, last: None }
    }

    /// Adds a move; hands out those that are settled by it, in order.
    pub fn push(&mut self, segment: Segment, limits: &Limits, tag: T, mut each: impl FnMut(&Planned<T>)) {
        let Some(block) = Block::new(&segment, limits) else { return };
        let most_entry = match &self.last {
            Some(last) => junction::speed(last, &block, limits),
            None => block.safe_mm_s,
        };
        self.last = Some(block);
        self.queue.push_back(Queued { block, segment, tag, most_entry, entry: most_entry });
        // Planned twice as far as it must be, so that each move is looked at a few times only.
        if self.queue.len() >= 2 * self.look_ahead {
            self.plan(0.0);
            self.settle(self.look_ahead, &mut each);
        }
    }

    /// All motion ends: hands out all moves, the last of them braking to a standstill.
    pub fn stop(&mut self, mut each: impl FnMut(&Planned<T>)) {
        self.plan(LEAST_MM_S);
        self.settle(self.queue.len(), &mut each);
        self.last = None;
    }

    /// Changes what was given with the moves that are not settled yet.
    pub fn retag(&mut self, change: impl Fn(&mut T)) {
        self.queue.iter_mut().for_each(|move_| change(&mut move_.tag));
    }

    /// Plans all that is known, for the last move to end at `exit`. What is settled by it stays doable only if
    /// nothing that comes later asks for less than `exit`.
    fn plan(&mut self, mut exit: f64) {
        let Some(first) = self.queue.front().map(|move_| move_.entry) else { return };
        for move_ in self.queue.iter_mut().rev() {
            let Block { length_mm, acceleration_mm_s2, .. } = move_.block;
            move_.entry = move_.most_entry.min(reachable(exit, acceleration_mm_s2, length_mm));
            exit = move_.entry;
        }
        // What the move before has ended with is settled.
        let mut entry = first;
        for move_ in &mut self.queue {
            move_.entry = move_.entry.min(entry);
            let Block { length_mm, acceleration_mm_s2, .. } = move_.block;
            entry = reachable(move_.entry, acceleration_mm_s2, length_mm);
        }
    }

    fn settle(&mut self, count: usize, each: &mut impl FnMut(&Planned<T>)) {
        for _ in 0..count {
            let Some(move_) = self.queue.pop_front() else { return };
            let exit = match self.queue.front_mut() {
                Some(next) => {
                    next.most_entry = next.entry;
                    next.entry
                }
                None => LEAST_MM_S.min(move_.block.nominal_mm_s),
            };
            let Block { length_mm, nominal_mm_s, acceleration_mm_s2, .. } = move_.block;
            let exit = exit.min(reachable(move_.entry, acceleration_mm_s2, length_mm));
            let trapezoid =
                Trapezoid::fastest(length_mm, move_.entry, nominal_mm_s, exit, acceleration_mm_s2);
            each(&Planned { segment: move_.segment, trapezoid, tag: move_.tag });
        }
    }
}

#[cfg(test)]
mod tests;
