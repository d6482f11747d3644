//! Which port is the printer's: the only free one, or the one that a person picks from a numbered list.
//!
//! Owns: what counts as a candidate, the list, and what an answer means. Must not know: terminals. No port is opened to
//! find out: what hangs on it may be no printer, and some boards start anew when they are opened.

use std::path::{Path, PathBuf};

use crate::port::listing::FoundPort;

/// The ports that no printer of this agent has yet.
#[must_use]
pub fn candidates(found: Vec<FoundPort>, taken: &[PathBuf]) -> Vec<FoundPort> {
    let is_taken = |port: &FoundPort| {
        taken.iter().any(|taken| taken == Path::new(&port.path) || taken == Path::new(&port.device))
    };
    found.into_iter().filter(|port| !is_taken(port)).collect()
}

/// What to do about the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// There is no doubt.
    Only(PathBuf),
    /// A person has to say which.
    Ask(Vec<FoundPort>),
}

/// Looks at the candidates.
///
/// # Errors
/// There is none, in a sentence.
pub fn choose(mut candidates: Vec<FoundPort>) -> Result<Choice, String> {
    match (candidates.pop(), candidates.is_empty()) {
        (None, _) => {
            Err("No serial port was found that no printer has yet. Connect the printer and switch it on, or \
                          name its port with --port."
                .into())
        }
        (Some(only), true) => Ok(Choice::Only(only.path.into())),
        (Some(last), false) => {
            candidates.push(last);
            Ok(Choice::Ask(candidates))
        }
    }
}

/// The list, a port a line: `2) /dev/serial/by-id/…  USB2.0-Serial`.
#[must_use]
pub fn list(ports: &[FoundPort]) -> String {
    let line = |(index, port): (usize, &FoundPort)| {
        let description = port.description.as_ref().map(|text| format!("  {text}")).unwrap_or_default();
        let device = if port.path == port.device { String::new() } else { format!("  ({})", port.device) };
        format!("  {}) {}{device}{description}\n", index + 1, port.path)
    };
    ports.iter().enumerate().map(line).collect()
}

/// The port that an answer means: its number in the list, or its path.
#[must_use]
pub fn picked(ports: &[FoundPort], answer: &str) -> Option<PathBuf> {
    let answer = answer.trim();
    if let Ok(number) = answer.parse::<usize>() {
        return ports.get(number.checked_sub(1)?).map(|port| PathBuf::from(&port.path));
    }
    let named = ports.iter().find(|port| port.path == answer || port.device == answer);
    named.map(|port| PathBuf::from(&port.path))
}

/// The port's own name: there is nothing better to call a printer that nobody has named.
#[must_use]
pub fn name_of(port: &Path) -> String {
    port.file_name().map_or_else(|| "printer".into(), |name| name.to_string_lossy().into_owned())
}

/// For who can't be asked.
#[must_use]
pub fn several(ports: &[FoundPort]) -> String {
    format!("There are several serial ports. Name the printer's with --port:\n{}", list(ports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn ports(paths: &[&str]) -> Vec<FoundPort> {
        let port = |path: &&str| FoundPort {
            path: (*path).into(),
            device: (*path).into(),
            description: Some("CH340".into()),
        };
        paths.iter().map(port).collect()
    }

    #[rstest]
    #[case(&[], "No serial port was found")]
    #[case(&["/dev/ttyUSB0"], "Only(\"/dev/ttyUSB0\")")]
    #[case(&["/dev/ttyUSB0", "/dev/taken"], "Only(\"/dev/ttyUSB0\")")]
    #[case(&["/dev/taken"], "No serial port was found")]
    #[case(&["/dev/ttyUSB0", "/dev/ttyACM0"], "Ask(")]
    fn a_port_is_taken_only_when_there_is_no_doubt(#[case] paths: &[&str], #[case] expected: &str) {
        let free = candidates(ports(paths), &["/dev/taken".into()]);
        let said = choose(free).map_or_else(|failure| failure, |choice| format!("{choice:?}"));
        assert!(said.contains(expected), "{said}");
    }

    #[rstest]
    #[case("2\n", Some("/dev/b"))]
    #[case(" /dev/a ", Some("/dev/a"))]
    #[case("0", None)]
    #[case("3", None)]
    #[case("", None)]
    #[case("-1", None)]
    fn an_answer_is_a_number_or_a_path(#[case] answer: &str, #[case] expected: Option<&str>) {
        assert_eq!(picked(&ports(&["/dev/a", "/dev/b"]), answer).as_deref(), expected.map(Path::new));
    }

    #[test]
    fn the_list_tells_ports_apart() {
        let mut found = ports(&["/dev/a", "/dev/serial/by-id/usb-1a86"]);
        found[1].device = "/dev/ttyUSB1".into();
        assert_eq!(
            list(&found),
            "  1) /dev/a  CH340\n  2) /dev/serial/by-id/usb-1a86  (/dev/ttyUSB1)  CH340\n"
        );
    }
}
