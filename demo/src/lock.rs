//! One demo at a time on one data directory.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use stardust_demo::{Error, Result};

/// Held while the demo runs; the kernel lets go of it however the demo ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Who has the data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) process: String,
    pub(crate) url: String,
}

/// Takes the data directory, which is made when it is not there; the inner error tells who has it.
///
/// # Errors
/// The directory or the lock's file can't be made.
pub(crate) fn take(data: &Path, url: &str) -> Result<std::result::Result<Lock, Holder>> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| Error::File { path, error }
    };
    // The hub's database and the agents' credentials are in it: for this user only.
    DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(at(data))?;
    let path = data.join("demo.lock");
    // Not truncated: until the lock is ours, the words in it are another's.
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(at(&path))?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(at(&path))?;
        return Ok(Err(Holder::parse(&text)));
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}\n{url}\n", std::process::id()))
        .map_err(at(&path))?;
    Ok(Ok(Lock { _file: file }))
}

impl Holder {
    fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(str::to_owned);
        // Empty between the other's taking the lock and its writing the file.
        let mut next = || lines.next().unwrap_or_else(|| "not known yet".to_owned());
        Self { process: next(), url: next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_demo_is_told_who_has_the_data_until_the_first_has_ended() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("demo-data");
        let first = take(&data, "http://127.0.0.1:8080").unwrap().unwrap();
        let holder = take(&data, "http://127.0.0.1:9090").unwrap().unwrap_err();
        assert_eq!(
            holder,
            Holder { process: std::process::id().to_string(), url: "http://127.0.0.1:8080".to_owned() }
        );
        drop(first);
        assert!(take(&data, "http://127.0.0.1:9090").unwrap().is_ok());
    }
}
