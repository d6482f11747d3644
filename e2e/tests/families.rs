//! Every profile of the simulator as a process, and `stardust-agent` at its port: it says what it found, prints a
//! short file exactly, pauses and goes on, and leaves the heaters off when it is interrupted. What they do on bad
//! lines and at their own pace is tested on a virtual clock, in the agent's own tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use rstest::rstest;
use rustix::process::Signal;
use stardust_e2e::direct_print::Printer;
use stardust_e2e::gcode::{commands, fixture, short_print};
use stardust_e2e::journal::{self, Entry};

const PATIENCE: Duration = Duration::from_secs(60);

/// The beginning of a print, heating included, and a slicer's end.
fn file(printer: &Printer, lines: usize) -> PathBuf {
    printer.file(&format!("{lines}.gcode"), short_print(&fixture("cura_teapot_ender3_marlin.gcode"), lines))
}

fn moves(accepted: &[Entry]) -> usize {
    accepted.iter().filter(|entry| entry.command.starts_with("G1 X")).count()
}

#[rstest]
#[case::marlin("marlin", "Marlin bugfix-2.1.x")]
#[case::marlin_with_advanced_ok("marlin-advanced-ok", "Marlin bugfix-2.1.x")]
#[case::marlin_on_eight_bits("marlin-avr", "Marlin bugfix-2.1.x")]
#[case::prusa("prusa", "Prusa-Firmware 3.13.3")]
#[case::reprapfirmware("reprapfirmware", "RepRapFirmware for Duet 2")]
#[case::repetier("repetier", "Repetier_1.0.5")]
#[case::klipper("klipper", "Klipper")]
#[case::malyan("malyan", "Malyan")]
#[case::teacup("teacup", "Teacup")]
#[case::ultimaker2("ultimaker2", "Marlin Ultimaker2")]
#[case::creality("creality", "Marlin 1.1.6")]
#[tokio::test]
async fn it_is_recognised_printed_on_paused_and_interrupted(#[case] profile: &str, #[case] name: &str) {
    let printer = Printer::start(300.0, &["--profile", profile]).await;
    let (code, said) = printer.agent(&["doctor"]).ended(PATIENCE).await;
    assert_eq!(code, Some(0), "{profile}: {said}");
    assert!(said.contains(&format!("firmware: {name}")), "{profile}: {said}");

    let short = file(&printer, 300);
    let expected = commands(&short);
    let (code, said) = printer.print(&short).ended(PATIENCE).await;
    assert_eq!(code, Some(0), "{profile}: {said}");
    let printed = printer.last_print(|printed| printed.len() >= expected.len()).await;
    journal::compare(&printed, &expected).unwrap_or_else(|difference| panic!("{profile}: {difference}"));

    // Once more, with a pause. The journal goes on.
    let long = file(&printer, 8000);
    let expected = commands(&long);
    let before = printer.accepted().len();
    let mut agent = printer.print(&long);
    agent.until("some moves", &printer, |accepted| moves(&accepted[before..]) > 20).await;
    agent.signal(Signal::TSTP);
    agent
        .until("the pause", &printer, |accepted| {
            accepted[before..].iter().any(|entry| entry.command == "M400")
        })
        .await;
    agent.signal(Signal::TSTP);
    let (code, said) = agent.ended(PATIENCE).await;
    assert_eq!(code, Some(0), "{profile}: {said}");
    let is_whole = |printed: &[String]| {
        let mut rest = printed.iter();
        expected.iter().all(|command| rest.any(|sent| sent == command))
    };
    let printed = printer.last_print(is_whole).await;
    assert!(is_whole(&printed), "{profile}: every command of the file, in order");
    assert!(printed.len() > expected.len() + 3, "{profile}: and the way to the park position and back");

    // And once more, interrupted.
    let before = printer.accepted().len();
    let mut agent = printer.print(&long);
    agent.until("some moves", &printer, |accepted| moves(&accepted[before..]) > 20).await;
    agent.signal(Signal::INT);
    let (code, said) = agent.ended(PATIENCE).await;
    assert_eq!(code, Some(130), "{profile}: {said}");
    let printed = journal::prints(&printer.stop().await).pop().unwrap();
    let off = printed.iter().rposition(|command| command == "M104 S0").unwrap();
    assert_eq!(printed[off..off + 3], ["M104 S0", "M140 S0", "M107"], "{profile}");
}

/// The agent must not print beside what somebody has started at the panel.
#[tokio::test]
async fn a_print_from_the_printers_own_card_is_left_alone() {
    let printer = Printer::start(1.0, &["--sd-print", "600000"]).await;
    let (code, said) = printer.print(&file(&printer, 50)).ended(PATIENCE).await;
    assert_ne!(code, Some(0), "{said}");
    let accepted = printer.stop().await;
    let asked: Vec<&str> = accepted.iter().map(|entry| entry.command.as_str()).collect();
    assert!(asked.contains(&"M27"), "{asked:?}");
    let questions = ["M110", "M115", "M155", "M113", "M27", "M105"];
    let is_question = |command: &&str| questions.contains(&command.split(' ').next().unwrap_or_default());
    assert!(asked.iter().all(is_question), "{asked:?}");
}
