//! The record of what a printer accepted: one JSON object a line, append-only.
//!
//! `{"t":0,"boot":true}` at every start of the controller (the simulator's own, and every reset after it), then for every command the printer took from its queue
//! to execute, in that order, `{"t":12.345,"n":17,"cmd":"G1 X1 Y2","sha256":"…"}`:
//!
//! - `t`: seconds of simulated time since that start;
//! - `n`: the line number the command came with, `null` without one;
//! - `cmd`: the command without line number and checksum, trimmed;
//! - `sha256`: the running hash over **every** journalled command since that start, numbered or not, each as
//!   its `cmd` in UTF-8 followed by one line feed. It proves that no line of the journal is missing.
//!
//! Hosts mix their own commands (M105, M110, M155, scripts) with those of a file, so everything is written down
//! and the reader selects: for the exactness of a print, take the `cmd` of the entries whose `n` is not null and
//! that are not the host's own, and compare them, or their hash made by the same rule, with the file's.
//!
//! Knows no printer and no clock.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::firmware::Accepted;

/// Writes entries to whatever takes bytes.
#[derive(Debug)]
pub struct Journal<W: Write> {
    to: W,
    hash: Sha256,
    boot: u32,
}

const BOOT: &[u8] = b"{\"t\":0,\"boot\":true}\n";

#[derive(Serialize)]
struct Entry<'a> {
    t: f64,
    n: Option<i64>,
    cmd: &'a str,
    sha256: String,
}

impl<W: Write> Journal<W> {
    /// Begins a start of the printer with its `boot` line.
    ///
    /// # Errors
    /// What the writer says.
    pub fn begin(mut to: W) -> io::Result<Self> {
        to.write_all(BOOT)?;
        Ok(Self { to, hash: Sha256::new(), boot: 0 })
    }

    /// Appends one accepted command.
    ///
    /// # Errors
    /// What the writer says.
    pub fn append(&mut self, accepted: &Accepted) -> io::Result<()> {
        if accepted.boot != self.boot {
            self.boot = accepted.boot;
            self.hash = Sha256::new();
            self.to.write_all(BOOT)?;
        }
        self.hash.update(accepted.text.as_bytes());
        self.hash.update(b"\n");
        let entry = Entry {
            // Whole microseconds: finer is noise.
            t: accepted.at.as_micros() as f64 / 1e6,
            n: accepted.number,
            cmd: &accepted.text,
            sha256: hex(&self.hash.clone().finalize()),
        };
        // In one piece, so that a buffering writer never leaves half a line behind.
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.to.write_all(&line)
    }

    /// Hands everything on that the writer holds back.
    ///
    /// # Errors
    /// What the writer says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_format_and_the_running_hash() {
        let mut bytes = Vec::new();
        let mut journal = Journal::begin(&mut bytes).unwrap();
        let mut append = |boot, at, number, text: &str| {
            let at = Duration::from_millis(at);
            journal.append(&Accepted { boot, at, number, text: text.to_owned() }).unwrap();
        };
        append(0, 1500, Some(1), "G28");
        append(0, 2000, None, "M117 \"é\"");
        append(1, 100, None, "G28");
        // The sums are those of sha256sum over "G28\n" and over both lines.
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"
        {"t":0,"boot":true}
        {"t":1.5,"n":1,"cmd":"G28","sha256":"8080cd1d636d28b227689516fdadfd2aaed94e57b113db13523a38b51d0d09e9"}
        {"t":2.0,"n":null,"cmd":"M117 \"é\"","sha256":"0a0f2f3a449dfdda324cfb1b9c4b2beb750e1abb7424ca7004f4276e88588ca5"}
        {"t":0,"boot":true}
        {"t":0.1,"n":null,"cmd":"G28","sha256":"8080cd1d636d28b227689516fdadfd2aaed94e57b113db13523a38b51d0d09e9"}
        "#);
    }
}
