//! `[printer.<name>]` of the agent's configuration file: what a person sets for one printer.
//!
//! Owns: what may stand there, and that it goes before what `pair` has written into the printer's folder. Must not know:
//! files. A section's name is the printer's, as its folder is called: `[printer.ender-left]` is “Ender left”.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::folder::slug;
use crate::print_job::profile::Profile;
use crate::serial::{KeepBedWarm, Templates};

/// Settings of one printer; what is not set stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrinterSection {
    /// Its serial port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<PathBuf>,
    /// Its speed, bits a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baud: Option<u32>,
    /// The credential may go over MQTT in clear, although the hub is reached by HTTPS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mqtt_in_clear: Option<bool>,
    /// Start the board anew each time its port is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset_on_open: Option<bool>,
    /// How long the bed of a print that was interrupted stays warm, minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_bed_warm_minutes: Option<KeepBedWarm>,
    /// What it can do.
    #[serde(skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
    /// Its own scripts.
    #[serde(skip_serializing_if = "Templates::is_empty")]
    pub scripts: Templates,
}

/// All sections, by the names of the printers' folders.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sections(BTreeMap<String, Named>);

#[derive(Debug, Clone, PartialEq)]
struct Named {
    name: String,
    section: PrinterSection,
}

impl Sections {
    /// As they stand in the file. Two that mean the same printer are a mistake: its name is returned.
    ///
    /// # Errors
    /// The name that is there twice.
    pub fn new(read: BTreeMap<String, PrinterSection>) -> Result<Self, String> {
        let mut sections = BTreeMap::new();
        for (name, section) in read {
            if sections.insert(slug(&name), Named { name: name.clone(), section }).is_some() {
                return Err(name);
            }
        }
        Ok(Self(sections))
    }

    /// The section of a printer, by its folder's name.
    #[must_use]
    pub fn of(&self, folder: &str) -> Option<&PrinterSection> {
        self.0.get(folder).map(|named| &named.section)
    }

    /// The port of the printer of this name, where it is set here.
    #[must_use]
    pub fn port_of(&self, name: &str) -> Option<&PathBuf> {
        self.of(&slug(name))?.port.as_ref()
    }

    /// The names as they stand in the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|named| named.name.as_str())
    }

    /// Names and ports of the printers that have one here.
    pub fn ports(&self) -> impl Iterator<Item = (&str, &PathBuf)> {
        self.0.values().filter_map(|named| Some((named.name.as_str(), named.section.port.as_ref()?)))
    }
}

/// Puts a section over what the printer's folder says.
///
/// # Errors
/// They can't be put together; with the reason.
pub(super) fn overlay(mut table: toml::Table, section: &PrinterSection) -> Result<toml::Table, String> {
    let over = toml::Table::try_from(section).map_err(|error| error.to_string())?;
    merge(&mut table, over);
    Ok(table)
}

fn merge(below: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(over)) => merge(below, over),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_goes_before_the_folder_setting_by_setting() {
        let folder =
            toml::from_str("port = \"/dev/a\"\nbaud = 115200\n[profile]\ntools = 2\nbed_max_c = 80.0\n");
        let section: PrinterSection =
            toml::from_str("baud = 250000\n[profile]\nbed_max_c = 100.0\n[scripts]\npause = \"M25\"\n")
                .unwrap();
        let table = overlay(folder.unwrap(), &section).unwrap();
        insta::assert_snapshot!(toml::to_string(&table).unwrap(), @r#"
        baud = 250000
        port = "/dev/a"

        [profile]
        bed_max_c = 100.0
        tools = 2

        [scripts]
        pause = "M25"
        "#);
    }

    #[test]
    fn the_same_printer_twice_is_a_mistake() {
        let twice = ["Ender left", "ender-left"].map(|name| (name.to_owned(), PrinterSection::default()));
        assert!(Sections::new(twice.into()).is_err());
    }
}
