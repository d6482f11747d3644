//! What is found in real files, as slicers write them (`fixtures/gcode` in the project's root).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::PathBuf;

use rstest::rstest;
use stardust_gcode::commands::sent_commands;
use stardust_gcode::scan::{MetadataScanner, ScanOutcome};
use stardust_gcode::sniff::{Content, WINDOW, sniff};
use stardust_gcode::thumbnail::{Format, by_preference};

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn scan(file: &[u8], chunk: usize) -> ScanOutcome {
    let mut scanner = MetadataScanner::new();
    file.chunks(chunk).for_each(|chunk| scanner.feed(chunk));
    scanner.finish()
}

#[rstest]
#[case("ps_mmu_5tool_mk3s")]
#[case("ps_teapot_ender3_thumbs_mix")]
#[case("cura_teapot_ender3_marlin")]
fn metadata_of(#[case] name: &str) {
    let file = fixture(&format!("{name}.gcode"));
    let outcome = scan(&file, 1 << 16);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!(name, outcome.metadata);
    });
    for chunk in [1, 7, 4096, file.len()] {
        assert_eq!(scan(&file, chunk), outcome);
    }
    assert_eq!(sniff(&file[..WINDOW.min(file.len())]), Content::Gcode);
}

/// Counted with grep (lines that are neither blank nor begin with a semicolon), independently of this crate.
#[rstest]
#[case("ps_mmu_5tool_mk3s", 1467, "M73 P0 R1", "M73 Q100 S0")]
#[case("ps_teapot_ender3_thumbs_mix", 33432, "M107", "M84 X Y E")]
#[case("cura_teapot_ender3_marlin", 16684, "M82", "M104 S0")]
fn commands_of(#[case] name: &str, #[case] count: u64, #[case] first: &str, #[case] last: &str) {
    let file = fixture(&format!("{name}.gcode"));
    let mut commands = Vec::new();
    assert_eq!(
        sent_commands(file.as_slice(), |command| commands.push(command.text().to_owned())).unwrap(),
        count
    );
    assert_eq!(commands.first().map(String::as_str), Some(first));
    assert_eq!(commands.last().map(String::as_str), Some(last));
    assert!(commands.iter().all(|command| !command.contains(';')));
    assert_eq!(scan(&file, 4096).metadata.command_count, count);
}

#[test]
fn thumbnails_of_every_format() {
    let outcome = scan(&fixture("ps_teapot_ender3_thumbs_mix.gcode"), 1000);
    let found: Vec<_> = outcome.thumbnails.iter().map(|t| (t.format, t.width, t.height)).collect();
    let expected =
        [(Format::Qoi, 32, 32), (Format::Qoi, 313, 173), (Format::Jpeg, 300, 300), (Format::Png, 640, 480)];
    assert_eq!(found, expected);
    let best = by_preference(&outcome.thumbnails)[0];
    assert_eq!((best.format, best.width), (Format::Png, 640));
}
