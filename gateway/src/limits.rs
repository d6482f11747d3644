//! Counting: connections in total and from one address, packets of one connection.
//!
//! Must not know what is counted for, nor the time: the caller says how much has passed.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many connections there may be, and are.
#[derive(Debug)]
pub(crate) struct ConnectionLimits {
    max_total: usize,
    max_per_source: usize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// No room for another connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Full {
    #[error("as many connections as the gateway takes")]
    Total,
    #[error("as many connections as the gateway takes from one address")]
    Source,
}

/// The right to be connected; ends when dropped.
#[derive(Debug)]
pub(crate) struct Admission {
    limits: Arc<ConnectionLimits>,
    source: IpAddr,
}

impl ConnectionLimits {
    pub(crate) fn new(max_total: usize, max_per_source: usize) -> Arc<Self> {
        Arc::new(Self { max_total, max_per_source, counts: Mutex::default() })
    }

    pub(crate) fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<Admission, Full> {
        let source = source_of(peer);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.total >= self.max_total {
            return Err(Full::Total);
        }
        if counts.by_source.get(&source).is_some_and(|&count| count >= self.max_per_source) {
            return Err(Full::Source);
        }
        counts.total += 1;
        *counts.by_source.entry(source).or_default() += 1;
        Ok(Admission { limits: Arc::clone(self), source })
    }

    pub(crate) fn total(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).total
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self.limits.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.total = counts.total.saturating_sub(1);
        if let Some(count) = counts.by_source.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                counts.by_source.remove(&self.source);
            }
        }
    }
}

/// What counts as one address: an IPv4 address, or the /64 that one IPv6 site owns at least.
fn source_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A token bucket: so many a second for long, so many at once.
#[derive(Debug)]
pub(crate) struct RateLimit {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

impl RateLimit {
    /// Full at `now`, which is [`stardust_clock::Clock::elapsed`].
    pub(crate) fn new(per_second: u32, burst: u32, now: Duration) -> Self {
        let burst = f64::from(burst);
        Self { per_second: f64::from(per_second), burst, tokens: burst, at: now }
    }

    /// Counts one; false when that is too many.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn admissions_are_counted_in_total_and_by_source_and_given_back() {
        let limits = ConnectionLimits::new(3, 2);
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = limits.admit(one).unwrap();
        let _second = limits.admit(one).unwrap();
        assert_eq!(limits.admit(one).unwrap_err(), Full::Source);
        let _third = limits.admit(other).unwrap();
        assert_eq!(limits.admit(other).unwrap_err(), Full::Total);
        drop(first);
        assert_eq!(limits.total(), 2);
        assert!(limits.admit(one).is_ok());
    }

    #[rstest]
    #[case("::ffff:10.0.0.1", "10.0.0.1")]
    #[case("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    #[case("192.0.2.7", "192.0.2.7")]
    fn one_site_is_one_source(#[case] peer: IpAddr, #[case] source: IpAddr) {
        assert_eq!(source_of(peer), source);
    }

    #[test]
    fn a_burst_then_the_rate() {
        let at = Duration::from_millis;
        let mut rate = RateLimit::new(10, 3, at(0));
        assert!((0..3).all(|_| rate.take(at(0))));
        assert!(!rate.take(at(50)));
        assert!(rate.take(at(100)));
        assert!(!rate.take(at(150)));
        assert_eq!((0..10).filter(|_| rate.take(at(60_000))).count(), 3);
    }
}
