//! A printer loses its power in mid-print, alone, with its host, or only the host does: the print is cut off, nothing
//! moves until a person says so, and from the layer that is named it goes on as if it had never stopped: at places all
//! over real files. While it is on its way back the host may be killed, too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, dead_code, reason = "tests")]

#[path = "../pausing/machine_model.rs"]
mod machine_model;
mod of_file;
mod print;
mod settings;
mod way_back;

use std::time::Duration;

use firmware_sim::firmware::{Config, Targets};
use of_file::OfLayer;
use print::{Loss, Print};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rstest::rstest;
use stardust_agent::serial::{End, JobEvent};
use way_back::Stands;

#[rstest]
#[case::both_lose_it("cura_teapot_ender3_marlin.gcode", Loss::Both, 1)]
#[case::only_the_printer("cura_teapot_ender3_marlin.gcode", Loss::Printer, 2)]
#[case::only_the_host("cura_teapot_ender3_marlin.gcode", Loss::Host, 3)]
#[case::prusaslicer("ps_teapot_ender3_thumbs_mix.gcode", Loss::Both, 4)]
#[case::prusaslicer_only_the_printer("ps_teapot_ender3_thumbs_mix.gcode", Loss::Printer, 5)]
#[case::prusaslicer_only_the_host("ps_teapot_ender3_thumbs_mix.gcode", Loss::Host, 6)]
fn a_print_goes_on_from_the_layer_that_is_named(#[case] name: &str, #[case] loss: Loss, #[case] seed: u8) {
    let part = print::beginning_of(name);
    let file = part.path().to_owned();
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let commands = of_file::commands(&file).len();
    let (mut went_on, mut too_early) = (0, 0);
    for run in 0..RUNS {
        let place = rng.random_range(0..commands - 10);
        let mut print = Print::start(&file, Config::default());
        print.run_until(|print| print.accepted.len() >= place);
        print.lose_power(loss);
        let Some(cut_off) = print.cut_off() else {
            assert!(!print.is_printing(), "run {run}, after {place} commands: {:?}", print.events.last());
            too_early += 1;
            continue;
        };
        print.wait_ready();
        let since = print.accepted_since_loss();
        let moves =
            |line: &String| line.starts_with("G") || line.starts_with("M84") || line.starts_with("M18");
        assert!(!since.iter().any(moves), "run {run}: nothing moves before a person says so: {since:?}");

        // A person may know better than the agent, which layer it was.
        let layer = cut_off.layer + rng.random_range(0..3_u32);
        let Ok(point) = print::point(&file, &cut_off, layer) else {
            assert!(layer == 1 || print::point(&file, &cut_off, cut_off.layer).is_ok() || cut_off.layer == 1);
            too_early += 1;
            continue;
        };
        let kills = rng.random_range(0..3_usize);
        let stood = Stands::seen(&print, cut_off.parked);
        print.return_to(&point, &mut || rng.random_range(0..40_usize), kills);
        assert_eq!(print.events.last(), Some(&JobEvent::Completed), "run {run}: {}", print.story());
        way_back::check(&print, &OfLayer::read(&file, layer), stood)
            .unwrap_or_else(|why| panic!("run {run}, layer {layer}: {why}"));
        went_on += 1;
    }
    assert!(went_on >= RUNS * 2 / 3, "{went_on} went on, {too_early} had only just begun");
}

/// Whole prints, each from its place on: some seconds in all.
const RUNS: usize = 10;

#[test]
fn a_firmware_that_does_not_move_before_z_is_homed_is_stopped_before_it_touches_the_part() {
    let part = print::beginning_of("cura_teapot_ender3_marlin.gcode");
    let file = part.path().to_owned();
    let mut print = Print::start(&file, Config { homes_first: true, ..Config::default() });
    print.run_until(|print| print.accepted.len() >= 4000);
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    let point = print::point(&file, &cut_off, cut_off.layer).unwrap();
    let contacts = print.plate().contact_count();
    print.return_to(&point, &mut || usize::MAX, 0);
    let Some(JobEvent::Stopped(End::Failed(reason))) = print.events.last() else {
        panic!("{}", print.story())
    };
    assert!(reason.contains("did not lift"), "{reason}");
    let since = print.accepted_since_return();
    assert!(
        !since.iter().any(|line| line.starts_with("G28")),
        "it must not drag through the part: {since:?}"
    );
    assert!(since.iter().any(|line| line.starts_with("M109")), "it was hot: {since:?}");
    assert_eq!(print.plate().contact_count(), contacts, "{:?}", print.plate().contacts());
    print.wait_ready();
    assert!(print.targets().are_off(), "it is made safe: {:?}", print.targets());
}

/// Every heater there is: what is set of it is off after the loss, and as the file had it when it goes on.
#[rstest]
#[case::both_lose_it(Loss::Both)]
#[case::only_the_printer(Loss::Printer)]
#[case::only_the_host(Loss::Host)]
fn two_tools_and_a_chamber_are_off_after_it_and_as_hot_as_before_when_it_goes_on(#[case] loss: Loss) {
    let part = print::beginning_behind("M141 S45\nM104 T1 S180\n", "cura_teapot_ender3_marlin.gcode");
    let file = part.path().to_owned();
    let config = Config { tools: 2, chamber_max_c: Some(70.0), ..Config::default() };
    let mut print = Print::start(&file, config);
    print.run_until(|print| print.accepted.len() >= 4000);
    let hot = Targets { nozzles: vec![210.0, 180.0], bed: 60.0, chamber: Some(45.0), generic: None };
    assert_eq!(print.targets(), hot);
    print.lose_power(loss);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    assert!(print.targets().are_off(), "{:?}", print.targets());
    let point = print::point(&file, &cut_off, cut_off.layer).unwrap();
    let stood = Stands::seen(&print, cut_off.parked);
    let layer = OfLayer::read(&file, cut_off.layer);
    print.begin_return(&point);
    print.run_until(|print| print.accepted_since_return().contains(&layer.rest[0]));
    assert_eq!(print.targets(), hot, "{}", print.story());
    print.run_until(|print| print.events.last() == Some(&JobEvent::Completed));
    way_back::check(&print, &layer, stood).unwrap();
    print.wait_ready();
    assert!(print.targets().are_off(), "{:?}", print.targets());
}

#[test]
fn a_head_that_was_parked_in_a_pause_is_known_to_stand_above_the_part() {
    let part = print::beginning_of("cura_teapot_ender3_marlin.gcode");
    let file = part.path().to_owned();
    let mut print = Print::start(&file, Config::default());
    print.run_until(|print| print.accepted.len() >= 4000);
    print.pause();
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    assert!(cut_off.parked);
    let told_mm = cut_off.height_mm.unwrap();
    assert!(
        cut_off.reason.contains(&format!("has left the nozzle {told_mm:.2} mm up.")),
        "{}",
        cut_off.reason
    );
    print.wait_ready();
    let point = print::point(&file, &cut_off, cut_off.layer).unwrap();
    let (stood, layer) = (Stands::seen(&print, true), OfLayer::read(&file, cut_off.layer));
    let [.., nozzle_mm] = print.plate().nozzle_mm();
    assert!(nozzle_mm > print.plate().top_mm() + 4.0, "it stands above the part: {stood:?}");
    assert!(nozzle_mm > layer.height as f64 / 1e6 + 4.0, "{stood:?}");
    print.return_to(&point, &mut || usize::MAX, 0);
    assert_eq!(print.events.last(), Some(&JobEvent::Completed), "{}", print.story());
    way_back::check(&print, &layer, stood).unwrap();
    // What people are told of the nozzle is what the printer is told.
    let declared = print.accepted_since_return().into_iter().find(|line| line.starts_with("G92 Z"));
    assert_eq!(declared, Some(format!("G92 Z{told_mm:.3}")));
}

#[test]
fn power_that_fails_again_on_the_way_back_ends_the_job() {
    let part = print::beginning_of("cura_teapot_ender3_marlin.gcode");
    let file = part.path().to_owned();
    let mut print = Print::start(&file, Config::default());
    print.run_until(|print| print.accepted.len() >= 4000);
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    let point = print::point(&file, &cut_off, cut_off.layer).unwrap();
    print.begin_return(&point);
    print.run_until(|print| print.accepted_since_return().iter().any(|line| line == "G28 X Y"));
    print.lose_power(Loss::Both);
    let end = print.events.last();
    assert!(matches!(end, Some(JobEvent::Stopped(End::Failed(_)))), "where it stands nobody knows: {end:?}");
}

/// The power has just been flaky: nobody may be there to turn off what is heated for the way back.
#[rstest]
#[case::while_it_heats("M190")]
#[case::hot_and_homing("G28 X Y")]
fn a_host_that_dies_on_the_way_back_leaves_nothing_hot(#[case] at: &str) {
    let part = print::beginning_of("cura_teapot_ender3_marlin.gcode");
    let file = part.path().to_owned();
    let mut print = Print::start(&file, Config::default());
    print.run_until(|print| print.accepted.len() >= 4000);
    print.lose_power(Loss::Both);
    let cut_off = print.cut_off().unwrap();
    print.wait_ready();
    let point = print::point(&file, &cut_off, cut_off.layer).unwrap();
    print.begin_return(&point);
    print.run_until(|print| print.accepted_since_return().iter().any(|line| line.starts_with(at)));
    assert!(!print.targets().are_off());
    print.without_host(Duration::from_secs(1800));
    assert!(print.targets().are_off(), "{:?}\n{}", print.targets(), print.story());
}
