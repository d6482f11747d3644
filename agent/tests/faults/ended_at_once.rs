//! An agent that is ended before it has looked at its printers for the first time: what the one before has left hot is turned off
//! all the same. It runs in this process, because a signal would have to come within milliseconds; the evidence is the printer's.

use rustix::process::Signal;
use stardust_agent::port::PortStore;
use stardust_agent::settings::Settings;
use stardust_clock::SystemClock;
use tokio::sync::watch;

use crate::heat::preheated_machine;
use crate::host::Host;
use crate::machine::Machine;

/// The printers that may be hot, as it says.
fn ended_at_once(host: &Host) -> Vec<String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = Settings::read(Some(host.data()), None).unwrap();
    let (_stop, stopping) = watch::channel(true);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = stardust_agent::agent::run(&settings, SystemClock::shared(), PortStore::default(), stopping);
    runtime.block_on(run)
}

#[test]
fn a_preheat_that_was_left_is_turned_off() {
    let mut host = preheated_machine(Machine::Large);
    host.end(Signal::KILL);
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    assert_eq!(ended_at_once(&host), [""; 0]);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

#[test]
fn a_print_that_was_left_is_stopped_and_turned_off() {
    let mut host = Host::in_mid_print(50);
    host.end(Signal::KILL);
    assert!(!host.printer().is_cold(), "nobody could turn it off");
    assert_eq!(ended_at_once(&host), [""; 0]);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}
