//! How long it takes from a question to its answer.
//!
//! Owns: the measurement. Must not know: what is good or bad.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use stardust_clock::SharedClock;
use tokio::task::JoinError;

use super::open::{OpenError, open};
use super::wait::timespec;

/// So many questions: a few are not enough to see the worst.
pub const QUESTIONS: usize = 20;
/// It costs the printer nothing: the answer is there already.
const QUESTION: &[u8] = b"M105\n";
/// A printer that was just heard answers by then.
const PATIENCE: Duration = Duration::from_secs(2);
/// Whether the answers are still wanted is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Who had the port last is this program, whose thread lets go soon.
const LET_GO: Duration = Duration::from_secs(2);

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundTrip {
    /// Half of the answers came within this.
    pub median: Duration,
    /// The longest.
    pub worst: Duration,
    /// What the bytes of question and answer need on the line itself.
    pub bytes: Duration,
}

impl RoundTrip {
    /// Of the times of all answers, and how many bytes each was; none without any.
    fn of(mut answers: Vec<(Duration, usize)>, baud: u32) -> Option<Self> {
        answers.sort_unstable();
        let (median, bytes) = *answers.get(answers.len() / 2)?;
        // Start bit, eight bits, stop bit.
        let bytes = Duration::from_secs_f64(bytes as f64 * 10.0 / f64::from(baud.max(1)));
        // A native USB port has no speed, whatever is set.
        Some(Self { median, worst: answers.last()?.0, bytes: bytes.min(median) })
    }
}

/// Asks the printer, which must be idle, twenty times for its temperatures. `None` when it has left one unanswered. Who waits for
/// that no longer ends it, soon: the process would not end before.
///
/// # Errors
/// The inner one: [`OpenError`]; the outer one: there is no thread for it, or it has panicked.
pub async fn measured(
    path: PathBuf,
    baud: u32,
    clock: SharedClock,
) -> Result<Result<Option<RoundTrip>, OpenError>, JoinError> {
    let wanted = Arc::new(());
    let waiting = Arc::downgrade(&wanted);
    let is_wanted = move || waiting.strong_count() > 0;
    let measured = tokio::task::spawn_blocking(move || measure(&path, baud, &clock, is_wanted)).await;
    drop(wanted);
    measured
}

fn measure(
    path: &Path,
    baud: u32,
    clock: &SharedClock,
    is_wanted: impl Fn() -> bool,
) -> Result<Option<RoundTrip>, OpenError> {
    let until = clock.elapsed() + LET_GO;
    let port = loop {
        match open(path, baud) {
            Err(OpenError::Busy(_)) if clock.elapsed() < until && is_wanted() => {
                let _ = poll(&mut [], Some(&timespec(Duration::from_millis(10))));
            }
            opened => break opened?,
        }
    };
    let answers: Option<Vec<_>> = (0..QUESTIONS).map(|_| ask(&port, clock, &is_wanted)).collect();
    Ok(answers.and_then(|answers| RoundTrip::of(answers, baud)))
}

/// From the question to the end of its `ok`, and the bytes of both. Reports that come in between are passed over.
fn ask(port: &OwnedFd, clock: &SharedClock, is_wanted: &impl Fn() -> bool) -> Option<(Duration, usize)> {
    let asked = clock.elapsed();
    rustix::io::write(port, QUESTION).ok().filter(|written| *written == QUESTION.len())?;
    let mut line = Vec::new();
    let mut buffer = [0_u8; 256];
    loop {
        let left = (asked + PATIENCE).saturating_sub(clock.elapsed());
        if left.is_zero() || !is_wanted() {
            return None;
        }
        let mut waits = [PollFd::new(port, PollFlags::IN)];
        // An interrupted wait is looked at again.
        let _ = poll(&mut waits, Some(&timespec(left.min(LOOK_EVERY))));
        if waits[0].revents().is_empty() {
            continue;
        }
        let count = match rustix::io::read(port, &mut buffer) {
            Ok(0) => return None,
            Ok(count) => count,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
            Err(_) => return None,
        };
        for byte in buffer.get(..count)? {
            if *byte != b'\n' {
                line.push(*byte);
            } else if line.starts_with(b"ok") {
                return Some((clock.elapsed() - asked, QUESTION.len() + line.len() + 1));
            } else {
                line.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever has asked for it may be told to end: a printer that is silent then is waited for no longer.
    #[test]
    fn it_ends_when_nobody_wants_it_any_more() {
        let (_silent, path) = super::super::open::tests::pty();
        let looks = std::cell::Cell::new(0);
        let is_wanted = || looks.replace(looks.get() + 1) < 2;
        let clock = stardust_clock::SystemClock::shared();
        assert_eq!(measure(&path, 115_200, &clock, is_wanted), Ok(None));
        assert!((3..=10).contains(&looks.get()), "twice it was, and after that nobody waits: {looks:?}");
    }

    #[test]
    fn the_median_and_the_worst() {
        let ms = Duration::from_millis;
        let answers = [2, 16, 5].map(|time| (ms(time), 50)).to_vec();
        let expected = RoundTrip { median: ms(5), worst: ms(16), bytes: ms(2) };
        assert_eq!(RoundTrip::of(answers, 250_000), Some(expected));
        assert_eq!(RoundTrip::of(vec![(ms(1), 50)], 9600).unwrap().bytes, ms(1), "native USB");
        assert_eq!(RoundTrip::of(Vec::new(), 115_200), None);
    }
}
