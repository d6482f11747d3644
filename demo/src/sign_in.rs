//! The hub's first sign-in: found in what the hub shows once, and kept in a file for later starts.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::{Error, Result};

/// What the hub shows once, at its first start.
#[derive(Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The owner's e-mail address.
    pub email: String,
    /// The owner's random password.
    pub password: String,
}

// The password must not reach a log by way of Debug.
impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("email", &self.email).finish_non_exhaustive()
    }
}

impl SignIn {
    /// Finds the two lines in what the hub wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value = |label: &str| {
            text.lines().find_map(|line| line.strip_prefix(label)).map(|value| value.trim().to_owned())
        };
        Some(Self { email: value("first sign-in e-mail:")?, password: value("first sign-in password:")? })
    }

    /// Reads what [`SignIn::save`] wrote; none when there is no such file.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn load(path: &Path) -> Result<Option<Self>> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    /// Keeps it in a file that only this user can read.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(path).map_err(Error::file(path))?;
        file.write_all(self.to_lines().as_bytes()).map_err(Error::file(path))
    }

    fn to_lines(&self) -> String {
        format!("first sign-in e-mail: {}\nfirst sign-in password: {}\n", self.email, self.password)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_first_sign_in_is_found_among_other_lines_and_written_the_same_again() {
        let shown =
            "hello\nfirst sign-in e-mail: owner@stardust.local\nfirst sign-in password: ab c\nready\n";
        let sign_in = SignIn::parse(shown).unwrap();
        assert_eq!((sign_in.email.as_str(), sign_in.password.as_str()), ("owner@stardust.local", "ab c"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("first-sign-in.txt");
        assert_eq!(SignIn::load(&path).unwrap(), None);
        sign_in.save(&path).unwrap();
        assert_eq!(SignIn::load(&path).unwrap(), Some(sign_in));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn half_a_sign_in_is_none() {
        assert_eq!(SignIn::parse("first sign-in e-mail: a@b\n"), None);
    }

    #[test]
    fn the_password_does_not_reach_debug() {
        let sign_in = SignIn { email: "a@b".into(), password: "hunter2".into() };
        assert!(!format!("{sign_in:?}").contains("hunter2"));
    }
}
