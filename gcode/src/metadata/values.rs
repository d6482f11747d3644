//! Values as slicers write them: numbers with units, durations, lists, dates; junk gives none.
//!
//! Owns: what can be true of a print. Must not know: which key a value stands behind.

use std::ops::RangeInclusive;

use super::MAX_TOOLS;

/// The longest text that is taken over from a file, in characters.
const MAX_TEXT: usize = 120;

/// Nozzles are drilled from 0.1 mm to about 3 mm.
pub(super) const NOZZLE_DIAMETER_MM: RangeInclusive<f64> = 0.05..=5.0;
/// From a heated-up wax to the hottest nozzles sold. Zero means off.
pub(super) const NOZZLE_TEMPERATURE_C: RangeInclusive<f64> = 1.0..=600.0;
/// Zero means off.
pub(super) const BED_TEMPERATURE_C: RangeInclusive<f64> = 1.0..=300.0;
/// Layers of FDM printers, pellet printers included.
pub(super) const LAYER_HEIGHT_MM: RangeInclusive<f64> = 0.005..=10.0;
/// Coordinates and heights: printers are smaller than 100 m. Cura's placeholder is 2,147,480.
pub(super) const HEIGHT_MM: RangeInclusive<f64> = 0.001..=100_000.0;
/// Amounts of filament, in any unit: something, and no more than fits on a thousand spools.
pub(super) const AMOUNT: RangeInclusive<f64> = 0.000_1..=1e9;

/// Two years: anything longer is a placeholder.
const MAX_DURATION_S: u64 = 2 * 366 * 24 * 3600;
const MAX_LAYERS: u64 = 10_000_000;

/// A number within a range.
pub(super) fn number(text: &str, plausible: &RangeInclusive<f64>) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    plausible.contains(&value).then_some(value)
}

/// A list of numbers (`0.4,0.6`), with none where an entry can't be true.
pub(super) fn numbers(text: &str, plausible: &RangeInclusive<f64>) -> Vec<Option<f64>> {
    text.split(',').take(MAX_TOOLS).map(|entry| number(entry, plausible)).collect()
}

/// A list of words (`PLA;PETG`, `"PLA";"PETG"`).
pub(super) fn words(text: &str) -> Vec<Option<String>> {
    text.split(';').take(MAX_TOOLS).map(|entry| plain(entry.trim().trim_matches('"'))).collect()
}

/// A text of a bounded length without control characters; none when nothing is left.
pub(super) fn plain(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    (!text.is_empty()).then_some(text)
}

/// A number of layers.
pub(super) fn layers(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|count| (1..=MAX_LAYERS).contains(count))
}

/// Seconds as a number (`1061`, `1061.357`).
pub(super) fn seconds(text: &str) -> Option<u64> {
    let value: f64 = text.trim().parse().ok()?;
    plausible_duration(value)
}

/// A duration such as `1d 6h 19m 56s`, in seconds.
pub(super) fn duration(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut parts = 0;
    for part in text.split_ascii_whitespace() {
        let unit = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let value: f64 = part.get(..part.len() - unit.len())?.parse().ok()?;
        total += value
            * match unit {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                _ => return None,
            };
        parts += 1;
    }
    if parts == 0 { None } else { plausible_duration(total) }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 and the longest duration here"
)]
fn plausible_duration(seconds: f64) -> Option<u64> {
    (1.0..=MAX_DURATION_S as f64).contains(&seconds).then(|| seconds.round() as u64)
}

/// An amount of filament.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    LengthMm(f64),
    VolumeCm3(f64),
    WeightG(f64),
}

/// An amount with its unit (`1.18054m`, `1615.5mm`, `3.9cm3`, `12 g`). Zero is none.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+'));
    let value: f64 = text.get(..text.len() - unit.len())?.parse().ok()?;
    let within = |value: f64| AMOUNT.contains(&value).then(|| rounded(value));
    match unit.trim() {
        "mm" => within(value).map(Amount::LengthMm),
        "cm" => within(value * 10.0).map(Amount::LengthMm),
        "m" => within(value * 1000.0).map(Amount::LengthMm),
        "mm3" | "mm^3" | "mm³" => within(value / 1000.0).map(Amount::VolumeCm3),
        "cm3" | "cm^3" | "cm³" | "ml" => within(value).map(Amount::VolumeCm3),
        "g" => within(value).map(Amount::WeightG),
        "kg" => within(value * 1000.0).map(Amount::WeightG),
        _ => None,
    }
}

/// To a thousandth: sums and changes of unit leave no dust behind.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// `2026-11-23 at 00:20:08 UTC` as RFC 3339; without a zone when none is given.
pub(super) fn date(text: &str) -> Option<String> {
    let (day, rest) = text.trim().split_once(" at ").or_else(|| text.trim().split_once(' '))?;
    let (time, zone) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(c, s)| if s == b'0' { c.is_ascii_digit() } else { c == s })
    };
    if !shaped(day, "0000-00-00") || !shaped(time, "00:00:00") {
        return None;
    }
    let zone = if zone.trim() == "UTC" { "Z" } else { "" };
    Some(format!("{day}T{time}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("1d 6h 19m 56s", Some(109_196))]
    #[case("1h 2m 30s", Some(3750))]
    #[case("1m 18s", Some(78))]
    #[case("59s", Some(59))]
    #[case("0s", None)]
    #[case("", None)]
    #[case("soon", None)]
    #[case("1h and a bit", None)]
    #[case("99999d", None)]
    fn durations(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(duration(text), expected);
    }

    #[rstest]
    #[case("1.18054m", Some(Amount::LengthMm(1180.54)))]
    #[case("1615.5mm", Some(Amount::LengthMm(1615.5)))]
    #[case("3.9cm3", Some(Amount::VolumeCm3(3.9)))]
    #[case("5048 mm³", Some(Amount::VolumeCm3(5.048)))]
    #[case("9.99 g", Some(Amount::WeightG(9.99)))]
    #[case("1kg", Some(Amount::WeightG(1000.0)))]
    #[case("0m", None)]
    #[case("-1m", None)]
    #[case("1e9m", None)]
    #[case("12", None)]
    #[case("mm", None)]
    fn amounts(#[case] text: &str, #[case] expected: Option<Amount>) {
        assert_eq!(amount(text), expected);
    }

    #[rstest]
    #[case("0.4,0.6", &[Some(0.4), Some(0.6)])]
    #[case("porkchop", &[None])]
    #[case("0.4,porkchop,0", &[Some(0.4), None, None])]
    #[case("NaN,inf,-0.4", &[None, None, None])]
    fn nozzles(#[case] text: &str, #[case] expected: &[Option<f64>]) {
        assert_eq!(numbers(text, &NOZZLE_DIAMETER_MM), expected);
    }

    #[rstest]
    #[case("-280", None)]
    #[case("0", None)]
    #[case("215", Some(215.0))]
    #[case("2.14748e+06", None)]
    fn temperatures(#[case] text: &str, #[case] expected: Option<f64>) {
        assert_eq!(number(text, &NOZZLE_TEMPERATURE_C), expected);
    }

    #[rstest]
    #[case("2026-11-23 at 00:20:08 UTC", Some("2026-11-23T00:20:08Z"))]
    #[case("2026-11-23 at 00:25:38", Some("2026-11-23T00:25:38"))]
    #[case("2024-05-01 12:00:00", Some("2024-05-01T12:00:00"))]
    #[case("yesterday at noon", None)]
    fn dates(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(date(text).as_deref(), expected);
    }

    #[test]
    fn lists_are_bounded() {
        assert_eq!(numbers(&"0.4,".repeat(10_000), &NOZZLE_DIAMETER_MM).len(), MAX_TOOLS);
        assert_eq!(words(&";".repeat(10_000)).len(), MAX_TOOLS);
        assert_eq!(plain(&"é".repeat(10_000)).unwrap().chars().count(), MAX_TEXT);
    }

    proptest! {
        #[test]
        fn any_text(text in "\\PC{0,40}") {
            let _ = (duration(&text), amount(&text), date(&text), words(&text), seconds(&text), layers(&text));
        }
    }
}
