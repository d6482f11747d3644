//! Is what comes in a printer that is understood, or noise?
//!
//! Owns: telling text from what a wrong speed makes of it (NULs, bytes that are no text). Pure: bytes in, a verdict
//! out. Must not know: which speed it is, what the text asks for.

use crate::serial::reply::Reply;

/// A line that is longer is no answer.
const MAX_LINE_BYTES: usize = 512;
/// One or two bad bytes come with plugging in and switching on, too.
const NOISE_BYTES: usize = 3;
/// Of so many bytes at least one is no text: noise. A firmware's own language may hold a few.
const NOISE_ONE_IN: usize = 10;
const XON: u8 = 0x11;
const XOFF: u8 = 0x13;

/// What was heard so far at one speed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing that says anything.
    Nothing,
    /// Bytes that are no text.
    Noise,
    /// A whole line that only a printer says.
    Printer,
}

/// Listens at one speed.
#[derive(Debug, Default)]
pub(super) struct Recognition {
    line: Vec<u8>,
    /// The line under way holds bytes that are no text, or too many.
    spoilt: bool,
    bytes: usize,
    bad: usize,
}

impl Recognition {
    /// Takes bytes. The verdict counts everything since this speed was set.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Heard {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => {
                    let is_speech = !self.spoilt && is_speech(&self.line);
                    self.line.clear();
                    self.spoilt = false;
                    if is_speech {
                        return Heard::Printer;
                    }
                }
                XON | XOFF => {}
                b'\t' | b' '..=b'~' if self.line.len() < MAX_LINE_BYTES => self.line.push(byte),
                b'\t' | b' '..=b'~' => self.spoilt = true,
                _ => {
                    self.spoilt = true;
                    self.bad += 1;
                }
            }
            self.bytes += 1;
        }
        let is_noise = self.bad >= NOISE_BYTES && self.bad * NOISE_ONE_IN >= self.bytes;
        if is_noise { Heard::Noise } else { Heard::Nothing }
    }
}

/// Only what firmwares are known to say: a speed that is taken for right by mistake would never be left.
fn is_speech(line: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(line) else { return false };
    !matches!(Reply::parse(text), Reply::Other(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"start\n", Heard::Printer)]
    #[case(b"ok T:21.3 /0.0 B:20.0 /0.0 @:0 B@:0\r\n", Heard::Printer)]
    #[case(b"\x11ok\n", Heard::Printer)]
    #[case(b"echo:busy: processing\n", Heard::Printer)]
    #[case(b"\x00\xfe\n\nwait\n", Heard::Printer)]
    #[case(b"Error:No Checksum with line number, Last Line: 0\n", Heard::Printer)]
    #[case(b"ok", Heard::Nothing)]
    #[case(b"o\xffk\n", Heard::Nothing)]
    #[case(b"!\n", Heard::Nothing)]
    #[case(b"\n\n\n", Heard::Nothing)]
    #[case(b"\x00\x00\x00", Heard::Noise)]
    #[case(b"x\x80\xf8f\xe6\n\x00", Heard::Noise)]
    fn what_is_heard(#[case] bytes: &[u8], #[case] expected: Heard) {
        assert_eq!(Recognition::default().hear(bytes), expected);
        // In pieces as well.
        let mut ear = Recognition::default();
        let said: Vec<Heard> = bytes.iter().map(|byte| ear.hear(&[*byte])).collect();
        assert!(said.contains(&expected), "{said:?}");
    }

    /// What a UART at `read` makes of a text that was sent at `sent` baud: eight bits, no parity, one stop bit.
    fn misheard(text: &[u8], sent: f64, read: f64) -> Vec<u8> {
        let mut line = Vec::new();
        for byte in text {
            line.push(false);
            line.extend((0..8).map(|bit| byte >> bit & 1 == 1));
            line.push(true);
        }
        let level = |time: f64| line.get((time * sent) as usize).copied().unwrap_or(true);
        let end = line.len() as f64 / sent;
        let (mut time, mut heard) = (0.0, Vec::new());
        let tick = 1.0 / read / 16.0;
        while time < end {
            if level(time) {
                time += tick;
                continue;
            }
            let bit = |index: usize| u8::from(level(time + (index as f64 + 1.5) / read)) << index;
            heard.push((0..8).map(bit).sum());
            time += 9.5 / read;
        }
        heard
    }

    #[test]
    fn an_uart_at_another_speed_hears_noise_and_never_a_printer() {
        let said = b"start\necho:Marlin 2.1.2.5\n\necho: Last Updated: 2024-11-21 | Author: (none, default config)\n\
            echo: Free Memory: 3512  PlannerBufferBytes: 1200\necho:Hardcoded Default Settings Loaded\n";
        for sent in super::super::speed_search::SPEEDS {
            for read in super::super::speed_search::SPEEDS {
                let heard = misheard(said, f64::from(sent), f64::from(read));
                match Recognition::default().hear(&heard) {
                    Heard::Printer => assert_eq!(sent, read),
                    Heard::Noise => assert_ne!(sent, read),
                    // Slow ears hear but a few bytes of what is said fast.
                    Heard::Nothing => assert!(heard.len() < 20, "{sent} read at {read}: {heard:?}"),
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived_in_bounded_memory(chunks: Vec<Vec<u8>>) {
            let mut ear = Recognition::default();
            for chunk in chunks {
                ear.hear(&chunk);
                prop_assert!(ear.line.len() <= MAX_LINE_BYTES);
            }
        }
    }
}
