//! A series as it is shown.
//!
//! Owns: which samples of many stand for all of them. Pure. Must not know: where they come from.

use serde::Serialize;
use stardust_protocol::Timestamp;
use stardust_protocol::telemetry::Heat;

/// Most points that are shown.
pub const MOST: usize = 1000;

/// How a print went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct JobTelemetry {
    /// Oldest first. Where there are gaps nothing is known: the printer could not be heard, or its agent was away.
    pub points: Vec<TelemetryPoint>,
}

/// One look at a print.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TelemetryPoint {
    /// When it was.
    pub at: Timestamp,
    /// Fraction done, 0 to 1.
    pub fraction: f64,
    /// The layer that was printed, from 1, where the file says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer: Option<u32>,
    /// What was heated, °C.
    #[serde(flatten)]
    pub heat: Heat,
}

/// At most `most` of them (2 at least), evenly by their places; the first and the last are among them.
#[must_use]
pub fn thinned<T>(all: Vec<T>, most: usize) -> Vec<T> {
    let (len, most) = (all.len(), most.max(2));
    if len <= most {
        return all;
    }
    let mut next = 0;
    let mut taken = Vec::with_capacity(most);
    for (place, point) in all.into_iter().enumerate() {
        // Of `most` places from 0 to the last, the one that comes next.
        if place == next * (len - 1) / (most - 1) {
            taken.push(point);
            next += 1;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_series_is_thinned_evenly(len in 0_usize..5000, most in 0_usize..1200) {
            let thin = thinned((0..len).collect(), most);
            prop_assert_eq!(thin.len(), len.min(most.max(2)));
            prop_assert_eq!(thin.first().copied(), (len > 0).then_some(0));
            prop_assert_eq!(thin.last().copied(), len.checked_sub(1));
            let gaps: Vec<usize> = thin.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let (least, most) = (gaps.iter().min().copied(), gaps.iter().max().copied());
            prop_assert!(least.zip(most).is_none_or(|(least, most)| least > 0 && most - least <= 1));
        }
    }
}
