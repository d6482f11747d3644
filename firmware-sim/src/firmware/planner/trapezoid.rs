//! The speed of one block over time: up, along, down. Constant acceleration, no jerk limit.

/// A block's motion between two junctions. Lengths in mm, speeds in mm/s, acceleration in mm/s².
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trapezoid {
    length: f64,
    entry: f64,
    exit: f64,
    /// The highest speed reached.
    peak: f64,
    acceleration: f64,
}

impl Trapezoid {
    /// Entry and exit must be reachable from each other over the length; the planner sees to it.
    pub(crate) fn new(length: f64, entry: f64, exit: f64, nominal: f64, acceleration: f64) -> Self {
        let acceleration = acceleration.max(1e-3);
        // Where up and down meet if there is no room to reach the nominal speed.
        let meeting = (acceleration * length + (entry * entry + exit * exit) / 2.0).sqrt();
        let peak = meeting.min(nominal).max(entry).max(exit).max(1e-3);
        Self { length, entry, exit, peak, acceleration }
    }

    fn way_up(&self) -> f64 {
        (self.peak * self.peak - self.entry * self.entry) / (2.0 * self.acceleration)
    }

    fn way_down(&self) -> f64 {
        (self.peak * self.peak - self.exit * self.exit) / (2.0 * self.acceleration)
    }

    fn way_along(&self) -> f64 {
        (self.length - self.way_up() - self.way_down()).max(0.0)
    }

    /// How long it takes, s.
    pub(crate) fn duration(&self) -> f64 {
        let up = (self.peak - self.entry) / self.acceleration;
        let down = (self.peak - self.exit) / self.acceleration;
        up + self.way_along() / self.peak + down
    }

    /// How much of the length is behind after so many seconds, mm.
    pub(crate) fn gone(&self, seconds: f64) -> f64 {
        let up = (self.peak - self.entry) / self.acceleration;
        let along = self.way_along() / self.peak;
        let gone = if seconds < up {
            self.entry * seconds + self.acceleration * seconds * seconds / 2.0
        } else if seconds < up + along {
            self.way_up() + self.peak * (seconds - up)
        } else {
            let left = (self.duration() - seconds).max(0.0);
            self.length - (self.exit * left + self.acceleration * left * left / 2.0)
        };
        gone.clamp(0.0, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // Length, entry, exit, nominal, acceleration; s by the textbook.
    #[rstest]
    #[case::from_rest_to_rest(100.0, 0.0, 0.0, 100.0, 1000.0, 1.1)]
    #[case::triangle(10.0, 0.0, 0.0, 1000.0, 1000.0, 0.2)]
    #[case::no_change(50.0, 100.0, 100.0, 100.0, 1000.0, 0.5)]
    #[case::only_up(7.5, 50.0, 100.0, 100.0, 500.0, 0.1)]
    fn it_takes_its_time(
        #[case] length: f64,
        #[case] entry: f64,
        #[case] exit: f64,
        #[case] nominal: f64,
        #[case] acceleration: f64,
        #[case] seconds: f64,
    ) {
        let trapezoid = Trapezoid::new(length, entry, exit, nominal, acceleration);
        assert!((trapezoid.duration() - seconds).abs() < 1e-9, "{}", trapezoid.duration());
        assert!((trapezoid.gone(seconds) - length).abs() < 1e-9);
        let mut before = 0.0;
        for step in 0..=100 {
            let gone = trapezoid.gone(seconds * f64::from(step) / 100.0);
            assert!(gone >= before);
            before = gone;
        }
    }
}
