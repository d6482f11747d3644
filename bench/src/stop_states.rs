//! The states in which a printer may be when it is to be stopped at once.
//!
//! Owns: what is printed to bring it there, and by which line the printer shows that it is there. Must not know: who stops it.

use std::path::{Path, PathBuf};

/// Firmware that looks at a stop only when it has done what it does.
const DEAF: &[&str] = &["--no-emergency-parser"];
/// As many as the agent tries.
const SPEEDS: usize = 7;
const COLD: &str = "M302 P1\nG90\nM82\nG92 E0\n";

/// What the printer and its port are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    Printing,
    Paused,
    HeatingBed,
    HeatingNozzle,
    Homing,
    /// A move of minutes, and the queue is full.
    LongMove,
    /// The next process of the agent has asked where the job is, and the printer has not answered yet.
    Attaching,
    /// Nothing answers at any speed.
    Seeking,
    /// There is no port; counted from when it is there again.
    Closed,
    /// Its speed is known, and nothing has answered the greeting yet.
    Greeting,
    /// The firmware waits for a person: `M600`.
    FilamentChange,
    /// Lines get damaged, and one was just sent again.
    Recovering,
    /// It takes no command but the one that unlocks it.
    Locked,
    /// It prints from its memory card, as somebody at its panel wanted.
    OnCard,
}

impl State {
    pub(crate) const ALL: [Self; 15] = [
        Self::Idle,
        Self::Printing,
        Self::Paused,
        Self::HeatingBed,
        Self::HeatingNozzle,
        Self::Homing,
        Self::LongMove,
        Self::Attaching,
        Self::Seeking,
        Self::Closed,
        Self::Greeting,
        Self::FilamentChange,
        Self::Recovering,
        Self::Locked,
        Self::OnCard,
    ];
    /// Those in which `print` does not end by the first Ctrl-C at once. Of a print whose port was lost, and is back, the first is one to
    /// stop at once: it has failed. While the port is out there is nothing to stop by key: the first one ends the waiting for it soon,
    /// the next one at once, and both say that the printer may be hot.
    pub(crate) const STOPPED_BY_KEY: [Self; 9] = [
        Self::Printing,
        Self::Paused,
        Self::HeatingBed,
        Self::HeatingNozzle,
        Self::Homing,
        Self::LongMove,
        Self::FilamentChange,
        Self::Recovering,
        Self::Seeking,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Printing => "printing",
            Self::Paused => "paused",
            Self::HeatingBed => "waiting in M190",
            Self::HeatingNozzle => "waiting in M109",
            Self::Homing => "homing",
            Self::LongMove => "in a move of minutes",
            Self::Attaching => "agent restarted, attaching",
            Self::Seeking => "speed sought, the last of all",
            Self::Closed => "port back, the last of all speeds",
            Self::Greeting => "greeted, not answered yet",
            Self::FilamentChange => "waiting for a person (M600)",
            Self::Recovering => "a line sent again",
            Self::Locked => "locked",
            Self::OnCard => "printing from its card",
        }
    }

    /// How the simulator is started.
    pub(crate) fn printer(self) -> &'static [&'static str] {
        match self {
            Self::HeatingBed | Self::HeatingNozzle | Self::Homing | Self::LongMove | Self::FilamentChange => {
                DEAF
            }
            Self::Recovering => &["--fault", "corrupt-in=15%", "--seed", "1"],
            Self::Locked => &["--locked"],
            Self::OnCard => &["--sd-print", "900000"],
            _ => &[],
        }
    }

    /// As what the hub shows its printer before anything is done with it.
    pub(crate) fn shown_as(self) -> &'static str {
        match self {
            Self::Locked => "attention",
            Self::OnCard => "printing",
            _ => "idle",
        }
    }

    /// Nobody is at the other end of the port.
    pub(crate) fn is_silent(self) -> bool {
        matches!(self, Self::Seeking | Self::Closed | Self::Greeting)
    }

    /// So often it is sent: where nobody knows the speed, at each.
    pub(crate) fn times(self) -> usize {
        if matches!(self, Self::Seeking | Self::Closed) { SPEEDS } else { 1 }
    }

    /// What is printed: the lines, and which one, how often, has come to the printer when it is there.
    fn job(self) -> Option<(String, &'static str, usize)> {
        let heats = |wait: &str| format!("{COLD}{wait}\nG1 X10 F3000\n");
        match self {
            Self::Idle | Self::Greeting | Self::Locked | Self::OnCard | Self::Seeking | Self::Closed => None,
            Self::Printing | Self::Paused | Self::Recovering => Some((many_moves(), "G1 X", 100)),
            Self::FilamentChange => Some((format!("{COLD}M600\nG1 X10 F3000\n"), "M600", 1)),
            Self::HeatingBed => Some((heats("M190 S100"), "M190", 1)),
            Self::HeatingNozzle => Some((heats("M109 S250"), "M109", 1)),
            Self::Homing => Some((format!("{COLD}G28\nG1 X10 F3000\n"), "G28", 1)),
            Self::LongMove | Self::Attaching => Some((long_moves(), "G1 X", 17)),
        }
    }

    /// Writes the file; it, and the line and its count.
    pub(crate) fn file(self, folder: &Path) -> std::io::Result<Option<(PathBuf, &'static str, usize)>> {
        let Some((text, line, count)) = self.job() else { return Ok(None) };
        // A file for each state: the hub knows it again.
        let path = folder.join(format!("{self:?}.gcode"));
        std::fs::write(&path, format!("{text}M104 S0\nM140 S0\n"))?;
        Ok(Some((path, line, count)))
    }
}

/// Moves of 3 mm, for some minutes.
fn many_moves() -> String {
    let moves = (0..6000).map(|step| format!("G1 X{} Y{} F3600\n", 100 + step % 2 * 3, 100 + step / 2 % 2));
    COLD.to_owned() + &moves.collect::<String>()
}

/// Moves of 200 s: more of them than a planner and a queue hold.
fn long_moves() -> String {
    let moves = (0..60).map(|step| format!("G1 X{} F60\n", step % 2 * 200));
    COLD.to_owned() + &moves.collect::<String>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_holds_the_line_by_which_its_state_is_known() {
        for state in State::ALL {
            let Some((text, line, count)) = state.job() else { continue };
            assert!(text.matches(line).count() >= count, "{state:?}");
        }
    }
}
