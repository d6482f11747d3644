//! Values as slicers write them: amounts with units, durations, words, dates; junk gives none.
//!
//! Owns: the forms. Must not know: which key a value stands behind.

use std::ops::RangeInclusive;

use super::MAX_TOOLS;
use super::numbers::decimal;
use super::plausible::{DURATION_S, FILAMENT_CM3, FILAMENT_G, FILAMENT_MM, LAYERS};

/// The longest text that is taken over from a file, in characters.
const MAX_TEXT: usize = 120;

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
    text.trim().parse().ok().filter(|count| LAYERS.contains(count))
}

/// Seconds as a number (`1061`, `1061.357`).
pub(super) fn seconds(text: &str) -> Option<u64> {
    plausible_duration(decimal(text)?)
}

/// A duration such as `1d 6h 19m 56s`, `1 hours 24 minutes` or `84,51 minutes`, in seconds.
pub(super) fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total = None;
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        let value = decimal(rest.get(..rest.len() - behind.len())?)?;
        let behind = behind.trim_start();
        let next = behind.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let unit = match behind.get(..behind.len() - next.len())? {
            "d" | "day" | "days" => 86_400.0,
            "h" | "hour" | "hours" => 3600.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "s" | "sec" | "second" | "seconds" => 1.0,
            _ => return None,
        };
        total = Some(total.unwrap_or(0.0) + value * unit);
        rest = next.trim_start();
    }
    plausible_duration(total?)
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within 1 and the longest duration here"
)]
fn plausible_duration(seconds: f64) -> Option<u64> {
    DURATION_S.contains(&seconds).then(|| seconds.round() as u64)
}

/// An amount of filament.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    LengthMm(f64),
    VolumeCm3(f64),
    WeightG(f64),
}

/// An amount with its unit (`1.18054m`, `1615,5mm`, `3.9cm3`, `12 g`). Zero is none.
pub(super) fn amount(text: &str) -> Option<Amount> {
    let text = text.trim();
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'));
    let value = decimal(text.get(..text.len() - unit.len())?)?;
    // The bounds are those of what is given: rounded first, so that a speck of dust is none, not zero.
    let within =
        |value, plausible: &RangeInclusive<f64>| Some(rounded(value)).filter(|v| plausible.contains(v));
    let length = |mm| within(mm, &FILAMENT_MM).map(Amount::LengthMm);
    let volume = |cm3| within(cm3, &FILAMENT_CM3).map(Amount::VolumeCm3);
    let weight = |g| within(g, &FILAMENT_G).map(Amount::WeightG);
    match unit.trim() {
        "mm" => length(value),
        "cm" => length(value * 10.0),
        "m" => length(value * 1000.0),
        "mm3" | "mm^3" | "mm³" => volume(value / 1000.0),
        "cm3" | "cm^3" | "cm³" | "cc" | "ml" => volume(value),
        "g" => weight(value),
        "kg" => weight(value * 1000.0),
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
    #[case("1 hours 24 minutes", Some(5040))]
    #[case("1 hour 24 minutes", Some(5040))]
    #[case("0 hours 42 minutes", Some(2520))]
    #[case("1 hour 2 min 3 sec", Some(3723))]
    #[case("84.51 minutes", Some(5071))]
    #[case("84,51 minutes", Some(5071))]
    #[case("84.51", None)]
    #[case("-5m", None)]
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
    #[case("1615,5mm", Some(Amount::LengthMm(1615.5)))]
    #[case("7.22 cc", Some(Amount::VolumeCm3(7.22)))]
    #[case("3.9cm3", Some(Amount::VolumeCm3(3.9)))]
    #[case("5048 mm³", Some(Amount::VolumeCm3(5.048)))]
    #[case("9.99 g", Some(Amount::WeightG(9.99)))]
    #[case("1kg", Some(Amount::WeightG(1000.0)))]
    #[case("0m", None)]
    #[case(",1mm3", None)]
    #[case("0.0004g", None)]
    #[case("0.0004mm", None)]
    #[case("0.4mm3", None)]
    #[case("0.5mm3", Some(Amount::VolumeCm3(0.001)))]
    #[case("-1m", None)]
    #[case("1e9m", None)]
    #[case("12", None)]
    #[case("mm", None)]
    fn amounts(#[case] text: &str, #[case] expected: Option<Amount>) {
        assert_eq!(amount(text), expected);
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
