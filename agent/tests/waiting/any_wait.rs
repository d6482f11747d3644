//! Any wait, on any firmware, for any time: the nozzle is never hot for longer than the settings say.
//!
//! Each is made from one number. `STARDUST_RUNS=500` does so many, `STARDUST_SEED=7` that one.

use std::time::Duration;

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use stardust_agent::serial::{End, JobEvent, NozzleHotFor, Parking, Stage, Templates};

use crate::build;
use crate::rig::{Rig, file, file_with};

const RUNS: u64 = 25;
/// What ending a firmware's wait takes: it loads, purges and goes back; and what it says comes every two seconds.
const SLACK: Duration = Duration::from_secs(90);

const PROFILES: [&str; 10] = [
    "marlin",
    "marlin-menu",
    "marlin-no-emergency-parser",
    "marlin-wait",
    "prusa",
    "creality",
    "repetier",
    "reprapfirmware",
    "klipper",
    "malyan",
];
/// Those that say that they wait for somebody.
const TELL: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Host,
    File,
    Panel,
    Filament,
}

#[derive(Debug)]
struct Plan {
    profile: &'static str,
    kind: Kind,
    cool_after_s: u32,
    at: usize,
    /// What happens, and after how long, s.
    acts: Vec<(u64, Act)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Act {
    Resume,
    Pause,
    Cancel,
    /// The agent is killed, so many times, so many seconds after each start.
    Restarts(u32, u64),
}

impl Act {
    fn draw(dice: &mut TestRng) -> Self {
        match dice.random_range(0..8) {
            0 => Self::Cancel,
            1 | 2 => Self::Pause,
            3 => Self::Restarts(dice.random_range(1..40), dice.random_range(1..70)),
            _ => Self::Resume,
        }
    }
}

impl Plan {
    fn draw(seed: u64) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let mut dice = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let kind = [Kind::Host, Kind::File, Kind::Panel, Kind::Filament][dice.random_range(0..4)];
        let profile = match kind {
            Kind::Filament => PROFILES[dice.random_range(0..TELL)],
            Kind::Panel => PROFILES[dice.random_range(0..TELL - 1)],
            Kind::Host | Kind::File => PROFILES[dice.random_range(0..PROFILES.len())],
        };
        let acts = (0..dice.random_range(0..4))
            .map(|_| {
                // Some in the midst of the one before.
                let most = if dice.random_range(0..2) == 0 { 60 } else { 1500 };
                (dice.random_range(1..most), Act::draw(&mut dice))
            })
            .collect();
        Self { profile, kind, cool_after_s: dice.random_range(20..900), at: dice.random_range(8..300), acts }
    }

    fn file(&self) -> Vec<String> {
        match self.kind {
            Kind::Filament => file_with("M600"),
            Kind::File => file_with("M0 Look"),
            Kind::Host | Kind::Panel => file(),
        }
    }

    fn run(&self) {
        let templates = Templates {
            pause_cool_after_s: NozzleHotFor::try_from(self.cool_after_s).ok(),
            ..Templates::default()
        };
        let mut rig = Rig::ready(build(self.profile), Parking { templates, ..Parking::default() });
        let file = self.file();
        rig.start(&file);
        let at = self.at;
        match self.kind {
            Kind::Host => {
                rig.until("so far", |rig| rig.accepted.len() > at);
                rig.pause();
            }
            Kind::Panel => {
                rig.until("so far", |rig| rig.accepted.len() > at.max(40));
                rig.host.receive(rig.now, b"//action:paused\n");
                rig.until("paused", |rig| rig.stage() == Some(Stage::Paused));
            }
            Kind::File => rig.until("paused", |rig| rig.stage() == Some(Stage::Paused)),
            Kind::Filament => rig.until_carries_out("M600"),
        }
        let mut cancelled = false;
        for (after_s, act) in &self.acts {
            rig.stay_s(*after_s);
            if rig.stage().is_none() {
                break;
            }
            cancelled |= *act == Act::Cancel;
            if !matches!(act, Act::Restarts(..)) {
                rig.somebody_is_there();
            }
            match *act {
                Act::Cancel => rig.host.stop(rig.now, End::Cancelled),
                Act::Resume => rig.resume(),
                Act::Pause => rig.host.pause(rig.now),
                Act::Restarts(times, after_s) => (0..times).for_each(|_| {
                    rig.stay_s(after_s);
                    rig.restart();
                }),
            }
        }
        // And then nobody, for longer than any of the settings.
        if rig.stage().is_some() {
            rig.stay_s(1200);
        }
        let limit = Duration::from_secs(self.cool_after_s.into()) + SLACK;
        assert!(rig.longest_hot <= limit, "hot for {:?}, {self:?}\n{}", rig.longest_hot, rig.tail());
        // Somebody comes in the end, and presses whatever there is.
        while rig.stage().is_some() {
            rig.printer.click(rig.now);
            rig.resume();
            rig.stay_s(30);
        }
        // These don't count lines: nobody can go on with their print.
        let is_given_up = ["reprapfirmware", "klipper"].contains(&self.profile)
            && matches!(rig.events.last(), Some(JobEvent::Stopped(_)))
            && self.acts.iter().any(|(_, act)| matches!(act, Act::Restarts(..)));
        if is_given_up {
            rig.stay_s(60);
        }
        if cancelled || is_given_up {
            assert!(rig.printer.targets().are_off(), "{self:?}\n{}", rig.tail());
        } else {
            assert_eq!(rig.events.last(), Some(&JobEvent::Completed), "{self:?}\n{}", rig.tail());
            let file: Vec<String> = file.into_iter().filter(|line| !line.starts_with("M0 ")).collect();
            rig.finish(&file);
        }
    }
}

#[test]
fn no_wait_keeps_a_nozzle_hot_for_longer_than_the_settings_say() {
    let number = |name: &str| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let seeds = match number("STARDUST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STARDUST_RUNS").unwrap_or(RUNS),
    };
    for seed in seeds {
        let plan = Plan::draw(seed);
        println!("seed {seed}: {plan:?}");
        plan.run();
    }
}
