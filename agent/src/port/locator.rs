//! Where a printer's port is now: the same adapter, whatever its name has become.
//!
//! Owns: the rule which device is the printer's, and the file that keeps its adapter. A port that a person has named
//! stands for the adapter that was found there first; another one that takes its name is left alone. Must not
//! know: how a port is opened.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::devices::{Adapter, DeviceTree};
use super::open::OpenError;
use super::plan::PortPlan;
use crate::plain_file;

/// One adapter, in words.
const LONGEST_BYTES: u64 = 64 << 10;

/// What is kept: the adapter, and the port that a person had named when it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    port: PathBuf,
    adapter: Adapter,
}

/// Finds one printer's port.
#[derive(Debug)]
pub(super) struct Locator {
    devices: DeviceTree,
    named: PathBuf,
    pinned: Option<Adapter>,
    file: Option<PathBuf>,
}

impl Locator {
    /// For the port that a person has named. With a `file` the adapter is known again after a restart.
    pub(super) fn new(devices: DeviceTree, named: PathBuf, file: Option<PathBuf>) -> Self {
        let kept = file.as_ref().and_then(|file| plain_file::read_text(file, LONGEST_BYTES).ok());
        let kept: Option<Kept> = kept.and_then(|text| toml::from_str(&text).ok());
        // Named anew: what was known is about another port.
        let pinned = kept.filter(|kept| kept.port == named).map(|kept| kept.adapter);
        Self { devices, named, pinned, file }
    }

    /// For the port of this plan.
    pub(super) fn of(plan: &PortPlan) -> Self {
        let locator = Self::new(plan.devices.clone(), plan.path.clone(), plan.adapter_file.clone());
        Self { pinned: locator.pinned.or_else(|| plan.adapter.clone()), ..locator }
    }

    /// The printer's adapter, where it is known.
    pub(super) fn into_adapter(self) -> Option<Adapter> {
        self.pinned
    }

    /// Where the printer's port is now.
    ///
    /// # Errors
    /// [`OpenError::Missing`], [`OpenError::Stranger`], [`OpenError::Ambiguous`].
    pub(super) fn locate(&self) -> Result<PathBuf, OpenError> {
        let Some(pinned) = &self.pinned else { return Ok(self.named.clone()) };
        let adapters = self.devices.adapters();
        let device = |name: &str| self.devices.dev().join(name);
        let alike: Vec<&(String, Adapter)> = match pinned.serial {
            Some(_) => adapters.iter().filter(|(_, found)| pinned.has_same_serial(found)).collect(),
            None => {
                let here = |found: &Adapter| pinned.is_same_model(found) && pinned.socket == found.socket;
                adapters.iter().filter(|(_, found)| here(found)).collect()
            }
        };
        match alike.as_slice() {
            [(name, _)] => Ok(device(name)),
            [] => Err(self.not_there(pinned)),
            several => match several.iter().find(|(_, found)| found.socket == pinned.socket) {
                Some((name, _)) => Ok(device(name)),
                None => Err(OpenError::Ambiguous(self.named.display().to_string(), pinned.describe())),
            },
        }
    }

    fn not_there(&self, pinned: &Adapter) -> OpenError {
        let named = self.named.display().to_string();
        let stranger = self.devices.name_of(&self.named).and_then(|name| self.devices.adapter(&name));
        match stranger {
            Some(found) => OpenError::Stranger {
                port: named,
                found: found.describe(),
                wanted: pinned.describe(),
                remedy: match &self.file {
                    Some(file) => format!("delete {}", file.display()),
                    None => "start again".into(),
                },
            },
            None => OpenError::Missing(named),
        }
    }

    /// The port was opened: from now on its adapter is the printer's.
    pub(super) fn pin(&mut self) {
        if self.pinned.is_some() || self.devices.names_a_socket(&self.named) {
            return;
        }
        let Some(name) = self.devices.name_of(&self.named) else { return };
        let Some(mut adapter) = self.devices.adapter(&name) else { return };
        if !self.devices.is_only_one(&adapter) {
            // Two of the same number can't be told apart by it.
            adapter.serial = None;
        }
        tracing::info!(port.path = %self.named.display(), port.adapter = adapter.describe(), "the printer's adapter");
        self.keep(&adapter);
        self.pinned = Some(adapter);
    }

    /// Best effort: without it the port's name counts after a restart.
    fn keep(&self, adapter: &Adapter) {
        let Some(file) = &self.file else { return };
        let kept = Kept { port: self.named.clone(), adapter: adapter.clone() };
        let Ok(text) = toml::to_string(&kept) else { return };
        let new = file.with_extension("new");
        let written = plain_file::draft(&new)
            .and_then(|mut draft| draft.write_all(text.as_bytes()))
            .and_then(|()| std::fs::rename(&new, file));
        if let Err(error) = written {
            tracing::warn!(error = %error, "the printer's adapter could not be kept");
        }
    }

    /// What to remember things about this printer's port by.
    pub(super) fn identity(&self) -> String {
        match &self.pinned {
            Some(Adapter { model, serial: Some(serial), part, .. }) => format!("usb-{model}-{serial}-{part}"),
            Some(Adapter { model, part, socket, .. }) => format!("usb-{model}-{part}-{socket}"),
            None => std::fs::canonicalize(&self.named)
                .unwrap_or_else(|_| self.named.clone())
                .display()
                .to_string(),
        }
    }
}

/// Where the printer's port is now.
///
/// # Errors
/// [`OpenError`] where its adapter is known and not there.
pub fn locate(plan: &PortPlan) -> Result<PathBuf, OpenError> {
    Locator::of(plan).locate()
}

/// The device that a printer's port is now, whatever it is called; none where it is not there.
#[must_use]
pub fn device(plan: &PortPlan) -> Option<PathBuf> {
    locate(plan).ok()?.canonicalize().ok()
}

/// Whether `file` says which adapter this port is.
#[must_use]
pub fn adapter_is_of(file: &Path, port: &Path) -> bool {
    let kept =
        plain_file::read_text(file, LONGEST_BYTES).ok().and_then(|text| toml::from_str::<Kept>(&text).ok());
    kept.is_some_and(|kept| kept.port == port)
}

/// Keeps in `file` which adapter the named port is now, where it is there.
pub fn remember_adapter(devices: &DeviceTree, named: &Path, file: &Path) {
    let _ = std::fs::remove_file(file);
    Locator::new(devices.clone(), named.to_owned(), Some(file.to_owned())).pin();
}

#[cfg(test)]
mod tests {
    use super::super::devices::tests::{plug, unplug};
    use super::*;

    const FTDI: (&str, &str) = ("0403", "6001");
    const CH340: (&str, &str) = ("1a86", "7523");

    struct Bench {
        root: tempfile::TempDir,
    }

    impl Bench {
        fn new() -> Self {
            Self { root: tempfile::tempdir().unwrap() }
        }

        fn plug(&self, name: &str, model: (&str, &str), serial: Option<&str>, socket: &str) {
            plug(self.root.path(), name, model, serial, socket);
        }

        fn unplug(&self, name: &str) {
            unplug(self.root.path(), name);
        }

        fn dev(&self, name: &str) -> PathBuf {
            self.root.path().join("dev").join(name)
        }

        fn locator(&self, named: &str) -> Locator {
            let file = self.root.path().join("adapter.toml");
            Locator::new(DeviceTree::at(self.root.path()), self.dev(named), Some(file))
        }
    }

    #[test]
    fn a_printer_is_found_under_its_new_name_and_a_stranger_under_the_old_one_is_left_alone() {
        let bench = Bench::new();
        bench.plug("ttyUSB0", FTDI, Some("A5"), "1.1");
        let mut locator = bench.locator("ttyUSB0");
        assert_eq!(locator.locate(), Ok(bench.dev("ttyUSB0")));
        locator.pin();
        bench.unplug("ttyUSB0");
        assert!(matches!(locator.locate(), Err(OpenError::Missing(_))));
        bench.plug("ttyUSB0", FTDI, Some("B7"), "1.1");
        let error = locator.locate().unwrap_err();
        assert!(matches!(error, OpenError::Stranger { .. }), "{error}");
        bench.plug("ttyUSB1", FTDI, Some("A5"), "1.3");
        assert_eq!(locator.locate(), Ok(bench.dev("ttyUSB1")));
        // The same after a restart of the agent.
        assert_eq!(bench.locator("ttyUSB0").locate(), Ok(bench.dev("ttyUSB1")));
        // Another port was named since: that one is meant.
        assert_eq!(bench.locator("ttyUSB7").locate(), Ok(bench.dev("ttyUSB7")));
    }

    #[test]
    fn adapters_without_a_number_are_known_by_their_socket() {
        let bench = Bench::new();
        bench.plug("ttyUSB0", CH340, None, "1.1");
        bench.plug("ttyUSB1", CH340, None, "1.2");
        let mut locator = bench.locator("ttyUSB1");
        locator.pin();
        // After a restart of the machine they are numbered the other way round.
        bench.unplug("ttyUSB0");
        bench.unplug("ttyUSB1");
        bench.plug("ttyUSB0", CH340, None, "1.2");
        bench.plug("ttyUSB1", CH340, None, "1.1");
        assert_eq!(locator.locate(), Ok(bench.dev("ttyUSB0")));
        bench.unplug("ttyUSB0");
        bench.plug("ttyUSB0", FTDI, Some("A5"), "1.2");
        assert!(matches!(locator.locate(), Err(OpenError::Stranger { .. })), "another model in its socket");
    }

    #[test]
    fn twins_are_told_apart_by_socket_or_not_at_all() {
        let bench = Bench::new();
        bench.plug("ttyUSB0", FTDI, Some("A5"), "1.1");
        let mut locator = bench.locator("ttyUSB0");
        locator.pin();
        bench.plug("ttyUSB1", FTDI, Some("A5"), "1.2");
        assert_eq!(locator.locate(), Ok(bench.dev("ttyUSB0")), "the one in its socket");
        bench.unplug("ttyUSB0");
        bench.plug("ttyUSB0", FTDI, Some("A5"), "1.3");
        assert!(matches!(locator.locate(), Err(OpenError::Ambiguous(..))));
        // Found with a twin beside it, the number says nothing.
        let file = bench.root.path().join("adapter.toml");
        remember_adapter(&DeviceTree::at(bench.root.path()), &bench.dev("ttyUSB1"), &file);
        bench.unplug("ttyUSB1");
        let error = bench.locator("ttyUSB1").locate().unwrap_err();
        assert!(matches!(error, OpenError::Missing(_)), "its twin is not taken for it: {error}");
    }

    #[test]
    fn who_names_a_socket_means_whatever_is_plugged_in_there() {
        let bench = Bench::new();
        bench.plug("ttyUSB0", FTDI, Some("A5"), "1.1");
        let socket = "serial/by-path/pci-0000:00:14.0-usb-0:1.1:1.0-port0";
        let mut locator = bench.locator(socket);
        locator.pin();
        bench.unplug("ttyUSB0");
        bench.plug("ttyUSB0", FTDI, Some("B7"), "1.1");
        assert_eq!(locator.locate(), Ok(bench.dev(socket)));
    }

    #[test]
    fn what_is_kept() {
        let bench = Bench::new();
        bench.plug("ttyUSB0", CH340, None, "1.1");
        let mut locator = bench.locator("ttyUSB0");
        locator.pin();
        assert_eq!(locator.identity(), "usb-1a86:7523-00.0-0000:00:14.0-usb-1.1");
        let text = std::fs::read_to_string(bench.root.path().join("adapter.toml")).unwrap();
        let text = text.replace(&bench.root.path().display().to_string(), "");
        insta::assert_snapshot!(text, @r#"
        port = "/dev/ttyUSB0"

        [adapter]
        model = "1a86:7523"
        part = "00.0"
        socket = "0000:00:14.0-usb-1.1"
        "#);
    }
}
