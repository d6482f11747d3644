//! Writing to the terminal.
//!
//! Owns: stdout for results, stderr for the rest. Must not know: what is written.

use std::io::{self, Write as _};

use serde::Serialize;

use crate::error::CliError;

/// One line of a result.
pub(crate) fn line(text: &str) -> Result<(), CliError> {
    writeln!(io::stdout(), "{text}").map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => CliError::OutputClosed,
        _ => CliError::Terminal(error),
    })
}

/// How many characters fit into a line of the terminal that shows the results; none where they go elsewhere, such as into a pipe.
pub(crate) fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col.into())
}

/// A result as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| CliError::Failed(format!("the answer can't be written as JSON: {error}")))?;
    line(&text)
}

/// Something on the side, which programs that read the result don't see.
pub(crate) fn note(text: &str) {
    // Without stderr there is no one to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Why it did not work.
pub(crate) fn complain(text: &str) {
    note(&format!("stardust: {text}"));
}

/// Text from elsewhere without control characters: a file's name must not steer the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_do_not_steer_the_terminal() {
        assert_eq!(super::printable("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
