//! A tree of devices as the kernel shows it, for printers that are simulated.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Its root, with `dev` and `sys` in it.
pub(crate) struct Tree(tempfile::TempDir);

/// An adapter: serial number, and the way through the hubs to its socket.
#[derive(Clone, Copy)]
pub(crate) struct Adapter {
    pub(crate) serial: Option<&'static str>,
    pub(crate) socket: &'static str,
}

impl Tree {
    pub(crate) fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(tree.dev("")).unwrap();
        fs::create_dir_all(tree.root().join("sys/class/tty")).unwrap();
        tree
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn dev(&self, name: &str) -> PathBuf {
        self.root().join("dev").join(name)
    }

    /// The kernel shows a device: what `dev/<name>` is, the simulator decides.
    pub(crate) fn show(&self, name: &str, Adapter { serial, socket }: Adapter) {
        let usb = self.root().join(format!("sys/devices/pci0000:00/0000:00:14.0/usb1/1-{socket}"));
        let interface = usb.join(format!("1-{socket}:1.0"));
        let device = interface.join(name);
        fs::create_dir_all(&device).unwrap();
        for (file, text) in [("idVendor", "1a86"), ("idProduct", "7523"), ("devpath", socket)] {
            fs::write(usb.join(file), text).unwrap();
        }
        if let Some(serial) = serial {
            fs::write(usb.join("serial"), serial).unwrap();
        }
        fs::write(interface.join("bInterfaceNumber"), "00").unwrap();
        let class = self.root().join("sys/class/tty").join(name);
        fs::create_dir_all(&class).unwrap();
        symlink(&device, class.join("device")).unwrap();
    }

    /// It is gone.
    pub(crate) fn hide(&self, name: &str) {
        let class = self.root().join("sys/class/tty").join(name);
        let device = fs::canonicalize(class.join("device")).unwrap();
        fs::remove_dir_all(device.parent().unwrap().parent().unwrap()).unwrap();
        fs::remove_dir_all(class).unwrap();
    }
}
