//! A printer whose own files can't be read: its hub is told why it is not driven, until somebody has mended them.
//!
//! Owns: what the hub is told, and noticing that the files are others. Where the hub's address or the credential can't be read either
//! nobody can be told but who asks on this machine. Must not know: how a printer is driven.

use stardust_clock::SharedClock;
use stardust_protocol::{Command, PrinterState, PrinterStatus, SessionId};
use tokio::task::JoinSet;

use crate::disk_work::DiskWork;
use crate::hub_link::client::HubClient;
use crate::hub_link::instance::Instance;
use crate::hub_link::mqtt::{self, Clear, MqttEvent, MqttLink};
use crate::hub_link::status::StatusFeed;
use crate::printer::folder::PrinterFolder;

/// Tells one printer's hub, until it is dropped.
#[derive(Debug)]
pub(super) struct Teller {
    folder: PrinterFolder,
    reason: String,
    _work: JoinSet<()>,
}

impl Teller {
    /// Begins, if the printer's own files are why it is not driven, and there is a hub to tell.
    pub(super) fn start(folder: &PrinterFolder, reason: String, clock: &SharedClock) -> Self {
        let mut work = JoinSet::new();
        let (theirs, why, clock) = (folder.clone(), reason.clone(), clock.clone());
        work.spawn(async move {
            let disk = DiskWork::on_threads();
            let asked = why.clone();
            let look = move || Ok(is_as_before(&theirs, &asked).then(|| client(&theirs)).flatten());
            if let Some((client, clear)) = disk.run(look).await.ok().flatten() {
                tell(mqtt::start(client, clear), &why, &clock).await;
            }
        });
        Self { folder: folder.clone(), reason, _work: work }
    }

    /// It goes on as long as the files say the same: another process of this agent's would speak for the printer else.
    pub(super) async fn unless_mended(self) -> Option<Self> {
        let (folder, reason) = (self.folder.clone(), self.reason.clone());
        let look = move || Ok(is_as_before(&folder, &reason));
        // Who can't look does not know.
        DiskWork::on_threads().run(look).await.unwrap_or(true).then_some(self)
    }
}

fn client(folder: &PrinterFolder) -> Option<(HubClient, Clear)> {
    let hub = folder.hub_of_broken()?;
    let client = HubClient::new(hub.hub, Some(folder.credential().ok()?), hub.hub_ca);
    let clear = if hub.mqtt_in_clear { Clear::Allowed } else { Clear::LikeTheHub };
    Some((client.speaking_as(Instance::of(folder.path())), clear))
}

fn is_as_before(folder: &PrinterFolder, reason: &str) -> bool {
    // A later pairing takes over.
    !folder.next().is_paired() && folder.load().is_err_and(|error| error.to_string() == reason)
}

/// As long as there is a hub to tell, and nobody stops the printer at once: this agent can't, and whoever does that has to learn at
/// once that nobody does. Without a connection the hub says so.
async fn tell(mut link: MqttLink, reason: &str, clock: &SharedClock) {
    let status = PrinterStatus {
        message: Some(format!("Its agent can't drive it. {reason}")),
        agent_version: Some(env!("CARGO_PKG_VERSION").into()),
        ..PrinterStatus::new(PrinterState::Error)
    };
    let mut feed = StatusFeed::new(SessionId::generate(clock.now()));
    while let Some(event) = link.events.recv().await {
        let is_asked = match event {
            MqttEvent::Connected => true,
            MqttEvent::Command(message) if message.command == Command::EmergencyStop => {
                tracing::error!(
                    "it is to be stopped at once, and can't be reached from here: switch it off by hand"
                );
                return;
            }
            MqttEvent::Command(message) => message.command == Command::ReportStatus,
            MqttEvent::Session(_) | MqttEvent::Disconnected(_) => false,
            MqttEvent::Revoked => return,
        };
        if is_asked {
            feed.start_over();
            if let Some(message) = feed.next(&status, clock.elapsed(), clock.now()) {
                // One that is dropped is asked for.
                let _ = link.send(message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use stardust_clock::SystemClock;
    use stardust_protocol::CommandMessage;
    use stardust_protocol::ProtocolVersion;
    use stardust_protocol::status::StatusBody;

    #[rstest]
    #[case::its_credential_is_nobodys(None)]
    #[case::it_is_stopped_at_once(Some(Command::EmergencyStop))]
    #[tokio::test]
    async fn the_hub_is_told_why_whenever_it_asks_and_at_each_connection(#[case] last: Option<Command>) {
        let (link, mut far) = mqtt::link();
        let clock = SystemClock::shared();
        let asks = |command| {
            let at = clock.now();
            MqttEvent::Command(CommandMessage {
                protocol: ProtocolVersion::CURRENT,
                id: None,
                at,
                expires_at: None,
                command,
            })
        };
        let last = last.map_or(MqttEvent::Revoked, asks);
        let told = async {
            for event in [MqttEvent::Connected, asks(Command::ReportStatus), MqttEvent::Connected] {
                far.events.send(event).await.unwrap();
                let said = far.statuses.recv().await.unwrap();
                let StatusBody::Full(status) = said.body else { panic!("{said:?}") };
                assert_eq!(status.state, PrinterState::Error);
                assert!(status.message.unwrap().ends_with("printer.toml: line 3: no such thing"));
            }
            far.events.send(asks(Command::Wake)).await.unwrap();
            far.events.send(last).await.unwrap();
            assert!(far.statuses.recv().await.is_none(), "nothing more is said, and the link is closed");
        };
        tokio::join!(tell(link, "printer.toml: line 3: no such thing", &clock), told);
    }

    #[test]
    fn it_is_mended_when_its_files_say_something_else() {
        let data = tempfile::tempdir().unwrap();
        let settings = crate::settings::Settings::of_data(data.path().to_owned());
        let folder = PrinterFolder::for_name(&settings, "Ada");
        folder.prepare().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("printer.toml"), text).unwrap();
        write("hub = \"http://127.0.0.1:1\"\nnonsense\n");
        std::fs::write(folder.path().join("credential"), "secret\n").unwrap();
        let reason = folder.load().unwrap_err().to_string();
        assert!(reason.contains("printer.toml"), "{reason}");
        assert!(is_as_before(&folder, &reason) && client(&folder).is_some());
        write("hub = \"http://127.0.0.1:1\"\n\nnonsense\n");
        assert!(!is_as_before(&folder, &reason), "another mistake");
    }
}
