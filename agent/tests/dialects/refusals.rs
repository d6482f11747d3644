//! Which firmware can't take which line as it stands: after the firmwares' sources (decision 18), not after the agent's tables. A host that
//! refuses more than that keeps people from printing what their printer can.

use stardust_agent::serial::dialect::Dialect::{self, *};

use crate::odd_lines::{Due, OddLine};

/// The number and the checksum take at least so much, and at most twice as much.
const AROUND: usize = 6;

/// Whether a file with this line may be refused for a printer with this firmware.
pub(crate) fn may_be_refused(line: &OddLine, dialect: Dialect) -> bool {
    let text = String::from_utf8_lossy(&line.bytes);
    match &line.due {
        Due::Refusal => true,
        Due::Nothing | Due::Pause => false,
        Due::Message(said) => is_too_long(said, dialect),
        Due::Exactly(_) | Due::Named(..) => {
            line.may_be_refused && (is_too_long(&text, dialect) || can_not_take(&text, dialect))
        }
    }
}

/// Whether it may not fit the buffer of a line.
fn is_too_long(text: &str, dialect: Dialect) -> bool {
    match dialect {
        Klipper => false,
        // Sent without a number.
        RepRapFirmware => text.len() >= 255,
        _ => text.len() + 2 * AROUND > 95,
    }
}

fn can_not_take(text: &str, dialect: Dialect) -> bool {
    let letter_and_number = text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    let behind_the_first = text.get(1..).unwrap_or_default();
    match dialect {
        // Marlin's parser cuts at them, or takes the next character for another.
        Marlin | Marlin1 => text.contains([';', '*', '\\']),
        Prusa => text.contains([';', '*']),
        // It keeps quotes together, and wants them closed.
        RepRapFirmware => {
            let outside: String = text.split('"').step_by(2).collect();
            outside.contains([';', '*']) || text.matches('"').count() % 2 == 1
        }
        Klipper if letter_and_number => text.contains([';', '*']),
        Klipper => !are_shell_words(text),
        // Of 2014, and what was made of it: no words, and a G anywhere is the command.
        Ultimaker2 | Malyan if !letter_and_number => true,
        Ultimaker2 => text.contains([';', '*', ':']) || behind_the_first.contains('G'),
        Malyan => text.contains([';', '*', ':', '\\']) || behind_the_first.contains('G'),
        Repetier if !letter_and_number => true,
        // Letters are looked for wherever they stand, capital or not.
        Repetier => {
            text.contains([';', '*', '(', '%']) || behind_the_first.contains(['g', 'G', 'm', 'M', 'n', 'N'])
        }
        // Every letter is looked at.
        Teacup => true,
    }
}

/// A command and `NAME=value` behind it, quoted as in a shell.
fn are_shell_words(text: &str) -> bool {
    let mut quote = None;
    let mut words = vec![String::new()];
    for c in text.chars() {
        match quote {
            Some(closing) if c == closing => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ' ' => words.push(String::new()),
            None => words.last_mut().unwrap().push(c),
        }
    }
    quote.is_none() && words.iter().skip(1).all(|word| word.contains('='))
}
