//! Amounts as people read them.
//!
//! Owns: durations, sizes, temperatures, lengths and weights as short texts. Must not know: where they come from.

/// `1h 2m`, `3m 5s`, `12s`: the two largest units.
pub(crate) fn duration(seconds: u64) -> String {
    let (days, hours, minutes, rest) =
        (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

/// `2026-11-23 06:25`, of a time as the hub writes it (RFC 3339).
pub(crate) fn to_the_minute(at: &str) -> String {
    at.get(..16).unwrap_or_default().replace('T', " ")
}

/// `935.8 kB`.
pub(crate) fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", units.get(unit).unwrap_or(&"GB"))
}

/// `3.27 m`.
pub(crate) fn length(millimetres: f64) -> String {
    format!("{:.2} m", millimetres / 1000.0)
}

/// `9.99 g`, `1.25 kg`.
pub(crate) fn weight(grams: f64) -> String {
    if grams < 1000.0 { format!("{grams:.2} g") } else { format!("{:.2} kg", grams / 1000.0) }
}

/// `5.05 cm³`.
pub(crate) fn volume(cubic_centimetres: f64) -> String {
    format!("{cubic_centimetres:.2} cm³")
}

/// `215/215 °C`, or `24 °C` when the heater is off.
pub(crate) fn temperature(actual: f64, target: f64) -> String {
    if target > 0.0 { format!("{actual:.0}/{target:.0} °C") } else { format!("{actual:.0} °C") }
}

/// `42 %`. Rounded down: 100 % is only what is done; nonsense is nothing done.
pub(crate) fn percent(fraction: f64) -> String {
    let fraction = if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) };
    format!("{:.0} %", (fraction * 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0s")]
    #[case(59, "59s")]
    #[case(78, "1m 18s")]
    #[case(3750, "1h 2m")]
    #[case(109_196, "1d 6h")]
    fn durations(#[case] seconds: u64, #[case] expected: &str) {
        assert_eq!(duration(seconds), expected);
    }

    #[rstest]
    #[case(999, "999 B")]
    #[case(1000, "1.0 kB")]
    #[case(935_823, "935.8 kB")]
    #[case(999_999, "1.0 MB")]
    #[case(5_000_000_000_000, "5000.0 GB")]
    fn sizes(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(size(bytes), expected);
    }

    #[test]
    fn the_rest() {
        assert_eq!(to_the_minute("2026-11-23T06:25:24.123Z"), "2026-11-23 06:25");
        assert_eq!(length(3270.08), "3.27 m");
        assert_eq!((weight(9.99), weight(1250.0)), ("9.99 g".into(), "1.25 kg".into()));
        assert_eq!(
            (temperature(214.6, 215.0), temperature(24.2, 0.0)),
            ("215/215 °C".into(), "24 °C".into())
        );
        assert_eq!(
            (percent(0.999), percent(1.0), percent(f64::NAN)),
            ("99 %".into(), "100 %".into(), "0 %".into())
        );
    }
}
