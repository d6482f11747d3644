//! How long the moves take that a firmware may still have before it.
//!
//! Firmware answers a move when there is room for it in its planner, so an `ok` may wait for the longest move in there;
//! and a command that waits for the end of all motion waits for all of them. Some firmware says nothing meanwhile.
//! Owns: the last moves sent, and a cautious estimate of what is left of them. Must not know: what is in flight, or what
//! follows from it.

use std::collections::VecDeque;
use std::time::Duration;

use stardust_gcode::modal::{Effect, Path};

/// The largest planner known (`BLOCK_BUFFER_SIZE`, Marlin on 32 bits: 16 to 64).
const PLANNER: usize = 64;
/// No moves that anybody means take longer.
const LONGEST: Duration = Duration::from_secs(3600);
/// A move of the host's own: all the way across or up the machine.
pub(super) const ACROSS: Duration = Duration::from_secs(10);
/// Moves are slower than asked for: they speed up and slow down, and a person may have turned the speed down.
const SLOWER: u32 = 3;

/// How long what a command does takes at least, by the speed that it asks for: nothing for what is no move.
pub(super) fn takes(effect: &Effect) -> Duration {
    let Effect::Move(it) = effect else { return Duration::ZERO };
    let way_mm = match it.path {
        Path::Line => it.from.iter().zip(it.to).map(|(from, to)| (to - from).powi(2)).sum::<f64>().sqrt(),
        Path::Arc(arc) => arc.length(it.from, it.to),
    };
    let way_mm = if way_mm > 0.0 { way_mm } else { it.filament_mm.abs() };
    // A speed of nothing is no speed.
    Duration::try_from_secs_f64(way_mm / it.speed_mm_s).unwrap_or_default().min(LONGEST)
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    takes: Duration,
    /// Over by then, cautiously.
    over_at: Duration,
}

/// The last moves sent.
#[derive(Debug, Default)]
pub(super) struct MovesAhead {
    moves: VecDeque<Sent>,
    /// Of all that are kept.
    takes: Duration,
}

impl MovesAhead {
    /// A move was sent that takes at least this long.
    pub(super) fn sent(&mut self, now: Duration, takes: Duration) {
        if takes.is_zero() {
            return;
        }
        // More than the planner holds is never before it.
        let latest = now + self.takes * SLOWER;
        let behind = self.moves.back().map_or(now, |last| last.over_at.clamp(now, latest));
        self.takes += takes;
        self.moves.push_back(Sent { takes, over_at: behind + takes * SLOWER });
        if self.moves.len() > PLANNER {
            self.forget_first();
        }
    }

    /// Time passes.
    pub(super) fn pass(&mut self, now: Duration) {
        while self.moves.front().is_some_and(|first| first.over_at <= now) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        let gone = self.moves.pop_front().map_or(Duration::ZERO, |gone| gone.takes);
        self.takes = self.takes.saturating_sub(gone);
    }

    /// How long the longest of those takes that may not be over yet.
    pub(super) fn longest(&self) -> Duration {
        (self.moves.iter().map(|sent| sent.takes).max().unwrap_or_default() * SLOWER).min(LONGEST)
    }

    /// How long all of those take that may not be over yet.
    pub(super) fn all(&self) -> Duration {
        (self.takes * SLOWER).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn left(ahead: &mut MovesAhead, now: Duration) -> (Duration, Duration) {
        ahead.pass(now);
        (ahead.longest(), ahead.all())
    }

    #[test]
    fn the_longest_move_that_may_be_left_counts_until_it_is_over() {
        let mut ahead = MovesAhead::default();
        ahead.sent(SECOND, SECOND);
        ahead.sent(SECOND, 40 * SECOND);
        ahead.sent(SECOND, Duration::ZERO);
        assert_eq!(left(&mut ahead, SECOND), (120 * SECOND, 123 * SECOND));
        assert_eq!(left(&mut ahead, 5 * SECOND), (120 * SECOND, 120 * SECOND));
        assert_eq!(left(&mut ahead, 200 * SECOND), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn no_more_than_a_planner_holds_is_before_the_firmware() {
        let mut ahead = MovesAhead::default();
        ahead.sent(Duration::ZERO, 100 * SECOND);
        for at in 0..10_000 {
            // As fast as they are carried out.
            ahead.sent(at * SECOND, SECOND);
        }
        let (longest, all) = left(&mut ahead, 10_000 * SECOND);
        assert_eq!(longest, 3 * SECOND);
        assert!(all <= 3 * 64 * SECOND);
        assert_eq!(left(&mut ahead, 10_500 * SECOND), (Duration::ZERO, Duration::ZERO));
    }
}
