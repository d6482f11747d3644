//! The service that drives the printers of this machine, and acting as its user.
//!
//! Owns: what root has to do differently: the credential belongs to the service's user, and the port has to be opened
//! with that user's rights, or the service could not. So root's `pair` runs itself again as that user, and only then
//! starts the service. Must not know: printers.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::settings::Settings;

/// The unit's name.
const UNIT: &str = "stardust-agent.service";

/// The user that the data belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Whom to act as: the owner of the data directory, if we are root and it is somebody else.
#[must_use]
pub fn other_owner(data: &Path) -> Option<Owner> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let metadata = std::fs::metadata(data).ok()?;
    let owner = Owner { uid: metadata.uid(), gid: metadata.gid() };
    (owner.uid != 0).then_some(owner)
}

/// Runs this program again as that user, with all of its groups (the serial ports' is one) and no more rights.
///
/// # Errors
/// It can't be run, in a sentence.
pub fn run_as(
    owner: Owner,
    arguments: impl IntoIterator<Item = OsString>,
    settings: &Settings,
) -> Result<bool, String> {
    let program =
        std::env::current_exe().map_err(|error| format!("The agent does not find itself: {error}"))?;
    let mut command = Command::new("setpriv");
    // Root's own defaults are not everybody's.
    command.env("STARDUST_AGENT_DATA", &settings.data);
    if let Some(config) = &settings.config {
        command.env("STARDUST_AGENT_CONFIG", config);
    }
    command
        .arg(format!("--reuid={}", owner.uid))
        .arg(format!("--regid={}", owner.gid))
        .args([groups(owner.uid), "--no-new-privs", "--"])
        .arg(program)
        .args(arguments);
    let status = command.status().map_err(|error| {
        format!(
            "The data belong to user {}, and the agent can't act as that user: setpriv can't be run ({error}). \
             Run this command as that user.",
            owner.uid
        )
    })?;
    Ok(status.success())
}

/// A user that the system does not know has no groups of its own.
fn groups(uid: u32) -> &'static str {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let known = users.lines().any(|line| line.split(':').nth(2).and_then(|id| id.parse().ok()) == Some(uid));
    if known { "--init-groups" } else { "--clear-groups" }
}

/// The machine's service manager.
#[derive(Debug, Clone)]
pub struct ServiceManager {
    systemctl: PathBuf,
    /// Is there if systemd has started this machine.
    booted: PathBuf,
}

impl Default for ServiceManager {
    fn default() -> Self {
        Self { systemctl: "systemctl".into(), booted: "/run/systemd/system".into() }
    }
}

impl ServiceManager {
    /// Sees to it that the service runs, now and after each start of the machine. Says what was done.
    #[must_use]
    pub fn enable(&self) -> String {
        let by_hand = "Start `stardust-agent run` to let it go to work.";
        if !self.booted.exists() {
            return format!("This machine was not started by systemd. {by_hand}");
        }
        if !self.call(&["cat", UNIT]).is_ok_and(|done| done.success) {
            return format!("There is no {UNIT} on this machine. {by_hand}");
        }
        match self.call(&["enable", "--now", UNIT]) {
            Ok(done) if done.success => {
                format!("{UNIT} runs, and starts with this machine (`systemctl enable --now` was called).")
            }
            Ok(done) => {
                format!("{UNIT} could not be started: {} See `journalctl -u {UNIT}`.", done.said.trim())
            }
            Err(error) => format!("systemctl can't be run: {error}. {by_hand}"),
        }
    }

    fn call(&self, arguments: &[&str]) -> std::io::Result<Done> {
        let output = Command::new(&self.systemctl).args(arguments).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Done { success: output.status.success(), said })
    }
}

struct Done {
    success: bool,
    said: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use std::os::unix::fs::PermissionsExt;

    #[rstest]
    #[case::all_well("exit 0", "runs, and starts with this machine")]
    #[case::no_unit("[ \"$1\" != cat ]", "There is no stardust-agent.service")]
    #[case::refused(
        "[ \"$1\" = cat ] || { echo Unit is masked. >&2; exit 1; }",
        "could not be started: Unit is masked."
    )]
    fn what_was_done_is_said(#[case] script: &str, #[case] expected: &str) {
        let folder = tempfile::tempdir().unwrap();
        let systemctl = folder.path().join("systemctl");
        let calls = folder.path().join("calls");
        std::fs::write(&systemctl, format!("#!/bin/sh\necho \"$@\" >> {}\n{script}\n", calls.display()))
            .unwrap();
        std::fs::set_permissions(&systemctl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let manager = ServiceManager { systemctl, booted: folder.path().to_owned() };
        let said = manager.enable();
        assert!(said.contains(expected), "{said}");
        let calls = std::fs::read_to_string(calls).unwrap();
        assert_eq!(
            calls.contains("enable --now stardust-agent.service"),
            !said.contains("There is no"),
            "{calls}"
        );
    }

    #[test]
    fn without_systemd_nothing_is_called() {
        let manager = ServiceManager { systemctl: "/nonexistent".into(), booted: "/nonexistent".into() };
        assert!(manager.enable().contains("Start `stardust-agent run`"));
    }
}
