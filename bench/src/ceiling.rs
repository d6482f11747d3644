//! The ceiling: the least a host must do to send a file. Nothing is recovered, shown, watched or made safe.
//!
//! Owns: a window of 127 bytes and 4 lines on one thread. What a real host needs more than this is its price.
//! Must not know: the agent.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};

const MAX_BYTES: usize = 127;
const MAX_LINES: usize = 4;

/// Sends the file's lines over the port, each numbered; returns when all were answered.
pub(crate) fn send(file: &Path, port: &Path) -> io::Result<()> {
    let mut file = BufReader::with_capacity(32 * 1024, File::open(file)?);
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let port = rustix::fs::open(port, flags, Mode::empty())?;
    let mut number = 0_u64;
    let mut text = String::new();
    let mut output: Vec<u8> = b"N0 M110 N0*125\n".to_vec();
    let mut in_flight = VecDeque::from([output.len()]);
    let mut bytes_in_flight = output.len();
    let mut alone = true;
    let mut ended = false;
    let mut line = Vec::new();
    let mut unsent = false;
    let mut answer_begins = true;
    let mut buffer = [0_u8; 1024];
    loop {
        while !ended && (!alone || in_flight.is_empty()) {
            if !unsent {
                alone = false;
                text.clear();
                if file.read_line(&mut text)? == 0 {
                    ended = true;
                    break;
                }
                number += 1;
                line.clear();
                write!(line, "N{number} {}", text.trim_end())?;
                let sum = line.iter().fold(0_u8, |sum, byte| sum ^ byte);
                writeln!(line, "*{sum}")?;
                unsent = true;
            }
            if in_flight.len() >= MAX_LINES || bytes_in_flight + line.len() > MAX_BYTES {
                break;
            }
            in_flight.push_back(line.len());
            bytes_in_flight += line.len();
            output.extend_from_slice(&line);
            unsent = false;
        }
        if ended && in_flight.is_empty() {
            return Ok(());
        }
        if !output.is_empty() {
            // At most 127 bytes: a port takes them whole.
            let written = rustix::io::write(&port, &output)?;
            output.drain(..written);
        }
        poll(&mut [PollFd::new(&port, PollFlags::IN)], None)?;
        let count = rustix::io::read(&port, &mut buffer)?;
        for byte in buffer.get(..count).unwrap_or_default() {
            if answer_begins && *byte == b'o' {
                bytes_in_flight -= in_flight.pop_front().unwrap_or(0);
            }
            answer_begins = *byte == b'\n';
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stardust_clock::SystemClock;

    use crate::job_file;
    use crate::pacing::Pace;
    use crate::pty::Pty;
    use crate::uart::Uart;

    /// The fake printer and the ceiling are each other's test: every line comes through, none is sent too early.
    #[rstest::rstest]
    #[case::unpaced(Pace::NONE)]
    #[case::paced(Pace { baud: Some(1_000_000), round_trip: Duration::from_millis(1) })]
    fn everything_comes_through(#[case] pace: Pace) {
        let file = tempfile::NamedTempFile::new().unwrap();
        job_file::write(&mut file.as_file(), 500, true).unwrap();
        let pty = Pty::open().unwrap();
        let port = pty.path.clone();
        let uart = Uart::start(pty, pace, SystemClock::shared()).unwrap();
        super::send(file.path(), &port).unwrap();
        let seen = uart.finish().unwrap();
        assert_eq!((seen.moves, seen.refused, seen.overruns), (500, 0, 0));
        let took = seen.last_ok - seen.first.unwrap();
        assert!(took >= pace.time_of(500 * (job_file::LINE - 1)), "no faster than the wire: {took:?}");
    }
}
