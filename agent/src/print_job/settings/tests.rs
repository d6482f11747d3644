use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::verdict::{Verdict, of};
use super::*;
use crate::print_job::layers::{before, layers};
use crate::print_job::return_plan;
use crate::serial::CutOff;
use rstest::rstest;
use stardust_gcode::commands::of_line;
use stardust_gcode::lines::LineScanner;
use stardust_gcode::modal::ExtruderRule;

fn after(lines: &str) -> Result<Vec<String>, String> {
    let mut settings = Settings::default();
    (1..)
        .zip(lines.split('|'))
        .for_each(|(number, line)| settings.follow(number, &parse(line.as_bytes()).unwrap()));
    settings.again().map_err(|lost| lost.to_string())
}

#[rstest]
#[case::the_last_of_its_kind("M204 S500|M204 S800|G1 X1|M204 S1000", &["M204 S1000"])]
#[case::parts_of_it_in_order("M204 S500|M204 P1000 T900|M204 S700", &["M204 P1000 T900", "M204 S700"])]
#[case::tools_apart("M900 K0.04 T0|M900 K0.1 T1|M900 K0.05 T0", &["M900 K0.1 T1", "M900 K0.05 T0"])]
#[case::heaters_apart("M301 E0 P9 I1 D50|M301 E1 P8 I1 D50|M301 E0 P7 I1 D50", &["M301 E1 P8 I1 D50", "M301 E0 P7 I1 D50"])]
#[case::pins_apart("M42 P3 S255|M42 P4 S0|M42 P3 S0", &["M42 P4 S0", "M42 P3 S0"])]
#[case::switches("M405|M406|M405", &["M406", "M405"])]
#[case::of_all_kinds("M201 X500 Y500|M203 Z12|M205 J0.01|M207 S1", &["M201 X500 Y500", "M203 Z12", "M205 J0.01", "M207 S1"])]
#[case::what_needs_nothing("G28|M73 P1|M117 Hello|M106 S255|M420 S0", &[])]
fn it_is_set_again(#[case] lines: &str, #[case] expected: &[&str]) {
    assert_eq!(after(lines).unwrap(), expected);
}

/// What each code of the firmwares that can go on at a layer comes to.
const AGAIN: &[&str] = &[
    "M42 P3 S255",
    "M80",
    "M84 S120",
    "M18 S60",
    "M92 E415",
    "M111 S2",
    "M200 D1.75",
    "M201 X500",
    "M202 X500",
    "M203 Z12",
    "M204 P800",
    "M205 X8",
    "M207 S2",
    "M208 F600",
    "M211 S0",
    "M217 S10",
    "M280 P0 S90",
    "M301 P22 I1 D80",
    "M302 S150",
    "M304 P70 I1 D500",
    "M305 P0 T100000",
    "M306 E0 P40",
    "M307 H0 R2",
    "M309 P1",
    "M404 W1.75",
    "M405",
    "M406",
    "M412 S0",
    "M413 S0",
    "M425 F1 X0.1",
    "M486 T4",
    "M486 S2",
    "M501",
    "M540 S1",
    "M566 X500",
    "M569 S1 X",
    "M572 D0 S0.05",
    "M592 A0.1",
    "M593 X F40 D0.1",
    "M603 L100 U100",
    "M851 Z-1.2",
    "M900 K0.05",
    "M906 X800",
    "M907 E430",
    "M908 P1 S100",
    "M913 X100",
    "M914 X60",
    "M919 X O3",
    "M10",
    "M11",
    "M74 W300",
    "M142 S36",
    "M710 S200",
];
const FOLLOWED: &[&str] = &[
    "G0 X1",
    "G1 X1 E1",
    "G2 X1 I1",
    "G3 X1 I1",
    "G4 P100",
    "G5 X1 Y1 I1 J1 P1 Q1",
    "G10",
    "G11",
    "G12",
    "G17",
    "G18",
    "G19",
    "G20",
    "G21",
    "G27",
    "G28",
    "G28 W",
    "G30",
    "G34",
    "G61",
    "G90",
    "G91",
    "G92 E0",
    "G92.1",
    "M82",
    "M83",
    "M84",
    "M18",
    "M104 S200",
    "M104 T1 S200",
    "M109 R200",
    "M106 S84.15",
    "M106 P1 S5",
    "M107",
    "M140 S60",
    "M190 S60",
    "M141 S45",
    "M191 S45",
    "M220 S85",
    "M220 B",
    "M220 R",
    "M221 S93",
    "M400",
    "M600",
    "M226 P3",
    "M125",
    "M701",
    "M702 C",
    "T0",
    "M116",
];
const NOTHING: &[&str] = &[
    "M17",
    "M20",
    "M27",
    "M31",
    "M73 P1 R2",
    "M75",
    "M77",
    "M85 S60",
    "M105",
    "M108",
    "M113 S2",
    "M114",
    "M115 U3.11.0",
    "M117 Hello",
    "M118 Hello",
    "M119",
    "M145 S0 H180",
    "M149 C",
    "M150 R255",
    "M155 S5",
    "M209 S0",
    "M240",
    "M250 C20",
    "M300 S440 P100",
    "M303 E0 S200",
    "M355 S1",
    "M402",
    "M407",
    "M486 APart",
    "M500",
    "M503",
    "M504",
    "M531 name",
    "M555 X0",
    "M862.1 P0.4",
    "M862.3 P \"MK3S\"",
    "M876 S0",
    "M911",
    "M912",
    "M999",
    "M420 V",
    "G54",
    "G94",
    "G280 S1",
    "M5",
];
const LOST: &[&str] = &[
    "G10 L2 P1 X0",
    "G10 P1 X10",
    "G55",
    "G60",
    "G76",
    "G425",
    "G53 G1 X1",
    "G6 X1",
    "G42 I1 J1",
    "G92.9 X1",
    "G93",
    "M3 S100",
    "M7",
    "M23 file.gco",
    "M24",
    "M28 file.gco",
    "M32 file.gco",
    "M48",
    "M81",
    "M98 P1",
    "M104 S200 F1",
    "M104 I0",
    "M104 T64 S200",
    "M106 T2",
    "M106 P10 S5",
    "M120",
    "M149 F",
    "M163 S0 P1",
    "M206 Z-0.1",
    "M209 S1",
    "M218 T1 X20",
    "M260 A99",
    "M290 Z0.1",
    "M303 E0 S200 U1",
    "M306 T",
    "M310",
    "M350 X16",
    "M380",
    "M401",
    "M421 I0 J0 Z0.1",
    "M428",
    "M486 P1",
    "M486 C",
    "M502",
    "M575 B250000",
    "M605 S1",
    "M665 L200",
    "M666 X1",
    "M808 L3",
    "M810 G1 X1",
    "M852 I0.1",
    "M862 P0",
    "M871",
    "M915",
    "M928 log.gco",
    "M997",
    "M1002",
    "D3",
    "Tx",
    "P0 S1",
    "PRINT_START",
    "SET_VELOCITY_LIMIT ACCEL=500",
    "SET_PRESSURE_ADVANCE ADVANCE=0.05",
    "X10 Y20",
    "M204.1 S5",
];
const LEVELLED: &[&str] = &["G29", "G29.1 Z0", "G33", "G80", "G81", "M420 S1 Z10"];

#[test]
fn each_code_has_a_verdict() {
    let verdict = |line: &&str| of(&parse(line.as_bytes()).unwrap());
    let all = |lines: &[&str], is: fn(Verdict) -> bool| {
        for line in lines {
            assert!(is(verdict(line)), "{line}: {:?}", verdict(line));
        }
    };
    all(AGAIN, |it| matches!(it, Verdict::Again(_)));
    all(FOLLOWED, |it| it == Verdict::Followed);
    all(NOTHING, |it| it == Verdict::Nothing);
    all(LOST, |it| matches!(it, Verdict::Lost(_)));
    all(LEVELLED, |it| it == Verdict::Levelled(true));
    for line in AGAIN {
        assert_eq!(after(line).unwrap(), [*line], "as it was");
    }
    for line in LOST.iter().chain(LEVELLED) {
        let why = after(&format!("G28|{line}|G1 X1")).unwrap_err();
        assert!(why.contains(line) && why.contains("line 2 "), "its command and line are named: {why}");
    }
}

/// Of a hundred thousand codes none falls through: it is followed, sent again, known to be of no consequence, or refused.
#[test]
fn what_nobody_knows_is_refused() {
    let known: Vec<u32> = [AGAIN, FOLLOWED, NOTHING, LEVELLED]
        .concat()
        .iter()
        .filter_map(|line| Some(parse(line.as_bytes())?.code()?.number))
        .collect();
    for letter in ['G', 'M', 'D'] {
        for number in 1000..100_000 {
            let line = format!("{letter}{number} S1");
            assert!(matches!(of(&parse(line.as_bytes()).unwrap()), Verdict::Lost(_)), "{line}");
        }
    }
    assert!(known.len() > 100);
}

#[test]
fn levelling_that_was_switched_off_is_none() {
    assert_eq!(after("M420 S1|M420 S0"), Ok(Vec::new()));
    assert_eq!(after("M420 V"), Ok(Vec::new()), "it only reports");
}

#[test]
fn it_is_bounded() {
    let many: Vec<String> = (0..100).map(|tool| format!("M900 K0.1 T{tool}")).collect();
    assert!(after(&many.join("|")).is_err());
}

/// Slicers' files: those of the repository, and of a folder beside it if `STARDUST_PRINT_FILES` names one.
fn files() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode");
    let folders = [Some(own), std::env::var_os("STARDUST_PRINT_FILES").map(PathBuf::from)];
    let entries = folders.into_iter().flatten().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|name| name == "gcode"));
    files.sort();
    assert!(files.len() >= 3);
    files
}

#[test]
fn each_command_of_slicers_files_is_known() {
    for path in files() {
        let text = std::fs::read(&path).unwrap();
        let (mut scanner, mut rest) = (LineScanner::new(), text.as_slice());
        while let Some(line) = scanner.next_line(&mut rest) {
            let Ok(Some(command)) = of_line(&line) else { continue };
            let verdict = of(&command);
            assert!(!matches!(verdict, Verdict::Lost(_)), "{}: {command}: {verdict:?}", path.display());
        }
    }
}

/// Not one that is fit for it is refused without a true reason.
#[test]
fn slicers_files_can_be_gone_on_with_at_any_layer() {
    for path in files() {
        let open = || BufReader::new(std::fs::File::open(&path).unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let found = match layers(open(), ExtruderRule::GoesAlong) {
            Ok(found) => found,
            Err(unfit) => {
                println!("{name}: {unfit}");
                continue;
            }
        };
        let places = [found.len() / 3, found.len() / 2, found.len() - 1];
        for layer in places.map(|at| found[at.max(1).min(found.len() - 1)].clone()) {
            let cut_off = CutOff {
                reason: String::new(),
                layer: layer.number,
                height_mm: None,
                parked: false,
                acknowledged: 0,
                extruder_rule: ExtruderRule::GoesAlong,
            };
            let before = before(open(), ExtruderRule::GoesAlong, &layer).unwrap();
            let refusal =
                return_plan::point(&layer, &cut_off, before).err().map(|refusal| refusal.to_string());
            // Prusa's mesh is measured for each print.
            let expected = std::fs::read_to_string(&path).unwrap_or_default().contains("\nG80 ");
            assert_eq!(
                refusal.as_ref().is_some_and(|why| why.contains("“G80”")),
                expected,
                "{name}: {refusal:?}"
            );
            assert!(refusal.is_none() || expected, "{name}: {refusal:?}");
        }
    }
}
