//! Numbers as slicers write them, with a decimal point or, where the slicer ran in a locale that has one, with a
//! decimal comma; alone and in lists.
//!
//! Owns: what is one number and what is a list of them. Where it can't be told, nothing is given: `1,2` read as a
//! list would be two numbers that nobody wrote. Must not know: which key a number stands behind.

use std::ops::RangeInclusive;

use super::MAX_TOOLS;

/// A number with a point or a comma; none for anything else, such as `nan`, `inf` and `1.234,5`.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let text = text.trim();
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.,eE".contains(&byte));
    let value: f64 = match text.split_once(',') {
        _ if !is_number => return None,
        None => text.parse().ok()?,
        Some((_, fraction)) if !fraction.starts_with(|c: char| c.is_ascii_digit()) => return None,
        Some(_) if text.contains('.') => return None,
        Some((whole, fraction)) => format!("{whole}.{fraction}").parse().ok()?,
    };
    value.is_finite().then_some(value)
}

/// A number within a range.
pub(super) fn number(text: &str, plausible: &RangeInclusive<f64>) -> Option<f64> {
    decimal(text).filter(|value| plausible.contains(value))
}

/// Whether a text is one number that is written with a comma.
pub(super) fn has_decimal_comma(text: &str) -> bool {
    text.contains(',') && decimal(text).is_some()
}

/// A list that has nothing but a comma between its entries (`0.4,0.6`, `205,230`), with none where an entry can't
/// be true.
pub(super) fn list(text: &str, plausible: &RangeInclusive<f64>) -> Vec<Option<f64>> {
    text.split(',').take(MAX_TOOLS).map(|entry| number(entry, plausible)).collect()
}

/// A list whose numbers may have decimal commas themselves (`0,4,0,6` or `17,21, 20,00`): with a point anywhere it
/// is a plain list, and a comma before a space always separates.
pub(super) fn list_with_decimal_commas(text: &str, plausible: &RangeInclusive<f64>) -> Vec<Option<f64>> {
    if text.contains('.') {
        return list(text, plausible);
    }
    if text.contains(", ") {
        return text.split(", ").take(MAX_TOOLS).map(|entry| number(entry, plausible)).collect();
    }
    let digits: Vec<&str> = text.split(',').take(2 * MAX_TOOLS + 1).collect();
    match digits.as_slice() {
        [one] => vec![number(one, plausible)],
        pairs if pairs.len() % 2 == 0 => {
            pairs.chunks_exact(2).take(MAX_TOOLS).map(|pair| number(&pair.join(","), plausible)).collect()
        }
        // Which of the commas separate?
        _ => Vec::new(),
    }
}

/// The entries of a list that have units behind their numbers (`1,5m, 0m`): a comma between two digits of one
/// number is a decimal comma, any other separates.
pub(super) fn entries_with_units(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let number = text.trim_start_matches(' ');
        let start = text.len() - number.len();
        let whole = number.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+');
        let behind_whole = start + number.len() - whole.len();
        let is_decimal = behind_whole > start
            && whole
                .strip_prefix(',')
                .is_some_and(|fraction| fraction.starts_with(|c: char| c.is_ascii_digit()));
        let from = if is_decimal { behind_whole + 1 } else { behind_whole };
        let end = text.get(from..)?.find(',').map_or(text.len(), |at| from + at);
        rest = text.get(end + 1..);
        text.get(..end)
    })
    .take(MAX_TOOLS)
}

#[cfg(test)]
mod tests {
    use super::super::plausible::{FILAMENT_MM, NOZZLE_DIAMETER_MM, NOZZLE_TEMPERATURE_C};
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("0.2", Some(0.2))]
    #[case(" 0,2 ", Some(0.2))]
    #[case("-12,5", Some(-12.5))]
    #[case("2.14748e+06", Some(2_147_480.0))]
    #[case("1.234,5", None)]
    #[case("1,234,5", None)]
    #[case(",5", Some(0.5))]
    #[case("5,", None)]
    #[case("0,-2", None)]
    #[case("0, 2", None)]
    #[case("NaN", None)]
    #[case("inf", None)]
    #[case("1e999", None)]
    #[case("", None)]
    fn one_number(#[case] text: &str, #[case] expected: Option<f64>) {
        assert_eq!(decimal(text), expected);
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
    #[case("0.4,0.6", &[Some(0.4), Some(0.6)])]
    #[case("porkchop", &[None])]
    #[case("0.4,porkchop,0", &[Some(0.4), None, None])]
    #[case("NaN,inf,-0.4", &[None, None, None])]
    fn nozzles(#[case] text: &str, #[case] expected: &[Option<f64>]) {
        assert_eq!(list(text, &NOZZLE_DIAMETER_MM), expected);
    }

    #[rstest]
    #[case::points("17.21, 20.00", &[Some(17.21), Some(20.0)])]
    #[case::points_and_whole("0.00,20", &[None, Some(20.0)])]
    #[case::one("1615,5", &[Some(1615.5)])]
    #[case::one_whole("1615", &[Some(1615.0)])]
    #[case::two("17,21, 20,00", &[Some(17.21), Some(20.0)])]
    #[case::two_close("17,21,20,00", &[Some(17.21), Some(20.0)])]
    #[case::whole("5, 6", &[Some(5.0), Some(6.0)])]
    #[case::not_to_be_told("1,2,3", &[])]
    #[case::no_number("1,x", &[None])]
    #[case::nothing("", &[None])]
    fn amounts(#[case] text: &str, #[case] expected: &[Option<f64>]) {
        assert_eq!(list_with_decimal_commas(text, &FILAMENT_MM), expected);
    }

    #[rstest]
    #[case("1.5m, 0m, 0.25m", &["1.5m", " 0m", " 0.25m"])]
    #[case("1,18054m", &["1,18054m"])]
    #[case("1,5m, 0,25m", &["1,5m", " 0,25m"])]
    #[case("1m,2m", &["1m", "2m"])]
    #[case("1,5m,2,5m", &["1,5m", "2,5m"])]
    #[case("12mm3,5mm3", &["12mm3", "5mm3"])]
    #[case("1,", &["1", ""])]
    #[case("", &[""])]
    fn entries(#[case] text: &str, #[case] expected: &[&str]) {
        assert_eq!(entries_with_units(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lists_are_bounded() {
        let text = "0.4,".repeat(10_000);
        assert_eq!(list(&text, &NOZZLE_DIAMETER_MM).len(), MAX_TOOLS);
        for text in [text, "4,".repeat(10_000), "4, ".repeat(10_000)] {
            assert!(list_with_decimal_commas(&text, &NOZZLE_DIAMETER_MM).len() <= MAX_TOOLS);
            assert_eq!(entries_with_units(&text).count(), MAX_TOOLS);
        }
    }

    proptest! {
        #[test]
        fn every_number_of_any_list_is_within_its_range(text in "[0-9., e+-]{0,40}|\\PC{0,20}") {
            for value in list_with_decimal_commas(&text, &FILAMENT_MM).into_iter().flatten() {
                prop_assert!(FILAMENT_MM.contains(&value));
            }
            prop_assert!(decimal(&text).is_none_or(f64::is_finite));
        }

        /// What is written with a comma reads as what is written with a point.
        #[test]
        fn a_comma_is_a_point(values in proptest::collection::vec(0.001_f64..9000.0, 1..6), wide: bool) {
            let separator = if wide { ", " } else { "," };
            let points: Vec<String> = values.iter().map(|value| format!("{value:.3}")).collect();
            let commas = points.join(separator).replace('.', ",");
            let expected: Vec<_> = points.iter().map(|point| number(point, &FILAMENT_MM)).collect();
            prop_assert_eq!(list_with_decimal_commas(&commas, &FILAMENT_MM), expected);
        }

        #[test]
        fn entries_are_all_of_the_text(text in "[0-9,m ]{0,40}") {
            let entries: Vec<&str> = entries_with_units(&text).collect();
            prop_assert_eq!(entries.join(","), text);
        }
    }
}
