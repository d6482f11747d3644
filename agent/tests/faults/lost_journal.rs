//! The agent is killed in mid-print, and its journal is lost: what it has said of heat nobody knows, so there may be some. Read at the
//! printer.

use rstest::rstest;
use rustix::process::Signal;

use crate::host::{FILE, Host};
use crate::stand_in::eventually;
use crate::stand_in::printer::fixture;

/// How.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Lost {
    /// A file system that was repaired, or a person who tidies up.
    Gone,
    /// A disk that was full.
    Empty,
    /// A link that leads nowhere.
    Link,
    /// The printer's settings and credential with it.
    WithTheSettings,
}

fn hot_and_killed() -> Host {
    let mut host = Host::paired(None, 50);
    host.offer_file(1, &std::fs::read(fixture(FILE)).unwrap());
    host.run();
    eventually("hot", || (!host.printer().is_cold()).then_some(()));
    host.kill();
    // Else it would be printed anew, and cold in its end.
    host.hub.state.lock().unwrap().claim = None;
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    host
}

fn lose(host: &Host, how: Lost) {
    let journal = host.file("journal.jsonl");
    std::fs::remove_file(&journal).unwrap();
    match how {
        Lost::Gone => {}
        Lost::Empty => std::fs::write(&journal, "").unwrap(),
        Lost::Link => std::os::unix::fs::symlink("/nowhere", &journal).unwrap(),
        Lost::WithTheSettings => {
            std::fs::remove_file(host.file("printer.toml")).unwrap();
            std::fs::remove_file(host.file("credential")).unwrap();
        }
    }
}

#[rstest]
fn what_a_lost_journal_has_said_of_heat_may_be_so(
    #[values(Lost::Gone, Lost::Empty, Lost::Link)] how: Lost,
    #[values(false, true)] broken: bool,
) {
    let mut host = hot_and_killed();
    lose(&host, how);
    if broken {
        std::fs::write(host.file("printer.toml"), format!("port = {:?}\nbuad = 3\n", host.printer().port()))
            .unwrap();
    }
    host.run();
    host.is_made_safe();
}

/// There is no port left to get at it by; it is not passed over in silence.
#[test]
fn a_printer_of_which_nothing_is_left_is_said_to_be_hot() {
    let mut host = hot_and_killed();
    lose(&host, Lost::WithTheSettings);
    host.run();
    eventually("said", || (host.logged("nobody knows its port") > 0).then_some(()));
    host.end(Signal::TERM);
    assert!(host.logged("may be HOT") > 0, "{}", host.log());
}
