//! Puts [virtual printers](crate::virtual_printer) on ptys: the only part that touches the operating system and the
//! real clock.
//!
//! One thread for all of them, one `poll` with the printers' own next deadline as its timeout: idle printers cost
//! nothing. Knows nothing of G-code.

mod clock;
mod journal_file;
mod link;
mod signals;
mod station;
mod targets_file;
mod terminal;
mod wire;

use std::io;
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::faults::FaultPlan;
use crate::profile::Profile;
use crate::virtual_printer::VirtualPrinter;
use clock::RealClock;
use signals::StopSignal;
use station::{Place, Station};
use targets_file::TargetsFile;

/// What the driver needs to know beside the printer itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where hosts find the printer: a symbolic link to the pty. Of several printers, `<link>-1`, `<link>-2`, ….
    pub link: PathBuf,
    /// Where accepted commands are written down. Of several printers, `<journal>-1`, ….
    pub journal: Option<PathBuf>,
    /// Where what the heaters are set to is written down, whenever it changes. Of several printers, `<targets>-1`, ….
    pub targets: Option<PathBuf>,
    /// How long the cable is out each time it is pulled; `None`: two seconds.
    pub unplugged: Option<Duration>,
    /// Where what comes over the line is written down, byte by byte. Of several printers, `<wire>-1`, ….
    pub wire: Option<PathBuf>,
    /// How many printers.
    pub count: NonZeroU16,
    /// What goes wrong.
    pub plan: FaultPlan,
    /// The seed of the first printer's faults; the next has the next.
    pub seed: u64,
    /// After a replug the link has another name: `<link>.2`, `<link>.3`, ….
    pub renames: bool,
    /// A host that sets another rate than the printer's gets garbage.
    pub checks_baud: bool,
    /// The board is wired so that it starts anew when the host lets DTR fall.
    pub resets_by_dtr: bool,
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
    /// The file of targets cannot be written.
    #[error("cannot write the targets {}: {source}. The printer stops.", path.display())]
    Targets {
        /// The file asked for.
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

/// Runs the printers until SIGINT or SIGTERM. Prints `ready <link> <pty>` on standard output when hosts may come, a
/// line for every printer, and `replugged <link> <pty>` when a cable is put in again.
///
/// # Errors
/// See [`DriverError`].
pub fn run(profile: &Profile, options: &Options) -> Result<(), DriverError> {
    let stop = StopSignal::install().map_err(DriverError::Signals)?;
    // Before the printers power up, so that none is behind from the start.
    let clock = RealClock::start();
    let mut stations = (0..options.count.get())
        .map(|index| {
            let (profile, place) = one_of(profile, options, index);
            let mut printer =
                VirtualPrinter::new(profile, &options.plan, options.seed.wrapping_add(index.into()));
            if let Some(time) = options.unplugged {
                printer.set_unplugged(time);
            }
            Station::open(printer, place)
        })
        .collect::<Result<Vec<_>, _>>()?;

    let result = serve(&mut stations, &clock, &stop);
    stations.iter_mut().map(Station::close).fold(result, Result::and)
}

/// A single printer has the names as they are given; several get a number each.
fn one_of(profile: &Profile, options: &Options, index: u16) -> (Profile, Place) {
    let mut profile = profile.clone();
    let numbered = |path: &Path| {
        let mut path = path.to_owned();
        if options.count.get() > 1 {
            path.as_mut_os_string().push(format!("-{}", index + 1));
        }
        path
    };
    if options.count.get() > 1 {
        profile.config.name += &format!(" {}", index + 1);
    }
    let place = Place {
        name: profile.config.name.clone(),
        link: numbered(&options.link),
        journal: options.journal.as_deref().map(numbered),
        targets: options.targets.as_deref().map(|path| TargetsFile::new(numbered(path))),
        wire: options.wire.as_deref().map(numbered),
        renames: options.renames,
        checks_baud: options.checks_baud,
        resets_by_dtr: options.resets_by_dtr,
    };
    (profile, place)
}

fn serve(stations: &mut [Station], clock: &RealClock, stop: &StopSignal) -> Result<(), DriverError> {
    loop {
        for station in stations.iter_mut() {
            station.serve(clock.now())?;
        }
        let wake = stations.iter().filter_map(Station::due).min();

        let mut watched = vec![PollFd::from_borrowed_fd(stop.as_fd(), PollFlags::IN)];
        watched.extend(stations.iter().map(Station::interest));
        watched.extend(stations.iter().filter_map(Station::closings));
        wait(&mut watched, wake.map(|wake| wake.saturating_sub(clock.now())))?;
        // The stop signal's other end is closed, not written to.
        let ready: Vec<bool> = watched.iter().map(|fd| !fd.revents().is_empty()).collect();
        let (ports, closings) = ready[1..].split_at(stations.len());
        if ready[0] {
            return Ok(());
        }
        let closed = closings.iter().any(|&closed| closed);
        for (station, &readable) in stations.iter_mut().zip(ports) {
            if closed {
                // Cheap and harmless for those that were not closed.
                station.host_closed();
            }
            if readable {
                station.read(clock.now())?;
            }
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
