//! What a printer says of itself before it is paired.
//!
//! Owns: how long it is asked, and the words. A printer that is switched off just now can be paired all the same. Must
//! not know: hubs.

use std::time::Duration;

use stardust_clock::SharedClock;

use crate::port::PortPlan;
use crate::port::connect::connect;
use crate::serial::firmware::Area;

/// A printer that is switched on answers by then; the agent goes on looking for the others.
const PATIENCE: Duration = Duration::from_secs(20);

/// What was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// For the person who pairs it.
    pub words: String,
    /// What printer it is, where its firmware says so.
    pub model: Option<String>,
}

/// Asks the printer who it is.
pub async fn examine(plan: PortPlan, clock: &SharedClock) -> Found {
    let note = |words: String| Found { words, model: None };
    let (port, speed) = match tokio::time::timeout(PATIENCE, connect(plan, clock)).await {
        Ok(Ok(connected)) => connected,
        Err(_) => {
            return note(
                "Note: the printer does not answer; is it switched on? It is paired all the same, and the agent goes \
                 on trying."
                    .into(),
            );
        }
        Ok(Err(error)) => {
            return note(format!(
                "Note: {error}\n      It is paired all the same, and the agent goes on trying."
            ));
        }
    };
    let view = port.view.borrow().clone();
    port.close().await;
    let who = match &view.firmware {
        Some(name) => format!("The printer answers at {speed} baud: {name}."),
        None => format!("The printer answers at {speed} baud, but does not say what firmware it has."),
    };
    let (area, extruders) = view.machine;
    let facts: Vec<String> = std::iter::once(who)
        .chain([area.map(size), extruders.map(tools), view.warning].into_iter().flatten())
        .collect();
    Found { words: facts.join("\n"), model: view.machine_type.and_then(model) }
}

/// What a maker has put in place of the firmware's own default.
#[must_use]
pub fn model(machine_type: String) -> Option<String> {
    let is_default =
        ["none", "3d printer", "mendel", "unknown"].contains(&machine_type.to_lowercase().as_str());
    let fits = machine_type.chars().count() <= 100 && !machine_type.contains(char::is_control);
    (!is_default && fits).then_some(machine_type)
}

fn size(area: Area) -> String {
    let [x, y, z] = area.max;
    format!("It prints up to {x:.0} × {y:.0} × {z:.0} mm, says its firmware.")
}

fn tools(count: u32) -> String {
    if count == 1 { "It has one extruder.".into() } else { format!("It has {count} extruders.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_firmware_says_is_no_model() {
        assert_eq!(model("Ender-3 V2".into()).as_deref(), Some("Ender-3 V2"));
        for default in ["3D Printer", "None", "Mendel"] {
            assert_eq!(model(default.into()), None);
        }
    }
}
