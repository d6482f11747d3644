//! The speed of one move over its way: up, level, down.
//!
//! Owns: [`Trapezoid`] and its times. Must not know: which speeds a printer allows.

/// A move with constant acceleration: it begins at `entry`, reaches `cruise` at most, and ends at `exit`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trapezoid {
    /// The way, in mm.
    pub length_mm: f64,
    /// Speed at the beginning, in mm/s.
    pub entry_mm_s: f64,
    /// The greatest speed on the way, in mm/s.
    pub cruise_mm_s: f64,
    /// Speed at the end, in mm/s.
    pub exit_mm_s: f64,
    /// Acceleration and deceleration, in mm/s².
    pub acceleration_mm_s2: f64,
}

impl Trapezoid {
    /// The fastest way from `entry` to `exit` that stays below `nominal`. The two must be reachable from each
    /// other, and not above `nominal`.
    #[must_use]
    pub fn fastest(length_mm: f64, entry: f64, nominal: f64, exit: f64, acceleration: f64) -> Self {
        let peak = (acceleration * length_mm + (entry * entry + exit * exit) / 2.0).sqrt();
        let cruise = peak.min(nominal).max(entry).max(exit);
        Self {
            length_mm,
            entry_mm_s: entry,
            cruise_mm_s: cruise,
            exit_mm_s: exit,
            acceleration_mm_s2: acceleration,
        }
    }

    /// The way on which it gets faster, in mm.
    #[must_use]
    pub fn accelerating_mm(&self) -> f64 {
        way(self.entry_mm_s, self.cruise_mm_s, self.acceleration_mm_s2)
    }

    /// The way on which it gets slower, in mm.
    #[must_use]
    pub fn decelerating_mm(&self) -> f64 {
        way(self.exit_mm_s, self.cruise_mm_s, self.acceleration_mm_s2)
    }

    /// How long the move takes, in seconds.
    #[must_use]
    pub fn time_s(&self) -> f64 {
        let changes = 2.0 * self.cruise_mm_s - self.entry_mm_s - self.exit_mm_s;
        let level = (self.length_mm - self.accelerating_mm() - self.decelerating_mm()).max(0.0);
        changes / self.acceleration_mm_s2 + level / self.cruise_mm_s
    }
}

/// The way between two speeds.
fn way(from: f64, to: f64, acceleration: f64) -> f64 {
    (to * to - from * from) / (2.0 * acceleration)
}

/// The speed reached from `speed` over a way, in mm/s.
pub(super) fn reachable(speed: f64, acceleration: f64, length_mm: f64) -> f64 {
    (speed * speed + 2.0 * acceleration * length_mm).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    // 10 mm/s² up to 10 mm/s takes 1 s and 5 mm; 90 mm are left at 10 mm/s.
    #[case::level(100.0, 0.0, 10.0, 0.0, 10.0, 11.0)]
    // 5 mm up and 5 mm down, at the peak 7.07 mm/s.
    #[case::triangle(10.0, 0.0, 50.0, 0.0, 10.0, 2.0)]
    #[case::no_change(100.0, 10.0, 10.0, 10.0, 10.0, 10.0)]
    #[case::up_only(5.0, 0.0, 10.0, 10.0, 10.0, 1.0)]
    #[case::down_only(5.0, 10.0, 10.0, 0.0, 10.0, 1.0)]
    fn times(
        #[case] length: f64,
        #[case] entry: f64,
        #[case] nominal: f64,
        #[case] exit: f64,
        #[case] acceleration: f64,
        #[case] expected_s: f64,
    ) {
        let it = Trapezoid::fastest(length, entry, nominal, exit, acceleration);
        if length == 10.0 {
            assert!((it.cruise_mm_s - 10.0).abs() < 1e-9);
        }
        assert!((it.time_s() - expected_s).abs() < 1e-9, "{}", it.time_s());
    }

    proptest! {
        /// Stepped through in small steps of time, the way and the time come out.
        #[test]
        fn a_walk_through_it_takes_its_time(
            length in 0.1..50.0_f64, nominal in 1.0..200.0_f64, acceleration in 50.0..3000.0_f64,
            entry in 0.0..1.0_f64, exit in 0.0..1.0_f64,
        ) {
            let entry = entry * nominal;
            let exit = (exit * nominal).min(reachable(entry, acceleration, length));
            let entry = entry.min(reachable(exit, acceleration, length));
            let it = Trapezoid::fastest(length, entry, nominal, exit, acceleration);
            let down_from = length - it.decelerating_mm();
            let (up, down) = ((it.cruise_mm_s - entry) / acceleration, (it.cruise_mm_s - exit) / acceleration);
            prop_assert!(up >= -1e-9 && down >= -1e-9 && down_from >= it.accelerating_mm() - 1e-6);
            let level = (down_from - it.accelerating_mm()) / it.cruise_mm_s;
            prop_assert!((it.time_s() - up - down - level).abs() < 1e-6);
            prop_assert!(it.time_s() + 1e-9 >= length / nominal.max(entry).max(exit));
        }
    }
}
