//! A job whose file holds a line that this printer's firmware could not be sent as it is written: it fails before anything is
//! begun, with that line. What can be sent is a matter of the firmware that answers, so the same file is printed by another one.
//! Read at the printer.

use std::path::Path;

use rstest::rstest;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::printer::commands;

fn offered(profile: &str, name: &str) -> (Host, Vec<String>) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reported").join(name);
    let mut host = Host::paired_with(None, 200, &["--profile", profile]);
    host.offer_file(1, &std::fs::read(&file).unwrap());
    host.run();
    (host, commands(&file))
}

#[rstest]
#[case::too_long("prusa", "odd-objects.gcode", "Line 12 of the file can't be sent")]
#[case::words("repetier", "odd-klipper-paren.gcode", "Line 4 of the file can't be sent")]
#[case::words_of_old_marlin("malyan", "odd-objects.gcode", "Line 12 of the file can't be sent")]
fn a_job_with_a_line_that_this_firmware_can_not_be_sent_fails_before_anything_is_begun(
    #[case] profile: &str,
    #[case] name: &str,
    #[case] why: &str,
) {
    let (mut host, file) = offered(profile, name);
    host.wait_for(JobState::Failed);
    assert!(host.reason().contains(why), "{}", host.reason());
    assert!(!host.moves().contains(&JobState::Printing), "{:?}", host.moves());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    host.end(rustix::process::Signal::TERM);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    // Its journal is whole then. What turns a heater off may be anybody's.
    let is_of_the_file = |line: &String| file.contains(line) && !line.ends_with(" S0");
    let taken: Vec<String> = host.printed_to_its_end().into_iter().filter(is_of_the_file).collect();
    assert!(taken.is_empty(), "{taken:?}");
}

#[test]
fn where_the_firmware_takes_all_of_it_the_same_file_is_printed() {
    let (mut host, _) = offered("klipper", "odd-objects.gcode");
    host.wait_for(JobState::AwaitingRemoval);
    let taken = host.printed_to_its_end();
    let is_it =
        |line: &String| line.starts_with("EXCLUDE_OBJECT_DEFINE ") && line.ends_with("[192.2,157.8]]");
    assert!(taken.iter().any(is_it), "{taken:?}");
}
