//! The doctor: told to end, it does not go on to the next printer; and what it leaves alone.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use stardust_protocol::JobState;

use crate::by_hand::printed_and_killed;
use crate::heat::preheated_machine;
use crate::host::{FILE, Host};
use crate::machine::Machine;
use crate::stand_in::printer::fixture;

#[test]
fn a_signal_ends_the_whole_examination_and_says_which_printers_were_not_looked_at() {
    let host = Host::paired(None, 50);
    let before = host.printer().journal().len();
    // Zoe is the printer, and comes behind one that says nothing.
    let zoe = host.data().join("printers/zoe");
    std::fs::create_dir(&zoe).unwrap();
    for file in ["printer.toml", "credential"] {
        std::fs::copy(host.file(file), zoe.join(file)).unwrap();
    }
    let silent = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&silent).unwrap();
    unlockpt(&silent).unwrap();
    let port = ptsname(&silent, Vec::new()).unwrap().into_string().unwrap();
    let text = std::fs::read_to_string(host.file("printer.toml")).unwrap();
    let real = host.printer().port().display().to_string();
    assert!(text.contains(&real), "{text}");
    std::fs::write(host.file("printer.toml"), text.replace(&real, &port)).unwrap();
    let _ = std::fs::remove_file(host.file("adapter.toml"));
    let doctor = host.command().arg("doctor").stdout(Stdio::piped()).spawn().unwrap();
    let mut heard = [0; 64];
    assert_ne!(rustix::io::read(&silent, &mut heard).unwrap(), 0, "it is asked");
    kill_process(Pid::from_child(&doctor), Signal::INT).unwrap();
    let ended = doctor.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("interrupted: the rest") && said.contains("fault    not looked at\n"), "{said}");
    assert!(!said.contains("answers at"), "{said}");
    assert_eq!(host.printer().journal().len(), before, "the next one was not asked");
}

/// The next agent goes on by the numbers of the printer's lines, and whoever asks it something changes those.
#[test]
fn a_print_that_the_next_agent_goes_on_with_is_left_alone_by_doctor_and_print() {
    let mut host = Host::in_mid_print(50);
    host.kill();
    let port = host.printer().port();
    let file = fixture(FILE);
    let [doctor, at_its_port, print] = [
        host.command().arg("doctor").output().unwrap(),
        host.command().arg("doctor").arg("--port").arg(&port).output().unwrap(),
        host.command().arg("print").arg(file).arg("--port").arg(&port).output().unwrap(),
    ];
    for doctor in [doctor, at_its_port] {
        let said = String::from_utf8(doctor.stdout).unwrap();
        assert!(said.contains("ended in the middle of “") && said.contains("HOT"), "{said}");
        assert_eq!(doctor.status.code(), Some(1), "{said}");
    }
    let said = String::from_utf8(print.stderr).unwrap();
    assert!(said.contains("Not printed: the agent's print of “") && said.contains("on the bed"), "{said}");
    assert!(!print.status.success(), "{said}");
    host.run();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}

/// Its agent has ended, and its port is out.
#[test]
fn doctor_says_of_a_printer_that_it_does_not_reach_that_it_may_be_hot() {
    let mut host = preheated_machine(Machine::Plain);
    host.kill();
    let port = host.printer().port();
    std::fs::rename(&port, host.runtime().join("away")).unwrap();
    let doctor = host.command().arg("doctor").output().unwrap();
    let at_its_port = host.command().arg("doctor").arg("--port").arg(&port).output().unwrap();
    for output in [doctor, at_its_port] {
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("may be HOT: its agent has ended without turning the heaters off"), "{said}");
        assert_eq!(output.status.code(), Some(1));
    }
    assert!(!host.printer().is_cold(), "it would be no test");
}

/// Its owner may not know any more where that was.
#[test]
fn what_a_print_has_left_hot_is_found_without_the_name_of_its_port() {
    let host = Host::unpaired(None, 50);
    printed_and_killed(&host);
    let status = || String::from_utf8(host.command().arg("status").output().unwrap().stderr).unwrap();
    let port = host.printer().port().display().to_string();
    assert!(status().contains(&format!("The printer at {port} may be HOT")), "{}", status());
    let doctor = host.command().arg("doctor").output().unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("they are off now, read back"), "{said}");
    assert!(host.printer().is_cold());
    assert!(!status().contains("HOT"), "{}", status());
}

/// Of an agent that can't be asked, as by who may not, or that waits for its port. The file arrives as it stands.
#[test]
fn a_print_of_an_agent_that_runs_is_left_alone_and_not_called_over() {
    let mut host = Host::paired(None, 100);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    for folder in [host.data(), host.runtime()] {
        std::fs::remove_file(folder.join("status.sock")).unwrap();
    }
    let doctor = host.command().arg("doctor").output().unwrap();
    let said = String::from_utf8(doctor.stdout).unwrap();
    assert!(said.contains("its agent runs") && said.contains("is asked nothing"), "{said}");
    assert!(!said.contains("has ended"), "{said}");
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}
