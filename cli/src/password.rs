//! Asking for an e-mail address and a password.
//!
//! Owns: the hidden input. The terminal is put back whatever happens: echo and signals are off while the
//! password is typed, Ctrl-C is read as a key, and a signal that ends the program is waited for. Must not
//! know: what the password is for.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Stdin, Write as _};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;

/// Asks for a line of text.
pub(crate) fn ask(prompt: &str) -> Result<String, CliError> {
    require_terminal("--email")?;
    show(prompt)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(CliError::Terminal)?;
    Ok(line.trim().to_owned())
}

/// Asks for a text that is not shown.
pub(crate) async fn ask_hidden(prompt: &str) -> Result<String, CliError> {
    require_terminal("--password-stdin")?;
    let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Terminal)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(CliError::Terminal)?;
    show(prompt)?;
    let hidden = Hidden::begin(io::stdin()).map_err(CliError::Terminal)?;
    let typed = tokio::select! {
        typed = tokio::task::spawn_blocking(read_keys) => {
            typed.unwrap_or_else(|_| Err(io::Error::other("reading was cut off")))
        }
        _ = terminate.recv() => Ok(None),
        _ = hang_up.recv() => Ok(None),
    };
    drop(hidden);
    show("\n")?;
    typed.map_err(CliError::Terminal)?.ok_or_else(|| CliError::Failed("cancelled".into()))
}

/// The first line of standard input.
pub(crate) fn from_stdin() -> Result<String, CliError> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(CliError::Terminal)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(CliError::Usage("there is no password on standard input".into()));
    }
    Ok(password.to_owned())
}

fn require_terminal(instead: &str) -> Result<(), CliError> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CliError::Usage(format!("there is no terminal to ask at: give {instead}")))
}

fn show(text: &str) -> Result<(), CliError> {
    let mut out = io::stderr();
    write!(out, "{text}").and_then(|()| out.flush()).map_err(CliError::Terminal)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden {
    terminal: Stdin,
    before: Termios,
}

impl Hidden {
    fn begin(terminal: Stdin) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut hidden = before.clone();
        hidden.local_modes -= LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG;
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Flush: what was typed before the prompt is not the password.
        tcsetattr(&terminal, OptionalActions::Flush, &hidden)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that has gone away.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Reads keys up to Enter; none when the person gave up.
fn read_keys() -> io::Result<Option<String>> {
    let mut typed = Vec::new();
    for key in io::stdin().lock().bytes() {
        match press(&mut typed, key?) {
            Typing::GoesOn => {}
            Typing::Done => return Ok(Some(String::from_utf8_lossy(&typed).into_owned())),
            Typing::GivenUp => return Ok(None),
        }
    }
    Ok(None)
}

#[derive(Debug, PartialEq, Eq)]
enum Typing {
    GoesOn,
    Done,
    GivenUp,
}

/// What a key does, as line editing of terminals has it.
fn press(typed: &mut Vec<u8>, key: u8) -> Typing {
    match key {
        b'\r' | b'\n' => return Typing::Done,
        // Ctrl-C, Ctrl-\; Ctrl-D on an empty line.
        0x03 | 0x1C => return Typing::GivenUp,
        0x04 => return if typed.is_empty() { Typing::GivenUp } else { Typing::Done },
        // Backspace takes a whole character.
        0x08 | 0x7F => while typed.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {},
        // Ctrl-U.
        0x15 => typed.clear(),
        // Ctrl-Z would stop the program with the echo off.
        0x1A => {}
        key => typed.push(key),
    }
    Typing::GoesOn
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("secret\r", Some("secret"))]
    #[case("secres\x7ft\n", Some("secret"))]
    #[case("pä\x7fö\n", Some("pö"))]
    #[case("\x7f\x7fa\n", Some("a"))]
    #[case("wrong\x15right\n", Some("right"))]
    #[case("a\x1ab\x04", Some("ab"))]
    #[case("\n", Some(""))]
    #[case("secret\x03", None)]
    #[case("\x04", None)]
    fn keys(#[case] pressed: &str, #[case] expected: Option<&str>) {
        let mut typed = Vec::new();
        let end = pressed.bytes().map(|key| press(&mut typed, key)).find(|typing| *typing != Typing::GoesOn);
        let result = (end == Some(Typing::Done)).then(|| String::from_utf8(typed).unwrap());
        assert_eq!(result.as_deref(), expected);
    }
}
