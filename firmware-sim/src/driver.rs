//! Puts a [`Firmware`] on a pty: the only part that touches the operating system and the real clock.
//!
//! One thread, one `poll` with the firmware's own next deadline as its timeout: an idle printer costs nothing.
//! Knows nothing of G-code.

mod clock;
mod link;
mod signals;
mod terminal;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::firmware::{Config, Firmware};
use crate::journal::Journal;
use clock::SimulatedClock;
use link::Link;
use signals::StopSignal;
use terminal::Terminal;

/// What the driver needs to know beside the printer itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where hosts find the printer: a symbolic link to the pty.
    pub link: PathBuf,
    /// Simulated seconds per real second, greater than 0.
    pub speed: f64,
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
/// The journal reaches the disk's cache at least this often.
const JOURNAL_FLUSH: Duration = Duration::from_millis(100);

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

    let result = serve(config, options.speed, &terminal, &stop, journal.as_mut());
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
    speed: f64,
    terminal: &Terminal,
    stop: &StopSignal,
    mut journal: Option<&mut JournalFile>,
) -> Result<(), DriverError> {
    let clock = SimulatedClock::start(speed);
    let mut firmware = Firmware::new(config);
    let mut buffer = [0_u8; 4096];
    loop {
        firmware.advance(clock.now());
        let real = clock.real();
        let flush_at = match journal.as_deref_mut() {
            Some(journal) => journal.record(&mut firmware, real)?,
            None => {
                firmware.take_accepted();
                None
            }
        };
        terminal.write(firmware.output()).map_err(DriverError::Lost)?;

        let mut interest = PollFlags::empty();
        let wants_input = firmware.room() > 0 && firmware.output().len() < OUTPUT_LIMIT;
        interest.set(PollFlags::IN, wants_input);
        interest.set(PollFlags::OUT, !firmware.output().is_empty());
        let due = firmware.next_deadline().map(|due| clock.real_time_of(due));
        let timeout = [due, flush_at].into_iter().flatten().min().map(|at| at.saturating_sub(clock.real()));

        let mut watched = [
            PollFd::from_borrowed_fd(terminal.as_fd(), interest),
            PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(terminal.closings(), PollFlags::IN),
        ];
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(DriverError::Lost(errno.into())),
        }
        let [pty, stopping, closing] = watched.map(|fd| fd.revents());
        if !stopping.is_empty() {
            return Ok(());
        }
        if !closing.is_empty() {
            terminal.host_closed();
        }
        if pty.contains(PollFlags::IN) {
            let wanted = buffer.len().min(firmware.room());
            let read = terminal.read(&mut buffer[..wanted]).map_err(DriverError::Lost)?;
            firmware.receive(clock.now(), &buffer[..read]);
        }
    }
}

/// A journal in a file, flushed in time.
struct JournalFile {
    path: PathBuf,
    journal: Journal<BufWriter<File>>,
    flush_at: Option<Duration>,
}

impl JournalFile {
    fn open(path: PathBuf) -> Result<Self, DriverError> {
        let journal = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|file| Journal::begin(BufWriter::with_capacity(64 * 1024, file)))
            .and_then(|mut journal| journal.flush().map(|()| journal));
        match journal {
            Ok(journal) => Ok(Self { path, journal, flush_at: None }),
            Err(source) => Err(DriverError::Journal { path, source }),
        }
    }

    /// Writes down what was accepted; returns when it must be called again to flush.
    fn record(&mut self, firmware: &mut Firmware, real: Duration) -> Result<Option<Duration>, DriverError> {
        for accepted in firmware.take_accepted() {
            self.journal.append(&accepted).map_err(|source| self.error(source))?;
            self.flush_at.get_or_insert(real + JOURNAL_FLUSH);
        }
        if self.flush_at.is_some_and(|at| real >= at) {
            self.flush()?;
        }
        Ok(self.flush_at)
    }

    fn flush(&mut self) -> Result<(), DriverError> {
        self.flush_at = None;
        self.journal.flush().map_err(|source| self.error(source))
    }

    fn error(&self, source: io::Error) -> DriverError {
        DriverError::Journal { path: self.path.clone(), source }
    }
}
