//! The symbolic link under which hosts find the pty, for as long as the simulator runs.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A link that goes when this value goes, unless somebody else has taken its name meanwhile.
#[derive(Debug)]
pub(super) struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Makes `path` lead to `target` in one step: a host sees the old link or the new one, never none. An older
    /// link is replaced (its pty's number may be another's by now); anything that is not a link is left alone.
    pub(super) fn create(path: &Path, target: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if !there.file_type().is_symlink() => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "it exists and is no symbolic link",
                ));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let fresh = path.with_file_name(name);
        symlink(target, &fresh)?;
        if let Err(error) = fs::rename(&fresh, path) {
            let _ = fs::remove_file(&fresh);
            return Err(error);
        }
        Ok(Self { path: path.to_owned(), target: target.to_owned() })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if fs::read_link(&self.path).is_ok_and(|target| target == self.target) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_link_is_replaced_and_removed_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("printer");
        symlink("/dev/pts/gone", &path).unwrap();
        let link = Link::create(&path, Path::new("/dev/pts/7")).unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/pts/7"));
        drop(link);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_in_the_way_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("printer");
        fs::write(&path, "precious").unwrap();
        let error = Link::create(&path, Path::new("/dev/pts/7")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_link_somebody_else_took_over_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("printer");
        let first = Link::create(&path, Path::new("/dev/pts/7")).unwrap();
        let _second = Link::create(&path, Path::new("/dev/pts/8")).unwrap();
        drop(first);
        assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/pts/8"));
    }
}
