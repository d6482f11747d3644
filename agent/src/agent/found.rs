//! Which printers there are: those that are paired, and those that could be, by PIN.
//!
//! Owns: looking, again and again, where one may wait for the disk. Must not know: what is done with them.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::disk_work::DiskWork;
use crate::pairing::choice;
use crate::port::{DeviceTree, listing};
use crate::printer::folder::{OfNobody, PrinterFolder};
use crate::settings::Settings;

/// What there is.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Each with its port, where that can be read.
    pub(super) paired: Vec<(PrinterFolder, Option<PathBuf>)>,
    pub(super) unpaired: Vec<Unpaired>,
    /// Sections of the configuration that set nothing, in words.
    pub(super) of_nobody: Vec<String>,
}

/// A printer that waits for its PIN to be typed.
#[derive(Debug, Clone)]
pub(super) struct Unpaired {
    pub(super) folder: PrinterFolder,
    pub(super) name: String,
    pub(super) port: PathBuf,
    /// A person has named the port in the configuration. Else it is only the one that is there: nobody has said that it
    /// is a printer's, and it is not opened before somebody has.
    pub(super) is_named: bool,
}

/// Looks every so often. Nothing at first.
pub(super) fn looking(
    settings: &Settings,
    every: Duration,
    tasks: &mut JoinSet<()>,
) -> watch::Receiver<Option<Found>> {
    let (tell, told) = watch::channel(None);
    let settings = settings.clone();
    tasks.spawn(async move {
        let disk = DiskWork::on_threads();
        loop {
            let settings = settings.clone();
            match disk.run(move || Ok(look(&settings))).await {
                Ok(found) => drop(tell.send_replace(Some(found))),
                Err(error) => tracing::error!(error = %error, "printers can't be looked for"),
            }
            tokio::time::sleep(every).await;
        }
    });
    told
}

fn look(settings: &Settings) -> Found {
    let port = |folder: &PrinterFolder| folder.load().ok().map(|(config, _)| config.port);
    let paired: Vec<_> =
        PrinterFolder::all(settings).into_iter().map(|folder| (folder.clone(), port(&folder))).collect();
    let mut unpaired =
        if settings.hub.is_some() { unpaired(settings, paired.is_empty()) } else { Vec::new() };
    unpaired.retain(|one| paired.iter().all(|(folder, _)| folder.path() != one.folder.path()));
    let of_nobody = OfNobody::all(settings).iter().map(OfNobody::in_words).collect();
    Found { paired, unpaired, of_nobody }
}

/// Those that the configuration names; with none there and none paired, the one on the only port.
fn unpaired(settings: &Settings, is_first: bool) -> Vec<Unpaired> {
    let of = |name: &str, port: PathBuf, is_named| {
        let folder = PrinterFolder::for_name(settings, name);
        Unpaired { folder, name: name.to_owned(), port, is_named }
    };
    let named: Vec<_> = settings.sections.ports().map(|(name, port)| of(name, port.clone(), true)).collect();
    if !named.is_empty() || !is_first {
        return named;
    }
    match choice::choose(listing::list(&DeviceTree::default())) {
        Ok(choice::Choice::Only(port)) => vec![of(&choice::name_of(&port), port, false)],
        _ => Vec::new(),
    }
}
