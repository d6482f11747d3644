//! Where the firmware says that it stands: the answer of `M114`.
//!
//! Owns: its spellings, and whether it is where the job's commands have put it. Must not know: when it is asked.

/// Reports have two decimals, some of them cut off.
const TOLERANCE_MM: f64 = 0.05;

/// `X:10.00 Y:20.00 Z:0.30 E:1.00 Count X:800 Y:1600 Z:120`, also with commas (Teacup): X, Y, Z in mm.
pub(super) fn parse(line: &str) -> Option<[f64; 3]> {
    let logical = line.split("Count").next()?;
    let mut words = logical.split([' ', ',']).filter(|word| !word.is_empty());
    let mut axis = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix(':')?.parse().ok();
    Some([axis("X")?, axis("Y")?, axis("Z")?])
}

/// Whether the firmware stands elsewhere than expected, on an axis where that is known.
pub(super) fn is_elsewhere(expected: [Option<f64>; 3], reported: [f64; 3]) -> bool {
    let differs = |(expected, reported): (Option<f64>, f64)| {
        expected.is_some_and(|it| (it - reported).abs() > TOLERANCE_MM)
    };
    expected.into_iter().zip(reported).any(differs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("X:10.00 Y:20.50 Z:0.30 E:1.00 Count X:800 Y:1640 Z:120", Some([10.0, 20.5, 0.3]))]
    #[case("X:10.000 Y:20.500 Z:-0.300 E:1.0000", Some([10.0, 20.5, -0.3]))]
    #[case("X:10.00,Y:20.50,Z:0.30,E:1.00,F:50.00", Some([10.0, 20.5, 0.3]))]
    #[case("X:10.00 Y:", None)]
    #[case(" T:21.00 /0.00 B:21.00 /0.00", None)]
    fn reports(#[case] line: &str, #[case] expected: Option<[f64; 3]>) {
        assert_eq!(parse(line), expected);
    }

    #[test]
    fn what_is_not_known_is_not_compared() {
        assert!(!is_elsewhere([Some(10.0), None, Some(0.3)], [10.004, 99.0, 0.3]));
        assert!(is_elsewhere([Some(10.0), None, Some(0.3)], [10.0, 99.0, 0.4]));
    }
}
