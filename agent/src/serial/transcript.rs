//! What was said last on the line, for the log of a job that is lost.
//!
//! Owns: how much is kept. Must not know: what it means.

use std::collections::VecDeque;
use std::fmt;

/// Some hundred lines: what came before the trouble, and not much more to read.
const KEPT_BYTES: usize = 4096;

/// The last lines, sent and received.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    text: VecDeque<u8>,
}

impl Transcript {
    /// Lines that go to the printer, each with its end.
    pub(super) fn sent(&mut self, lines: &[u8]) {
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.note(b"> ", line);
        }
    }

    /// A line that came from it.
    pub(super) fn received(&mut self, line: &str) {
        self.note(b"< ", line.as_bytes());
    }

    fn note(&mut self, mark: &[u8], line: &[u8]) {
        let line = line.get(..line.len().min(KEPT_BYTES / 4)).unwrap_or_default();
        let too_much = (self.text.len() + mark.len() + line.len() + 1).saturating_sub(KEPT_BYTES);
        self.text.drain(..too_much);
        self.text.extend(mark);
        self.text.extend(line);
        self.text.push_back(b'\n');
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: Vec<u8> = self.text.iter().copied().collect();
        let text = String::from_utf8_lossy(&text);
        // The first line may have lost its beginning.
        let is_whole = text.starts_with(['>', '<']);
        let whole = if is_whole { &*text } else { text.split_once('\n').map_or("", |(_, rest)| rest) };
        f.write_str(whole.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_in_order() {
        let mut transcript = Transcript::default();
        transcript.sent(b"N1 G28*18\nN2 G1 X1*99\n");
        transcript.received("ok");
        assert_eq!(transcript.to_string(), "> N1 G28*18\n> N2 G1 X1*99\n< ok");
        for number in 0..10_000 {
            transcript.received(&format!("Resend: {number}"));
        }
        let text = transcript.to_string();
        assert!(text.len() <= KEPT_BYTES && text.ends_with("< Resend: 9999"));
        assert!(text.lines().all(|line| line.starts_with("< Resend: ")), "{text}");
        transcript.received(&"x".repeat(100_000));
        assert!(transcript.to_string().len() <= KEPT_BYTES);
    }
}
