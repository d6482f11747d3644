//! The journal in memory: what it says, and what of it has still to be written, in order.
//!
//! Whoever writes takes one step after the other ([`Ledger::begin`]) and says how it went ([`Ledger::finish`]); nobody
//! else waits meanwhile. What is *wanted* counts when it is on disk, or not at all; what is *kept* counts at once.
//! Owns: the order, and what counts when. Must not know: files, threads, what the records are for.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_clock::Clock;
use stardust_protocol::{AgentEvent, EventBody};

use super::file::Unwritten;
use super::{JournalError, Record, State, lines, replay};
use crate::disk::DiskFault;
use crate::hub_link::hub_time::Happened;

/// So much is appended before the file is written anew, bytes: it does not grow with the years.
const ANEW_AFTER_BYTES: usize = 256 * 1024;
/// So many records wait for a disk that does not answer. Then they are dropped from the line: what they say is written with
/// all the rest.
const LONGEST_LINE: usize = 1000;

/// Told how it went with what was wanted.
pub type Reply = Box<dyn FnOnce(Result<(), JournalError>) + Send>;
/// Something to be done behind everything that was kept before it.
pub type Work = Box<dyn FnOnce() + Send>;

/// What is to be done next, by whoever may wait for the disk.
pub(super) enum Step {
    /// Put behind what is there.
    Append(Vec<u8>),
    /// Put in place of what is there.
    Replace(Vec<u8>),
    Work(Work),
}

enum Waiting {
    Kept(Record),
    Wanted(Vec<Record>, Option<Reply>),
    Work(Work),
}

/// What is being done.
struct UnderWay {
    /// Of the events that are not on disk, so many of the oldest.
    events: usize,
    has_uncounted: bool,
    wanted: Option<(Vec<Record>, Option<Reply>)>,
    bytes: usize,
    is_anew: bool,
    /// All that counted when it began is in it.
    is_all: bool,
}

/// What is known of the numbers that the hub knows.
#[derive(Debug)]
struct Count {
    /// The next process may find events on disk that are not counted.
    uncounted_on_disk: bool,
    /// What the hub has said, until events are numbered accordingly.
    told: Option<u64>,
    /// It is being written down.
    is_wanted: bool,
    /// They are.
    settled: bool,
}

/// The journal in memory.
pub struct Ledger {
    path: PathBuf,
    state: State,
    line: VecDeque<Waiting>,
    under_way: Option<UnderWay>,
    /// Something that counts is neither on disk nor in the line: all of it is written anew when that works.
    behind: bool,
    /// That is worth trying.
    is_due: bool,
    fault: Option<DiskFault>,
    /// What the system said of it.
    refusal: Option<(std::io::ErrorKind, Option<i32>)>,
    /// The disk takes its time: what is kept is told without it.
    is_slow: bool,
    /// Of the events, so many of the newest are not on disk.
    unwritten: usize,
    appended_bytes: usize,
    count: Count,
    /// When the events of this process happened, by its own count; by their numbers.
    pub(super) seen: BTreeMap<u64, Duration>,
    /// Somebody writes.
    pub(super) is_being_written: bool,
}

impl Ledger {
    /// With what a file holds. It is written anew first of all.
    pub(super) fn new(path: &Path, bytes: &[u8]) -> Self {
        let state = replay(bytes);
        let uncounted_on_disk = state.uncounted_from.is_some();
        Self {
            path: path.to_owned(),
            state,
            line: VecDeque::new(),
            under_way: None,
            behind: true,
            is_due: true,
            fault: None,
            refusal: None,
            is_slow: false,
            unwritten: 0,
            appended_bytes: 0,
            count: Count { uncounted_on_disk, told: None, is_wanted: false, settled: false },
            seen: BTreeMap::new(),
            is_being_written: false,
        }
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
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

    /// Keeps what has happened: it counts, whatever the disk says.
    pub fn keep(&mut self, records: &[Record]) {
        for record in records {
            self.state.apply(record);
            self.unwritten += usize::from(matches!(record, Record::Event(_)));
            self.line.push_back(Waiting::Kept(record.clone()));
        }
        self.is_due = true;
        if self.line.len() > LONGEST_LINE {
            self.leave_the_line();
        }
    }

    /// What waits is written with all the rest.
    fn leave_the_line(&mut self) {
        self.line.retain(|waiting| !matches!(waiting, Waiting::Kept(_)));
        self.behind = true;
        if let Some(under_way) = &mut self.under_way {
            under_way.is_all = false;
        }
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

    /// Wants something to be on disk before it is acted upon: `reply` is told when it is, or that none of it counts.
    pub fn want(&mut self, records: Vec<Record>, reply: Reply) {
        self.line.push_back(Waiting::Wanted(records, Some(reply)));
        self.is_due = true;
    }

    /// Wants something to be done, where one may wait, behind everything that was kept before: when that is on disk, or
    /// can't be.
    pub fn then(&mut self, work: Work) {
        self.line.push_back(Waiting::Work(work));
    }

    /// The next events to be delivered, so many at most, each with when it happened. What can be written is written
    /// before it is told.
    #[must_use]
    pub fn undelivered(&self, count: usize) -> Vec<(AgentEvent, Happened)> {
        let when =
            |event: &AgentEvent| Happened { at: event.at, elapsed: self.seen.get(&event.seq).copied() };
        let waits = if self.fault.is_some() || self.is_slow { 0 } else { self.unwritten };
        let count = count.min(self.state.outbox.len().saturating_sub(waits));
        self.state.outbox.iter().take(count).map(|event| (event.clone(), when(event))).collect()
    }

    /// The disk takes its time, or does not any more.
    pub(super) fn takes_its_time(&mut self, is_slow: bool) {
        self.is_slow = is_slow;
    }

    /// The hub knows all up to this number.
    pub fn acknowledged(&mut self, seq: u64) {
        self.seen = self.seen.split_off(&(seq + 1));
        // Where it can't be written, the next process delivers again what the hub knows: that changes nothing.
        self.keep(&[Record::Acknowledged { seq }]);
    }

    /// Has what is in memory alone written, if there is anything; to be tried again and again.
    pub fn catch_up(&mut self) {
        self.is_due = true;
        self.settle_count();
    }

    /// The hub says the last number that it knows. Where an earlier process gave it and could not write it down, the
    /// events since, which nobody has heard of yet, count on from there. Only the first time matters.
    pub fn count_on_from(&mut self, last_event_seq: u64) {
        if !self.count.settled {
            self.count.told = Some(last_event_seq);
            self.is_due = true;
            self.settle_count();
        }
    }

    /// Whether events may be delivered: their numbers stand.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.count.settled
    }

    /// Whether all that was kept is on disk, and nothing waits.
    #[must_use]
    pub fn is_written(&self) -> bool {
        !self.behind && self.line.is_empty() && self.under_way.is_none()
    }

    /// Whether there is something to do for whoever may wait.
    pub(super) fn has_work(&self) -> bool {
        !self.line.is_empty() || self.behind && self.is_due
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// The next step; none: there is none, or one is under way.
    pub(super) fn begin(&mut self) -> Option<Step> {
        if self.under_way.is_some() {
            return None;
        }
        self.behind |= self.appended_bytes > ANEW_AFTER_BYTES;
        // What happened before comes first.
        if self.behind && std::mem::take(&mut self.is_due) {
            self.line.retain(|waiting| !matches!(waiting, Waiting::Kept(_)));
            let text = lines(&self.state.compacted());
            let has_uncounted = self.state.uncounted_from.is_some();
            self.set_out(self.unwritten, has_uncounted, None, 0, true);
            return Some(Step::Replace(text));
        }
        loop {
            match self.line.pop_front()? {
                // It is written with all the rest, when that works.
                Waiting::Kept(_) if self.behind => {}
                Waiting::Kept(first) => {
                    let mut records = vec![first];
                    while let Some(Waiting::Kept(_)) = self.line.front() {
                        if let Some(Waiting::Kept(record)) = self.line.pop_front() {
                            records.push(record);
                        }
                    }
                    return Some(self.append(records, None));
                }
                Waiting::Wanted(records, reply) if self.behind => {
                    self.refused(&records);
                    let error = self.error();
                    if let Some(reply) = reply {
                        reply(Err(error));
                    }
                }
                Waiting::Wanted(records, reply) => return Some(self.append(records, Some(reply))),
                Waiting::Work(work) => {
                    self.set_out(0, false, None, 0, false);
                    return Some(Step::Work(work));
                }
            }
        }
    }

    fn append(&mut self, records: Vec<Record>, wanted: Option<Option<Reply>>) -> Step {
        let text = lines(&records);
        let has_uncounted = records.iter().any(|record| matches!(record, Record::Uncounted { .. }));
        let events = records.iter().filter(|record| matches!(record, Record::Event(_))).count();
        self.set_out(events, has_uncounted, wanted.map(|reply| (records, reply)), text.len(), false);
        Step::Append(text)
    }

    fn set_out(
        &mut self,
        events: usize,
        has_uncounted: bool,
        wanted: Option<(Vec<Record>, Option<Reply>)>,
        bytes: usize,
        is_anew: bool,
    ) {
        let is_all = true;
        self.under_way = Some(UnderWay { events, has_uncounted, wanted, bytes, is_anew, is_all });
    }

    /// How the step has gone; none: nothing was to be written.
    pub(super) fn finish(&mut self, written: Option<Result<(), Unwritten>>) {
        let Some(step) = self.under_way.take() else { return };
        let Some(written) = written else { return self.settle_count() };
        let may_be_there = written.as_ref().map_or_else(|unwritten| unwritten.may_be_there, |()| true);
        self.count.uncounted_on_disk |= step.has_uncounted && may_be_there;
        match written {
            Ok(()) => {
                self.unwritten = self.unwritten.saturating_sub(step.events);
                self.appended_bytes = if step.is_anew { 0 } else { self.appended_bytes + step.bytes };
                self.behind &= !(step.is_anew && step.is_all);
                self.refusal = None;
                if self.fault.take().is_some() {
                    tracing::info!(journal = %self.path.display(), "the journal can be written again");
                }
            }
            Err(unwritten) => {
                // Some of it may be there: it is all written anew.
                self.behind = true;
                self.appended_bytes = 0;
                self.note(&unwritten.source);
            }
        }
        if let Some((records, reply)) = step.wanted {
            let counts = self.refusal.is_none();
            if counts {
                self.count_in(&records);
            } else {
                self.refused(&records);
            }
            if let Some(reply) = reply {
                reply(if counts { Ok(()) } else { Err(self.error()) });
            }
        }
        // Else it is asked for when the disk is tried again.
        if self.refusal.is_none() || !self.count.uncounted_on_disk {
            self.settle_count();
        }
    }

    /// What was wanted is on disk.
    fn count_in(&mut self, records: &[Record]) {
        for record in records {
            self.state.apply(record);
            if let Record::Counted { from, by } = record {
                // What waits has the numbers of before.
                self.leave_the_line();
                self.is_due = true;
                self.counted(*from, *by);
            }
        }
    }

    fn refused(&mut self, records: &[Record]) {
        if records.iter().any(|record| matches!(record, Record::Counted { .. })) {
            self.count.is_wanted = false;
        }
    }

    fn settle_count(&mut self) {
        let Some(last) = self.count.told else { return };
        // What is under way may bring numbers to the disk.
        if self.under_way.is_some() || self.count.is_wanted {
            return;
        }
        let from = self.state.uncounted_from.unwrap_or(self.state.next_seq);
        let by = (last + 1).saturating_sub(from);
        if by == 0 && self.state.uncounted_from.is_none() {
            (self.count.told, self.count.settled) = (None, true);
        } else if self.count.uncounted_on_disk {
            // First: else the next process would count them once more.
            self.count.is_wanted = true;
            self.is_due = true;
            self.line.push_back(Waiting::Wanted(vec![Record::Counted { from, by }], None));
        } else {
            // At once, so that they are never written as they were.
            self.state.apply(&Record::Counted { from, by });
            self.leave_the_line();
            self.is_due = true;
            self.counted(from, by);
        }
    }

    fn counted(&mut self, from: u64, by: u64) {
        self.seen =
            self.seen.iter().map(|(seq, at)| (if *seq >= from { seq + by } else { *seq }, *at)).collect();
        tracing::info!(event.by = by, event.from = from, "the hub's count of events was taken over");
        self.count = Count { told: None, is_wanted: false, settled: true, ..self.count };
    }

    /// Says what is wrong once, not at every attempt.
    fn note(&mut self, source: &std::io::Error) {
        self.refusal = Some((source.kind(), source.raw_os_error()));
        if self.fault.is_none() {
            tracing::error!(error = %self.error(), "what happens is kept in memory only");
        }
        self.fault = Some(DiskFault::from(source));
    }

    fn error(&self) -> JournalError {
        let source = match self.refusal {
            Some((_, Some(code))) => std::io::Error::from_raw_os_error(code),
            Some((kind, None)) => kind.into(),
            None => std::io::Error::other("it could not be written"),
        };
        JournalError { path: self.path.clone(), source }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).field("state", &self.state).finish_non_exhaustive()
    }
}
