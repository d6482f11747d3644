//! The thread of a port, at a printer of a few lines on a raw pseudo terminal.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rstest::rstest;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Action, tcflow, tcgetattr};
use stardust_agent::port::{Order, PortEvent, PortHandle, PortPlan, Reach, SpeedView, drive};
use stardust_agent::print_job::file_source::FileSource;
use stardust_agent::serial::{CommandSource, Connection, End, HostEvent, JobEvent, Parking};
use stardust_clock::SystemClock;

use crate::is_only_the_stop;
use crate::stand_in::eventually;

/// The printer's end of the line.
pub(crate) struct Line {
    master: OwnedFd,
    /// All bytes that have come.
    pub(crate) heard: Vec<u8>,
    /// Answered to each line, while something is.
    pub(crate) answers: bool,
    answered: usize,
    interrupts: bool,
    /// It waits for a temperature: no more `ok`s.
    heats: bool,
}

impl Line {
    pub(crate) fn open() -> (Self, PathBuf) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        rustix::io::ioctl_fionbio(&master, true).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().to_str().unwrap().into();
        let line =
            Self { master, heard: Vec::new(), answers: true, answered: 0, interrupts: false, heats: false };
        (line, path)
    }

    /// Takes what has come and answers as old firmware does.
    pub(crate) fn serve(&mut self) {
        let mut buffer = [0; 4096];
        if let Ok(count) = rustix::io::read(&self.master, &mut buffer) {
            self.heard.extend_from_slice(&buffer[..count]);
        }
        let ends: Vec<usize> =
            (self.answered..self.heard.len()).filter(|at| self.heard[*at] == b'\n').collect();
        for end in ends {
            let text = String::from_utf8_lossy(&self.heard[self.answered..end]).into_owned();
            self.answered = end + 1;
            self.heats |= text.contains("M109") || text.contains("M190");
            if text.trim().is_empty() || self.heats || !self.answers {
                continue;
            }
            let caps = u8::from(self.interrupts);
            let mut said = String::new();
            if text.contains("M115") {
                said = format!("FIRMWARE_NAME:Marlin 2.1.2 MACHINE_TYPE:X\nCap:EMERGENCY_PARSER:{caps}\n");
            }
            said += "ok\n";
            rustix::io::write(&self.master, said.as_bytes()).unwrap();
        }
    }

    pub(crate) fn halts(&self) -> usize {
        String::from_utf8_lossy(&self.heard).split('\n').filter(|line| *line == "M112").count()
    }

    fn speed(&self) -> u32 {
        tcgetattr(&self.master).unwrap().output_speed()
    }
}

fn driven(path: PathBuf, baud: Option<u32>) -> PortHandle {
    drive(PortPlan::new(path, baud), Parking::default(), SystemClock::shared()).unwrap()
}

fn killed(port: &mut PortHandle, line: &mut Line) -> Reach {
    eventually("it is told", || {
        line.serve();
        match port.events.try_recv().ok()? {
            PortEvent::Killed(reach) => Some(reach),
            _ => None,
        }
    })
}

/// A file of these lines.
fn job(lines: &[&str]) -> Box<dyn CommandSource> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n")).unwrap();
    // It is open, whatever becomes of its name.
    Box::new(FileSource::open(file.path()).unwrap())
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum At {
    /// Nothing has answered yet.
    Greeting,
    Idle,
    Heating,
    /// The order's sender goes away the moment it has ordered.
    HeatingAndGone,
}

#[rstest]
fn a_stop_is_on_the_wire_before_it_is_told_and_dtr_falls_after_it(
    #[values(At::Greeting, At::Idle, At::Heating, At::HeatingAndGone)] at: At,
    #[values(false, true)] interrupts: bool,
) {
    let (mut line, path) = Line::open();
    line.interrupts = interrupts;
    line.answers = at != At::Greeting;
    let mut port = driven(path, Some(115_200));
    match at {
        At::Greeting => eventually("it is greeted", || {
            line.serve();
            (!line.heard.is_empty()).then_some(())
        }),
        _ => eventually("it is ready", || {
            line.serve();
            port.view.borrow().is_ready.then_some(())
        }),
    }
    if matches!(at, At::Heating | At::HeatingAndGone) {
        port.order(Order::Start(job(&["G28", "M109 S210", "G1 X10", "G1 X20"]), None));
        eventually("it heats", || {
            line.serve();
            line.heats.then_some(())
        });
    }
    port.order(Order::Kill("by Ada".into()));
    if at == At::HeatingAndGone {
        drop(port);
        // Nothing else would ever come.
        eventually("M112 is on the wire", || {
            line.serve();
            (line.halts() == 1).then_some(())
        });
        return;
    }
    // Not read until it is told: what is on the wire then was there before.
    let reach = eventually("it is told", || match port.events.try_recv().ok()? {
        PortEvent::Killed(reach) => Some(reach),
        PortEvent::Host(..) | PortEvent::NotStarted | PortEvent::NotPreheated => None,
    });
    let knows = interrupts && at != At::Greeting;
    assert_eq!(reach, Reach::Sent { on_wire: true, dtr_pulsed: !knows });
    line.serve();
    assert_eq!(line.halts(), 1, "{}", String::from_utf8_lossy(&line.heard));
    eventually("the view says so", || match &port.view.borrow().connection {
        Connection::ToldToStop { sentence, .. } => sentence.contains("stop at once by Ada").then_some(()),
        _ => None,
    });
    if at == At::Heating {
        let end = eventually("the job has ended", || match port.events.try_recv().ok()? {
            PortEvent::Host(HostEvent::Job(JobEvent::Stopped(End::Failed(reason))), _) => Some(reason),
            _ => None,
        });
        assert!(end.starts_with("Stopped at once by Ada (M112)."), "{end}");
    }
    line.serve();
    let heard = String::from_utf8_lossy(&line.heard).into_owned();
    let (_, after) = heard.split_once("\nM112\n").unwrap();
    assert!(is_only_the_stop(after), "nothing else comes after it: {after:?}");
}

/// A port that takes no bytes: whatever the firmware has said of itself, it has not heard this one.
#[test]
fn a_board_that_did_not_get_it_is_reset_also_where_its_firmware_would_act_at_once() {
    let (mut line, path) = Line::open();
    line.interrupts = true;
    // Before the driver has it for itself.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK;
    let beside = rustix::fs::open(&path, flags, Mode::empty()).unwrap();
    let mut port = driven(path, Some(115_200));
    eventually("it is ready", || {
        line.serve();
        port.view.borrow().is_ready.then_some(())
    });
    tcflow(&beside, Action::OOff).unwrap();
    port.order(Order::Kill("by Ada".into()));
    assert_eq!(killed(&mut port, &mut line), Reach::Sent { on_wire: false, dtr_pulsed: true });
    assert_eq!(line.halts(), 0, "it would be no test");
}

/// As a board sees it: the line falls for a quarter of a second, and `M112` has come by then.
#[test]
fn dtr_falls_only_when_m112_has_left() {
    let (mut line, path) = Line::open();
    let mut port = driven(path, Some(115_200));
    eventually("it is ready", || {
        line.serve();
        port.view.borrow().is_ready.then_some(())
    });
    port.order(Order::Kill("by Ada".into()));
    eventually("DTR falls", || (line.speed() == 0).then_some(()));
    line.serve();
    assert_eq!(line.halts(), 1, "{}", String::from_utf8_lossy(&line.heard));
    killed(&mut port, &mut line);
    assert_eq!(line.speed(), 115_200);
}

/// Nobody knows the speed: it is sent at the one that is set, and then at each.
#[test]
fn while_the_speed_is_sought_it_is_sent_at_every_speed() {
    let (mut line, path) = Line::open();
    line.answers = false;
    let mut port = driven(path, None);
    eventually("it is sought", || {
        line.serve();
        (matches!(*port.speed.borrow(), SpeedView::Sought(_)) && !line.heard.is_empty()).then_some(())
    });
    let reach = {
        port.order(Order::Kill("by Ada".into()));
        killed(&mut port, &mut line)
    };
    assert_eq!(reach, Reach::Sent { on_wire: true, dtr_pulsed: true });
    line.serve();
    assert_eq!(line.halts(), 7, "{}", String::from_utf8_lossy(&line.heard));
}

/// A port that is not there: the stop is kept, and is the first thing that is written when it is.
#[rstest]
fn a_port_that_comes_back_is_told_first(#[values(Some(115_200), None)] baud: Option<u32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer");
    let mut port = driven(path.clone(), baud);
    eventually("there is no port", || port.view.borrow().port_error.clone());
    port.order(Order::Kill("by Ada".into()));
    let reach = eventually("it is told", || match port.events.try_recv().ok()? {
        PortEvent::Killed(reach) => Some(reach),
        _ => None,
    });
    assert_eq!(reach, Reach::Waits);
    let (mut line, device) = Line::open();
    std::os::unix::fs::symlink(device, path).unwrap();
    assert_eq!(killed(&mut port, &mut line), Reach::Sent { on_wire: true, dtr_pulsed: true });
    let heard = String::from_utf8_lossy(&line.heard).into_owned();
    assert!(heard.starts_with("\nM112\n"), "{heard:?}");
}

/// Nobody has said yet that it has stopped when the port goes: it is told again first, at each speed where nobody knows it.
#[rstest]
#[case::one_speed(Some(115_200), 1)]
#[case::all_speeds(None, 7)]
fn a_port_that_is_lost_behind_a_stop_is_told_again_first(#[case] baud: Option<u32>, #[case] times: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("printer");
    let (mut line, device) = Line::open();
    std::os::unix::fs::symlink(device, &path).unwrap();
    let mut port = driven(path.clone(), baud);
    eventually("it is ready", || {
        line.serve();
        port.view.borrow().is_ready.then_some(())
    });
    port.order(Order::Kill("by Ada".into()));
    killed(&mut port, &mut line);
    drop(line);
    std::fs::remove_file(&path).unwrap();
    eventually("the port is gone", || port.view.borrow().port_error.clone());
    let (mut line, device) = Line::open();
    line.answers = false;
    std::os::unix::fs::symlink(device, &path).unwrap();
    eventually("it is told again", || {
        line.serve();
        (line.halts() == times).then_some(())
    });
    let heard = String::from_utf8_lossy(&line.heard).into_owned();
    assert!(heard.starts_with("\nM112\n"), "{heard:?}");
    // Its people are asked to switch it off and on again, and it is not halted once more for that.
    eventually("it says nothing any more", || match &port.view.borrow().connection {
        Connection::ToldToStop { is_over: true, sentence } => sentence.contains("says nothing").then_some(()),
        _ => None,
    });
    drop(line);
    std::fs::remove_file(&path).unwrap();
    let (mut line, device) = Line::open();
    std::os::unix::fs::symlink(device, &path).unwrap();
    eventually("it is greeted, and what may be hot is turned off", || {
        line.serve();
        String::from_utf8_lossy(&line.heard).contains("M104 S0").then_some(())
    });
    assert_eq!(line.halts(), 0, "{}", String::from_utf8_lossy(&line.heard));
}

#[test]
fn a_printer_that_asks_its_host_to_go_is_left_alone() {
    let (mut line, path) = Line::open();
    let mut port = driven(path, Some(115_200));
    eventually("it is ready", || {
        line.serve();
        port.view.borrow().is_ready.then_some(())
    });
    let lines: Vec<String> = (0..2000).map(|at| format!("G1 X{}", at % 100)).collect();
    port.order(Order::Start(job(&lines.iter().map(String::as_str).collect::<Vec<_>>()), None));
    eventually("it prints", || {
        line.serve();
        String::from_utf8_lossy(&line.heard).contains("G1 X20").then_some(())
    });
    rustix::io::write(&line.master, b"//action:disconnect\n").unwrap();
    // A terminal whose other end nobody has open any more.
    eventually("the port is closed", || {
        let mut buffer = [0; 4096];
        matches!(rustix::io::read(&line.master, &mut buffer), Err(rustix::io::Errno::IO)).then_some(())
    });
    let end = eventually("the job's end", || match port.events.try_recv().ok()? {
        PortEvent::Host(HostEvent::Job(JobEvent::Stopped(end)), _) => Some(end),
        _ => None,
    });
    assert!(matches!(end, End::Failed(_)), "{end:?}");
    eventually("it is said", || port.view.borrow().port_error.clone());
}
