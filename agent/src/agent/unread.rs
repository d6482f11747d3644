//! A printer whose own files can't be read: its hub is told why it is not driven, until somebody has mended them, and may have it
//! stopped at once all the same.
//!
//! Owns: what the hub is told, and noticing that the files are others. Where the hub's address or the credential can't be read either
//! nobody can be told but who asks on this machine. Must not know: how a printer is driven, or stopped.

use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::{Command, PrinterState, PrinterStatus, SessionId, StopReach};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::disk_work::DiskWork;
use crate::hub_link::client::HubClient;
use crate::hub_link::instance::Instance;
use crate::hub_link::mqtt::{self, Clear, MqttEvent, MqttLink};
use crate::hub_link::status::StatusFeed;
use crate::journal::Journal;
use crate::printer::folder::PrinterFolder;
use crate::printer::stop_desk::StopDesk;

/// The files are looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Tells one printer's hub, until it is dropped.
#[derive(Debug)]
pub(super) struct Teller {
    mended: watch::Receiver<bool>,
    _work: JoinSet<()>,
}

impl Teller {
    /// Begins, if the printer's own files are why it is not driven, and there is a hub to tell.
    pub(super) fn start(folder: &PrinterFolder, reason: String, clock: &SharedClock, desk: StopDesk) -> Self {
        let mut work = JoinSet::new();
        let (told, mended) = watch::channel(false);
        let (looked, asked) = (folder.clone(), reason.clone());
        work.spawn(async move {
            loop {
                tokio::time::sleep(LOOK_AGAIN).await;
                let (folder, reason) = (looked.clone(), asked.clone());
                // One look at a time, however long the disk takes. Who can't look does not know.
                let look = move || Ok(is_as_before(&folder, &reason));
                if !DiskWork::on_threads().run(look).await.unwrap_or(true) {
                    told.send_replace(true);
                    return;
                }
            }
        });
        let (theirs, why, clock) = (folder.clone(), reason, clock.clone());
        work.spawn(async move {
            let disk = DiskWork::on_threads();
            let asked = why.clone();
            let look = move || Ok(is_as_before(&theirs, &asked).then(|| client(&theirs)).flatten());
            if let Some((client, clear)) = disk.run(look).await.ok().flatten() {
                tell(mqtt::start(client, clear), &why, &clock, &desk).await;
            }
        });
        Self { mended, _work: work }
    }

    /// Until the files say something else: it has to be dropped then, because the printer's task may speak for it.
    pub(super) async fn mended(&mut self) {
        // Where nobody looks any more, the printer's task does.
        let _ = self.mended.wait_for(|is_mended| *is_mended).await;
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
    let why = || match folder.load() {
        Err(error) => Some(error.to_string()),
        Ok(_) => Journal::look(&folder.journal()).err().map(|error| error.to_string()),
    };
    !folder.next().is_paired() && why().as_deref() == Some(reason)
}

/// What people are told of it now.
fn status(reason: &str, desk: &StopDesk) -> PrinterStatus {
    let emergency_stop = desk.report();
    // Nobody tells this agent that a person has cleared it: what is said stays true after that.
    let stopped = match (emergency_stop.map(|stop| stop.reach), desk.has_settled()) {
        (None, false) => "",
        (None, true) => " Its heaters were read back as off.",
        (Some(StopReach::Sent | StopReach::SentAndReset), true) => {
            " It was told to stop at once (M112), and its heaters were read back as off after that."
        }
        (Some(StopReach::Sent | StopReach::SentAndReset), false) => {
            " It was told to stop at once (M112): look whether its heaters are off, else switch it off by hand."
        }
        (Some(StopReach::PortClosed), _) => {
            " It is to be stopped at once, and its port is closed: M112 is sent as soon as it is open. Switch it off by hand."
        }
        (Some(_), true) => {
            " It was to be stopped at once, and M112 was NOT sent; its heaters were turned off by commands after that, and read back \
             as off."
        }
        (Some(_), false) => " It was to be stopped at once, and M112 was NOT sent: switch it off by hand.",
    };
    PrinterStatus {
        message: Some(format!("Its agent can't drive it. {reason}{stopped}")),
        agent_version: Some(env!("CARGO_PKG_VERSION").into()),
        emergency_stop,
        ..PrinterStatus::new(PrinterState::Error)
    }
}

/// As long as there is a hub to tell. A stop at once goes to the desk before anything is said.
async fn tell(mut link: MqttLink, reason: &str, clock: &SharedClock, desk: &StopDesk) {
    let mut feed = StatusFeed::new(SessionId::generate(clock.now()));
    let mut news = desk.news();
    loop {
        let is_asked = tokio::select! {
            event = link.events.recv() => match event {
                Some(MqttEvent::Connected) => true,
                Some(MqttEvent::Command(message)) => {
                    if let (Command::EmergencyStop, Some(id)) = (&message.command, message.id) {
                        desk.ask(id, message.at);
                    }
                    message.command == Command::ReportStatus
                }
                Some(MqttEvent::Session(_) | MqttEvent::Disconnected(_)) => false,
                Some(MqttEvent::Revoked) | None => return,
            },
            () = news.come() => true,
        };
        if is_asked {
            feed.start_over();
            if let Some(message) = feed.next(&status(reason, desk), clock.elapsed(), clock.now()) {
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
    use stardust_protocol::status::StatusBody;
    use stardust_protocol::{CommandId, CommandMessage, ProtocolVersion};

    use crate::hub_link::mqtt::FarEnd;
    use crate::port::Reach;

    fn said(command: Command, id: Option<CommandId>, clock: &SharedClock) -> MqttEvent {
        let (protocol, at) = (ProtocolVersion::CURRENT, clock.now());
        MqttEvent::Command(CommandMessage { protocol, id, at, expires_at: None, command })
    }

    async fn told(far: &mut FarEnd) -> PrinterStatus {
        match far.statuses.recv().await.unwrap().body {
            StatusBody::Full(status) => status,
            StatusBody::Delta(_) => panic!("it is told whole"),
        }
    }

    #[tokio::test]
    async fn the_hub_is_told_why_whenever_it_asks_and_at_each_connection() {
        let (link, mut far) = mqtt::link();
        let (clock, desk) = (SystemClock::shared(), StopDesk::default());
        let hub = async {
            let asks = said(Command::ReportStatus, None, &clock);
            for event in [MqttEvent::Connected, asks, MqttEvent::Connected] {
                far.events.send(event).await.unwrap();
                let status = told(&mut far).await;
                assert_eq!(status.state, PrinterState::Error);
                assert!(status.message.unwrap().ends_with("printer.toml: line 3: no such thing"));
            }
            far.events.send(said(Command::Wake, None, &clock)).await.unwrap();
            far.events.send(MqttEvent::Revoked).await.unwrap();
            assert!(far.statuses.recv().await.is_none(), "nothing more is said, and the link is closed");
        };
        tokio::join!(tell(link, "printer.toml: line 3: no such thing", &clock, &desk), hub);
    }

    #[rstest]
    #[case::on_the_wire(Reach::Sent { on_wire: true, dtr_pulsed: false }, StopReach::Sent, "was told to stop")]
    #[case::at_a_closed_port(Reach::Waits, StopReach::PortClosed, "its port is closed")]
    #[case::out_of_reach(Reach::GaveUp, StopReach::GivenUp, "NOT sent")]
    #[tokio::test]
    async fn a_stop_goes_to_whoever_has_the_port_and_what_came_of_it_is_told_at_once(
        #[case] reach: Reach,
        #[case] expected: StopReach,
        #[case] words: &str,
    ) {
        let (link, mut far) = mqtt::link();
        let (clock, desk) = (SystemClock::shared(), StopDesk::default());
        let hub = async {
            let id = CommandId::generate(clock.now());
            far.events.send(said(Command::EmergencyStop, Some(id), &clock)).await.unwrap();
            let status = told(&mut far).await;
            assert_eq!(status.emergency_stop, None, "nothing is said of it before the port has said so");
            desk.wanted().await;
            assert!(desk.take());
            desk.reached(reach);
            let status = told(&mut far).await;
            let stop = status.emergency_stop.unwrap();
            assert_eq!((stop.command_id, stop.reach), (id, expected));
            assert!(status.message.as_ref().unwrap().contains(words), "{status:?}");
            desk.settled();
            if reach != Reach::Waits {
                let settled = told(&mut far).await.message.unwrap();
                assert!(settled.contains("read back as off") && !settled.contains("by hand"), "{settled}");
            }
            far.events.send(MqttEvent::Revoked).await.unwrap();
        };
        tokio::join!(tell(link, "printer.toml: line 3: no such thing", &clock, &desk), hub);
    }

    #[test]
    fn that_its_heaters_are_off_is_said() {
        let desk = StopDesk::default();
        let said = || status("printer.toml: line 3: no such thing", &desk).message.unwrap();
        assert!(!said().contains("heaters"), "{}", said());
        desk.settled();
        assert!(said().ends_with("Its heaters were read back as off."), "{}", said());
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
