//! From what a command does to straight moves.
//!
//! Owns: cutting arcs, and the moves the firmware makes for G10 and G11. Must not know: planning, totals.

use super::block::Segment;
use super::limits::Limits;
use crate::modal::{FirmwareMove, Move, Path};

/// Calls `each` with the straight moves of a move, in order, and the place (X, Y, Z) where each ends.
pub fn of_move(it: &Move, mut each: impl FnMut(Segment, [f64; 3])) {
    let Path::Arc(arc) = it.path else {
        let segment = Segment { delta_mm: delta(it.from, it.to, it.filament_mm), speed_mm_s: it.speed_mm_s };
        each(segment, it.to);
        return;
    };
    // Filament is spread evenly over the way; the last piece may be of another length than the rest.
    let whole = arc.length(it.from, it.to);
    let mut from = it.from;
    let mut left_mm = it.filament_mm;
    for to in arc.points(it.from, it.to) {
        let way = delta(from, to, 0.0).iter().map(|part| part * part).sum::<f64>().sqrt();
        let share = if whole > 0.0 { it.filament_mm * (way / whole).min(1.0) } else { 0.0 };
        let filament = if to == it.to { left_mm } else { share };
        left_mm -= filament;
        each(Segment { delta_mm: delta(from, to, filament), speed_mm_s: it.speed_mm_s }, to);
        from = to;
    }
}

/// The moves of a firmware retraction: filament back, then up; or down, then filament forth.
#[must_use]
pub fn of_firmware_move(it: &FirmwareMove, limits: &Limits) -> [Segment; 2] {
    let [_, _, z_mm_s, _] = limits.speed_mm_s;
    let filament = Segment { delta_mm: [0.0, 0.0, 0.0, it.filament_mm], speed_mm_s: it.speed_mm_s };
    let lift = Segment { delta_mm: [0.0, 0.0, it.lift_mm, 0.0], speed_mm_s: z_mm_s };
    if it.filament_mm < 0.0 { [filament, lift] } else { [lift, filament] }
}

fn delta([x0, y0, z0]: [f64; 3], [x1, y1, z1]: [f64; 3], filament: f64) -> [f64; 4] {
    [x1 - x0, y1 - y0, z1 - z0, filament]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::parse;
    use crate::modal::{Effect, Modal};

    fn pieces(lines: &[&str]) -> Vec<(Segment, [f64; 3])> {
        let mut modal = Modal::default();
        let mut pieces = Vec::new();
        for line in lines {
            pieces.clear();
            if let Effect::Move(it) = modal.apply(&parse(line.as_bytes()).unwrap()) {
                of_move(&it, |segment, to| pieces.push((segment, to)));
            }
        }
        pieces
    }

    #[test]
    fn a_line_is_one_piece() {
        let expected = Segment { delta_mm: [10.0, 0.0, 0.0, 2.0], speed_mm_s: 20.0 };
        assert_eq!(pieces(&["G1 X5", "G1 X15 E2 F1200"]), [(expected, [15.0, 0.0, 0.0])]);
    }

    #[test]
    fn filament_is_spread_over_an_arc() {
        let pieces = pieces(&["G1 X10 Y0", "G3 X-10 Y0 I-10 E4 F600"]);
        assert!(pieces.len() > 30);
        let sum: f64 = pieces.iter().map(|(segment, _)| segment.delta_mm[3]).sum();
        assert!((sum - 4.0).abs() < 1e-9);
        let share = 4.0 / pieces.len() as f64;
        assert!(pieces.iter().all(|(segment, _)| (segment.delta_mm[3] - share).abs() < share * 0.1));
    }

    #[test]
    fn a_firmware_retraction_lifts_after_pulling_and_lowers_before_pushing() {
        let limits = Limits::default();
        let order = |filament_mm, lift_mm| {
            of_firmware_move(&FirmwareMove { filament_mm, speed_mm_s: 30.0, lift_mm }, &limits)
                .map(|segment| segment.delta_mm)
        };
        assert_eq!(order(-2.0, 0.4), [[0.0, 0.0, 0.0, -2.0], [0.0, 0.0, 0.4, 0.0]]);
        assert_eq!(order(2.0, -0.4), [[0.0, 0.0, -0.4, 0.0], [0.0, 0.0, 0.0, 2.0]]);
    }
}
