//! The agent's memory over restarts: one append-only file per printer, a JSON object a line.
//!
//! There are two kinds of writing. What must be known before something is done is *appended* (or *wanted*): on disk, or not
//! done. What has happened is *kept*: it counts at once, and where the disk can't be written it is told from memory and
//! written as soon as it can be. So an event is numbered once, and is lost only with the process.
//! A disk may take half a minute: at work, nobody waits for it but a thread of its own ([`JournalAtWork`]), which takes the steps
//! that its [`Ledger`] gives it, in order.
//! Owns: durability. What counts is on disk in the order in which it came (few writings a job: an SD card must live), or it
//! is said that it can't be; a line torn by a power cut is dropped; the file is rewritten to its essence at each start, after
//! each fault of the disk, and when it has grown.
//! Must not know: what the records are for.

mod at_work;
mod debts;
mod file;
mod ledger;
mod record;

use std::path::{Path, PathBuf};

pub use at_work::{JournalAtWork, Locked};
pub use debts::{Debts, HeatOwed};
pub use ledger::{Ledger, Reply, Work};
pub use record::{Held, Record, State};
use stardust_clock::Clock;
use stardust_protocol::EventBody;

use crate::plain_file::{self, NoPlainFile};
use file::{JournalFile, Medium, Unwritten};
use ledger::Step;

/// The journal can't be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the journal {path} can't be used: {source}; {}", self.what_to_do())]
pub struct JournalError {
    path: PathBuf,
    source: std::io::Error,
}

impl JournalError {
    fn what_to_do(&self) -> &'static str {
        match NoPlainFile::why(&self.source) {
            Some(_) => "move it away, and put the journal back where there is a copy",
            None => "free some space or check the disk",
        }
    }
}

/// What waits for a hub that is away for years does not make it longer.
const LONGEST_BYTES: u64 = 64 << 20;

/// An open journal, for who may wait for the disk: every call is on disk when it returns, or says that it is not.
#[derive(Debug)]
pub struct Journal {
    medium: Box<dyn Medium>,
    ledger: Ledger,
}

impl Journal {
    /// Reads what is there, and rewrites it to its essence. Where it can be read and not written, it is open all the
    /// same: what happens is kept in memory, and [`Ledger::fault`] tells.
    ///
    /// # Errors
    /// [`JournalError`] when it can't be read: nobody knows then what is at work.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let bytes = bytes(path)?;
        Ok(Self::on(Box::new(JournalFile::new(path.to_owned())), path, &bytes))
    }

    fn on(medium: Box<dyn Medium>, path: &Path, bytes: &[u8]) -> Self {
        let mut journal = Self { medium, ledger: Ledger::new(path, bytes) };
        // What goes wrong is noted.
        journal.write();
        journal
    }

    /// What the journal says, without opening it for more. A journal that can't be read says nothing.
    #[must_use]
    pub fn peek(path: &Path) -> State {
        Self::look(path).unwrap_or_default()
    }

    /// The same, for who has to know whether it can be read. One that is not there says nothing.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn look(path: &Path) -> Result<State, JournalError> {
        bytes(path).map(|bytes| replay(&bytes))
    }

    /// Appends what must be known before something is done; it is on disk when this returns. On an error none of it
    /// counts, and it must not be done.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let (reply, replied) = std::sync::mpsc::channel();
        self.ledger.want(records.to_vec(), Box::new(move |result| drop(reply.send(result))));
        self.write();
        let unanswered = |_| {
            let source = std::io::Error::other("it was not written");
            Err(JournalError { path: self.ledger.path().to_owned(), source })
        };
        replied.try_recv().unwrap_or_else(unanswered)
    }

    /// Keeps what has happened: it counts, whatever the disk says.
    pub fn keep(&mut self, records: &[Record]) {
        self.ledger.keep(records);
        self.write();
    }

    /// Keeps an event that happened now, with the next number, and what belongs to it.
    pub fn keep_event(&mut self, clock: &dyn Clock, body: EventBody, with: impl IntoIterator<Item = Record>) {
        self.ledger.keep_event(clock, body, with);
        self.write();
    }

    /// The hub knows all up to this number.
    pub fn acknowledged(&mut self, seq: u64) {
        self.ledger.acknowledged(seq);
        self.write();
    }

    /// Writes what is in memory alone, if there is anything; to be tried again and again. Whether that works.
    pub fn catch_up(&mut self) -> bool {
        self.ledger.catch_up();
        self.write();
        self.ledger.is_written()
    }

    /// The hub says the last number that it knows ([`Ledger::count_on_from`]).
    pub fn count_on_from(&mut self, last_event_seq: u64) {
        self.ledger.count_on_from(last_event_seq);
        self.write();
    }

    fn write(&mut self) {
        while let Some(step) = self.ledger.begin() {
            self.ledger.finish(carry_out(step, &mut *self.medium));
        }
    }
}

impl std::ops::Deref for Journal {
    type Target = Ledger;

    fn deref(&self) -> &Ledger {
        &self.ledger
    }
}

/// What is there; nothing is as good as no file.
fn bytes(path: &Path) -> Result<Vec<u8>, JournalError> {
    match plain_file::read(path, LONGEST_BYTES) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read.map_err(|source| JournalError { path: path.to_owned(), source }),
    }
}

/// Does what may wait; whether something was written, and how that went.
fn carry_out(step: Step, medium: &mut dyn Medium) -> Option<Result<(), Unwritten>> {
    match step {
        Step::Append(text) => Some(medium.append(&text)),
        Step::Replace(text) => Some(medium.replace(&text)),
        Step::Work(work) => {
            work();
            None
        }
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

/// Adds up the records. A last line that can't be read and has no end is one that was torn. Any other is damage: what it has said
/// of heat nobody knows, so something is owed.
fn replay(bytes: &[u8]) -> State {
    let mut state = State::default();
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).peekable();
    let mut is_damaged = bytes.contains(&0);
    while let Some(line) = lines.next() {
        match serde_json::from_slice(line) {
            Ok(record) => state.apply(&record),
            Err(error) => {
                is_damaged |= lines.peek().is_some() || bytes.ends_with(b"\n");
                tracing::warn!(error = %error, "a line of the journal that can't be read was dropped");
            }
        }
    }
    if is_damaged {
        state.heat.lose_count();
    }
    state
}

#[cfg(test)]
mod slow;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torn;
