//! Motion of real print files, against what their slicers say of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use rstest::rstest;
use stardust_gcode::lines::LineScanner;
use stardust_gcode::modal::Modal;
use stardust_gcode::motion::limits::Limits;
use stardust_gcode::motion::settings::StatedLimits;
use stardust_gcode::motion::summary::Summary;
use stardust_gcode::motion::{Motion, planner};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)).unwrap()
}

fn limits(file: &[u8]) -> Limits {
    let mut stated = StatedLimits::default();
    let mut lines = LineScanner::new();
    let mut rest = file;
    while let Some(line) = lines.next_line(&mut rest) {
        stated.line(&line);
    }
    stated.over(Limits::default())
}

fn motion(file: &[u8], look_ahead: usize, chunk: usize) -> Summary {
    let mut motion = Motion::with(Modal::default(), limits(file), look_ahead);
    file.chunks(chunk).for_each(|chunk| motion.feed(chunk));
    motion.finish()
}

/// The time is the slicer's own estimate. A file that states its printer's limits must come out as there; Cura
/// states none, so its file is taken for a stock Marlin.
#[rstest]
#[case::prusa_with_limits_as_commands("ps_mmu_5tool_mk3s.gcode", 78.0, 0.02, 7)]
#[case::prusa_with_limits_as_comments("ps_teapot_ender3_thumbs_mix.gcode", 3750.0, 0.02, 147)]
#[case::cura_without_limits("cura_teapot_ender3_marlin.gcode", 1061.0, 0.05, 93)]
fn time_and_layers(#[case] name: &str, #[case] said_s: f64, #[case] tolerance: f64, #[case] layers: usize) {
    let found = motion(&fixture(name), planner::LOOK_AHEAD, usize::MAX);
    let off = found.time_s / said_s - 1.0;
    assert!(off.abs() < tolerance, "{:.1} s, {:+.2} %", found.time_s, off * 100.0);
    assert_eq!(found.layers.len(), layers);
    let heights: Vec<_> = found.layers.iter().map(|layer| layer.z_mm.unwrap()).collect();
    assert!(heights.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(found.layers.iter().all(|layer| layer.time_s > 0.0));
}

/// What the slicer says it uses, and what the printer's own start needs to purge.
#[rstest]
#[case::five_tools_set_up_and_one_used("ps_mmu_5tool_mk3s.gcode", 17.21, 124.08)]
#[case::purge_line("ps_teapot_ender3_thumbs_mix.gcode", 3270.08, 20.0)]
#[case::prime("cura_teapot_ender3_marlin.gcode", 1180.54, 3.0)]
fn filament(#[case] name: &str, #[case] said_mm: f64, #[case] purge_mm: f64) {
    let found = motion(&fixture(name), planner::LOOK_AHEAD, usize::MAX);
    let [used] = found.filament_mm[..] else { panic!("one tool: {:?}", found.filament_mm) };
    assert!((used - said_mm - purge_mm).abs() < 0.02 + said_mm * 1e-4, "{used}");
}

#[test]
fn cura_says_the_box_with_its_skirt() {
    let found = motion(&fixture("cura_teapot_ender3_marlin.gcode"), planner::LOOK_AHEAD, usize::MAX);
    let said = ([97.717, 100.275, 0.2], [137.063, 134.725, 18.6]);
    let (extruded, print) = (found.extruded.unwrap(), found.print.unwrap());
    for axis in 0..3 {
        assert!((extruded.min_mm[axis] - said.0[axis]).abs() < 0.01, "{extruded:?}");
        assert!((extruded.max_mm[axis] - said.1[axis]).abs() < 0.01, "{extruded:?}");
    }
    assert!(print.min_mm[1] > extruded.min_mm[1] + 1.0 && print.max_mm[1] < extruded.max_mm[1] - 1.0);
}

#[test]
fn chunks_change_nothing_and_a_small_window_little() {
    let file = fixture("ps_mmu_5tool_mk3s.gcode");
    let whole = motion(&file, planner::LOOK_AHEAD, usize::MAX);
    assert_eq!(motion(&file, planner::LOOK_AHEAD, 13), whole);
    let as_marlin = motion(&file, 16, usize::MAX);
    assert!((1.0..1.01).contains(&(as_marlin.time_s / whole.time_s)));
}
