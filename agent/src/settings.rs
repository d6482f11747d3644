//! The agent's own settings: where its data are, its hub, and what a person sets for each printer.
//!
//! Owns: the order of precedence: command line, environment, configuration file, default; and saying in which line a
//! mistake is. What `pair` finds out is in the printers' folders ([`crate::printer::folder`]).

mod salvage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use url::Url;

use crate::plain_file;
use crate::printer::section::{PrinterSection, Sections};
use crate::status_page::{NotLoopback, PageAddress};

pub use salvage::Given;

/// Where the package puts it; root's commands read it without being told.
pub const SYSTEM_CONFIG: &str = "/etc/stardust/agent.toml";
/// Print files of a few weeks, on any memory card.
const DEFAULT_SPOOL_BYTES: u64 = 2 << 30;
/// No configuration is longer.
const LONGEST_BYTES: u64 = 1 << 20;
/// Where the service keeps its data.
const SYSTEM_DATA: &str = "/var/lib/stardust-agent";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The data directory.
    pub data: PathBuf,
    /// The configuration file that was read.
    pub config: Option<PathBuf>,
    /// Nobody has named a data directory or a configuration of their own: the service of this machine may be meant.
    pub service_is_meant: bool,
    /// The hub that printers are paired with from this side, by a PIN.
    pub hub: Option<Url>,
    /// Where the page for a browser on this machine is; none: nowhere.
    pub status_page: Option<PageAddress>,
    /// The certificates that vouch for the hub, where those of the system don't.
    pub hub_ca: Option<PathBuf>,
    /// Credentials may go over MQTT in clear, although the hub is reached by HTTPS.
    pub mqtt_in_clear: bool,
    /// Print files are kept up to so many bytes, of all printers together.
    pub spool_bytes: u64,
    /// What is set for each printer.
    pub sections: Sections,
}

/// What `--config` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ConfigFile {
    data: Option<PathBuf>,
    hub: Option<Url>,
    status_page: Option<PageAddress>,
    hub_ca: Option<PathBuf>,
    mqtt_in_clear: bool,
    spool_bytes: Option<u64>,
    printer: BTreeMap<String, PrinterSection>,
}

/// The settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// No such file, or no permission.
    #[error("{0} can't be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// A mistake in it.
    #[error("{0} can't be understood: {1}")]
    Wrong(PathBuf, String),
    /// Given on the command line or in the environment.
    #[error(transparent)]
    Page(#[from] NotLoopback),
}

impl Settings {
    /// The status page is where the command line or the environment says.
    ///
    /// # Errors
    /// [`SettingsError::Page`] when that is no place for it.
    pub fn put_page(&mut self, given: Option<&str>) -> Result<(), SettingsError> {
        if let Some(text) = given {
            self.status_page = Some(text.parse()?);
        }
        Ok(())
    }

    /// Reads the settings. `data` and `config` are what was given on the command line or in the environment.
    ///
    /// # Errors
    /// [`SettingsError`] when there is a configuration file that can't be used.
    pub fn read(data: Option<PathBuf>, config: Option<&Path>) -> Result<Self, SettingsError> {
        let is_root = rustix::process::geteuid().is_root();
        let system = Path::new(SYSTEM_CONFIG);
        // Who names a data directory means that one, and no service of the machine.
        let config = config.or_else(|| (is_root && data.is_none() && system.exists()).then_some(system));
        let file = config.map_or_else(|| Ok(ConfigFile::default()), read)?;
        let wrong = |message| SettingsError::Wrong(config.unwrap_or(system).to_owned(), message);
        Ok(Self {
            service_is_meant: data.is_none() && config.is_none_or(|config| config == system),
            config: config.map(Path::to_owned),
            data: data.or(file.data).unwrap_or_else(|| default_data(is_root)),
            hub: file.hub.map(with_slash),
            status_page: file.status_page,
            hub_ca: file.hub_ca,
            mqtt_in_clear: file.mqtt_in_clear,
            spool_bytes: file.spool_bytes.unwrap_or(DEFAULT_SPOOL_BYTES),
            sections: Sections::new(file.printer)
                .map_err(|name| wrong(format!("there is another section for the printer “{name}”")))?,
        })
    }
}

impl Settings {
    /// What was given on the command line or in the environment goes before the file.
    #[must_use]
    pub fn overridden(self, hub_ca: Option<PathBuf>, spool_bytes: Option<u64>) -> Self {
        let spool_bytes = spool_bytes.unwrap_or(self.spool_bytes);
        Self { hub_ca: hub_ca.or(self.hub_ca), spool_bytes, ..self }
    }
}

fn read(path: &Path) -> Result<ConfigFile, SettingsError> {
    let text = plain_file::read_text(path, LONGEST_BYTES)
        .map_err(|error| SettingsError::Unreadable(path.to_owned(), error))?;
    toml::from_str(&text).map_err(|error| SettingsError::Wrong(path.to_owned(), in_words(&text, &error)))
}

/// A mistake in a TOML file, with its line.
pub(crate) fn in_words(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().and_then(|span| Some(text.get(..span.start)?.matches('\n').count() + 1));
    match line {
        Some(line) => format!("line {line}: {}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Paths are joined to it: without the slash its last part would be replaced.
pub(crate) fn with_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// The system's place for root, the user's own for everyone else.
fn default_data(is_root: bool) -> PathBuf {
    if is_root {
        return SYSTEM_DATA.into();
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home);
    state.unwrap_or_else(|| ".".into()).join("stardust-agent")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn settings(text: &str, data: Option<&str>) -> Result<Settings, SettingsError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Settings::read(data.map(PathBuf::from), Some(file.path()))
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let text =
            "data = \"/from/file\"\nhub = \"https://hub.example\"\n[printer.left]\nport = \"/dev/ttyUSB0\"\n";
        assert_eq!(settings(text, None).unwrap().data, Path::new("/from/file"));
        let read = settings(text, Some("/given")).unwrap();
        assert_eq!(read.data, Path::new("/given"));
        assert_eq!(read.hub.unwrap().as_str(), "https://hub.example/");
        assert_eq!(read.sections.ports().count(), 1);
    }

    #[test]
    fn how_much_is_kept_and_whom_the_hub_is_vouched_by() {
        let read = settings("", None).unwrap();
        assert_eq!((read.spool_bytes, read.hub_ca), (2_147_483_648, None));
        let read = settings("spool_bytes = 1000\nhub_ca = \"/a.pem\"\n", None).unwrap();
        assert_eq!((read.spool_bytes, read.hub_ca.clone()), (1000, Some("/a.pem".into())));
        let given = read.overridden(Some("/b.pem".into()), Some(7));
        assert_eq!((given.spool_bytes, given.hub_ca.unwrap()), (7, PathBuf::from("/b.pem")));
    }

    #[rstest]
    #[case("daata = \"/x\"\n", "line 1: unknown field `daata`")]
    #[case("[printer.left]\nport = \"/dev/a\"\nbawd = 9600\n", "line 3: unknown field `bawd`")]
    #[case("[printer.left.profile]\ntool = 2\n", "line 2: unknown field `tool`")]
    #[case("[printer.left]\n[printer.Left]\n", "another section for the printer")]
    #[case(
        "data = \"/x\"\nstatus_page = \"0.0.0.0:8091\"\n",
        "line 2: status_page = “0.0.0.0:8091” could be"
    )]
    fn a_mistake_is_named_with_its_line(#[case] text: &str, #[case] expected: &str) {
        let error = settings(text, None).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
