//! The form of a trail's file: a head, and two places in turn, each with its length and a hash.
//!
//! A process that is killed in the middle of writing one leaves the other whole. The file has its full size from the
//! beginning: a disk that fills up later takes nothing of it away.
//! Owns: bytes. Must not know: what they mean.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{FallocateFlags, fallocate};
use sha2::{Digest, Sha256};

use crate::plain_file;

/// Where each part begins, bytes. A checkpoint has 2 to 6 kB, with the longest scripts some 30 kB.
const ROOM: u64 = 128 * 1024;
const PARTS: u64 = 3;
/// Another form has another one: what can't be understood is no trail.
const MAGIC: &[u8; 8] = b"STDTRL2\n";
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
    /// A new file with this head, in place of any other: it is there with its head and all its room, on disk, or not at
    /// all.
    pub(super) fn create(path: &Path, head: &[u8]) -> std::io::Result<Self> {
        let trail = Self::in_place_of(path, head, |trail| trail.file.sync_all())?;
        // After a loss of power an older job's trail must not be there in its place.
        path.parent().map_or(Ok(()), |folder| plain_file::folder(folder)?.sync_all())?;
        Ok(trail)
    }

    /// The same with what is written first, in mid-print: the disk is not waited for.
    pub(super) fn create_with(path: &Path, head: &[u8], bytes: &[u8]) -> std::io::Result<Self> {
        Self::in_place_of(path, head, |trail| trail.write(bytes))
    }

    fn in_place_of(
        path: &Path,
        head: &[u8],
        then: impl FnOnce(&mut Self) -> std::io::Result<()>,
    ) -> std::io::Result<Self> {
        let new = path.with_extension("new");
        let created = Self::with_room(&new, head).and_then(|mut trail| {
            then(&mut trail)?;
            std::fs::rename(&new, path)?;
            Ok(trail)
        });
        if created.is_err() {
            // The half of it takes what room there is.
            let _ = std::fs::remove_file(&new);
        }
        created
    }

    fn with_room(path: &Path, head: &[u8]) -> std::io::Result<Self> {
        let file = plain_file::draft(path)?;
        if fallocate(&file, FallocateFlags::empty(), 0, PARTS * ROOM).is_err() {
            // Not every file system can. Where there is no room, this fails too.
            let zeros = vec![0; usize::try_from(ROOM).unwrap_or(0)];
            (0..PARTS).try_for_each(|part| file.write_all_at(&zeros, part * ROOM))?;
        }
        let mut trail = Self { file, written: 0, buffer: Vec::new() };
        trail.put(0, 0, head)?;
        Ok(trail)
    }

    /// The file, its head, and what was written last; none where there is no (whole) file.
    #[allow(clippy::type_complexity, reason = "three parts of one thing")]
    pub(super) fn open(path: &Path) -> std::io::Result<Option<(Self, Vec<u8>, Option<Vec<u8>>)>> {
        let Some(file) = opened(path, true)? else { return Ok(None) };
        let Some((head, last)) = parts(&file)? else { return Ok(None) };
        let written = last.as_ref().map_or(0, |(number, _)| *number);
        Ok(Some((Self { file, written, buffer: Vec::new() }, head, last.map(|(_, bytes)| bytes))))
    }

    /// The same without opening it for more.
    #[allow(clippy::type_complexity, reason = "two parts of one thing")]
    pub(super) fn read(path: &Path) -> std::io::Result<Option<(Vec<u8>, Option<Vec<u8>>)>> {
        let Some(file) = opened(path, false)? else { return Ok(None) };
        Ok(parts(&file)?.map(|(head, last)| (head, last.map(|(_, bytes)| bytes))))
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

fn opened(path: &Path, write: bool) -> std::io::Result<Option<File>> {
    match if write { plain_file::open_to_write(path) } else { plain_file::open(path) } {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        file => file.map(Some),
    }
}

/// The head, and the newer of the two others with its number.
#[allow(clippy::type_complexity, reason = "parts of one thing")]
fn parts(file: &File) -> std::io::Result<Option<(Vec<u8>, Option<(u64, Vec<u8>)>)>> {
    let Some((_, head)) = get(file, 0)? else { return Ok(None) };
    let last = [get(file, ROOM)?, get(file, 2 * ROOM)?].into_iter().flatten().max_by_key(|part| part.0);
    Ok(Some((head, last)))
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
    if magic != MAGIC || length + PREFIX as u64 > ROOM {
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
        std::fs::write(&path, b"STDTRL2\n and then nonsense, as long as it may be, and longer").unwrap();
        assert!(TrailFile::open(&path).unwrap().is_none());
        let trail = TrailFile::create(&path, b"head").unwrap();
        assert!(TrailFile::open(&path).unwrap().unwrap().2.is_none(), "nothing was written yet");
        drop(trail);
    }

    #[test]
    fn all_its_room_is_taken_at_the_beginning() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail");
        let mut trail = TrailFile::create(&path, b"head").unwrap();
        let blocks = || path.metadata().unwrap().blocks();
        let before = blocks();
        assert!(before * 512 >= PARTS * ROOM);
        let largest = vec![7; usize::try_from(ROOM).unwrap() - PREFIX];
        trail.write(&largest).unwrap();
        trail.write(&largest).unwrap();
        assert_eq!(blocks(), before);
        assert_eq!(TrailFile::open(&path).unwrap().unwrap().2, Some(largest));
        assert_eq!(trail.write(&vec![7; ROOM as usize]).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
}
