//! Who can tell? A damaged line whose checksum fits by chance, or that has become one of the commands that act
//! before any checksum is looked at, can be told from a good one by nobody: such a run says nothing of the host.

use std::collections::HashSet;

/// Of so many runs over a bad line, those that may prove nothing. Chance leaves one of some thousands (decision 8); an oracle that
/// excuses more hides what it is there to see.
pub(crate) fn most_excused(runs: u64) -> u64 {
    3 + runs / 2000
}

/// Watches what arrives at the printer.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    sent: HashSet<Vec<u8>>,
    line: Vec<u8>,
    /// A damaged line that looks like a good one.
    pub(crate) fooled: Option<String>,
}

impl Oracle {
    pub(crate) fn sent(&mut self, bytes: &[u8]) {
        self.sent.extend(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    }

    /// Whether the host has ever sent this command, with a number.
    pub(crate) fn has_sent_command(&self, text: &str) -> bool {
        let end = |line: &[u8]| line.iter().rposition(|byte| *byte == b'*').unwrap_or(line.len());
        self.sent.iter().any(|line| line[..end(line)].ends_with(text.as_bytes()))
    }

    pub(crate) fn arrived(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte != b'\n' && byte != b'\r' {
                self.line.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if !line.is_empty() && !self.sent.contains(&line) && (fits(&line) || acts_at_once(&line)) {
                self.fooled.get_or_insert_with(|| String::from_utf8_lossy(&line).into_owned());
            }
        }
    }
}

fn fits(line: &[u8]) -> bool {
    let [b'G' | b'M' | b'T', b'0'..=b'9', ..] = line else {
        let Some(star) = line.iter().rposition(|byte| *byte == b'*') else { return false };
        let sum = line[..star].iter().fold(0, |sum, byte| sum ^ byte);
        let digits: String = line[star + 1..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .map(|byte| char::from(*byte))
            .collect();
        return line[0] == b'N' && digits.parse() == Ok(sum);
    };
    // A line without a number has no checksum that is looked at.
    true
}

fn acts_at_once(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let body =
        text.trim_start_matches('N').trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ' || c == '-');
    ["M108", "M112", "M410", "M876"].iter().any(|code| body.starts_with(code))
}
