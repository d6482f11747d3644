//! Starts child processes such that none outlives this one, even when this one is killed with -9.
//!
//! `setpriv --pdeathsig` asks the kernel to end the child together with its parent, without a line of unsafe code
//! here. The kernel means the parent's *thread*, hence one thread, alive to the end, that starts them all.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};

const SETPRIV: &str = "/usr/bin/setpriv";

/// The command for a program that shall end with its parent.
pub(crate) fn command(program: &Path) -> Command {
    if Path::new(SETPRIV).exists() {
        let mut command = Command::new(SETPRIV);
        command.args([OsStr::new("--pdeathsig"), OsStr::new("TERM"), OsStr::new("--"), program.as_os_str()]);
        command
    } else {
        Command::new(program)
    }
}

/// Our processes take settings from their command line and the options given here, not from the caller's shell.
pub(crate) fn forget_settings(command: &mut Command) {
    let ours = |name: &OsString| {
        name.to_str()
            .is_some_and(|name| name.starts_with("STARDUST_HUB_") || name.starts_with("STARDUST_AGENT_"))
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    // All of a house is on this machine.
    command.env("NO_PROXY", "127.0.0.1,localhost").env("no_proxy", "127.0.0.1,localhost");
}

/// Starts a command from the thread that lives as long as the process.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    type Request = (Command, SyncSender<io::Result<Child>>);
    static SPAWNER: OnceLock<Sender<Request>> = OnceLock::new();
    let gone = || io::Error::other("the thread that starts processes has ended");
    let spawner = SPAWNER.get_or_init(|| {
        let (requests, inbox) = channel::<Request>();
        std::thread::spawn(move || {
            for (mut command, answer) in inbox {
                // The asker waits: a failed send means that it is gone, and the child goes with it.
                let _ = answer.send(command.spawn());
            }
        });
        requests
    });
    let (answer, outcome) = sync_channel(1);
    spawner.send((command, answer)).map_err(|_| gone())?;
    outcome.recv().map_err(|_| gone())?
}
