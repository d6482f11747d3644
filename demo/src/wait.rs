//! Waiting for a condition, with a deadline. Nothing in the house waits for time alone.

use std::time::Duration;

use crate::{Error, Result};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(50);

/// Looks until there is something to see, every 50 ms.
///
/// # Errors
/// The deadline passed; the message names `what`.
pub async fn until<T>(what: &str, deadline: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    try_until(what, deadline, async || Ok(look().await)).await
}

/// The same for a look that can fail; its first error ends the wait.
///
/// # Errors
/// The look's own, or the deadline passed.
pub async fn try_until<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let polling = async {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Some(seen) = look().await? {
                return Ok(seen);
            }
        }
    };
    tokio::time::timeout(deadline, polling)
        .await
        .unwrap_or_else(|_| Err(Error::NotInTime { what: what.to_owned(), after: deadline }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_wait_ends_with_what_was_seen() {
        let mut looks = 0;
        let seen = until("the third look", Duration::from_secs(10), async || {
            looks += 1;
            (looks == 3).then_some("here")
        });
        assert_eq!(seen.await.unwrap(), "here");
    }

    #[tokio::test]
    async fn a_deadline_names_what_was_waited_for() {
        let error =
            until("the end of the world", Duration::from_millis(60), async || None::<()>).await.unwrap_err();
        assert_eq!(error.to_string(), "waited 0.06 s for the end of the world, in vain");
    }
}
