//! What a print file sets for good, beside positions and temperatures: what a printer that was reset has to be told again
//! before the file can be gone on with.
//!
//! Owns: which commands those are, which of them are overwritten by later ones, and which can't be had back. Must not know:
//! why they are needed, how they are sent.
//!
//! Sources: Marlin's `M200` to `M208`, `M211`, `M900` take the letters that are there and keep the rest; `G28` of Marlin
//! switches levelling off unless it was built otherwise; a mesh that was measured (`G29`, Prusa's `G80`) is kept in RAM;
//! `M218`, `M206`, `M428` and `G10 L` shift what positions mean, `M290` what heights mean.

use stardust_gcode::command::{Code, Command};

/// Files set each over and over, in few forms.
const MOST: usize = 64;

/// What the commands so far have set.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    /// Code, letters (one bit each) and text, in the order in which they were given last.
    lines: Vec<(Code, u32, String)>,
    lost: Option<&'static str>,
    levelled: Option<&'static str>,
}

impl Settings {
    /// Follows a command.
    pub(super) fn follow(&mut self, command: &Command<'_>) {
        let Some(code) = command.code() else { return };
        match (code.letter, code.number) {
            (b'M', 92 | 200..=205 | 207..=209 | 211 | 302 | 566 | 572 | 593 | 900 | 906) => {
                self.keep(code, command);
            }
            (b'M', 420) => {
                self.levelled = command.param(b'S').map_or(self.levelled, |on| {
                    (on != 0.0).then_some("the file has switched bed levelling on (M420)")
                });
            }
            (b'G', 29 | 80 | 81) => {
                self.levelled = Some(
                    "the bed was measured for this print, and the printer has forgotten the measurement",
                );
            }
            (b'M', 206 | 428) | (b'G', 55..=59) => self.lose("the file has moved the origin"),
            (b'M', 218) => self.lose("the file has set where its nozzles are (M218)"),
            (b'G', 10) if command.param(b'L').is_some() => {
                self.lose("the file has set where its nozzles are (G10 L)");
            }
            (b'M', 290) => self.lose("the file has changed the nozzle's height (M290)"),
            (b'M', 350) => self.lose("the file has changed the motors' steps (M350)"),
            _ => {}
        }
    }

    /// The commands that set it all again, in order.
    ///
    /// # Errors
    /// What can't be had back.
    pub(super) fn again(self) -> Result<Vec<String>, &'static str> {
        match self.lost.or(self.levelled) {
            Some(lost) => Err(lost),
            None => Ok(self.lines.into_iter().map(|(.., text)| text).collect()),
        }
    }

    /// One of the same letters overwrites the one before entirely; others may overwrite a part, so the order stays.
    fn keep(&mut self, code: Code, command: &Command<'_>) {
        let letters = command.params().fold(0, |all, (letter, _)| {
            all | 1_u32.checked_shl(u32::from(letter.wrapping_sub(b'A'))).unwrap_or(0)
        });
        // A tool's own is another tool's.
        let tool = command.param(b'T');
        self.lines.retain(|(before, others, text)| {
            let of_tool = stardust_gcode::command::parse(text.as_bytes()).and_then(|it| it.param(b'T'));
            (*before, *others) != (code, letters) || of_tool != tool
        });
        if self.lines.len() >= MOST {
            return self.lose("the file sets too many things to be had back");
        }
        self.lines.push((code, letters, command.text().to_owned()));
    }

    fn lose(&mut self, why: &'static str) {
        self.lost = self.lost.or(Some(why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_gcode::command::parse;

    fn after(lines: &str) -> Result<Vec<String>, &'static str> {
        let mut settings = Settings::default();
        lines.split('|').for_each(|line| settings.follow(&parse(line.as_bytes()).unwrap()));
        settings.again()
    }

    #[rstest]
    #[case::the_last_of_its_kind("M204 S500|M204 S800|G1 X1|M204 S1000", &["M204 S1000"])]
    #[case::parts_of_it_in_order("M204 S500|M204 P1000 T900|M204 S700", &["M204 P1000 T900", "M204 S700"])]
    #[case::tools_apart("M900 K0.04 T0|M900 K0.1 T1|M900 K0.05 T0", &["M900 K0.1 T1", "M900 K0.05 T0"])]
    #[case::of_all_kinds("M201 X500 Y500|M203 Z12|M205 J0.01|M207 S1", &["M201 X500 Y500", "M203 Z12", "M205 J0.01", "M207 S1"])]
    #[case::what_needs_nothing("G28|M73 P1|M117 Hello|M106 S255|M420 S0", &[])]
    fn it_is_set_again(#[case] lines: &str, #[case] expected: &[&str]) {
        assert_eq!(after(lines).unwrap(), expected);
    }

    #[rstest]
    #[case("G28|G29")]
    #[case("G28|G80")]
    #[case("M420 S1 Z10")]
    #[case("M218 T1 X20")]
    #[case("G10 L2 P1 X0")]
    #[case("M290 Z0.1")]
    #[case("M206 Z-0.1")]
    fn it_can_not_be_had_back(#[case] lines: &str) {
        assert!(after(lines).is_err());
    }

    #[test]
    fn levelling_that_was_switched_off_is_none() {
        assert_eq!(after("M420 S1|M420 S0"), Ok(Vec::new()));
        assert_eq!(after("M420 V"), Ok(Vec::new()), "it only reports");
    }

    #[test]
    fn it_is_bounded() {
        let many: Vec<String> = (0..100).map(|tool| format!("M900 K0.1 T{tool}")).collect();
        assert!(after(&many.join("|")).is_err());
    }
}
