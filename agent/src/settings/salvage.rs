//! What can still be read of settings that can't be understood: where the data are, and the printers' ports.
//!
//! An agent that can't work still turns off what it has left hot, and has to find it. Owns: reading past mistakes. Nothing
//! that is read here is printed with. Must not know: what is made safe, and how.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::{DEFAULT_SPOOL_BYTES, LONGEST_BYTES, SYSTEM_CONFIG, Settings, default_data};
use crate::plain_file;
use crate::printer::section::{PrinterSection, Sections};

/// Where the data are by the command line or the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--config`.
    pub config: Option<PathBuf>,
}

impl Given {
    /// From a command line as it was typed, whatever else is wrong with it.
    pub fn read(
        arguments: impl Iterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let path = |name| variable(name).filter(|text| !text.is_empty()).map(PathBuf::from);
        let mut given = Self { data: path("STARDUST_AGENT_DATA"), config: path("STARDUST_AGENT_CONFIG") };
        let mut arguments = arguments.take_while(|argument| argument != "--");
        while let Some(argument) = arguments.next() {
            let (option, value) = match argument.as_bytes().iter().position(|byte| *byte == b'=') {
                Some(at) => {
                    let (option, value) = argument.as_bytes().split_at(at);
                    (OsStr::from_bytes(option).to_owned(), Some(OsStr::from_bytes(&value[1..]).to_owned()))
                }
                None => (argument, None),
            };
            let place = match option.to_str() {
                Some("--data") => &mut given.data,
                Some("--config") => &mut given.config,
                _ => continue,
            };
            *place = value.or_else(|| arguments.next()).map(PathBuf::from).or(place.take());
        }
        given
    }
}

impl Settings {
    /// What is left when the settings can't be understood. Where the data are: by the command line or the environment, by
    /// the configuration as far as it can be read, by the service manager (`STATE_DIRECTORY`), or where they are by default.
    #[must_use]
    pub fn salvaged(given: Given) -> Self {
        let is_root = rustix::process::geteuid().is_root();
        let system = || (is_root && given.data.is_none()).then(|| PathBuf::from(SYSTEM_CONFIG));
        let (in_file, sections) =
            given.config.clone().or_else(system).map(|config| read(&config)).unwrap_or_default();
        let state = || std::env::var_os("STATE_DIRECTORY").map(PathBuf::from);
        let data = given.data.or(in_file).or_else(state).unwrap_or_else(|| default_data(is_root));
        Self { sections, ..Self::of_data(data) }
    }

    /// Those that say where the data are and nothing else.
    #[must_use]
    pub fn of_data(data: PathBuf) -> Self {
        Self {
            data,
            config: None,
            service_is_meant: false,
            hub: None,
            status_page: None,
            hub_ca: None,
            mqtt_in_clear: false,
            spool_bytes: DEFAULT_SPOOL_BYTES,
            sections: Sections::default(),
        }
    }
}

/// What a configuration says, however broken it is.
fn read(config: &Path) -> (Option<PathBuf>, Sections) {
    let Ok(bytes) = plain_file::read(config, LONGEST_BYTES) else { return Default::default() };
    let text = String::from_utf8_lossy(&bytes);
    let (table, _mistakes) = DeTable::parse_recoverable(&text);
    let table = table.get_ref();
    let named = |table: &DeTable<'_>, key: &str| Some(PathBuf::from(table.get(key)?.get_ref().as_str()?));
    let mut sections = BTreeMap::new();
    for (name, section) in table.get("printer").and_then(|all| all.get_ref().as_table()).into_iter().flatten()
    {
        let Some(section) = section.get_ref().as_table() else { continue };
        let baud = section.get("baud").and_then(|baud| baud.get_ref().as_integer()?.as_str().parse().ok());
        let section = PrinterSection { port: named(section, "port"), baud, ..PrinterSection::default() };
        sections.insert(name.get_ref().to_string(), section);
    }
    // Two that mean the same printer: nobody knows which.
    (named(table, "data"), Sections::new(sections).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nothing(&["run"], &[], None, None)]
    #[case::beside_a_mistake(&["run", "--daata", "/x", "--data", "/y"], &[], Some("/y"), None)]
    #[case::in_one(&["--data=/y", "--config=/c", "run", "--spool-bytes=much"], &[], Some("/y"), Some("/c"))]
    #[case::before_the_environment(&["--data", "/y", "run"], &[("STARDUST_AGENT_DATA", "/z")], Some("/y"), None)]
    #[case::the_environment(&["run", "--x"], &[("STARDUST_AGENT_CONFIG", "/c"), ("STARDUST_AGENT_DATA", "")], None, Some("/c"))]
    #[case::no_value(&["run", "--data"], &[("STARDUST_AGENT_DATA", "/z")], Some("/z"), None)]
    #[case::no_option(&["run", "--", "--data", "/y"], &[], None, None)]
    fn what_was_given(
        #[case] arguments: &[&str],
        #[case] environment: &[(&str, &str)],
        #[case] data: Option<&str>,
        #[case] config: Option<&str>,
    ) {
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        let given = Given::read(arguments.iter().map(OsString::from), variable);
        assert_eq!(given, Given { data: data.map(PathBuf::from), config: config.map(PathBuf::from) });
    }

    #[rstest]
    #[case::an_unknown_name(
        "data = \"/d\"\nhubb = 1\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\nbawd = 1\n"
    )]
    #[case::a_wrong_kind(
        "data = \"/d\"\nspool_bytes = \"much\"\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\n"
    )]
    #[case::no_toml("hub = https://hub\ndata = \"/d\"\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\n")]
    #[case::a_quote_is_missing(
        "hub = \"https://hub\ndata = \"/d\"\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\n"
    )]
    #[case::a_bracket_is_missing(
        "data = \"/d\"\n[printer.right\nport = 1\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\n"
    )]
    #[case::twice("data = \"/d\"\ndata = \"/d\"\n[printer.left]\nport = \"/dev/a\"\nbaud = 9600\n")]
    fn a_broken_file_still_says_where_data_and_printers_are(#[case] text: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        assert!(Settings::read(None, Some(file.path())).is_err());
        let salvaged = Settings::salvaged(Given { data: None, config: Some(file.path().to_owned()) });
        assert_eq!(salvaged.data, Path::new("/d"));
        let left = salvaged.sections.of("left").unwrap();
        assert_eq!((left.port.as_deref(), left.baud), (Some(Path::new("/dev/a")), Some(9600)));
    }

    #[test]
    fn what_can_not_be_read_at_all_says_nothing() {
        for text in [&b"\xff\xfe\0\0"[..], b"data = 7\n", b""] {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            assert_eq!(read(file.path()), (None, Sections::default()));
        }
        assert_eq!(read(Path::new("/nowhere")), (None, Sections::default()));
    }
}
