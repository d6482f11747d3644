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

/// Asks the printer who it is, and puts it in words.
pub async fn examine(plan: PortPlan, clock: &SharedClock) -> String {
    let (port, speed) = match tokio::time::timeout(PATIENCE, connect(plan, clock)).await {
        Ok(Ok(connected)) => connected,
        Err(_) => {
            return "Note: the printer does not answer; is it switched on? It is paired all the same, and the agent \
                    goes on trying."
                .into();
        }
        Ok(Err(error)) => {
            return format!("Note: {error}\n      It is paired all the same, and the agent goes on trying.");
        }
    };
    let view = port.view.borrow().clone();
    port.close().await;
    let who = match &view.firmware {
        Some(name) => format!("The printer answers at {speed} baud: {name}."),
        None => format!("The printer answers at {speed} baud, but does not say what firmware it has."),
    };
    let (area, extruders) = view.machine;
    let facts: Vec<String> =
        [area.map(size), extruders.map(tools)].into_iter().flatten().chain(view.warning.clone()).collect();
    if facts.is_empty() { who } else { format!("{who}\n{}", facts.join("\n")) }
}

fn size(area: Area) -> String {
    let [x, y, z] = area.max;
    format!("It prints up to {x:.0} × {y:.0} × {z:.0} mm, says its firmware.")
}

fn tools(count: u32) -> String {
    if count == 1 { "It has one extruder.".into() } else { format!("It has {count} extruders.") }
}
