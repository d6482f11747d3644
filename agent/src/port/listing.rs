//! The serial ports of this machine, with what tells them apart.
//!
//! Owns: names and identities. Must not know: which one is a printer's; a port is never opened to find out.

use std::path::Path;

/// A serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPort {
    /// A path that stays the same when the device is plugged in again, where there is one.
    pub path: String,
    /// The device it stands for now.
    pub device: String,
    /// What the adapter says about itself.
    pub description: Option<String>,
}

/// All serial ports that could be a printer's, USB ones first.
#[must_use]
pub fn list() -> Vec<FoundPort> {
    let mut ports: Vec<FoundPort> = serialport::available_ports()
        .unwrap_or_default()
        .into_iter()
        .map(|port| {
            let description = match &port.port_type {
                serialport::SerialPortType::UsbPort(usb) => {
                    let words = [&usb.manufacturer, &usb.product, &usb.serial_number];
                    let words: Vec<&str> = words.into_iter().filter_map(|word| word.as_deref()).collect();
                    Some(format!("USB {:04x}:{:04x} {}", usb.vid, usb.pid, words.join(" ")))
                }
                _ => None,
            };
            FoundPort { path: stable_path(&port.port_name), device: port.port_name, description }
        })
        .collect();
    ports.sort_by_key(|port| (port.description.is_none(), port.device.clone()));
    ports
}

/// The name under /dev/serial/by-id (or by-path) that leads to this device.
pub(super) fn stable_path(device: &str) -> String {
    let links = |folder: &str| {
        let entries = std::fs::read_dir(folder).ok()?;
        entries
            .flatten()
            .map(|entry| entry.path())
            .find(|link| std::fs::canonicalize(link).is_ok_and(|target| target == Path::new(device)))
    };
    links("/dev/serial/by-id")
        .or_else(|| links("/dev/serial/by-path"))
        .map_or_else(|| device.to_owned(), |link| link.display().to_string())
}
