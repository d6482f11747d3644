//! What a person is told while a file is printed, at a terminal or in a log.
//!
//! Owns: the progress bar, and that what matters is a line of its own where there is no bar, progress now and then. Must not know: keys, orders.

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::choice;
use super::milestones::Milestones;
use super::screen::Screen;
use crate::cli::say;
use crate::port::PortView;
use crate::print_job::estimate::{Known, left};
use crate::print_job::stopwatch::Stopwatch;
use crate::serial::Waiting;
use crate::serial::reply::Heat;

/// No eye sees more.
const PICTURES_PER_S: u8 = 20;

/// The bar, and what was told last.
pub(super) struct Telling {
    bar: ProgressBar,
    size: u64,
    /// The question that was told, and its words.
    asked: Option<String>,
    heat: Option<String>,
    /// While it is printed.
    watch: Stopwatch,
    milestones: Milestones,
}

impl Telling {
    pub(super) fn new(size: u64) -> Self {
        let target = match std::io::stderr().is_terminal() {
            true => ProgressDrawTarget::term_like_with_hz(Box::new(Screen::default()), PICTURES_PER_S),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(size), target);
        let template = "{wide_bar} {percent:>3} %  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let (watch, milestones) = (Stopwatch::default(), Milestones::default());
        Self { bar, size, asked: None, heat: None, watch, milestones }
    }

    /// Says a line: above the bar, or alone.
    pub(super) fn line(&self, text: &str) {
        if self.bar.is_hidden() {
            say(text);
        } else {
            self.bar.println(text);
        }
    }

    /// What only matters to who sits at the terminal.
    pub(super) fn hint(&self, text: &str) {
        self.bar.println(text);
    }

    pub(super) fn message(&self, text: String) {
        self.bar.set_message(text);
    }

    pub(super) fn is_over(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn is_abandoned(&self) {
        self.bar.abandon();
    }

    /// How long it was printed, waits left out.
    fn printed(&mut self, view: &PortView, now: Duration) -> Duration {
        if view.prints() {
            self.watch.run(now);
        } else {
            self.watch.halt(now);
        }
        self.watch.elapsed(now)
    }

    /// A new look at the printer.
    pub(super) fn show(&mut self, view: &PortView, now: Duration) {
        let elapsed = self.printed(view, now);
        let Some(job) = &view.job else { return };
        let asked = view.attention.as_ref().map(choice::question);
        if asked != self.asked {
            asked.iter().for_each(|asked| self.line(asked));
            self.asked.clone_from(&asked);
        }
        // The countdown stands in the bar.
        let heat =
            job.waiting.filter(|waiting| !matches!(waiting, Waiting::CoolsIn(_) | Waiting::OutOfReach));
        let heat = heat.map(Waiting::sentence);
        if heat != self.heat {
            heat.iter().for_each(|heat| self.line(heat));
            self.heat = heat;
        }
        self.bar.set_position(job.acknowledged_bytes);
        let mut words = Vec::new();
        for (tool, heat) in &view.thermometer.tools {
            words.push(format!("T{tool} {}", degrees(*heat)));
        }
        if let Some(bed) = view.thermometer.bed {
            words.push(format!("bed {}", degrees(bed)));
        }
        words.extend(job.layer.map(|layer| format!("layer {layer}")));
        // What is out of reach the question says itself.
        let is_said = |waiting: &Waiting| asked.is_some() && *waiting == Waiting::OutOfReach;
        let heat = job.waiting.filter(|waiting| !is_said(waiting)).map(Waiting::sentence);
        words.extend(asked);
        words.extend(heat);
        #[allow(clippy::cast_precision_loss, reason = "a progress bar")]
        let fraction = job.acknowledged_bytes as f64 / self.size.max(1) as f64;
        let known = Known { fraction, elapsed, ..Known::default() };
        words.extend(left(&known).map(|left| format!("{} left", duration(left.as_secs()))));
        let words = words.join("  ");
        if self.bar.is_hidden() && self.milestones.is_due(job.acknowledged_bytes, self.size, now) {
            self.line(&format!("{:.0} %  {words}", (fraction * 100.0).floor()));
        }
        self.bar.set_message(words);
    }
}

/// Measured and set.
fn degrees(heat: Heat) -> String {
    let target = heat.target.unwrap_or(0.0);
    heat.actual.map_or(format!("?/{target:.0} °C"), |actual| format!("{actual:.0}/{target:.0} °C"))
}

pub(super) fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Asked, JobView};
    use crate::serial::{Motion, Stage};
    use rstest::rstest;

    fn feeding() -> JobView {
        let motion =
            Motion { position: [None; 3], fan_percent: None, speed_percent: None, flow_percent: None };
        JobView {
            stage: Stage::Feeding,
            acknowledged_bytes: 1,
            layer: None,
            minutes_left: None,
            remark: None,
            motion,
            waiting: None,
        }
    }

    /// Behind the bar whatever it is; a line of its own once, where it is done.
    #[rstest]
    #[case::will_be(
        Waiting::CoolsIn(Duration::from_secs(600)),
        "Its nozzle is cooled in 10 min if nobody comes.",
        false
    )]
    #[case::was(
        Waiting::NozzleOff(Duration::from_secs(600)),
        "Its nozzle was cooled after 10 min; it is heated again when the print goes on.",
        true
    )]
    #[case::all(
        Waiting::AllOff { by_macros: false },
        "All heaters were turned off; they are heated again when the print goes on. The part may have come off the bed.",
        true
    )]
    #[case::all_that_is_known(
        Waiting::AllOff { by_macros: true },
        "All heaters that are known here were turned off; they are heated again when the print goes on. The part may have come \
         off the bed. What a macro has heated may be on.",
        true
    )]
    #[case::can_not_be(
        Waiting::OutOfReach,
        "Its nozzle is hot and can't be cooled from here: the printer takes no command before someone presses its button.",
        false
    )]
    fn what_becomes_of_the_heat_is_told(
        #[case] waiting: Waiting,
        #[case] heat: &str,
        #[case] is_a_line: bool,
    ) {
        match waiting {
            // Whoever adds one adds its sentence to the table.
            Waiting::CoolsIn(_) | Waiting::NozzleOff(_) | Waiting::AllOff { .. } | Waiting::OutOfReach => {}
        }
        let job = JobView { stage: Stage::Paused, waiting: Some(waiting), ..feeding() };
        let paused = PortView { job: Some(job), ..PortView::closed() };
        let mut telling = Telling::new(100);
        telling.show(&paused, Duration::ZERO);
        assert_eq!(telling.bar.message(), heat);
        assert_eq!(telling.heat.as_deref(), is_a_line.then_some(heat));
        telling.show(&PortView { job: Some(feeding()), ..PortView::closed() }, Duration::ZERO);
        assert_eq!((telling.bar.message().as_str(), telling.heat), ("", None), "it goes on");
    }

    /// The question says so itself.
    #[test]
    fn what_is_out_of_reach_is_said_once() {
        let text = format!("Load filament. {}", Waiting::OutOfReach.sentence());
        let asked = Asked {
            question: 1,
            text: text.clone(),
            buttons: Vec::new(),
            goes_on: None,
            only_at_printer: false,
        };
        let job = JobView { waiting: Some(Waiting::OutOfReach), ..feeding() };
        let asks = PortView { attention: Some(asked), job: Some(job), ..PortView::closed() };
        let mut telling = Telling::new(100);
        telling.show(&asks, Duration::ZERO);
        assert_eq!(telling.bar.message(), format!("{text} (Enter: go on)"));
    }

    #[test]
    fn a_wait_is_no_time_printed() {
        let s = Duration::from_secs;
        let job = feeding();
        let prints = PortView { job: Some(job.clone()), ..PortView::closed() };
        let paused = JobView { stage: Stage::Paused, ..job };
        let paused = PortView { job: Some(paused), ..PortView::closed() };
        let asked = Asked {
            question: 1,
            text: "Filament".into(),
            buttons: Vec::new(),
            goes_on: None,
            only_at_printer: false,
        };
        let asks = PortView { attention: Some(asked), ..prints.clone() };
        let mut telling = Telling::new(100);
        for (view, at, printed) in
            [(&prints, 0, 0), (&asks, 60, 60), (&prints, 600, 60), (&paused, 610, 70), (&paused, 900, 70)]
        {
            assert_eq!(telling.printed(view, s(at)), s(printed), "at {at} s");
        }
    }
}
