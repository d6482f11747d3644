//! The least of a firmware that is exact: numbered lines are checked, each good one gets its `ok`.
//!
//! Owns: what is answered to a line. Takes no time for anything, so that only the host and the wire are measured.
//! Must not know: ports, pacing, who is measured. Shares no code with the agent.

/// What a line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A move of the job, accepted.
    Move,
    /// Hot end or bed turned off.
    HeaterOff(Heater),
    /// Anything else that was accepted.
    Other,
    /// Damaged, or out of turn: asked for again.
    Refused,
}

/// What can be turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heater {
    /// `M104 S0`
    HotEnd,
    /// `M140 S0`
    Bed,
}

/// What a report of temperatures looks like.
pub(crate) const REPORT: &[u8] = b" T:210.00 /210.00 B:60.00 /60.00 @:64 B@:32\n";

const IDENTITY: &[u8] =
    b"FIRMWARE_NAME:Stardust bench PROTOCOL_VERSION:1.0 MACHINE_TYPE:Wire EXTRUDER_COUNT:1\n\
    Cap:AUTOREPORT_TEMP:1\nCap:EMERGENCY_PARSER:1\n";

/// The firmware.
#[derive(Debug, Default)]
pub(crate) struct Firmware {
    last: u32,
    /// Temperatures are to be reported every second.
    pub(crate) reports: bool,
}

impl Firmware {
    /// Takes a line without its end; the answer is added to `answer`.
    pub(crate) fn line(&mut self, line: &[u8], answer: &mut Vec<u8>) -> Heard {
        let (number, command) = match numbered(line) {
            Some(parts) => parts,
            None if line.first() == Some(&b'N') => return self.refuse("checksum mismatch", answer),
            None => (None, line),
        };
        let renumbers = command.starts_with(b"M110");
        if let Some(number) = number {
            if !renumbers && number != self.last + 1 {
                return self.refuse("Line Number is not Last Line Number+1", answer);
            }
            self.last = number;
        }
        match command {
            b"M115" => answer.extend_from_slice(IDENTITY),
            b"M105" => {
                answer.extend_from_slice(b"ok");
                answer.extend_from_slice(REPORT);
                return Heard::Other;
            }
            b"M155 S1" => self.reports = true,
            _ => {}
        }
        answer.extend_from_slice(b"ok\n");
        match command {
            b"M104 S0" | b"M104 T0 S0" => Heard::HeaterOff(Heater::HotEnd),
            b"M140 S0" => Heard::HeaterOff(Heater::Bed),
            _ if command.starts_with(b"G1 ") && number.is_some() => Heard::Move,
            _ => Heard::Other,
        }
    }

    fn refuse(&self, why: &str, answer: &mut Vec<u8>) -> Heard {
        let (last, next) = (self.last, self.last + 1);
        answer.extend_from_slice(format!("Error:{why}, Last Line: {last}\nResend: {next}\nok\n").as_bytes());
        Heard::Refused
    }
}

/// `N<number> <command>*<checksum>`: number and command. None when it is not that, or damaged.
fn numbered(line: &[u8]) -> Option<(Option<u32>, &[u8])> {
    let rest = line.strip_prefix(b"N")?;
    let star = line.iter().rposition(|byte| *byte == b'*')?;
    let sum = digits(line.get(star + 1..)?)?;
    let found = line.get(..star)?.iter().fold(0_u8, |sum, byte| sum ^ byte);
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let number = digits(rest.get(..space)?)?;
    let command = rest.get(space + 1..star - 1)?;
    (sum == u32::from(found)).then_some((Some(number), command))
}

fn digits(text: &[u8]) -> Option<u32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::numbering("N0 M110 N0*125", Heard::Other, "ok\n")]
    #[case::first("N1 G92 E0*70", Heard::Other, "ok\n")]
    #[case::damaged("N1 G92 E1*70", Heard::Refused, "Error:checksum mismatch, Last Line: 0\nResend: 1\nok\n")]
    #[case::too_far(
        "N2 G92 E0*69",
        Heard::Refused,
        "Error:Line Number is not Last Line Number+1, Last Line: 0\nResend: 1\nok\n"
    )]
    #[case::a_move("N1 G1 X1*96", Heard::Move, "ok\n")]
    #[case::plain("M140 S0", Heard::HeaterOff(Heater::Bed), "ok\n")]
    #[case::cut("N1", Heard::Refused, "Error:checksum mismatch, Last Line: 0\nResend: 1\nok\n")]
    fn lines(#[case] line: &str, #[case] heard: Heard, #[case] expected: &str) {
        let mut answer = Vec::new();
        assert_eq!(Firmware::default().line(line.as_bytes(), &mut answer), heard);
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    }
}
