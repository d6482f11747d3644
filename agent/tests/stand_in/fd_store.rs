//! A stand-in for systemd's file-descriptor store, and no more than that: the test's own process keeps the printer's
//! port open, and gives it to each agent that it starts, as systemd would (`LISTEN_FDS`).

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is told on the notification socket is not waited for: the port is known beforehand.
pub(crate) struct FdStore {
    address: PathBuf,
    port: Option<OwnedFd>,
}

impl FdStore {
    /// `folder` is for its socket.
    pub(crate) fn new(folder: &Path) -> Self {
        let address = folder.join("notify");
        let socket = UnixDatagram::bind(&address).unwrap();
        // The agent's messages end here. They are read, all of them: a queue that is full would make the agent wait, the
        // sooner the longer the test takes.
        std::thread::spawn(move || while socket.recv(&mut [0; 4096]).is_ok() {});
        Self { address, port: None }
    }

    /// Keeps the port of that name that this agent has open: a copy of its own descriptor, as systemd gets one.
    pub(crate) fn keep_port_of(&mut self, agent: &std::process::Child, port: &Path) {
        let port = std::fs::canonicalize(port).unwrap();
        let folder = format!("/proc/{}/fd", agent.id());
        let number = std::fs::read_dir(folder).unwrap().flatten().find_map(|entry| {
            let is_it = std::fs::read_link(entry.path()).is_ok_and(|open| open == port);
            is_it.then(|| entry.file_name().to_string_lossy().parse::<i32>().unwrap())
        });
        let process = rustix::process::Pid::from_child(agent);
        let process = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).unwrap();
        let flags = rustix::process::PidfdGetfdFlags::empty();
        self.port = Some(rustix::process::pidfd_getfd(process, number.unwrap(), flags).unwrap());
    }

    /// The command, with what is kept as its descriptor 3 under this name.
    pub(crate) fn give(&self, command: &Command, name: &str) -> Command {
        let mut given = Command::new("sh");
        given.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        given.env("NOTIFY_SOCKET", &self.address);
        let Some(port) = &self.port else {
            given.args(["-c", "exec \"$@\"", "sh"]);
            given.arg(command.get_program()).args(command.get_args());
            return given;
        };
        // The shell puts standard input, which is the port, where systemd would have it; its own process becomes the agent.
        given.stdin(port.try_clone().unwrap());
        given.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
        given.args(["-c", "export LISTEN_PID=$$; exec \"$@\" 3<&0 0</dev/null", "sh"]);
        given.arg(command.get_program()).args(command.get_args());
        given
    }
}
