//! Any bytes: the metadata is the same wherever the file is cut.
#![no_main]

use stardust_fuzz::cut;
use stardust_gcode::commands;
use stardust_gcode::scan::MetadataScanner;
use stardust_gcode::thumbnail;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let (head, tail) = cut(input);
    let file = [head, tail].concat();
    let mut whole = MetadataScanner::new();
    whole.feed(&file);
    let whole = whole.finish();
    let mut parts = MetadataScanner::new();
    parts.feed(head);
    parts.feed(tail);
    assert_eq!(parts.finish(), whole);
    assert_eq!(whole.metadata.size_bytes, file.len() as u64);
    let _ = thumbnail::by_preference(&whole.thumbnails);
    if let Ok(sent) = commands::sent_commands(file.as_slice(), |_| ()) {
        assert_eq!(whole.metadata.command_count, sent);
    }
});
