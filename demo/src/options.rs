//! The demo's command line, and the printers that it has.

use std::net::SocketAddr;
use std::path::PathBuf;

use stardust_demo::house::{HouseOptions, PrinterPlan};

/// A hub and simulated printers on this machine, to try Stardust without a printer
#[derive(Debug, clap::Parser)]
#[command(version)]
pub(crate) struct Options {
    /// Directory for everything; a later start goes on from it
    #[arg(long, default_value = "demo-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// Address of the dashboard and the API
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Address of the hub's MQTT gateway
    #[arg(long, default_value = "127.0.0.1:1883", value_name = "ADDR")]
    pub(crate) mqtt_listen: SocketAddr,
    /// How many printers
    #[arg(long, default_value_t = 6, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=24))]
    pub(crate) printers: u8,
    /// How many times faster than real printers they are
    #[arg(long, default_value_t = 20.0, value_name = "X")]
    pub(crate) speed: f64,
    /// A G-code file to put into the library at the first start; may be given more than once
    #[arg(long = "sample", value_name = "FILE")]
    pub(crate) samples: Vec<PathBuf>,
}

/// Names that are easy to tell apart at a glance, with models as a small farm has them.
const PRINTERS: [(&str, &str); 6] = [
    ("Ada", "Prusa MK3S"),
    ("Bruno", "Creality Ender-3"),
    ("Clara", "Prusa MK3S"),
    ("Dorian", "Creality Ender-3 V2"),
    ("Edith", "Anycubic Mega S"),
    ("Felix", "Artillery Sidewinder X1"),
];

impl Options {
    pub(crate) fn house(&self) -> HouseOptions {
        HouseOptions {
            data: self.data.clone(),
            printers: printers(usize::from(self.printers)),
            speed: self.speed,
            // A journal grows with every command and nobody reads it here.
            journals: false,
            listen: self.listen,
            mqtt_listen: self.mqtt_listen,
            database: None,
            hub_env: Vec::new(),
            agent_env: Vec::new(),
            printer_args: Vec::new(),
        }
    }
}

/// The first `count` printers: the names come round again with a number.
fn printers(count: usize) -> Vec<PrinterPlan> {
    let round = |index: usize| index / PRINTERS.len() + 1;
    (0..count)
        .zip(PRINTERS.iter().cycle())
        .map(|(index, (name, model))| PrinterPlan {
            name: if round(index) == 1 { (*name).to_owned() } else { format!("{name} {}", round(index)) },
            model: (*model).to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn every_printer_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<String> =
            printers(24).into_iter().map(|printer| printer.name).collect();
        assert_eq!(names.len(), 24);
        assert!(names.contains("Ada") && names.contains("Ada 2"), "{names:?}");
    }
}
