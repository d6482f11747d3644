//! A printer's folder under the data directory: `printers/<name>/`.
//!
//! | file | what it holds |
//! |---|---|
//! | `printer.toml` | hub, ids, port; a person may edit port, `baud`, `reset_on_open`, `[profile]` and `[scripts]` |
//! | `adapter.toml` | which USB adapter the port is, whatever its name becomes; delete it when that has changed |
//! | `credential` | the device token, readable by the agent alone |
//! | `journal.jsonl` | what must survive restarts |
//! | `spool/` | print files |
//!
//! Owns: names and formats of these. Must not know: what they are used for.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stardust_protocol::{PrinterId, WorkspaceId};
use url::Url;

use crate::hub_link::client::Credential;
use crate::port::{PortPlan, SpeedMemory};
use crate::print_job::profile::Profile;
use crate::serial::{Parking, Templates};

/// What `pair` has found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrinterConfig {
    /// The name on the dashboard.
    pub name: String,
    /// The hub's address.
    pub hub: Url,
    /// The workspace that the printer belongs to.
    pub workspace_id: WorkspaceId,
    /// The printer.
    pub printer_id: PrinterId,
    /// Its serial port.
    pub port: PathBuf,
    /// Its speed, bits a second; none: found out, and kept for the next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baud: Option<u32>,
    /// Start the board anew each time its port is opened: only for boards that don't answer otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset_on_open: bool,
    /// What it can do, where its firmware does not tell.
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
    /// Its own scripts.
    #[serde(default, skip_serializing_if = "Templates::is_empty")]
    pub scripts: Templates,
}

impl PrinterConfig {
    /// How the host moves on its own account on this printer.
    #[must_use]
    pub fn parking(&self) -> Parking {
        Parking { templates: self.scripts.clone(), ..Parking::default() }
    }
}

/// A printer's folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The disk does not play along.
    #[error("{path}: {source}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A person's mistake, most likely.
    #[error("{path} can't be understood: {message}")]
    Config {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
}

/// A printer's folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrinterFolder(PathBuf);

impl PrinterFolder {
    /// The folder for a printer of this name.
    #[must_use]
    pub fn for_name(data: &Path, name: &str) -> Self {
        Self(printers(data).join(slug(name)))
    }

    /// The folders of all paired printers, by name.
    #[must_use]
    pub fn all(data: &Path) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(printers(data)) else { return Vec::new() };
        let mut folders: Vec<Self> = entries.flatten().map(|entry| Self(entry.path())).collect();
        folders.retain(Self::is_paired);
        folders.sort();
        folders
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The journal's file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.0.join("journal.jsonl")
    }

    /// The folder of print files.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// Where the printer's adapter is kept.
    #[must_use]
    pub fn adapter_file(&self) -> PathBuf {
        self.0.join("adapter.toml")
    }

    /// How its port is found and opened.
    #[must_use]
    pub fn port_plan(&self, config: &PrinterConfig) -> PortPlan {
        let data = self.0.parent().and_then(Path::parent);
        PortPlan {
            speeds: data.map(SpeedMemory::new),
            adapter_file: Some(self.adapter_file()),
            reset_on_open: config.reset_on_open,
            ..PortPlan::new(config.port.clone(), config.baud)
        }
    }

    /// Whether pairing was done, to its end.
    #[must_use]
    pub fn is_paired(&self) -> bool {
        self.config_file().is_file()
    }

    /// Reads settings and credential.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn load(&self) -> Result<(PrinterConfig, Credential), FolderError> {
        let path = self.config_file();
        let text = fs::read_to_string(&path).map_err(disk(&path))?;
        let config = toml::from_str(&text)
            .map_err(|error| FolderError::Config { path, message: error.message().to_owned() })?;
        let path = self.credential_file();
        let token = fs::read_to_string(&path).map_err(disk(&path))?;
        Ok((config, Credential::new(&token)))
    }

    /// Writes settings and credential: the settings last, for they say that the pairing is done.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn store(&self, config: &PrinterConfig, credential: &Credential) -> Result<(), FolderError> {
        self.prepare()?;
        let path = self.credential_file();
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .map_err(disk(&path))?;
        let written = writeln!(file, "{}", credential.secret()).and_then(|()| file.sync_all());
        written.map_err(disk(&path))?;
        let path = self.config_file();
        let text = toml::to_string(config)
            .map_err(|error| FolderError::Config { path: path.clone(), message: error.to_string() })?;
        let new = path.with_extension("new");
        let written = File::create(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path))
            .and_then(|()| File::open(&self.0)?.sync_all());
        written.map_err(disk(&path))
    }

    /// Makes the folder and finds out whether it can be written: before a pairing code is used up.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn prepare(&self) -> Result<(), FolderError> {
        fs::create_dir_all(&self.0).map_err(disk(&self.0))
    }

    fn config_file(&self) -> PathBuf {
        self.0.join("printer.toml")
    }

    fn credential_file(&self) -> PathBuf {
        self.0.join("credential")
    }
}

fn printers(data: &Path) -> PathBuf {
    data.join("printers")
}

fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Disk { path, source }
}

/// A folder's name for a printer's name: letters and digits of any script stay.
fn slug(name: &str) -> String {
    let dashed: String =
        name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(60).collect();
    if slug.is_empty() { "printer".into() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn config() -> PrinterConfig {
        PrinterConfig {
            name: "Ender left".into(),
            hub: "http://hub.local:8080/".parse().unwrap(),
            workspace_id: "0190a7c2-6f00-7000-8000-000000000001".parse().unwrap(),
            printer_id: "0190a7c2-6f00-7000-8000-000000000002".parse().unwrap(),
            port: "/dev/serial/by-id/usb-1a86".into(),
            baud: None,
            reset_on_open: false,
            profile: Profile::default(),
            scripts: Templates::default(),
        }
    }

    #[test]
    fn what_is_stored_is_loaded_and_the_token_is_ours_alone() {
        let data = tempfile::tempdir().unwrap();
        let folder = PrinterFolder::for_name(data.path(), "Ender left!");
        assert_eq!(PrinterFolder::all(data.path()), []);
        folder.store(&config(), &Credential::new("token")).unwrap();
        assert_eq!(PrinterFolder::all(data.path()).first(), Some(&folder));
        assert_eq!(folder.name(), "ender-left");
        let (loaded, credential) = folder.load().unwrap();
        assert_eq!((loaded, credential.secret()), (config(), "token"));
        let mode = folder.credential_file().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        insta::assert_snapshot!(fs::read_to_string(folder.config_file()).unwrap(), @r#"
        name = "Ender left"
        hub = "http://hub.local:8080/"
        workspace_id = "0190a7c2-6f00-7000-8000-000000000001"
        printer_id = "0190a7c2-6f00-7000-8000-000000000002"
        port = "/dev/serial/by-id/usb-1a86"
        "#);
    }

    #[test]
    fn what_a_person_sets_about_the_port() {
        let data = tempfile::tempdir().unwrap();
        let folder = PrinterFolder::for_name(data.path(), "x");
        folder.store(&config(), &Credential::new("token")).unwrap();
        let text =
            fs::read_to_string(folder.config_file()).unwrap() + "baud = 250000\nreset_on_open = true\n";
        fs::write(folder.config_file(), text).unwrap();
        let (config, _) = folder.load().unwrap();
        let plan = folder.port_plan(&config);
        assert_eq!((plan.baud, plan.reset_on_open), (Some(250_000), true));
        assert_eq!(plan.adapter_file, Some(data.path().join("printers/x/adapter.toml")));
    }

    #[test]
    fn a_mistake_in_the_settings_is_named() {
        let data = tempfile::tempdir().unwrap();
        let folder = PrinterFolder::for_name(data.path(), "x");
        folder.store(&config(), &Credential::new("token")).unwrap();
        let text = fs::read_to_string(folder.config_file()).unwrap() + "bawd = 9600\n";
        fs::write(folder.config_file(), text).unwrap();
        let error = folder.load().unwrap_err().to_string();
        assert!(error.contains("printer.toml") && error.contains("bawd"), "{error}");
    }

    #[test]
    fn any_name_makes_a_folder() {
        for (name, expected) in [
            ("Ender 3 (left)", "ender-3-left"),
            ("../..", "printer"),
            ("Drücker №1", "drücker-1"),
            ("", "printer"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
    }
}
