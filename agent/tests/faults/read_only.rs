//! The disk of the printer's host can only be read: from the beginning, or from the middle of a print on.

use std::io::ErrorKind;

use stardust_protocol::JobState;

use crate::disk::{Disk, Kind};
use crate::host::Host;
use crate::stand_in::eventually;

const READ_ONLY: &str = "The printer host's disk can only be read";

#[test]
fn on_a_read_only_disk_no_job_is_claimed_and_everybody_is_told() {
    let Some(disk) = Disk::mounted(&Kind::Tmpfs(16)) else { return };
    let mut host = Host::paired(Some(disk), 1000);
    host.offer();
    host.disk.as_ref().unwrap().remount("ro");
    host.run();
    let said = host.says(READ_ONLY);
    assert!(said.contains("no job can be printed"), "{said}");
    host.dashboard_shows(READ_ONLY);
    host.status_where("at rest", |status| {
        status["link"] == "Connected to the hub." && status["status"]["state"] == "idle"
    });
    assert_eq!(host.hub.state.lock().unwrap().claims, 0);
    assert_eq!(host.logged("what happens is kept in memory only"), 1, "said once");

    host.disk.as_ref().unwrap().remount("rw");
    host.wait_for(JobState::AwaitingRemoval);
    host.says_no_more(READ_ONLY);
    host.expect_the_file(1);
}

/// Its last moments may be missing from the trail: nobody knows what of the job was sent.
#[test]
fn a_job_at_work_that_is_found_on_a_read_only_disk_is_failed_and_the_printer_made_safe() {
    let Some(disk) = Disk::mounted(&Kind::Tmpfs(16)) else { return };
    let mut host = Host::paired(Some(disk), 50);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    host.disk.as_ref().unwrap().remount("ro");
    host.run();
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(reason.contains("can only be read"), "{reason}");
    host.is_made_safe();
    host.says(READ_ONLY);
    // It was told from memory; the disk still says that the job is at work. It must not be gone on with.
    host.kill();
    host.disk.as_ref().unwrap().remount("rw");
    host.run();
    eventually("it is told once more", || {
        (host.moves().iter().filter(|state| **state == JobState::Failed).count() == 2).then_some(())
    });
    assert_eq!(
        host.file("trail").metadata().map(|_| ()).map_err(|error| error.kind()),
        Err(ErrorKind::NotFound)
    );
    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}

/// As a worn memory card does it.
#[test]
fn a_print_goes_on_when_the_disk_turns_read_only() {
    let Some(disk) = Disk::mounted(&Kind::Ext4) else { return };
    let mut host = Host::paired(Some(disk), 100);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.disk.as_ref().unwrap().turn_read_only();
    let said = host.says("It would not survive a restart of the agent");
    assert!(said.starts_with(READ_ONLY) && said.contains("the print goes on"), "{said}");
    host.dashboard_shows(READ_ONLY);
    host.wait_for(JobState::AwaitingRemoval);
    host.says("no job can be printed before it can be written again");
    assert_eq!(host.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    assert_eq!(host.logged("what happens is kept in memory only"), 1, "said once");

    // The host is started anew, and the disk is well again: it does not know that the job has ended.
    host.kill();
    host.disk.as_mut().unwrap().mount_anew();
    host.run();
    host.status_where("told", |status| {
        status["undelivered_events"] == 0 && status["link"] == "Connected to the hub."
    });
    assert_eq!(host.hub.state.lock().unwrap().started, 1);
    eventually("it is told once more", || host.moves().contains(&JobState::Failed).then_some(()));
    host.expect_the_file(1);
}
