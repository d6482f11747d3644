//! What should be a folder of printers, or of prints, and can't be looked into.
//!
//! Owns: finding that: what is in there may be hot, and nobody can know. Must not know: who is told.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::printers;
use crate::printer::by_hand;
use crate::settings::Settings;

/// One of them.
#[derive(Debug)]
pub struct OutOfSight {
    /// Where it is.
    pub path: PathBuf,
    /// Why it can't be looked into.
    pub why: io::Error,
}

impl OutOfSight {
    /// All of these data. What is not there holds nothing.
    #[must_use]
    pub fn all(settings: &Settings) -> Vec<Self> {
        let mut found = Vec::new();
        for folder in [printers(&settings.data), by_hand::prints(&settings.data)] {
            match fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound && !is_there(&folder) => {}
                Err(why) => found.push(Self { path: folder, why }),
                Ok(entries) => {
                    let paths = entries.flatten().map(|entry| entry.path());
                    found.extend(paths.filter(|path| !is_hidden(path)).filter_map(Self::if_no_folder));
                }
            }
        }
        found
    }

    fn if_no_folder(path: PathBuf) -> Option<Self> {
        let why = match fs::metadata(&path) {
            Ok(found) if found.is_dir() => return None,
            Ok(_) => ErrorKind::NotADirectory.into(),
            Err(why) => why,
        };
        Some(Self { path, why })
    }

    /// For a person.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("whatever is in {}, which can't be looked into ({})", self.path.display(), self.why)
    }
}

fn is_there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// What other programs leave everywhere.
fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_no_folder_is_out_of_sight_and_what_is_not_there_is_not() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings::of_data(data.path().join("data"));
        let seen = || {
            let mut all: Vec<_> = OutOfSight::all(&settings)
                .iter()
                .map(|one| one.path.strip_prefix(&settings.data).unwrap().display().to_string())
                .collect();
            all.sort();
            all
        };
        assert!(seen().is_empty(), "there are no data yet");
        fs::create_dir_all(settings.data.join("printers/ada")).unwrap();
        fs::write(settings.data.join("printers/.hidden"), "").unwrap();
        assert!(seen().is_empty());
        fs::write(settings.data.join("printers/bob"), "a file").unwrap();
        symlink("cleo", settings.data.join("printers/cleo")).unwrap();
        symlink("/nowhere", settings.data.join("print")).unwrap();
        assert_eq!(seen(), ["print", "printers/bob", "printers/cleo"]);
    }
}
