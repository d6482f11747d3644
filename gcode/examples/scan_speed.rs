//! How fast a print file is read: each pass beside the least that any reader must do, in one run.
//!
//! `cargo run --release -p stardust-gcode --example scan_speed [FILE…]`; without a file, a fixture.
//!
//! The ceiling cuts the file at line feeds with memchr and looks at nothing. Each figure is the best of several
//! rounds, so that a busy machine spoils it less.

use std::hint::black_box;
use std::io::{self, Write as _};
use std::{env, fs};

use stardust_clock::{Clock, SystemClock};
use stardust_gcode::commands;
use stardust_gcode::lines::LineScanner;
use stardust_gcode::modal::Modal;
use stardust_gcode::motion::{Motion, limits::Limits};
use stardust_gcode::scan::MetadataScanner;

const ROUNDS: u32 = 7;

/// What a small file is repeated to, in bytes.
const LEAST_BYTES: usize = 32 << 20;

/// How files are read in the product, in bytes.
const CHUNK: usize = 64 << 10;

type Pass = (&'static str, fn(&[u8]) -> u64);

const PASSES: [Pass; 6] = [
    ("ceiling: memchr", ceiling),
    ("lines", lines),
    ("commands", sent_commands),
    ("modal", modal),
    ("metadata", metadata),
    ("motion", motion),
];

fn ceiling(file: &[u8]) -> u64 {
    let mut rest = file;
    let mut count = 0;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        let (line, next) = rest.split_at(at + 1);
        count += u64::from(!black_box(line).is_empty());
        rest = next;
    }
    count
}

fn each_line(file: &[u8], mut each: impl FnMut(&stardust_gcode::lines::Line<'_>)) {
    let mut scanner = LineScanner::new();
    for chunk in file.chunks(CHUNK) {
        let mut rest = chunk;
        while let Some(line) = scanner.next_line(&mut rest) {
            each(&line);
        }
    }
    if let Some(line) = scanner.finish() {
        each(&line);
    }
}

fn lines(file: &[u8]) -> u64 {
    let mut count = 0;
    each_line(file, |line| count += u64::from(black_box(line).number > 0));
    count
}

fn sent_commands(file: &[u8]) -> u64 {
    let mut count = 0;
    each_line(file, |line| count += u64::from(matches!(black_box(commands::of_line(line)), Ok(Some(_)))));
    count
}

fn modal(file: &[u8]) -> u64 {
    let mut modal = Modal::default();
    let mut count = 0;
    each_line(file, |line| {
        if let Ok(Some(command)) = commands::of_line(line) {
            black_box(modal.apply(&command));
            count += 1;
        }
    });
    count
}

fn metadata(file: &[u8]) -> u64 {
    let mut scanner = MetadataScanner::new();
    file.chunks(CHUNK).for_each(|chunk| scanner.feed(chunk));
    scanner.finish().metadata.command_count
}

fn motion(file: &[u8]) -> u64 {
    let mut motion = Motion::new(Limits::default());
    file.chunks(CHUNK).for_each(|chunk| motion.feed(chunk));
    motion.finish().moves
}

fn main() -> io::Result<()> {
    let mut paths: Vec<String> = env::args().skip(1).collect();
    if paths.is_empty() {
        let fixture = "../fixtures/gcode/ps_teapot_ender3_thumbs_mix.gcode";
        paths.push(format!("{}/{fixture}", env!("CARGO_MANIFEST_DIR")));
    }
    let clock = SystemClock::new();
    let mut out = io::stdout().lock();
    for path in paths {
        let once = fs::read(&path)?;
        let file = once.repeat(LEAST_BYTES / once.len().max(1) + 1);
        writeln!(out, "{path}\n{:<18} {:>8} {:>8} {:>9}", "", "MB/s", "ns/line", "ceiling")?;
        let line_count = ceiling(&file).max(1) as f64;
        let mut ceiling_s = 0.0;
        for (name, pass) in PASSES {
            let best_s = (0..ROUNDS)
                .map(|_| {
                    let from = clock.elapsed();
                    black_box(pass(black_box(&file)));
                    (clock.elapsed() - from).as_secs_f64()
                })
                .fold(f64::INFINITY, f64::min);
            if ceiling_s == 0.0 {
                ceiling_s = best_s;
            }
            let (mb_s, ns) = (file.len() as f64 / best_s / 1e6, best_s / line_count * 1e9);
            writeln!(out, "{name:<18} {mb_s:>8.0} {ns:>8.0} {:>7.1} x", best_s / ceiling_s)?;
        }
    }
    Ok(())
}
