//! Sections of the agent's configuration that are of no printer here: a name that was misspelt sets nothing, and must not do so in
//! silence.
//!
//! Owns: finding them. Must not know: who is told. Unknown keys and tables are refused when the file is read
//! ([`crate::settings`]); what a printer is called no file says.

use std::path::PathBuf;

use super::{OutOfSight, PrinterFolder, slug};
use crate::settings::Settings;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfNobody {
    name: String,
    config: PathBuf,
    paired: Vec<String>,
}

impl OfNobody {
    /// All of these settings. One with a port, where a hub is named, is of a printer that waits for its PIN. What can't be looked
    /// into may hold the printer that is meant.
    #[must_use]
    pub fn all(settings: &Settings) -> Vec<Self> {
        let Some(config) = &settings.config else { return Vec::new() };
        let paired: Vec<String> = PrinterFolder::all(settings).iter().map(PrinterFolder::name).collect();
        let waits = |name: &str| settings.hub.is_some() && settings.sections.port_of(name).is_some();
        let names = settings.sections.names().filter(|name| !paired.contains(&slug(name)) && !waits(name));
        let found: Vec<Self> = names
            .map(|name| Self { name: name.to_owned(), config: config.clone(), paired: paired.clone() })
            .collect();
        if found.is_empty() || !OutOfSight::all(settings).is_empty() { Vec::new() } else { found }
    }

    /// For a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        let known = match self.paired.as_slice() {
            [] => "none is paired yet".to_owned(),
            paired => format!("paired are: {}", paired.join(", ")),
        };
        format!(
            "{}: [printer.{}] is of no printer that is paired here ({known}), so nothing in it counts. If its name is misspelt, mend \
             it and start the agent anew; else pair that printer.",
            self.config.display(),
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_of_somebody_when_its_printer_is_paired_or_waits_for_a_pin() {
        let data = tempfile::tempdir().unwrap();
        let config = data.path().join("agent.toml");
        let ada = data.path().join("printers/ada");
        std::fs::create_dir_all(&ada).unwrap();
        std::fs::write(ada.join("printer.toml"), "").unwrap();
        let found = |text: &str| {
            std::fs::write(&config, text).unwrap();
            let settings = Settings::read(Some(data.path().to_owned()), Some(&config)).unwrap();
            OfNobody::all(&settings).iter().map(|one| one.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(found("[printer.Ada]\nbaud = 115200\n"), Vec::<String>::new());
        assert_eq!(found("[printer.adda]\nport = \"/dev/a\"\n"), ["adda"]);
        assert_eq!(found("hub = \"http://hub\"\n[printer.bo]\nport = \"/dev/a\"\n"), Vec::<String>::new());
        assert_eq!(found("hub = \"http://hub\"\n[printer.bo]\nbaud = 115200\n"), ["bo"]);
        std::fs::write(data.path().join("printers/file"), "").unwrap();
        assert_eq!(found("[printer.adda]\n"), Vec::<String>::new(), "nobody knows");
    }
}
