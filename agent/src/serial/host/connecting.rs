//! How a connection begins, ends, and begins anew.
//!
//! Owns: what is forgotten with a connection, and what follows from its end for the job. Must not know: the steps of the
//! handshake, which line has ended it.

use std::time::Duration;

use stardust_gcode::command::parse;

use super::super::firmware::Firmware;
use super::super::handshake::{Action, Handshake};
use super::super::heat::Heating;
use super::super::job::End;
use super::{Host, HostEvent, Phase};

impl Host {
    /// The port was opened again: the firmware is greeted anew. One that was told to stop is told so again: that is all of the output
    /// then, and goes out before anything else.
    pub fn port_opened(&mut self, now: Duration) {
        // Whose speed was just found may have been told to stop meanwhile.
        if self.attach_anew(now) || self.go_on_with_stop(now) {
            return;
        }
        self.reconnect(now);
    }

    /// The port is gone: whatever was going on has ended.
    pub fn port_lost(&mut self, now: Duration) {
        if !self.keep_stop(now) {
            self.lose(now, "The serial port vanished: check the printer's power and the USB cable");
        }
        self.end_wanted(now);
        self.assembler.clear();
    }

    /// The controller has started: after power-on, by opening the port, or in the middle of a job.
    pub(super) fn restarted(&mut self, now: Duration) {
        self.ignored = None;
        if let Some(job) = &self.job {
            let what = "The printer was reset in mid-print: its heaters are off and its position is lost";
            let end = job.cut_off(what);
            self.lose_as(now, end);
        } else {
            self.reconnect(now);
        }
        if let Phase::Handshake(handshake) = &mut self.phase {
            handshake.on_life(now);
        }
    }

    /// Nothing more can be done on this connection: the job has failed, and the firmware is greeted anew.
    pub(super) fn lose(&mut self, now: Duration, reason: &str) {
        self.lose_as(now, End::Failed(format!("{reason}.")));
    }

    pub(super) fn lose_as(&mut self, now: Duration, end: End) {
        if self.job.is_some() {
            self.owe_after(now, &end);
        }
        self.end_job(end);
        self.turned_off = false;
        self.reconnect(now);
    }

    pub(super) fn reconnect(&mut self, now: Duration) {
        self.link = self.link.anew();
        if let Some(ignored) = &self.ignored {
            self.link.send_raw(ignored.first());
        }
        self.phase = Phase::Handshake(Handshake::new(now));
        self.firmware = Firmware::default();
        self.attention.clear();
        self.external.clear();
        self.poll_at = None;
        self.card_at = None;
        self.is_card_known = false;
        self.debt.connection_is_new(now);
    }

    pub(super) fn shake_hands(&mut self, now: Duration) {
        let owes = !matches!(self.debt.state(), Heating::Settled | Heating::Wanted(_));
        let Phase::Handshake(handshake) = &mut self.phase else { return };
        match handshake.poll(now, self.link.is_idle(), &self.firmware) {
            None => {}
            Some(Action::Hello) => {
                // What waits takes no command, and its heaters stay on: of a job that is over, so nobody is asked.
                if owes && handshake.is_kept_waiting(now) {
                    tracing::warn!("the printer lives and answers nothing: whatever it waits for is ended");
                    self.link.send_raw(b"\nM108\nM876 S1\n");
                }
                self.link.restart_numbers(now);
            }
            Some(Action::Send(command)) => {
                if let Some(command) = parse(command.as_bytes()) {
                    self.link.give_up_waiting();
                    self.link.send_alone(now, &command);
                }
            }
            Some(Action::Done) => {
                self.link.give_up_waiting();
                self.phase = Phase::Ready;
                self.poll_at = (!self.firmware.can("AUTOREPORT_TEMP")).then_some(now);
                // Not all that has a card says so, and a stop that was not taken has not ended its print.
                let may_print = self.firmware.can("SDCARD") || self.goes_on_after_stop();
                self.card_at = may_print.then_some(now);
                self.is_card_known = self.card_at.is_none();
                self.events.push_back(HostEvent::Ready);
            }
        }
    }
}
