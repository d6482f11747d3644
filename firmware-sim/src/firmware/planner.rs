//! The queue of moves between a G1's `ok` and the end of its motion.
//!
//! Owns when each block starts and ends and where the head is meanwhile. A block's duration is decided before it
//! gets here (`motion`); a planner with look-ahead would decide it here instead.

use std::collections::VecDeque;
use std::time::Duration;

use super::motion::Axes;

/// Usable blocks: one less than BLOCK_BUFFER_SIZE, whose ring keeps one free.
const BLOCKS: usize = 15;
/// After a quick stop, moves are thrown away for this long.
const CLEANING: Duration = Duration::from_secs(1);

/// One planned motion.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub(crate) from: Axes,
    pub(crate) to: Axes,
    pub(crate) duration: Duration,
}

/// Blocks in motion order. Finished blocks leave with [`retire`](Self::retire), at their own time however late
/// that is called.
#[derive(Debug, Default)]
pub(crate) struct Planner {
    blocks: VecDeque<Block>,
    head_started: Duration,
    cleaning_until: Duration,
}

impl Planner {
    /// Lets every block go that has ended at `now`.
    pub(crate) fn retire(&mut self, now: Duration) {
        while let Some(head) = self.blocks.front() {
            let ends = self.head_started + head.duration;
            if ends > now {
                break;
            }
            self.head_started = ends;
            self.blocks.pop_front();
        }
    }

    pub(crate) fn free(&self) -> usize {
        BLOCKS - self.blocks.len()
    }

    /// Adds a block at the end. There must be room. Right after a quick stop it is thrown away.
    pub(crate) fn push(&mut self, now: Duration, block: Block) {
        if now < self.cleaning_until {
            return;
        }
        if self.blocks.is_empty() {
            self.head_started = now;
        }
        self.blocks.push_back(block);
    }

    /// Nothing moves and moves are taken again.
    pub(crate) fn is_still(&self, now: Duration) -> bool {
        self.blocks.is_empty() && now >= self.cleaning_until
    }

    /// When the head of the queue makes room, or a quick stop is over.
    pub(crate) fn next_change(&self) -> Option<Duration> {
        match self.blocks.front() {
            Some(head) => Some(self.head_started + head.duration),
            None => Some(self.cleaning_until),
        }
    }

    /// When the last block ends; in the past if there is none.
    pub(crate) fn ends(&self) -> Duration {
        self.blocks.iter().fold(self.head_started, |end, block| end + block.duration)
    }

    /// M410: drops everything, and says where the axes came to rest, if they were moving.
    pub(crate) fn quick_stop(&mut self, now: Duration) -> Option<Axes> {
        self.retire(now);
        let rest = self.position(now);
        self.blocks.clear();
        self.cleaning_until = now + CLEANING;
        rest
    }

    /// Where the axes are on their way; `None` when they rest.
    pub(crate) fn position(&self, now: Duration) -> Option<Axes> {
        let head = self.blocks.front()?;
        let gone =
            now.saturating_sub(self.head_started).as_secs_f64() / head.duration.as_secs_f64().max(1e-9);
        Some(std::array::from_fn(|axis| {
            let (from, to) = (head.from[axis], head.to[axis]);
            from + (to - from) * gone.min(1.0)
        }))
    }

    /// G92 while moving: the coordinates of everything planned move with the origin.
    pub(crate) fn shift(&mut self, delta: &Axes) {
        for block in &mut self.blocks {
            for (axis, offset) in delta.iter().enumerate() {
                block.from[axis] += offset;
                block.to[axis] += offset;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(from: f64, to: f64, seconds: u64) -> Block {
        Block { from: [from, 0.0, 0.0, 0.0], to: [to, 0.0, 0.0, 0.0], duration: Duration::from_secs(seconds) }
    }

    #[test]
    fn blocks_follow_each_other_without_a_gap() {
        let mut planner = Planner::default();
        planner.push(Duration::from_secs(10), block(0.0, 10.0, 2));
        planner.push(Duration::from_secs(11), block(10.0, 0.0, 3));
        assert_eq!((planner.free(), planner.ends()), (13, Duration::from_secs(15)));
        planner.retire(Duration::from_secs(14));
        assert_eq!((planner.free(), planner.next_change()), (14, Some(Duration::from_secs(15))));
        planner.retire(Duration::from_secs(15));
        assert!(planner.is_still(Duration::from_secs(15)));
    }

    #[test]
    fn a_quick_stop_rests_on_the_way_and_throws_moves_away_for_a_second() {
        let mut planner = Planner::default();
        planner.push(Duration::ZERO, block(0.0, 100.0, 10));
        let rest = planner.quick_stop(Duration::from_millis(2500));
        assert_eq!(rest, Some([25.0, 0.0, 0.0, 0.0]));
        planner.push(Duration::from_millis(3000), block(25.0, 0.0, 1));
        assert!(!planner.is_still(Duration::from_millis(3000)));
        assert!(planner.is_still(Duration::from_millis(3500)));
    }
}
