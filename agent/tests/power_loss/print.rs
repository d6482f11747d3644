//! A print on a perfect line and a virtual clock, whose printer, host or both lose their power.

use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware, Plate, SetTo, Targets};
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::print_job::layers::{before, layers};
use stardust_agent::print_job::return_plan;
use stardust_agent::serial::{
    Checkpoint, CutOff, End, Host, HostEvent, JobEvent, LayerPoint, Parking, Stage,
};

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)
}

/// The beginning of a real file, a few layers: whole prints of it take no time.
pub(crate) fn beginning_of(name: &str) -> tempfile::NamedTempFile {
    beginning_behind("", name)
}

/// The same behind some lines of its own.
pub(crate) fn beginning_behind(start: &str, name: &str) -> tempfile::NamedTempFile {
    let text = std::fs::read_to_string(fixture(name)).unwrap();
    let lines: Vec<&str> = start.lines().chain(text.lines()).take(LINES).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    file
}

const LINES: usize = 6000;

/// As the agent finds it out.
pub(crate) fn point(file: &Path, cut_off: &CutOff, layer: u32) -> Result<LayerPoint, String> {
    let open = || std::io::BufReader::new(std::fs::File::open(file).unwrap());
    let found = layers(open(), cut_off.extruder_rule);
    let offered = return_plan::choices(&found, cut_off, return_plan::Machine::default());
    let offered = offered.map_err(|refusal| refusal.to_string())?;
    if !offered.iter().any(|offered| offered.layer == layer) {
        return Err("not offered".into());
    }
    let found = found.unwrap();
    let layer = found.iter().find(|found| found.number == layer).unwrap();
    let before = before(open(), cut_off.extruder_rule, layer).unwrap();
    return_plan::point(layer, cut_off, before).map_err(|refusal| refusal.to_string())
}

/// Who loses its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Both,
    Printer,
    /// What was not flushed to its disk is gone.
    Host,
}

/// A print; what was accepted, and what was told.
pub(crate) struct Print {
    file: PathBuf,
    config: Config,
    host: Host,
    printer: Firmware,
    /// The printer's clock begins anew at each start.
    printer_since: Duration,
    now: Duration,
    pub(crate) accepted: Vec<String>,
    pub(crate) events: Vec<JobEvent>,
    checkpoint: Option<Checkpoint>,
    /// The last one of a layer's beginning: flushed to the disk.
    flushed: Option<Checkpoint>,
    lost_at: usize,
    returned_at: usize,
}

impl Print {
    pub(crate) fn start(file: &Path, config: Config) -> Self {
        let config = Config { watches_plate: true, ..config };
        let mut print = Self {
            file: file.to_owned(),
            config: config.clone(),
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: Firmware::new(config),
            printer_since: Duration::ZERO,
            now: Duration::ZERO,
            accepted: Vec::new(),
            events: Vec::new(),
            checkpoint: None,
            flushed: None,
            lost_at: 0,
            returned_at: 0,
        };
        print.wait_ready();
        print.accepted.clear();
        assert!(print.host.start(print.now, Box::new(FileSource::open(file).unwrap())));
        print
    }

    /// What has been extruded where, and where the nozzle is, seen from outside.
    pub(crate) fn plate(&self) -> &Plate {
        self.printer.plate().unwrap()
    }

    /// What the heaters are set to, at the printer.
    pub(crate) fn targets(&self) -> Targets {
        self.printer.targets()
    }

    pub(crate) fn exchange(&mut self) {
        if let Some(checkpoint) = self.host.take_checkpoint(self.now) {
            if self.checkpoint.as_ref().is_none_or(|before| before.layer() != checkpoint.layer()) {
                self.flushed = Some(checkpoint.clone());
            }
            self.checkpoint = Some(checkpoint);
        }
        let output = self.host.take_output();
        let quiet = output.is_empty();
        self.printer.receive(self.now - self.printer_since, &output);
        let answers = std::mem::take(self.printer.output());
        if quiet && answers.is_empty() {
            let printer = self.printer.next_deadline().map(|due| due + self.printer_since);
            let due = [printer, self.host.deadline()].into_iter().flatten().min();
            self.now = due.unwrap().max(self.now);
            self.printer.advance(self.now - self.printer_since);
        }
        for accepted in self.printer.take_accepted() {
            // The dead-man and the display change nothing.
            let code = accepted.text.split(' ').next().unwrap_or_default();
            let aside = ["M110", "M85", "M73", "M117", "M105"].contains(&code);
            if accepted.number.is_some() && !aside {
                self.accepted.push(accepted.text);
            }
        }
        if answers.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &answers);
        }
        self.gather_events();
    }

    fn gather_events(&mut self) {
        while let Some(event) = self.host.next_event() {
            if let HostEvent::Job(event) = event {
                self.events.push(event);
            }
        }
    }

    /// False when the job ended before.
    pub(crate) fn run_until(&mut self, done: impl Fn(&Self) -> bool) -> bool {
        while !done(self) {
            if self.host.progress().is_none() {
                return false;
            }
            self.exchange();
        }
        true
    }

    pub(crate) fn wait_ready(&mut self) {
        while !self.host.is_ready() {
            self.exchange();
        }
    }

    pub(crate) fn pause(&mut self) {
        self.host.pause(self.now);
        self.run_until(|print| print.events.last() == Some(&JobEvent::Paused));
        // What it is doing is written down.
        self.exchange();
        self.flushed = self.checkpoint.clone();
    }

    /// Whether it had begun to extrude, as far as anybody who comes after it knows.
    pub(crate) fn is_printing(&self) -> bool {
        let layer = |checkpoint: &Checkpoint| checkpoint.is_printing() && checkpoint.layer().is_some();
        self.checkpoint.as_ref().is_some_and(layer) && self.flushed.as_ref().is_some_and(layer)
    }

    /// Until the job on the line has ended.
    pub(crate) fn lose_power(&mut self, loss: Loss) {
        self.lost_at = self.accepted.len();
        if loss != Loss::Host {
            let plate = self.printer.take_plate(self.now - self.printer_since).unwrap();
            self.printer = Firmware::new(self.config.clone());
            self.printer.put_plate(plate);
            self.printer_since = self.now;
        }
        match loss {
            Loss::Printer => {}
            Loss::Both => self.new_host(self.checkpoint.clone(), true),
            Loss::Host => {
                // It takes its time to start; the printer carries on what it has.
                self.now += Duration::from_secs(40);
                self.printer.advance(self.now - self.printer_since);
                self.printer.take_accepted();
                self.new_host(self.flushed.clone(), true);
            }
        }
        let ended = |print: &Self| matches!(print.events.last(), Some(JobEvent::Stopped(_)));
        // It may have been before the first checkpoint that anybody could go on by.
        while !ended(self) && !self.host.is_ready() {
            self.exchange();
        }
    }

    fn new_host(&mut self, checkpoint: Option<Checkpoint>, after_power_loss: bool) {
        let Some(checkpoint) = checkpoint.filter(|checkpoint| !checkpoint.is_untouched()) else {
            self.host = Host::new(self.now, Parking::default());
            return;
        };
        let source = FileSource::open_at(&self.file, checkpoint.read_to(), checkpoint.layer()).unwrap();
        self.host =
            Host::attach(self.now, Parking::default(), checkpoint, Box::new(source), after_power_loss);
    }

    pub(crate) fn cut_off(&self) -> Option<CutOff> {
        match self.events.last() {
            Some(JobEvent::Stopped(End::CutOff(cut_off))) => Some(cut_off.clone()),
            _ => None,
        }
    }

    pub(crate) fn accepted_since_loss(&self) -> Vec<String> {
        self.accepted[self.lost_at..].to_vec()
    }

    pub(crate) fn accepted_since_return(&self) -> Vec<String> {
        self.accepted[self.returned_at..].to_vec()
    }

    pub(crate) fn begin_return(&mut self, point: &LayerPoint) {
        self.returned_at = self.accepted.len();
        self.events.clear();
        (self.checkpoint, self.flushed) = (None, None);
        let source = FileSource::open_at(&self.file, point.read_to, Some(point.layer)).unwrap();
        assert!(self.host.start_at(self.now, Box::new(source), point));
    }

    /// The host is gone from now on; the printer goes on without it.
    pub(crate) fn without_host(&mut self, time: Duration) {
        self.now += time;
        self.printer.advance(self.now - self.printer_since);
    }

    /// To the end of the job; the host is killed so often, each time after so many steps, and another one goes on.
    pub(crate) fn return_to(&mut self, point: &LayerPoint, steps: &mut dyn FnMut() -> usize, kills: usize) {
        self.begin_return(point);
        for _ in 0..kills {
            for _ in 0..steps() {
                if self.host.progress().is_some() {
                    self.exchange();
                }
            }
            let begun = self.checkpoint.as_ref().is_some_and(|checkpoint| !checkpoint.is_untouched());
            let over = self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.stage() == Stage::Ended);
            if begun && !over && self.host.progress().is_some() {
                self.new_host(self.checkpoint.clone(), false);
            }
        }
        let ended =
            |print: &Self| matches!(print.events.last(), Some(JobEvent::Completed | JobEvent::Stopped(_)));
        while !ended(self) {
            self.exchange();
        }
    }

    /// What its commands have set the printer to, seen at the printer.
    pub(crate) fn set_to(&self) -> SetTo {
        self.printer.set_to()
    }

    pub(crate) fn story(&self) -> String {
        format!("{:?}\n{:#?}", self.events, self.accepted_since_return().iter().take(80).collect::<Vec<_>>())
    }
}
