//! Feeding a file: what is sent of it, what is put between, and what its commands have set.
//!
//! Owns: the way of one command from the file to the line, and the end of the file. Must not know: the other stages.

use std::time::Duration;

use stardust_gcode::command::{Code, Disposition, parse};
use stardust_gcode::modal::Effect;

use super::super::feeder::{Fed, SourceError};
use super::super::firmware::Area;
use super::super::link::Link;
use super::super::moves_ahead;
use super::super::own_reports;
use super::super::pace;
use super::super::reading;
use super::super::window::Origin;
use super::{End, Job, JobEvent, Stage};

impl Job {
    pub(super) fn feed(&mut self, now: Duration, link: &mut Link, area: Option<Area>, interrupt: bool) {
        loop {
            if self.next.is_none() {
                match self.fetch(link) {
                    Ok(fed) => self.next = fed,
                    Err(error) => {
                        let reason = format!("{error}. The heaters were turned off; print the job again.");
                        return self.stop(now, End::Failed(reason), area, link, interrupt);
                    }
                }
            }
            let Some(fed) = &self.next else { return self.close(now, link, area, interrupt) };
            match fed.command.disposition() {
                Disposition::Send => {
                    let own = self.dead_man.ahead_of(&fed.command);
                    if let Some(own) = own.or_else(|| self.display.due(now, self.acknowledged)) {
                        // Sent before it, and then this is called again.
                        return self.script.push_back(own);
                    }
                    if !link.has_room(&fed.command) {
                        return;
                    }
                    link.send(now, &fed.command, Origin::File { end: fed.end });
                    let takes = self.follow();
                    link.moves(now, takes);
                    if !self.script.is_empty() {
                        // Sent behind it, and then this is called again.
                        return;
                    }
                }
                Disposition::Numbering | Disposition::PassOver => {
                    self.read_to = fed.end;
                    self.next = None;
                }
                Disposition::Pause => {
                    let text = fed.command.argument();
                    let reason = match text {
                        "" => "The print file asked for a pause.".to_owned(),
                        text => format!("The print file asked for a pause: {text}"),
                    };
                    self.read_to = fed.end;
                    self.next = None;
                    return self.pause(area, Some(reason));
                }
            }
        }
    }

    /// The next command as this firmware may be sent it. What can't be was refused with the file; a file that nobody
    /// has looked through ends here.
    fn fetch(&mut self, link: &Link) -> Result<Option<Fed>, SourceError> {
        let Some(mut fed) = self.source.next_command()? else { return Ok(None) };
        if fed.command.disposition() == Disposition::Send {
            match reading::arriving(&fed.command, link.dialect(), u64::from(link.next_number())) {
                Ok(None) => {}
                Ok(Some(reworded)) => fed.command = reworded,
                Err(why) => return Err(SourceError(format!("“{}” can't be sent: {why}", fed.command))),
            }
        }
        Ok(Some(fed))
    }

    /// Keeps track of what was just sent. Returns how long it takes at least, if it is a move.
    pub(super) fn follow(&mut self) -> Duration {
        let Some(fed) = self.next.take() else { return Duration::ZERO };
        self.read_to = fed.end;
        self.script.extend(own_reports::again(&fed.command, self.dialect));
        let effect = self.modal.apply(&fed.command);
        if self.named.follow(&fed.command) {
            self.modal.turn_heaters_off();
        }
        self.envelope.follow(&effect, &self.modal);
        self.dead_man.follow(&fed.command);
        if pace::may_wait_for_person(&fed.command) {
            self.may_wait_to = Some(fed.end);
        }
        if !self.printing && matches!(effect, Effect::Move(it) if it.prints()) {
            self.printing = true;
            self.events.push(JobEvent::Printing);
        }
        self.layer = fed.layer.or(self.layer);
        if fed.command.is(Code::m(73)) {
            self.minutes_left = fed.command.param(b'R').or(self.minutes_left);
        }
        moves_ahead::takes(&effect)
    }

    /// The file is at its end.
    fn close(&mut self, now: Duration, link: &mut Link, area: Option<Area>, interrupt: bool) {
        if let Some(own) = self.display.done() {
            return self.script.push_back(own);
        }
        if !link.is_idle() {
            return;
        }
        if self.source.brief().is_some_and(|brief| brief.cut_off) {
            let reason = "The file was cut off: all that is left of it has been printed, and the part is not finished. \
                          The heaters were turned off.";
            return self.stop(now, End::Failed(reason.to_owned()), area, link, interrupt);
        }
        if let Some(last) = parse(b"M400") {
            link.send_alone(now, &last);
        }
        self.stage = Stage::Finishing;
    }
}
