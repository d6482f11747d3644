//! Any bytes from a printer, in any rhythm, into the whole host while it prints: no panic, no busy loop, and
//! never a byte to the printer that is not a line of printable text.
#![no_main]

use std::collections::VecDeque;
use std::time::Duration;

use stardust_fuzz::serial::{Fed, Host, Parking, Safety};
use stardust_gcode::command::parse;

/// How often the host may ask to be called again at once.
const PATIENCE: u32 = 100;

fn job() -> VecDeque<Fed> {
    let lines =
        ["M140 S60", "G28", "M109 S200", "G92 E0", "G1 X1 Y2 F3000", "G1 X2 E1", "G4 P100", "G1 X3", "M84"];
    let fed = |(at, line): (usize, &&str)| {
        let command = parse(line.as_bytes())?.into_owned();
        Some(Fed { command, end: at as u64 * 10, layer: None })
    };
    lines.iter().cycle().take(60).enumerate().filter_map(fed).collect()
}

fn check(output: &[u8]) {
    assert!(output.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{output:?}");
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let mut now = Duration::ZERO;
    let mut host = Host::new(now, Parking::default());
    let mut started = false;
    // A byte of what to do, then a line of what the printer says.
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let [order, said @ ..] = line else { continue };
        match order % 16 {
            0 => host.pause(now),
            1 => host.resume(now),
            2 => host.make_safe(now, Safety::AllOff),
            3 => {
                host.port_lost(now);
                host.port_opened(now);
            }
            4 => now += Duration::from_secs(3600),
            5..=8 => now = host.deadline().map_or(now, |deadline| deadline.max(now)),
            _ => now += Duration::from_millis(u64::from(*order)),
        }
        host.receive(now, said);
        if !started && host.is_ready() {
            started = host.start(now, Box::new(job()));
        }
        for turn in 0.. {
            host.tick(now);
            check(&host.take_output());
            while host.next_event().is_some() {}
            if host.deadline().is_none_or(|deadline| deadline > now) {
                break;
            }
            assert!(turn < PATIENCE, "busy at {now:?}");
        }
    }
});
