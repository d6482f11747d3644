//! The terminal below the progress bar, which is drawn through the outlet of standard error: one that is halted halts no print.
//!
//! Owns: the few control sequences (ECMA-48) that the bar needs, and that a picture of it is one piece. Must not know: what is shown.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use indicatif::TermLike;

use crate::cli::outlets::StandardError;

/// Where the terminal does not tell its size.
const USUAL: (u16, u16) = (80, 24);

/// What belongs to the next picture.
#[derive(Debug, Default)]
pub(super) struct Screen(Mutex<String>);

impl Screen {
    fn add(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_str(text);
    }

    fn go(&self, places: usize, letter: char) {
        if places > 0 {
            self.add(&format!("\x1b[{places}{letter}"));
        }
    }
}

/// Columns and rows.
fn size() -> (u16, u16) {
    let told = rustix::termios::tcgetwinsize(io::stderr()).ok();
    told.map(|told| (told.ws_col, told.ws_row)).filter(|(columns, _)| *columns > 0).unwrap_or(USUAL)
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        size().0
    }

    fn height(&self) -> u16 {
        size().1
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.go(n, 'A');
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.go(n, 'B');
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.go(n, 'C');
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.go(n, 'D');
        Ok(())
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.add(s);
        self.add("\n");
        Ok(())
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.add(s);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K");
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let picture = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if picture.is_empty() { Ok(()) } else { StandardError.write_all(picture.as_bytes()) }
    }
}
