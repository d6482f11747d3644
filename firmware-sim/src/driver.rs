//! Puts a [`Firmware`] on a pty: the only part that touches the operating system and the real clock.
//!
//! One thread, one `poll` with the firmware's own next deadline as its timeout: an idle printer costs nothing.
//! Knows nothing of G-code.

mod clock;
mod journal_file;
mod link;
mod pace;
mod signals;
mod terminal;
mod wire;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::firmware::{Config, Firmware};
use clock::SimulatedClock;
use journal_file::JournalFile;
use link::Link;
use signals::StopSignal;
use terminal::Terminal;
use wire::Wire;

/// What the driver needs to know beside the printer itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where hosts find the printer: a symbolic link to the pty.
    pub link: PathBuf,
    /// Simulated seconds per real second, greater than 0.
    pub speed: f64,
    /// Bytes pass at this rate in baud, in real time; without it as fast as they can.
    pub pace_baud: Option<u32>,
    /// Where accepted commands are written down.
    pub journal: Option<PathBuf>,
}

/// Why a printer could not be run, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// No pseudo terminal to be had.
    #[error("cannot open a pseudo terminal: {0}. Is /dev/pts mounted?")]
    Terminal(#[source] io::Error),
    /// The link's name is taken or its folder is not writable.
    #[error("cannot make the link {}: {source}. Choose another --link or remove what stands there.", path.display())]
    Link {
        /// The link asked for.
        path: PathBuf,
        /// What stood against it.
        source: io::Error,
    },
    /// The journal cannot be written.
    #[error("cannot write the journal {}: {source}. Nothing more is recorded; the printer stops.", path.display())]
    Journal {
        /// The journal asked for.
        path: PathBuf,
        /// What stood against it.
        source: io::Error,
    },
    /// The signals that end the simulator cannot be caught.
    #[error("cannot wait for SIGINT and SIGTERM: {0}")]
    Signals(#[source] io::Error),
    /// The pty failed while running.
    #[error("the pseudo terminal failed: {0}. Start the simulator again.")]
    Lost(#[source] io::Error),
}

/// While more than this waits to be sent, no more is read: the host is made to wait, nothing is lost.
const OUTPUT_LIMIT: usize = 16 * 1024;

/// Runs one printer until SIGINT or SIGTERM. Prints `ready <link> <pty>` on standard output when hosts may come.
///
/// # Errors
/// See [`DriverError`].
pub fn run(config: Config, options: &Options) -> Result<(), DriverError> {
    let stop = StopSignal::install().map_err(DriverError::Signals)?;
    let terminal = Terminal::open().map_err(DriverError::Terminal)?;
    let mut journal = options.journal.as_ref().map(|path| JournalFile::open(path.clone())).transpose()?;
    let link_error = |source| DriverError::Link { path: options.link.clone(), source };
    let link = Link::create(&options.link, terminal.path()).map_err(link_error)?;
    announce(&link, &terminal);

    let result = serve(config, options, &terminal, &stop, journal.as_mut());
    let flushed = journal.as_mut().map_or(Ok(()), JournalFile::flush);
    result.and(flushed)
}

/// Whoever started us may have closed our output; the printer runs all the same.
fn announce(link: &Link, terminal: &Terminal) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "ready {} {}", link.path().display(), terminal.path().display());
    let _ = out.flush();
}

fn serve(
    config: Config,
    options: &Options,
    terminal: &Terminal,
    stop: &StopSignal,
    mut journal: Option<&mut JournalFile>,
) -> Result<(), DriverError> {
    let clock = SimulatedClock::start(options.speed);
    let mut wire = Wire::new(terminal, options.pace_baud);
    let mut firmware = Firmware::new(config);
    let mut buffer = [0_u8; 4096];
    loop {
        firmware.advance(clock.now());
        let accepted = firmware.take_accepted();
        let flush_at = match journal.as_deref_mut() {
            Some(journal) => journal.record(&accepted, clock.real())?,
            None => None,
        };
        wire.send(firmware.output(), clock.real()).map_err(DriverError::Lost)?;

        let room = if firmware.output().len() < OUTPUT_LIMIT { firmware.room().min(buffer.len()) } else { 0 };
        let mut watched = vec![wire.interest(room), PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
        if let Some(closings) = terminal.closings() {
            watched.push(PollFd::from_borrowed_fd(closings, PollFlags::IN));
        }
        let due = firmware.next_deadline().map(|due| clock.real_time_of(due));
        let wake = [due, flush_at, wire.next()].into_iter().flatten().min();
        wait(&mut watched, wake.map(|wake| wake.saturating_sub(clock.real())))?;

        let readable =
            |index: usize| watched.get(index).is_some_and(|fd| fd.revents().contains(PollFlags::IN));
        // The stop signal's other end is closed, not written to.
        if watched.get(1).is_some_and(|stop| !stop.revents().is_empty()) {
            return Ok(());
        }
        if readable(2) {
            terminal.host_closed();
        }
        let read = wire.receive(&mut buffer[..room], readable(0), clock.real()).map_err(DriverError::Lost)?;
        if read > 0 {
            firmware.receive(clock.now(), &buffer[..read]);
        }
    }
}

fn wait(watched: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), DriverError> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    match poll(watched, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(DriverError::Lost(errno.into())),
    }
}
