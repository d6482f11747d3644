//! What the file has set before a layer is set again when a print goes on there: read at the printer, which forgot it all.

use std::path::Path;

use firmware_sim::firmware::{Config, SetTo};
use rstest::rstest;
use stardust_agent::serial::JobEvent;

use crate::of_file::{OfLayer, commands};
use crate::print::{self, Loss, Print};
use crate::way_back::{self, Stands};

/// As many as a start script and a material's settings hold.
const SETTINGS: &str = "M220 S85\nM221 S93\nM141 S45\nM201 X700 Y800 Z90 E4000\nM203 X180 Y170 Z9 E40\nM204 P700 T900 R650\n\
    M205 J0.02\nM900 K0.07\nM301 P20.5 I1.2 D80\nM304 P70 I2 D300\nM851 Z-1.25\nM425 X0.05 F1\nM593 F40 D0.1\nM572 S0.03\n\
    M906 X600 Y610\nM907 E430\nM913 X90\nM914 X60\nM569 S1 X0\nM207 S1.5 F2400\nM208 S0.1 F300\nM412 S0\nM211 S0\nM302 S150\n\
    M92 E415\nM84 S300\nM900 K0.08\nM204 T950\n";

fn config() -> Config {
    Config { chamber_max_c: Some(70.0), ..Config::default() }
}

/// The beginning of a real file with settings after its homing.
fn file_with(settings: &str) -> tempfile::NamedTempFile {
    let part = print::beginning_of("cura_teapot_ender3_marlin.gcode");
    let text = std::fs::read_to_string(part.path()).unwrap();
    let (head, rest) = text.split_once("\nG28").unwrap();
    let (line, rest) = rest.split_once('\n').unwrap();
    std::fs::write(part.path(), format!("{head}\nG28{line}\n{settings}{rest}")).unwrap();
    part
}

/// The printer of a print that nobody disturbs, when it has carried out so many commands of the file and one more.
fn uninterrupted(file: &Path, commands: usize) -> SetTo {
    let mut print = Print::start(file, config());
    assert!(print.run_until(|print| print.accepted.len() > commands));
    print.set_to()
}

#[rstest]
#[case::both_lose_it(Loss::Both)]
#[case::only_the_printer(Loss::Printer)]
fn the_printer_is_set_as_it_was_at_the_layer(#[case] loss: Loss) {
    let part = file_with(SETTINGS);
    let file = part.path();
    let mut print = Print::start(file, config());
    print.run_until(|print| print.accepted.len() >= 4000);
    let fresh = Print::start(file, config()).set_to();
    print.lose_power(loss);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    let point = print::point(file, &cut_off, cut_off.layer).unwrap();
    let (layer, stood) = (OfLayer::read(file, point.layer), Stands::seen(&print, cut_off.parked));
    print.begin_return(&point);
    let before = commands(file).len() - layer.rest.len();
    let first = &layer.rest[0];
    assert!(print.run_until(|print| print.accepted_since_return().contains(first)), "{}", print.story());
    let (was, is) = (uninterrupted(file, before), print.set_to());
    assert_eq!(is, was, "{}", print.story());
    // It could have been otherwise: the printer has forgotten all of it.
    assert_eq!((was.feed_percent, was.flow_percent, was.targets.chamber), (85.0, 93, Some(45.0)));
    assert_eq!(was.acceleration, [700.0, 650.0, 950.0]);
    assert!(was.kept.len() >= 25, "{:?}", was.kept);
    assert!(
        was.max_feed != fresh.max_feed
            && was.max_acceleration != fresh.max_acceleration
            && was.corner != fresh.corner
    );
    assert!(fresh.kept.is_empty() && fresh.feed_percent == 100.0, "{fresh:?}");

    print.run_until(|_| false);
    assert_eq!(print.events.last(), Some(&JobEvent::Completed), "{}", print.story());
    way_back::check(&print, &layer, stood).unwrap();
}

/// Arcs in another plane, a speed that is brought back later, a filament given by its volume.
#[test]
fn modes_that_only_later_commands_need_come_back() {
    let part = file_with("M220 S70\nM220 B\nM220 S110\nG19\nM200 D1.75\n");
    let file = part.path();
    let mut print = Print::start(file, config());
    print.run_until(|print| print.accepted.len() >= 4000);
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    let point = print::point(file, &cut_off, cut_off.layer).unwrap();
    let (layer, stood) = (OfLayer::read(file, point.layer), Stands::seen(&print, cut_off.parked));
    print.begin_return(&point);
    print.run_until(|_| false);
    assert_eq!(print.events.last(), Some(&JobEvent::Completed), "{}", print.story());
    let since = print.accepted_since_return();
    way_back::check(&print, &layer, stood).unwrap();
    let at = |line: &str| {
        since.iter().position(|text| text == line).unwrap_or_else(|| panic!("{line}: {since:?}"))
    };
    let own_filament = since.iter().rposition(|line| line.starts_with("G1 E2 ")).unwrap();
    assert!(at("M200 D1.75") > own_filament, "the way back is in lengths: {since:?}");
}

#[rstest]
#[case("M290 Z0.1")]
#[case("G29")]
#[case("M502")]
#[case("SET_PRESSURE_ADVANCE ADVANCE=0.05")]
#[case("M1002 S1")]
fn what_can_not_be_had_back_is_refused_with_its_command_and_line(#[case] command: &str) {
    let part = file_with(&format!("{command}\n"));
    let text = std::fs::read_to_string(part.path()).unwrap();
    let line = 1 + text.lines().position(|line| line == command).unwrap();
    let mut print = Print::start(part.path(), config());
    print.run_until(|print| print.accepted.len() >= 4000);
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    let why = print::point(part.path(), &cut_off, cut_off.layer).unwrap_err();
    assert!(why.contains("can't be had back") && why.contains(&format!("in line {line} ")), "{why}");
    assert!(why.contains(command.get(..20).unwrap_or(command)), "{why}");
}
