//! G2 and G3: an arc as the straight pieces it is moved in.
//!
//! Source: Marlin's documentation of ARC_SUPPORT and its options MIN_ARC_SEGMENT_MM 0.1, MAX_ARC_SEGMENT_MM 1 (before
//! 2.1: MM_PER_ARC_SEGMENT 1) and MIN_CIRCLE_SEGMENTS 72. Each piece is a block of the planner, which so takes an arc
//! no faster than its corners allow. Knows nothing of time.

use std::f64::consts::TAU;

use super::command::Command;
use super::motion::Axes;

/// Lengths of a piece, mm.
const SHORTEST_MM: f64 = 0.1;
const LONGEST_MM: f64 = 1.0;
/// An arc of twenty metres and more has longer pieces: any radius can be sent, and none may take for ever.
const MOST_PIECES: f64 = 20_000.0;
/// Pieces of a whole circle at least, as far as they are not shorter than the shortest.
const CIRCLE_PIECES: f64 = 72.0;

/// The pieces' ends that are still to come, as an iterator.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arc {
    from: Axes,
    to: Axes,
    centre: [f64; 2],
    radius: f64,
    /// Where it begins and how far it turns, radians; counter-clockwise is positive.
    start: f64,
    sweep: f64,
    pieces: u64,
    made: u64,
}

impl Arc {
    /// An arc in the XY plane, helix included. `None`: neither a centre nor a radius that reaches.
    pub(crate) fn new(from: &Axes, to: &Axes, command: &Command<'_>, clockwise: bool) -> Option<Self> {
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let (i, j) = match command.value('R') {
            Some(radius) => centre(dx, dy, radius, clockwise)?,
            None if command.has('I') || command.has('J') => {
                (command.value('I').unwrap_or(0.0), command.value('J').unwrap_or(0.0))
            }
            None => return None,
        };
        let radius = i.hypot(j);
        if radius == 0.0 {
            return None;
        }
        let (start, end) = ((-j).atan2(-i), (dy - j).atan2(dx - i));
        let turned = if clockwise { start - end } else { end - start }.rem_euclid(TAU);
        // Start and end the same: a whole circle.
        let once = if turned < 1e-6 { TAU } else { turned };
        let turns = command.value('P').unwrap_or(0.0).clamp(0.0, 1000.0);
        let angle = once + turns * TAU;
        Some(Self {
            from: *from,
            to: *to,
            centre: [from[0] + i, from[1] + j],
            radius,
            start,
            sweep: if clockwise { -angle } else { angle },
            pieces: pieces(radius * angle, angle),
            made: 0,
        })
    }
}

impl Iterator for Arc {
    type Item = Axes;

    fn next(&mut self) -> Option<Axes> {
        if self.made == self.pieces {
            return None;
        }
        self.made += 1;
        if self.made == self.pieces {
            return Some(self.to);
        }
        let share = self.made as f64 / self.pieces as f64;
        let (sin, cos) = (self.start + self.sweep * share).sin_cos();
        let mut at: Axes =
            std::array::from_fn(|axis| self.from[axis] + (self.to[axis] - self.from[axis]) * share);
        at[0] = self.centre[0] + self.radius * cos;
        at[1] = self.centre[1] + self.radius * sin;
        Some(at)
    }
}

/// Into how many pieces an arc of this length, mm, and angle is cut.
fn pieces(length: f64, angle: f64) -> u64 {
    let wanted = (length / LONGEST_MM).floor().max((CIRCLE_PIECES * angle / TAU).floor()).max(1.0);
    let count = match length / wanted {
        piece if piece > LONGEST_MM => (length / LONGEST_MM).ceil(),
        piece if piece < SHORTEST_MM => (length / SHORTEST_MM).floor().max(1.0),
        _ => wanted,
    };
    count.min(MOST_PIECES) as u64
}

/// The centre, from the start, of an arc given by its radius; a negative one takes the long way round.
fn centre(dx: f64, dy: f64, radius: f64, clockwise: bool) -> Option<(f64, f64)> {
    let chord = dx.hypot(dy);
    if radius == 0.0 || chord == 0.0 {
        return None;
    }
    // A radius that does not reach is taken for half the chord.
    let height = (radius * radius - chord * chord / 4.0).max(0.0).sqrt();
    let side = if clockwise == (radius > 0.0) { -height } else { height };
    Some((dx / 2.0 - dy / chord * side, dy / 2.0 + dx / chord * side))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firmware::limits::Corner;
    use crate::firmware::motion::{Motion, Way};
    use rstest::rstest;
    use std::f64::consts::PI;

    /// From the origin.
    fn arc(text: &str) -> Vec<Axes> {
        let command = Command::parse(text).unwrap();
        let to = Motion::new([200.0; 3], Corner::Deviation(0.013)).target(&command);
        Arc::new(&[0.0; 4], &to, &command, command.code == 2).unwrap().collect()
    }

    fn ways(corners: &[Axes]) -> Vec<Way> {
        let from = std::iter::once(&[0.0; 4]).chain(corners);
        from.zip(corners).map(|(from, to)| Way::straight(from, to)).collect()
    }

    #[rstest]
    #[case::quarter("G3 X-10 Y10 I-10", 10.0 * PI / 2.0)]
    #[case::three_quarters("G2 X-10 Y10 I-10", 10.0 * PI * 1.5)]
    #[case::circle("G2 I5", 10.0 * PI)]
    #[case::two_circles("G2 I5 P1", 20.0 * PI)]
    #[case::radius("G2 X20 R10", 10.0 * PI)]
    fn its_pieces_are_a_millimetre_at_most_and_together_as_long_as_it(
        #[case] text: &str,
        #[case] length: f64,
    ) {
        let ways = ways(&arc(text));
        assert!(ways.iter().all(|way| way.length <= LONGEST_MM), "{ways:?}");
        let sum: f64 = ways.iter().map(|way| way.length).sum();
        assert!(sum <= length && sum > length * 0.995, "{sum} of {length}");
    }

    #[rstest]
    // 31.4 mm: 31 whole millimetres, but a circle has 72 pieces.
    #[case::small_circle("G2 I5", 72)]
    #[case::large_circle("G2 I50", 315)]
    #[case::tiny_circle("G2 I0.5", 31)]
    #[case::speck("G2 I0.01", 1)]
    #[case::beyond_all_bounds("G2 I99999999999999999999", 20_000)]
    #[case::round_and_round("G2 I100 P1000", 20_000)]
    fn it_is_cut_into_so_many(#[case] text: &str, #[case] pieces: usize) {
        assert_eq!(arc(text).len(), pieces);
    }

    #[rstest]
    #[case::quarter_left("G3 X10 Y10 J10", [1.0, 0.0], [0.0, 1.0])]
    #[case::quarter_right("G2 X10 Y-10 J-10", [1.0, 0.0], [0.0, -1.0])]
    #[case::by_radius("G2 X10 Y-10 R10", [1.0, 0.0], [0.0, -1.0])]
    #[case::the_long_way("G3 X10 Y-10 R-10", [-1.0, 0.0], [0.0, 1.0])]
    fn it_begins_and_ends_about_along_its_tangents(
        #[case] text: &str,
        #[case] first: [f64; 2],
        #[case] last: [f64; 2],
    ) {
        let ways = ways(&arc(text));
        let ends = [(ways[0], first), (ways[ways.len() - 1], last)];
        for (way, [x, y]) in ends {
            let along = way.direction[0] * x + way.direction[1] * y;
            assert!(along > 0.995, "{text}: {way:?}");
        }
    }

    #[test]
    fn z_and_e_go_along_evenly_and_it_ends_where_it_was_told() {
        let corners = arc("G3 X-20 I-10 Z3 E6");
        assert_eq!(corners.last(), Some(&[-20.0, 0.0, 3.0, 6.0]));
        let half = corners[corners.len() / 2 - 1];
        assert!((half[2] - 1.5).abs() < 0.06 && (half[3] - 3.0).abs() < 0.12, "{half:?}");
    }
}
