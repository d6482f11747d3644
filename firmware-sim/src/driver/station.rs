//! One printer on its pty: carries bytes between them, writes the journal, pulls and puts in the cable.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags};

use super::DriverError;
use super::journal_file::JournalFile;
use super::link::Link;
use super::targets_file::TargetsFile;
use super::terminal::Terminal;
use super::wire::Wire;
use crate::virtual_printer::VirtualPrinter;

/// While more than this waits to be sent, no more is read: the host is made to wait.
const OUTPUT_LIMIT: usize = 16 * 1024;
/// While more than this is on its way to the printer, no more is read: what a kernel's own buffer would hold.
const INPUT_LIMIT: usize = 4096;
/// A pty does not tell when its DTR falls: it is looked at this often. Hosts hold it for a quarter of a second.
const LOOK_AT_DTR: Duration = Duration::from_millis(20);

/// Where a printer is found and what is written down of it.
#[derive(Debug)]
pub(super) struct Place {
    /// For messages.
    pub(super) name: String,
    pub(super) link: PathBuf,
    pub(super) journal: Option<PathBuf>,
    pub(super) targets: Option<TargetsFile>,
    pub(super) wire: Option<PathBuf>,
    /// After a replug the link is `<link>.2`, `<link>.3`, …
    pub(super) renames: bool,
    /// A host at another rate than the printer's gets garbage.
    pub(super) checks_baud: bool,
    /// The controller starts anew when DTR falls.
    pub(super) resets_by_dtr: bool,
}

/// A printer, its terminal and its link.
#[derive(Debug)]
pub(super) struct Station {
    place: Place,
    printer: VirtualPrinter,
    terminal: Terminal,
    /// `None` while the cable is out.
    link: Option<Link>,
    journal: Option<JournalFile>,
    wire: Option<Wire>,
    dtr_is_low: bool,
    look_at: Duration,
    outbox: Vec<u8>,
    strikes_told: usize,
    flush_at: Option<Duration>,
}

impl Station {
    pub(super) fn open(printer: VirtualPrinter, place: Place) -> Result<Self, DriverError> {
        let terminal = Terminal::open().map_err(DriverError::Terminal)?;
        let journal = place.journal.clone().map(JournalFile::open).transpose()?;
        let wire = place.wire.clone().map(Wire::open).transpose()?;
        let mut station = Self {
            place,
            printer,
            terminal,
            link: None,
            journal,
            wire,
            dtr_is_low: false,
            look_at: Duration::ZERO,
            outbox: Vec::new(),
            strikes_told: 0,
            flush_at: None,
        };
        station.plug_in("ready")?;
        Ok(station)
    }

    /// Makes the link and says so. Whoever started us may have closed our output; the printer runs all the same.
    fn plug_in(&mut self, word: &str) -> Result<(), DriverError> {
        let mut path = self.place.link.clone();
        if self.place.renames && self.printer.plugged_in() > 1 {
            path.as_mut_os_string().push(format!(".{}", self.printer.plugged_in()));
        }
        let link = Link::create(&path, self.terminal.path())
            .map_err(|source| DriverError::Link { path: path.clone(), source })?;
        let mut out = io::stdout().lock();
        let _ = writeln!(out, "{word} {} {}", link.path().display(), self.terminal.path().display());
        let _ = out.flush();
        self.link = Some(link);
        Ok(())
    }

    /// Lets the printer come as far as `now` and carries on what it said and did.
    pub(super) fn serve(&mut self, now: Duration) -> Result<(), DriverError> {
        if self.place.checks_baud {
            self.printer.set_host_baud(self.terminal.host_baud());
        }
        self.follow_dtr(now)?;
        self.outbox.append(&mut self.printer.output(now));
        self.printer.set_unread(self.outbox.len());
        let accepted = self.printer.take_accepted();
        if let Some(journal) = self.journal.as_mut() {
            self.flush_at = journal.record(&accepted, now)?;
        }
        if let Some(file) = &mut self.place.targets {
            file.tell(self.printer.targets())?;
        }
        self.tell_strikes();
        self.follow_the_cable()?;
        if self.link.is_some() {
            let sent = self.terminal.write(&self.outbox).map_err(DriverError::Lost)?;
            self.outbox.drain(..sent);
        } else {
            self.outbox.clear();
        }
        Ok(())
    }

    /// A speed of zero lets DTR fall: the controller starts anew where it is wired so.
    fn follow_dtr(&mut self, now: Duration) -> Result<(), DriverError> {
        if !self.place.resets_by_dtr {
            return Ok(());
        }
        self.look_at = now + LOOK_AT_DTR;
        let is_low = self.terminal.host_baud() == Some(0);
        if is_low && !std::mem::replace(&mut self.dtr_is_low, is_low) {
            self.printer.reset(now);
            self.wire.as_mut().map_or(Ok(()), Wire::dtr_fell)?;
        }
        self.dtr_is_low = is_low;
        Ok(())
    }

    /// A pulled cable closes the pty under the host; the one put in leads to another.
    fn follow_the_cable(&mut self) -> Result<(), DriverError> {
        if !self.printer.is_plugged() && self.link.is_some() {
            // Opened before the old one is closed, so that it surely has another name.
            self.terminal = Terminal::open().map_err(DriverError::Terminal)?;
            self.link = None;
        }
        if self.printer.is_plugged() && self.link.is_none() {
            self.plug_in("replugged")?;
        }
        Ok(())
    }

    fn tell_strikes(&mut self) {
        for strike in self.printer.strikes().iter().skip(self.strikes_told) {
            let (at, kind, lines) = (strike.at.as_secs_f64(), strike.kind.name(), strike.after_lines);
            let name = &self.place.name;
            let _ = writeln!(io::stderr(), "firmware-sim: {name}: {kind} at {at:.3} s, after {lines} lines");
        }
        self.strikes_told = self.printer.strikes().len();
    }

    /// When it must be served again though its pty has nothing to tell.
    pub(super) fn due(&self) -> Option<Duration> {
        [self.printer.next_deadline(), self.flush_at, self.place.resets_by_dtr.then_some(self.look_at)]
            .into_iter()
            .flatten()
            .min()
    }

    /// What `poll` must look for at the pty.
    pub(super) fn interest(&self) -> PollFd<'_> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.room() > 0);
        flags.set(PollFlags::OUT, !self.outbox.is_empty() && self.link.is_some());
        PollFd::from_borrowed_fd(self.terminal.master(), flags)
    }

    /// Becomes readable when a host closes the port.
    pub(super) fn closings(&self) -> Option<PollFd<'_>> {
        self.terminal.closings().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
    }

    pub(super) fn host_closed(&self) {
        self.terminal.host_closed();
    }

    fn room(&self) -> usize {
        let answers = OUTPUT_LIMIT.saturating_sub(self.outbox.len() + self.printer.output_backlog());
        if answers == 0 { 0 } else { INPUT_LIMIT.saturating_sub(self.printer.backlog()) }
    }

    /// Takes what the host has written.
    pub(super) fn read(&mut self, now: Duration) -> Result<(), DriverError> {
        let mut buffer = [0_u8; INPUT_LIMIT];
        let room = self.room();
        let read = self.terminal.read(&mut buffer[..room]).map_err(DriverError::Lost)?;
        self.wire.as_mut().map_or(Ok(()), |wire| wire.came(&buffer[..read]))?;
        self.printer.receive(&buffer[..read], now);
        Ok(())
    }

    /// Brings everything written down to the disk.
    pub(super) fn close(&mut self) -> Result<(), DriverError> {
        self.journal.as_mut().map_or(Ok(()), JournalFile::flush)
    }
}
