//! Ports as they behave: a speed nobody has told, a printer that is switched on later, a cable that is pulled and
//! put in again, a stranger under the old name. The printers are `firmware-sim` on pseudo terminals.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

#[path = "../stand_in/mod.rs"]
mod stand_in;
mod tree;

use std::os::fd::OwnedFd;
use std::path::Path;

use rstest::rstest;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::tcgetattr;
use stand_in::eventually;
use stand_in::hub::Hub;
use stand_in::printer::{Printer, agent, fixture};
use stardust_agent::port::SpeedView;
use stardust_agent::port::{DeviceTree, Order, PortEvent, PortHandle, PortPlan, SpeedMemory, drive};
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::serial::{HostEvent, JobEvent, Parking};
use stardust_clock::SystemClock;
use tree::{Adapter, Tree};

fn driven(plan: PortPlan) -> PortHandle {
    drive(plan, Parking::default(), SystemClock::shared()).unwrap()
}

fn ready(port: &PortHandle) {
    eventually("the printer is ready", || port.view.borrow().is_ready.then_some(()));
}

fn plan(path: &Path, data: &Path) -> PortPlan {
    PortPlan { speeds: Some(SpeedMemory::new(data)), ..PortPlan::new(path.to_owned(), None) }
}

#[rstest]
#[case("115200")]
#[case("250000")]
#[case("57600")]
fn a_speed_that_nobody_has_told_is_found_out_and_remembered(#[case] baud: &str) {
    let data = tempfile::tempdir().unwrap();
    let printer = Printer::start_with(&["--baud", baud, "--pace", "--strict-baud"]);
    let port = driven(plan(&printer.port(), data.path()));
    ready(&port);
    assert_eq!(*port.speed.borrow(), SpeedView::Known(baud.parse().unwrap()));
    assert!(port.view.borrow().firmware.as_ref().unwrap().contains("Marlin"));
    let files: Vec<_> = std::fs::read_dir(data.path().join("speeds")).unwrap().flatten().collect();
    assert_eq!(std::fs::read_to_string(files[0].path()).unwrap().trim(), baud);
    assert_eq!(files.len(), 1);
}

/// The next one, on the same port, was set to another speed: what is remembered is only tried first.
#[test]
fn a_remembered_speed_that_is_wrong_is_left_again() {
    let data = tempfile::tempdir().unwrap();
    let first = Printer::start_with(&["--baud", "57600", "--pace", "--strict-baud"]);
    let path = first.port();
    let port = driven(plan(&path, data.path()));
    ready(&port);
    drop(first);
    eventually("the port is gone", || port.view.borrow().port_error.clone());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let _second = Printer::start_at(&path, folder, &["--baud", "115200", "--pace", "--strict-baud"]);
    ready(&port);
    assert_eq!(*port.speed.borrow(), SpeedView::Known(115_200));
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

const OURS: Adapter = Adapter { serial: Some("A50285BI"), socket: "1.1" };
const CLONE: Adapter = Adapter { serial: None, socket: "1.1" };

/// The cable is pulled in mid-job, a stranger takes the name, the printer comes back under another one.
#[rstest]
#[case::by_serial_number(OURS, Adapter { serial: Some("B7"), socket: "1.1" }, Adapter { socket: "1.3", ..OURS })]
#[case::by_socket(CLONE, Adapter { socket: "1.4", ..CLONE }, CLONE)]
fn a_printer_is_found_again_under_another_name_and_a_stranger_is_left_alone(
    #[case] adapter: Adapter,
    #[case] strange: Adapter,
    #[case] returned: Adapter,
) {
    let (tree, data) = (Tree::new(), tempfile::tempdir().unwrap());
    let named = tree.dev("ttyUSB0");
    let folder = tempfile::tempdir().unwrap();
    let options = ["--fault", "unplug@30", "--rename-on-replug", "--speed", "100"];
    let mut printer = Printer::start_at(&named, folder, &options);
    tree.show("ttyUSB0", adapter);
    let devices = DeviceTree::at(tree.root());
    let adapter_file = data.path().join("adapter.toml");
    let plan = PortPlan { devices, adapter_file: Some(adapter_file.clone()), ..plan(&named, data.path()) };
    let mut port = driven(plan.clone());
    ready(&port);
    let file = data.path().join("moves.gcode");
    let moves: Vec<String> = (0..1000).map(|at| format!("G1 X{}\n", at % 100)).collect();
    std::fs::write(&file, moves.concat()).unwrap();
    port.order(Order::Start(Box::new(FileSource::open(&file).unwrap()), None));
    let error = eventually("the cable is out", || port.view.borrow().port_error.clone());
    assert!(error.contains("vanished") || error.contains("no port"), "{error}");
    tree.hide("ttyUSB0");
    let stranger = Printer::start_at(&named, tempfile::tempdir().unwrap(), &["--speed", "100"]);
    tree.show("ttyUSB0", strange);
    eventually("the stranger is seen", || {
        port.view.borrow().port_error.clone().filter(|error| error.contains("is not the printer any more"))
    });

    let came_back = printer.replugged();
    assert_eq!(came_back, tree.dev("ttyUSB0.2"));
    tree.show("ttyUSB0.2", returned);
    ready(&port);
    let failed = eventually("the job has ended", || match port.events.try_recv().ok()? {
        PortEvent::Host(HostEvent::Job(JobEvent::Stopped(end)), _) => Some(format!("{end:?}")),
        _ => None,
    });
    assert!(failed.contains("serial port vanished"), "{failed}");

    // After a restart of the agent it is known again.
    drop(port);
    eventually("the next one gets the port", || {
        let port = driven(plan.clone());
        eventually("it is opened, or not", || {
            let view = port.view.borrow();
            (view.is_ready || view.port_error.is_some()).then_some(())
        });
        port.view.borrow().is_ready.then_some(())
    });
    assert_eq!(stranger.journal().iter().filter(|line| !line.cmd.is_empty()).count(), 0, "not a byte for it");
}

/// A printer that says nothing, and is not plugged in.
fn silent() -> OwnedFd {
    let printer = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&printer).unwrap();
    unlockpt(&printer).unwrap();
    printer
}

/// It is opened a moment after it was looked for, and then its speed is sought for long.
#[test]
fn a_port_that_was_waited_for_with_a_stop_is_told_as_soon_as_it_is_back() {
    let printer = silent();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer");
    let port = driven(PortPlan::new(path.clone(), None));
    eventually("there is no port yet", || port.view.borrow().port_error.clone());
    port.order(Order::Kill("by Ada".into()));
    std::os::unix::fs::symlink(ptsname(&printer, Vec::new()).unwrap().to_str().unwrap(), path).unwrap();
    eventually("there is", || port.view.borrow().port_error.is_none().then_some(()));
    assert_eq!(*port.speed.borrow(), SpeedView::Sought(0), "in the first round");
}

/// The port is there, the printer is off; when it comes on it is heard as noise first.
#[test]
fn a_printer_that_is_switched_on_later_is_found() {
    let printer = silent();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer");
    let port = driven(PortPlan::new(path.clone(), None));
    eventually("there is no port yet", || port.view.borrow().port_error.clone());
    std::os::unix::fs::symlink(ptsname(&printer, Vec::new()).unwrap().to_str().unwrap(), path).unwrap();
    eventually("there is", || port.view.borrow().port_error.is_none().then_some(()));
    let speed = || tcgetattr(&printer).unwrap().output_speed();
    eventually("the second speed is tried", || (speed() == 250_000).then_some(()));
    eventually("it is found", || {
        let said: &[u8] = if speed() == 57_600 { b"start\n" } else { b"\x00\xfe\x80\x00\xe6" };
        rustix::io::write(&printer, said).unwrap();
        (*port.speed.borrow() == SpeedView::Known(57_600)).then_some(())
    });
    eventually("it is greeted", || {
        let mut said = [0; 4096];
        let count = rustix::io::read(&printer, &mut said).unwrap();
        String::from_utf8_lossy(&said[..count]).contains("M110").then_some(())
    });
}

/// By its adapter: the name says nothing.
#[test]
fn a_speed_is_remembered_for_an_adapter_under_any_name() {
    let (tree, data) = (Tree::new(), tempfile::tempdir().unwrap());
    for (name, is_known) in [("ttyUSB0", false), ("ttyUSB5", true)] {
        let wire = data.path().join(name);
        let options = ["--baud", "57600", "--pace", "--strict-baud", "--wire", wire.to_str().unwrap()];
        let mut printer = Printer::start_at(&tree.dev(name), tempfile::tempdir().unwrap(), &options);
        tree.show(name, OURS);
        let devices = DeviceTree::at(tree.root());
        let port = driven(PortPlan { devices, ..plan(&tree.dev(name), data.path()) });
        ready(&port);
        tree.hide(name);
        printer.end();
        let (asked, understood) = questions(&wire, &printer);
        assert!(asked > 0, "it would be no test");
        assert_eq!(asked == understood, is_known, "{asked} {understood}: the right speed was tried first");
    }
    assert_eq!(std::fs::read_dir(data.path().join("speeds")).unwrap().count(), 1);
}

/// How many questions came over the line until the printer was asked who it is, and how many of them it has understood.
fn questions(wire: &Path, printer: &Printer) -> (usize, usize) {
    let wire = std::fs::read(wire).unwrap();
    let wire = String::from_utf8_lossy(&wire).into_owned();
    let (before, _) = wire.split_once("M115").unwrap();
    let journal = printer.journal();
    let understood = journal.iter().take_while(|line| line.cmd != "M115").filter(|line| line.cmd == "M105");
    (before.matches("M105").count(), understood.count())
}

#[test]
fn pairing_asks_the_printer_who_it_is_and_goes_on_when_it_is_silent() {
    let hub = Hub::start();
    let printer = Printer::start_with(&["--baud", "250000", "--pace", "--strict-baud"]);
    let data = tempfile::tempdir().unwrap();
    let pair = |name: &str, more: &[&str]| {
        let mut command = agent();
        command.env("STARDUST_AGENT_DATA", data.path()).args(["pair", &hub.url, "K7QM-4TXP", "--name", name]);
        let output = command.args(["--port"]).arg(printer.port()).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let said = pair("one", &[]);
    assert!(said.contains("answers at 250000 baud: Marlin"), "{said}");
    let settings = std::fs::read_to_string(data.path().join("printers/one/printer.toml")).unwrap();
    assert!(!settings.contains("baud"), "{settings}");
    let said = pair("two", &["--no-check", "--baud", "115200"]);
    assert!(!said.contains("baud") && said.contains("Paired"), "{said}");
    // Held by another program.
    let port = driven(plan(&printer.port(), data.path()));
    ready(&port);
    let said = pair("three", &[]);
    assert!(said.contains("Another program uses") && said.contains("Paired"), "{said}");
}

/// The firmware does not listen: what is left is the DTR line.
#[test]
fn who_stops_a_print_at_once_has_the_board_reset() {
    let folder = tempfile::tempdir().unwrap();
    let wire = folder.path().join("wire");
    let record = || String::from_utf8_lossy(&std::fs::read(&wire).unwrap()).into_owned();
    let options = ["--no-emergency-parser", "--resets-by-dtr", "--wire", wire.to_str().unwrap()];
    let printer = Printer::start_with(&options);
    let mut process = agent()
        .arg("print")
        .arg(fixture("cura_teapot_ender3_marlin.gcode"))
        .arg("--port")
        .arg(printer.port())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    eventually("heating", || printer.journal().iter().any(|line| line.cmd.starts_with("M190")).then_some(()));
    assert!(!record().contains("M112") && !record().contains("<DTR>") && printer.boots() == 1);
    let id = rustix::process::Pid::from_child(&process);
    let status = eventually("it ends", || {
        // The first one cancels, which waits for the heating to end.
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        process.try_wait().unwrap()
    });
    assert!(!status.success());
    let halted = eventually("M112", || record().find("\nM112\n"));
    let fell = eventually("DTR falls", || record().find("<DTR>"));
    assert!(halted < fell, "{}", record());
    // It can't have got to the halt itself: that stands behind the heating.
    eventually("nothing is heated", || printer.is_cold().then_some(()));
    eventually("the board has started anew", || {
        // Its start is written down with the first command behind it, and nobody else is there to give one.
        std::fs::write(printer.port(), "M105\n").unwrap();
        (printer.boots() == 2).then_some(())
    });
}

#[test]
fn the_doctor_measures_and_speaks_to_programs_too() {
    let printer = Printer::start_with(&["--baud", "250000", "--pace", "--strict-baud", "--latency", "20"]);
    let data = tempfile::tempdir().unwrap();
    let output = agent()
        .args(["doctor", "--json", "--port"])
        .arg(printer.port())
        .env("STARDUST_AGENT_DATA", data.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = said[0]["findings"].as_array().unwrap();
    let about = |what: &str| {
        findings.iter().find(|finding| finding["found"].as_str().unwrap().contains(what)).unwrap()
    };
    assert_eq!(about("answers at 250000 baud")["verdict"], "ok");
    let slow = about("an answer takes");
    assert_eq!(slow["verdict"], "warning");
    assert!(slow["why"].as_str().unwrap().contains("commands a second"), "{slow}");
}
