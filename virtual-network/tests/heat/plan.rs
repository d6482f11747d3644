//! What a run is made of.

use std::time::Duration;

use firmware_sim::firmware::Config;
use firmware_sim::profile::{LineSettings, Profile};

use crate::dice::Dice;

/// A part of the rule that is left out, to see that its absence is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// What the journal says of heat is gone with each process.
    ForgetsTheDebt,
    /// The order to make safe does not reach the port.
    IgnoresOrders,
    /// A debt is crossed out when a job has ended, without reading anything back.
    BelievesItself,
    /// What a person has heated has no end.
    PreheatsForEver,
    /// The bed of an interrupted print stays warm longer than the settings say.
    KeepsBedWarm,
    /// What is owed at another port is read back at the one that the settings name.
    BelievesTheSettings,
    /// A stop at once that was sent counts as taken: nothing that the printer says behind it is looked at.
    BelievesTheStop,
    /// The agent does not learn that its credential was taken away: it is as if the hub were away.
    IsNotTold,
    /// What was heated that the printer does not tell of is not known to the next process.
    ForgetsTheChamber,
    /// What waits for a person keeps its nozzle hot.
    WaitsHot,
}

impl Broken {
    pub(crate) const ALL: [Self; 10] = [
        Self::ForgetsTheDebt,
        Self::IgnoresOrders,
        Self::BelievesItself,
        Self::PreheatsForEver,
        Self::KeepsBedWarm,
        Self::BelievesTheSettings,
        Self::BelievesTheStop,
        Self::IsNotTold,
        Self::ForgetsTheChamber,
        Self::WaitsHot,
    ];
}

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// `kill -9`, and the next process after so long.
    Killed(Duration),
    /// The host loses its power and comes back, and the printer goes on: what was not flushed is gone, or all of it is there.
    Rebooted(Duration),
    /// SIGTERM, and a start after so long.
    Stopped(Duration),
    /// It hands over to a process that can't begin its work, and only makes safe, for so long.
    HandedOver(Duration),
    /// The cable is out for so long.
    Unplugged(Duration),
    /// The cable of the printer that the settings name is out for so long, and the other one's is not.
    OneUnplugged(Duration),
    /// `printer.toml` has a mistake for so long, and the agent is started anew.
    WrongSettings(Duration),
    /// The credential can't be read for so long, and the agent is started anew.
    NoCredential(Duration),
    /// The journal can't be read from now on, and the agent is started anew.
    NoJournal(Duration),
    /// The agent's own settings have a mistake for so long: it only makes safe. The cable is out for that long meanwhile.
    Unable(Duration, Duration),
    /// The settings name the other printer's port from now on, and the agent is started anew after so long.
    PortChanged(Duration),
    /// The hub takes the credential away; after so long there is another one, and the agent is started anew.
    Revoked(Duration),
    /// A person cancels, or gives an interrupted job up.
    Cancelled,
    Paused,
    Resumed,
    /// A person preheats the printer for so many minutes.
    Preheated(u16),
    /// A person has it cooled down.
    CooledDown,
    /// Somebody presses the button at the printer.
    Clicked,
    /// The controller starts anew.
    Reset,
    /// A person stops the printer at once, and so many times the lines of that are damaged on their way.
    StoppedAtOnce(u32),
}

/// A run.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    pub(crate) jobs: Vec<Vec<String>>,
    /// How long the bed of an interrupted print stays warm, minutes.
    pub(crate) keep_bed_warm: u16,
    /// What happens, and how long after what happened before.
    pub(crate) troubles: Vec<(Duration, Trouble)>,
    pub(crate) broken: Option<Broken>,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1);
        let name = Profile::NAMES[usize::try_from(seed).unwrap() % Profile::NAMES.len()].name;
        let build = Profile::named(name).unwrap().config;
        let is_marlin = name.starts_with("marlin");
        let tools = if is_marlin { 1 + u8::try_from(dice.below(3)).unwrap() } else { 1 };
        let has_chamber = match is_marlin {
            true => dice.percent(40),
            // Most of these do not tell of it.
            false => Dice::new(seed, 5).percent(40),
        };
        let chamber_max_c = has_chamber.then_some(70.0);
        let config = Config { tools, chamber_max_c, ..build };
        let line = LineSettings { baud: Some(250_000), latency: Duration::from_micros(500) };
        let keep_bed_warm = if dice.percent(50) { 1 + u16::try_from(dice.below(15)).unwrap() } else { 0 };
        let count = if dice.percent(10) { 0 } else { 1 + dice.below(2) };
        let generic = config.generic_heater.clone().filter(|_| Dice::new(seed, 7).percent(60));
        let file = |dice: &mut Dice| {
            let mut file = file(dice, tools, chamber_max_c.is_some());
            if let Some(heater) = &generic {
                file.insert(0, format!("SET_HEATER_TEMPERATURE HEATER={heater} TARGET=50"));
            }
            file
        };
        let jobs = (0..count).map(|_| file(&mut dice)).collect();
        let mut troubles: Vec<_> =
            (0..1 + dice.below(5)).map(|_| (dice.seconds(1, 200), trouble(&mut dice))).collect();
        // Of its own: what there was before stays as it was.
        let mut dice = Dice::new(seed, 2);
        if dice.percent(35) {
            let damaged = u32::try_from(dice.below(8)).unwrap();
            let at = usize::try_from(dice.below(troubles.len() as u64 + 1)).unwrap();
            troubles.insert(at, (dice.seconds(1, 200), Trouble::StoppedAtOnce(damaged)));
        }
        let mut dice = Dice::new(seed, 3);
        if dice.percent(25) {
            for _ in 0..1 + dice.below(2) {
                let at = usize::try_from(dice.below(troubles.len() as u64 + 1)).unwrap();
                let away = dice.seconds(0, 90);
                troubles.insert(at, (dice.seconds(1, 200), Trouble::PortChanged(away)));
            }
        }
        troubles.extend(taken_away(seed));
        let (jobs, troubles) = with_waits(seed, jobs, troubles);
        let (jobs, troubles) = at_two_ports(seed).map_or((jobs, troubles), |troubles| (Vec::new(), troubles));
        let profile = Profile { config, line, speed: 1.0 };
        Self { seed, profile, jobs, keep_bed_warm, troubles, broken: None }
    }
}

/// In some runs the firmware is made to wait for a person by each file, and now and then somebody presses its button.
fn with_waits(
    seed: u64,
    mut jobs: Vec<Vec<String>>,
    mut troubles: Vec<(Duration, Trouble)>,
) -> (Vec<Vec<String>>, Vec<(Duration, Trouble)>) {
    let mut dice = Dice::new(seed, 6);
    if !dice.percent(30) {
        return (jobs, troubles);
    }
    for job in &mut jobs {
        let begun = job.iter().position(|line| line == ";LAYER:0").unwrap_or_default() + 2;
        let at = begun + usize::try_from(dice.below((job.len() - begun) as u64)).unwrap();
        job.insert(at, if dice.percent(70) { "M600" } else { "M0 Change the filament" }.into());
    }
    for _ in 0..dice.below(3) {
        let at = usize::try_from(dice.below(troubles.len() as u64 + 1)).unwrap();
        troubles.insert(at, (dice.seconds(1, 300), Trouble::Clicked));
    }
    (jobs, troubles)
}

/// In some runs nobody prints: people heat the printers at both ports, one after the other, and cables and settings change. A job
/// that begins at the one port would say that the printer is there.
fn at_two_ports(seed: u64) -> Option<Vec<(Duration, Trouble)>> {
    let mut dice = Dice::new(seed, 4);
    if !dice.percent(15) {
        return None;
    }
    let heat = |dice: &mut Dice| Trouble::Preheated(5 + u16::try_from(dice.below(20)).unwrap());
    let mut troubles = vec![(dice.seconds(20, 60), heat(&mut dice))];
    for _ in 0..4 + dice.below(7) {
        let trouble = match dice.below(9) {
            0 | 1 => heat(&mut dice),
            2 | 3 => Trouble::OneUnplugged(dice.seconds(20, 900)),
            4 | 5 => Trouble::PortChanged(dice.seconds(0, 60)),
            6 => Trouble::CooledDown,
            7 => Trouble::Killed(dice.seconds(0, 60)),
            _ => Trouble::StoppedAtOnce(u32::try_from(dice.below(8)).unwrap()),
        };
        troubles.push((dice.seconds(2, 90), trouble));
    }
    Some(troubles)
}

/// In some runs the printer is taken out of the hub in the end, perhaps while it is heated.
fn taken_away(seed: u64) -> Vec<(Duration, Trouble)> {
    let mut dice = Dice::new(seed, 2);
    if !dice.percent(30) {
        return Vec::new();
    }
    let minutes = 10 + u16::try_from(dice.below(10)).unwrap();
    let heated = (dice.seconds(1, 100), Trouble::Preheated(minutes));
    vec![heated, (dice.seconds(2, 100), Trouble::Revoked(dice.seconds(1, 400)))]
}

fn trouble(dice: &mut Dice) -> Trouble {
    let away = dice.seconds(0, 90);
    match dice.below(19) {
        0..=2 => Trouble::Killed(away),
        3 => Trouble::Rebooted(away),
        4 => Trouble::Stopped(away),
        5 => Trouble::HandedOver(away),
        6 | 7 => Trouble::Unplugged(away),
        8 => Trouble::WrongSettings(away),
        9 => Trouble::NoCredential(away),
        10 => Trouble::NoJournal(away),
        11 => Trouble::Cancelled,
        12 => {
            if dice.percent(50) {
                Trouble::Paused
            } else {
                Trouble::Resumed
            }
        }
        13 | 14 => Trouble::Reset,
        15 => Trouble::CooledDown,
        16 => Trouble::Unable(dice.seconds(0, 400), dice.seconds(0, 300)),
        _ => Trouble::Preheated(1 + u16::try_from(dice.below(20)).unwrap()),
    }
}

/// A short print that heats what there is; many have no end, or one that does not turn all of it off.
fn file(dice: &mut Dice, tools: u8, chamber: bool) -> Vec<String> {
    let mut file: Vec<String> = vec!["M140 S60".into()];
    for tool in 0..tools {
        file.push(format!("M104 T{tool} S{}", 190 + 10 * u32::from(tool)));
    }
    if chamber {
        file.push("M141 S45".into());
    }
    file.push("G28".into());
    // Waits of minutes, and of none.
    match dice.below(3) {
        0 => file.extend(["M190 S60".into(), "M109 T0 S190".into()]),
        1 => file.push("M109 T0 S190".into()),
        _ => {}
    }
    file.extend(["M83", ";LAYER:0", "G1 Z0.2 F600"].map(String::from));
    for at in 0..40 + dice.below(120) {
        file.push(format!("G1 X{} Y{} E0.02 F1200", 20 + at % 7 * 10, 20 + at % 5 * 12));
        if at % 20 == 19 {
            file.push(format!(";LAYER:{}", at / 20 + 1));
            file.push(format!("G1 Z{:.1} F600", 0.2 + at as f64 / 100.0));
        }
    }
    match dice.below(4) {
        0 => {}
        1 => file.push("print_end".into()),
        2 => file.push("M104 S0".into()),
        _ => {
            file.extend((0..tools).map(|tool| format!("M104 T{tool} S0")));
            file.extend(["M140 S0", "M107", "M84"].map(String::from));
        }
    }
    file
}
