//! What can still be read of a `printer.toml` that can't be understood: where its hub is, and its port.
//!
//! The hub is told why its printer is not driven, and may have it stopped at once. Owns: that the credential goes nowhere else, and a
//! stop to no other printer. A line counts only if it is understood by itself, whole: an address that was cut off with the file may be
//! somebody else's. Must not know: what is told.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

/// Where a printer's hub is, and how it may be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOfBroken {
    /// Its address.
    pub hub: Url,
    /// Who vouches for it.
    pub hub_ca: Option<PathBuf>,
    /// The credential may go over MQTT in clear.
    pub mqtt_in_clear: bool,
}

/// One line of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    hub: Option<Url>,
    hub_ca: Option<PathBuf>,
    mqtt_in_clear: Option<bool>,
}

/// One line that is about the port.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PortLine {
    port: Option<PathBuf>,
    baud: Option<u32>,
}

/// Whole lines before the first table, and what may not be whole; none where a text may have several of them.
fn lines(text: &str) -> Option<impl Iterator<Item = &str>> {
    // What looks like a line may be a part of a text.
    let has_texts = ["\"\"\"", "\'\'\'"].iter().any(|quotes| text.contains(quotes));
    // Tables come last: what stands in them is about something else.
    let lines = text.split_inclusive('\n').take_while(|line| !line.trim_start().starts_with('['));
    (!has_texts).then_some(lines)
}

/// Where the port is, and its speed where that is set. None where it is not certain.
pub(super) fn port(text: &str) -> Option<(PathBuf, Option<u32>)> {
    let (mut port, mut baud) = (None, None);
    for text in lines(text)?.filter(|text| text.ends_with('\n')) {
        let Ok(line) = toml::from_str::<PortLine>(text) else { continue };
        // Two of them: nobody knows which.
        if line.port.is_some() && port.is_some() {
            return None;
        }
        port = line.port.or(port);
        baud = line.baud.or(baud);
    }
    port.map(|port| (port, baud))
}

impl HubOfBroken {
    /// Out of what the file holds. None where it is not certain.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (mut hub, mut hub_ca, mut mqtt_in_clear) = (None, None, false);
        for text in lines(text)? {
            // Without its newline a line may not be whole.
            let is_whole = text.ends_with('\n');
            let line = match toml::from_str::<Line>(text) {
                Ok(line) if is_whole => line,
                // Whom it may go to, and how, is said there, and not understood.
                _ if ["hub", "mqtt_in_clear"].iter().any(|name| text.trim_start().starts_with(name)) => {
                    return None;
                }
                _ => continue,
            };
            if let Some(named) = line.hub {
                // Two of them: nobody knows which.
                if hub.replace(named).is_some() {
                    return None;
                }
            }
            hub_ca = line.hub_ca.or(hub_ca);
            mqtt_in_clear |= line.mqtt_in_clear.unwrap_or(false);
        }
        hub.map(|hub| Self { hub, hub_ca, mqtt_in_clear })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::a_word_too_much("name = Ada\nport = \"/dev/a\"\nbaud = 9600\n", Some(("/dev/a", Some(9600))))]
    #[case::cut_off_behind_it("port = \"/dev/a\"\nbaud = 96", Some(("/dev/a", None)))]
    #[case::cut_off_in_it("hub = \"https://hub.example\"\nport = \"/dev/tty", None)]
    #[case::cut_off_at_its_end("port = \"/dev/a\"", None)]
    #[case::twice("port = \"/dev/a\"\nport = \"/dev/b\"\n", None)]
    #[case::of_a_table("name = \n[profile]\nport = \"/dev/a\"\n", None)]
    #[case::in_a_text("name = \"\"\"\nport = \"/dev/a\"\n\"\"\"\n", None)]
    fn only_a_port_that_is_whole_counts(#[case] text: &str, #[case] expected: Option<(&str, Option<u32>)>) {
        assert_eq!(port(text), expected.map(|(port, baud)| (PathBuf::from(port), baud)));
    }

    #[rstest]
    #[case::a_word_too_much(
        "name = Ada\nhub = \"https://hub.example\"\nhub_ca = \"/ca.pem\"\n",
        Some("https://hub.example/")
    )]
    #[case::cut_off_behind_it(
        "hub = \"https://hub.example\"\nport = \"/dev/tty",
        Some("https://hub.example/")
    )]
    #[case::cut_off_in_it("name = \"Ada\"\nhub = \"https://hub.exam", None)]
    #[case::cut_off_at_its_end("hub = \"https://hub.example\"", None)]
    #[case::twice("hub = \"https://a.example\"\nhub = \"https://b.example\"\n", None)]
    #[case::of_a_table("name = \n[profile]\nhub = \"https://hub.example\"\n", None)]
    #[case::whom_to_trust_is_not_understood("hub = \"https://hub.example\"\nhub_ca = /ca.pem\n", None)]
    #[case::whom_to_trust_is_cut_off("hub = \"https://hub.example\"\nhub_ca = \"/ca.pem\"", None)]
    #[case::in_clear_is_not_understood("mqtt_in_clear = fal\nhub = \"https://hub.example\"\n", None)]
    #[case::in_a_text("name = \"\"\"\nhub = \"https://hub.example\"\n\"\"\"\nx\n", None)]
    #[case::nothing("", None)]
    fn only_an_address_that_is_whole_counts(#[case] text: &str, #[case] expected: Option<&str>) {
        let found = HubOfBroken::read(text);
        assert_eq!(found.as_ref().map(|found| found.hub.as_str()), expected);
    }
}
