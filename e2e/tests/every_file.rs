//! Every plain G-code file of the shared collection is printed to its end, exactly: a simulated printer in
//! accelerated time, `stardust-agent print` at its port, the journal of accepted commands against the file.
//!
//! The collection is no part of the repository. It is looked for beside it, in `../shared/data/gcode`, or where
//! `STARDUST_PRINT_FILES` says. Without it these tests fail. `make test` runs them as a step of its own, `make every-file`, and where there is no
//! collection its summary says that they were not run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use rstest::rstest;
use stardust_e2e::direct_print::Printer;
use stardust_e2e::gcode::{commands, sha256};
use stardust_e2e::journal;

/// Every file that ends in `.gcode`, and with what printer it goes.
const FILES: [(&str, &[&str]); 10] = [
    ("cura_teapot_ender3_marlin.gcode", &[]),
    ("cura_teapot_ender3_marlin_raw.gcode", &[]),
    // For an UltiMaker 2, whose panel sets the temperatures: the file has none before its end.
    ("cura_torus_um2plus_ultigcode.gcode", &["--profile", "ultimaker2"]),
    ("ps_mmu_5tool_mk3s.gcode", &["--tools", "5"]),
    ("ps_teapot_ender3_petg.gcode", &[]),
    ("ps_teapot_ender3_thumbs_mix.gcode", &[]),
    ("ps_vasemode_TRUNCATED_3MB.gcode", &[]),
    ("ps_vasemode_mk3s.gcode", &[]),
    ("slic3r_teapot_010.gcode", &[]),
    ("slic3r_torus_default.gcode", &[]),
];

fn collection() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gcode");
    let dir = std::env::var_os("STARDUST_PRINT_FILES").map_or_else(beside, PathBuf::from);
    assert!(
        dir.join("index.tsv").is_file(),
        "the collection of print files is not in {}: say by STARDUST_PRINT_FILES where it is",
        dir.display()
    );
    dir
}

/// Its own reader of a file: what stands before a semicolon. Refuses files for which that would be too simple.
fn expected(file: &Path) -> Vec<String> {
    let expected = commands(file);
    for command in &expected {
        assert!(!command.contains('(') && command.is_ascii(), "not for this reader: {command}");
    }
    let is_pause = |command: &&String| ["M0", "M1", "M25", "M601"].contains(&command.as_str());
    assert_eq!(expected.iter().find(is_pause), None, "a pause is not sent to the printer");
    expected
}

#[test]
fn no_plain_file_of_the_collection_is_left_out() {
    let index = std::fs::read_to_string(collection().join("index.tsv")).unwrap();
    let names = index.lines().skip(1).filter_map(|line| line.split('\t').next());
    let mut plain: Vec<&str> = names.filter(|name| name.ends_with(".gcode")).collect();
    plain.sort_unstable();
    assert_eq!(plain, FILES.map(|(name, _)| name));
}

#[rstest]
#[tokio::test]
async fn it_is_printed_to_its_end(#[values(0, 1, 2, 3, 4, 5, 7, 8, 9)] file: usize) {
    let (name, args) = FILES[file];
    let file = collection().join(name);
    let expected = expected(&file);
    let printer = Printer::start(20_000.0, args).await;
    let (code, said) = printer.print(&file).ended(Duration::from_secs(300)).await;
    assert_eq!(code, Some(0), "{name}: {said}");
    assert!(said.contains(&format!("{} commands in ", expected.len())), "{name}: {said}");

    let jobs = journal::prints(&printer.stop().await);
    assert_eq!(jobs.len(), 1, "{name}: one print");
    let own =
        journal::compare(&jobs[0], &expected).unwrap_or_else(|difference| panic!("{name}: {difference}"));
    // Once more by the hash, with the host's own lines taken out.
    if own.is_empty() {
        assert_eq!(sha256(&jobs[0]), sha256(&expected), "{name}");
    }
    let (progress, others): (Vec<&String>, Vec<&String>) = own.iter().partition(|line| is_progress(line));
    assert!(others.len() < 20, "{name}: the host sent {others:?} of its own");
    let percent = |line: &&String| line.strip_prefix("M73 P")?.split(' ').next()?.parse::<u8>().ok();
    let told: Vec<u8> = progress.iter().filter_map(percent).collect();
    assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "{name}: each percent once at most: {told:?}");
}

/// Sent about once a second: the slower this machine is just now, the more of them.
fn is_progress(line: &str) -> bool {
    line.starts_with("M73 ") || line.starts_with("M117 ")
}

/// The file that was cut off: a person has to say that it is wanted, it is printed so far as it goes, and the heaters are
/// off then.
#[tokio::test]
async fn the_truncated_file_is_printed_only_where_it_is_asked_for_and_never_finished() {
    let (name, args) = FILES[6];
    let file = collection().join(name);
    let expected = expected(&file);
    assert_eq!(expected.last().unwrap(), "G1 Z54.727 X144.384");
    assert!(!expected.iter().any(|command| command == "M104 S0"), "{:?}", expected.last());
    let printer = Printer::start(20_000.0, args).await;
    let (code, said) = printer.print(&file).ended(Duration::from_secs(60)).await;
    assert!(code != Some(0) && said.contains("is cut off"), "{said}");
    let anyhow = ["print", "--even-if-cut-off", file.to_str().unwrap()];
    let (code, said) = printer.agent(&anyhow).ended(Duration::from_secs(300)).await;
    assert!(code != Some(0) && said.contains("the part is not finished"), "{said}");
    let jobs = journal::prints(&printer.stop().await);
    assert_eq!(jobs.len(), 1, "nothing of it went out before");
    // Behind it come the host's own lines that make the printer safe.
    let mut rest = jobs[0].iter();
    for command in &expected {
        assert!(rest.any(|line| line == command), "{command} is missing");
    }
    let after: Vec<&String> = rest.collect();
    for off in ["M104 S0", "M140 S0"] {
        assert!(after.iter().any(|line| line.starts_with(off)), "{off} is missing: {after:?}");
    }
}
