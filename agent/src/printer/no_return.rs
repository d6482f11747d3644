//! Why a job of an earlier process can't be gone on with, where more is known than that there is nothing to go on by.
//!
//! Owns: the reasons. Must not know: what follows from them.

use std::path::Path;

use super::folder::PrinterFolder;
use crate::disk::DiskFault;
use crate::journal::Held;
use crate::print_job::lifecycle::Action;
use crate::spool::Spool;

const MADE_SAFE: &str = "The heaters were turned off; clear the bed and print the job again.";

/// Puts the reason into the report of the job's end, if it is among the actions.
///
/// `elsewhere`: it was printed at this port, which is not driven.
pub(super) fn explain(
    actions: &mut [Action],
    folder: &PrinterFolder,
    held: &Held,
    disk: Option<&DiskFault>,
    elsewhere: Option<&Path>,
) {
    let end = actions.iter_mut().find_map(|action| match action {
        Action::Report { reason, ends: true, .. } => Some(reason),
        _ => None,
    });
    let Some(reason) = end else { return };
    if let Some(port) = elsewhere {
        *reason = Some(format!(
            "It was printed at {}, which is not there any more or can't be opened, and the printer's settings name another port: the print could \
             not go on. Look whether the printer's heaters are off; clear the bed and print the job again.",
            port.display()
        ));
    } else if let Some(why) = why(folder, held, disk) {
        *reason = Some(format!("{why} {MADE_SAFE}"));
    }
}

fn why(folder: &PrinterFolder, held: &Held, disk: Option<&DiskFault>) -> Option<String> {
    if !Spool::file(&folder.spool(), &held.claim).exists() {
        return Some(
            "The agent was restarted in mid-print, and the print file is gone from the printer host: the print could \
             not go on."
                .into(),
        );
    }
    // A trail that can't be written on may be older than the print.
    let disk = disk.filter(|fault| **fault == DiskFault::ReadOnly)?;
    Some(format!(
        "The agent was restarted in mid-print, and the printer host's disk {disk}: where the print was is not known \
         for certain, so it could not go on."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use stardust_protocol::JobState;

    fn held() -> Held {
        let text = r#"{"job_id":"0190a7c2-6f00-7000-8000-000000000001","claim_id":"0190a7c2-6f00-7000-8000-000000000002","lease_until":"2026-11-23T06:13:00.250Z","file_name":"a","size_bytes":1,"sha256":"abababababababababababababababababababababababababababababababab"}"#;
        Held { claim: serde_json::from_str(text).unwrap(), started: true, reported: None, cut_off: None }
    }

    #[test]
    fn what_is_known_is_said() {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings { spool_bytes: 1000, ..Settings::of_data(data.path().to_owned()) };
        let folder = PrinterFolder::for_name(&settings, "x");
        let reason = |disk: Option<DiskFault>| {
            let report =
                |ends| Action::Report { state: JobState::Failed, reason: Some("Unknown.".into()), ends };
            let mut actions = [Action::MakeSafe, report(false), report(true)];
            explain(&mut actions, &folder, &held(), disk.as_ref(), None);
            let [_, before, Action::Report { reason: Some(reason), .. }] = actions else { panic!() };
            assert_eq!(before, report(false));
            reason
        };
        assert!(reason(None).contains("the print file is gone"));
        std::fs::create_dir_all(folder.spool()).unwrap();
        std::fs::write(Spool::file(&folder.spool(), &held().claim), "G").unwrap();
        assert_eq!(reason(None), "Unknown.");
        assert_eq!(reason(Some(DiskFault::Full)), "Unknown.", "a trail has its room");
        let read_only = reason(Some(DiskFault::ReadOnly));
        assert!(read_only.contains("can only be read") && read_only.ends_with(MADE_SAFE), "{read_only}");
    }
}
