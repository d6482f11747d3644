//! Where the process says something: standard output, standard error, and the journal's socket. Nobody waits for whoever reads them:
//! a printer that is driven meanwhile would wait, too, and every signal and stop at once.
//!
//! Owns: these three, which the process has once and for all, as it has the streams behind them; and how long its end waits until
//! what was said is read. Must not know: what is said.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use rustix::fs::fstat;
use stardust_clock::{Clock as _, SystemClock};
use stardust_outlet::Outlet;

/// Who has driven a printer must be able to end, whether somebody reads what it says or not: within this for all of them.
const DRIVEN: Duration = Duration::from_secs(2);
/// Everybody else waits for the reader, as programs do that are read page by page.
const AT_LEISURE: Duration = Duration::from_secs(24 * 3600);

/// None where the system gives no thread: then it is written by whoever says it.
static OUT: LazyLock<Option<Outlet>> = LazyLock::new(|| Outlet::of_text("stdout", io::stdout()).ok());
/// Where both are the same terminal, what is said first is read first: one thread for both.
static ERR: LazyLock<Option<Outlet>> = LazyLock::new(|| match is_same(io::stdout(), io::stderr()) {
    true => OUT.clone(),
    false => Outlet::of_text("stderr", io::stderr()).ok(),
});
static JOURNAL: OnceLock<Outlet> = OnceLock::new();

/// Standard output.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardOut;

/// Standard error.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandardError;

impl Write for StandardOut {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        put(OUT.as_ref(), io::stdout(), text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for StandardError {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        put(ERR.as_ref(), io::stderr(), text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put(outlet: Option<&Outlet>, mut stream: impl Write, text: &[u8]) -> io::Result<usize> {
    let Some(outlet) = outlet else { return stream.write(text) };
    outlet.put(text);
    Ok(text.len())
}

fn is_same(one: impl AsFd, other: impl AsFd) -> bool {
    let file = |stream: &dyn AsFd| fstat(stream).map(|it| (it.st_dev, it.st_ino)).ok();
    let (one, other) = (file(&one), file(&other));
    one.is_some() && one == other
}

/// The way to systemd's journal, from now on.
pub(super) fn add_journal(outlet: Outlet) {
    // A second start (in tests) leaves the first in place.
    let _ = JOURNAL.set(outlet);
}

/// What was said is read, or not soon enough. `has_driven`: the process has had a printer.
pub(super) fn settle(has_driven: bool) {
    let clock = SystemClock::new();
    let patience = if has_driven { DRIVEN } else { AT_LEISURE };
    for outlet in [OUT.as_ref(), ERR.as_ref(), JOURNAL.get()].into_iter().flatten() {
        // There is nobody to tell.
        let _ = outlet.flush(patience.saturating_sub(clock.elapsed()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_of_one_stream_are_the_same_and_two_streams_are_not() {
        let (one, other) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        assert!(is_same(&one, one.try_clone().unwrap()));
        assert!(!is_same(&one, &other));
    }
}
