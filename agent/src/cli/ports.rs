//! `stardust-agent ports`: what a person may name with `--port`.

use std::process::ExitCode;

use super::{Failure, say};
use crate::port::{DeviceTree, listing};

/// Lists the ports, one a line.
pub(super) fn run() -> Result<ExitCode, Failure> {
    let ports = listing::list(&DeviceTree::default());
    if ports.is_empty() {
        say("No serial port found. Connect the printer by USB and switch it on.");
    }
    for port in ports {
        let mut line = port.path.clone();
        if port.path != port.device {
            line.push_str(&format!("  ({})", port.device));
        }
        if let Some(description) = &port.description {
            line.push_str(&format!("  {description}"));
        }
        say(&line);
    }
    Ok(ExitCode::SUCCESS)
}
