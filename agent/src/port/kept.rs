//! Open ports that outlive this process: systemd's file-descriptor store.
//!
//! A port that stays open is not reset, loses no byte, and is there for the next process at once. systemd gives what it
//! keeps to the process that it starts next (`LISTEN_FDS`, `LISTEN_FDNAMES`). Without systemd nothing is kept, and a
//! port is opened again.
//! Owns: the names of ports there, and what is kept of which. Must not know: what a port is used for.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::{FdFlags, fcntl_setfd};
use sd_notify::NotifyState;
use stardust_outlet::manager;

use super::kill;

/// systemd's limit.
const LONGEST_NAME: usize = 255;

/// The ports that are kept.
#[derive(Debug, Clone, Default)]
pub struct PortStore(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// A port that is kept can't be opened again, not even by this process: it is exclusive. So a copy is at hand.
    ports: BTreeMap<String, OwnedFd>,
    /// Those whose speed is just being found out: none of them is kept, and each may have to be stopped at once.
    sought: BTreeMap<String, OwnedFd>,
    /// Everything stays as it is: the next process takes it over.
    handed_over: bool,
}

impl PortStore {
    /// What systemd has kept for this process. To be called once in its life.
    #[must_use]
    pub fn from_environment() -> Self {
        let store = Self::default();
        match sd_listen_fds::get() {
            Ok(descriptors) => {
                for (name, port) in descriptors {
                    let port = port.into_std();
                    // No program that this one might start gets it.
                    let _ = fcntl_setfd(&port, FdFlags::CLOEXEC);
                    tracing::info!(port.kept = name, "took over an open port");
                    store.lock().ports.insert(name.unwrap_or_default(), port);
                }
            }
            Err(error) => tracing::warn!(error = %error, "what systemd has kept can't be taken over"),
        }
        store
    }

    /// Whether somebody keeps ports when this process ends.
    #[must_use]
    pub fn is_kept() -> bool {
        std::env::var_os("NOTIFY_SOCKET").is_some()
    }

    /// From now on nothing that is kept is given back: the next process takes it over.
    pub fn hand_over(&self) {
        self.lock().handed_over = true;
    }

    /// The place of one port, by a name that no other one has.
    #[must_use]
    pub fn keeper(&self, name: &str) -> Keeper {
        Keeper { store: self.clone(), name: plain(name) }
    }

    /// Stops every machine at once whose port is open, past whatever drives it: how many took `M112`, of how many. Takes up to
    /// a second for each.
    #[must_use]
    pub fn kill_all(&self) -> (usize, usize) {
        let (known, sought) = {
            let inner = self.lock();
            (copies(&inner.ports), copies(&inner.sought))
        };
        let known_took = known.iter().map(kill::at_once);
        let took = known_took.chain(sought.iter().map(kill::at_once_at_every_speed));
        (took.filter(|on_wire| *on_wire).count(), known.len() + sought.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A map is whole, whoever panicked with it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn copies(ports: &BTreeMap<String, OwnedFd>) -> Vec<OwnedFd> {
    ports.values().filter_map(|port| port.try_clone().ok()).collect()
}

/// The place of one port in the store.
#[derive(Debug, Clone)]
pub struct Keeper {
    store: PortStore,
    name: String,
}

impl Keeper {
    /// The port that is kept, if it is the device of this name.
    pub(super) fn take(&self, device: &Path) -> Option<OwnedFd> {
        let store = self.store.lock();
        let port = store.ports.get(&self.name)?;
        let is_it = rustix::fs::stat(device).ok()?.st_rdev == rustix::fs::fstat(port).ok()?.st_rdev;
        is_it.then(|| port.try_clone().ok()).flatten()
    }

    /// The speed of an open port is being found out; none: not any more.
    pub(super) fn seek(&self, port: Option<&OwnedFd>) {
        let copy = port.and_then(|port| port.try_clone().ok());
        let sought = &mut self.store.lock().sought;
        match copy {
            Some(copy) => drop(sought.insert(self.name.clone(), copy)),
            None => drop(sought.remove(&self.name)),
        }
    }

    /// Keeps an open port.
    pub(super) fn keep(&self, port: &OwnedFd) {
        let Ok(copy) = port.try_clone() else { return };
        self.forget();
        self.store.lock().ports.insert(self.name.clone(), copy);
        let state = [NotifyState::FdStore, NotifyState::FdName(&self.name)];
        if let Err(error) = manager::give(&state, port.as_fd()) {
            tracing::warn!(error = %error, "systemd does not keep the port: a restart will open it anew");
        }
    }

    /// The port is gone, or not needed any more.
    pub(super) fn forget(&self) {
        let forgotten = {
            let mut store = self.store.lock();
            if store.handed_over { None } else { store.ports.remove(&self.name) }
        };
        // Behind the lock: who stops every machine at once needs it, and the last one that closes a port waits for what is in it.
        if forgotten.is_some() {
            let state = [NotifyState::FdStoreRemove, NotifyState::FdName(&self.name)];
            // What is not removed is given to the next process, and found to be of no use there.
            let _ = manager::tell(&state);
        }
    }
}

/// systemd takes neither control characters nor colons nor anything beyond ASCII.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            plain.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(plain, "%{byte:02x}");
        }
    }
    plain.truncate(LONGEST_NAME);
    plain
}

#[cfg(test)]
mod tests {
    use super::super::open::open;
    use super::super::open::tests::pty;
    use super::*;

    #[test]
    fn a_port_that_is_kept_is_taken_again_while_it_can_not_be_opened() {
        let (_master, path) = pty();
        let keeper = PortStore::default().keeper("ender");
        assert!(keeper.take(&path).is_none());
        let port = open(&path, 115_200).unwrap();
        keeper.keep(&port);
        drop(port);
        assert!(open(&path, 115_200).is_err(), "it is still open");
        let (_other, elsewhere) = pty();
        assert!(keeper.take(&elsewhere).is_none(), "another device");
        assert!(keeper.take(&path).is_some());
        keeper.forget();
        assert!(keeper.take(&path).is_none());
        assert!(open(&path, 115_200).is_ok());
    }

    #[test]
    fn what_is_handed_over_is_not_given_back() {
        let (_master, path) = pty();
        let store = PortStore::default();
        let keeper = store.keeper("ender");
        keeper.keep(&open(&path, 115_200).unwrap());
        store.hand_over();
        keeper.forget();
        assert!(keeper.take(&path).is_some());
    }

    #[test]
    fn names_are_plain_and_stay_different() {
        assert_eq!(plain("ender-left"), "ender-left");
        assert_eq!(plain("drucker-größe:2"), "drucker-gr%c3%b6%c3%9fe%3a2");
    }
}
