//! The doctor, told to end: it does not go on to the next printer.

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::host::Host;

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
