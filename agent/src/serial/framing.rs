//! Bytes from the port become lines of text.
//!
//! Owns: line ends, the bound on a line's length, what to do with bytes that are no text.
//! Must not know: what a line means.

/// Firmware lines are below 300 bytes (the `area:` line of M115); more is noise, at the wrong baud for instance.
const MAX_LINE_BYTES: usize = 1024;

/// Flow-control bytes that some firmwares put between others.
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// Collects bytes until a line is whole.
#[derive(Debug, Default)]
pub struct LineAssembler {
    line: Vec<u8>,
}

impl LineAssembler {
    /// Takes bytes and hands each finished line to `each`, decoded lossily and without its end.
    /// Blank lines are passed over; what is beyond 1024 bytes of a line is dropped.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    let text = String::from_utf8_lossy(&self.line);
                    if !text.trim().is_empty() {
                        each(&text);
                    }
                    self.line.clear();
                }
                0 | XON | XOFF => {}
                _ if self.line.len() < MAX_LINE_BYTES => self.line.push(byte),
                _ => {}
            }
        }
    }

    /// Forgets the unfinished line: the port was opened anew.
    pub fn clear(&mut self) {
        self.line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(chunks: &[&[u8]]) -> Vec<String> {
        let mut assembler = LineAssembler::default();
        let mut seen = Vec::new();
        for chunk in chunks {
            assembler.push(chunk, |line| seen.push(line.to_owned()));
        }
        seen
    }

    #[test]
    fn lines_are_cut_wherever_the_chunks_are() {
        assert_eq!(lines(&[b"o", b"k\r", b"\n T:1", b"9.0\n\n", b"half"]), ["ok", " T:19.0"]);
        assert_eq!(lines(&[b"\x11ok\x13\x00\n"]), ["ok"], "flow control and NULs are no text");
        assert_eq!(lines(&[b"h\xffllo\n"]), ["h\u{fffd}llo"]);
    }

    #[test]
    fn an_endless_line_does_not_eat_memory_and_the_next_one_is_whole() {
        let noise = vec![b'x'; 100_000];
        let seen = lines(&[&noise, b"\nok\n"]);
        assert_eq!(seen[0].len(), MAX_LINE_BYTES);
        assert_eq!(seen[1], "ok");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(chunks: Vec<Vec<u8>>) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            for line in lines(&chunks) {
                prop_assert!(!line.contains(['\n', '\r']));
            }
        }
    }
}
