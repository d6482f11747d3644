//! Going on with a job that an earlier process has begun on this very firmware.
//!
//! Owns: what follows from the number that the firmware has taken last. Whatever does not fit together ends the job
//! with the reason: nothing is guessed. Must not know: where checkpoints are kept.

use std::time::Duration;

use super::super::attach::{Action, Attach};
use super::super::checkpoint::{Checkpoint, MAX_LINES_APART, Mark};
use super::super::feeder::CommandSource;
use super::super::job::{End, Job, Stage};
use super::super::link::{KeptLine, Link};
use super::super::reply::{Busy, Reply};
use super::super::scripts::Parking;
use super::super::window::{MAX_LINES, Origin};
use super::{Host, HostEvent, Phase};

/// Firmware that says `busy` does so every 2 s.
const PATIENCE_BUSY: Duration = Duration::from_secs(20);
/// Others may be silent while they heat or home.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is wanted of the job before it can be done.
#[derive(Debug)]
pub(super) enum Wish {
    Pause,
    Resume,
    Stop(End),
    /// The printer's own.
    Action(String),
}

/// A job of an earlier process whose place is being found out.
#[derive(Debug)]
pub(super) struct Attaching {
    attach: Attach,
    checkpoint: Checkpoint,
    /// This machine has lost its power since: what was written last may be missing.
    after_power_loss: bool,
    wishes: Vec<Wish>,
}

impl Attaching {
    fn new(now: Duration, checkpoint: Checkpoint, after_power_loss: bool) -> Self {
        let dialect = checkpoint.firmware.dialect;
        let patience = if dialect.has_keep_alive() { PATIENCE_BUSY } else { PATIENCE };
        let attach = Attach::new(now, checkpoint.link.next, patience, !dialect.reports_apart());
        Self { attach, checkpoint, after_power_loss, wishes: Vec::new() }
    }

    pub(super) fn deadline(&self) -> Option<Duration> {
        self.attach.deadline()
    }
}

/// What the firmware's last line means.
enum Place {
    /// All up to this line were taken.
    At(u32),
    /// The numbers were never set: nothing was taken.
    Unnumbered,
    /// Nobody can know it any more, and why; nothing has been moved since.
    Forgotten(String),
    /// It can't be.
    No(String),
}

impl Host {
    /// Goes on with a job of an earlier process. `source` begins at [`Checkpoint::read_to`]. `after_power_loss`: this machine
    /// has lost its power since, so newer checkpoints may have got lost.
    #[must_use]
    pub fn attach(
        now: Duration,
        parking: Parking,
        mut checkpoint: Checkpoint,
        source: Box<dyn CommandSource>,
        after_power_loss: bool,
    ) -> Self {
        // Before anything else of this process is written down.
        checkpoint.job.take_up();
        let mut host = Self::new(now, parking.clone());
        host.firmware = checkpoint.firmware.clone();
        let area = parking.reach(checkpoint.firmware.area);
        host.job = Some(Job::restore(checkpoint.job.clone(), source, parking, (host.firmware.dialect, area)));
        host.debt.owe(now);
        host.heaters.learn(&host.firmware, &host.thermometer);
        if let Some(job) = &mut host.job {
            job.heaters = host.heaters.clone();
        }
        host.phase = Phase::Attaching(Box::new(Attaching::new(now, checkpoint, after_power_loss)));
        host
    }

    /// The trail of a job that is not gone on with may stay behind: no later process may take this one's lines for
    /// that job's.
    pub fn keep_apart_from(&mut self, left: &Checkpoint) {
        self.link.leave_out(left.link.next + 2 * MAX_LINES_APART);
        self.heaters.learn_job(&left.job.modal);
    }

    /// Whether the place of an earlier process's job is still being found out.
    #[must_use]
    pub fn is_attaching(&self) -> bool {
        matches!(self.phase, Phase::Attaching(_))
    }

    /// Ends the job of an earlier process that can't be gone on with; the printer is made safe as soon as it answers.
    pub fn give_up_attaching(&mut self, now: Duration, reason: &str) {
        if self.is_attaching() {
            let came_to = self.job.as_ref().map(Job::came_to).unwrap_or_default();
            self.lose(
                now,
                &format!("The agent was restarted in mid-print and can't go on: {reason}{came_to}"),
            );
        }
    }

    /// The place of an earlier process's job is not to be known any more.
    fn forget_place(&mut self, now: Duration, what: &str) {
        let Phase::Attaching(attaching) = &mut self.phase else { return };
        // Who has asked for its end need not be asked what becomes of it.
        let asked = attaching.wishes.drain(..).find_map(|wish| match wish {
            Wish::Stop(end) => Some(end),
            _ => None,
        });
        if let Some(end) = asked.or_else(|| Some(self.job.as_ref()?.cut_off(what))) {
            self.lose_as(now, end);
        }
    }

    /// What has to be kept before the output is transmitted, if anything: for [`Self::attach`].
    pub fn take_checkpoint(&mut self, now: Duration) -> Option<Checkpoint> {
        let job = self.job.as_ref().filter(|_| !self.safety_stop)?;
        let question = match &self.phase {
            Phase::Attaching(attaching) => attaching.attach.questioned(),
            _ => None,
        };
        let (own_lines, is_proven) = (self.link.own_lines(), self.link.is_proven());
        let mark = Mark { job: job.mark(), own_lines, is_proven, question };
        if !self.checkpoint_due.is_due(now, mark, self.link.numbers()) {
            return None;
        }
        match &self.phase {
            // Nothing of the job has been sent by this process yet. But the time goes on in which a person does not come.
            Phase::Attaching(attaching) => (question.is_some() || job.waits_for_a_person()).then(|| {
                let mut checkpoint = attaching.checkpoint.clone();
                checkpoint.job.has_waited_as(job);
                if let Some(number) = question {
                    checkpoint.questions.retain(|before| *before < number);
                    checkpoint.questions.push(number);
                }
                checkpoint
            }),
            _ => Some(Checkpoint {
                firmware: self.firmware.clone(),
                link: self.link.record(),
                job: job.record(),
                questions: Vec::new(),
            }),
        }
    }

    /// The port is open: the questions are asked from the first one on. False when there is nothing to find out.
    pub(super) fn attach_anew(&mut self, now: Duration) -> bool {
        let Phase::Attaching(attaching) = &mut self.phase else { return false };
        attaching.attach =
            Attaching::new(now, attaching.checkpoint.clone(), attaching.after_power_loss).attach;
        true
    }

    /// Keeps a wish until the job's place is known; false when it can be done now.
    pub(super) fn postpone(&mut self, wish: Wish) -> bool {
        let interrupt = self.firmware.can("EMERGENCY_PARSER");
        let Phase::Attaching(attaching) = &mut self.phase else { return false };
        if matches!(wish, Wish::Stop(_)) && interrupt {
            // A long wait for a temperature would hold up everything.
            self.link.send_raw(b"\nM108\n");
        }
        attaching.wishes.push(wish);
        true
    }

    /// A reply while the place is being found out.
    pub(super) fn hear_attaching(&mut self, now: Duration, reply: &Reply) {
        let Phase::Attaching(attaching) = &mut self.phase else { return };
        match reply {
            // They come by themselves, without end.
            Reply::Temperatures(_) | Reply::Busy(_) => {}
            _ => attaching.attach.on_line(now),
        }
        match reply {
            Reply::Ok(ok) => attaching.attach.on_ok(now, ok),
            Reply::Resend(number) => attaching.attach.on_resend(now, *number),
            Reply::Busy(Busy::Processing | Busy::ForPerson) => attaching.attach.on_busy(now),
            Reply::Temperatures(report) if report.waiting => attaching.attach.on_busy(now),
            _ => {}
        }
    }

    pub(super) fn find_place(&mut self, now: Duration) {
        let Phase::Attaching(attaching) = &mut self.phase else { return };
        if !self.firmware.dialect.counts_lines() {
            return self.give_up_attaching(
                now,
                "its firmware does not count lines, so nobody knows which came last",
            );
        }
        match attaching.attach.poll(now) {
            None => {}
            Some(Action::Send(bytes)) => self.link.send_raw(&bytes),
            Some(Action::Failed(reason)) => self.give_up_attaching(now, reason),
            Some(Action::Wanted(number)) => match attaching.place(number.saturating_sub(1)) {
                Place::At(_) => {
                    let question = attaching.attach.question(now, number);
                    self.link.send_raw(&question);
                }
                Place::Unnumbered => self.go_on(now, None),
                Place::Forgotten(what) => self.forget_place(now, &what),
                Place::No(reason) => self.give_up_attaching(now, &reason),
            },
            Some(Action::Taken { number, drained }) => self.go_on(now, Some((number, drained))),
        }
    }

    /// The firmware has taken the question of this number, or none of the job's numbers at all.
    fn go_on(&mut self, now: Duration, question: Option<(u32, bool)>) {
        let Phase::Attaching(attaching) = &mut self.phase else { return };
        let taken =
            question.map(|(number, drained)| (attaching.place(number.saturating_sub(1)), number, drained));
        let checkpoint = attaching.checkpoint.clone();
        let wishes = std::mem::take(&mut attaching.wishes);
        let record = &checkpoint.link;
        let kept = |from: u32| record.lines.get(from as usize..).unwrap_or_default();
        let dialect = self.firmware.dialect;
        let first = record.next.saturating_sub(u32::try_from(record.lines.len()).unwrap_or(u32::MAX));
        self.link = match taken {
            None => Link::restore_anew(now, record, kept(0), dialect),
            Some((Place::At(last), number, drained)) => {
                let Some(job) = &mut self.job else { return };
                let of_kept = last.saturating_add(1).saturating_sub(first);
                for line in record.lines.iter().take(of_kept as usize) {
                    job.accepted(line.2);
                }
                if let Err(reason) = job.bring_forward(last.saturating_add(1).saturating_sub(record.next)) {
                    return self.give_up_attaching(now, &reason);
                }
                let mut link = Link::restore(record, number, kept(of_kept), dialect);
                if !drained {
                    link.be_careful();
                }
                link
            }
            Some((Place::No(reason), ..)) => return self.give_up_attaching(now, &reason),
            Some((Place::Forgotten(what), ..)) => return self.forget_place(now, &what),
            Some((Place::Unnumbered, ..)) => {
                return self.give_up_attaching(now, "its line numbers make no sense");
            }
        };
        tracing::info!(
            line.number = question.map(|(number, _)| number),
            "went on with the job of an earlier process"
        );
        self.checkpoint_due.clear();
        if let Some(job) = &mut self.job {
            job.waits_on();
        }
        self.phase = Phase::Ready;
        self.poll_at = (!self.firmware.can("AUTOREPORT_TEMP")).then_some(now);
        self.card_at = self.firmware.can("SDCARD").then_some(now);
        self.is_card_known = self.card_at.is_none();
        self.events.push_back(HostEvent::Ready);
        for wish in wishes {
            match wish {
                Wish::Pause => self.pause(now),
                Wish::Resume => self.resume(now),
                Wish::Stop(end) => self.stop(now, end),
                Wish::Action(action) => self.on_action(now, &action),
            }
        }
        self.tick(now);
    }
}

impl Attaching {
    /// What it means that `last` is the firmware's last line.
    fn place(&self, last: u32) -> Place {
        let record = &self.checkpoint.link;
        // Questions of the processes before this one were taken: they are none of the job's lines.
        let mut last = last;
        for question in self.checkpoint.questions.iter().rev() {
            last -= u32::from(*question == last);
        }
        let base = record.numbering.base();
        let is_proven = record.told > base;
        let first = record.next.saturating_sub(u32::try_from(record.lines.len()).unwrap_or(u32::MAX));
        // After a loss of power lines of the host's own may be among those that nobody has written down.
        let ahead = match () {
            () if self.after_power_loss => 0,
            () if is_proven => MAX_LINES_APART + MAX_LINES as u32,
            () => MAX_LINES as u32,
        };
        let feeds = self.checkpoint.job.stage == Stage::Feeding;
        let end = record.next.saturating_add(ahead);
        let was_reset = last == 0 && base > 0;
        let wanted = last.saturating_add(1);
        if !was_reset && wanted >= first && last < end && (feeds || last < record.next) {
            return Place::At(last);
        }
        // An `M110` that was damaged into a line that does nothing.
        let is_stale = record.numbering.is_stale(wanted, record.told);
        let is_of_file = |line: &KeptLine| matches!(line.2, Origin::File { .. });
        let is_elsewhere = last < base || last >= end || !record.lines.iter().any(is_of_file);
        if !was_reset && !self.after_power_loss && (is_stale || !is_proven && is_elsewhere) {
            return Place::Unnumbered;
        }
        if was_reset {
            return Place::Forgotten(
                "The printer lost its power or was reset while the agent was away: its heaters are off and its position \
                 is lost"
                    .into(),
            );
        }
        if self.after_power_loss {
            return Place::Forgotten(
                "The printer host lost its power in mid-print; the printer stopped where it was".into(),
            );
        }
        Place::No(if last < first {
            format!(
                "the printer's line numbers were changed in the meantime (it wants line {wanted} after {}): does another \
                 host use its port? Clear the bed and print the job again",
                record.told
            )
        } else {
            format!(
                "the printer wants line {wanted}, which has not been sent yet: does another host use its port?"
            )
        })
    }
}
