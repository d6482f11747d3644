//! The agent's memory over restarts: one append-only file per printer, a JSON object a line.
//!
//! There are two kinds of writing. What must be known before something is done is *appended*: on disk, or not done. What
//! has happened is *kept*: it counts at once, and where the disk can't be written it is told from memory and written as
//! soon as it can be. So an event is numbered once, and is lost only with the process.
//! Owns: durability. Every call is on disk when it returns (few a job: an SD card must live), or says so; a line torn by
//! a power cut is dropped; the file is rewritten to its essence at each start, and after each fault of the disk.
//! Must not know: what the records are for.

mod file;
mod record;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use record::{HeatOwed, Held, Record, State};
use stardust_clock::Clock;
use stardust_protocol::{AgentEvent, EventBody};

use crate::disk::DiskFault;
use crate::hub_link::hub_time::Happened;
use file::{JournalFile, Medium, Unwritten};

/// The journal can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the journal {path} can't be used: {source}; free some space or check the disk")]
pub struct JournalError {
    path: PathBuf,
    source: std::io::Error,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    medium: Box<dyn Medium>,
    /// Something that counts is not on disk: all of it is written anew when that works.
    behind: bool,
    fault: Option<DiskFault>,
    state: State,
    count: Count,
    /// When the events of this process happened, by its own count; by their numbers.
    seen: BTreeMap<u64, Duration>,
}

/// What is known of the numbers that the hub knows.
#[derive(Debug)]
struct Count {
    /// The next process may find events on disk that are not counted.
    uncounted_on_disk: bool,
    /// What the hub has said, until events are numbered accordingly.
    told: Option<u64>,
    /// They are.
    settled: bool,
}

impl Journal {
    /// Reads what is there, and rewrites it to its essence. Where it can be read and not written, it is open all the
    /// same: what happens is kept in memory, and [`Journal::fault`] tells.
    ///
    /// # Errors
    /// [`JournalError`] when it can't be read: nobody knows then what is at work.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            read => read.map_err(|source| JournalError { path: path.to_owned(), source })?,
        };
        Ok(Self::on(Box::new(JournalFile::new(path.to_owned())), path, &bytes))
    }

    fn on(medium: Box<dyn Medium>, path: &Path, bytes: &[u8]) -> Self {
        let state = replay(bytes);
        let uncounted_on_disk = state.uncounted_from.is_some();
        let count = Count { uncounted_on_disk, told: None, settled: false };
        let path = path.to_owned();
        let mut journal =
            Self { path, medium, behind: true, fault: None, state, count, seen: BTreeMap::new() };
        // What goes wrong is noted.
        let _ = journal.catch_up();
        journal
    }

    /// What the journal says, without opening it for more: quick, for who can't wait for the disk. A journal that can't
    /// be read says nothing.
    #[must_use]
    pub fn peek(path: &Path) -> State {
        Self::look(path).unwrap_or_default()
    }

    /// The same, for who has to know whether it can be read. One that is not there says nothing.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn look(path: &Path) -> Result<State, JournalError> {
        match std::fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
            read => read
                .map(|bytes| replay(&bytes))
                .map_err(|source| JournalError { path: path.to_owned(), source }),
        }
    }

    /// What the journal says.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Why it could not be written last, until it can be.
    #[must_use]
    pub fn fault(&self) -> Option<&DiskFault> {
        self.fault.as_ref()
    }

    /// Appends what must be known before something is done; it is on disk when this returns. On an error none of it
    /// counts, and it must not be done.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        self.write(records)?;
        records.iter().for_each(|record| self.state.apply(record));
        Ok(())
    }

    /// Keeps what has happened: it counts, whatever the disk says.
    pub fn keep(&mut self, records: &[Record]) {
        let written = self.write(records);
        records.iter().for_each(|record| self.state.apply(record));
        self.behind |= written.is_err();
    }

    /// Keeps an event that happened now, with the next number, and what belongs to it.
    pub fn keep_event(&mut self, clock: &dyn Clock, body: EventBody, with: impl IntoIterator<Item = Record>) {
        let mut records = Vec::new();
        if !self.count.settled {
            records.push(Record::Uncounted { from: self.state.next_seq });
        }
        self.seen.insert(self.state.next_seq, clock.elapsed());
        records.push(Record::Event(self.state.number(clock.now(), body)));
        records.extend(with);
        self.keep(&records);
    }

    /// The next events to be delivered, so many at most, each with when it happened.
    #[must_use]
    pub fn undelivered(&self, count: usize) -> Vec<(AgentEvent, Happened)> {
        let when =
            |event: &AgentEvent| Happened { at: event.at, elapsed: self.seen.get(&event.seq).copied() };
        self.state.outbox.iter().take(count).map(|event| (event.clone(), when(event))).collect()
    }

    /// The hub knows all up to this number.
    pub fn acknowledged(&mut self, seq: u64) {
        self.seen = self.seen.split_off(&(seq + 1));
        // Where it can't be written, the next process delivers again what the hub knows: that changes nothing.
        self.keep(&[Record::Acknowledged { seq }]);
    }

    /// Writes what is in memory alone, if there is anything; to be tried again and again.
    ///
    /// # Errors
    /// [`JournalError`] when the disk does not let us yet.
    pub fn catch_up(&mut self) -> Result<(), JournalError> {
        self.write_anew()?;
        self.settle_count()
    }

    /// The hub says the last number that it knows. Where an earlier process gave it and could not write it down, the
    /// events since, which nobody has heard of yet, count on from there. Only the first time matters.
    pub fn count_on_from(&mut self, last_event_seq: u64) {
        if !self.count.settled {
            self.count.told = Some(last_event_seq);
            // What goes wrong is noted.
            let _ = self.settle_count();
        }
    }

    /// Whether events may be delivered: their numbers stand.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.count.settled
    }

    fn settle_count(&mut self) -> Result<(), JournalError> {
        let Some(last) = self.count.told else { return Ok(()) };
        let from = self.state.uncounted_from.unwrap_or(self.state.next_seq);
        let by = (last + 1).saturating_sub(from);
        if by > 0 || self.state.uncounted_from.is_some() {
            let record = [Record::Counted { from, by }];
            if self.count.uncounted_on_disk {
                // Else the next process would count them once more.
                self.append(&record)?;
            } else {
                // At once, so that they are never written as they were.
                record.iter().for_each(|record| self.state.apply(record));
                self.behind = true;
                let _ = self.write_anew();
            }
            self.seen =
                self.seen.iter().map(|(seq, at)| (if *seq >= from { seq + by } else { *seq }, *at)).collect();
            tracing::info!(event.known = last, event.by = by, "the hub's count of events was taken over");
        }
        (self.count.told, self.count.settled) = (None, true);
        Ok(())
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        // What happened before comes first.
        self.write_anew()?;
        let written = self.medium.append(&lines(records));
        // Some of it may be there: it is all written anew.
        self.behind = written.is_err();
        self.noted(written, records.iter().any(|record| matches!(record, Record::Uncounted { .. })))
    }

    fn write_anew(&mut self) -> Result<(), JournalError> {
        if self.behind {
            let written = self.medium.replace(&lines(&self.state.compacted()));
            self.noted(written, self.state.uncounted_from.is_some())?;
            self.behind = false;
        }
        Ok(())
    }

    /// Says what is wrong once, not at every attempt.
    fn noted(&mut self, written: Result<(), Unwritten>, has_uncounted: bool) -> Result<(), JournalError> {
        let may_be_there = written.as_ref().map_or_else(|unwritten| unwritten.may_be_there, |()| true);
        self.count.uncounted_on_disk |= has_uncounted && may_be_there;
        let source = match written {
            Ok(()) => {
                if self.fault.take().is_some() {
                    tracing::info!(journal = %self.path.display(), "the journal can be written again");
                }
                return Ok(());
            }
            Err(Unwritten { source, .. }) => source,
        };
        let fault = DiskFault::from(&source);
        let error = JournalError { path: self.path.clone(), source };
        if self.fault.is_none() {
            tracing::error!(error = %error, "what happens is kept in memory only");
        }
        self.fault = Some(fault);
        Err(error)
    }
}

fn lines(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        // Records are plain data: writing them to memory does not fail.
        if serde_json::to_writer(&mut text, record).is_ok() {
            text.push(b'\n');
        }
    }
    text
}

/// Adds up the records. A line that can't be read is one that was torn.
fn replay(bytes: &[u8]) -> State {
    let mut state = State::default();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line) {
            Ok(record) => state.apply(&record),
            Err(error) => tracing::warn!(error = %error, "a torn line of the journal was dropped"),
        }
    }
    state
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn;
