//! Any number of odd files: what the printer carries out for each is what stands in it, or the file is refused at a line
//! that really can't arrive. No print may be lost, and nothing changed in silence.
//!
//! Each file is made from one number. `STARDUST_RUNS=10000` does so many, `STARDUST_SEED=7` that one.

use std::collections::HashMap;

use firmware_sim::faults::FaultPlan;
use stardust_agent::print_job::admission::Refusal;
use stardust_agent::serial::JobEvent;
use stardust_agent::serial::dialect::Dialect;

use crate::PROFILES;
use crate::bench::Bench;
use crate::odd_lines::{Dice, Due, OddLine, odd_line};
use crate::refusals::may_be_refused;
use crate::same_words::same_words;

const RUNS: u64 = 500;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// How a file fared.
#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
enum Fared {
    Printed,
    Refused,
}

#[test]
fn no_odd_file_is_lost_or_changed() {
    let seeds = match number("STARDUST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("STARDUST_RUNS").unwrap_or(RUNS),
    };
    let (mut fared, count) = (HashMap::<Fared, u64>::new(), seeds.end - seeds.start);
    for seed in seeds {
        *fared.entry(run(seed)).or_default() += 1;
    }
    println!("{count} files: {fared:?}");
    if count >= RUNS {
        for how in [Fared::Printed, Fared::Refused] {
            assert!(fared.get(&how).is_some_and(|some| some * 5 > count), "{fared:?} of {count}");
        }
    }
}

fn run(seed: u64) -> Fared {
    let mut dice = Dice::new(seed + 1);
    let (profile, dialect) = PROFILES[seed as usize % PROFILES.len()];
    let lines: Vec<OddLine> = (0..1 + dice.below(10)).map(|_| odd_line(&mut dice)).collect();
    let ends = ["\n", "\r\n"];
    let mut file = b"G28\n".to_vec();
    for line in &lines {
        file.extend_from_slice(&line.bytes);
        file.extend_from_slice(dice.one_of(&ends).as_bytes());
    }
    let what = || format!("seed {seed} on {profile}:\n{}", String::from_utf8_lossy(&file));
    let mut bench = Bench::connect(profile, &FaultPlan::none(), seed);
    let before = bench.carried_out();
    let (end, pauses) = match bench.print(&file) {
        Ok(printed) => printed,
        Err(refusal) => {
            let Refusal::Unsendable { line, .. } = &refusal else { panic!("{refusal}: {}", what()) };
            let line = &lines[*line as usize - 2];
            assert!(may_be_refused(line, dialect), "{refusal}: {line:?}: {}", what());
            assert_eq!(bench.carried_out(), before, "refused before the start: {}", what());
            return Fared::Refused;
        }
    };
    assert_eq!(end, JobEvent::Completed, "{}\n{}", what(), bench.story("lost"));
    bench.settle();
    let due: Vec<&Due> = lines.iter().map(|line| &line.due).filter(|due| **due != Due::Nothing).collect();
    assert_eq!(pauses, due.iter().filter(|due| ***due == Due::Pause).count(), "{}", what());
    let carried_out = bench.carried_out_of_the_file();
    let mut names = HashMap::new();
    let mut rest = carried_out.iter();
    assert_eq!(rest.next().map(String::as_str), Some("G28"), "{}", what());
    let mut others = 0;
    for due in due {
        if *due == Due::Pause {
            // What a pause is made of stands between; it is the same for all.
            others = 40;
            continue;
        }
        let found = rest.by_ref().take(1 + others).any(|text| is(due, text, dialect, &mut names));
        assert!(found, "{due:?} is not carried out: {carried_out:#?}\n{}", what());
    }
    assert!(rest.len() <= others, "more than the file has: {carried_out:#?}\n{}", what());
    let two = names.values().collect::<std::collections::HashSet<_>>().len();
    assert_eq!(two, names.len(), "two names have become one: {names:?}\n{}", what());
    Fared::Printed
}

/// Whether this is what was due. Names are remembered: what they were sent as.
fn is(due: &Due, text: &str, dialect: Dialect, names: &mut HashMap<String, String>) -> bool {
    match due {
        Due::Exactly(expected) => text == expected,
        Due::Message(expected) => same_words(expected, text, dialect),
        Due::Named(command, name) => {
            let Some(sent) = text.strip_prefix(command.as_str()) else { return false };
            let before = names.entry(name.clone()).or_insert_with(|| sent.to_owned());
            before == sent && (sent == name || !name.is_ascii()) && sent.is_ascii()
        }
        Due::Nothing | Due::Pause | Due::Refusal => false,
    }
}
