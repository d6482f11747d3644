//! What the motion of print files comes to, beside what their slicers say of it.
//!
//! `cargo run --release -p stardust-gcode --example motion -- FILE…`

use std::fs;
use std::io::{self, Write as _};

use stardust_gcode::lines::LineScanner;
use stardust_gcode::motion::{Motion, limits::Limits, settings::StatedLimits};
use stardust_gcode::scan::MetadataScanner;

fn main() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for path in std::env::args().skip(1) {
        let file = fs::read(&path)?;
        let mut scanner = MetadataScanner::new();
        scanner.feed(&file);
        let said = scanner.finish().metadata;
        let mut stated = StatedLimits::default();
        let mut lines = LineScanner::new();
        let mut rest = file.as_slice();
        while let Some(line) = lines.next_line(&mut rest) {
            stated.line(&line);
        }
        let mut motion = Motion::new(stated.over(Limits::default()));
        motion.feed(&file);
        let found = motion.finish();
        writeln!(out, "{path}")?;
        writeln!(out, "  time      {:.0} s; the slicer says {:?} s", found.time_s, said.estimated_time_s)?;
        if let Some(said_s) = said.estimated_time_s {
            writeln!(out, "            {:+.2} %", (found.time_s / said_s as f64 - 1.0) * 100.0)?;
        }
        writeln!(
            out,
            "  filament  {:.2?} mm; the slicer says {:?} mm",
            found.filament_mm, said.filament_total_mm
        )?;
        writeln!(out, "  layers    {}; the slicer says {:?}", found.layers.len(), said.layer_count)?;
        writeln!(out, "  print     {:?}; the slicer says {:?}", found.print, said.bounding_box)?;
        writeln!(out, "  moves     {}", found.moves)?;
    }
    Ok(())
}
