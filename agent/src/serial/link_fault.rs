//! Why a line to a printer is given up.
//!
//! Owns: the sentences. Must not know: how it was found out.

/// Why the line can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LinkFault {
    /// Nothing comes back.
    #[error("the printer has stopped answering")]
    Silent,
    /// The same line fails over and over: it may be the line itself that the firmware can't take.
    #[error("the printer asked for line {number} ten times over{}", suspect(text))]
    SameLine {
        /// Its number on the wire.
        number: u32,
        /// Its command, without number and checksum; empty when it is not kept any more.
        text: String,
    },
    /// A line that was accepted long ago: the firmware has started over, and its banner was lost.
    #[error("the printer was reset in mid-print: it asks for line {0} again, its position is lost")]
    Restarted(u32),
    /// A line that was never sent.
    #[error("the printer asks for line {0}, which has not been sent yet: does another host use its port?")]
    Future(u32),
}

/// A cable garbles any line, and not the same ten times: the line itself is the suspect, where it is known.
fn suspect(text: &str) -> String {
    match text {
        "" => ": check the cable, or lower the baud rate".to_owned(),
        text => format!(
            ": it can't read “{text}”, most likely for what stands there; take that out of the file. Where it fails at \
             another line each time, check the cable"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_content_is_named_and_not_the_cable() {
        let fault = LinkFault::SameLine { number: 7, text: "M117 2*3".into() };
        let sentence = fault.to_string();
        assert!(sentence.contains("line 7 ten times over: it can't read “M117 2*3”"), "{sentence}");
    }
}
