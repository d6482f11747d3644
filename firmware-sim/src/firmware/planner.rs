//! The queue of moves between a G1's `ok` and the end of its motion, with look-ahead.
//!
//! Owns when each block starts and ends, how fast it passes its junctions and where the head is meanwhile. A block
//! that moves is not changed any more; all behind it are planned anew when one is added, so that the last can
//! still come to rest.

mod junction;
mod trapezoid;

use std::collections::VecDeque;
use std::time::Duration;

use super::limits::{Limits, within};
use super::motion::{Axes, Way};
use junction::Side;
use trapezoid::Trapezoid;

/// Usable blocks: one less than BLOCK_BUFFER_SIZE, whose ring keeps one free.
const BLOCKS: usize = 15;
/// After a quick stop, moves are thrown away for this long.
const CLEANING: Duration = Duration::from_secs(1);
/// From the first move to its motion, as observed: time for a second one to come.
const START_DELAY: Duration = Duration::from_millis(30);

/// One planned motion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) from: Axes,
    pub(crate) to: Axes,
    /// mm.
    length: f64,
    /// mm/s.
    nominal: f64,
    /// mm/s².
    acceleration: f64,
    /// Each axis's share of the length.
    direction: Axes,
}

impl Block {
    /// A move at `feed` mm/s as far as the limits allow.
    pub(crate) fn new(from: Axes, to: Axes, way: &Way, feed: f64, limits: &Limits) -> Self {
        let extruded = to[3] - from[3];
        let moves = way.length > 0.0;
        let length = if moves { way.length } else { extruded.abs() }.max(1e-9);
        let [x, y, z] = way.direction;
        let direction = [x, y, z, extruded / length];
        let wanted = limits.acceleration(moves, extruded != 0.0);
        let acceleration = within(wanted, &direction, &limits.max_acceleration).max(1e-3);
        let nominal = within(feed, &direction, &limits.max_feed).max(1e-2);
        Self { from, to, length, nominal, acceleration, direction }
    }

    fn side(&self) -> Side {
        let Self { direction, nominal, length, acceleration, .. } = *self;
        Side { direction, nominal, length, acceleration }
    }
}

/// A block and the speeds of its junctions, mm/s.
#[derive(Debug, Clone)]
struct Planned {
    block: Block,
    /// The fastest the junction before it allows.
    max_entry: f64,
    entry: f64,
    /// From rest, and to rest.
    rest: f64,
    exit: f64,
}

impl Planned {
    fn trapezoid(&self) -> Trapezoid {
        let Block { length, nominal, acceleration, .. } = self.block;
        Trapezoid::new(length, self.entry, self.exit, nominal, acceleration)
    }

    fn duration(&self) -> Duration {
        Duration::try_from_secs_f64(self.trapezoid().duration()).unwrap_or(Duration::ZERO)
    }

    /// The slowest that it can leave with, having entered so fast, mm/s.
    fn slowest_exit(&self, entry: f64) -> f64 {
        let squared = entry * entry - 2.0 * self.block.acceleration * self.block.length;
        // What rounding leaves of a stop: its root would be a thousand times larger.
        if squared > 1e-6 { squared.sqrt() } else { 0.0 }
    }

    /// The fastest at one end for a speed at the other, mm/s.
    fn across(&self, speed: f64) -> f64 {
        (speed * speed + 2.0 * self.block.acceleration * self.block.length).sqrt()
    }
}

/// Blocks in motion order. Finished blocks leave with [`retire`](Self::retire), at their own time however late
/// that is called.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    blocks: VecDeque<Planned>,
    head_started: Duration,
    cleaning_until: Duration,
    /// Moves that were carried out, for who watches them.
    carried_out: Option<Vec<[Axes; 2]>>,
}

impl Planner {
    /// Keeps what is carried out from now on, for [`Self::take_carried_out`].
    pub(crate) fn watch(&mut self) {
        self.carried_out = Some(Vec::new());
    }

    /// The moves that were carried out since this was asked last, from where to where.
    pub(crate) fn take_carried_out(&mut self) -> Vec<[Axes; 2]> {
        self.carried_out.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The head is carried out so far, if it moves: as when the power fails or a quick stop comes.
    pub(crate) fn break_off(&mut self, now: Duration) {
        if let (Some(rest), Some(head)) = (self.position(now), self.blocks.front()) {
            let from = head.block.from;
            self.carried_out.iter_mut().for_each(|moves| moves.push([from, rest]));
        }
    }

    /// Lets every block go that has ended at `now`.
    pub(crate) fn retire(&mut self, now: Duration) {
        while let Some(head) = self.blocks.front() {
            let ends = self.head_started + head.duration();
            if ends > now {
                break;
            }
            self.head_started = ends;
            if let (Some(moves), Some(head)) = (&mut self.carried_out, self.blocks.front()) {
                moves.push([head.block.from, head.block.to]);
            }
            self.blocks.pop_front();
        }
    }

    pub(crate) fn free(&self) -> usize {
        BLOCKS - self.blocks.len()
    }

    /// Adds a block at the end. There must be room. Right after a quick stop it is thrown away.
    pub(crate) fn push(&mut self, now: Duration, block: Block, limits: &Limits) {
        if now < self.cleaning_until {
            return;
        }
        self.retire(now);
        let rest = junction::from_rest(&limits.corner, &block.side());
        let max_entry = match self.blocks.back() {
            Some(last) => {
                let (before, after) = (last.block.side(), block.side());
                junction::speed(&limits.corner, &before, &after, &limits.max_acceleration)
            }
            None => {
                self.head_started = now + START_DELAY;
                rest
            }
        };
        self.blocks.push_back(Planned { block, max_entry, entry: 0.0, rest, exit: 0.0 });
        self.plan(now);
    }

    /// Backward: no block may enter faster than it can slow down for what follows. Forward: nor faster than the
    /// one before it can get. The block in motion keeps its exit.
    fn plan(&mut self, now: Duration) {
        let moving = usize::from(self.head_started <= now && self.blocks.len() > 1);
        let mut exit = self.blocks.back().map_or(0.0, |last| last.rest);
        for planned in self.blocks.range_mut(moving..).rev() {
            planned.exit = exit;
            planned.entry = planned.max_entry.min(planned.across(exit));
            exit = planned.entry;
        }
        let mut entry = match self.blocks.front() {
            Some(head) if moving == 1 => head.exit,
            Some(head) => head.entry,
            None => return,
        };
        for planned in self.blocks.range_mut(moving..) {
            planned.entry = entry;
            planned.exit = planned.exit.min(planned.across(entry)).max(planned.slowest_exit(entry));
            entry = planned.exit;
        }
    }

    /// Nothing moves and moves are taken again.
    pub(crate) fn is_still(&self, now: Duration) -> bool {
        self.blocks.is_empty() && now >= self.cleaning_until
    }

    /// When the head of the queue makes room, or a quick stop is over.
    pub(crate) fn next_change(&self) -> Option<Duration> {
        match self.blocks.front() {
            Some(head) => Some(self.head_started + head.duration()),
            None => Some(self.cleaning_until),
        }
    }

    /// When the last block ends, if none follows; in the past if there is none.
    pub(crate) fn ends(&self) -> Duration {
        self.blocks.iter().fold(self.head_started, |end, planned| end + planned.duration())
    }

    /// M410: drops everything, and says where the axes came to rest, if they were moving.
    pub(crate) fn quick_stop(&mut self, now: Duration) -> Option<Axes> {
        self.retire(now);
        self.break_off(now);
        let rest = self.position(now);
        self.blocks.clear();
        self.cleaning_until = now + CLEANING;
        rest
    }

    /// Where the axes are on their way; `None` when they rest.
    pub(crate) fn position(&self, now: Duration) -> Option<Axes> {
        let head = self.blocks.front()?;
        let seconds = now.saturating_sub(self.head_started).as_secs_f64();
        let gone = head.trapezoid().gone(seconds) / head.block.length;
        Some(std::array::from_fn(|axis| {
            let (from, to) = (head.block.from[axis], head.block.to[axis]);
            from + (to - from) * gone.min(1.0)
        }))
    }

    /// G92 while moving: the coordinates of everything planned move with the origin.
    pub(crate) fn shift(&mut self, delta: &Axes) {
        for planned in &mut self.blocks {
            for (axis, offset) in delta.iter().enumerate() {
                planned.block.from[axis] += offset;
                planned.block.to[axis] += offset;
            }
        }
    }
}

#[cfg(test)]
mod tests;
