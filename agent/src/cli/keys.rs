//! Keys while a file is printed: `p` and Ctrl-Z pause and go on, Enter goes on, 1 to 9 press a button of the printer's.
//!
//! Owns: the terminal's mode, which is put back whatever happens but kill -9. Must not know: printers.

use std::io::{Read as _, Stdin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

/// What a person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To pause, or to go on when it is paused.
    Toggle,
    /// To go on.
    GoOn,
    /// To answer what the printer asks, by the button of this number, from 0.
    Button(u8),
}

/// Whoever is faster waits.
const MOST_WISHES: usize = 16;

/// While another program has the terminal, it is looked at this often whether that is over.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The keyboard, for as long as this lives.
pub(super) struct Keys {
    wishes: mpsc::Receiver<Wish>,
    suspend: Signal,
    mode: Mode,
}

/// How the terminal is set, while it is this program's.
#[derive(Clone, Default)]
struct Mode(Arc<Mutex<Option<SingleKeys>>>);

impl Keys {
    /// Begins to listen. Where standard input is no terminal, lines are read instead of keys.
    pub(super) fn listen() -> std::io::Result<Self> {
        let (sender, wishes) = mpsc::channel(MOST_WISHES);
        let mode = Mode::default();
        mode.begin();
        let of_thread = mode.clone();
        // A thread, because reading from a terminal can't be given up; it ends with the process.
        std::thread::Builder::new().name("keys".into()).spawn(move || {
            for key in std::io::stdin().lock().bytes() {
                match key {
                    Ok(key) if wish(key).is_some_and(|wish| sender.blocking_send(wish).is_err()) => return,
                    Ok(_) => {}
                    // In the background. As soon as it is not any more, there may be keys.
                    Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) && !is_ours() => {
                        while !is_ours() {
                            std::thread::park_timeout(LOOK_AGAIN);
                        }
                        of_thread.begin();
                    }
                    Err(_) => return,
                }
            }
        })?;
        // Taking the signal also keeps the process from being stopped by it: a stopped host starves the printer.
        let suspend = signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?;
        Ok(Self { wishes, suspend, mode })
    }

    /// The next wish.
    pub(super) async fn wish(&mut self) -> Wish {
        tokio::select! {
            Some(wish) = self.wishes.recv() => wish,
            _ = self.suspend.recv() => Wish::Toggle,
        }
    }
}

/// The terminal's mode is put back, also where the thread still reads.
impl Drop for Keys {
    fn drop(&mut self) {
        self.mode.lock().take();
    }
}

impl Mode {
    /// Sets it, where the terminal is this program's to set.
    fn begin(&self) {
        if is_ours() {
            let mut mode = self.lock();
            // As it was before the first time.
            drop(mode.take());
            *mode = SingleKeys::begin(std::io::stdin()).ok();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<SingleKeys>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether no other program has the terminal that is standard input. Nobody hands out one that is not this session's.
fn is_ours() -> bool {
    tcgetpgrp(std::io::stdin()).map_or(true, |foreground| foreground == getpgrp())
}

fn wish(key: u8) -> Option<Wish> {
    match key {
        b'p' | b'P' => Some(Wish::Toggle),
        b'\n' | b'\r' => Some(Wish::GoOn),
        b'1'..=b'9' => Some(Wish::Button(key - b'1')),
        _ => None,
    }
}

/// A terminal that hands over each key at once and does not show it.
struct SingleKeys {
    terminal: Stdin,
    before: Termios,
}

impl SingleKeys {
    fn begin(terminal: Stdin) -> std::io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut single = before.clone();
        // Ctrl-C and Ctrl-Z stay signals.
        single.local_modes -= LocalModes::ECHO | LocalModes::ICANON;
        single.special_codes[SpecialCodeIndex::VMIN] = 1;
        single.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&terminal, OptionalActions::Now, &single)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for SingleKeys {
    fn drop(&mut self) {
        if !is_ours() {
            return;
        }
        // Nothing can be done about a terminal that has gone away.
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b'p', Some(Wish::Toggle))]
    #[case(b'P', Some(Wish::Toggle))]
    #[case(b'\n', Some(Wish::GoOn))]
    #[case(b'1', Some(Wish::Button(0)))]
    #[case(b'0', None)]
    #[case(b'q', None)]
    #[case(0x1b, None)]
    fn keys(#[case] key: u8, #[case] expected: Option<Wish>) {
        assert_eq!(wish(key), expected);
    }
}
