//! Messages to the service manager, which is not waited for. One that does not read, on a system that is stuck, would have the thread
//! stand still that tells it something: a port's, or the one of everything else.
//!
//! Owns: the socket of `sd_notify(3)`. Must not know: what is told.

use std::ffi::OsStr;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, connect, sendmsg, socket_with,
};
use sd_notify::NotifyState;

/// A port that is not kept is opened anew by the next process, which resets many a board: worth a moment.
const ROOM_FOR_A_PORT: Duration = Duration::from_secs(1);

/// Tells this, if there is a service manager.
///
/// # Errors
/// The system's; `WouldBlock` where too much waits to be read.
pub fn tell(states: &[NotifyState<'_>]) -> io::Result<()> {
    send(states, None)
}

/// The same, with an open port that is to be kept; up to a second is waited for room.
///
/// # Errors
/// As [`tell`].
pub fn give(states: &[NotifyState<'_>], port: BorrowedFd<'_>) -> io::Result<()> {
    send(states, Some(port))
}

fn send(states: &[NotifyState<'_>], port: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET") else { return Ok(()) };
    let text: String = states.iter().map(|state| format!("{state}\n")).collect();
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
    connect(&socket, &address(&name)?)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if let Some(port) = &port {
        let patience = Timespec::try_from(ROOM_FOR_A_PORT).map_err(io::Error::other)?;
        // What comes of it shows at once.
        let _ = poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&patience));
        control.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(port)));
    }
    sendmsg(&socket, &[IoSlice::new(text.as_bytes())], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// A path, or behind an `@` a name that no file has.
fn address(name: &OsStr) -> io::Result<SocketAddrUnix> {
    Ok(match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddrUnix::new_abstract_name(name)?,
        None => SocketAddrUnix::new(name)?,
    })
}
