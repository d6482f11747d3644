//! What stands on the bed, and how the nozzle passes it: for every move that the host adds to a job.
//!
//! Followed move by move as the job is sent. Within a part only its box and its highest plastic are kept; a job that goes
//! down again begins another part beside those that are finished. What is kept is never less than what stands: a travel that is
//! planned here may be higher or farther than it had to be, never lower.
//!
//! Places are the machine's (what `G92` has shifted is taken out), mm.
//! Owns: what is kept of a job's moves, and which travels are clear of it. Must not know: commands, scripts, who asks.

use serde::{Deserialize, Serialize};
use stardust_gcode::modal::{Effect, Modal, Move, Path};

use super::firmware::Area;

/// Finished parts that are told apart; more become one.
const MOST_PARTS: usize = 32;
/// So much below a part's top another part begins: layers, supports and towers that grow side by side differ by less.
const BELOW_MM: f64 = 1.0;
/// Above what stands the nozzle is at least so much higher when it travels: warped corners, play in Z.
const CLEAR_MM: f64 = 1.0;
/// So far to its sides the head is wider than its nozzle: fans and ducts of usual printers.
const HEAD_MM: f64 = 40.0;
/// Filament that is pushed out so far away from a part does not stick to it.
const BESIDE_MM: f64 = 5.0;
/// How high firmware may leave the nozzle after homing, where the file has not said since: Prusa's and Marlin's raises.
const AFTER_HOMING_MM: f64 = 15.0;
/// Farther than any printer reaches; a number that can be written down.
const EVERYWHERE_MM: f64 = 1e7;

/// What stands on the bed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The last one is at work.
    parts: Vec<Part>,
}

/// A box with what was extruded in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Part {
    min: [f64; 2],
    max: [f64; 2],
    top_mm: f64,
}

impl Part {
    const EVERYWHERE: Self =
        Self { min: [-EVERYWHERE_MM; 2], max: [EVERYWHERE_MM; 2], top_mm: EVERYWHERE_MM };

    /// What a move lays down; `known`: on which axes it is known where.
    fn of(it: &Move, known: [bool; 3]) -> Self {
        let [from, to] = match it.path {
            Path::Line => [it.from, it.to],
            Path::Arc(arc) => arc.bounds(it.from, it.to),
        };
        let side = |axis: usize, known: bool| match (known, from.get(axis), to.get(axis)) {
            (true, Some(from), Some(to)) => (from.min(*to), from.max(*to)),
            _ => (-EVERYWHERE_MM, EVERYWHERE_MM),
        };
        let [x_known, y_known, z_known] = known;
        let ((min_x, max_x), (min_y, max_y)) = (side(0, x_known), side(1, y_known));
        let [.., from_z] = from;
        let [.., to_z] = to;
        let top_mm = from_z.max(to_z) + if z_known { 0.0 } else { AFTER_HOMING_MM };
        Self { min: [min_x, min_y], max: [max_x, max_y], top_mm }
    }

    fn join(&mut self, other: &Self) {
        for (mine, others) in self.min.iter_mut().zip(other.min) {
            *mine = mine.min(others);
        }
        for (mine, others) in self.max.iter_mut().zip(other.max) {
            *mine = mine.max(others);
        }
        self.top_mm = self.top_mm.max(other.top_mm);
    }

    fn wider(&self, by: f64) -> Self {
        Self { min: self.min.map(|min| min - by), max: self.max.map(|max| max + by), ..*self }
    }

    fn overlaps(&self, other: &Self) -> bool {
        let ([x0, y0], [x1, y1]) = (self.min, self.max);
        let ([other_x0, other_y0], [other_x1, other_y1]) = (other.min, other.max);
        x0 <= other_x1 && other_x0 <= x1 && y0 <= other_y1 && other_y0 <= y1
    }

    /// Whether a straight way leads over it.
    fn is_crossed(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        // The share of the way that lies between the sides, axis by axis.
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        let sides = self.min.into_iter().zip(self.max);
        for ((min, max), (from, to)) in sides.zip(from.into_iter().zip(to)) {
            let way = to - from;
            if way == 0.0 {
                if from < min || from > max {
                    return false;
                }
                continue;
            }
            let (one, other) = ((min - from) / way, (max - from) / way);
            (enters, leaves) = (enters.max(one.min(other)), leaves.min(one.max(other)));
        }
        enters <= leaves
    }
}

impl Envelope {
    /// Nothing stands on the bed.
    #[cfg(test)]
    pub(super) const EMPTY: Self = Self { parts: Vec::new() };

    /// Nobody knows what stands, nor where: nothing is travelled over.
    pub(super) fn unknown() -> Self {
        Self { parts: vec![Part::EVERYWHERE] }
    }

    /// Follows a move of the job: what it does, and the state after it.
    pub fn follow(&mut self, effect: &Effect, after: &Modal) {
        let Effect::Move(it) = effect else { return };
        if !it.prints() {
            return;
        }
        let known = after.machine_position().map(|axis| axis.is_some());
        let laid = Part::of(it, known);
        match self.parts.last_mut() {
            Some(at_work) if laid.top_mm >= at_work.top_mm - BELOW_MM => at_work.join(&laid),
            _ => self.begin(laid),
        }
    }

    /// Another part is begun, beside those that are there.
    fn begin(&mut self, part: Part) {
        if let Some(mut finished) = self.parts.pop() {
            // A tower that is lower than its part is gone back to at each layer.
            self.parts.retain(|other| {
                let same = other.overlaps(&finished);
                if same {
                    finished.join(other);
                }
                !same
            });
            self.parts.push(finished);
        }
        if self.parts.len() >= MOST_PARTS {
            let all = self.parts.drain(..).reduce(|mut all, part| {
                all.join(&part);
                all
            });
            self.parts.extend(all);
        }
        self.parts.push(part);
    }

    /// How high the highest plastic stands; none where nothing stands, or nobody knows.
    fn top_mm(&self) -> Option<f64> {
        let tops = self.parts.iter().map(|part| part.top_mm).filter(|top| *top < EVERYWHERE_MM);
        tops.reduce(f64::max)
    }

    /// How high it stands under a straight way of the head.
    fn under(&self, from: [f64; 2], to: [f64; 2]) -> f64 {
        let crossed = self.parts.iter().filter(|part| part.wider(HEAD_MM).is_crossed(from, to));
        crossed.fold(f64::NEG_INFINITY, |top, part| top.max(part.top_mm))
    }

    /// Whether nothing stands at this place and about it: filament may be pushed out there.
    pub(super) fn is_beside(&self, place: [f64; 2]) -> bool {
        !self.parts.iter().any(|part| part.wider(BESIDE_MM).is_crossed(place, place))
    }
}

/// What the host's own moves are planned by: what stands, and how far the machine reaches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) area: Option<Area>,
}

impl Surroundings<'_> {
    /// How high the nozzle is lifted from `z` before it travels: above everything that stands, as far as the machine has
    /// room for it.
    pub(super) fn lifted(&self, z: f64, lift_mm: f64) -> f64 {
        let above = self.envelope.top_mm().map_or(z, |top| top.max(z)) + lift_mm;
        above.min(self.highest().max(z))
    }

    /// Whether the nozzle may travel at this height without meeting what stands.
    pub(super) fn is_clear(&self, z: f64, from: [f64; 2], to: [f64; 2]) -> bool {
        z >= self.envelope.under(from, to) + CLEAR_MM
    }

    /// Whether the nozzle may travel anywhere at this height.
    pub(super) fn is_above_all(&self, z: f64) -> bool {
        self.envelope.parts.iter().all(|part| z >= part.top_mm + CLEAR_MM)
    }

    /// The corner with the bed forward. Not where the origin is in the middle: a delta can't reach its corners.
    pub(super) fn parking_place(&self) -> Option<[f64; 2]> {
        let [_, back_left, ..] = self.corners()?;
        Some(back_left)
    }

    /// Where filament may be pushed out beside what stands: here, or at a corner of the bed.
    pub(super) fn place_to_prime(&self, here: [f64; 2]) -> Option<[f64; 2]> {
        let corners = self.corners().into_iter().flatten();
        std::iter::once(here).chain(corners).find(|place| self.envelope.is_beside(*place))
    }

    fn corners(&self) -> Option<[[f64; 2]; 4]> {
        let area = self.area.filter(|area| area.min[0] > -10.0 && area.min[1] > -10.0)?;
        let (left, front) = (area.min[0].max(0.0), area.min[1].max(0.0));
        let [right, back, _] = area.max;
        Some([[left, front], [left, back], [right, back], [right, front]])
    }

    fn highest(&self) -> f64 {
        self.area.map_or(f64::INFINITY, |area| area.max[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_gcode::command::parse;

    fn after(lines: &str) -> Envelope {
        let (mut modal, mut envelope) = (Modal::default(), Envelope::default());
        for line in lines.split('|') {
            let effect = modal.apply(&parse(line.as_bytes()).unwrap());
            envelope.follow(&effect, &modal);
        }
        envelope
    }

    /// A part of 30 mm about (30, 30), and one about (100, 30) whose second millimetre is at work.
    fn two() -> Envelope {
        after(
            "M83|G28|G1 X20 Y20 Z0.3|G1 X40 Y40 E5|G1 Z30|G1 X20 Y20 E5|G1 X90 Y20 Z35|G1 Z0.3|G1 X110 Y40 E5|G1 Z2|\
             G1 X90 Y20 E5",
        )
    }

    const AREA: Area = Area { min: [0.0; 3], max: [220.0, 220.0, 250.0] };

    #[test]
    fn a_nozzle_is_lifted_above_the_highest_part_not_only_above_its_own() {
        let envelope = two();
        let about = Surroundings { envelope: &envelope, area: Some(AREA) };
        assert_eq!(about.lifted(2.0, 5.0), 35.0);
        assert_eq!(about.lifted(40.0, 5.0), 45.0);
        assert_eq!(about.lifted(248.0, 5.0), 250.0);
        assert_eq!(Surroundings { area: None, ..about }.lifted(248.0, 5.0), 253.0);
    }

    #[rstest]
    #[case::over_the_high_one(20.0, [100.0, 30.0], [0.0, 30.0], false)]
    #[case::high_enough(31.0, [100.0, 30.0], [0.0, 30.0], true)]
    #[case::away_from_it(7.0, [100.0, 30.0], [220.0, 30.0], true)]
    #[case::the_head_is_wider_than_its_nozzle(7.0, [100.0, 30.0], [75.0, 90.0], false)]
    #[case::past_it(7.0, [100.0, 100.0], [0.0, 100.0], true)]
    fn a_travel(#[case] z: f64, #[case] from: [f64; 2], #[case] to: [f64; 2], #[case] clear: bool) {
        let envelope = two();
        assert_eq!(Surroundings { envelope: &envelope, area: None }.is_clear(z, from, to), clear);
    }

    #[test]
    fn filament_is_pushed_out_beside_what_stands() {
        let envelope = two();
        let about = Surroundings { envelope: &envelope, area: Some(AREA) };
        assert_eq!(about.place_to_prime([0.0, 0.0]), Some([0.0, 0.0]));
        assert_eq!(about.place_to_prime([18.0, 30.0]), Some([0.0, 0.0]));
        assert_eq!(Surroundings { area: None, ..about }.place_to_prime([18.0, 30.0]), None);
        let everywhere = Envelope::unknown();
        assert_eq!(Surroundings { envelope: &everywhere, ..about }.place_to_prime([0.0, 0.0]), None);
    }

    #[test]
    fn what_nobody_knows_is_not_travelled_over() {
        let everywhere = Envelope::unknown();
        let about = Surroundings { envelope: &everywhere, area: Some(AREA) };
        assert_eq!(about.lifted(2.0, 5.0), 7.0, "it is not sent to the top for it");
        assert!(!about.is_clear(249.0, [0.0; 2], [1.0; 2]) && !about.is_above_all(249.0));
        let text = serde_json::to_string(&everywhere).unwrap();
        assert_eq!(serde_json::from_str::<Envelope>(&text).unwrap(), everywhere);
    }

    #[test]
    fn a_line_at_a_height_that_only_the_firmware_knows_may_be_as_high_as_homing_leaves_it() {
        let envelope = after("M83|G28|G1 Y-3|G1 X60 E9|G1 X100 E12");
        assert_eq!(envelope.top_mm(), Some(AFTER_HOMING_MM));
    }

    #[test]
    fn arcs_bulge() {
        let envelope = after("M83|G28|G1 X50 Y50 Z1|G2 X60 Y50 I5 J0 E1");
        let [part] = envelope.parts.as_slice() else { panic!("{envelope:?}") };
        assert_eq!((part.min, part.max), ([50.0, 45.0], [60.0, 55.0]));
    }

    #[test]
    fn any_number_of_parts_is_kept_in_bounds_and_nothing_gets_lost() {
        let mut lines = "M83|G28".to_owned();
        for part in 0..100 {
            lines.push_str(&format!(
                "|G1 X{part}0 Y0 Z0.2|G1 X{part}5 Y5 E1|G1 Z{}|G1 X{part}0 Y0 E1",
                10 + part
            ));
        }
        let envelope = after(&lines);
        assert!(envelope.parts.len() <= MOST_PARTS + 1);
        assert_eq!(envelope.top_mm(), Some(109.0));
        assert!(!envelope.is_beside([505.0, 2.0]));
        // A tower beside a part, gone back to at each layer: two boxes at most, not one a layer.
        let mut lines = "M83|G28".to_owned();
        for layer in 1..50 {
            lines.push_str(&format!(
                "|G1 X0 Y0 Z{layer}|G1 X20 Y20 E1|G1 Z{}|G1 X60 Y0 E1",
                0.2 * f64::from(layer)
            ));
        }
        assert!(after(&lines).parts.len() <= 2);
    }
}
