//! Any bytes: motion comes to finite sums, the same wherever the file is cut, with bounded work a line.
#![no_main]

use stardust_fuzz::cut;
use stardust_gcode::lines::LineScanner;
use stardust_gcode::motion::settings::StatedLimits;
use stardust_gcode::motion::{Motion, limits::Limits};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (head, tail) = cut(input);
    let file = [head, tail].concat();
    let mut stated = StatedLimits::default();
    let mut lines = LineScanner::new();
    let mut rest = file.as_slice();
    let mut count = 1;
    while let Some(line) = lines.next_line(&mut rest) {
        stated.line(&line);
        count += 1;
    }
    let limits = stated.over(Limits::default());
    let mut whole = Motion::new(limits);
    whole.feed(&file);
    let whole = whole.finish();
    let mut parts = Motion::new(limits);
    let mut time_s = 0.0;
    parts.feed_observed(head, |it| time_s += it.trapezoid.time_s());
    parts.feed_observed(tail, |it| time_s += it.trapezoid.time_s());
    let parts = parts.finish_observed(|it| time_s += it.trapezoid.time_s());
    assert_eq!(parts, whole);
    assert!(whole.time_s.is_finite() && whole.dwell_s >= 0.0 && whole.way_mm.is_finite());
    assert!((whole.time_s - whole.dwell_s - time_s).abs() <= 1e-6 * whole.time_s.max(1.0));
    assert!(whole.filament_mm.iter().all(|mm| mm.is_finite()));
    assert!(whole.layers.iter().all(|layer| layer.time_s.is_finite()));
    assert!(whole.moves <= 4096 * count);
});
