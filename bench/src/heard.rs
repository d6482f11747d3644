//! What a printer hears on its line: by the simulator's record of it, or at a bare pseudo terminal.
//!
//! Owns: when a line has come, seen from beside. Must not know: who sends it, and what the printer makes of it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use stardust_clock::SharedClock;

use crate::BenchError;
use crate::host::pause;
use crate::installed::failed;
use crate::pty::Pty;

/// How late a line is seen at most, about.
const LOOK_EVERY: Duration = Duration::from_micros(500);
/// A line that has not come by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
const HALT: &[u8] = b"M112\n";

/// Where it is heard.
#[derive(Debug)]
enum Line {
    /// The simulator writes down what comes, as it comes.
    Record(File),
    /// Nobody answers.
    Terminal(Pty),
}

/// All that has come so far.
#[derive(Debug)]
pub(crate) struct Heard {
    line: Line,
    text: Vec<u8>,
    clock: SharedClock,
}

impl Heard {
    /// By a simulator's record.
    pub(crate) fn in_record(record: &Path, clock: &SharedClock) -> io::Result<Self> {
        Ok(Self { line: Line::Record(File::open(record)?), text: Vec::new(), clock: clock.clone() })
    }

    /// At the printer's end of a pseudo terminal, which is gone with this.
    pub(crate) fn at_terminal(terminal: Pty, clock: &SharedClock) -> Self {
        Self { line: Line::Terminal(terminal), text: Vec::new(), clock: clock.clone() }
    }

    fn listen(&mut self) -> io::Result<()> {
        match &mut self.line {
            Line::Record(file) => file.read_to_end(&mut self.text).map(drop),
            Line::Terminal(terminal) => {
                let mut buffer = [0; 4096];
                match rustix::io::read(&terminal.master, &mut buffer) {
                    Ok(count) => self.text.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                    // Nothing yet, or nobody has it open.
                    Err(Errno::AGAIN | Errno::INTR | Errno::IO) => {}
                    Err(error) => return Err(error.into()),
                }
                Ok(())
            }
        }
    }

    /// How many lines with this in them have come whole, numbered or not.
    pub(crate) fn count(&mut self, what: &str) -> io::Result<usize> {
        self.listen()?;
        let has = |line: &&[u8]| line.ends_with(b"\n") && String::from_utf8_lossy(line).contains(what);
        Ok(self.text.split_inclusive(|byte| *byte == b'\n').filter(has).count())
    }

    /// Says something to the host, where nobody else does.
    pub(crate) fn say(&self, words: &[u8]) -> io::Result<()> {
        if let Line::Terminal(terminal) = &self.line {
            rustix::io::write(&terminal.master, words)?;
        }
        Ok(())
    }

    /// How often the halt itself has come, without its repetition with a number.
    fn halts(&mut self) -> io::Result<usize> {
        self.listen()?;
        Ok(self.text.split_inclusive(|byte| *byte == b'\n').filter(|line| *line == HALT).count())
    }

    /// Waits until a numbered line has come twice: it was asked for again.
    pub(crate) fn until_one_comes_again(&mut self) -> Result<(), BenchError> {
        let deadline = self.clock.elapsed() + PATIENCE;
        loop {
            self.listen()?;
            let moves = self.text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"N"));
            let mut seen = HashSet::new();
            // Not the numbering, which begins with a number of its own each time.
            if moves.filter(|line| line.windows(2).any(|part| part == b"G1")).any(|line| !seen.insert(line)) {
                return Ok(());
            }
            if self.clock.elapsed() > deadline {
                return Err(failed("no line was asked for again"));
            }
            pause(LOOK_EVERY)?;
        }
    }

    /// Whether the host has greeted the printer by now, and whether it has stopped it.
    pub(crate) fn is_greeted_or_halted(&mut self) -> Result<(bool, bool), BenchError> {
        Ok((self.count("M115")? > 0, self.halts()? > 0))
    }

    /// Waits until so many have.
    pub(crate) fn until(&mut self, what: &str, count: usize) -> Result<(), BenchError> {
        let deadline = self.clock.elapsed() + PATIENCE;
        while self.count(what)? < count {
            if self.clock.elapsed() > deadline {
                return Err(failed(format!("the printer waited in vain for `{what}`")));
            }
            pause(Duration::from_millis(10))?;
        }
        Ok(())
    }

    /// What has come so far is past.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        self.listen()?;
        self.text.clear();
        Ok(())
    }

    /// Looks from now on until `M112` has come so many times; when it came the last time. Gives itself back.
    pub(crate) fn halted(mut self, times: usize) -> Result<(Duration, Self), BenchError> {
        self.forget()?;
        let deadline = self.clock.elapsed() + PATIENCE;
        while self.halts()? < times {
            if self.clock.elapsed() > deadline {
                return Err(failed("M112 has not come to the printer"));
            }
            pause(LOOK_EVERY)?;
        }
        Ok((self.clock.elapsed(), self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stardust_clock::SystemClock;
    use std::io::Write as _;

    #[test]
    fn a_halt_counts_when_its_line_is_whole_and_none_from_before() {
        let mut record = tempfile::NamedTempFile::new().unwrap();
        record.write_all(b"N1 M105*36\n\nM112\nN1 M112*32\n").unwrap();
        let mut heard = Heard::in_record(record.path(), &SystemClock::shared()).unwrap();
        assert_eq!((heard.count("M105").unwrap(), heard.halts().unwrap()), (1, 1));
        let later = std::thread::spawn(move || heard.halted(1));
        while !later.is_finished() {
            record.write_all(b"\nM1").unwrap();
            record.write_all(b"12\n").unwrap();
        }
        let (_, mut heard) = later.join().unwrap().unwrap();
        assert!(heard.halts().unwrap() >= 1);
        assert_eq!(heard.count("M105").unwrap(), 0);
    }
}
