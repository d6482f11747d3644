//! The agent's own settings: where its data are.
//!
//! Owns: the order of precedence: command line, environment, configuration file, default. Printers have settings
//! of their own ([`crate::printer::folder`]).

use std::path::{Path, PathBuf};

use serde::Deserialize;

/// What `--config` may hold.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ConfigFile {
    /// The data directory.
    data: Option<PathBuf>,
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
}

/// Where the data are.
///
/// # Errors
/// [`SettingsError`] when a configuration file was named and can't be used.
pub fn data_directory(given: Option<PathBuf>, config: Option<&Path>) -> Result<PathBuf, SettingsError> {
    let from_file = match config {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| SettingsError::Unreadable(path.to_owned(), error))?;
            let file: ConfigFile = toml::from_str(&text)
                .map_err(|error| SettingsError::Wrong(path.to_owned(), error.message().to_owned()))?;
            file.data
        }
    };
    Ok(given.or(from_file).unwrap_or_else(default_data_directory))
}

/// The system's place for root, the user's own for everyone else.
fn default_data_directory() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return "/var/lib/stardust-agent".into();
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).or_else(home);
    state.unwrap_or_else(|| ".".into()).join("stardust-agent")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "data = \"/from/file\"\n").unwrap();
        assert_eq!(data_directory(None, Some(file.path())).unwrap(), Path::new("/from/file"));
        assert_eq!(data_directory(Some("/given".into()), Some(file.path())).unwrap(), Path::new("/given"));
        std::fs::write(file.path(), "daata = \"/from/file\"\n").unwrap();
        let error = data_directory(None, Some(file.path())).unwrap_err().to_string();
        assert!(error.contains("daata"), "{error}");
    }
}
