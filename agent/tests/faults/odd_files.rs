//! Files that `stardust-agent print` takes for no whole print file: refused before a byte goes to the printer, or printed because
//! a person says so. Read at the printer.

use std::path::Path;
use std::process::{Output, Stdio};

use rstest::rstest;

use crate::host::Host;
use crate::stand_in::eventually;

fn printed(host: &Host, name: &str, more: &[&str]) -> Output {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reported").join(name);
    let mut command = host.command();
    command.arg("print").arg(file).arg("--port").arg(host.printer().port()).args(more);
    command.stdin(Stdio::null()).output().unwrap()
}

#[rstest]
#[case::cut_off("job-cut-off-prusa.gcode", "its slicer's end is missing", &[])]
#[case::a_web_form("upload-multipart-stored.gcode", "web form", &[])]
#[case::a_web_form_is_no_file_that_was_cut_off("upload-multipart-stored.gcode", "web form", &["--even-if-cut-off"])]
fn what_is_no_whole_print_file_is_refused_and_the_printer_hears_nothing(
    #[case] name: &str,
    #[case] why: &str,
    #[case] more: &[&str],
) {
    let host = Host::unpaired(None, 100);
    let output = printed(&host, name, more);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(why), "{said}");
    let journal = host.printer().journal();
    // Its start is written down, too.
    assert!(journal.iter().all(|line| line.cmd.is_empty()), "{journal:?}");
}

#[test]
fn a_file_that_was_cut_off_is_printed_where_a_person_says_so_and_is_not_called_done() {
    let host = Host::unpaired(None, 100);
    let output = printed(&host, "job-cut-off-prusa.gcode", &["--even-if-cut-off"]);
    assert!(!output.status.success(), "it is no whole part");
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    let file = ["M140 S60", "M104 S200", "M109 S200", "G28", "G1 X10 E1 F600", "G1 X1"];
    // It writes down what it has taken a little later.
    eventually("all that is there, in its order", || {
        let mut taken = host.printer().journal().into_iter();
        file.iter().all(|command| taken.any(|line| line.cmd == *command)).then_some(())
    });
}
