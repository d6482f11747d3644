//! The hub's side of a printer's task: what comes over MQTT, commands and their answers, status, looking for work.
//!
//! Owns: what is said to the hub and when. Must not know: files, or how a job goes on.

use stardust_protocol::{
    Command, CommandId, CommandMessage, CommandOutcome, EventBody, JobId, JobState, Timestamp,
};
use tokio::task::JoinHandle;

use super::Printer;
use crate::hub_link::client::HubError;
use crate::hub_link::commands::{Verdict, judge};
use crate::hub_link::hub_time::HubTime;
use crate::hub_link::mqtt::MqttEvent;
use crate::journal::Record;
use crate::port::Order;
use crate::printer::question::ONLY_AT_PRINTER;

impl Printer {
    pub(super) fn on_mqtt(&mut self, event: MqttEvent) {
        match event {
            MqttEvent::Session(session) => {
                let time = HubTime::said(session.now, self.clock.elapsed());
                self.journal.hub_says(time, session.last_event_seq);
                self.telemetry.series.hub_is_reached();
                // The hub can be reached, whether MQTT then works or not.
                self.look_for_work();
            }
            MqttEvent::Connected => {
                tracing::info!(printer.id = %self.config.printer_id, "connected to the hub");
                self.connected = true;
                self.link = "Connected to the hub.".into();
                self.feed.start_over();
                self.look_for_work();
            }
            MqttEvent::Disconnected(reason) => {
                // Said once, not at every attempt.
                if self.connected || self.link != reason {
                    tracing::warn!(printer.id = %self.config.printer_id, reason, "not connected to the hub");
                }
                self.connected = false;
                self.link = reason;
            }
            MqttEvent::Command(message) => self.on_command(&message),
            MqttEvent::Revoked => self.on_revoked(),
        }
    }

    pub(super) fn on_command(&mut self, message: &CommandMessage) {
        let verdict = judge(message, self.journal.lock().state(), self.hub_now());
        match verdict {
            Verdict::PassOver => {}
            Verdict::Wake => self.look_for_work(),
            Verdict::ReportStatus => self.feed.start_over(),
            Verdict::Answer(id, outcome) => self.answer(id, outcome),
            Verdict::StopAtOnce(id) => self.stop_at_once(id, message.at),
            Verdict::CarryOut(id, command) if self.is_ending => {
                tracing::info!(command.id = %id, command = ?command, "the agent ends: left to the next one");
            }
            // It has waited somewhere while the stop went past it.
            Verdict::CarryOut(id, command)
                if command.starts_something() && self.stops.overtake(message.at) =>
            {
                let reason = "The printer was stopped at once after this was asked for: it was not done.";
                tracing::info!(command.id = %id, command = ?command, reason, "refused");
                self.answer(id, CommandOutcome::Refused { reason: reason.into() });
            }
            Verdict::CarryOut(id, Command::Answer { attention_id, button }) => {
                self.follow_view();
                let (outcome, order) = self.question.answer(attention_id, button);
                order.into_iter().for_each(|order| self.port.order(order));
                tracing::info!(command.id = %id, button, outcome = ?outcome, "answer to the printer");
                self.answer(id, outcome);
            }
            Verdict::CarryOut(id, Command::ResumeFrom { job_id, layer })
                if self.life.is_cut_off()
                    && self.life.claim().is_some_and(|claim| claim.job_id == job_id) =>
            {
                let refused = self.refuse_layer(layer);
                tracing::info!(command.id = %id, job.layer = layer, refused, "a layer was chosen");
                match refused {
                    Some(reason) => self.answer(id, CommandOutcome::Refused { reason }),
                    None => {
                        let (outcome, actions) = self.life.command(&Command::ResumeFrom { job_id, layer });
                        self.perform(actions);
                        self.answer(id, outcome);
                    }
                }
            }
            Verdict::CarryOut(id, Command::Preheat(wanted)) => self.preheat(id, &wanted),
            Verdict::CarryOut(id, Command::CoolDown) => self.cool_down(id),
            // Not the job is paused, but its firmware waits for an answer: the one that goes on.
            Verdict::CarryOut(id, Command::Resume { job_id }) if self.asks_about(job_id) => {
                let outcome = self.go_on_for_firmware();
                tracing::info!(command.id = %id, outcome = ?outcome, "going on with what the printer asks");
                self.answer(id, outcome);
            }
            Verdict::CarryOut(id, command) => {
                let (outcome, actions) = self.life.command(&command);
                tracing::info!(command.id = %id, command = ?command, outcome = ?outcome, "command");
                // The printer first: a cancel must not wait for the disk.
                self.perform(actions);
                self.answer(id, outcome);
            }
        }
    }

    /// Whether the printer asks something in the midst of this job.
    fn asks_about(&self, job: JobId) -> bool {
        let asks = self.port.view.borrow().attention.is_some();
        let at_work = matches!(
            self.life.state(),
            Some(JobState::Preparing | JobState::Printing | JobState::Pausing | JobState::Resuming)
        );
        asks && at_work
            && self.life.is_running()
            && self.life.claim().is_some_and(|claim| claim.job_id == job)
    }

    fn go_on_for_firmware(&mut self) -> CommandOutcome {
        let asked = self.port.view.borrow().attention.clone();
        match asked {
            Some(asked) if asked.only_at_printer => {
                CommandOutcome::Refused { reason: ONLY_AT_PRINTER.into() }
            }
            Some(asked) if asked.goes_on.is_none() => CommandOutcome::Refused {
                reason: format!(
                    "The printer asks “{}”, and it is not known which answer goes on. Choose one: {}.",
                    asked.text,
                    asked.buttons.join(", ")
                ),
            },
            _ => {
                self.port.order(Order::Resume);
                CommandOutcome::Done
            }
        }
    }

    /// The hub's time, which does not jump; before it is known, this machine's.
    pub(super) fn hub_now(&self) -> Timestamp {
        let hub = self.journal.hub_time();
        hub.map_or_else(|| self.clock.now(), |hub| hub.at(self.clock.elapsed()))
    }

    pub(super) fn answer(&mut self, command_id: CommandId, outcome: CommandOutcome) {
        let record = Record::Answered { command_id, outcome: outcome.clone() };
        self.record_event(EventBody::CommandAnswered { command_id, outcome }, [record]);
    }

    pub(super) fn on_revoked(&mut self) {
        if !std::mem::replace(&mut self.revoked, true) {
            tracing::error!(printer.id = %self.config.printer_id, "{}", HubError::Revoked);
            self.cool_for_nobody();
        }
        // Nothing is asked or told any more: it is kept for the next credential.
        self.deliveries.iter().for_each(JoinHandle::abort);
        self.connected = false;
        self.link = format!("{}.", HubError::Revoked);
    }

    /// Asks for open commands, and for a job if one could be printed. One look at a time.
    pub(super) fn look_for_work(&mut self) {
        if self.revoked {
            return;
        }
        if self.looking {
            self.look_again = true;
            return;
        }
        self.looking = true;
        // A hub that does not know yet how the last job ended might give it again.
        let may_claim = !self.is_ending
            && self.life.claim().is_none()
            && self.berth.takes_jobs()
            && self.journal.is_delivered()
            && self.port.view.borrow().is_ready
            && self.by_hand.is_known_to_be_cold()
            && self.disk_takes_a_job();
        self.calls.look(may_claim);
    }

    pub(super) fn status_is_waiting(&self) -> bool {
        self.clock.elapsed() < self.feed.due_at()
    }

    pub(super) fn send_status(&mut self) {
        if !self.connected {
            return;
        }
        let status = self.status();
        let (elapsed, at) = (self.clock.elapsed(), self.hub_now());
        if let Some(message) = self.feed.next(&status, elapsed, at) {
            if !self.mqtt.send(message) {
                self.feed.start_over();
            }
        }
    }
}
