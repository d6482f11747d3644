//! `stardust-agent doctor [--port PATH]`: what stands in the way of printing, and what to do about it.
//!
//! Owns: the checks and their sentences. Must not know: the protocol.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use stardust_clock::SharedClock;

use super::{DoctorArguments, Failure, say};
use crate::port::connect::{SpeedMemory, connect};
use crate::port::{latency_ms, listing};
use crate::printer::folder::PrinterFolder;

/// An adapter that waits longer slows printing down, ms.
const SLOW_MS: u32 = 2;

/// Looks at the named port, or at those of all paired printers.
pub(super) async fn run(
    options: &DoctorArguments,
    data: &Path,
    clock: SharedClock,
) -> Result<ExitCode, Failure> {
    let paired = || {
        let configs = PrinterFolder::all(data).into_iter().filter_map(|folder| folder.load().ok());
        configs.map(|(config, _)| (config.port, Some(config.baud))).collect::<Vec<_>>()
    };
    let ports: Vec<(PathBuf, Option<u32>)> = match &options.port {
        Some(port) => vec![(port.clone(), options.baud)],
        None => paired(),
    };
    if ports.is_empty() {
        let found: Vec<String> = listing::list().into_iter().map(|port| port.path).collect();
        return Err(match found.as_slice() {
            [] => {
                "No printer is paired, and no serial port found: connect the printer by USB and switch it on."
                    .into()
            }
            found => format!("No printer is paired. Name the port: --port {}", found.join(" or --port ")),
        });
    }
    let mut healthy = true;
    for (port, baud) in ports {
        healthy &= examine(&port, baud, data, &clock).await;
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// False when the printer can't print.
async fn examine(path: &Path, baud: Option<u32>, data: &Path, clock: &SharedClock) -> bool {
    say(&format!("{}:", path.display()));
    let began = clock.elapsed();
    let (port, speed) = match connect(path, baud, &SpeedMemory::new(data), clock).await {
        Ok(connected) => connected,
        Err(error) => {
            say(&format!("  fault    {error}"));
            return false;
        }
    };
    let took = (clock.elapsed() - began).as_secs_f64();
    say("  ok       the port can be opened, and no other program uses it");
    say(&format!("  ok       the printer answers at {speed} baud (after {took:.1} s)"));
    match latency_ms(path) {
        Some(ms) if ms > SLOW_MS => say(&format!(
            "  warning  the USB adapter holds every answer back for {ms} ms: let the agent's user write its \
             latency_timer (the udev rule of the package does), or write 1 to it"
        )),
        Some(ms) => say(&format!("  ok       the USB adapter answers within {ms} ms")),
        None => say("  ok       the port has no latency timer"),
    }
    let view = port.view.borrow().clone();
    match &view.firmware {
        Some(name) => say(&format!("  ok       firmware: {name}")),
        None => say("  warning  the firmware does not say what it is (M115): it is treated as Marlin"),
    }
    match &view.warning {
        Some(warning) => say(&format!("  warning  {warning}")),
        None => say("  ok       nothing is known against its thermal protection"),
    }
    if !view.can_interrupt {
        say(
            "  warning  the firmware has no EMERGENCY_PARSER: a cancel waits until heating or homing is over",
        );
    }
    true
}
