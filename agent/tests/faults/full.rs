//! The disk of the printer's host fills up.

use std::os::unix::net::UnixDatagram;

use rstest::rstest;
use stardust_protocol::{Command, JobState};

use crate::disk::{Disk, Kind};
use crate::host::Host;
use crate::stand_in::eventually;

const FULL: &str = "The printer host's disk is full";

fn host(speed: u32) -> Option<Host> {
    Some(Host::paired(Some(Disk::mounted(&Kind::Tmpfs(16))?), speed))
}

fn disk(host: &Host) -> &Disk {
    host.disk.as_ref().unwrap()
}

/// The last `STATUS=` that a service manager was told.
struct Manager(UnixDatagram, String);

impl Manager {
    fn of(host: &mut Host) -> Self {
        let address = host.runtime().join("notify");
        let socket = UnixDatagram::bind(&address).unwrap();
        socket.set_nonblocking(true).unwrap();
        host.environment.push(("NOTIFY_SOCKET".into(), address.to_str().unwrap().into()));
        Self(socket, String::new())
    }

    fn shows(&mut self, text: &str) {
        eventually("systemd's line", || {
            let mut buffer = [0; 4096];
            while let Ok(count) = self.0.recv(&mut buffer) {
                let told = String::from_utf8_lossy(&buffer[..count]).into_owned();
                if let Some(status) = told.lines().find_map(|line| line.strip_prefix("STATUS=")) {
                    self.1 = status.to_owned();
                }
            }
            self.1.contains(text).then_some(())
        });
    }
}

/// The journal is the first that can't be begun, where there is not a page.
#[rstest]
#[case::to_its_last_page(Disk::fill, "what happens is kept in memory only")]
#[case::but_a_few_pages(Disk::nearly_fill, "the disk has no room for print files")]
fn on_a_full_disk_no_job_is_claimed_and_everybody_is_told(#[case] fill: fn(&Disk), #[case] log: &str) {
    let Some(mut host) = host(1000) else { return };
    let mut manager = Manager::of(&mut host);
    host.offer();
    fill(disk(&host));
    host.run();
    let said = host.says(FULL);
    assert!(said.contains("no job can be printed before space is freed"), "{said}");
    host.dashboard_shows(FULL);
    manager.shows(FULL);
    let words = host.command().arg("status").output().unwrap();
    assert!(String::from_utf8_lossy(&words.stdout).contains(FULL));
    let calls = || host.hub.state.lock().unwrap().calls;
    let before = calls();
    eventually("looked for work", || {
        host.wake();
        (calls() > before + 5).then_some(())
    });
    assert_eq!(host.hub.state.lock().unwrap().claims, 0);
    assert_eq!(host.logged(log), 1, "said once");

    disk(&host).empty();
    host.wait_for(JobState::AwaitingRemoval);
    host.says_no_more(FULL);
    assert_eq!(host.moves(), [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval]);
    host.expect_the_file(1);
}

#[test]
fn a_disk_that_fills_up_during_the_download_fails_the_job_with_its_reason() {
    let Some(mut host) = host(1000) else { return };
    host.hub.state.lock().unwrap().hold_download = Some(100_000);
    let claim = host.offer();
    host.run();
    let part = host.spooled(&claim).with_extension("gcode.part");
    eventually("the download has begun", || (part.metadata().ok()?.len() == 100_000).then_some(()));
    disk(&host).fill();
    host.hub.state.lock().unwrap().hold_download = None;
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(
        reason.contains("could not be stored on the printer host") && reason.contains("Free some space"),
        "{reason}"
    );
    assert!(!part.exists(), "the half of it takes room");
    host.says(FULL);
    assert_eq!(host.hub.state.lock().unwrap().started, 0);

    disk(&host).empty();
    host.says_no_more(FULL);
    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}

#[test]
fn a_print_goes_on_over_a_full_disk_and_over_a_restart_on_it() {
    let Some(mut host) = host(100) else { return };
    let job_id = host.offer().job_id;
    host.run();
    host.wait_for(JobState::Printing);
    disk(&host).fill();
    // What is written fits into the file's last block for a while. Nothing comes of it for the printer.
    let events = || host.hub.state.lock().unwrap().events.len();
    let mut number = 0;
    while host.logged("what happens is kept in memory only") == 0 {
        let so_far = events();
        number += 1;
        host.command_it(Command::Resume { job_id }, Some(number));
        eventually("refused", || (events() > so_far).then_some(()));
    }
    let said = host.says(FULL);
    assert!(said.contains("the print goes on") && said.contains("kept in memory only"), "{said}");
    host.dashboard_shows(FULL);
    host.prints_on();
    // The trail has had its room from the beginning. The hub knows numbers of events that were never on disk.
    host.kill();
    host.run();
    host.prints_on();
    host.says(FULL);
    host.wait_for(JobState::AwaitingRemoval);
    assert_eq!(host.logged("what happens is kept in memory only"), 2, "once by each process");

    disk(&host).empty();
    host.says_no_more(FULL);
    // All of it is on disk now: the next process knows that the job is over, and the numbers go on.
    host.kill();
    host.run();
    host.offer_again(1);
    eventually("claimed and printed", || {
        let ends = host.moves().iter().filter(|state| **state == JobState::AwaitingRemoval).count();
        (ends == 2).then_some(())
    });
    // Numbers without a gap are the stand-in hub's own check.
    let once = [JobState::Transferring, JobState::Printing, JobState::AwaitingRemoval];
    let mut moves = host.moves();
    // Told by the process that was killed, and again by the next one.
    moves.dedup();
    assert_eq!(moves, [once, once].concat());
    assert_eq!(host.hub.state.lock().unwrap().started, 2);
    host.expect_the_file(2);
}

/// The claim is on disk, and the leave to start is not.
#[test]
fn a_job_whose_start_can_not_be_remembered_is_not_printed() {
    let Some(mut host) = host(1000) else { return };
    host.hub.state.lock().unwrap().hold_download = Some(524_000);
    let claim = host.offer();
    host.run();
    let part = host.spooled(&claim).with_extension("gcode.part");
    eventually("nearly all is there", || (part.metadata().ok()?.len() == 524_000).then_some(()));
    disk(&host).fill();
    // Room for the rest of the file, and not for more.
    let filler = disk(&host).seen().join("filler");
    let size = filler.metadata().unwrap().len();
    std::fs::File::options().write(true).open(&filler).unwrap().set_len(size - 4096).unwrap();
    host.hub.state.lock().unwrap().hold_download = None;
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(reason.contains("could not be written when the job was to start"), "{reason}");
    assert_eq!(host.hub.state.lock().unwrap().started, 1, "leave was given");
    assert!(!host.printer().journal().iter().any(|line| line.cmd.starts_with("G28")), "and nothing printed");

    disk(&host).empty();
    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}
