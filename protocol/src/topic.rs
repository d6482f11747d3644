//! MQTT topics: `stardust/v1/<workspace>/<printer>/<channel>`.
//!
//! The workspace stands first so that a person's read-only filter can't reach beyond it; the printer's id is
//! what a cluster hashes to split the work.

use crate::{PrinterId, WorkspaceId};

const ROOT: &str = "stardust/v1";

/// What a topic carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Agent → hub: [`crate::StatusMessage`].
    Status,
    /// Hub → agent: [`crate::CommandMessage`].
    Command,
}

impl Channel {
    fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Command => "command",
        }
    }
}

/// A printer's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The workspace that the printer belongs to.
    pub workspace: WorkspaceId,
    /// The printer.
    pub printer: PrinterId,
    /// What it carries.
    pub channel: Channel,
}

impl Topic {
    /// Reads a topic name; `None` for anything that is not exactly of this form.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix(ROOT)?.strip_prefix('/')?;
        let mut levels = rest.split('/');
        let (workspace, printer, channel) = (levels.next()?, levels.next()?, levels.next()?);
        if levels.next().is_some() {
            return None;
        }
        let channel = match channel {
            "status" => Channel::Status,
            "command" => Channel::Command,
            _ => return None,
        };
        let topic = Self { workspace: workspace.parse().ok()?, printer: printer.parse().ok()?, channel };
        // An id in upper case would parse, yet be another topic to the broker.
        (topic.to_string() == name).then_some(topic)
    }

    /// The filter that matches this channel of every printer of every workspace: for the hub alone.
    #[must_use]
    pub fn every(channel: Channel) -> String {
        format!("{ROOT}/+/+/{}", channel.as_str())
    }
}

impl std::fmt::Display for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{ROOT}/{}/{}/{}", self.workspace, self.printer, self.channel.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_topic_survives_text_and_nothing_else_parses() {
        let now = Timestamp::from_millis(0);
        let topic = Topic {
            workspace: WorkspaceId::generate(now),
            printer: PrinterId::generate(now),
            channel: Channel::Command,
        };
        let name = topic.to_string();
        assert_eq!(Topic::parse(&name), Some(topic));
        for other in [
            String::new(),
            format!("{name}/"),
            format!("/{name}"),
            name.to_uppercase(),
            name.replace("v1", "v2"),
            name.replace("command", "+"),
            name.replace("command", ""),
            Topic::every(Channel::Status),
        ] {
            assert_eq!(Topic::parse(&other), None, "{other}");
        }
    }
}
