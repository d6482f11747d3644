//! Whether a printer may be taken out of the workspace, by what it says of itself. A job on it is the store's matter.
//!
//! Owns: that nobody takes away what a hot printer could be cooled down with. One that is out of reach may go, hot or not: nobody
//! can tell. Pure. Must not know: how it is cooled.

use stardust_protocol::{PrinterState, PrinterStatus};

use super::printer::{ContactState, Printer};
use crate::error::Error;

/// Whether it may be removed now.
///
/// # Errors
/// It is being heated.
pub fn may_remove(printer: &Printer) -> Result<(), Error> {
    let is_heard = printer.contact.state == ContactState::Online;
    let Some(status) = printer.status.as_ref().filter(|_| is_heard) else { return Ok(()) };
    // What was read before its port was closed says nothing of now.
    let is_silent = matches!(status.state, PrinterState::Offline | PrinterState::Connecting);
    // Nothing can be done from here any more, and what it heats is not told. That a stop was sent to it says nothing of the kind.
    let is_halted = status.halted;
    // That is said before: it has to be cancelled first.
    let has_job = printer.current_job_id.is_some();
    let set = targets(status);
    if is_silent || is_halted || has_job || (set.is_empty() && status.preheat.is_none()) {
        return Ok(());
    }
    let set = if set.is_empty() { String::new() } else { format!(" ({})", set.join(", ")) };
    if printer.emergency_stop.is_some() {
        return Err(Error::conflict(
            "printer_hot",
            format!(
                "“{}” is to stop at once, and is being heated all the same{set}. Switch it off first; then remove it.",
                printer.name
            ),
        ));
    }
    Err(Error::conflict(
        "printer_hot",
        format!(
            "“{}” is being heated{set}, and could not be cooled down from here any more. Cool it down first, or wait until what \
             somebody has started at its panel is over; then remove it.",
            printer.name
        ),
    ))
}

/// What its heaters are set to, for people.
fn targets(status: &PrinterStatus) -> Vec<String> {
    let is_one = status.tools.len() == 1;
    let nozzle = |index: usize| if is_one { "nozzle".into() } else { format!("nozzle {}", index + 1) };
    let nozzles = status.tools.iter().enumerate().map(|(index, heat)| (nozzle(index), heat));
    let rest = [("bed", status.bed.as_ref()), ("chamber", status.chamber.as_ref())];
    let rest = rest.into_iter().filter_map(|(name, heat)| Some((name.to_owned(), heat?)));
    let all = nozzles.chain(rest).filter(|(_, heat)| heat.target > 0.0);
    all.map(|(name, heat)| format!("{name} {:.0} °C", heat.target)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::testing::now;
    use crate::fleet::Contact;
    use crate::fleet::emergency::{EmergencyStop, StopState};
    use rstest::rstest;
    use stardust_protocol::{
        CommandId, JobId, PreheatReason, PreheatReport, PrinterId, Temperature, WorkspaceId,
    };

    fn at(target: f64) -> Temperature {
        Temperature { actual: 24.0, target }
    }

    /// In reach, and heated.
    fn hot() -> Printer {
        let status = PrinterStatus {
            tools: vec![at(200.0)],
            bed: Some(at(60.0)),
            ..PrinterStatus::new(PrinterState::Idle)
        };
        Printer {
            id: PrinterId::generate(now()),
            workspace_id: WorkspaceId::generate(now()),
            name: "Ada".into(),
            model: None,
            created_at: now(),
            version: 1,
            state: PrinterState::Idle,
            contact: Contact { state: ContactState::Online, since: None, waits: false },
            status: Some(status),
            second_agent: None,
            emergency_stop: None,
            current_job_id: None,
        }
    }

    fn with(change: impl FnOnce(&mut PrinterStatus)) -> Printer {
        let mut printer = hot();
        change(printer.status.as_mut().unwrap());
        printer
    }

    fn off(status: &mut PrinterStatus) {
        (status.tools, status.bed) = (vec![at(0.0)], Some(at(0.0)));
    }

    fn preheat(status: &mut PrinterStatus) {
        status.preheat = Some(PreheatReport { until: now(), reason: PreheatReason::Asked });
    }

    #[rstest]
    #[case(hot(), "“Ada” is being heated (nozzle 200 °C, bed 60 °C), ")]
    #[case::of_two(with(|it| it.tools = vec![at(0.0), at(210.0)]), "heated (nozzle 2 210 °C, bed 60 °C)")]
    #[case::chamber(with(|it| { off(it); it.chamber = Some(at(45.0)); }), "heated (chamber 45 °C)")]
    #[case::preheat_that_is_not_read_yet(with(|it| { off(it); preheat(it); }), "“Ada” is being heated, ")]
    #[case::nobody_turns_it_off(with(|it| it.state = PrinterState::Error), "Cool it down first")]
    #[case::at_its_panel(with(|it| it.state = PrinterState::Printing), "started at its panel")]
    fn one_that_is_heated_stays(#[case] printer: Printer, #[case] said: &str) {
        let refused = may_remove(&printer).unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "printer_hot", .. }), "{refused:?}");
        assert!(refused.to_string().contains(said), "{refused}");
    }

    fn stopped(state: StopState) -> Printer {
        let mut stop = EmergencyStop::new(CommandId::generate(now()), "Owner".into(), now());
        stop.move_to(state, None, now());
        Printer { emergency_stop: Some(stop), ..hot() }
    }

    fn halted(mut printer: Printer) -> Printer {
        printer.status.as_mut().unwrap().halted = true;
        printer
    }

    #[test]
    fn one_that_has_not_taken_a_stop_has_to_be_switched_off() {
        let refused = may_remove(&stopped(StopState::Sent)).unwrap_err();
        assert!(matches!(refused, Error::Conflict { code: "printer_hot", .. }), "{refused:?}");
        assert!(refused.to_string().contains("Switch it off first"), "{refused}");
        assert!(refused.to_string().contains("nozzle 200 °C"), "{refused}");
    }

    #[rstest]
    #[case::cold(with(off), true)]
    #[case::out_of_reach(Printer { contact: Contact { state: ContactState::Lost, since: None, waits: false }, ..hot() }, true)]
    #[case::nothing_live(Printer { status: None, ..hot() }, true)]
    #[case::its_port_is_closed(with(|it| it.state = PrinterState::Offline), true)]
    #[case::it_does_not_answer(with(|it| it.state = PrinterState::Connecting), true)]
    #[case::halted(halted(stopped(StopState::Sent)), true)]
    #[case::halted_by_itself(halted(hot()), true)]
    #[case::sent_is_not_stopped(stopped(StopState::Sent), false)]
    #[case::stopped_and_cold(Printer { status: with(off).status, ..stopped(StopState::Sent) }, true)]
    #[case::not_sent_yet(stopped(StopState::Sending), false)]
    #[case::a_job_is_said_first(Printer { current_job_id: Some(JobId::generate(now())), ..hot() }, true)]
    fn what_can_not_be_cooled_from_here_or_is_not_hot_may_go(#[case] printer: Printer, #[case] may: bool) {
        assert_eq!(may_remove(&printer).is_ok(), may);
    }
}
