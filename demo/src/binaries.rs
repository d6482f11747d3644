//! Where the project's own binaries are. Knows Cargo's target directory, and nothing of what they do.

use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// The directory that holds the built binaries.
#[derive(Debug, Clone)]
pub struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// Those built together with the running program: `target/<profile>/`, also from a test in its `deps/`.
    ///
    /// # Errors
    /// The operating system does not tell where this program is.
    pub fn beside_this_program() -> Result<Self> {
        let exe = std::env::current_exe().map_err(Error::file(Path::new("/proc/self/exe")))?;
        let dir = exe.parent().unwrap_or(Path::new("."));
        let dir = if dir.ends_with("deps") { dir.parent().unwrap_or(dir) } else { dir };
        Ok(Self { dir: dir.to_owned() })
    }

    /// Those in a directory of the caller's choice.
    #[must_use]
    pub fn in_directory(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Path of one binary.
    ///
    /// # Errors
    /// It has not been built.
    pub fn path(&self, name: &'static str) -> Result<PathBuf> {
        let path = self.dir.join(name);
        if path.is_file() { Ok(path) } else { Err(Error::BinaryMissing { name, dir: self.dir.clone() }) }
    }

    /// Checks that all that a house needs has been built.
    ///
    /// # Errors
    /// The first one that is missing.
    pub fn check(&self) -> Result<()> {
        ["stardust-hub", "stardust-agent", "firmware-sim"]
            .into_iter()
            .try_for_each(|name| self.path(name).map(|_| ()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_was_not_built_is_named_with_the_way_to_build_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = Binaries::in_directory(dir.path()).check().unwrap_err().to_string();
        assert!(error.contains("stardust-hub") && error.contains("cargo build"), "{error}");
    }

    #[test]
    fn a_test_finds_the_directory_above_deps() {
        let binaries = Binaries::beside_this_program().unwrap();
        assert!(!binaries.dir.ends_with("deps"), "{}", binaries.dir.display());
    }
}
