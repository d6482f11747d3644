//! What was there is gone: the print file, before the print, in the middle of it, and while no agent runs; the port.

use rstest::rstest;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::machine::Machine;
use crate::stand_in::eventually;

#[test]
fn a_file_that_vanishes_before_the_start_fails_the_job_and_nothing_is_printed() {
    let mut host = Host::paired(None, 1000);
    host.hub.state.lock().unwrap().hold_download = Some(1000);
    let claim = host.offer();
    host.run();
    host.wait_for(JobState::Transferring);
    // Asked for, and not only a file made for it: from here the hub hears nothing more, but gives what it has begun.
    eventually("the download has begun", || {
        (!host.hub.state.lock().unwrap().ranges.is_empty()).then_some(())
    });
    // The rest comes, and the leave to start has to wait.
    host.hub.state.lock().unwrap().down = true;
    host.hub.state.lock().unwrap().hold_download = None;
    eventually("it is there", || host.spooled(&claim).exists().then_some(()));
    std::fs::remove_file(host.spooled(&claim)).unwrap();
    host.hub.state.lock().unwrap().down = false;
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(
        reason.contains("vanished from the printer host") || reason.contains("can't be read"),
        "{reason}"
    );
    assert!(!host.printer().journal().iter().any(|line| line.cmd.starts_with("G28")));

    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}

#[test]
fn a_file_that_vanishes_in_mid_print_is_open_and_printed_to_its_end() {
    let mut host = Host::paired(None, 100);
    let claim = host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    std::fs::remove_file(host.spooled(&claim)).unwrap();
    host.wait_for(JobState::AwaitingRemoval);
    host.expect_the_file(1);
}

#[rstest]
#[case::one_nozzle_and_a_bed(Machine::Plain)]
#[case::two_tools_and_a_chamber(Machine::Large)]
fn without_its_file_a_print_does_not_survive_a_restart_and_the_printer_is_made_safe(
    #[case] machine: Machine,
) {
    let mut host = Host::paired_with(None, 50, machine.options());
    let claim = machine.offer(&host);
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    machine.is_hot(&host);
    std::fs::remove_file(host.spooled(&claim)).unwrap();
    host.run();
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(reason.contains("the print file is gone from the printer host"), "{reason}");
    host.is_made_safe();
    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    machine.has_printed(&mut host);
}

/// The printer keeps its power, and with it its heat: what the job has set stays set while nobody can reach it.
#[rstest]
#[case::one_nozzle_and_a_bed(Machine::Plain)]
#[case::two_tools_and_a_chamber(Machine::Large)]
fn a_port_that_vanishes_in_mid_print_fails_the_job_and_the_printer_is_cooled_when_it_is_back(
    #[case] machine: Machine,
) {
    let mut options = vec!["--fault", "unplug@1000", "--unplugged", "3"];
    options.extend(machine.options());
    let mut host = Host::paired_with(None, 100, &options);
    machine.offer(&host);
    host.run();
    host.wait_for(JobState::Printing);
    machine.is_hot(&host);
    host.wait_for(JobState::Failed);
    let reason = host.reason();
    assert!(
        reason.contains("The serial port vanished: check the printer's power and the USB cable"),
        "{reason}"
    );
    host.dashboard_shows("There is no port");
    host.dashboard_shows("\"offline\"");

    host.plugged_in();
    let back = host.status_where("back", |status| status["status"]["state"] == "idle");
    assert!(back["last_error"]["message"].as_str().unwrap().contains("no port"), "{back}");
    host.is_made_safe();
    assert_eq!(host.printer().boots(), 1, "it was cooled, and not switched off");
    host.offer_again(1);
    host.wake();
    host.wait_for(JobState::AwaitingRemoval);
    machine.has_printed(&mut host);
}
