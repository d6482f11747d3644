//! What a run is made of.

use std::time::Duration;

use crate::dice::Dice;
use crate::faults::{Fault, Rates};

/// What else happens to the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    None,
    Pause,
    Cancel,
    /// The printer, while no host is there.
    Reset,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) rates: Rates,
    pub(crate) turn: Turn,
    /// Whose firmware.
    pub(crate) profile: &'static str,
    pub(crate) baud: u32,
    pub(crate) latency: Duration,
    pub(crate) advanced_ok: bool,
    pub(crate) emergency_parser: bool,
    /// This firmware throws away what it has received when it rejects a line.
    pub(crate) empties_buffer: bool,
    pub(crate) second_job: bool,
    pub(crate) file: Vec<String>,
}

/// Firmwares that look at line numbers.
const COUNTING: [&str; 10] = [
    "marlin",
    "marlin-advanced-ok",
    "marlin-no-emergency-parser",
    "marlin-wait",
    "marlin-avr",
    "prusa",
    "repetier",
    "malyan",
    "ultimaker2",
    "creality",
];

/// Others.
pub(crate) const NOT_COUNTING: [&str; 3] = ["reprapfirmware", "klipper", "teacup"];

impl Plan {
    pub(crate) fn new(seed: u64, bad_line: bool, turn: Turn) -> Self {
        let mut dice = Dice::new(seed);
        let rates = if bad_line {
            let all = if seed % 3 == 0 { 10_000 } else { 1 + dice.below(10_000) };
            let chosen: Vec<Fault> = Fault::ALL.into_iter().filter(|_| dice.coin()).collect();
            let each = u32::try_from(all / chosen.len().max(1)).unwrap();
            Rates(chosen.into_iter().map(|fault| (fault, each)).collect())
        } else {
            Rates::default()
        };
        Self {
            seed,
            rates,
            turn,
            profile: COUNTING[usize::try_from(seed).unwrap() % COUNTING.len()],
            baud: [115_200, 250_000, 1_000_000][dice.below(3)],
            latency: Duration::from_micros([0, 500, 2_000, 16_000][dice.below(4)]),
            advanced_ok: dice.coin(),
            emergency_parser: dice.coin(),
            empties_buffer: dice.coin(),
            second_job: dice.below(4) == 0,
            file: file(&mut dice),
        }
    }
}

/// What only the file says, and no script of the host: its commands are told apart by that.
pub(crate) fn is_of_file(text: &str) -> bool {
    (text.starts_with("G1 X") || text.starts_with("G2 X")) && text.contains(" E")
        || ["M117 ", "M204 ", "G4 ", "G28"].iter().any(|code| text.starts_with(code))
}

fn file(dice: &mut Dice) -> Vec<String> {
    let mut file: Vec<String> = ["G21", "G90", "M82", "G92 E0"].map(String::from).to_vec();
    if dice.coin() {
        file.extend(["M140 S45", "M104 S180", "G28", "M109 S180"].map(String::from));
    }
    let mut e = 0.0;
    for at in 0..60 + dice.below(300) {
        let [x, y] = [dice.below(2000), dice.below(2000)].map(|at| at as f64 / 10.0);
        e += dice.below(100) as f64 / 1000.0;
        file.push(match dice.below(50) {
            0 => format!("M106 S{}", dice.below(256)),
            1 => {
                e = 0.0;
                "G92 E0".to_owned()
            }
            2 => format!("G4 P{}", dice.below(2000)),
            3 => format!("M117 layer {at} half"),
            4 => format!("M204 P{}", 500 + dice.below(1000)),
            5 => "M220 S100".to_owned(),
            6 => format!("G1 Z{}", 1.0 + at as f64 / 100.0),
            7 => format!("G2 X{x} Y{y} I5 J{} E{e:.5}", dice.below(9)),
            _ => format!("G1 X{x} Y{y} E{e:.5} F{}", 3000 + dice.below(6000)),
        });
    }
    file.push("M107".into());
    file
}
