//! A print on a perfect line and a virtual clock, with a plate that is watched from outside.

use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware_sim::firmware::{Config, Firmware, Plate};
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::print_job::layers::{before, layers};
use stardust_agent::print_job::return_plan::{self, Machine};
use stardust_agent::serial::{Checkpoint, CutOff, End, Host, HostEvent, JobEvent, LayerPoint, Parking};

/// Who loses its power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Both,
    Printer,
    Host,
}

pub(crate) struct Print {
    file: PathBuf,
    config: Config,
    parking: Parking,
    pub(crate) host: Host,
    printer: Firmware,
    /// The printer's clock begins anew at each start.
    printer_since: Duration,
    now: Duration,
    /// How many commands were accepted.
    pub(crate) accepted: usize,
    last: Vec<String>,
    pub(crate) events: Vec<JobEvent>,
    checkpoint: Option<Checkpoint>,
}

impl Print {
    pub(crate) fn start(file: &Path, config: Config, parking: Parking) -> Self {
        let config = Config { watches_plate: true, ..config };
        let mut print = Self {
            file: file.to_owned(),
            host: Host::new(Duration::ZERO, parking.clone()),
            printer: Firmware::new(config.clone()),
            config,
            parking,
            printer_since: Duration::ZERO,
            now: Duration::ZERO,
            accepted: 0,
            last: Vec::new(),
            events: Vec::new(),
            checkpoint: None,
        };
        print.wait_ready();
        print.accepted = 0;
        assert!(print.host.start(print.now, Box::new(FileSource::open(file).unwrap())));
        print
    }

    pub(crate) fn plate(&self) -> &Plate {
        self.printer.plate().unwrap()
    }

    pub(crate) fn exchange(&mut self) {
        if let Some(checkpoint) = self.host.take_checkpoint(self.now) {
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
            self.accepted += 1;
            self.last.push(accepted.text);
        }
        let old = self.last.len().saturating_sub(60);
        self.last.drain(..old);
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

    /// Until it has ended, and everything that was sent is carried out.
    pub(crate) fn run_out(&mut self) {
        self.run_until(|_| false);
        let until = self.now + Duration::from_secs(60);
        while self.now < until {
            self.exchange();
        }
    }

    pub(crate) fn pause(&mut self) -> bool {
        self.host.pause(self.now);
        self.gather_events();
        let paused = self.run_until(|print| print.events.last() == Some(&JobEvent::Paused));
        // What it is doing is written down.
        self.exchange();
        paused
    }

    pub(crate) fn ask_to_pause(&mut self) {
        self.host.pause(self.now);
        self.gather_events();
    }

    pub(crate) fn resume(&mut self) {
        self.host.resume(self.now);
        self.gather_events();
    }

    pub(crate) fn cancel(&mut self) {
        self.host.stop(self.now, End::Cancelled);
        self.gather_events();
    }

    /// The host is killed, and another one goes on with its job.
    pub(crate) fn kill_host(&mut self) {
        self.new_host(false);
    }

    pub(crate) fn lose_power(&mut self, loss: Loss) {
        if loss == Loss::Host {
            self.now += Duration::from_secs(40);
            self.printer.advance(self.now - self.printer_since);
            self.printer.take_accepted();
        } else {
            let plate = self.printer.take_plate(self.now - self.printer_since).unwrap();
            self.printer = Firmware::restarted(self.config.clone(), 1);
            self.printer.put_plate(plate);
            self.printer_since = self.now;
        }
        if loss != Loss::Printer {
            self.new_host(true);
        }
        // A host that has lost nothing of what it wrote down goes on with a printer that was not reset.
        let goes_on = |print: &Self| loss == Loss::Host && !print.host.is_attaching();
        let ended = |print: &Self| matches!(print.events.last(), Some(JobEvent::Stopped(_)));
        while !ended(self) && !self.host.is_ready() && !goes_on(self) {
            self.exchange();
        }
    }

    fn new_host(&mut self, after_power_loss: bool) {
        let checkpoint = self.checkpoint.clone().filter(|checkpoint| !checkpoint.is_untouched());
        let Some(checkpoint) = checkpoint else {
            self.host = Host::new(self.now, self.parking.clone());
            return;
        };
        // As it is kept: through its text.
        let text = serde_json::to_string(&checkpoint).unwrap();
        let checkpoint: Checkpoint = serde_json::from_str(&text).unwrap();
        let source = FileSource::open_at(&self.file, checkpoint.read_to(), checkpoint.layer()).unwrap();
        self.host =
            Host::attach(self.now, self.parking.clone(), checkpoint, Box::new(source), after_power_loss);
    }

    pub(crate) fn cut_off(&self) -> Option<CutOff> {
        match self.events.last() {
            Some(JobEvent::Stopped(End::CutOff(cut_off))) => Some(cut_off.clone()),
            _ => None,
        }
    }

    /// Where a person has it go on: at the layer at whose height the nozzle is seen.
    pub(crate) fn point(&self, cut_off: &CutOff) -> Result<LayerPoint, String> {
        let open = || std::io::BufReader::new(std::fs::File::open(&self.file).unwrap());
        let found = layers(open(), cut_off.extruder_rule);
        let machine = Machine { dialect: None, area: self.host.firmware().area };
        let offered =
            return_plan::choices(&found, cut_off, machine).map_err(|refusal| refusal.to_string())?;
        let [.., z] = self.plate().nozzle_mm();
        let seen = offered.iter().find(|layer| cut_off.parked || (layer.height_mm - z).abs() < 0.02);
        let number = seen.ok_or("it stands at no layer's height")?.layer;
        let layer = found.unwrap().into_iter().find(|layer| layer.number == number).unwrap();
        let before = before(open(), cut_off.extruder_rule, &layer).unwrap();
        return_plan::point(&layer, cut_off, before).map_err(|refusal| refusal.to_string())
    }

    pub(crate) fn begin_return(&mut self, point: &LayerPoint) {
        self.events.clear();
        self.checkpoint = None;
        self.last.clear();
        let source = FileSource::open_at(&self.file, point.read_to, Some(point.layer)).unwrap();
        assert!(self.host.start_at(self.now, Box::new(source), point));
    }

    /// What the plate has seen, and what was done last.
    pub(crate) fn story(&self) -> String {
        let plate = self.plate();
        format!(
            "{} contacts:\n{:#?}\nevents {:?}\nlast accepted {:#?}",
            plate.contact_count(),
            plate.contacts().iter().take(3).collect::<Vec<_>>(),
            self.events,
            self.last
        )
    }
}
