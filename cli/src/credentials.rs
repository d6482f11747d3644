//! The hub and the token that commands use.
//!
//! Owns: `$XDG_CONFIG_HOME/stardust/credentials.toml` (mode 0600) and the variables STARDUST_HUB and
//! STARDUST_TOKEN that go before it. Must not know: how a token is obtained.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::CliError;

/// A hub and the right to use it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// The hub's address.
    pub(crate) hub: Url,
    /// The API token.
    pub(crate) token: String,
    /// The token's id, by which it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("hub", &self.hub.as_str()).finish_non_exhaustive()
    }
}

/// The file that keeps them.
pub(crate) fn path() -> Result<PathBuf, CliError> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("XDG_CONFIG_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| variable("HOME").map(|home| home.join(".config")))
        .ok_or_else(|| CliError::Usage("neither XDG_CONFIG_HOME nor HOME is set: set one of them".into()))?;
    Ok(folder.join("stardust").join("credentials.toml"))
}

/// What commands use: the variables where they are set, else what `login` has stored.
pub(crate) fn current() -> Result<Credentials, CliError> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let hub = variable("STARDUST_HUB").map(|hub| parse_hub(&hub)).transpose()?;
    let token = variable("STARDUST_TOKEN");
    if let (Some(hub), Some(token)) = (&hub, &token) {
        return Ok(Credentials { hub: hub.clone(), token: token.clone(), token_id: None });
    }
    choose(hub, token, load(&path()?)?)
}

/// A stored token is only for the hub that gave it.
fn choose(
    hub: Option<Url>,
    token: Option<String>,
    stored: Option<Credentials>,
) -> Result<Credentials, CliError> {
    match (hub, token, stored) {
        (Some(hub), Some(token), _) => Ok(Credentials { hub, token, token_id: None }),
        (Some(hub), None, Some(stored)) if stored.hub == hub => Ok(stored),
        (Some(hub), None, _) => Err(CliError::Usage(format!(
            "there is no token for {hub}: sign in with `stardust login {hub}` or set STARDUST_TOKEN"
        ))),
        (None, Some(token), Some(stored)) => Ok(Credentials { hub: stored.hub, token, token_id: None }),
        (None, None, Some(stored)) => Ok(stored),
        (None, _, None) => {
            Err(CliError::Usage("not signed in to a hub: sign in with `stardust login HUB_URL`".into()))
        }
    }
}

/// A hub's address as people write it; without a scheme https is meant.
pub(crate) fn parse_hub(text: &str) -> Result<Url, CliError> {
    let wrong = |reason: String| CliError::Usage(format!("“{text}” is not the address of a hub: {reason}"));
    let text = text.trim();
    let full = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url = Url::parse(&full).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong("it should look like https://hub.example.org".into()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("leave name and password out of it".into()));
    }
    url.set_query(None);
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// What is stored; none when nobody has signed in.
pub(crate) fn load(path: &Path) -> Result<Option<Credentials>, CliError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(CliError::File { path: path.to_owned(), source }),
    };
    toml::from_str(&text).map(Some).map_err(|error| CliError::Credentials {
        path: path.to_owned(),
        // The whole message would show the line, and with it the token.
        reason: error.message().to_owned(),
    })
}

/// Stores credentials so that only their owner can read them, and never half of them.
pub(crate) fn store(path: &Path, credentials: &Credentials) -> Result<(), CliError> {
    let text = toml::to_string(credentials)
        .map_err(|error| CliError::Failed(format!("the credentials can't be written: {error}")))?;
    write_private(path, &text).map_err(|source| CliError::File { path: path.to_owned(), source })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let draft = path.with_extension(format!("toml.{}", std::process::id()));
    // A draft left behind by an earlier process of the same number may have any mode.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

/// Forgets what is stored.
pub(crate) fn forget(path: &Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::File { path: path.to_owned(), source: error })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt as _;

    fn credentials(hub: &str) -> Credentials {
        Credentials { hub: parse_hub(hub).unwrap(), token: "sdt_secret".into(), token_id: Some("1".into()) }
    }

    #[test]
    fn what_is_stored_is_found_again_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/stardust/credentials.toml");
        assert_eq!(load(&path).unwrap(), None);
        store(&path, &credentials("https://old.example")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        store(&path, &credentials("https://hub.example")).unwrap();
        assert_eq!(load(&path).unwrap(), Some(credentials("https://hub.example")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        forget(&path).unwrap();
        forget(&path).unwrap();
        assert_eq!(load(&path).unwrap(), None);
    }

    #[test]
    fn a_damaged_file_does_not_show_its_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.toml");
        fs::write(&path, "hub = 5\ntoken = \"sdt_secret\" x").unwrap();
        let error = load(&path).unwrap_err().to_string();
        assert!(!error.contains("sdt_secret") && error.contains("stardust login"), "{error}");
        assert!(!format!("{:?}", credentials("https://a.b")).contains("secret"));
    }

    #[rstest]
    #[case("https://hub.example", "https://hub.example/")]
    #[case("hub.example:8443", "https://hub.example:8443/")]
    #[case("http://localhost:8080/", "http://localhost:8080/")]
    #[case("https://example.org/hub?x#y", "https://example.org/hub/")]
    fn addresses(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(parse_hub(text).unwrap().as_str(), expected);
    }

    #[rstest]
    #[case("")]
    #[case("ftp://hub.example")]
    #[case("https://me:secret@hub.example")]
    #[case("https://")]
    fn what_is_no_address(#[case] text: &str) {
        assert_eq!(parse_hub(text).unwrap_err().exit_status(), 2);
    }

    #[test]
    fn a_token_is_never_sent_to_another_hub() {
        let other = parse_hub("https://other.example").unwrap();
        let stored = credentials("https://hub.example");
        assert!(choose(Some(other.clone()), None, Some(stored.clone())).is_err());
        assert_eq!(choose(Some(stored.hub.clone()), None, Some(stored.clone())).unwrap(), stored);
        assert_eq!(choose(None, Some("t".into()), Some(stored.clone())).unwrap().token, "t");
        assert_eq!(choose(Some(other.clone()), Some("t".into()), Some(stored)).unwrap().hub, other);
        assert_eq!(choose(None, None, None).unwrap_err().exit_status(), 2);
    }
}
