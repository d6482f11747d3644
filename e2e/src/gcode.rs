//! The commands of a print file, by the simplest rule: comments and blanks removed.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A real file of `fixtures/gcode`.
#[must_use]
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/gcode").join(name)
}

/// What has to reach the printer, in order. Good for the fixtures, which have neither quotes nor parentheses.
#[must_use]
pub fn commands(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("the fixture can be read");
    text.lines()
        .map(|line| line.split(';').next().unwrap_or_default().trim())
        .filter(|command| !command.is_empty())
        .map(str::to_owned)
        .collect()
}

/// SHA-256 over the commands, each with a newline: what the simulator's journal runs along.
#[must_use]
pub fn sha256<S: AsRef<str>>(commands: impl IntoIterator<Item = S>) -> String {
    let mut hash = Sha256::new();
    for command in commands {
        hash.update(command.as_ref().as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first `count` lines of a real file, and then what a slicer's end is made of: a short print, and a whole one.
#[must_use]
pub fn short_print(file: &Path, count: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(file).expect("the fixture can be read");
    let mut lines: Vec<&str> = text.lines().take(count).collect();
    lines.push("M104 S0");
    lines.push("M140 S0");
    lines.push("M84");
    // Cura's mark, without which its file is one that was cut off.
    lines.push(";End of Gcode");
    lines.push("");
    lines.join("\n").into_bytes()
}
