//! What becomes of a printer whose folder somebody else has for a moment.

use stardust_clock::SystemClock;

use super::*;
use crate::journal::HeatOwed;
use crate::port::open::tests::pty;
use crate::settings::Settings;

/// `doctor`, or a print that looks whether an agent's printer was left hot, has the folder for a moment, and touches nothing.
#[tokio::test]
async fn whoever_looks_into_a_hot_printers_folder_has_not_made_it_safe() {
    let (master, port) = pty();
    rustix::io::ioctl_fionbio(&master, true).unwrap();
    let data = tempfile::tempdir().unwrap();
    let folder = PrinterFolder::for_name(&Settings::of_data(data.path().to_owned()), "Ada");
    folder.prepare().unwrap();
    let id = "0190a7c2-6f00-7000-8000-000000000001";
    let settings = format!(
        "name = \"Ada\"\nhub = \"http://127.0.0.1:1\"\nworkspace_id = \"{id}\"\nprinter_id = \"{id}\"\nport = {port:?}\n\
         baud = 115200\n"
    );
    std::fs::write(folder.path().join("printer.toml"), settings).unwrap();
    std::fs::write(folder.path().join("credential"), "secret\n").unwrap();
    let owed = HeatOwed { port: Some(port), ..HeatOwed::default() };
    Journal::open(&folder.journal()).unwrap().append(&[owed.into()]).unwrap();
    let looks = FolderLock::take_if_free(folder.path()).unwrap();
    let (stop, stopped) = watch::channel(false);
    let seat = Seat::paired(folder, SystemClock::shared(), PortStore::default(), stopped);
    let message = || seat.report().and_then(|report| report.status.message);
    let soon = Duration::from_millis(5);
    while message().is_none_or(|message| !message.contains("being made safe")) {
        tokio::time::sleep(soon).await;
    }
    // The agent is asked to end just then.
    stop.send_replace(true);
    drop(looks);
    let mut heard = [0; 64];
    while rustix::io::read(&master, &mut heard).is_err() {
        assert!(!seat.is_over(), "it is left as hot as it was");
        tokio::time::sleep(soon).await;
    }
}
