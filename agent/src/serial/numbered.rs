//! How a line looks on the wire: `N<number> <command>*<checksum>`.
//!
//! Owns: numbering and checksum. Must not know: when a line is sent.

/// The exclusive-or of all bytes before the star.
#[must_use]
pub(super) fn checksum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// A numbered line with its checksum and line end.
#[must_use]
pub(super) fn numbered_line(number: u32, command: &str) -> Vec<u8> {
    // `N4294967295 ` before and `*255\n` behind it at most: one allocation.
    let mut line = Vec::with_capacity(command.len() + 17);
    write_numbered(&mut line, number, command);
    line
}

/// The same, into a buffer that is at hand.
pub(super) fn write_numbered(line: &mut Vec<u8>, number: u32, command: &str) {
    line.clear();
    line.push(b'N');
    push_decimal(line, number);
    line.push(b' ');
    line.extend_from_slice(command.as_bytes());
    let sum = checksum(line);
    line.push(b'*');
    push_decimal(line, u32::from(sum));
    line.push(b'\n');
}

/// Without the formatter: this is done for every line of a job.
fn push_decimal(line: &mut Vec<u8>, number: u32) {
    let digits = number.checked_ilog10().unwrap_or(0);
    for place in (0..=digits).rev() {
        // Below ten.
        line.push(b'0' + (number / 10_u32.pow(place) % 10) as u8);
    }
}

/// A line without a number. It can't be asked for again: never one of a job.
#[must_use]
pub(super) fn plain_line(command: &str) -> Vec<u8> {
    format!("{command}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    // What a real Marlin accepted.
    #[rstest]
    #[case(0, "M110 N0", "N0 M110 N0*125\n")]
    #[case(1, "G92 E0", "N1 G92 E0*70\n")]
    #[case(2, "G92 E0", "N2 G92 E0*69\n")]
    #[case(1, "M204 P500", "N1 M204 P500*97\n")]
    #[case(u32::MAX, "M105", "N4294967295 M105*26\n")]
    fn lines(#[case] number: u32, #[case] command: &str, #[case] expected: &str) {
        assert_eq!(String::from_utf8(numbered_line(number, command)).unwrap(), expected);
    }
}
