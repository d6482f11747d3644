//! A machine that has stopped itself, or is told to.
//!
//! Owns: what becomes of the job and of the heat then. Must not know: how `M112` gets to the port, when it is sent again
//! ([`Told`]).

use std::time::Duration;

use stardust_gcode::command::parse;

use super::super::heat::{Heating, Safety};
use super::super::job::End;
use super::super::reply::{ErrorKind, Reply};
use super::super::told::{Back, Ignored, Next, StopLines, Told};
use super::{Host, HostEvent, Phase};

impl Host {
    /// What stops this machine at once.
    #[must_use]
    pub fn stop_lines(&self) -> StopLines {
        if !self.firmware.has_introduced_itself() {
            return StopLines::ANY;
        }
        StopLines::of(self.firmware.dialect.wants_checksums(), self.firmware.can("EMERGENCY_PARSER"))
    }

    /// The machine itself is stopped at once, past everything: what is to be written to its port. The job has failed. Whether the
    /// printer has taken it is found out: until then nothing else is sent. `by` ends "stopped at once …".
    pub fn kill(&mut self, now: Duration, by: &str) -> StopLines {
        let lines = self.stop_lines();
        let told = match &self.phase {
            Phase::Told(told) => told.once_more(now, by, lines),
            _ => Told::new(now, by, lines, self.link.in_flight()),
        };
        self.end_job(End::Failed(format!(
            "Stopped at once {by} (M112). Look whether the printer's heaters are off, else switch it off; then switch it off \
             and on again."
        )));
        if !self.stands_still() {
            self.stand_still(now);
            self.phase = Phase::Told(told);
        }
        // What was to be sent is not sent any more.
        self.link.take_output();
        self.tick(now);
        lines
    }

    /// The firmware has stopped itself, with its own words; or it was told to, and is late.
    pub(super) fn halt(&mut self, now: Duration, message: &str) {
        if self.stands_still() {
            // The first of several lines names the cause.
            return;
        }
        self.end_job(End::Failed(format!(
            "The printer stopped itself: {message}. Find the cause, then switch it off and on again."
        )));
        // A stop that was given up as not taken is late, and this is none of the printer's own doing.
        let ignored = self.ignored.take();
        self.stand_still(now);
        self.phase = match ignored {
            Some(ignored) => Phase::Told(Told::late(now, &ignored.by, message)),
            None => Phase::Halted(message.to_owned()),
        };
        self.events.push_back(HostEvent::Halted(message.to_owned()));
    }

    /// Whether it says that it has stopped.
    fn stands_still(&self) -> bool {
        match &self.phase {
            Phase::Halted(_) => true,
            Phase::Told(told) => told.has_halted(),
            _ => false,
        }
    }

    fn stand_still(&mut self, now: Duration) {
        self.turned_off = false;
        self.ignored = None;
        // Whoever wanted it warm wants it no more.
        self.end_wanted(now);
        // Whatever was read back, and not told yet, was so before.
        self.events.retain(|event| !matches!(event, HostEvent::HeatSettled | HostEvent::HeatLeftToCard));
        // Whatever has heated it: until it was read back nobody knows.
        if self.debt.state() == Heating::Settled {
            self.debt.owe(now);
        }
        self.link.forget();
        // What it was at on its own account is over, or is to be.
        self.external.clear();
        self.poll_at = None;
        self.card_at = None;
    }

    /// A line of a printer that was told to stop; false: the connection is not in that state, or the line is of a new one.
    pub(super) fn hear_told(&mut self, now: Duration, reply: &Reply) -> bool {
        let Phase::Told(told) = &mut self.phase else { return false };
        let report = match reply {
            Reply::Start | Reply::Ready => return false,
            Reply::Temperatures(report) => Some(report),
            Reply::Ok(ok) => ok.temperatures.as_ref(),
            Reply::Error(ErrorKind::Fatal, message)
                if self.firmware.dialect.goes_on_after(message).is_none()
                    || message.contains("Lost communication with MCU")
                    || message.contains("hutdown") =>
            {
                told.halt(message);
                self.events.push_back(HostEvent::Halted(message.to_owned()));
                return true;
            }
            _ => None,
        };
        if let Some(report) = report {
            self.thermometer.read(report);
        }
        // Firmware that reports by itself does so in any state, and one that has not said what it can may be one: somebody before us
        // may have asked it to.
        let reports = !self.firmware.has_introduced_itself() || self.firmware.can("AUTOREPORT_TEMP");
        let waits = report.is_some_and(|report| report.waiting) || !reports;
        told.hear(now, reply, waits);
        true
    }

    /// Sends it again, or gives it up and makes the printer safe by commands.
    pub(super) fn look_after_stop(&mut self, now: Duration) {
        let lines = self.stop_lines();
        let Phase::Told(told) = &mut self.phase else { return };
        told.set_lines(lines);
        match told.poll(now) {
            Next::Nothing => {}
            Next::Send(bytes) => {
                tracing::warn!(times = told.sent(), "told to stop at once, and has not said that it has");
                self.link.send_raw(bytes);
            }
            Next::Ignored => {
                let ignored = Ignored::new(told);
                tracing::error!(
                    times = ignored.sent,
                    "the stop was not taken: the heaters are turned off by commands"
                );
                self.events.push_back(HostEvent::StopIgnored { sent: ignored.sent });
                // A part may stand there.
                self.debt.owe_at_once(now, Safety::InPlace);
                self.ignored = Some(ignored);
                self.reconnect(now);
            }
        }
    }

    /// The speed of the port is sought, and nobody has answered at any: what has taken its stop is silent, too.
    pub fn nobody_answers(&mut self, now: Duration) {
        if let Phase::Told(told) = &mut self.phase {
            told.nobody_answers(now);
        }
    }

    /// The port is gone. True: what it was told outlives that, and the follow-up goes on when it is back.
    pub(super) fn keep_stop(&mut self, now: Duration) -> bool {
        let Phase::Told(told) = &mut self.phase else { return false };
        if !told.may_be_switched_off() {
            told.port_is_lost(now);
            return true;
        }
        if !told.has_halted() {
            // It may have been switched off and on again as it was asked for: whether it had stopped nobody will know.
            let doubted = told.doubted();
            self.doubt_stop(now, doubted);
        }
        false
    }

    /// The port is there. True: it was told to stop on this connection or the one before, and nobody is greeted before that is followed
    /// up.
    pub(super) fn go_on_with_stop(&mut self, now: Duration) -> bool {
        let Phase::Told(told) = &mut self.phase else { return false };
        match told.port_is_back(now) {
            Back::WasThere => true,
            Back::Send(bytes) => {
                self.link.send_raw(bytes);
                true
            }
            Back::TooLate => {
                let doubted = told.doubted();
                self.doubt_stop(now, doubted);
                false
            }
        }
    }

    /// What came of a stop is not to be known any more: it is made safe by commands, and what it prints from its memory card is not
    /// somebody's.
    fn doubt_stop(&mut self, now: Duration, doubted: Ignored) {
        self.ignored = Some(doubted);
        // A part may stand there.
        self.debt.owe_at_once(now, Safety::InPlace);
    }

    /// A process before this one has told it to stop at once, and nobody knows what came of it: it is made safe, and what it prints
    /// from its memory card is not somebody's.
    pub fn follow_stop_up(&mut self, now: Duration) {
        let unknown = Ignored::unknown();
        self.link.send_raw(unknown.first());
        self.ignored = Some(unknown);
        self.make_safe(now, Safety::InPlace);
    }

    /// What a person is told of a stop that was not taken, as long as nothing new was begun.
    #[must_use]
    pub fn stop_ignored(&self) -> Option<String> {
        let ignored = self.ignored.as_ref().filter(|_| !matches!(self.phase, Phase::Told(_)))?;
        Some(ignored.sentence(self.thermometer.highest_target()))
    }

    /// Whether a stop was not taken and the printer is not safe yet: until then nothing of what it does is anybody else's.
    pub(super) fn goes_on_after_stop(&self) -> bool {
        self.ignored.as_ref().is_some_and(|ignored| !ignored.is_off)
    }

    /// A printer that has not taken a stop goes on with what it prints from its memory card, and that heats it again.
    pub(super) fn end_card_print(&mut self, now: Duration) {
        if !self.goes_on_after_stop() || !self.external.has_more_to_print() || !self.is_unoccupied() {
            return;
        }
        let dialect = self.firmware.dialect;
        let command = self.ignored.as_mut().and_then(|ignored| ignored.end_card_print(now, dialect));
        if let Some(command) = command.and_then(|text| parse(text.as_bytes())) {
            tracing::warn!(
                command = command.text(),
                "it may print from its memory card in spite of the stop"
            );
            self.link.send_alone(now, &command);
        }
    }
}
