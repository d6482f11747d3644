//! M109 and M190: when the wait is over and what it says meanwhile.
//!
//! A heater must have been near its target for ten seconds (TEMP_RESIDENCY_TIME, TEMP_WINDOW, TEMP_HYSTERESIS).

use std::time::Duration;

use super::thermal::{Heater, HeaterId};

const RESIDENCY: Duration = Duration::from_secs(10);
/// A heater that is near already when the wait begins has a third of the residency behind it.
const RESIDENCY_HEAD_START: Duration = Duration::from_millis(3333);
const WINDOW_C: f64 = 1.0;
const HYSTERESIS_C: f64 = 3.0;
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Cooling that brings less than this in this time is given up (MIN_COOLING_SLOPE_DEG, MIN_COOLING_SLOPE_TIME).
const COOLING_STEP_C: f64 = 1.5;
const COOLING_STEP_TIME: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// A running wait for a heater.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct HeatWait {
    pub(crate) heater: HeaterId,
    /// Given by R instead of S: wait for cooling down, too.
    pub(crate) cooling_too: bool,
    settled_at: Option<Duration>,
    checked_at: Option<Duration>,
    report_at: Duration,
    /// Time and temperature the present step of cooling began with.
    cooling_from: Option<(Duration, f64)>,
}

/// What a look at the heater brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Over,
    /// Goes on; with `Some`, a report is due, ending in this (`W:?` or the seconds left).
    Waiting(Option<String>),
}

impl HeatWait {
    pub(crate) fn begin(now: Duration, heater: HeaterId, cooling_too: bool) -> Self {
        Self { heater, cooling_too, settled_at: None, checked_at: None, report_at: now, cooling_from: None }
    }

    pub(crate) fn next_check(&self) -> Duration {
        self.checked_at.map_or(Duration::ZERO, |checked| checked + CHECK_EVERY)
    }

    pub(crate) fn check(&mut self, now: Duration, heater: &Heater) -> Progress {
        let temperature = heater.temperature(now);
        if !self.cooling_too && self.settled_at.is_none() && temperature > heater.target() + WINDOW_C {
            return Progress::Over;
        }
        if temperature > heater.target() + WINDOW_C && self.cools_no_more(now, temperature) {
            return Progress::Over;
        }
        let off = (heater.target() - temperature).abs();
        match self.settled_at {
            None if off < WINDOW_C => {
                let head_start =
                    if self.checked_at.is_none() { RESIDENCY_HEAD_START } else { Duration::ZERO };
                self.settled_at = Some(now.saturating_sub(head_start));
            }
            Some(_) if off > HYSTERESIS_C => self.settled_at = Some(now),
            _ => {}
        }
        self.checked_at = Some(now);
        let left = self.settled_at.map(|settled| (settled + RESIDENCY).saturating_sub(now));
        if left == Some(Duration::ZERO) {
            return Progress::Over;
        }
        if now < self.report_at {
            return Progress::Waiting(None);
        }
        self.report_at = now + REPORT_EVERY;
        Progress::Waiting(Some(left.map_or_else(|| "W:?".to_owned(), |left| format!("W:{}", left.as_secs()))))
    }

    fn cools_no_more(&mut self, now: Duration, temperature: f64) -> bool {
        match self.cooling_from {
            Some((since, _)) if now < since + COOLING_STEP_TIME => false,
            Some((_, from)) if from - temperature < COOLING_STEP_C => true,
            _ => {
                self.cooling_from = Some((now, temperature));
                false
            }
        }
    }
}
