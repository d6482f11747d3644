//! The machine's serial devices and what tells their adapters apart.
//!
//! Owns: where the kernel shows this: `/dev`, `/sys`, `/dev/serial`. The root of these is a value, so that a test can
//! lay a tree of its own. Must not know: which device is whose. Nothing is opened here.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Where the kernel shows devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceTree(PathBuf);

impl Default for DeviceTree {
    fn default() -> Self {
        Self("/".into())
    }
}

/// What is known of a USB adapter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// Vendor and product: `1a86:7523`.
    pub model: String,
    /// The serial number, where the adapter has one of its own: many clones have none, or all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Which of several ports of the adapter: interface and port.
    pub part: String,
    /// The USB socket: controller and the way through its hubs.
    pub socket: String,
}

impl Adapter {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match &self.serial {
            Some(serial) => format!("USB {} with serial number {serial}", self.model),
            None => format!("USB {} in socket {}", self.model, self.socket),
        }
    }

    /// Model, part and serial number are the same: without a serial number that says nothing.
    pub(super) fn has_same_serial(&self, other: &Self) -> bool {
        self.serial.is_some() && self.serial == other.serial && self.is_same_model(other)
    }

    pub(super) fn is_same_model(&self, other: &Self) -> bool {
        (&self.model, &self.part) == (&other.model, &other.part)
    }
}

impl DeviceTree {
    /// A tree of one's own, with `dev` and `sys` in it.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        Self(root.to_owned())
    }

    pub(super) fn dev(&self) -> PathBuf {
        self.0.join("dev")
    }

    fn tty(&self) -> PathBuf {
        self.0.join("sys/class/tty")
    }

    /// The kernel's name of the device that a path stands for (`ttyUSB0`); none where it is no device of this
    /// tree, a pseudo terminal for instance.
    pub(super) fn name_of(&self, path: &Path) -> Option<String> {
        let mut path = path.to_owned();
        // As many links as the kernel follows.
        for _ in 0..40 {
            let folder = std::fs::canonicalize(path.parent()?).ok()?;
            let name = path.file_name()?.to_str()?;
            let is_device = self.tty().join(name).join("device").exists();
            if is_device && std::fs::canonicalize(self.dev()).is_ok_and(|dev| dev == folder) {
                return Some(name.to_owned());
            }
            path = folder.join(std::fs::read_link(folder.join(name)).ok()?);
        }
        None
    }

    /// Whether a person means a socket, whatever is plugged in there.
    pub(super) fn names_a_socket(&self, path: &Path) -> bool {
        path.starts_with(self.by_path())
    }

    fn by_path(&self) -> PathBuf {
        self.dev().join("serial/by-path")
    }

    /// The adapter behind a device; none where it is not on USB.
    #[must_use]
    pub fn adapter(&self, name: &str) -> Option<Adapter> {
        let device = std::fs::canonicalize(self.tty().join(name).join("device")).ok()?;
        let part_of = |file: &str| device.ancestors().find(|folder| folder.join(file).is_file());
        let usb = part_of("idVendor")?;
        let interface = part_of("bInterfaceNumber").and_then(|folder| read(folder, "bInterfaceNumber"));
        let port = read(&device, "port_number").unwrap_or_else(|| "0".into());
        let is_bus = |folder: &&Path| {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.strip_prefix("usb").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        // Buses are numbered as they are found; the controller's own place stays.
        let controller = usb.ancestors().find(is_bus).and_then(Path::parent)?.file_name()?.to_str()?;
        Some(Adapter {
            model: format!("{}:{}", read(usb, "idVendor")?, read(usb, "idProduct")?),
            serial: read(usb, "serial").filter(|serial| is_of_its_own(serial)),
            part: format!("{}.{port}", interface.unwrap_or_else(|| "00".into())),
            socket: format!("{controller}-usb-{}", read(usb, "devpath")?),
        })
    }

    /// What the adapter says about itself, for people.
    pub(super) fn description(&self, name: &str) -> Option<String> {
        let device = std::fs::canonicalize(self.tty().join(name).join("device")).ok()?;
        let usb = device.ancestors().find(|folder| folder.join("idVendor").is_file())?;
        let model = format!("USB {}:{}", read(usb, "idVendor")?, read(usb, "idProduct")?);
        let words = ["manufacturer", "product", "serial"].into_iter().filter_map(|file| read(usb, file));
        Some(std::iter::once(model).chain(words).collect::<Vec<_>>().join(" "))
    }

    /// All devices with a USB adapter, by name.
    pub(super) fn adapters(&self) -> Vec<(String, Adapter)> {
        let Ok(entries) = std::fs::read_dir(self.tty()) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut found: Vec<(String, Adapter)> =
            names.filter_map(|name| Some((name.clone(), self.adapter(&name)?))).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// A path that stays the same when the device is plugged in again: by its serial number where it has one of its
    /// own, else by its socket; the device itself where there is neither.
    pub(super) fn stable_path(&self, name: &str) -> PathBuf {
        let device = self.dev().join(name);
        let links = |folder: PathBuf| {
            let entries = std::fs::read_dir(folder).ok()?;
            let mut links: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            links.sort();
            links.into_iter().find(|link| self.name_of(link).as_deref() == Some(name))
        };
        let is_unique = self.adapter(name).is_some_and(|adapter| self.is_only_one(&adapter));
        let by_id = is_unique.then(|| links(self.dev().join("serial/by-id"))).flatten();
        by_id.or_else(|| links(self.by_path())).unwrap_or(device)
    }

    /// Whether its serial number tells it from all others that are plugged in now.
    pub(super) fn is_only_one(&self, adapter: &Adapter) -> bool {
        self.adapters().iter().filter(|(_, other)| adapter.has_same_serial(other)).count() == 1
    }
}

fn read(folder: &Path, file: &str) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(file)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// `0000`, `0001`: what a maker has left in all its chips (CP2102 comes with `0001`).
fn is_of_its_own(serial: &str) -> bool {
    !matches!(serial.trim_start_matches('0'), "" | "1")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rstest::rstest;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// Lays the files of a plugged-in adapter. The device itself is a plain file unless there is one already.
    pub(crate) fn plug(root: &Path, name: &str, model: (&str, &str), serial: Option<&str>, devpath: &str) {
        let usb = root.join(format!("sys/devices/pci0000:00/0000:00:14.0/usb1/1-{devpath}"));
        let interface = usb.join(format!("1-{devpath}:1.0"));
        let device = interface.join(name);
        fs::create_dir_all(&device).unwrap();
        let write = |path: PathBuf, text: &str| fs::write(path, format!("{text}\n")).unwrap();
        write(usb.join("idVendor"), model.0);
        write(usb.join("idProduct"), model.1);
        write(usb.join("devpath"), devpath);
        if let Some(serial) = serial {
            write(usb.join("serial"), serial);
        }
        write(interface.join("bInterfaceNumber"), "00");
        write(device.join("port_number"), "0");
        let class = root.join("sys/class/tty").join(name);
        fs::create_dir_all(&class).unwrap();
        symlink(&device, class.join("device")).unwrap();
        let id = format!("usb-{}_{}-if00-port0", model.0, serial.unwrap_or("USB_Serial"));
        for (folder, link) in
            [("by-id", id), ("by-path", format!("pci-0000:00:14.0-usb-0:{devpath}:1.0-port0"))]
        {
            let folder = root.join("dev/serial").join(folder);
            fs::create_dir_all(&folder).unwrap();
            let _ = fs::remove_file(folder.join(&link));
            symlink(Path::new("../..").join(name), folder.join(link)).unwrap();
        }
        let node = root.join("dev").join(name);
        if fs::symlink_metadata(&node).is_err() {
            fs::write(node, "").unwrap();
        }
    }

    /// Takes them away again.
    pub(crate) fn unplug(root: &Path, name: &str) {
        let device = fs::canonicalize(root.join("sys/class/tty").join(name).join("device")).unwrap();
        fs::remove_dir_all(device.parent().unwrap().parent().unwrap()).unwrap();
        fs::remove_dir_all(root.join("sys/class/tty").join(name)).unwrap();
        let _ = fs::remove_file(root.join("dev").join(name));
    }

    const FTDI: (&str, &str) = ("0403", "6001");
    const CH340: (&str, &str) = ("1a86", "7523");

    #[test]
    fn a_stable_path_is_by_id_only_where_that_tells_adapters_apart() {
        let root = tempfile::tempdir().unwrap();
        let tree = DeviceTree::at(root.path());
        plug(root.path(), "ttyUSB0", FTDI, Some("A5"), "1.1");
        plug(root.path(), "ttyUSB1", CH340, None, "1.2");
        plug(root.path(), "ttyUSB2", ("10c4", "ea60"), Some("0001"), "1.3");
        let name = |name: &str| {
            let path = tree.stable_path(name);
            path.strip_prefix(root.path().join("dev/serial")).unwrap().display().to_string()
        };
        assert_eq!(name("ttyUSB0"), "by-id/usb-0403_A5-if00-port0");
        assert_eq!(
            name("ttyUSB1"),
            "by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0",
            "it has no serial number"
        );
        assert_eq!(name("ttyUSB2"), "by-path/pci-0000:00:14.0-usb-0:1.3:1.0-port0", "all CP2102 are 0001");
        plug(root.path(), "ttyUSB3", FTDI, Some("A5"), "1.4");
        assert_eq!(
            name("ttyUSB0"),
            "by-path/pci-0000:00:14.0-usb-0:1.1:1.0-port0",
            "there is another one now"
        );
    }

    #[rstest]
    #[case("dev/ttyUSB0", Some("ttyUSB0"))]
    #[case("dev/serial/by-id/usb-0403_A5-if00-port0", Some("ttyUSB0"))]
    #[case("dev/printer", Some("ttyUSB0"))]
    #[case("elsewhere", Some("ttyUSB0"))]
    #[case("dev/plain", None)]
    #[case("dev/loop", None)]
    #[case("nowhere/at/all", None)]
    fn the_device_behind_a_path(#[case] path: &str, #[case] expected: Option<&str>) {
        let root = tempfile::tempdir().unwrap();
        plug(root.path(), "ttyUSB0", FTDI, Some("A5"), "1.1");
        fs::write(root.path().join("dev/plain"), "").unwrap();
        symlink("ttyUSB0", root.path().join("dev/printer")).unwrap();
        symlink("loop", root.path().join("dev/loop")).unwrap();
        symlink("dev/printer", root.path().join("elsewhere")).unwrap();
        let found = DeviceTree::at(root.path()).name_of(&root.path().join(path));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn an_adapter_in_words() {
        let root = tempfile::tempdir().unwrap();
        let tree = DeviceTree::at(root.path());
        plug(root.path(), "ttyUSB0", FTDI, Some("A5"), "1.1");
        plug(root.path(), "ttyUSB1", CH340, None, "1.2");
        let words: Vec<String> = tree.adapters().iter().map(|(_, adapter)| adapter.describe()).collect();
        assert_eq!(
            words,
            ["USB 0403:6001 with serial number A5", "USB 1a86:7523 in socket 0000:00:14.0-usb-1.2"]
        );
        unplug(root.path(), "ttyUSB0");
        assert_eq!(tree.adapters().len(), 1);
    }
}
