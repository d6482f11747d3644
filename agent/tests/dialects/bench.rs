//! One host and one simulated printer of a family, on a virtual clock.

use std::collections::VecDeque;
use std::io::Cursor;
use std::path::Path;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::firmware::Config;
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::{Accepted, VirtualPrinter};
use stardust_agent::print_job::admission::{self, Refusal};
use stardust_agent::print_job::briefed::Briefed;
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::serial::{Brief, CommandSource, Fed, Host, HostEvent, JobEvent, Parking, Stage};
use stardust_gcode::command::parse;

/// What the host sends by itself: questions, numbered where the firmware wants everything numbered, and what it tells
/// the printer of a job whose file does not.
const OWN: [&str; 9] = ["M105", "M400", "M110", "M27", "M113", "M155", "M73", "M85", "M117"];

/// A printer and its host.
pub(crate) struct Bench {
    pub(crate) host: Host,
    pub(crate) printer: VirtualPrinter,
    name: String,
    now: Duration,
    events: Vec<HostEvent>,
    log: VecDeque<String>,
    /// All that was sent to the printer.
    sent: String,
    /// Every line to the printer that holds this text is damaged on its way.
    pub(crate) spoils: Option<&'static str>,
}

impl Bench {
    /// Powers the printer up and connects; returns when the host is ready.
    pub(crate) fn connect(profile: &str, plan: &FaultPlan, seed: u64) -> Self {
        let name = format!("{profile}, {plan:?}, seed {seed}");
        let mut bench = Self::power_up(name, Profile::named(profile).unwrap(), plan, seed);
        bench.run_until("ready", |bench| bench.host.is_ready());
        bench
    }

    /// The same with a firmware of a build of its own.
    pub(crate) fn connect_to(profile: &str, plan: &FaultPlan, build: impl FnOnce(&mut Config)) -> Self {
        let mut bench = Self::greet(profile, plan, build);
        bench.run_until("ready", |bench| bench.host.is_ready());
        bench
    }

    /// The same, and nobody waits until it is ready.
    pub(crate) fn greet(profile: &str, plan: &FaultPlan, build: impl FnOnce(&mut Config)) -> Self {
        let mut printer = Profile::named(profile).unwrap();
        build(&mut printer.config);
        Self::power_up(format!("{profile}, {:?}, {plan:?}", printer.config), printer, plan, 1)
    }

    /// Somebody has started a print of so many bytes at the panel before the host connects. Returns when the host
    /// has had its first words with the firmware.
    pub(crate) fn connect_to_one_that_prints(bytes: u64) -> Self {
        let mut profile = Profile::named("marlin").unwrap();
        profile.config.prints_from_card = Some(bytes);
        let mut bench = Self::power_up("prints from its card".into(), profile, &FaultPlan::none(), 1);
        bench.run_until("a connection", |bench| bench.events.contains(&HostEvent::Ready));
        bench
    }

    fn power_up(name: String, mut profile: Profile, plan: &FaultPlan, seed: u64) -> Self {
        profile.line = LineSettings { baud: Some(115_200), latency: Duration::from_micros(500) };
        Self {
            host: Host::new(Duration::ZERO, Parking::default()),
            printer: VirtualPrinter::new(profile, plan, seed),
            name,
            now: Duration::ZERO,
            events: Vec::new(),
            log: VecDeque::new(),
            sent: String::new(),
            spoils: None,
        }
    }

    /// Starts a print.
    pub(crate) fn start(&mut self, file: &[String]) {
        assert!(self.try_start(file), "{}", self.story("the host takes no job"));
    }

    /// Looks a file through, as it is, and prints it to its end; where it asks for a pause, it is gone on with at once.
    /// Returns how it ended and how often it paused.
    pub(crate) fn print(&mut self, file: &[u8]) -> Result<(JobEvent, usize), Refusal> {
        self.admit(file, false)?;
        let mut pauses = 0;
        loop {
            self.run_until("the end of the job or a pause", |bench| {
                bench.host.progress().is_none_or(|(stage, ..)| stage == Stage::Paused)
            });
            if self.host.progress().is_none() {
                return Ok((self.finish(), pauses));
            }
            pauses += 1;
            self.resume();
        }
    }

    /// Looks a file through, as it is, and starts it. `cut_off`: a person has said that it may be printed although its end
    /// is missing.
    pub(crate) fn admit(&mut self, file: &[u8], cut_off: bool) -> Result<(), Refusal> {
        let dialect = self.host.firmware().dialect;
        let printer = stardust_agent::print_job::profile::Profile::default().read_by(Some(dialect));
        let brief = Brief { cut_off, ..admission::check(file, &printer)?.brief };
        let source = FileSource::new(Cursor::new(file.to_vec()));
        assert!(self.host.start(self.now, Box::new(Briefed::new(source, brief))));
        Ok(())
    }

    /// Whether the host's thermometer says of every heater what it is set to, at the printer.
    pub(crate) fn reads_what_is_set(&self) -> bool {
        let (set, read) = (self.printer.targets(), self.host.thermometer());
        let nozzles: Vec<Option<f64>> = read.tools.values().map(|heat| heat.target).collect();
        nozzles == set.nozzles.iter().copied().map(Some).collect::<Vec<_>>()
            && read.bed.and_then(|bed| bed.target) == Some(set.bed)
            && read.chamber.and_then(|chamber| chamber.target) == set.chamber
    }

    /// Until the printer has carried out this command of the job.
    pub(crate) fn carries_out(&mut self, command: &str) {
        self.run_until(command, |bench| bench.carried_out().iter().any(|(_, text)| text == command));
    }

    /// Somebody presses the button at the printer.
    pub(crate) fn click(&mut self) {
        self.printer.click(self.now);
    }

    /// What the printer has carried out since the job's numbering began, and when: the file's own messages, too, but
    /// none of the lines that the host sends by itself.
    pub(crate) fn carried_out(&self) -> Vec<(Duration, String)> {
        let all = self.printer.accepted();
        let code = |text: &str| text.split([' ', 'S']).next().unwrap_or_default().to_owned();
        let start = all.iter().rposition(|one| code(&one.text) == "M110").map_or(0, |at| at + 1);
        let own = |text: &str| match code(text).as_str() {
            // How far it is: `M117 12 % 3 min left`.
            "M117" => text.split(' ').nth(2) == Some("%"),
            code => OWN.contains(&code),
        };
        let job = all[start..].iter().filter(|one| one.number.is_some() && !own(&one.text));
        job.map(|one| (one.at, self.with_comment(one))).collect()
    }

    /// The same without what the host sends behind a job whose words may have heated something.
    pub(crate) fn carried_out_of_the_file(&self) -> Vec<String> {
        let mut all: Vec<String> = self.carried_out().into_iter().map(|(_, text)| text).collect();
        let off = ["TURN_OFF_HEATERS", "M104 S0", "M140 S0", "M107"];
        if all.ends_with(&off.map(str::to_owned)) {
            all.truncate(all.len() - off.len());
        }
        all
    }

    /// A command together with what its line had in parentheses behind it, for firmware to which that is comment.
    fn with_comment(&self, one: &Accepted) -> String {
        let head = format!("N{} {} (", one.number.unwrap_or_default(), one.text);
        let line = self.sent.lines().rev().find(|line| line.starts_with(&head));
        let comment = line.and_then(|line| line.rsplit_once('*')?.0.get(head.len() - 1..));
        comment.map_or_else(|| one.text.clone(), |comment| format!("{} {comment}", one.text))
    }

    /// False: the host takes none now.
    pub(crate) fn try_start(&mut self, file: &[String]) -> bool {
        self.host.start(self.now, source(file))
    }

    /// Until there is no job any more: how it ended.
    pub(crate) fn finish(&mut self) -> JobEvent {
        self.run_until("the end of the job", |bench| bench.host.progress().is_none());
        let ends = self.events.iter().rev().filter_map(|event| match event {
            HostEvent::Job(end @ (JobEvent::Completed | JobEvent::Stopped(_))) => Some(end.clone()),
            _ => None,
        });
        ends.clone().next().unwrap_or_else(|| panic!("{}", self.story("a job without an end")))
    }

    pub(crate) fn pause(&mut self) {
        self.host.pause(self.now);
        self.run_until("paused", |bench| {
            bench.host.progress().is_some_and(|(stage, ..)| stage == Stage::Paused)
        });
    }

    pub(crate) fn resume(&mut self) {
        self.host.resume(self.now);
    }

    pub(crate) fn stop(&mut self, end: stardust_agent::serial::End) {
        self.host.stop(self.now, end);
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        self.run_until("time to pass", |bench| bench.now >= until);
    }

    /// Until so many commands of the print have been accepted.
    pub(crate) fn printed_so_many(&mut self, count: usize) {
        self.run_until("the print to get so far", |bench| {
            assert!(bench.host.progress().is_some(), "{}", bench.story("the job has ended"));
            bench.printed().len() >= count
        });
    }

    /// Until the printer has carried out all that it has taken.
    pub(crate) fn settle(&mut self) {
        self.wait(Duration::from_secs(60));
    }

    /// The commands accepted with a number since the job's numbering began, without the host's own.
    pub(crate) fn printed(&self) -> Vec<String> {
        let all = self.printer.accepted();
        let is = |text: &str, code: &str| text.split([' ', 'S']).next() == Some(code);
        let start = all.iter().rposition(|one| is(&one.text, "M110")).map_or(0, |at| at + 1);
        let own = |text: &str| OWN.iter().any(|code| is(text, code));
        let job = all[start..].iter().filter(|one| one.number.is_some() && !own(&one.text));
        job.map(|one| one.text.clone()).collect()
    }

    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        for _ in 0..500_000 {
            if done(self) {
                return;
            }
            self.exchange();
        }
        panic!("{}", self.story(&format!("waited in vain for {what}")));
    }

    fn exchange(&mut self) {
        let output = self.host.take_output();
        let output = self.spoiled(output);
        self.sent.push_str(&String::from_utf8_lossy(&output));
        self.note(">", &output);
        self.printer.receive(&output, self.now);
        let due = [self.printer.next_deadline(), self.host.deadline()].into_iter().flatten().min();
        // A microsecond: a deadline that is not met yet must not stop the clock.
        self.now = due.unwrap_or(self.now + Duration::from_secs(1)).max(self.now + Duration::from_micros(1));
        self.printer.advance(self.now);
        let heard = self.printer.output(self.now);
        self.note("<", &heard);
        if heard.is_empty() {
            self.host.tick(self.now);
        } else {
            self.host.receive(self.now, &heard);
        }
        while let Some(event) = self.host.next_event() {
            self.events.push(event);
        }
    }

    fn spoiled(&self, mut output: Vec<u8>) -> Vec<u8> {
        let Some(text) = self.spoils else { return output };
        let at = output.windows(text.len()).position(|window| window == text.as_bytes());
        if let Some(byte) = at.and_then(|at| output.get_mut(at + text.len() - 1)) {
            *byte ^= 2;
        }
        output
    }

    pub(crate) fn now(&self) -> Duration {
        self.now
    }

    pub(crate) fn story(&self, what: &str) -> String {
        let log: Vec<&str> = self.log.iter().map(String::as_str).collect();
        format!("{}: {what}\n{}\n{:?}\n{:?}", self.name, log.join("\n"), self.host, self.events)
    }

    fn note(&mut self, direction: &str, bytes: &[u8]) {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.log.push_back(format!("{:10.4} {direction} {line}", self.now.as_secs_f64()));
            if self.log.len() > 60 {
                self.log.pop_front();
            }
        }
    }
}

/// The beginning of a real print, heating included, and a slicer's end.
pub(crate) fn file(count: usize) -> Vec<String> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode/cura_teapot_ender3_marlin.gcode");
    let text = std::fs::read_to_string(path).unwrap();
    let bare = text.lines().map(|line| line.split(';').next().unwrap_or_default().trim());
    let mut file: Vec<String> =
        bare.filter(|line| !line.is_empty() && !OWN.contains(line)).take(count).map(str::to_owned).collect();
    file.extend(["M104 S0", "M140 S0", "M107", "M84"].map(str::to_owned));
    file
}

fn source(file: &[String]) -> Box<dyn CommandSource> {
    let mut end = 0;
    let fed = file.iter().map(|text| {
        end += text.len() as u64 + 1;
        Fed { command: parse(text.as_bytes()).unwrap().into_owned(), end, layer: None }
    });
    Box::new(fed.collect::<VecDeque<_>>())
}
