//! The firmware's reports that the host lives by: by them and by `busy` it knows what is hot and who is waited for, in a job and in
//! those behind it.
//!
//! Owns: which commands of a file or of a printer's own scripts silence them, and what asks for them again: who silences them does so
//! for the machine's own display, or by mistake. Must not know: when that is sent.

use stardust_gcode::command::{Code, Command, parse};

use super::dialect::Dialect;

/// What comes less often than this is as good as none, s.
const SELDOM_S: f64 = 10.0;

/// Whether it says how often the firmware reports.
pub(super) fn is_of_reports(command: &Command<'_>) -> bool {
    command.is(Code::m(155)) || command.is(Code::m(113))
}

/// Behind a command that silences reports: what asks for them again.
pub(super) fn again(command: &Command<'_>, dialect: Dialect) -> Option<Command<'static>> {
    let line: &[u8] = match command.code() {
        Some(code) if code == Code::m(155) => b"M155 S1",
        // Elsewhere it is unknown, or something else.
        Some(code) if code == Code::m(113) && dialect.has_keep_alive() => b"M113 S2",
        _ => return None,
    };
    let is_silent = command.param(b'S').is_some_and(|every_s| !(1.0..=SELDOM_S).contains(&every_s));
    is_silent.then(|| parse(line)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("M155 S0", Dialect::Marlin, Some("M155 S1"))]
    #[case("M155 S60", Dialect::Repetier, Some("M155 S1"))]
    #[case("M155 S2", Dialect::Marlin, None)]
    #[case("M155", Dialect::Marlin, None)]
    #[case("M113 S0", Dialect::Prusa, Some("M113 S2"))]
    #[case::of_its_extruder("M113 S0.7", Dialect::Teacup, None)]
    #[case("M104 S0", Dialect::Marlin, None)]
    fn what_is_silenced_is_asked_for_again(
        #[case] line: &str,
        #[case] dialect: Dialect,
        #[case] expected: Option<&str>,
    ) {
        let command = parse(line.as_bytes()).unwrap();
        let asked = again(&command, dialect);
        assert_eq!(asked.as_ref().map(Command::text), expected);
        assert!(
            asked.is_none_or(|again_one| again(&again_one, dialect).is_none()),
            "it silences nothing itself"
        );
    }
}
