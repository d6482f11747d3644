//! What a person wants of a job that is on a printer.
//!
//! Owns: what its agent is asked for it and until when, and what is refused at once because the printer has said that
//! it can't be: a print that was cut off goes on from a layer, or not at all. Pure.
//! Must not know: the database, and how a print is cut off.

use stardust_protocol::{
    Command, CommandId, CommandMessage, Interruption, JobId, JobState, PrinterStatus, ProtocolVersion,
    Timestamp, limits,
};

use super::job::Requested;
use crate::error::Error;

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To pause.
    Pause,
    /// To go on where it was paused.
    Resume,
    /// To go on from the beginning of this layer, after it was cut off.
    ResumeFrom(u32),
    /// To stop.
    Cancel,
}

impl Wanted {
    /// To go on, from a layer if one is named.
    ///
    /// # Errors
    /// There is no such layer in any print.
    pub fn going_on(from_layer: Option<u32>) -> Result<Self, Error> {
        match from_layer {
            None => Ok(Self::Resume),
            Some(0) => Err(Error::invalid("no_such_layer", "Layers are counted from 1.")),
            Some(layer) => Ok(Self::ResumeFrom(layer)),
        }
    }

    /// How the books call it.
    #[must_use]
    pub fn requested(self) -> Requested {
        match self {
            Self::Pause => Requested::Pause,
            Self::Resume | Self::ResumeFrom(_) => Requested::Resume,
            Self::Cancel => Requested::Cancel,
        }
    }

    /// Whether the job is to go on.
    #[must_use]
    pub fn goes_on(self) -> bool {
        self.requested() == Requested::Resume
    }

    /// What the agent is asked.
    #[must_use]
    pub fn message(self, job_id: JobId, id: CommandId, now: Timestamp) -> CommandMessage {
        let (command, expires_in_ms) = match self {
            Self::Pause => (Command::Pause { job_id }, Some(limits::COMMAND_EXPIRY_MS)),
            Self::Resume => (Command::Resume { job_id }, Some(limits::COMMAND_EXPIRY_MS)),
            Self::ResumeFrom(layer) => {
                (Command::ResumeFrom { job_id, layer }, Some(limits::RESUME_FROM_EXPIRY_MS))
            }
            // Whoever wants a print stopped wants it stopped later too.
            Self::Cancel => (Command::Cancel { job_id }, None),
        };
        CommandMessage {
            protocol: ProtocolVersion::CURRENT,
            id: Some(id),
            at: now,
            expires_at: expires_in_ms.map(|ms| now.plus_millis(ms)),
            command,
        }
    }

    /// Whether it is to go on otherwise than the agent has been asked already: the second one of two people who
    /// choose different layers must not believe that theirs is on its way.
    #[must_use]
    pub fn contradicts(self, asked: &Command) -> bool {
        match (self, asked) {
            (Self::Resume, Command::ResumeFrom { .. }) | (Self::ResumeFrom(_), Command::Resume { .. }) => {
                true
            }
            (Self::ResumeFrom(layer), Command::ResumeFrom { layer: asked, .. }) => layer != *asked,
            _ => false,
        }
    }
}

/// What the printer's live data speaks against. Where it says nothing of the job, the agent decides.
///
/// # Errors
/// It can't be done, and what can be done instead.
pub fn check(wanted: Wanted, job: JobId, status: &PrinterStatus) -> Result<(), Error> {
    let Some(interruption) = status.interruption.as_ref().filter(|cut_off| cut_off.job_id == job) else {
        let waits = |at_work: &stardust_protocol::JobProgress| {
            at_work.job_id == job && at_work.state == JobState::Paused
        };
        return match wanted {
            Wanted::ResumeFrom(_) if status.job.as_ref().is_some_and(waits) => Err(Error::conflict(
                "not_cut_off",
                "The print was paused, not cut off: it goes on where it stands. Resume it without a layer.",
            )),
            _ => Ok(()),
        };
    };
    match wanted {
        Wanted::Pause | Wanted::Cancel => Ok(()),
        Wanted::Resume | Wanted::ResumeFrom(_) => goes_on(wanted, interruption),
    }
}

fn goes_on(wanted: Wanted, cut_off: &Interruption) -> Result<(), Error> {
    // With layers left to choose it is about the one that was chosen last.
    if let Some(refusal) = cut_off.refusal.as_ref().filter(|_| cut_off.layers.is_empty()) {
        return Err(Error::conflict("cannot_go_on", format!("{refusal} Cancel the job to give it up.")));
    }
    match wanted {
        Wanted::ResumeFrom(layer) if cut_off.layers.iter().any(|start| start.layer == layer) => Ok(()),
        Wanted::ResumeFrom(layer) => Err(Error::invalid(
            "no_such_layer",
            format!("The print can't go on from layer {layer}, only from {}.", choice(cut_off)),
        )),
        _ => Err(Error::conflict(
            "needs_layer",
            format!(
                "The print was cut off{}: the printer does not know where it stands. Look at the part, then say from \
                 which layer it goes on ({}), or cancel the job to give it up.",
                place(cut_off),
                choice(cut_off)
            ),
        )),
    }
}

/// ` at layer 12, 2.40 mm`, as far as it is known.
fn place(cut_off: &Interruption) -> String {
    if let (true, Some(height)) = (cut_off.parked, cut_off.height_mm) {
        let layer = cut_off.layer.map(|layer| format!(" at layer {layer}")).unwrap_or_default();
        return format!("{layer} while it was paused, the nozzle {height:.2} mm up");
    }
    match (cut_off.layer, cut_off.height_mm) {
        (Some(layer), Some(height)) => format!(" at layer {layer}, {height:.2} mm"),
        (Some(layer), None) => format!(" at layer {layer}"),
        (None, Some(height)) => format!(" at {height:.2} mm"),
        (None, None) => String::new(),
    }
}

/// `layer 12`, `layers 11 to 13`.
fn choice(cut_off: &Interruption) -> String {
    let numbers: Vec<u32> = cut_off.layers.iter().map(|start| start.layer).collect();
    match numbers.as_slice() {
        [] => "no layer".into(),
        [only] => format!("layer {only}"),
        [first, .., last] => format!("layers {first} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_protocol::{LayerStart, PrinterState};

    fn id(number: u8) -> JobId {
        format!("0190a7c2-6f00-7000-8000-0000000000{number:02}").parse().unwrap()
    }

    fn cut_off(job_id: JobId, layers: &[u32], refusal: Option<&str>) -> PrinterStatus {
        let start = |layer: &u32| LayerStart { layer: *layer, height_mm: f64::from(*layer) * 0.2 };
        let interruption = Interruption {
            job_id,
            layer: Some(12),
            height_mm: Some(2.4),
            parked: false,
            layers: layers.iter().map(start).collect(),
            reason: None,
            refusal: refusal.map(str::to_owned),
        };
        PrinterStatus { interruption: Some(interruption), ..PrinterStatus::new(PrinterState::Paused) }
    }

    fn told(result: Result<(), Error>) -> String {
        match result {
            Ok(()) => "yes".into(),
            Err(Error::Conflict { code, detail } | Error::Invalid { code, detail }) => {
                format!("{code}: {detail}")
            }
            Err(other) => other.to_string(),
        }
    }

    const RANGE: &[u32] = &[11, 12, 13];

    #[rstest]
    #[case(Wanted::ResumeFrom(12), RANGE, None, "yes")]
    #[case(Wanted::Cancel, RANGE, None, "yes")]
    #[case(Wanted::Cancel, &[], Some("The file is gone."), "yes")]
    #[case(
        Wanted::ResumeFrom(14),
        RANGE,
        None,
        "no_such_layer: The print can't go on from layer 14, only from layers 11 to 13."
    )]
    #[case(
        Wanted::ResumeFrom(13),
        &[12],
        None,
        "no_such_layer: The print can't go on from layer 13, only from layer 12."
    )]
    #[case(
        Wanted::Resume,
        RANGE,
        None,
        "needs_layer: The print was cut off at layer 12, 2.40 mm: the printer does not know where it stands. Look at the \
         part, then say from which layer it goes on (layers 11 to 13), or cancel the job to give it up."
    )]
    #[case(
        Wanted::Resume,
        &[],
        Some("The file is gone."),
        "cannot_go_on: The file is gone. Cancel the job to give it up."
    )]
    #[case(
        Wanted::ResumeFrom(12),
        &[],
        Some("The file is gone."),
        "cannot_go_on: The file is gone. Cancel the job to give it up."
    )]
    #[case::another_one_after_a_refusal(Wanted::ResumeFrom(12), RANGE, Some("Not from layer 13."), "yes")]
    fn a_print_that_was_cut_off_goes_on_from_its_layers_only(
        #[case] wanted: Wanted,
        #[case] layers: &[u32],
        #[case] refusal: Option<&str>,
        #[case] expected: &str,
    ) {
        assert_eq!(told(check(wanted, id(1), &cut_off(id(1), layers, refusal))), expected);
        assert_eq!(
            told(check(wanted, id(2), &cut_off(id(1), layers, refusal))),
            "yes",
            "it is about another job"
        );
    }

    #[test]
    fn of_one_that_was_cut_off_in_a_pause_the_nozzles_height_is_told_as_such() {
        let mut status = cut_off(id(1), &[12], None);
        let interruption = status.interruption.as_mut().unwrap();
        (interruption.height_mm, interruption.parked) = (Some(7.4), true);
        let told = told(check(Wanted::Resume, id(1), &status));
        assert!(told.contains("cut off at layer 12 while it was paused, the nozzle 7.40 mm up: "), "{told}");
    }

    #[test]
    fn a_print_that_was_only_paused_goes_on_without_a_layer() {
        let progress = stardust_protocol::JobProgress {
            job_id: id(1),
            state: JobState::Paused,
            fraction: 0.5,
            acknowledged_bytes: 1,
            total_bytes: 2,
            elapsed_s: 60,
            left_s: None,
            layer: None,
        };
        let paused = PrinterStatus { job: Some(progress), ..PrinterStatus::new(PrinterState::Paused) };
        assert!(told(check(Wanted::ResumeFrom(3), id(1), &paused)).starts_with("not_cut_off: "));
        assert_eq!(told(check(Wanted::Resume, id(1), &paused)), "yes");
        assert_eq!(
            told(check(Wanted::ResumeFrom(3), id(2), &paused)),
            "yes",
            "the printer says nothing of that job"
        );
        let silent = PrinterStatus::new(PrinterState::Connecting);
        assert_eq!(told(check(Wanted::ResumeFrom(3), id(1), &silent)), "yes", "the agent decides");
    }

    #[test]
    fn layers_are_counted_from_1() {
        assert_eq!(Wanted::going_on(None).ok(), Some(Wanted::Resume));
        assert_eq!(Wanted::going_on(Some(1)).ok(), Some(Wanted::ResumeFrom(1)));
        let refused = Wanted::going_on(Some(0)).map(drop);
        assert_eq!(told(refused), "no_such_layer: Layers are counted from 1.");
    }

    #[test]
    fn the_second_of_two_different_wishes_is_not_taken_for_the_first() {
        let job_id = id(1);
        let (plain, from_3) = (Command::Resume { job_id }, Command::ResumeFrom { job_id, layer: 3 });
        for (wanted, asked, expected) in [
            (Wanted::Resume, plain.clone(), false),
            (Wanted::Resume, from_3.clone(), true),
            (Wanted::ResumeFrom(3), from_3.clone(), false),
            (Wanted::ResumeFrom(4), from_3.clone(), true),
            (Wanted::ResumeFrom(3), plain, true),
            (Wanted::ResumeFrom(3), Command::Pause { job_id }, false),
            (Wanted::Cancel, from_3, false),
        ] {
            assert_eq!(wanted.contradicts(&asked), expected, "{wanted:?} after {asked:?}");
        }
    }

    #[test]
    fn only_a_cancel_never_comes_too_late() {
        let now = Timestamp::from_millis(5);
        let until = |wanted: Wanted| {
            let message = wanted.message(id(1), CommandId::generate(now), now);
            message.expires_at.map(|at| at.as_millis() - now.as_millis())
        };
        assert_eq!(until(Wanted::Cancel), None);
        assert_eq!(until(Wanted::Pause), until(Wanted::Resume));
        assert!(until(Wanted::ResumeFrom(3)) < until(Wanted::Resume));
        let message = Wanted::ResumeFrom(3).message(id(1), CommandId::generate(now), now);
        assert_eq!(message.command, Command::ResumeFrom { job_id: id(1), layer: 3 });
    }
}
