//! Settings: the command line and `STARDUST_HUB_…` over the file over the defaults.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::db::DbAddress;

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept that has no place of its own.
    pub data: PathBuf,
    /// HTTP: dashboard, API, agents.
    pub listen: SocketAddr,
    /// The MQTT gateway.
    pub mqtt_listen: SocketAddr,
    /// The database.
    pub database: DbAddress,
    /// How people and agents reach this hub from outside: pairing commands and cookies follow it.
    pub public_url: Option<url::Url>,
    /// Largest upload, bytes.
    pub max_upload_bytes: u64,
}

/// The same as a person writes it: each part may be left out.
#[derive(Debug, Clone, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Directory for the database, the objects and everything else [default: stardust-hub-data]
    #[arg(long, global = true, env = "STARDUST_HUB_DATA", value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Address for the dashboard, the API and the agents [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "STARDUST_HUB_LISTEN", value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
    /// Address for MQTT [default: 127.0.0.1:1883]
    #[arg(long, global = true, env = "STARDUST_HUB_MQTT_LISTEN", value_name = "ADDR")]
    pub mqtt_listen: Option<SocketAddr>,
    /// sqlite:PATH or postgres://user:password@host/database [default: sqlite:DATA/hub.db]
    #[arg(long, global = true, env = "STARDUST_HUB_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// How people reach this hub from outside, such as `https://print.example.org`
    #[arg(long, global = true, env = "STARDUST_HUB_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<url::Url>,
    /// Largest upload in bytes [default: 1073741824, 1 GiB]
    #[arg(long, global = true, env = "STARDUST_HUB_MAX_UPLOAD_BYTES", value_name = "BYTES")]
    pub max_upload_bytes: Option<u64>,
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("the settings file {} can't be read: {error}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// The file holds something else than settings.
    #[error("the settings file {} can't be used: {error}", path.display())]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        error: Box<toml::de::Error>,
    },
}

const DEFAULT_MAX_UPLOAD_BYTES: u64 = 1 << 30;

impl Settings {
    /// Reads a settings file.
    ///
    /// # Errors
    /// It can't be read, or holds an unknown or ill-typed setting.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::Parse { path: path.to_owned(), error: Box::new(error) })
    }

    /// What is set here, else what is set in `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            data: self.data.or(other.data),
            listen: self.listen.or(other.listen),
            mqtt_listen: self.mqtt_listen.or(other.mqtt_listen),
            database: self.database.or(other.database),
            public_url: self.public_url.or(other.public_url),
            max_upload_bytes: self.max_upload_bytes.or(other.max_upload_bytes),
        }
    }

    /// With the defaults for what is not set.
    #[must_use]
    pub fn resolve(self) -> Config {
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let data = self.data.unwrap_or_else(|| "stardust-hub-data".into());
        Config {
            database: self
                .database
                .map_or_else(|| DbAddress::Sqlite(data.join("hub.db")), |url| DbAddress::parse(&url)),
            data,
            listen: self.listen.unwrap_or_else(|| local(8080)),
            mqtt_listen: self.mqtt_listen.unwrap_or_else(|| local(1883)),
            public_url: self.public_url,
            max_upload_bytes: self.max_upload_bytes.unwrap_or(DEFAULT_MAX_UPLOAD_BYTES),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_the_file_and_the_file_over_the_defaults() {
        let file: Settings = toml::from_str("listen = \"0.0.0.0:80\"\ndata = \"/var/lib/hub\"").unwrap();
        let line = Settings { listen: Some("127.0.0.1:9000".parse().unwrap()), ..Settings::default() };
        let config = line.or(file).resolve();
        assert_eq!(config.listen.port(), 9000);
        assert_eq!(config.database, DbAddress::Sqlite("/var/lib/hub/hub.db".into()));
        assert_eq!(config.max_upload_bytes, 1_073_741_824);
    }

    #[test]
    fn a_misspelt_setting_is_refused_by_name() {
        let error = toml::from_str::<Settings>("listne = \"x\"").unwrap_err();
        assert!(error.to_string().contains("listne"), "{error}");
    }

    #[test]
    fn the_password_of_the_database_does_not_reach_debug() {
        let config =
            Settings { database: Some("postgres://hub:hunter2@db/hub".into()), ..Settings::default() };
        let text = format!("{:?}", config.resolve());
        assert!(text.contains("@db/hub") || text.contains("db/hub"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
