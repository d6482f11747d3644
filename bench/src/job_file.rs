//! The file that is printed: moves that make lines of 38 bytes on average on the wire, as slicers' do.
//!
//! Owns: its content. Must not know: who prints it.

use std::io::{self, Write};

/// Bytes of a line on the wire on average, with number, checksum and line end.
pub(crate) const LINE: usize = 38;

/// Bytes of the shortest lines in the file: those with numbers of seven digits.
pub(crate) const SHORTEST: u64 = 25;

/// Writes that many moves; returns the bytes written. `heated`: the heaters are turned on first, without waiting.
pub(crate) fn write(out: &mut impl Write, moves: u64, heated: bool) -> io::Result<u64> {
    let mut bytes = 0;
    let mut number = 0_u64;
    if heated {
        let head = b"M140 S60\nM104 S210\n";
        out.write_all(head)?;
        bytes += head.len() as u64;
        number += 2;
    }
    for index in 0..moves {
        number += 1;
        let command = command(number, index);
        out.write_all(command.as_bytes())?;
        out.write_all(b"\n")?;
        bytes += command.len() as u64 + 1;
    }
    Ok(bytes)
}

/// A move, with as many decimals of the extruder's way as it takes. A digit more may lengthen the checksum too, so
/// that not every length can be had: every other line is as long as asked for at least, the others at most.
fn command(number: u64, index: u64) -> String {
    let (x, y) = (10_000 + index * 37 % 190_000, 10_000 + index * 53 % 190_000);
    let mut command = format!("G1 X{}.{:03} Y{}.{:03} E.0", x / 1000, x % 1000, y / 1000, y % 1000);
    while on_wire(number, &command) < LINE {
        command.push(char::from(b'0' + (index % 10) as u8));
    }
    if index % 2 == 1 && on_wire(number, &command) > LINE {
        command.pop();
    }
    command
}

/// The bytes of a numbered line.
fn on_wire(number: u64, command: &str) -> usize {
    let head = format!("N{number} ");
    let sum = head.bytes().chain(command.bytes()).fold(0, |sum: u8, byte| sum ^ byte);
    head.len() + command.len() + format!("*{sum}\n").len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_the_length_that_was_promised_on_average() {
        for (from, to) in [(1, 20_000), (3_000_000, 3_002_000)] {
            let lengths = (from..to).map(|number| on_wire(number, &command(number, number * 3)));
            let mean = lengths.sum::<usize>() as f64 / (to - from) as f64;
            assert!((mean - LINE as f64).abs() < 0.1, "{mean}");
        }
    }
}
