//! Print files on the printer's host: which are kept, and which jobs are claimed.

use stardust_protocol::JobState;
use stardust_protocol::agent_api::Claim;

use crate::disk::{Disk, Kind};
use crate::host::Host;
use crate::stand_in::eventually;

/// A file of so many bytes, another for each letter.
fn file(letter: char, size: usize) -> Vec<u8> {
    let mut file = b"G28\nG1 X10 Y10 F6000\nM84\n".to_vec();
    while file.len() < size {
        file.extend_from_slice(format!("; {}\n", letter.to_string().repeat(60)).as_bytes());
    }
    file.truncate(size - 1);
    file.push(b'\n');
    file
}

/// Prints it.
fn print(host: &Host, number: u8, file: &[u8]) -> Claim {
    let claim = host.offer_file(number, file);
    host.wake();
    eventually("printed", || host.hub.state.lock().unwrap().claim.is_none().then_some(()));
    assert_eq!(host.moves().last(), Some(&JobState::AwaitingRemoval), "{}", host.reason());
    claim
}

#[test]
fn what_was_used_least_recently_goes_first() {
    let mut host = Host::paired(None, 1000);
    host.environment.push(("STARDUST_AGENT_SPOOL_BYTES".into(), "250000".into()));
    host.run();
    let [a, b, c] = ['a', 'b', 'c'].map(|letter| file(letter, 100_000));
    let first = print(&host, 1, &a);
    let second = print(&host, 2, &b);
    let downloads = |host: &Host| host.hub.state.lock().unwrap().ranges.len();
    let before = downloads(&host);
    print(&host, 3, &a);
    assert_eq!(downloads(&host), before, "it was there");
    // A restart forgets nothing of that.
    host.kill();
    host.run();
    let third = print(&host, 4, &c);
    let there = [&first, &second, &third].map(|claim| host.spooled(claim).exists());
    assert_eq!(there, [true, false, true], "what was printed twice stays");
}

/// Of the same length, so that nothing but reading it tells.
#[test]
fn a_kept_file_that_the_disk_has_damaged_is_not_printed_but_fetched_anew() {
    let mut host = Host::paired(None, 1000);
    host.run();
    let right = file('a', 100_000);
    let claim = print(&host, 1, &right);
    let mut damaged = right.clone();
    damaged[60_000] ^= 0x10;
    std::fs::write(host.spooled(&claim), &damaged).unwrap();
    let downloads = |host: &Host| host.hub.state.lock().unwrap().ranges.len();
    let before = downloads(&host);
    print(&host, 2, &right);
    assert_eq!(downloads(&host), before + 1);
    assert_eq!(std::fs::read(host.spooled(&claim)).unwrap(), right);
}

#[test]
fn a_job_is_claimed_only_when_its_file_fits_with_what_may_go_for_it() {
    let Some(disk) = Disk::mounted(&Kind::Tmpfs(16)) else { return };
    let mut host = Host::paired(Some(disk), 1000);
    host.run();
    let small = print(&host, 1, &file('a', 6 << 20));
    // Of 16 MiB a tenth stays free. This one never fits …
    host.offer_file(2, &file('b', 15 << 20));
    let claims = || host.hub.state.lock().unwrap().claims;
    let before = claims();
    eventually("asked", || {
        host.wake();
        (claims() > before + 3).then_some(())
    });
    let moves = host.moves();
    assert_eq!(moves.last(), Some(&JobState::AwaitingRemoval), "it stays in the queue");
    // … and this one when the other one is gone.
    let large = print(&host, 3, &file('c', 10 << 20));
    assert_eq!([&small, &large].map(|claim| host.spooled(claim).exists()), [false, true]);
}
