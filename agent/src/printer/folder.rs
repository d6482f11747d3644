//! A printer's folder under the data directory: `printers/<name>/`.
//!
//! | file | what it holds |
//! |---|---|
//! | `printer.toml` | hub, ids, port; a person may edit port, `baud`, `reset_on_open`, `keep_bed_warm_minutes`, `[profile]` and `[scripts]` |
//! | `adapter.toml` | which USB adapter the port is, whatever its name becomes; delete it when that has changed |
//! | `former-adapter.toml` | the same of the port before, where something may still be hot |
//! | `credential` | the device token, readable by the agent alone |
//! | `journal.jsonl` | what must survive restarts |
//! | `trail` | where the job at work is, for the process that comes after this one |
//! | `telemetry.jsonl` | how the print went, what the hub has not been told yet; nothing depends on it |
//! | `spool/` | print files |
//! | `next/` | a later pairing, which takes over when the printer is free |
//! | `former-<printer>/` | what the hub before was not told any more |
//!
//! `[printer.<name>]` of the agent's configuration goes before `printer.toml` ([`super::section`]).
//!
//! Owns: names and formats of these. Must not know: what they are used for.

mod config;
mod later_pairing;
mod memory;
mod of_nobody;
mod out_of_sight;
mod salvage;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use stardust_clock::SharedClock;

use super::by_hand;
use super::section::{PrinterSection, overlay};
use crate::disk_work::DiskWork;
use crate::hub_link::client::Credential;
use crate::plain_file::{self, NoPlainFile};
use crate::port::{PortPlan, SpeedMemory, adapter_is_of};
use crate::settings::{Settings, in_words};
use crate::spool::Spool;
pub use config::PrinterConfig;
pub use salvage::HubOfBroken;

const CONFIG: &str = "printer.toml";
const CREDENTIAL: &str = "credential";
const ADAPTER: &str = "adapter.toml";
const FORMER_ADAPTER: &str = "former-adapter.toml";
const SPOOL: &str = "spool";
const NEXT: &str = "next";
const FORMER: &str = "former-";
/// No settings and no credential are longer.
const LONGEST_BYTES: u64 = 1 << 20;

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
    /// Something stands there that is none of its files.
    #[error("{path} can't be read: {what}. Move it away; then put the file back, or pair the printer again")]
    InItsPlace {
        /// Which file.
        path: PathBuf,
        /// What stands there.
        what: NoPlainFile,
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

pub use of_nobody::OfNobody;
pub use out_of_sight::OutOfSight;

/// By what a journal that was written is told from what it was before.
pub type JournalStamp = (SystemTime, u64);

/// A printer's folder.
#[derive(Debug, Clone)]
pub struct PrinterFolder {
    path: PathBuf,
    section: Option<PrinterSection>,
    spool_bytes: u64,
    hub_ca: Option<PathBuf>,
    mqtt_in_clear: bool,
    /// The port at which nothing could be done just now.
    given_up: Option<PathBuf>,
    /// It is that of a later pairing, which has not taken over.
    is_later: bool,
}

impl PrinterFolder {
    /// The folder for a printer of this name.
    #[must_use]
    pub fn for_name(settings: &Settings, name: &str) -> Self {
        Self::at(settings, printers(&settings.data).join(slug(name)))
    }

    /// The folders of all paired printers, by name.
    #[must_use]
    pub fn all(settings: &Settings) -> Vec<Self> {
        let Ok(entries) = fs::read_dir(printers(&settings.data)) else { return Vec::new() };
        let mut folders: Vec<Self> =
            entries.flatten().map(|entry| Self::at(settings, entry.path())).collect();
        folders.retain(Self::is_paired);
        folders.sort_by(|a, b| a.path.cmp(&b.path));
        folders
    }

    /// The folders of printers that are not paired any more, or not yet, and were left hot; and of prints with no hub.
    #[must_use]
    pub fn left_hot(settings: &Settings) -> Vec<Self> {
        let entries = fs::read_dir(printers(&settings.data)).into_iter().flatten().flatten();
        let folders = entries.map(|entry| entry.path()).filter(|path| path.is_dir());
        let folders = folders.map(|path| Self::at(settings, path));
        let unpaired = folders.filter(|folder| !folder.is_paired() && folder.may_be_hot());
        unpaired.chain(by_hand::left_hot(settings)).collect()
    }

    /// The folders of the other printers of this agent, paired or not.
    pub(super) fn siblings(&self) -> Vec<Self> {
        let entries = self.path.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten();
        let paths = entries.map(|entry| entry.path()).filter(|path| *path != self.path);
        paths.map(|path| self.beside(path)).collect()
    }

    /// For what is not a paired printer's.
    pub(super) fn beside(&self, path: PathBuf) -> Self {
        Self { path, section: None, is_later: false, ..self.clone() }
    }

    pub(super) fn at(settings: &Settings, path: PathBuf) -> Self {
        let (hub_ca, mqtt_in_clear) = (settings.hub_ca.clone(), settings.mqtt_in_clear);
        let spool_bytes = settings.spool_bytes;
        let (section, given_up, is_later) = (None, None, false);
        let mut folder = Self { path, section, spool_bytes, hub_ca, mqtt_in_clear, given_up, is_later };
        folder.section = settings.sections.of(&folder.name()).cloned();
        folder
    }

    /// Nothing could be done at this port just now: whoever chooses one next has the others go first. None: that is forgotten.
    pub fn give_up(&mut self, port: Option<PathBuf>) {
        self.given_up = port;
    }

    pub(super) fn has_given_up(&self, port: &Path) -> bool {
        self.given_up.as_deref() == Some(port)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether it is that of the printer of this name.
    #[must_use]
    pub fn is_of(&self, name: &str) -> bool {
        self.name() == slug(name)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Who vouches for the hub, by the agent's own settings.
    #[must_use]
    pub fn hub_ca(&self) -> Option<&PathBuf> {
        self.hub_ca.as_ref()
    }

    /// The journal's file.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        journal_in(&self.path)
    }

    /// Its journal as it is now: when it was written, and how long it is. None: it has none.
    #[must_use]
    pub fn journal_stamp(&self) -> Option<JournalStamp> {
        let journal = fs::metadata(self.journal()).ok()?;
        Some((journal.modified().ok()?, journal.len()))
    }

    /// The trail's file.
    #[must_use]
    pub fn trail(&self) -> PathBuf {
        self.path.join("trail")
    }

    /// The file of samples that the hub has not taken.
    #[must_use]
    pub fn telemetry(&self) -> PathBuf {
        self.path.join("telemetry.jsonl")
    }

    /// The folder of print files.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        spool_in(&self.path)
    }

    /// Its print files, beside those of the other printers.
    #[must_use]
    pub fn open_spool(&self, clock: SharedClock, disk: DiskWork) -> Spool {
        let printers = self.path.parent().unwrap_or(&self.path).to_owned();
        Spool::new(self.spool(), printers, self.spool_bytes, clock, disk)
    }

    /// Where the printer's adapter is kept.
    #[must_use]
    pub fn adapter_file(&self) -> PathBuf {
        self.path.join(ADAPTER)
    }

    /// How its port is found and opened.
    #[must_use]
    pub fn port_plan(&self, config: &PrinterConfig) -> PortPlan {
        let plan = self.port_plan_of(config.port.clone(), config.baud);
        let adapter_file = Some(self.adapter_file());
        PortPlan { reset_on_open: config.reset_on_open, adapter_file, ..plan }
    }

    /// The same for a port that the settings don't name, or not any more.
    #[must_use]
    pub fn port_plan_of(&self, port: PathBuf, baud: Option<u32>) -> PortPlan {
        let data = self.path.parent().and_then(Path::parent);
        PortPlan {
            speeds: data.map(SpeedMemory::new),
            adapter_file: Some(self.adapter_file_of(&port)),
            ..PortPlan::new(port, baud)
        }
    }

    fn adapter_file_of(&self, port: &Path) -> PathBuf {
        let former = self.path.join(FORMER_ADAPTER);
        if adapter_is_of(&former, port) { former } else { self.adapter_file() }
    }

    /// Another port is about to be driven: which adapter this one was stays known.
    pub(super) fn set_adapter_aside(&self, port: &Path) {
        let file = self.adapter_file();
        if adapter_is_of(&file, port) {
            // Without it the port's name counts.
            let _ = fs::rename(file, self.path.join(FORMER_ADAPTER));
        }
    }

    /// Whether pairing was done, to its end.
    #[must_use]
    pub fn is_paired(&self) -> bool {
        let config = self.config_file();
        if self.is_later {
            // What is no file could only take the place of a pairing that is good.
            return fs::metadata(config).is_ok_and(|found| found.is_file());
        }
        // Whatever stands there: what can't be read, or not even looked at, is no reason to take the printer for nobody's. Only what
        // is certainly absent is; so it is also in what is no folder.
        fs::symlink_metadata(config).map_or_else(
            |error| !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
            |_| true,
        )
    }

    /// Reads settings and credential.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn load(&self) -> Result<(PrinterConfig, Credential), FolderError> {
        Ok((self.config()?, self.credential()?))
    }

    /// Its settings alone.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn config(&self) -> Result<PrinterConfig, FolderError> {
        let path = self.config_file();
        let text = text_of(&path)?;
        let mut config = self.understood(&text).map_err(|message| FolderError::Config { path, message })?;
        // What the agent's own settings say goes before what the printer was paired with.
        config.hub_ca = self.hub_ca.clone().or(config.hub_ca);
        // One printer's own setting is no smaller than that of all.
        config.mqtt_in_clear |= self.mqtt_in_clear;
        Ok(config)
    }

    /// Where its hub is, as far as that is certain although its settings may not be understood.
    #[must_use]
    pub fn hub_of_broken(&self) -> Option<HubOfBroken> {
        if let Ok(PrinterConfig { hub, hub_ca, mqtt_in_clear, .. }) = self.config() {
            return Some(HubOfBroken { hub, hub_ca, mqtt_in_clear });
        }
        let found = HubOfBroken::read(&text_of(&self.config_file()).ok()?)?;
        let hub_ca = self.hub_ca.clone().or(found.hub_ca);
        let mqtt_in_clear = found.mqtt_in_clear || self.mqtt_in_clear;
        Some(HubOfBroken { hub_ca, mqtt_in_clear, ..found })
    }

    /// Where its port is, and its speed where that is set: by the agent's own settings, or by what is certain of the printer's
    /// although they can't be understood.
    #[must_use]
    pub fn port_of_broken(&self) -> Option<(PathBuf, Option<u32>)> {
        if let Some(PrinterSection { port: Some(port), baud, .. }) = &self.section {
            return Some((port.clone(), *baud));
        }
        salvage::port(&text_of(&self.config_file()).ok()?)
    }

    /// Its credential.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn credential(&self) -> Result<Credential, FolderError> {
        let path = self.credential_file();
        let text = text_of(&path)?;
        if text.trim().is_empty() {
            // As a disk that was full has left it. The hub would call that a credential which it does not accept any more.
            let message = "it is empty. Put it back, or pair the printer again".to_owned();
            return Err(FolderError::Config { path, message });
        }
        Ok(Credential::new(&text))
    }

    fn understood(&self, text: &str) -> Result<PrinterConfig, String> {
        // First as it stands: a mistake in it is told with its line.
        let alone: PrinterConfig = toml::from_str(text).map_err(|error| in_words(text, &error))?;
        let Some(section) = &self.section else { return Ok(alone) };
        let table = toml::from_str(text).map_err(|error| in_words(text, &error))?;
        overlay(table, section)?.try_into().map_err(|error| error.message().to_owned())
    }

    /// What `pair` has written, without the agent's own configuration.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn stored_config(&self) -> Result<PrinterConfig, FolderError> {
        let path = self.config_file();
        let text = text_of(&path)?;
        toml::from_str(&text).map_err(|error| FolderError::Config { path, message: in_words(&text, &error) })
    }

    /// Writes settings and credential: the settings last, for they say that the pairing is done.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn store(&self, config: &PrinterConfig, credential: &Credential) -> Result<(), FolderError> {
        self.prepare()?;
        let path = self.credential_file();
        let secret = format!("{}\n", credential.secret());
        plain_file::write_private(&path, secret.as_bytes()).map_err(disk(&path))?;
        let path = self.config_file();
        let text = toml::to_string(config)
            .map_err(|error| FolderError::Config { path: path.clone(), message: error.to_string() })?;
        plain_file::write(&path, text.as_bytes()).map_err(disk(&path))
    }

    /// Makes the folder and finds out whether it can be written: before a pairing code is used up.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn prepare(&self) -> Result<(), FolderError> {
        fs::create_dir_all(&self.path).map_err(disk(&self.path))
    }

    fn config_file(&self) -> PathBuf {
        self.path.join(CONFIG)
    }

    fn credential_file(&self) -> PathBuf {
        self.path.join(CREDENTIAL)
    }
}

pub(crate) fn journal_in(folder: &Path) -> PathBuf {
    folder.join("journal.jsonl")
}

pub(crate) fn spool_in(folder: &Path) -> PathBuf {
    folder.join(SPOOL)
}

fn printers(data: &Path) -> PathBuf {
    data.join("printers")
}

fn disk(path: &Path) -> impl FnOnce(std::io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| match NoPlainFile::why(&source) {
        Some(what) => FolderError::InItsPlace { path, what },
        None => FolderError::Disk { path, source },
    }
}

fn text_of(path: &Path) -> Result<String, FolderError> {
    plain_file::read_text(path, LONGEST_BYTES).map_err(disk(path))
}

/// A folder's name for a printer's name: letters and digits of any script stay.
pub(super) fn slug(name: &str) -> String {
    let dashed: String =
        name.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    let words: Vec<&str> = dashed.split('-').filter(|word| !word.is_empty()).collect();
    let slug: String = words.join("-").chars().take(60).collect();
    if slug.is_empty() { "printer".into() } else { slug }
}

#[cfg(test)]
mod tests;
