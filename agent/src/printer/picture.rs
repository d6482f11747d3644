//! What the hub is shown of the printer: port, firmware and job in one status.
//!
//! Owns: the printer's state out of what is known. Pure. Must not know: how it is sent.

use std::time::Duration;

use stardust_protocol::agent_api::Claim;
use stardust_protocol::{Attention, JobProgress, JobState, Motion, PrinterState, PrinterStatus, Temperature};

use crate::port::{JobView, PortView};
use crate::print_job::estimate::{self, Known};
use crate::serial::Motion as Set;
use crate::serial::Waiting;
use crate::serial::reply::Heat;
use crate::serial::{Connection, HeatOutOfReach, Heating};

/// The job at hand, as far as it goes into a status.
#[derive(Debug, Clone, Copy)]
pub struct JobPicture<'a> {
    /// What is being printed.
    pub claim: &'a Claim,
    /// The state that this agent has it in.
    pub state: JobState,
    /// Bytes of the file that the firmware has taken.
    pub acknowledged_bytes: u64,
    /// Time printed.
    pub elapsed: Duration,
    /// What the file said last about the rest, and how long ago.
    pub file_says: Option<(Duration, Duration)>,
}

impl JobPicture<'_> {
    /// Fraction done, 0 to 1.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a fraction needs no more than 52 bits")]
        let fraction = self.acknowledged_bytes as f64 / self.claim.size_bytes.max(1) as f64;
        fraction.min(1.0)
    }
}

/// The whole status. `attention`: what the printer asks of a person, if it can be heard at all.
#[must_use]
pub fn status(view: &PortView, job: Option<JobPicture<'_>>, attention: Option<Attention>) -> PrinterStatus {
    let (state, message) = state(view, job.map(|job| job.state));
    let layer = view.job.as_ref().and_then(|job| job.layer);
    PrinterStatus {
        message,
        attention: attention.filter(|_| state == PrinterState::Attention),
        firmware: view.firmware.clone(),
        agent_version: Some(env!("CARGO_PKG_VERSION").into()),
        tools: view.thermometer.tools.values().copied().map_while(temperature).collect(),
        bed: view.thermometer.bed.and_then(temperature),
        chamber: view.thermometer.chamber.and_then(temperature),
        motion: view.job.as_ref().map(|job| motion(job.motion)),
        job: job.map(|job| progress(job, layer)),
        halted: is_halted(view),
        // At rest nothing comes before it.
        about_stop: state == PrinterState::Idle && view.stop_ignored.is_some(),
        ..PrinterStatus::new(state)
    }
}

/// What stands still, or is silent, tells nothing more: what was read before stays as it was.
fn is_halted(view: &PortView) -> bool {
    let is_over =
        matches!(view.connection, Connection::Halted(_) | Connection::ToldToStop { is_over: true, .. });
    is_over && view.port_error.is_none()
}

fn state(view: &PortView, job: Option<JobState>) -> (PrinterState, Option<String>) {
    if let Some(error) = &view.port_error {
        return (PrinterState::Offline, Some(error.clone()));
    }
    // Until all is off, whatever else it is at; but a locked one takes no command, and says what has to be done first.
    let is_owed = view.heating != Heating::Settled && view.heat_out_of_reach != Some(HeatOutOfReach::Locked);
    if let Some(ignored) = view.stop_ignored.as_ref().filter(|_| is_owed) {
        return (PrinterState::Error, Some(ignored.clone()));
    }
    match &view.connection {
        Connection::ToldToStop { sentence, .. } => return (PrinterState::Error, Some(sentence.clone())),
        Connection::Connecting { silent: true } => {
            return (PrinterState::Connecting, Some("The printer does not answer yet.".into()));
        }
        Connection::Connecting { silent: false } => return (PrinterState::Connecting, None),
        Connection::Halted(reason) => {
            let message = format!(
                "The printer stopped itself: {reason}. Look whether its heaters are off; then switch it off and on again."
            );
            return (PrinterState::Error, Some(message));
        }
        Connection::Ready => {}
    }
    if let Some(asked) = &view.attention {
        // What is out of reach the question says itself.
        let in_reach = |job: &JobView| job.waiting != Some(Waiting::OutOfReach);
        let heat = heat(view).filter(|_| view.job.as_ref().is_some_and(in_reach));
        return (PrinterState::Attention, sentences([Some(asked.text.clone()), heat]));
    }
    if let (Some(external), None) = (&view.external, job) {
        return (PrinterState::Printing, Some(external.clone()));
    }
    if let (None, Heating::Stubborn) = (job, view.heating) {
        let message = "Its heaters were turned off several times and are still on: switch the printer off now, at its mains.";
        return (PrinterState::Error, Some(message.into()));
    }
    let state = match job {
        // When it is at rest there is time to read it.
        None => return (PrinterState::Idle, view.stop_ignored.clone().or_else(|| view.warning.clone())),
        Some(JobState::Printing | JobState::Cancelling) => PrinterState::Printing,
        Some(JobState::Pausing | JobState::Paused | JobState::Resuming) => PrinterState::Paused,
        Some(_) => PrinterState::Preparing,
    };
    let remark = view.job.as_ref().and_then(|job| job.remark).map(str::to_owned);
    let heat = heat(view).filter(|_| state == PrinterState::Paused);
    (state, sentences([remark, heat]))
}

/// What becomes of the heat while somebody is waited for.
fn heat(view: &PortView) -> Option<String> {
    view.job.as_ref()?.waiting.map(Waiting::sentence)
}

fn sentences(parts: [Option<String>; 2]) -> Option<String> {
    let there: Vec<String> = parts.into_iter().flatten().collect();
    (!there.is_empty()).then(|| there.join(" "))
}

fn progress(job: JobPicture<'_>, layer: Option<u32>) -> JobProgress {
    let known = Known {
        fraction: job.fraction(),
        elapsed: job.elapsed,
        estimated: job.claim.estimated_s.map(Duration::from_secs),
        file_says: job.file_says,
    };
    JobProgress {
        job_id: job.claim.job_id,
        state: job.state,
        fraction: (job.fraction() * 10_000.0).round() / 10_000.0,
        acknowledged_bytes: job.acknowledged_bytes,
        total_bytes: job.claim.size_bytes,
        elapsed_s: job.elapsed.as_secs(),
        left_s: estimate::left(&known).map(|left| left.as_secs()),
        layer,
    }
}

/// To a tenth of a millimetre and a whole percent, for the same reason as [`temperature`]; layers are thinner.
fn motion(set: Set) -> Motion {
    let to = |steps: f64| move |value: f64| (value * steps).round() / steps;
    let [x, y, z] = set.position;
    Motion {
        x: x.map(to(10.0)),
        y: y.map(to(10.0)),
        z: z.map(to(1000.0)),
        fan_percent: set.fan_percent.map(to(1.0)),
        speed_percent: set.speed_percent.map(to(1.0)),
        flow_percent: set.flow_percent.map(to(1.0)),
    }
}

/// To a tenth of a degree: finer is noise, and every change costs a message. None where no sensor tells it.
fn temperature(heat: Heat) -> Option<Temperature> {
    let tenth = |degrees: f64| (degrees * 10.0).round() / 10.0;
    Some(Temperature { actual: tenth(heat.actual?), target: tenth(heat.target.unwrap_or(0.0)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Asked;
    use crate::serial::Stage;
    use rstest::rstest;
    use stardust_protocol::Timestamp;

    fn view() -> PortView {
        let mut view = PortView { connection: Connection::Ready, ..PortView::closed() };
        view.thermometer.tools.insert(0, Heat { actual: Some(204.97), target: Some(205.0) });
        view.thermometer.bed = Some(Heat { actual: Some(60.04), target: None });
        view
    }

    #[rstest]
    #[case(None, PrinterState::Idle)]
    #[case(Some(JobState::Transferring), PrinterState::Preparing)]
    #[case(Some(JobState::Preparing), PrinterState::Preparing)]
    #[case(Some(JobState::Printing), PrinterState::Printing)]
    #[case(Some(JobState::Resuming), PrinterState::Paused)]
    fn the_state_follows_the_job(#[case] job: Option<JobState>, #[case] expected: PrinterState) {
        assert_eq!(state(&view(), job), (expected, None));
    }

    #[test]
    fn what_keeps_the_printer_from_working_comes_first() {
        let halted = PortView { connection: Connection::Halted("MINTEMP".into()), ..view() };
        assert_eq!(state(&halted, Some(JobState::Printing)).0, PrinterState::Error);
        let gone = PortView { port_error: Some("No port.".into()), ..halted };
        assert_eq!(state(&gone, None), (PrinterState::Offline, Some("No port.".into())));
        let asked = Asked {
            question: 1,
            text: "Load filament".into(),
            buttons: vec!["Continue".into()],
            goes_on: Some(0),
            only_at_printer: false,
        };
        let asks = PortView { attention: Some(asked), ..view() };
        assert_eq!(state(&asks, Some(JobState::Printing)).0, PrinterState::Attention);
        let attention = || {
            let id = stardust_protocol::AttentionId::generate(Timestamp::from_millis(0));
            Some(Attention { id, text: "Load filament".into(), buttons: Vec::new(), only_at_printer: false })
        };
        assert_eq!(status(&asks, None, attention()).attention.unwrap().text, "Load filament");
        let halted = PortView { connection: Connection::Halted("MINTEMP".into()), ..asks };
        assert_eq!(status(&halted, None, attention()).attention, None, "nothing can be answered");
    }

    /// A job that somebody is waited for.
    fn on_line(stage: Stage, waiting: Option<Waiting>) -> JobView {
        JobView {
            stage,
            acknowledged_bytes: 1000,
            layer: None,
            minutes_left: None,
            remark: None,
            motion: Set { position: [None; 3], fan_percent: None, speed_percent: None, flow_percent: None },
            waiting,
        }
    }

    /// In a pause of the job, and behind what the firmware asks, which says itself what is out of reach.
    #[rstest]
    #[case::will_be(
        Waiting::CoolsIn(Duration::from_secs(600)),
        "Its nozzle is cooled in 10 min if nobody comes."
    )]
    #[case::was(
        Waiting::NozzleOff(Duration::from_secs(600)),
        "Its nozzle was cooled after 10 min; it is heated again when the print goes on."
    )]
    #[case::all(Waiting::AllOff { by_macros: false }, ALL_OFF)]
    #[case::all_that_is_known(Waiting::AllOff { by_macros: true }, ALL_KNOWN_OFF)]
    #[case::can_not_be(Waiting::OutOfReach, OUT_OF_REACH)]
    fn what_becomes_of_the_heat_is_told_while_somebody_is_waited_for(
        #[case] waiting: Waiting,
        #[case] heat: &str,
    ) {
        let is_said_by_the_question = match waiting {
            Waiting::OutOfReach => true,
            // Whoever adds one adds its sentence to the table.
            Waiting::CoolsIn(_) | Waiting::NozzleOff(_) | Waiting::AllOff { .. } => false,
        };
        let job = on_line(Stage::Paused, Some(waiting));
        let paused = PortView { job: Some(job.clone()), ..view() };
        assert_eq!(state(&paused, Some(JobState::Paused)), (PrinterState::Paused, Some(heat.into())));
        let remarked = PortView { job: Some(JobView { remark: Some("It parks."), ..job }), ..view() };
        assert_eq!(state(&remarked, Some(JobState::Paused)).1, Some(format!("It parks. {heat}")));

        let text = "Load filament.".to_owned();
        let asked = Asked {
            question: 1,
            text: text.clone(),
            buttons: Vec::new(),
            goes_on: None,
            only_at_printer: false,
        };
        let job = Some(on_line(Stage::Feeding, Some(waiting)));
        let asks = PortView { attention: Some(asked), job, ..view() };
        let both = if is_said_by_the_question { text } else { format!("{text} {heat}") };
        assert_eq!(state(&asks, Some(JobState::Printing)), (PrinterState::Attention, Some(both)));
        let prints = PortView { attention: None, ..asks };
        let printing = (PrinterState::Printing, None);
        assert_eq!(state(&prints, Some(JobState::Printing)), printing, "nobody is waited for");
    }

    const ALL_OFF: &str = "All heaters were turned off; they are heated again when the print goes on. \
                           The part may have come off the bed.";
    const ALL_KNOWN_OFF: &str = "All heaters that are known here were turned off; they are heated again when the \
                                 print goes on. The part may have come off the bed. What a macro has heated may be on.";
    const OUT_OF_REACH: &str = "Its nozzle is hot and can't be cooled from here: the printer takes no command before \
                                someone presses its button.";

    /// What we have stopped has not stopped itself, and what goes on is not stopped.
    #[test]
    fn a_stop_is_told_as_far_as_it_is_known() {
        let sentence = "The printer was told to stop at once by Ada (M112). It still heats to 100 °C.";
        let connection = Connection::ToldToStop { sentence: sentence.into(), is_over: false };
        let told = PortView { connection, ..view() };
        assert!(told.answers(), "whoever waits for it does so as long as it goes on");
        assert!(!status(&told, None, None).halted);
        assert_eq!(state(&told, None), (PrinterState::Error, Some(sentence.into())));
        let connection = Connection::ToldToStop { sentence: sentence.into(), is_over: true };
        let stopped = PortView { connection, ..view() };
        assert!(!stopped.answers() && status(&stopped, None, None).halted);
        let words = || Some("The stop was sent 4 times. Switch it off.".to_owned());
        let ignored = PortView { stop_ignored: words(), heating: Heating::Owed, ..view() };
        assert_eq!(state(&ignored, None), (PrinterState::Error, words()));
        let greeted = Connection::Connecting { silent: true };
        let greeted = PortView { connection: greeted, ..ignored.clone() };
        assert_eq!(state(&greeted, None), (PrinterState::Error, words()));
        assert!(!status(&ignored, None, None).halted, "it goes on");
        let lock = Asked {
            question: 1,
            text: "Unlock it.".into(),
            buttons: Vec::new(),
            goes_on: None,
            only_at_printer: false,
        };
        let asks = PortView { attention: Some(lock), ..ignored.clone() };
        assert_eq!(state(&asks, None), (PrinterState::Error, words()));
        let locked = PortView { heat_out_of_reach: Some(HeatOutOfReach::Locked), ..asks };
        assert_eq!(state(&locked, None), (PrinterState::Attention, Some("Unlock it.".into())));
        let cold = PortView { stop_ignored: words(), heating: Heating::Settled, ..view() };
        assert_eq!(state(&cold, None), (PrinterState::Idle, words()));
        assert!(status(&cold, None, None).about_stop && !status(&view(), None, None).about_stop);
    }

    #[test]
    fn the_whole_picture() {
        let claim = Claim {
            job_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
            claim_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
            lease_until: Timestamp::from_millis(0),
            file_name: "bracket.gcode".into(),
            size_bytes: 3000,
            sha256: "ab".repeat(32).parse().unwrap(),
            estimated_s: Some(3600),
        };
        let job = JobPicture {
            claim: &claim,
            state: JobState::Printing,
            acknowledged_bytes: 1000,
            elapsed: Duration::from_secs(100),
            file_says: None,
        };
        let set = Set {
            position: [Some(104.234_9), None, Some(0.45)],
            fan_percent: Some(50.196),
            speed_percent: Some(110.0),
            flow_percent: None,
        };
        let on_line = JobView { motion: set, ..on_line(Stage::Feeding, None) };
        let mut status = status(&PortView { job: Some(on_line), ..view() }, Some(job), None);
        status.agent_version = None;
        insta::assert_json_snapshot!(status, @r#"
        {
          "state": "printing",
          "tools": [
            {
              "actual": 205.0,
              "target": 205.0
            }
          ],
          "bed": {
            "actual": 60.0,
            "target": 0.0
          },
          "motion": {
            "x": 104.2,
            "z": 0.45,
            "fan_percent": 50.0,
            "speed_percent": 110.0
          },
          "job": {
            "job_id": "0190a7c2-6f00-7000-8000-000000000001",
            "state": "printing",
            "fraction": 0.3333,
            "acknowledged_bytes": 1000,
            "total_bytes": 3000,
            "elapsed_s": 100,
            "left_s": 1014
          }
        }
        "#);
    }
}
