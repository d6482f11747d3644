//! Any bytes: lines cover the file without a gap, wherever it is cut, and say what it is.
#![no_main]

use stardust_fuzz::cut;
use stardust_gcode::lines::{LineScanner, MAX_LINE, OVER_LONG_HEAD};
use stardust_gcode::sniff;

type Seen = (u64, u64, u64, Vec<u8>, bool);

fn scan(scanner: LineScanner, chunks: &[&[u8]]) -> Vec<Seen> {
    let mut scanner = scanner;
    let mut seen = Vec::new();
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(line) = scanner.next_line(&mut rest) {
            seen.push((line.number, line.start, line.end, line.text.to_vec(), line.over_long));
        }
    }
    if let Some(line) = scanner.finish() {
        seen.push((line.number, line.start, line.end, line.text.to_vec(), line.over_long));
    }
    seen
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (head, tail) = cut(input);
    let file = [head, tail].concat();
    for longest in [MAX_LINE, 40] {
        let whole = scan(LineScanner::new().with_max_line(longest), &[&file]);
        assert_eq!(scan(LineScanner::new().with_max_line(longest), &[head, tail]), whole);
        let mut at = 0;
        for (index, (number, start, end, text, over_long)) in whole.iter().enumerate() {
            assert_eq!((*number, *start), (index as u64 + 1, at));
            assert!(text.len() <= if *over_long { OVER_LONG_HEAD } else { longest });
            assert!(!text.contains(&b'\n') && !text.contains(&b'\r'));
            at = *end;
        }
        assert_eq!(at, file.len() as u64);
    }
    let _ = sniff::sniff(&file).to_string();
});
