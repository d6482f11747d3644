//! The serial ports of this machine, with what tells them apart.
//!
//! Owns: the list a person chooses from. Must not know: which one is a printer's; a port is never opened to find out.

use super::devices::DeviceTree;

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
pub fn list(devices: &DeviceTree) -> Vec<FoundPort> {
    let on_usb = devices.adapters().into_iter().map(|(name, _)| FoundPort {
        path: devices.stable_path(&name).display().to_string(),
        device: devices.dev().join(&name).display().to_string(),
        description: devices.description(&name),
    });
    let mut ports: Vec<FoundPort> = on_usb.collect();
    // The machine's own, as a Raspberry Pi's pins. They are nowhere but in the machine's own tree.
    if *devices == DeviceTree::default() {
        let others = serialport::available_ports().unwrap_or_default().into_iter();
        let others = others.map(|port| port.port_name).filter(|name| !name.starts_with("/dev/pts/"));
        let others: Vec<String> =
            others.filter(|name| ports.iter().all(|port| port.device != *name)).collect();
        ports.extend(others.into_iter().map(|name| FoundPort {
            path: name.clone(),
            device: name,
            description: None,
        }));
    }
    ports
}
