//! Making a message harmless: what a person reads stays, what a firmware would act on goes.
//!
//! Owns: which byte becomes which. Must not know: the firmwares' names.

use stardust_gcode::command::{Code, Command};

use super::echoed;
use super::firmwares::{Firmware, Shape};

/// The message as it may be sent; none where it may as it stands.
pub(super) fn harmless(command: &Command<'_>, firmware: &Firmware) -> Option<Command<'static>> {
    let argument = command.argument();
    let untouched = firmware.shape == Shape::Untouched;
    let mut text = if untouched { argument.to_owned() } else { replaced(argument, firmware) };
    if firmware.finds_m110 {
        // It is looked for as it is written.
        text = text.replace("M110", "m110");
    }
    if command.is(Code::m(118)) {
        text = echoed::harmless(text);
    }
    match firmware.shape {
        Shape::Plain | Shape::Untouched => {}
        Shape::LowerCase => text.make_ascii_lowercase(),
        Shape::Comment if text.is_empty() => {}
        Shape::Comment => text = format!("({})", text.replace('(', "[").replace(')', "]")),
    }
    // Without a space behind the code (`M117Hello`) it is a message, too.
    (text != argument).then(|| command.with_argument(text.trim_end()))
}

fn replaced(text: &str, firmware: &Firmware) -> String {
    let keeps = firmware.quotes_keep && left_open(text).is_none();
    let mut quoted = false;
    text.chars()
        .map(|c| {
            quoted ^= c == '"';
            let means = c.is_ascii()
                && (firmware.means.contains(&(c as u8)) || firmware.may_mean.contains(&(c as u8)));
            let opens = firmware.quotes_keep && (matches!(c, '{' | '}') || c == '"' && !keeps);
            if keeps && quoted || !(means || opens) { c } else { instead_of(c) }
        })
        .collect()
}

fn instead_of(c: char) -> char {
    match c {
        ';' => ',',
        '*' => 'x',
        '\\' => '/',
        '"' => '\'',
        '(' | '{' => '[',
        ')' | '}' => ']',
        ':' => '.',
        '%' => '/',
        c => c,
    }
}

/// The first byte that means something, outside quotes and braces where those keep it from that.
pub(super) fn meaning(text: &str, means: &[u8], quotes_keep: bool) -> Option<char> {
    let (mut quoted, mut braces) = (false, 0_usize);
    text.chars().find(|c| {
        if quotes_keep {
            quoted ^= *c == '"';
            match c {
                '{' if !quoted => braces += 1,
                '}' if !quoted => braces = braces.saturating_sub(1),
                _ => {}
            }
        }
        !quoted && braces == 0 && c.is_ascii() && means.contains(&(*c as u8))
    })
}

/// What is opened in it and not closed.
pub(super) fn left_open(text: &str) -> Option<char> {
    let (mut quoted, mut braces) = (false, 0_usize);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '{' if !quoted => braces += 1,
            '}' if !quoted => braces = braces.saturating_sub(1),
            _ => {}
        }
    }
    if quoted { Some('"') } else { (braces > 0).then_some('{') }
}
