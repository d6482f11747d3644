//! Any bytes from a printer: the same replies wherever they are cut, and no panic.
#![no_main]

use stardust_fuzz::cut;
use stardust_fuzz::serial::framing::LineAssembler;
use stardust_fuzz::serial::reply::Reply;

fn read(chunks: &[&[u8]]) -> Vec<String> {
    let mut assembler = LineAssembler::default();
    let mut seen = Vec::new();
    for chunk in chunks {
        // Compared as text: a temperature may be NaN, which equals nothing.
        assembler.push(chunk, |line| seen.push(format!("{:?}", Reply::parse(line))));
    }
    seen
}

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (head, tail) = cut(input);
    assert_eq!(read(&[head, tail]), read(&[&[head, tail].concat()]));
});
