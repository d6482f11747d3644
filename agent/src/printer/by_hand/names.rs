//! Which folder belongs to a print at which port.
//!
//! Owns: the names. Must not know: what is in a folder.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use crate::printer::folder::PrinterFolder;
use crate::settings::Settings;

/// Under the data directory.
pub(super) const BY_HAND: &str = "print";

/// All of them, of these data.
pub(in crate::printer) fn prints(data: &Path) -> PathBuf {
    data.join(BY_HAND)
}

pub(super) fn folder_of(settings: &Settings, port: &Path) -> PrinterFolder {
    PrinterFolder::at(settings, settings.data.join(BY_HAND).join(name_of(port)))
}

/// A folder in a print's, whose lock says that the print lives.
pub(super) fn alive(print: &Path) -> PathBuf {
    print.join("alive")
}

/// Where a print was, as its folder's name says: also where its journal can't be read.
pub(crate) fn port_of(folder: &PrinterFolder) -> Option<PathBuf> {
    is_by_hand(folder).then(|| port_named(&folder.name())).flatten()
}

/// Whether it is a print's, not a printer's.
pub(super) fn is_by_hand(folder: &PrinterFolder) -> bool {
    folder.path().parent().is_some_and(|parent| parent.ends_with(BY_HAND))
}

/// A port's path as a folder's name: what may not stand there, and what is not plain, as `%2F`.
fn name_of(port: &Path) -> String {
    let mut name = String::new();
    for byte in port.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(byte) {
            name.push(char::from(*byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name
}

/// And back.
fn port_named(name: &str) -> Option<PathBuf> {
    let (mut bytes, mut rest) = (Vec::new(), name.as_bytes());
    while let [first, behind @ ..] = rest {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (code, behind) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
        rest = behind;
    }
    Some(PathBuf::from(OsString::from_vec(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_for_each_port_and_back() {
        assert_eq!(name_of(Path::new("/dev/ttyUSB0")), "%2Fdev%2FttyUSB0");
        for port in ["/dev/ttyUSB0", "/x/d/b", "/x/d+b", "/x/d%2Fb", "/x/ü n\n", "..", "/"] {
            let name = name_of(Path::new(port));
            assert!(!name.contains('/') && !name.starts_with('.'), "{name}");
            assert_eq!(port_named(&name), Some(PathBuf::from(port)));
        }
        assert_eq!((port_named("%2"), port_named("%zz")), (None, None));
    }
}
