//! One line of the firmware, understood.
//!
//! Owns: the spellings of replies over firmwares. Must not know: what was asked, or what follows from it.

mod error;
mod temperatures;

pub use error::ErrorKind;
pub use temperatures::{Heat, TemperatureReport};

/// What an `ok` may carry (Marlin's `ADVANCED_OK`). The room left that `P` and `B` tell is a hint only, known to
/// be wrong at times, and is not kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ok {
    /// The line number that it acknowledges.
    pub line: Option<u32>,
    /// Nothing at all stood behind it.
    pub bare: bool,
    /// It carried a line number or the room left: the firmware has `ADVANCED_OK`.
    pub advanced: bool,
    /// Temperatures: the answer of M105 comes on the same line.
    pub temperatures: Option<TemperatureReport>,
    /// The answer of M115 on the same line (Klipper): a [`Reply::Firmware`].
    pub firmware: Option<Box<Reply>>,
}

/// Why the firmware is busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// At work on a long command.
    Processing,
    /// Waits for a person.
    ForPerson,
}

/// A line of the firmware.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// A credit: the firmware has done with a line.
    Ok(Ok),
    /// Send again from this line number on.
    Resend(u32),
    /// `Error:…`, `!!`, `fatal:…`.
    Error(ErrorKind, String),
    /// A long command is being worked on.
    Busy(Busy),
    /// The controller has started (anew).
    Start,
    /// Klipper is at work. It says so when it has been started anew behind a stop, and whenever it is asked (`STATUS`).
    Ready,
    /// Idle firmware asks for something to do.
    Wait,
    /// Temperatures, by request, by themselves or while waiting for them.
    Temperatures(TemperatureReport),
    /// The answer of M115: the name up to the next field, how many extruders it tells, and the machine.
    Firmware(String, Option<u32>, Option<String>),
    /// One capability of M115.
    Capability(String, bool),
    /// `// action:…`: the firmware asks something of its host.
    Action(String),
    /// `echo:…`
    Echo(String),
    /// Anything else.
    Other(String),
}

impl Reply {
    /// Reads one line.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let text = line.trim();
        if let Some(rest) = text.strip_prefix("ok") {
            if !rest.starts_with(|c: char| c.is_ascii_lowercase()) {
                return Self::Ok(parse_ok(rest));
            }
        }
        if let Some(number) = resend_number(text) {
            return Self::Resend(number);
        }
        match text {
            "start" => return Self::Start,
            "wait" => return Self::Wait,
            _ => {}
        }
        if let Some((kind, message)) = error::parse(text) {
            return Self::Error(kind, message.to_owned());
        }
        if let Some(rest) = text.strip_prefix("//").map(str::trim_start) {
            if let Some(action) = rest.strip_prefix("action:") {
                return Self::Action(action.trim().to_owned());
            }
            if rest == "Klipper state: Ready" {
                return Self::Ready;
            }
            // Its `!!` says no more than that one command was refused (klippy/gcode.py).
            if ["Klipper state: Shutdown", "Klipper state: Disconnect"].contains(&rest) {
                return Self::Error(ErrorKind::Fatal, rest.to_owned());
            }
        }
        let (echo, body) = match text.strip_prefix("echo:") {
            Some(body) => (true, body.trim_start()),
            None => (false, text),
        };
        if let Some(what) = body.strip_prefix("busy:") {
            let for_person = what.contains("paused for");
            return Self::Busy(if for_person { Busy::ForPerson } else { Busy::Processing });
        }
        if echo {
            return Self::Echo(body.to_owned());
        }
        if let Some(rest) = text.strip_prefix("Cap:") {
            return match rest.split_once(':') {
                Some((name, value)) => Self::Capability(name.trim().to_owned(), value.trim() == "1"),
                None => Self::Other(text.to_owned()),
            };
        }
        if let Some(firmware) = firmware(text) {
            return firmware;
        }
        match TemperatureReport::parse(text) {
            Some(report) => Self::Temperatures(report),
            None => Self::Other(text.to_owned()),
        }
    }
}

/// Marlin tells with its banner why it has started: with it a reset is known whose `start` was lost.
#[must_use]
pub(super) fn tells_a_reset(text: &str) -> bool {
    matches!(text, "PowerUp" | "External Reset" | "Brown out Reset" | "Watchdog Reset" | "Software Reset")
}

/// ` N10 P15 B3` and nothing else is an advanced one: two lines run together (`okM106 P0 S77`) must not look so.
/// Repetier says ` 10`, the line number alone.
fn parse_ok(rest: &str) -> Ok {
    let number = |word: &str, letter: char| {
        let digits = word.strip_prefix(letter)?;
        (!digits.is_empty() && digits.len() < 11 && digits.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| digits.parse::<u32>().ok())?
    };
    let alone = rest.strip_prefix(' ').and_then(|rest| number(&format!("N{rest}"), 'N'));
    let mut words = rest.split_ascii_whitespace().peekable();
    let line = words.peek().and_then(|word| number(word, 'N')).or(alone);
    if line.is_some() {
        words.next();
    }
    let room = rest.starts_with(' ')
        && words.next().is_some_and(|word| number(word, 'P').is_some())
        && words.next().is_some_and(|word| number(word, 'B').is_some())
        && words.next().is_none();
    let firmware = firmware(rest.trim_start()).map(Box::new);
    Ok {
        line,
        bare: rest.trim().is_empty(),
        advanced: room,
        temperatures: TemperatureReport::parse(rest),
        firmware,
    }
}

/// `Resend: 5`, `Resend:5`, `rs 5`, `rs N5 Expected checksum 67`.
fn resend_number(text: &str) -> Option<u32> {
    let rest = text
        .strip_prefix("Resend:")
        .or_else(|| text.strip_prefix("resend:"))
        .or_else(|| text.strip_prefix("rs "))?;
    let rest = rest.trim_start().trim_start_matches(['N', ':']);
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

/// The answer of M115. Klipper may put its version before its name.
fn firmware(text: &str) -> Option<Reply> {
    let name = firmware_name(text)?;
    Some(Reply::Firmware(name, extruder_count(text), machine_type(text)))
}

/// The value of `FIRMWARE_NAME:` up to the next `KEY:` of that line.
fn firmware_name(text: &str) -> Option<String> {
    let later =
        || text.strip_prefix("FIRMWARE_VERSION:")?.split_once(" FIRMWARE_NAME:").map(|(_, rest)| rest);
    let rest = text.strip_prefix("FIRMWARE_NAME:").or_else(|| text.strip_prefix("NAME.")).or_else(later)?;
    Some(up_to_next_key(rest))
}

/// `MACHINE_TYPE`: what the maker has called the machine.
fn machine_type(text: &str) -> Option<String> {
    let name = up_to_next_key(text.split_once("MACHINE_TYPE:")?.1);
    (!name.is_empty()).then_some(name)
}

fn up_to_next_key(rest: &str) -> String {
    let is_key = |word: &str| {
        word.split_once(':').is_some_and(|(key, _)| {
            key.len() > 3 && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        })
    };
    let words: Vec<&str> = rest.split_ascii_whitespace().take_while(|word| !is_key(word)).collect();
    words.join(" ")
}

fn extruder_count(text: &str) -> Option<u32> {
    let count = text.split_once("EXTRUDER_COUNT:")?.1;
    count.split_ascii_whitespace().next()?.parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests;
