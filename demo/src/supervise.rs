//! What to do about a process that ended by itself: start it again, but not for ever.

use std::collections::HashMap;
use std::time::Duration;

/// More ends of the same process than this within [`WINDOW`] are no accident.
const RESTARTS: usize = 3;
/// How long an end is held against a process.
const WINDOW: Duration = Duration::from_secs(60);

/// Remembers how often each process ended. Knows no processes, only their names.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    by_name: HashMap<String, Vec<Duration>>,
}

impl Ends {
    /// Notes an end at `now` (since any fixed point); whether it is worth starting the process again.
    pub(crate) fn worth_a_restart(&mut self, name: &str, now: Duration) -> bool {
        let ends = self.by_name.entry(name.to_owned()).or_default();
        ends.retain(|end| now.saturating_sub(*end) < WINDOW);
        ends.push(now);
        ends.len() <= RESTARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ends_a_minute_are_forgiven_to_each_process_the_fourth_is_not() {
        let mut ends = Ends::default();
        let mut at = |name: &str, seconds| ends.worth_a_restart(name, Duration::from_secs(seconds));
        assert!(at("hub", 0) && at("hub", 10) && at("hub", 20));
        assert!(at("agent", 25));
        assert!(!at("hub", 30));
        assert!(at("hub", 100));
    }
}
