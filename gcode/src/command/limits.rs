//! Which commands the firmware's line buffer can take.
//!
//! Owns: the length of a numbered line and the sentence for one that is too long. Must not know: how a host
//! numbers.

/// The longest line Marlin takes, in bytes without the line end: its buffer (`MAX_CMD_SIZE`) is 96 bytes with
/// the terminating zero. It cuts a longer one silently, the checksum with it, and then asks for it for ever.
pub const LONGEST_LINE: usize = 95;

/// Why a command can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The numbered line would be longer than [`LONGEST_LINE`].
    #[error(
        "the command is {length} bytes long and the firmware takes at most {longest}: \
         shorten it in the slicer's custom G-code"
    )]
    TooLong {
        /// Length of the command, in bytes.
        length: usize,
        /// The longest command that fits at that line number, in bytes.
        longest: usize,
    },
}

/// The longest command that fits when it is sent as `N<line_number> <command>*<checksum>`, with the longest
/// checksum there can be.
#[must_use]
pub fn longest_sendable(line_number: u64) -> usize {
    longest_within(LONGEST_LINE, line_number)
}

fn longest_within(longest_line: usize, line_number: u64) -> usize {
    let digits = line_number.checked_ilog10().map_or(1, |log| log as usize + 1);
    longest_line.saturating_sub((1 + digits + 1) + (1 + 3))
}

pub(super) fn check(length: usize, line_number: u64, longest_line: usize) -> Result<(), Unsendable> {
    let longest = longest_within(longest_line, line_number);
    if length > longest { Err(Unsendable::TooLong { length, longest }) } else { Ok(()) }
}
