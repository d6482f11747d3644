//! A scripted printer in the place of the agent's serial port. It stands in for a real one: it begins a job when it is
//! told to, prints for as long as its dice say, pauses, goes on, stops, and now and then fails or is not there. It counts
//! every start, and looks whether it may.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use stardust_agent::journal::Journal;
use stardust_agent::port::{JobView, Order, PortEvent, Workplace};
use stardust_agent::serial::{CommandSource, Connection, End, HostEvent, JobEvent, Motion, Stage};
use stardust_agent::trail::Trail;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::evidence::{Given, Ordered, Start};
use crate::life::Life;
use crate::template::{NAMES, commands};
use crate::world::{Bed, World};

/// What the printer is doing.
enum Doing {
    /// Not to be had for this time.
    Away,
    Idle,
    Job(Job),
}

struct Job {
    stage: At,
    size: u64,
    /// What is left to print, heating included.
    left: Duration,
    whole: Duration,
    heating: Duration,
    is_printing: bool,
    /// Where it fails, or pauses by itself.
    trouble: Option<(Duration, Trouble)>,
    resume_wanted: bool,
}

#[derive(Clone)]
enum At {
    Feeding { since: Instant },
    Pausing,
    Paused,
    Resuming,
    Stopping(End),
}

#[derive(Clone, Copy)]
enum Trouble {
    Fails,
    RunsOut,
}

/// The printer, as one process of the agent has it.
pub(crate) struct Printer {
    pub(crate) world: Arc<World>,
    pub(crate) index: usize,
    pub(crate) life: Arc<Life>,
    pub(crate) is_dead: Arc<AtomicBool>,
    pub(crate) place: Workplace,
    pub(crate) dice: Dice,
    doing: Doing,
    due: Option<Instant>,
}

impl Printer {
    pub(crate) fn new(
        world: Arc<World>,
        index: usize,
        life: Arc<Life>,
        place: Workplace,
        mut dice: Dice,
    ) -> Self {
        // The firmware has to be heard first.
        let due = Some(Instant::now() + dice.seconds(1, 8));
        let is_dead = Arc::clone(&life.is_dead);
        Self { world, index, life, is_dead, place, dice, doing: Doing::Away, due }
    }

    pub(crate) async fn work(mut self) {
        loop {
            let due = self.due;
            let wake = async move {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let order = tokio::select! {
                biased;
                order = self.place.orders.recv() => match order {
                    Some(order) => Some(order),
                    None => return,
                },
                () = wake => None,
            };
            // What a dead process was about to do was not done.
            if self.is_dead.load(Ordering::SeqCst) {
                return;
            }
            match order {
                Some(order) => self.on_order(order),
                None => self.on_time(),
            }
        }
    }

    /// With no job: the heaters are off. While it is away that is told when it is back.
    fn make_safe(&self) {
        self.note("made safe");
        if matches!(self.doing, Doing::Idle) {
            self.tell_heat_settled();
        }
    }

    fn tell_heat_settled(&self) {
        let _ = self.place.events.send(PortEvent::Host(HostEvent::HeatSettled, 0));
    }

    fn note(&self, what: &str) {
        self.world.note(|| format!("{} printer: {what}", NAMES[self.index]));
    }

    fn on_order(&mut self, order: Order) {
        match order {
            Order::Start(source, trail) => self.start(source, trail.is_some()),
            Order::Pause => self.pause(None),
            Order::Resume => self.resume(),
            Order::Stop(end) => self.stop(end),
            Order::MakeSafe(_) | Order::FollowStopUp => self.make_safe(),
            Order::StartAt(..) => self.world.broken("nothing was cut off, and yet it goes on".into()),
            Order::Name(_)
            | Order::Answer(..)
            | Order::Preheat(_)
            | Order::Say(_)
            | Order::Kill(_)
            | Order::LeaveOpen => {}
        }
    }

    fn start(&mut self, mut source: Box<dyn CommandSource>, has_trail: bool) {
        if !matches!(self.doing, Doing::Idle) {
            self.note("not ready, not started");
            let _ = self.place.events.send(PortEvent::NotStarted);
            return;
        }
        if self.life.dies_at_start.swap(false, Ordering::SeqCst) {
            self.note("its agent dies before the first line was sent");
            self.world.state().counts.agent_kills_at_a_start += 1;
            self.life.kill();
            return;
        }
        let host = &self.world.hosts[self.index];
        let held = Journal::peek(&host.folder.journal()).held;
        let Some(held) = held else {
            return self.world.broken("a start without a job in the journal".into());
        };
        let mut text = Vec::new();
        while let Ok(Some(fed)) = source.next_command() {
            text.push(fed.command.text().to_owned());
        }
        let done_before = {
            let mut journal = host.journal.lock().unwrap();
            journal.collect(&host.folder.journal());
            journal.done()
        };
        let bed = std::mem::replace(&mut *host.bed.lock().unwrap(), Bed::AtWork);
        let what = Given { printer: self.index, job: held.claim.job_id, claim: held.claim.claim_id };
        self.note(&format!("starts job {}", what.job));
        if has_trail {
            // How a print is gone on with is shown elsewhere (the agent's `survival`). Here a process that ends in mid-print
            // leaves nothing to go on by, and the next one has to say so.
            Trail::remove(&host.folder.trail());
        }
        {
            let mut state = self.world.state();
            state.counts.starts += 1;
            state.seen.starts.push(Start {
                what,
                was_clear: bed == Bed::Clear,
                was_written: held.started,
                is_whole: text == commands(),
                done_before,
            });
        }
        let (heating, printing) = (self.dice.seconds(2, 30), self.dice.seconds(10, 240));
        let is_first = self.world.state().counts.starts == 1;
        let whole = self.world.plan.first_print.filter(|_| is_first).unwrap_or(heating + printing);
        let rate = self.world.rates().printer;
        let kind = if self.dice.percent(50) { Trouble::Fails } else { Trouble::RunsOut };
        let trouble = self.dice.percent(rate).then(|| (whole.mul_f64(0.6), kind));
        let stage = At::Feeding { since: Instant::now() };
        let size = held.claim.size_bytes;
        let job = Job {
            stage,
            size,
            left: whole,
            whole,
            heating,
            is_printing: false,
            trouble,
            resume_wanted: false,
        };
        self.due = Some(Instant::now() + job.next_stop());
        self.doing = Doing::Job(job);
        self.show();
    }

    fn pause(&mut self, why: Option<String>) {
        let Doing::Job(job) = &mut self.doing else { return self.note("nothing to pause") };
        if why.is_none() {
            let ordered = Ordered { at_ms: self.world.ms(), printer: self.index, is_pause: true };
            self.world.state().seen.orders.push(ordered);
        }
        job.resume_wanted = false;
        if let At::Feeding { since } = job.stage {
            job.left = job.left.saturating_sub(since.elapsed());
            job.stage = At::Pausing;
            self.due = Some(Instant::now() + self.dice.seconds(1, 5));
            self.tell(JobEvent::Pausing(why));
        }
    }

    fn resume(&mut self) {
        let Doing::Job(job) = &mut self.doing else { return self.note("nothing to resume") };
        let ordered = Ordered { at_ms: self.world.ms(), printer: self.index, is_pause: false };
        self.world.state().seen.orders.push(ordered);
        match job.stage {
            At::Pausing => job.resume_wanted = true,
            At::Paused => {
                job.stage = At::Resuming;
                self.due = Some(Instant::now() + self.dice.seconds(1, 10));
                self.tell(JobEvent::Resuming);
            }
            _ => {}
        }
    }

    fn stop(&mut self, end: End) {
        let Doing::Job(job) = &mut self.doing else { return self.note("nothing to stop") };
        if let At::Feeding { since } = job.stage {
            job.left = job.left.saturating_sub(since.elapsed());
        }
        if !matches!(job.stage, At::Stopping(_)) {
            job.stage = At::Stopping(end.clone());
            self.due = Some(Instant::now() + self.dice.seconds(1, 5));
            self.tell(JobEvent::Stopping(end));
        }
    }

    /// What was waited for is over.
    fn on_time(&mut self) {
        self.due = None;
        let job = match &mut self.doing {
            Doing::Away => return self.become_idle(),
            Doing::Idle => {
                // Somebody has switched it off and on.
                self.doing = Doing::Away;
                self.due = Some(Instant::now() + self.dice.seconds(5, 60));
                return self.show();
            }
            Doing::Job(job) => job,
        };
        match job.stage.clone() {
            At::Feeding { since } => {
                let done = since.elapsed();
                job.left = job.left.saturating_sub(done);
                job.stage = At::Feeding { since: Instant::now() };
                self.go_on();
            }
            At::Pausing => {
                job.stage = At::Paused;
                let goes_on = std::mem::take(&mut job.resume_wanted);
                self.tell(JobEvent::Paused);
                if let (true, Doing::Job(job)) = (goes_on, &mut self.doing) {
                    job.stage = At::Resuming;
                    self.due = Some(Instant::now() + self.dice.seconds(1, 10));
                    self.tell(JobEvent::Resuming);
                }
            }
            At::Paused => {}
            At::Resuming => {
                job.stage = At::Feeding { since: Instant::now() };
                self.due = Some(Instant::now() + job.next_stop());
                self.tell(JobEvent::Resumed);
            }
            At::Stopping(end) => self.end(JobEvent::Stopped(end)),
        }
    }

    /// The next thing in a print that is under way.
    fn go_on(&mut self) {
        let Doing::Job(job) = &mut self.doing else { return };
        let done = job.whole - job.left;
        if job.left.is_zero() {
            return self.end(JobEvent::Completed);
        }
        if let Some((_, trouble)) = job.trouble.take_if(|(at, _)| done >= *at) {
            match trouble {
                Trouble::Fails => {
                    let why = "The printer was reset in mid-print.".to_owned();
                    return self.end(JobEvent::Stopped(End::Failed(why)));
                }
                Trouble::RunsOut => return self.pause(Some("The filament ran out.".into())),
            }
        }
        self.due = Some(Instant::now() + job.next_stop());
        if !job.is_printing && done >= job.heating {
            job.is_printing = true;
            self.due = Some(Instant::now() + job.next_stop());
            self.tell(JobEvent::Printing);
        }
    }

    fn end(&mut self, event: JobEvent) {
        *self.world.hosts[self.index].bed.lock().unwrap() = Bed::Occupied;
        self.count(&event);
        let acknowledged = self.acknowledged();
        self.doing = Doing::Away;
        // The view first: whoever handles the event sees the printer after it.
        self.show();
        self.note(&format!("{event:?}"));
        let _ = self.place.events.send(PortEvent::Host(HostEvent::Job(event), acknowledged));
        self.due = Some(Instant::now() + self.dice.millis(0, 3000));
    }

    fn count(&self, event: &JobEvent) {
        let counts = &mut self.world.state().counts;
        match event {
            JobEvent::Completed => counts.prints_completed += 1,
            JobEvent::Stopped(End::Cancelled) => counts.prints_cancelled += 1,
            _ => counts.prints_failed += 1,
        }
    }

    fn become_idle(&mut self) {
        self.doing = Doing::Idle;
        self.tell_heat_settled();
        let rate = self.world.rates().printer;
        self.due = self.dice.percent(rate).then(|| Instant::now() + self.dice.seconds(1, 200));
        self.show();
    }

    fn acknowledged(&self) -> u64 {
        let Doing::Job(job) = &self.doing else { return 0 };
        let done = job.whole.saturating_sub(job.left).as_millis() as u64;
        job.size * done / job.whole.as_millis() as u64
    }

    fn tell(&mut self, event: JobEvent) {
        self.note(&format!("{event:?}"));
        self.show();
        let _ = self.place.events.send(PortEvent::Host(HostEvent::Job(event), self.acknowledged()));
    }

    fn show(&mut self) {
        let acknowledged_bytes = self.acknowledged();
        let job = match &self.doing {
            Doing::Job(job) => Some(JobView {
                stage: job.stage.view(),
                acknowledged_bytes,
                layer: None,
                minutes_left: None,
                remark: None,
                motion: Motion::default(),
                waiting: None,
            }),
            _ => None,
        };
        let is_ready = matches!(self.doing, Doing::Idle);
        let is_there = is_ready || job.is_some();
        self.place.view.send_modify(|view| {
            view.connection =
                if is_there { Connection::Ready } else { Connection::Connecting { silent: true } };
            view.is_ready = is_ready;
            view.job = job;
        });
    }
}

impl Job {
    /// How long until something happens in it.
    fn next_stop(&self) -> Duration {
        let done = self.whole - self.left;
        let ahead = |at: Duration| at.checked_sub(done).filter(|wait| !wait.is_zero());
        let heated = (!self.is_printing).then(|| self.heating.saturating_sub(done));
        let trouble = self.trouble.as_ref().and_then(|(at, _)| ahead(*at));
        heated.into_iter().chain(trouble).chain([self.left]).min().unwrap_or_default()
    }
}

impl At {
    fn view(&self) -> Stage {
        match self {
            Self::Feeding { .. } => Stage::Feeding,
            Self::Pausing => Stage::Pausing,
            Self::Paused => Stage::Paused,
            Self::Resuming => Stage::Resuming,
            Self::Stopping(_) => Stage::Stopping,
        }
    }
}
