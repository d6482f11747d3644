//! Where a paused head is parked on a printer whose firmware does not tell how far it reaches: as its settings say. The
//! agent as a process; seen at the printer.

use std::io::Write as _;

use stardust_protocol::{Command, JobState};

use crate::host::Host;
use crate::stand_in::eventually;

/// Where the host has led the head in its pause: the way behind its own lift, in the plane.
fn parked(host: &Host) -> Option<String> {
    let journal = host.printer().journal();
    let paused = journal.iter().rposition(|line| line.cmd == "M114")?;
    let own = journal.get(paused..)?;
    let last = own.iter().rposition(|line| line.cmd == "M400")?;
    own.get(..last)?.iter().rfind(|line| line.cmd.starts_with("G1 X")).map(|line| line.cmd.clone())
}

fn paused(profile: &str) -> Host {
    let mut host = Host::paired_with(None, 50, &["--profile", "prusa"]);
    let settings = host.file("printer.toml");
    let mut file = std::fs::File::options().append(true).open(settings).unwrap();
    file.write_all(profile.as_bytes()).unwrap();
    let claim = host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.command_it(Command::Pause { job_id: claim.job_id }, Some(1));
    host.wait_for(JobState::Paused);
    // Its journal is written a moment later: behind its way it is asked to be at rest.
    eventually("at rest", || {
        let journal = host.printer().journal();
        let asked = journal.iter().rposition(|line| line.cmd == "M114")?;
        journal.get(asked..)?.iter().any(|line| line.cmd == "M400").then_some(())
    });
    host
}

#[test]
fn a_paused_head_is_parked_where_the_printers_settings_say() {
    let host = paused("\n[profile]\nsize_mm = [222.0, 205.0, 200.0]\n");
    assert_eq!(parked(&host).as_deref(), Some("G1 X0.000 Y205.000 F6000"));
    let host = paused("\n[profile]\nsize_mm = [222.0, 201.0, 200.0]\nlowest_mm = [3.0, 1.0, 0.0]\n");
    assert_eq!(parked(&host).as_deref(), Some("G1 X3.000 Y201.000 F6000"));
}

/// Nobody knows how far it reaches: it is only lifted.
#[test]
fn where_nothing_says_how_far_it_reaches_it_stays_where_it_is() {
    let host = paused("");
    assert_eq!(parked(&host), None);
}
