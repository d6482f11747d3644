//! Who may use a port, and what to do about it.
//!
//! Owns: reading owner, group and rights of a device. Must not know: why it is wanted.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The group may read and write.
const GROUP_RW: u32 = 0o060;

/// What lets this user use the port, as a sentence with the command to run.
pub(super) fn remedy(port: &Path) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let uid = rustix::process::geteuid().as_raw();
    let user = name_of(&users, uid).unwrap_or_else(|| uid.to_string());
    match std::fs::metadata(port) {
        Ok(device) if device.mode() & GROUP_RW == GROUP_RW && device.gid() != 0 => {
            let group = name_of(&groups, device.gid()).unwrap_or_else(|| device.gid().to_string());
            join(&user, &group)
        }
        _ => "its group may not use it. Give it to one by a udev rule, dialout for instance, then plug it in again"
            .into(),
    }
}

fn join(user: &str, group: &str) -> String {
    format!(
        "it belongs to the group {group}, and {user} is not in it. Run `sudo usermod -aG {group} {user}`, then log in \
         again (a service: restart it)"
    )
}

/// The name of a number in a file like /etc/group.
fn name_of(file: &str, id: u32) -> Option<String> {
    let mut lines = file.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_to_run() {
        let groups = "root:x:0:\ndialout:x:20:ada\nplugdev:x:46:\n";
        assert_eq!(name_of(groups, 20).as_deref(), Some("dialout"));
        assert_eq!(name_of(groups, 21), None);
        assert_eq!(name_of("broken", 0), None);
        insta::assert_snapshot!(join("ada", "dialout"), @"it belongs to the group dialout, and ada is not in it. Run `sudo usermod -aG dialout ada`, then log in again (a service: restart it)");
    }

    #[test]
    fn a_device_of_one_user_alone_is_no_question_of_groups() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(remedy(file.path()).contains("udev rule"));
        assert!(remedy(Path::new("/dev/no-such-port")).contains("udev rule"));
    }
}
