//! A print before its first byte: the file is whole and can be sent, its printer is ready, and what gets hot is written down.
//!
//! Owns: the order of the checks, from the cheapest on. Must not know: what happens while it is printed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::process::ExitCode;

use stardust_clock::SharedClock;
use stardust_gcode::sniff;

use super::telling::Telling;
use super::{CANCELLED, Ending, Failure};
use crate::cli::keys::Keys;
use crate::cli::{PrintArguments, own_agent};
use crate::plain_file;
use crate::port::connect::connect;
use crate::port::{PortHandle, PortPlan};
use crate::print_job::admission::{self, Admitted};
use crate::print_job::file_source::FileSource;
use crate::print_job::profile::Profile;
use crate::print_job::wholeness;
use crate::printer::at_hand::AtHand;
use crate::printer::by_hand::PrintByHand;
use crate::serial::Brief;
use crate::settings::Settings;

/// How a print ends of which nothing was sent.
pub(super) struct NotBegun(pub(super) Result<ExitCode, Failure>);

impl From<Failure> for NotBegun {
    fn from(why: Failure) -> Self {
        Self(Err(why))
    }
}

impl NotBegun {
    /// Somebody did not want it any more.
    fn called_off() -> Self {
        Self(Ok(ExitCode::from(CANCELLED)))
    }
}

/// Everything that a print begins with.
pub(super) struct Prepared {
    pub(super) port: PortHandle,
    pub(super) keys: Keys,
    pub(super) told: Telling,
    /// What it has written down that it may leave hot; none where that was not possible.
    pub(super) owed: Option<PrintByHand>,
    pub(super) source: FileSource<BufReader<File>>,
    pub(super) brief: Brief,
    pub(super) commands: u64,
}

impl Prepared {
    /// Looks the file through, waits for the printer, and looks it through again with what its firmware says of itself.
    pub(super) async fn of(
        options: &PrintArguments,
        settings: &Settings,
        plan: &PortPlan,
        clock: &SharedClock,
        stop: &mut Ending,
    ) -> Result<Self, NotBegun> {
        let name = options.file.display();
        let unreadable = |error: std::io::Error| format!("{name} can't be read: {error}");
        let file = plain_file::open(&options.file).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut head = Vec::new();
        file.take(sniff::WINDOW as u64).read_to_end(&mut head).map_err(unreadable)?;
        let content = sniff::sniff(&head);
        if !content.is_gcode() {
            return Err(format!("{name} can't be printed: {content}").into());
        }
        let file = plain_file::open(&options.file).map_err(unreadable)?;
        let check = |file, profile: &Profile| {
            admission::check(BufReader::new(file), profile).map_err(|refusal| format!("{name}: {refusal}"))
        };
        check(file, &Profile::default())?;
        let cut_off = wholeness::is_cut_off(&options.file).map_err(unreadable)?;
        if cut_off && !options.even_if_cut_off {
            return Err(format!(
                "{name} is cut off: its slicer's end is missing, and so is the end of the part. Export it again. To print \
                 what there is of it: --even-if-cut-off."
            )
            .into());
        }
        let source = FileSource::open(&options.file).map_err(unreadable)?;

        if let Some(driven) = own_agent::that_drives(settings, &options.port) {
            let why = driven.in_words(&options.port);
            return Err(format!(
                "Not printed: {why}. Print it from the hub, or stop the agent first: {}.",
                own_agent::STOP_IT
            )
            .into());
        }
        let at_hand = AtHand::at(settings, plan).await;
        let unknown =
            |error| format!("Not printed: what the agent has at hand here can't be looked up: {error}");
        if let Some(job) = at_hand.map_err(unknown)? {
            return Err(format!(
                "Not printed: the agent's print of “{}” on its printer “{}” is not over, and its part is on the bed. Start the agent, \
                 and let it go on or cancel it at the hub.",
                job.file_name, job.printer
            )
            .into());
        }
        let (port, _) = tokio::select! {
            ready = connect(plan.clone(), clock) => ready.map_err(|error| error.to_string())?,
            () = stop.asked() => return Err(NotBegun::called_off()),
        };
        // Once more with what the firmware says of itself, before the first byte of the job.
        let (machine, dialect) = {
            let view = port.view.borrow();
            (view.machine, view.dialect)
        };
        let file = plain_file::open(&options.file).map_err(unreadable)?;
        let Admitted { commands, brief } =
            check(file, &Profile::default().with_firmware(machine).read_by(Some(dialect)))?;
        let keys = Keys::listen().map_err(|error| format!("The keyboard can't be watched: {error}"))?;
        let told = Telling::new(size);
        // Before the first byte: who is killed turns nothing off.
        let owed = match PrintByHand::begin(settings, plan, brief.heaters.clone(), stop.asked()).await {
            Ok(Some(owed)) => Some(owed),
            Ok(None) => return Err(NotBegun::called_off()),
            Err(error) => {
                told.line(&format!(
                    "Note: what gets hot could not be written down ({error}). If this program is killed, no agent turns the \
                     heaters off afterwards: look after the printer yourself."
                ));
                None
            }
        };
        Ok(Self { port, keys, told, owed, source, brief: Brief { cut_off, ..brief }, commands })
    }
}
