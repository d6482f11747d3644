//! A hot printer asks its host to disconnect (`//action:disconnect`). It is left alone for a while, and not for long enough that its
//! heat would be nobody's: not while the host stays there, and not when that is asked to end meanwhile. Read at the printer.

use std::process::{Child, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};
use stardust_protocol::JobState;

use crate::host::Host;
use crate::machine::Machine;
use crate::stand_in::eventually;

/// Who drives it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Who {
    Agent,
    Print,
}

/// All is hot, and nothing of it is turned off any more.
fn job() -> String {
    let moves: String = (0..2000).map(|at| format!("G1 X{} F1200\n", at % 100)).collect();
    let heats = Machine::Large.heats();
    format!("{heats}M104 T0 S200\nM140 S60\nG28\nG1 X10 F6000\nM118 A1 action:disconnect\n{moves}")
}

/// It has asked, and its port is closed.
fn asked(who: Who) -> Host {
    let options = Machine::Large.options();
    let host = match who {
        Who::Agent => {
            let mut host = Host::paired_with(None, 50, options);
            host.offer_file(1, job().as_bytes());
            host.run();
            host
        }
        Who::Print => {
            let mut host = Host::unpaired_with(None, 50, options);
            host.process = Some(begin_print(&host));
            host
        }
    };
    eventually("its port is closed", || (host.logged("asked its host to disconnect") > 0).then_some(()));
    assert_eq!(host.printer().targets(), [200.0, 180.0, 60.0, 45.0], "nobody could turn it off");
    host
}

/// What it says goes to the log.
fn begin_print(host: &Host) -> Child {
    let (file, log) = (host.runtime().join("job.gcode"), host.runtime().join("log"));
    std::fs::write(&file, job()).unwrap();
    let log = std::fs::File::create(log).unwrap();
    let mut command = host.command();
    command.arg("print").arg(file).arg("--port").arg(host.printer().port());
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

#[rstest]
fn a_hot_printer_that_asks_its_host_to_go_is_turned_off_soon(
    #[values(Who::Agent, Who::Print)] who: Who,
    #[values(false, true)] is_ended: bool,
) {
    let mut host = asked(who);
    if is_ended {
        kill_process(Pid::from_child(host.process.as_ref().unwrap()), Signal::TERM).unwrap();
    }
    // A print ends by itself.
    if who == Who::Agent && !is_ended {
        host.is_made_safe();
        host.wait_for(JobState::Failed);
    } else {
        let code = host.ended().code();
        assert!(host.printer().is_cold(), "the process is gone: {:?}", host.printer().targets());
        assert_eq!(code, Some(i32::from(who == Who::Print)), "a print has failed by then");
    }
    assert_eq!(host.logged("may be HOT") + host.logged("may be ON"), 0, "{}", host.log());
}
