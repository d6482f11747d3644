//! Files that this agent has written, or a person for it, opened although anything may stand in their place by now.
//!
//! Opening a pipe waits for somebody at its other end, a device may have no end, and a serial port resets its board: who waits there
//! leaves heaters on, and hears no signal. So what is no plain file is not opened, and of one that is no more is read than it can hold.
//! Owns: that nothing waits or grows without end here, and saying what stands there. Must not know: what a file is for, or what is in it.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Write as _};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

#[cfg(test)]
mod only_here;

/// What stands in the place of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlainFile {
    /// Something else has its name.
    #[error("{0} stands there, and no file")]
    Other(&'static str),
    /// It is a file, and none of those that belong there.
    #[error("it is {bytes} bytes long, far more than the {most} of such a file")]
    TooLong {
        /// How long it is; at least so long, where it does not say.
        bytes: u64,
        /// The longest that belongs there.
        most: u64,
    },
}

impl NoPlainFile {
    /// Whether that is why a file could not be used.
    #[must_use]
    pub fn why(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }

    fn of(found: &Metadata) -> Option<Self> {
        let kind = found.file_type();
        if kind.is_file() {
            return None;
        }
        Some(Self::Other(if kind.is_dir() {
            "a directory"
        } else if kind.is_fifo() {
            "a named pipe"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        }))
    }
}

impl From<NoPlainFile> for io::Error {
    fn from(what: NoPlainFile) -> Self {
        Self::new(ErrorKind::InvalidInput, what)
    }
}

/// Opens it to be read.
///
/// # Errors
/// The system's, or [`NoPlainFile`].
pub fn open(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDONLY, Mode::empty())
}

/// Opens one that is there to be read and written.
///
/// # Errors
/// As for [`open`].
pub fn open_to_write(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDWR, Mode::empty())
}

/// Opens it to be read and written on at its end; where there is none it is a new one.
///
/// # Errors
/// As for [`open`].
pub fn open_to_append(path: &Path) -> io::Result<File> {
    opened(path, OFlags::RDWR | OFlags::CREATE | OFlags::APPEND, everyone())
}

/// An empty one, to be written and then to take another one's place. What has its name is what is left of a draft before, or nobody
/// knows what, and goes: written into, it may be what a link leads to.
///
/// # Errors
/// The system's; a directory does not go.
pub fn draft(path: &Path) -> io::Result<File> {
    draft_for(path, everyone())
}

/// Writes the whole file, in place of the one before: it is on disk then.
///
/// # Errors
/// The system's, and a directory stays where it is. What is there is whole even so: mostly what was there before.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_for(path, bytes, everyone())
}

/// The same, of what is nobody else's business: nobody else may read it, whoever could read what was there before.
///
/// # Errors
/// As for [`write()`].
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_for(path, bytes, Mode::RUSR | Mode::WUSR)
}

/// Opens a folder, to lock it or to see to it that its names are on disk.
///
/// # Errors
/// The system's.
pub fn folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

/// All that it holds; no such file holds more than `most` bytes.
///
/// # Errors
/// As for [`open`].
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_long = |bytes| Err(NoPlainFile::TooLong { bytes, most }.into());
    let bytes = file.metadata()?.len();
    if bytes > most {
        return too_long(bytes);
    }
    let mut all = Vec::new();
    // It may grow meanwhile.
    let read = file.take(most.saturating_add(1)).read_to_end(&mut all)? as u64;
    if read > most { too_long(read) } else { Ok(all) }
}

/// The same, as text.
///
/// # Errors
/// As for [`open`]; text is UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn everyone() -> Mode {
    // Less what the process's own mask forbids.
    Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH
}

fn draft_for(path: &Path, readers: Mode) -> io::Result<File> {
    // A directory is no draft of anybody's.
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => return Err(NoPlainFile::Other("a directory").into()),
        Ok(_) => std::fs::remove_file(path)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    opened_unseen(path, flags, readers)
}

fn write_for(path: &Path, bytes: &[u8], readers: Mode) -> io::Result<()> {
    let new = path.with_extension("new");
    let written = draft_for(&new, readers)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| std::fs::rename(&new, path).map_err(|error| what_stands_at(path).unwrap_or(error)));
    if written.is_err() {
        // The half of it takes what room there is, and may be secret.
        let _ = std::fs::remove_file(&new);
    }
    written?;
    path.parent().map_or(Ok(()), |parent| folder(parent)?.sync_all())
}

fn opened(path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    // Before it is opened, which for a device may do something.
    match std::fs::metadata(path) {
        Ok(found) => NoPlainFile::of(&found).map_or(Ok(()), Err)?,
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    opened_unseen(path, flags, mode)
}

/// Something else may have come there since anybody looked, and is not waited for.
fn opened_unseen(path: &Path, flags: OFlags, mode: Mode) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    // Of a socket, or of a pipe that nobody reads, the system says that there is no such device.
    let file = rustix::fs::open(path, flags, mode)
        .map(File::from)
        .map_err(|error| what_stands_at(path).unwrap_or_else(|| error.into()))?;
    NoPlainFile::of(&file.metadata()?).map_or(Ok(file), |what| Err(what.into()))
}

/// Why nothing could be done with it, where that is because it is no plain file.
fn what_stands_at(path: &Path) -> Option<io::Error> {
    NoPlainFile::of(&std::fs::metadata(path).ok()?).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use rustix::fs::{CWD, FileType, mknodat};
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    fn pipe(path: &Path) {
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }

    #[rstest]
    #[case::pipe("a named pipe", pipe)]
    #[case::directory("a directory", |path: &Path| std::fs::create_dir(path).unwrap())]
    #[case::socket("a socket", |path: &Path| drop(UnixListener::bind(path).unwrap()))]
    #[case::device("a device", |path: &Path| symlink("/dev/zero", path).unwrap())]
    #[case::a_link_to_a_pipe("a named pipe", |path: &Path| {
        pipe(&path.with_extension("else"));
        symlink(path.with_extension("else"), path).unwrap();
    })]
    fn what_is_no_plain_file_is_named_and_never_waited_for(
        #[case] what: &'static str,
        #[case] stands_at: fn(&Path),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        stands_at(&path);
        let why = |result: io::Result<()>| NoPlainFile::why(&result.unwrap_err());
        let expected = Some(NoPlainFile::Other(what));
        assert_eq!(why(open(&path).map(drop)), expected);
        assert_eq!(why(open_to_write(&path).map(drop)), expected);
        assert_eq!(why(open_to_append(&path).map(drop)), expected);
        assert_eq!(why(read(&path, 10).map(drop)), expected);
        if what == "a directory" {
            assert_eq!(why(draft(&path).map(drop)), expected);
            assert_eq!(why(write(&path, b"new")), expected);
            assert_eq!(why(write_private(&path, b"new")), expected);
        } else {
            draft(&path).unwrap().write_all(b"new").unwrap();
            assert_eq!(read_text(&path, 3).unwrap(), "new");
            std::fs::remove_file(&path).unwrap();
            let _ = std::fs::remove_file(path.with_extension("else"));
            stands_at(&path);
            write_private(&path, b"newer").unwrap();
            assert_eq!(read_text(&path, 5).unwrap(), "newer");
        }
        assert!(!path.with_extension("new").exists());
    }

    /// One that came between the look and the opening is told as well.
    #[rstest]
    #[case::pipe("a named pipe", pipe)]
    #[case::directory("a directory", |path: &Path| std::fs::create_dir(path).unwrap())]
    #[case::socket("a socket", |path: &Path| drop(UnixListener::bind(path).unwrap()))]
    #[case::device("a device", |path: &Path| symlink("/dev/null", path).unwrap())]
    fn what_came_meanwhile_is_named_too(
        #[case] what: &'static str,
        #[case] stands_at: fn(&Path),
        #[values(OFlags::RDONLY, OFlags::WRONLY, OFlags::RDWR)] flags: OFlags,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        stands_at(&path);
        let error = opened_unseen(&path, flags, Mode::empty()).unwrap_err();
        assert_eq!(NoPlainFile::why(&error), Some(NoPlainFile::Other(what)), "{error}");
    }

    #[test]
    fn a_draft_leaves_alone_what_a_link_in_its_place_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let (path, elsewhere) = (folder.path().join("file"), folder.path().join("elsewhere"));
        for there in [true, false] {
            let _ = (std::fs::remove_file(&path), std::fs::remove_file(&elsewhere));
            if there {
                std::fs::write(&elsewhere, "kept").unwrap();
            }
            symlink(&elsewhere, &path).unwrap();
            draft(&path).unwrap().write_all(b"new").unwrap();
            assert!(path.symlink_metadata().unwrap().is_file());
            assert_eq!(read_text(&path, 3).unwrap(), "new");
            assert_eq!(std::fs::read_to_string(&elsewhere).ok(), there.then(|| "kept".into()));
        }
    }

    fn written(folder: &Path, text: &[u8]) -> PathBuf {
        let path = folder.join("file");
        std::fs::write(&path, text).unwrap();
        path
    }

    #[test]
    fn no_more_is_read_than_such_a_file_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), b"12345");
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        let too_long = NoPlainFile::TooLong { bytes: 5, most: 4 };
        assert_eq!(NoPlainFile::why(&read(&path, 4).unwrap_err()), Some(too_long));
        // It says that it is empty.
        let error = read(Path::new("/proc/self/maps"), 4).unwrap_err();
        assert_eq!(NoPlainFile::why(&error), Some(too_long));
    }

    #[test]
    fn plain_files_are_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for missing in [open(&path), open_to_write(&path)] {
            assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
        }
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        write(&path, b"for everyone").unwrap();
        assert_eq!(mode() & 0o700, 0o600);
        write_private(&path, b"secret").unwrap();
        assert_eq!(mode(), 0o600);
        open_to_append(&path).unwrap().write_all(b"!").unwrap();
        symlink(&path, folder.path().join("link")).unwrap();
        assert_eq!(read_text(&folder.path().join("link"), 100).unwrap(), "secret!");
        assert!(draft(&path).unwrap().metadata().unwrap().len() == 0);
        written(folder.path(), b"\xff");
        assert_eq!(read_text(&path, 100).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
