//! What has to be on disk before something is done, or has to be read from there first: the actions behind it wait, and
//! nothing else does. Status, commands and the printer go on.
//!
//! Owns: the order of actions over such a wait. Must not know: what they do.

use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_protocol::JobId;
use tokio::time::Instant;

use super::Printer;
use crate::boot::BootId;
use crate::journal::{HeatOwed, Record};
use crate::port::Order;
use crate::print_job::briefed::Briefed;
use crate::print_job::file_source::FileSource;
use crate::print_job::lifecycle::Action;
use crate::printer::by_hand::LeftByHand;
use crate::serial::{Brief, End, Heaters, JobEvent};
use crate::trail::{Head, Trail};

/// An agent that stops waits so long for the disk.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the actions behind wait for.
#[derive(Debug)]
pub(super) enum DiskWait {
    /// This is to be on disk.
    Record(Record),
    /// The trail of a job that is to be said to be started by this record.
    Trail(Record),
    /// The file of a job that begins.
    Begin,
    /// The file of a job that goes on at a layer.
    Return,
}

/// What comes back from the disk.
#[derive(Debug)]
pub(crate) enum FromDisk {
    /// This is there, or does not count.
    Recorded(Box<Record>, Result<(), String>),
    /// It is there that somebody without a job heats the printer, or does not count.
    HeatOwed(Result<(), String>),
    /// Prints with no hub that may have left this printer hot.
    LeftByHand(Vec<LeftByHand>),
    /// Another printer was paired at this one's port.
    PairedLater,
    /// This printer was paired again, and has a new credential.
    Renewed,
    /// The ports at which something may be hot that are not driven, and whether each is there.
    OldPorts(Vec<(PathBuf, bool)>),
    /// The trail of this job.
    Trail(JobId, std::io::Result<Box<Trail>>),
    /// The file of this job, open, and its trail where it had none.
    Opened(JobId, Result<Opened, Unopened>),
}

/// A job that can begin.
#[derive(Debug)]
pub(crate) struct Opened {
    source: FileSource<BufReader<std::fs::File>>,
    trail: Option<Box<Trail>>,
}

/// Why it can't.
#[derive(Debug)]
pub(crate) enum Unopened {
    File(std::io::Error),
    Trail(std::io::Error),
}

impl Printer {
    /// Carries out actions, in order: those that wait for the disk first.
    pub(super) fn perform(&mut self, actions: Vec<Action>) {
        if self.disk_wait.is_some() {
            if !actions.is_empty() {
                self.deferred.push_back(actions);
            }
            return;
        }
        let mut actions = actions.into_iter();
        while let Some(action) = actions.next() {
            self.carry_out(action);
            if self.disk_wait.is_some() {
                // Before what comes in meanwhile.
                return self.deferred.push_front(actions.collect());
            }
        }
    }

    /// What was waited for is there.
    fn go_on(&mut self) {
        while self.disk_wait.is_none() {
            let Some(actions) = self.deferred.pop_front() else { return };
            self.perform(actions);
        }
    }

    /// Instead of what was to follow.
    fn go_on_with(&mut self, instead: Vec<Action>) {
        self.deferred.pop_front();
        self.perform(instead);
        self.go_on();
    }

    /// What is about to start is not started any more, whatever comes from the disk for it. Whether there was something.
    pub(super) fn start_nothing(&mut self) -> bool {
        let is_about_to = !matches!(self.disk_wait, None | Some(DiskWait::Record(Record::Claimed { .. })));
        if is_about_to {
            self.disk_wait = None;
            self.deferred.clear();
        }
        is_about_to
    }

    /// The agent stops: what waits for the disk is not begun any more.
    pub(super) async fn begin_nothing_more(&mut self) {
        let has_preheat = self.call_off_preheat("The agent is being stopped: nothing was heated.");
        if self.disk_wait.take().is_none() && !has_preheat {
            return;
        }
        self.deferred.clear();
        // What is on its way there may say that the printer is about to get hot.
        self.disk_at_rest().await;
        let actions = self.life.not_started();
        self.perform(actions);
        if !self.owed_here().is_empty() {
            self.port.order(Order::MakeSafe(self.safety_owed()));
        }
    }

    /// Waits until everything is on disk, or can't be, for a while.
    pub(super) async fn disk_at_rest(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.journal.is_written() && Instant::now() < until {
            self.attend_a_moment().await;
        }
    }

    /// Records something; what has to be on disk before what comes after it is waited for.
    pub(super) fn record(&mut self, record: Record) {
        match record {
            Record::Claimed { .. } => self.write(record),
            Record::Started { .. } => self.begin_trail(record),
            kept => self.journal.lock().keep(&[kept]),
        }
    }

    fn write(&mut self, record: Record) {
        let (inbound, wanted) = (self.calls.inbound(), Box::new(record.clone()));
        let reply = move |written: Result<(), crate::journal::JournalError>| {
            let result = written.map_err(|error| not_begun(&error));
            drop(inbound.send(FromDisk::Recorded(wanted, result).into()));
        };
        // Before the first byte: what is about to get hot has to be turned off by somebody.
        let mut heaters =
            self.file.as_ref().map_or_else(Heaters::unknown, |(_, brief)| brief.heaters.clone());
        heaters.add(&self.config.scripts.heaters());
        let owed = Record::from(HeatOwed { heaters, ..self.heat_owed(false) });
        let owed = matches!(record, Record::Started { .. }).then_some(owed);
        let records = owed.into_iter().chain([record.clone()]).collect();
        self.journal.lock().want(records, Box::new(reply));
        self.disk_wait = Some(DiskWait::Record(record));
    }

    /// Before the job is said to be started: where there is no trail, nobody knows what of it was sent.
    fn begin_trail(&mut self, record: Record) {
        let Some(head) = self.head(false) else { return self.write(record) };
        let (path, inbound) = (self.folder.trail(), self.calls.inbound());
        let begin = move || {
            let begun = begin(&path, &head);
            drop(inbound.send(FromDisk::Trail(head.job_id, begun).into()));
        };
        self.journal.lock().then(Box::new(begin));
        self.disk_wait = Some(DiskWait::Trail(record));
    }

    /// Has the file of the job opened, and a trail begun where there is none. `at`: behind which byte, in which layer.
    pub(super) fn open_file(&mut self, wait: DiskWait, at: (u64, Option<u32>)) {
        let Some(job) = self.life.claim().map(|claim| claim.job_id) else { return };
        let Some((file, _)) = self.file.clone() else {
            let nowhere = Unopened::File(std::io::ErrorKind::NotFound.into());
            return match wait {
                DiskWait::Return => self.return_to_layer(Err(nowhere)),
                _ => self.begin(Err(nowhere)),
            };
        };
        let head = self.head(matches!(wait, DiskWait::Return)).filter(|_| self.trail.is_none());
        let (path, inbound) = (self.folder.trail(), self.calls.inbound());
        let open = move || {
            let opened = FileSource::open_at(&file, at.0, at.1).map_err(Unopened::File).and_then(|source| {
                let trail = head.map(|head| begin(&path, &head).map_err(Unopened::Trail)).transpose()?;
                Ok(Opened { source, trail })
            });
            drop(inbound.send(FromDisk::Opened(job, opened).into()));
        };
        self.journal.lock().then(Box::new(open));
        self.disk_wait = Some(wait);
    }

    fn head(&self, returns: bool) -> Option<Head> {
        let (claim, (_, brief)) = self.life.claim().zip(self.file.as_ref())?;
        let (job_id, claim_id, brief) = (claim.job_id, claim.claim_id, brief.clone());
        Some(Head { job_id, claim_id, brief, boot: BootId::current(), returns })
    }

    /// Something has come from the disk.
    pub(super) fn on_disk(&mut self, from: FromDisk) {
        let at_hand = self.life.claim().map(|claim| claim.job_id);
        match (self.disk_wait.take(), from) {
            (Some(DiskWait::Record(record)), FromDisk::Recorded(of, result)) if record == *of => {
                self.room = None;
                match result {
                    Ok(()) => self.go_on(),
                    Err(reason) => {
                        let instead = self.life.not_recorded(&record, reason);
                        self.go_on_with(instead);
                    }
                }
            }
            (Some(DiskWait::Trail(record)), FromDisk::Trail(job, begun)) if Some(job) == at_hand => {
                match begun {
                    Ok(trail) => {
                        self.trail = Some(trail);
                        self.write(record);
                    }
                    Err(error) => {
                        let instead = self.life.not_recorded(&record, no_trail(&error));
                        self.go_on_with(instead);
                    }
                }
            }
            (Some(DiskWait::Begin), FromDisk::Opened(job, opened)) if Some(job) == at_hand => {
                self.begin(opened);
                self.go_on();
            }
            (Some(DiskWait::Return), FromDisk::Opened(job, opened)) if Some(job) == at_hand => {
                self.return_to_layer(opened);
                self.go_on();
            }
            (wait, FromDisk::HeatOwed(written)) => {
                self.disk_wait = wait;
                self.on_heat_owed(written);
            }
            (wait, FromDisk::LeftByHand(prints)) => {
                self.disk_wait = wait;
                self.on_left_by_hand(prints);
            }
            (wait, FromDisk::PairedLater) => {
                self.disk_wait = wait;
                self.berth.is_given_up = true;
            }
            (wait, FromDisk::Renewed) => {
                self.disk_wait = wait;
                self.new_credential.is_there = true;
            }
            (wait, FromDisk::OldPorts(looked_for)) => {
                self.disk_wait = wait;
                self.on_old_ports(looked_for);
            }
            (wait, FromDisk::Recorded(..)) => {
                self.disk_wait = wait;
                // Of a job that was stopped meanwhile. It may say that something is owed: it is made sure of that nothing is.
                if !self.life.is_running() && !self.owed_here().is_empty() {
                    self.port.order(Order::MakeSafe(self.safety_owed()));
                }
            }
            // Of a job that is not waited for any more.
            (wait, _) => self.disk_wait = wait,
        }
    }

    /// The job's file is open, or can't be: it begins, or ends.
    fn begin(&mut self, opened: Result<Opened, Unopened>) {
        let brief = self.file.as_ref().map(|(_, brief)| brief.clone());
        let failed = match (opened, brief) {
            (Ok(Opened { source, trail }), Some(brief)) => {
                self.trail = trail.or(self.trail.take());
                self.progress.begin(self.clock.elapsed());
                let estimated = self.life.claim().and_then(|claim| claim.estimated_s);
                let estimated = estimated.map(Duration::from_secs);
                let source = Briefed::new(source, Brief { estimated, ..brief });
                return self.port.order(Order::Start(Box::new(source), self.trail.take()));
            }
            (Err(Unopened::Trail(error)), _) => no_trail(&error),
            (Ok(_), None) | (Err(Unopened::File(_)), _) => {
                "The print file vanished from the printer host; nothing was printed.".into()
            }
        };
        let actions = self.life.on_line(JobEvent::Stopped(End::Failed(failed)));
        self.perform(actions);
    }

    /// The file of a job that goes on at a layer is open, or can't be: then it stands where it stood.
    fn return_to_layer(&mut self, opened: Result<Opened, Unopened>) {
        let brief = self.file.as_ref().map(|(_, brief)| brief.clone());
        let (Opened { source, trail }, point, brief) = match (opened, self.return_point.take(), brief) {
            (Ok(opened), Some(point), Some(brief)) => (opened, point, brief),
            (opened, ..) => {
                match opened {
                    Err(Unopened::Trail(error)) => drop(no_trail(&error)),
                    Err(Unopened::File(error)) => {
                        tracing::error!(error = %error, "the print file can't be read any more");
                    }
                    Ok(_) => {}
                }
                let actions = self.life.not_started();
                return self.perform(actions);
            }
        };
        tracing::info!(
            job.layer = point.layer,
            printer.height_mm = point.stands_at_mm,
            "going on from a layer"
        );
        self.interrupted = None;
        let printed = self.progress.elapsed(self.clock.elapsed());
        self.progress.go_on(self.clock.elapsed(), printed, point.read_to, true);
        self.port.order(Order::StartAt(Box::new(Briefed::new(source, brief)), trail, point));
    }

    /// No process goes on by the trail any more: it goes when what was kept until now is on disk.
    pub(super) fn remove_trail(&mut self) {
        self.trail = None;
        let path = self.folder.trail();
        self.journal.lock().then(Box::new(move || Trail::remove(&path)));
    }
}

fn begin(path: &Path, head: &Head) -> std::io::Result<Box<Trail>> {
    Trail::begin(path, head).map(Box::new)
}

fn no_trail(error: &std::io::Error) -> String {
    tracing::error!(error = %error, "no trail can be kept of the job: it is not begun");
    format!(
        "The printer host's disk could not be written when the job was to start ({error}); nothing was printed. Free some \
         space there, or check the disk, and print the job again."
    )
}

fn not_begun(error: &crate::journal::JournalError) -> String {
    tracing::error!(error = %error, "it is not done");
    "The printer host's disk could not be written when the job was to start; nothing was printed. Free some space there, \
     or check the disk, and print the job again."
        .into()
}
