//! The form of a trail's file: a head, and two places in turn, each with its length and a hash.
//!
//! A process that is killed in the middle of writing one leaves the other whole.
//! Owns: bytes. Must not know: what they mean.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Where each part begins, bytes: far more than any of them needs. What is between takes no room on the disk.
const ROOM: u64 = 1 << 20;
const MAGIC: &[u8; 8] = b"STDTRL1\n";
/// Magic, number of the writing, length, hash.
const PREFIX: usize = 8 + 8 + 8 + 32;

/// An open trail file.
#[derive(Debug)]
pub(super) struct TrailFile {
    file: File,
    written: u64,
    buffer: Vec<u8>,
}

impl TrailFile {
    /// A new file with this head, in place of any other: it is there with its head, or not at all.
    pub(super) fn create(path: &Path, head: &[u8]) -> std::io::Result<Self> {
        let new = path.with_extension("new");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new)?;
        let mut trail = Self { file, written: 0, buffer: Vec::new() };
        trail.put(0, 0, head)?;
        trail.file.sync_all()?;
        std::fs::rename(&new, path)?;
        Ok(trail)
    }

    /// The file, its head, and what was written last; none where there is no (whole) file.
    #[allow(clippy::type_complexity, reason = "three parts of one thing")]
    pub(super) fn open(path: &Path) -> std::io::Result<Option<(Self, Vec<u8>, Option<Vec<u8>>)>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let Some((_, head)) = get(&file, 0)? else { return Ok(None) };
        let last = [get(&file, ROOM)?, get(&file, 2 * ROOM)?].into_iter().flatten().max_by_key(|part| part.0);
        let written = last.as_ref().map_or(0, |(number, _)| *number);
        Ok(Some((Self { file, written, buffer: Vec::new() }, head, last.map(|(_, bytes)| bytes))))
    }

    /// Writes over the older of the two.
    pub(super) fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.written += 1;
        self.put(ROOM * (1 + self.written % 2), self.written, bytes)
    }

    /// The same file, to be flushed by others.
    pub(super) fn flusher(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    #[cfg(test)]
    pub(super) fn unwritable(path: &Path) -> Self {
        Self { file: File::open(path).unwrap(), written: 0, buffer: Vec::new() }
    }

    fn put(&mut self, at: u64, number: u64, bytes: &[u8]) -> std::io::Result<()> {
        let length = bytes.len() as u64;
        if length + PREFIX as u64 > ROOM {
            return Err(ErrorKind::FileTooLarge.into());
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(MAGIC);
        self.buffer.extend_from_slice(&number.to_le_bytes());
        self.buffer.extend_from_slice(&length.to_le_bytes());
        self.buffer.extend_from_slice(&hash(number, bytes));
        self.buffer.extend_from_slice(bytes);
        self.file.write_all_at(&self.buffer, at)
    }
}

fn hash(number: u64, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(number.to_le_bytes()).chain_update(bytes).finalize().into()
}

/// A part, if it is whole.
fn get(file: &File, at: u64) -> std::io::Result<Option<(u64, Vec<u8>)>> {
    let mut prefix = [0; PREFIX];
    match file.read_exact_at(&mut prefix, at) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let Some((magic, rest)) = prefix.split_first_chunk::<8>() else { return Ok(None) };
    let Some((number, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
    let Some((length, sum)) = rest.split_first_chunk::<8>() else { return Ok(None) };
    let (number, length) = (u64::from_le_bytes(*number), u64::from_le_bytes(*length));
    if magic != MAGIC || length > ROOM {
        return Ok(None);
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    match file.read_exact_at(&mut bytes, at + PREFIX as u64) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    Ok((hash(number, &bytes) == sum).then_some((number, bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Whatever part of the last write is missing: it is there whole, or the one before it.
        #[test]
        fn a_torn_write_costs_no_more_than_itself(cut in 0_usize..400, count in 2_u8..6) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("trail");
            let mut trail = TrailFile::create(&path, b"head").unwrap();
            let bytes = |turn: u8| vec![turn; 100 + usize::from(turn) * 50];
            (1..=count).for_each(|turn| trail.write(&bytes(turn)).unwrap());
            // What was there before it, behind what got through.
            let at = ROOM * (1 + u64::from(count) % 2);
            let whole = PREFIX + bytes(count).len();
            let garbage = vec![0xee; whole.saturating_sub(cut)];
            trail.file.write_all_at(&garbage, at + cut.min(whole) as u64).unwrap();
            let (again, head, last) = TrailFile::open(&path).unwrap().unwrap();
            prop_assert_eq!(head, b"head");
            let expected = if cut >= whole { count } else { count - 1 };
            prop_assert_eq!(last, Some(bytes(expected)));
            prop_assert_eq!(again.written, u64::from(expected));
        }
    }

    #[test]
    fn what_is_no_trail_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail");
        assert!(TrailFile::open(&path).unwrap().is_none());
        std::fs::write(&path, b"STDTRL1\n and then nonsense").unwrap();
        assert!(TrailFile::open(&path).unwrap().is_none());
        let trail = TrailFile::create(&path, b"head").unwrap();
        assert!(TrailFile::open(&path).unwrap().unwrap().2.is_none(), "nothing was written yet");
        drop(trail);
    }
}
