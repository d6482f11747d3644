//! What is found in small files made after public bug reports (`fixtures/reported`; its README says what is right).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use rstest::rstest;
use stardust_gcode::metadata::{Completeness, Metadata};
use stardust_gcode::scan::{MetadataScanner, ScanOutcome};
use stardust_gcode::sniff::{Container, Content, sniff};
use stardust_gcode::thumbnail::Format;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/reported")
}

fn bytes(name: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.gcode"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn scan(file: &[u8]) -> ScanOutcome {
    let mut scanner = MetadataScanner::new();
    scanner.feed(file);
    scanner.finish()
}

/// What a file's comments say, read by eye.
#[derive(Debug, Default, PartialEq)]
struct Said {
    slicer: &'static str,
    version: &'static str,
    time_s: Option<u64>,
    filament_mm: Option<f64>,
    filament_cm3: Option<f64>,
    filament_g: Option<f64>,
    layer_height_mm: Option<f64>,
    nozzle_diameter_mm: Option<f64>,
    nozzle_temperature_c: Option<f64>,
    bed_temperature_c: Option<f64>,
}

fn found(metadata: &Metadata) -> Said {
    let slicer = metadata.slicer.clone().unwrap_or_default();
    let tool = metadata.tools.first().cloned().unwrap_or_default();
    Said {
        slicer: Box::leak(slicer.name.into_boxed_str()),
        version: Box::leak(slicer.version.unwrap_or_default().into_boxed_str()),
        time_s: metadata.estimated_time_s,
        filament_mm: metadata.filament_total_mm,
        filament_cm3: metadata.filament_total_cm3,
        filament_g: metadata.filament_total_g,
        layer_height_mm: metadata.layer_height_mm,
        nozzle_diameter_mm: tool.nozzle_diameter_mm,
        nozzle_temperature_c: tool.nozzle_temperature_c,
        bed_temperature_c: metadata.bed_temperature_c,
    }
}

/// What the commands of all these files ask for.
fn asked() -> Said {
    Said { nozzle_temperature_c: Some(200.0), bed_temperature_c: Some(60.0), ..Said::default() }
}

#[rstest]
#[case::cura_comma("meta-cura-comma", Said {
    slicer: "Cura", version: "4.13.0", time_s: Some(4493), filament_mm: Some(1180.54), layer_height_mm: Some(0.2),
    ..asked()
})]
#[case::prusa_comma("meta-prusa-comma", Said {
    slicer: "PrusaSlicer", version: "2.4.0", time_s: Some(93_784), filament_mm: Some(1615.5),
    filament_cm3: Some(3.89), filament_g: Some(4.81), layer_height_mm: Some(0.2), nozzle_diameter_mm: Some(0.4),
    ..asked()
})]
#[case::slic3r_comma("meta-slic3r-comma", Said {
    slicer: "Slic3r", version: "0.9.5", filament_mm: Some(1615.5), filament_cm3: Some(3.9),
    layer_height_mm: Some(0.2), nozzle_diameter_mm: Some(0.4), ..asked()
})]
#[case::simplify3d_4("meta-s3d-v4", Said {
    slicer: "Simplify3D", version: "4.1.2", time_s: Some(5040), filament_mm: Some(3000.5),
    filament_cm3: Some(7.217), filament_g: Some(8.95), layer_height_mm: Some(0.2), nozzle_diameter_mm: Some(0.4),
    ..asked()
})]
#[case::simplify3d_5("meta-s3d-v5", Said {
    slicer: "Simplify3D", version: "5.0.0", time_s: Some(5040), filament_mm: Some(3000.5),
    filament_g: Some(8.95), layer_height_mm: Some(0.2), ..asked()
})]
#[case::ideamaker("meta-ideamaker", Said {
    slicer: "ideaMaker", version: "4.2.1.5302", time_s: Some(5140), filament_mm: Some(3000.5),
    layer_height_mm: Some(0.2), nozzle_diameter_mm: Some(0.2), ..asked()
})]
#[case::kiss("meta-kiss", Said {
    slicer: "KISSlicer", version: "1.6.3", time_s: Some(5071), filament_mm: Some(3000.5), ..asked()
})]
#[case::griffin("meta-griffin", Said {
    slicer: "Cura", version: "5.6.0", time_s: Some(1720), filament_cm3: Some(5.048),
    nozzle_diameter_mm: Some(0.4), nozzle_temperature_c: Some(205.0), ..asked()
})]
fn what_the_comments_say(#[case] name: &str, #[case] expected: Said) {
    let file = bytes(name);
    let metadata = scan(&file).metadata;
    assert_eq!(found(&metadata), expected);
    assert_ne!(metadata.completeness, Completeness::EndMissing);
    assert_eq!((metadata.tools.len(), metadata.tools[0].used), (1, true));
    assert_eq!(metadata.tools[0].filament_mm, expected.filament_mm);
    assert_eq!(sniff(&file), Content::Gcode);
    // The same with Windows' line ends.
    let windows = String::from_utf8(file).unwrap().replace('\n', "\r\n");
    assert_eq!(found(&scan(windows.as_bytes()).metadata), expected);
}

#[test]
fn a_box_with_decimal_commas() {
    let bounds = scan(&bytes("meta-cura-comma")).metadata.bounding_box.unwrap();
    assert_eq!((bounds.min_mm, bounds.max_mm), ([67.45, 66.19, 0.3], [132.5, 133.7, 9.0]));
    assert_eq!(scan(&bytes("meta-cura-comma")).metadata.height_mm, Some(9.0));
}

#[test]
fn the_file_that_was_cut_off_is_known_to_be() {
    assert_eq!(scan(&bytes("job-cut-off-prusa")).metadata.completeness, Completeness::EndMissing);
}

#[test]
fn a_stored_form_is_no_gcode() {
    assert_eq!(sniff(&bytes("upload-multipart-stored")), Content::Container(Container::Multipart));
}

#[test]
fn every_other_file_is_gcode() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "gcode")
            && !path.ends_with("upload-multipart-stored.gcode")
        {
            assert_eq!(sniff(&std::fs::read(&path).unwrap()), Content::Gcode, "{}", path.display());
        }
    }
}

/// The licence is prose with numbers and capital letters, and was taken for 169 commands.
#[test]
fn a_licence_is_no_gcode() {
    let licence = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../LICENSE")).unwrap();
    assert!(!sniff(&licence).is_gcode());
}

#[test]
fn a_picture_is_what_its_bytes_are() {
    let outcome = scan(&bytes("thumb-qoi-under-thumbnail"));
    let pictures: Vec<_> = outcome.thumbnails.iter().map(|t| (t.format, t.width, t.height)).collect();
    assert_eq!(pictures, [(Format::Qoi, 16, 16)]);
}

/// Forms of the same slicers that these files don't show, from files and parsers that people have published.
#[rstest]
#[case::kiss_1_1(
    "; KISSlicer - FREE\n; version 1.1.0.14\n; layer_thickness_mm = 0.25\n; END_LAYER_OBJECT z=4.25\n\
     ; Estimated Build Time:   3.93 minutes\n; Filament used per extruder:\n;    Ext 1 =    53.49 mm  (0.378 cm^3)\n",
    (Some(236), Some(53.49), Some(0.25), Some(4.25))
)]
#[case::kiss_calculated(
    "; KISSlicer - PRO\n; Calculated-during-export Build Time: 1.83 minutes\n\
     ; Estimated-in-GUI Build Time:         2.23 minutes\n;    Ext #1  =     0.10 mm  (0.001 cm^3)\n\
     ;    Ext #2  =     1.5 mm  (0.003 cm^3)\n",
    (Some(110), Some(1.6), None, None)
)]
#[case::kiss_two_tools(
    "; KISSlicer - PRO\n; Lengths\n;    Total    Extruder 1  Extruder 2\n;    30.50 = 10.50 + 20.00\n\
     ; Volumes\n;    Total    Extruder 1  Extruder 2\n;    3.05 = 1.05 + 2.00\n",
    (None, Some(30.5), None, None)
)]
#[case::ideamaker_layers(
    ";Sliced by ideaMaker 5.4.2.8790, 2026-01-01 10:00:00\n;Bounding Box: 109.420 140.580 -0.150 68.275 0.000 58.283\n\
     ;LAYER:0\n;Z:0.3\n;HEIGHT:0.3\n;LAYER:1\n;Z:0.5\n;HEIGHT:0.2\n;Material#1 Used: 868.0\n\
     ;Material#2 Used: 32.0\n;Print Time: 1234\n",
    (Some(1234), Some(900.0), Some(0.2), Some(58.283))
)]
#[case::simplify3d_comma(
    "; G-Code generated by Simplify3D(R) Version 4.0.1\n;   layerHeight,0,2\n;   Build time: 0 hours 42 minutes\n\
     ;   Filament length: 13572,2 mm (13,57 m)\n",
    (Some(2520), Some(13_572.2), Some(0.2), None)
)]
fn other_forms(#[case] file: &str, #[case] expected: (Option<u64>, Option<f64>, Option<f64>, Option<f64>)) {
    let found = scan(file.as_bytes()).metadata;
    let height = found.height_mm;
    assert_eq!((found.estimated_time_s, found.filament_total_mm, found.layer_height_mm, height), expected);
}

/// Each could be, all together can't: a sum has the bounds of a figure.
#[test]
fn a_sum_that_cannot_be_is_not_given() {
    let metadata =
        scan(b"; filament used [mm] = 90000000.0, 90000000.0\n; filament used [g] = 1.5, 2.5\nT0\nT1\n")
            .metadata;
    assert_eq!((metadata.filament_total_mm, metadata.filament_total_g), (None, Some(4.0)));
    assert_eq!(metadata.tools[1].filament_mm, Some(9e7));
}

#[test]
fn griffin_with_two_tools() {
    let metadata = scan(
        b";START_OF_HEADER\n;GENERATOR.NAME:Cura_SteamEngine\n;EXTRUDER_TRAIN.0.MATERIAL.VOLUME_USED:2772\n\
          ;EXTRUDER_TRAIN.0.NOZZLE.DIAMETER:0.4\n;EXTRUDER_TRAIN.1.MATERIAL.VOLUME_USED:4704\n\
          ;EXTRUDER_TRAIN.1.NOZZLE.DIAMETER:0.8\n;EXTRUDER_TRAIN.99.NOZZLE.DIAMETER:0.8\n;PRINT.SIZE.MIN.X:0\n\
          ;PRINT.SIZE.MIN.Y:0\n;PRINT.SIZE.MIN.Z:0\n;PRINT.SIZE.MAX.X:330\n;PRINT.SIZE.MAX.Y:237\n\
          ;PRINT.SIZE.MAX.Z:18.6\n;END_OF_HEADER\nT0\nT1\n",
    )
    .metadata;
    let tools: Vec<_> =
        metadata.tools.iter().map(|t| (t.index, t.filament_cm3, t.nozzle_diameter_mm)).collect();
    assert_eq!(tools, [(0, Some(2.772), Some(0.4)), (1, Some(4.704), Some(0.8))]);
    assert_eq!((metadata.filament_total_cm3, metadata.height_mm), (Some(7.476), Some(18.6)));
}

/// Read once, not once a value.
fn regex(form: &str) -> impl Strategy<Value = String> + use<> {
    proptest::string::string_regex(form).unwrap()
}

/// Keys of every slicer with values of every form, in any order.
fn comments() -> impl Strategy<Value = String> {
    let introduction = proptest::sample::select(vec![
        "; generated by PrusaSlicer 2.9.3 on 2026-01-01 at 10:00:00 UTC",
        ";Generated with Cura_SteamEngine 5.6.0",
        "; G-Code generated by Simplify3D(R) Version 4.1.2",
        ";Sliced by ideaMaker 4.2.1.5302, 2026-11-28 10:00:00",
        "; KISSlicer - FREE",
        "; Lengths",
    ]);
    let key = proptest::sample::select(vec![
        "; filament used [mm] = ",
        "; filament used [cm3] = ",
        "; filament used [g] = ",
        "; total filament used [g] = ",
        "; filament used = ",
        "; layer_height = ",
        "; nozzle_diameter = ",
        "; temperature = ",
        "; bed_temperature = ",
        "; estimated printing time (normal mode) = ",
        "; total layers count = ",
        "; max_z_height: ",
        "; total filament length [mm] : ",
        ";TIME:",
        ";TIME_ELAPSED:",
        ";Filament used: ",
        ";MATERIAL:",
        ";MATERIAL2:",
        ";Layer height: ",
        ";LAYER_COUNT:",
        ";MINX:",
        ";MINY:",
        ";MINZ:",
        ";MAXX:",
        ";MAXY:",
        ";MAXZ:",
        ";NOZZLE_DIAMETER:",
        ";PRINT.TIME:",
        ";EXTRUDER_TRAIN.1.MATERIAL.VOLUME_USED:",
        ";EXTRUDER_TRAIN.0.INITIAL_TEMPERATURE:",
        ";BUILD_PLATE.INITIAL_TEMPERATURE:",
        ";   layerHeight,",
        ";   extruderDiameter,",
        ";   Build time: ",
        ";   Filament length: ",
        ";   Plastic volume: ",
        ";   Plastic weight: ",
        ";Print Time: ",
        ";Material#2 Used: ",
        ";Dimension: 1 2 3 ",
        ";Bounding Box: ",
        "; Estimated Build Time: ",
        ";    Ext 1 = ",
        ";    3000.5 = ",
        "; bed_C = ",
        "; layer_thickness_mm = ",
        "M104 S",
        "M140 S",
        "M104 T3 S",
        "T",
    ]);
    let value = prop_oneof![
        regex(
            "-?[0-9]{1,12}([.,][0-9]{1,6})?(e[+-]?[0-9]{1,3})?( ?(mm|m|cm3|mm3|g|kg|d|h|m|s|minutes|hours))?"
        ),
        regex("([0-9]{1,4}[.,]?, ?){1,8}[0-9]{1,4}"),
        regex("(NaN|-?inf|-0|porkchop|1e308|18446744073709551615|-280)"),
        regex("[0-9.,eE+ -]{0,30}"),
        // Next to nothing, on either side of what is rounded to nothing.
        regex("0?[.,]0{0,5}[1-9]( ?(mm|m|cm3|mm3|g|kg))?"),
        regex("\\PC{0,12}"),
    ];
    let line = (key, value).prop_map(|(key, value)| format!("{key}{value}"));
    let lines = proptest::collection::vec(line, 0..40);
    (proptest::option::of(introduction), lines).prop_map(|(introduction, lines)| {
        let introduction = introduction.map(str::to_owned);
        introduction.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
    })
}

fn within(name: &str, value: Option<f64>, least: f64, greatest: f64) -> Result<(), TestCaseError> {
    if let Some(value) = value {
        prop_assert!((least..=greatest).contains(&value), "{name}: {value}");
    }
    Ok(())
}

/// Stated here once more, in a print's own terms, so that the program's bounds can't move unseen.
fn can_be(metadata: &Metadata) -> Result<(), TestCaseError> {
    const TWO_YEARS_S: u64 = 2 * 366 * 24 * 3600;
    prop_assert!(metadata.estimated_time_s.is_none_or(|time_s| (1..=TWO_YEARS_S).contains(&time_s)));
    prop_assert!(metadata.layer_count.is_none_or(|count| (1..=10_000_000).contains(&count)));
    within("filament", metadata.filament_total_mm, 0.0001, 1e8)?;
    within("filament", metadata.filament_total_cm3, 0.0001, 1e6)?;
    within("filament", metadata.filament_total_g, 0.0001, 1e6)?;
    within("layer", metadata.layer_height_mm, 0.005, 10.0)?;
    within("first layer", metadata.first_layer_height_mm, 0.005, 10.0)?;
    within("height", metadata.height_mm, 0.0, 1e5)?;
    within("bed", metadata.bed_temperature_c, 1.0, 300.0)?;
    if let Some(bounds) = metadata.bounding_box {
        for (min, max) in bounds.min_mm.into_iter().zip(bounds.max_mm) {
            prop_assert!(-1e5 <= min && min <= max && max <= 1e5, "{bounds:?}");
        }
    }
    prop_assert!(metadata.tools.len() <= 64);
    for tool in &metadata.tools {
        within("nozzle", tool.nozzle_diameter_mm, 0.05, 5.0)?;
        within("nozzle", tool.nozzle_temperature_c, 1.0, 600.0)?;
        within("tool's filament", tool.filament_mm, 0.0001, 1e8)?;
        within("tool's filament", tool.filament_cm3, 0.0001, 1e6)?;
        within("tool's filament", tool.filament_g, 0.0001, 1e6)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_figure_is_one_that_cannot_be(file in comments()) {
        can_be(&scan(file.as_bytes()).metadata)?;
    }

    #[test]
    fn nor_in_any_bytes(file in proptest::collection::vec(any::<u8>(), 0..400)) {
        can_be(&scan(&file).metadata)?;
    }
}
