//! What a slicer says of the printer it has sliced for.
//!
//! Owns: the names of PrusaSlicer's machine settings (and its kin's), as they stand in comments at a file's end.
//! Must not know: how limits are used.
//!
//! They stand behind all moves, so a file is read once for them, and again for its motion.

use super::limits::{Corner, Limits};
use crate::lines::Line;

/// Gathers the limits that a file's comments state.
///
/// ```
/// # use stardust_gcode::motion::{limits::Limits, settings::StatedLimits};
/// let mut stated = StatedLimits::default();
/// stated.comment(b" machine_max_acceleration_x = 500,400");
/// assert_eq!(stated.over(Limits::default()).acceleration_mm_s2[0], 500.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StatedLimits {
    speed_mm_s: [Option<f64>; 4],
    acceleration_mm_s2: [Option<f64>; 4],
    jerk_mm_s: [Option<f64>; 4],
    printing_mm_s2: Option<f64>,
    travel_mm_s2: Option<f64>,
    retraction_mm_s2: Option<f64>,
    deviation_mm: Option<f64>,
    /// `gcode_flavor = marlin`: a firmware that knows no acceleration of its own for travel.
    legacy: bool,
}

impl StatedLimits {
    /// Takes in a line; only comments matter.
    pub fn line(&mut self, line: &Line<'_>) {
        if let [b';', comment @ ..] = line.text {
            self.comment(comment);
        }
    }

    /// Takes in a comment, without its `;`.
    pub fn comment(&mut self, text: &[u8]) {
        let text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(b"machine_max_") {
            let mut halves = rest.splitn(2, |byte| *byte == b'=');
            let (Some(key), Some(value)) = (halves.next(), halves.next()) else { return };
            if let Some(value) = first_number(value) {
                self.set(key.trim_ascii_end(), value);
            }
        } else if let Some(flavor) = text.strip_prefix(b"gcode_flavor = ") {
            self.legacy = flavor.trim_ascii() == b"marlin";
        }
    }

    fn set(&mut self, key: &[u8], value: f64) {
        let place = match key {
            b"acceleration_extruding" => Some(&mut self.printing_mm_s2),
            b"acceleration_retracting" => Some(&mut self.retraction_mm_s2),
            b"acceleration_travel" => Some(&mut self.travel_mm_s2),
            b"junction_deviation" => Some(&mut self.deviation_mm),
            [list @ .., b'_', axis] => {
                let list = match list {
                    b"feedrate" => &mut self.speed_mm_s,
                    b"acceleration" => &mut self.acceleration_mm_s2,
                    b"jerk" => &mut self.jerk_mm_s,
                    _ => return,
                };
                let index = b"xyze".iter().position(|letter| letter == axis);
                index.and_then(|index| list.get_mut(index))
            }
            _ => None,
        };
        if let Some(place) = place {
            *place = Some(value);
        }
    }

    /// These limits where they are stated, others where they are not.
    #[must_use]
    pub fn over(&self, other: Limits) -> Limits {
        let merge = |stated: [Option<f64>; 4], mut values: [f64; 4]| {
            values.iter_mut().zip(stated).for_each(|(value, stated)| *value = stated.unwrap_or(*value));
            values
        };
        let printing_mm_s2 = self.printing_mm_s2.unwrap_or(other.printing_mm_s2);
        let travel_mm_s2 = if self.legacy { self.printing_mm_s2 } else { self.travel_mm_s2 };
        let corner = match (self.deviation_mm, other.corner) {
            (Some(deviation), _) => Corner::Deviation(deviation),
            (None, Corner::Jerk(jerk)) => Corner::Jerk(merge(self.jerk_mm_s, jerk)),
            (None, Corner::Deviation(_)) => match self.jerk_mm_s {
                [Some(x), Some(y), Some(z), Some(e)] => Corner::Jerk([x, y, z, e]),
                _ => other.corner,
            },
        };
        Limits {
            speed_mm_s: merge(self.speed_mm_s, other.speed_mm_s),
            acceleration_mm_s2: merge(self.acceleration_mm_s2, other.acceleration_mm_s2),
            printing_mm_s2,
            travel_mm_s2: travel_mm_s2.unwrap_or(other.travel_mm_s2),
            retraction_mm_s2: self.retraction_mm_s2.unwrap_or(other.retraction_mm_s2),
            corner,
            ..other
        }
    }
}

/// The first number of a list, the one of the printer's normal mode; none when it can't be a limit.
fn first_number(list: &[u8]) -> Option<f64> {
    let first = list.split(|byte| *byte == b',').next()?;
    let value: f64 = std::str::from_utf8(first.trim_ascii()).ok()?.parse().ok()?;
    (0.001..1e6).contains(&value).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(comments: &[&str]) -> StatedLimits {
        let mut stated = StatedLimits::default();
        comments.iter().for_each(|comment| stated.comment(comment.as_bytes()));
        stated
    }

    #[test]
    fn what_is_stated_counts_and_the_rest_stays() {
        let limits = stated(&[
            " machine_max_feedrate_x = 200,100",
            " machine_max_acceleration_e = 8000,8000",
            " machine_max_acceleration_extruding = 1250",
            " machine_max_acceleration_retracting = 1000",
            " machine_max_acceleration_travel = 1500,1250",
            " machine_max_jerk_z = 0.4",
            " machine_max_acceleration_y = 0",
            " machine_max_junction_deviation = 0",
            " machine_max_nonsense = 1",
            " machine_max_jerk_",
        ])
        .over(Limits::default());
        let expected = Limits {
            speed_mm_s: [200.0, 300.0, 5.0, 25.0],
            acceleration_mm_s2: [3000.0, 3000.0, 100.0, 8000.0],
            printing_mm_s2: 1250.0,
            travel_mm_s2: 1500.0,
            retraction_mm_s2: 1000.0,
            corner: Corner::Jerk([10.0, 10.0, 0.4, 5.0]),
            ..Limits::default()
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn old_marlin_travels_as_it_prints() {
        let comments = ["machine_max_acceleration_extruding = 500", "machine_max_acceleration_travel = 1500"];
        let both = |flavor| stated(&[comments[0], comments[1], flavor]).over(Limits::default()).travel_mm_s2;
        assert_eq!((both("gcode_flavor = marlin"), both("gcode_flavor = marlin2")), (500.0, 1500.0));
    }

    #[test]
    fn junction_deviation_wins() {
        let limits = stated(&["machine_max_junction_deviation = 0.013", "machine_max_jerk_x = 8"]);
        assert_eq!(limits.over(Limits::default()).corner, Corner::Deviation(0.013));
    }
}
