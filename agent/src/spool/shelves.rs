//! What print files are on this machine's disk, of all printers of the agent, and which of them jobs need.
//!
//! Owns: looking, as the disk itself tells: printers' journals say what is held, so nothing has to be agreed between
//! them, and a restart changes nothing. Must not know: which files should be kept.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use stardust_protocol::agent_api::Claim;

use super::Spool;
use super::keeping::{Kept, Room};
use crate::journal::Journal;
use crate::printer::folder::{journal_in, spool_in};

/// Left free on the disk for everything else; of a small disk a tenth.
const RESERVE_BYTES: u64 = 64 * 1024 * 1024;

/// What there is.
#[derive(Debug)]
pub(super) struct Shelves {
    pub(super) kept: Vec<Kept<PathBuf>>,
    pub(super) room: Room,
}

/// Looks at the folders of all printers. `own`: the claim that is fetched now, to which nothing is promised.
pub(super) fn look(printers: &Path, keep: u64, own: Option<&Claim>) -> Shelves {
    let mut kept = Vec::new();
    let mut promised = 0_u64;
    let folders = std::fs::read_dir(printers).into_iter().flatten().flatten();
    for folder in folders.map(|entry| entry.path()) {
        let held = Journal::peek(&journal_in(&folder)).held.map(|held| held.claim);
        let spool = spool_in(&folder);
        let needed = held.as_ref().map(|claim| Spool::file(&spool, claim));
        for entry in std::fs::read_dir(&spool).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let file = entry.path();
            let in_use = needed.as_ref().is_some_and(|needed| *needed == file || part_of(needed) == file);
            let used = metadata.modified().map_or(0, nanos);
            kept.push(Kept { file, bytes: metadata.len(), used, in_use });
        }
        if let Some((claim, needed)) = held.zip(needed).filter(|(claim, _)| Some(claim) != own) {
            promised += still_to_come(&needed, claim.size_bytes);
        }
    }
    Shelves { kept, room: Room { free: free(printers), promised, keep } }
}

/// Where a file is as long as it is not whole.
pub(super) fn part_of(whole: &Path) -> PathBuf {
    whole.with_extension("gcode.part")
}

/// What is missing of a file.
pub(super) fn still_to_come(whole: &Path, size: u64) -> u64 {
    let there = |path: &Path| path.metadata().map_or(0, |file| file.len());
    size.saturating_sub(there(whole).max(there(&part_of(whole))))
}

pub(super) fn nanos(time: SystemTime) -> i128 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i128::try_from(since.as_nanos()).unwrap_or(i128::MAX),
        Err(before) => -i128::try_from(before.duration().as_nanos()).unwrap_or(i128::MAX),
    }
}

pub(super) fn time(nanos: i128) -> SystemTime {
    let since = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    SystemTime::UNIX_EPOCH + since
}

fn free(folder: &Path) -> Option<u64> {
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    let reserve = RESERVE_BYTES.min(disk.f_blocks * disk.f_frsize / 10);
    Some((disk.f_bavail * disk.f_frsize).saturating_sub(reserve))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Record;

    fn claim(sha256: &str, size_bytes: u64) -> Claim {
        let text = r#"{"job_id":"0190a7c2-6f00-7000-8000-000000000001","claim_id":"0190a7c2-6f00-7000-8000-000000000002","lease_until":"2026-11-23T06:13:00.250Z","file_name":"a","size_bytes":1,"sha256":"abababababababababababababababababababababababababababababababab"}"#;
        Claim {
            sha256: sha256.repeat(32).parse().unwrap(),
            size_bytes,
            ..serde_json::from_str(text).unwrap()
        }
    }

    /// What the journals say holds for a process that has just started, too.
    #[test]
    fn what_any_printers_journal_holds_is_in_use_and_the_rest_of_it_promised() {
        let printers = tempfile::tempdir().unwrap();
        for (printer, held, files) in [
            ("at-work", Some(claim("aa", 100)), vec![("aa.gcode", 100), ("bb.gcode", 30)]),
            ("fetching", Some(claim("cc", 5_000)), vec![("cc.gcode.part", 2_000), ("dd.gcode.part", 7)]),
            ("idle", None, vec![("aa.gcode", 100)]),
        ] {
            let folder = printers.path().join(printer);
            std::fs::create_dir_all(spool_in(&folder)).unwrap();
            if let Some(claim) = held {
                let mut journal = Journal::open(&journal_in(&folder)).unwrap();
                journal.append(&[Record::Claimed { claim }]).unwrap();
            }
            for (name, size) in files {
                let (hash, rest) = name.split_once('.').unwrap();
                let name = format!("{}.{rest}", hash.repeat(32));
                std::fs::write(spool_in(&folder).join(name), vec![0; size]).unwrap();
            }
        }
        let shelves = look(printers.path(), 1, None);
        let mut found: Vec<_> = shelves
            .kept
            .iter()
            .map(|kept| {
                let mut name = kept.file.strip_prefix(printers.path()).unwrap().to_str().unwrap().to_owned();
                for hash in ["aa", "bb", "cc", "dd"] {
                    name = name.replace(&hash.repeat(32), hash);
                }
                (name, kept.bytes, kept.in_use)
            })
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("at-work/spool/aa.gcode".into(), 100, true),
                ("at-work/spool/bb.gcode".into(), 30, false),
                ("fetching/spool/cc.gcode.part".into(), 2_000, true),
                ("fetching/spool/dd.gcode.part".into(), 7, false),
                ("idle/spool/aa.gcode".into(), 100, false),
            ]
        );
        assert_eq!((shelves.room.promised, shelves.room.keep), (3_000, 1));
        assert_eq!(look(printers.path(), 1, Some(&claim("cc", 5_000))).room.promised, 0, "its own");
    }
}
