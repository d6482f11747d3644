//! What the line's rate and latency make of a host: one that keeps a window of lines in flight fills the line, one
//! that waits for every ok does not. The shares are of a tenth of the baud rate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::collections::VecDeque;
use std::time::Duration;

use firmware_sim::faults::FaultPlan;
use firmware_sim::profile::{LineSettings, Profile};
use firmware_sim::virtual_printer::VirtualPrinter;
use rstest::rstest;

const LINES: usize = 2000;

/// Prints with at most so many lines and bytes in flight, and says which share of the line's rate that was. The
/// nozzle is cold, so every line is answered with two: the way back carries more than an ok.
fn share(baud: u32, round_trip_us: u64, window_lines: usize, window_bytes: usize) -> f64 {
    let latency = Duration::from_micros(round_trip_us / 2);
    // Motion a hundred thousand times as fast: the line is the limit.
    let profile =
        Profile { line: LineSettings { baud: Some(baud), latency }, speed: 100_000.0, ..Profile::default() };
    let mut printer = VirtualPrinter::new(profile, &FaultPlan::none(), 1);
    let start = Duration::from_secs(1);
    let mut now = start;
    printer.output(now);
    let (mut in_flight, mut sent, mut sent_bytes, mut line) = (VecDeque::new(), 0, 0, Vec::new());
    while printer.accepted().len() < LINES {
        while sent < LINES {
            let text = format!("N{} G1 X{:07.3} Y{:07.3} E1.23456", sent + 1, sent % 200, sent % 180);
            let text = format!("{text}*{}\n", text.bytes().fold(0, |sum, byte| sum ^ byte));
            let bytes: usize = in_flight.iter().sum();
            if in_flight.len() >= window_lines || bytes + text.len() > window_bytes {
                break;
            }
            printer.receive(text.as_bytes(), now);
            in_flight.push_back(text.len());
            sent_bytes += text.len();
            sent += 1;
        }
        now = printer.next_deadline().unwrap();
        for byte in printer.output(now) {
            line.push(byte);
            if byte == b'\n' {
                assert!(!line.starts_with(b"Resend"), "nothing is lost");
                if line.starts_with(b"ok") {
                    in_flight.pop_front();
                }
                line.clear();
            }
        }
    }
    assert_eq!(printer.overrun(), 0);
    sent_bytes as f64 / (f64::from(baud) / 10.0) / (now - start).as_secs_f64()
}

#[rstest]
#[case::window_115200(115_200, 0, 4, 127, 0.99..1.01)]
#[case::window_250000(250_000, 0, 4, 127, 0.99..1.01)]
#[case::window_and_usb(250_000, 1000, 4, 127, 0.95..1.01)]
#[case::one_line(115_200, 0, 1, 127, 0.80..0.97)]
#[case::one_line_and_usb(250_000, 1000, 1, 127, 0.45..0.70)]
fn a_window_fills_the_line(
    #[case] baud: u32,
    #[case] round_trip_us: u64,
    #[case] lines: usize,
    #[case] bytes: usize,
    #[case] expected: std::ops::Range<f64>,
) {
    let got = share(baud, round_trip_us, lines, bytes);
    assert!(expected.contains(&got), "{got}");
}

#[test]
fn more_in_flight_than_the_board_holds_is_lost() {
    let mut printer = VirtualPrinter::new(
        Profile { line: LineSettings { baud: Some(250_000), latency: Duration::ZERO }, ..Profile::default() },
        &FaultPlan::none(),
        1,
    );
    // Four dwells fill the queue; of the 30 lines after them only what fits the buffer is left.
    let mut sent = b"G4 S1\n".repeat(4);
    sent.extend((0..30).flat_map(|n| format!("M117 {n:05}\n").into_bytes()));
    printer.receive(&sent, Duration::ZERO);
    printer.advance(Duration::from_secs(60));
    let kept = printer.accepted().iter().filter(|accepted| accepted.text.starts_with("M117")).count();
    // 127 bytes: eleven lines of eleven bytes, and the rest joins a twelfth that never ended.
    assert_eq!((kept, printer.overrun()), (11, 30 * 11 - 127));
}
