//! The demo's life: take the data, start the house, fill its library once, keep it running, stop it.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use stardust_demo::binaries::Binaries;
use stardust_demo::house::{House, HouseOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;

use crate::lock;
use crate::options::Options;
use crate::ports;
use crate::supervise::Ends;
use crate::welcome::{already_running, say, welcome};

/// How often it is looked whether all processes are alive.
const LOOK: Duration = Duration::from_millis(250);

/// Runs the demo until somebody stops it.
///
/// # Errors
/// A sentence for a person: why it could not start, or could not go on.
pub(crate) async fn run(options: &Options) -> Result<(), String> {
    let mut stop = StopSignals::new().map_err(sentence)?;
    let _lock = lock::take(&options.data, &format!("http://{}", options.listen))
        .map_err(sentence)?
        .map_err(|holder| already_running(&holder))?;
    ports::check(options.listen, "the dashboard", "DEMO_PORT", "--listen")?;
    ports::check(options.mqtt_listen, "the MQTT gateway", "DEMO_MQTT_PORT", "--mqtt-listen")?;
    let house_options = options.house();
    set_old_logs_aside(&house_options)?;

    say(format_args!("Starting a hub and {} simulated printers …", options.printers));
    let binaries = Binaries::beside_this_program().map_err(sentence)?;
    let mut house = tokio::select! {
        started = House::start(&binaries, &house_options) => started.map_err(sentence)?,
        // Dropping the half-built house stops what runs of it.
        () = stop.asked() => return Ok(()),
    };
    if house.fresh {
        add_samples(&house, &options.samples).await;
    }
    say(welcome(&house, &house_options));

    let outcome = tokio::select! {
        error = keep_running(&mut house) => Err(error),
        () = stop.asked() => Ok(()),
    };
    say("Stopping …");
    tokio::select! {
        stopped = house.stop() => stopped.map_err(sentence)?,
        // Asked twice: nothing waits any more. The processes end with this one.
        () = stop.asked() => return Err("Stopped without waiting for the processes to finish.".to_owned()),
    }
    say(format_args!("Stopped. Everything is kept in {}.", options.data.display()));
    outcome
}

/// Starts again what ends by itself; returns with a sentence when that is hopeless.
async fn keep_running(house: &mut House) -> String {
    let start = Instant::now();
    let mut ends = Ends::default();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        if let Err(sentence) = restart_the_dead(house, &mut ends, start.elapsed()).await {
            return sentence;
        }
    }
}

async fn restart_the_dead(house: &mut House, ends: &mut Ends, now: Duration) -> Result<(), String> {
    // The hub first: the others only wait for it.
    let mut note = |error: stardust_demo::Error, name: &str| {
        let again = ends.worth_a_restart(name, now);
        if again {
            say(format_args!("{error}\n{name} is started again."));
            Ok(())
        } else {
            Err(format!("{error}\nThat was too often within a minute: everything is stopped."))
        }
    };
    if let Err(error) = house.hub.process().check_alive() {
        note(error, "The hub")?;
        house.hub.restart().await.map_err(sentence)?;
    }
    for station in &mut house.stations {
        if let Err(error) = station.simulator.process().check_alive() {
            note(error, &format!("{}'s simulator", station.name))?;
            station.simulator.restart().await.map_err(sentence)?;
        }
        if let Err(error) = station.agent.process().check_alive() {
            note(error, &format!("{}'s agent", station.name))?;
            station.agent.restart().await.map_err(sentence)?;
        }
    }
    Ok(())
}

/// Puts a few files into the library. The demo is of use without them, so a failure is only told.
async fn add_samples(house: &House, samples: &[impl AsRef<Path>]) {
    for path in samples.iter().map(AsRef::as_ref) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let outcome = match tokio::fs::read(path).await {
            Ok(bytes) => house.client.upload(&name, bytes).await.map_err(sentence),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = outcome {
            say(format_args!("{} was not put into the library: {why}", path.display()));
        }
    }
}

/// Logs of the start before are kept, older ones are not: they would grow for ever.
fn set_old_logs_aside(options: &HouseOptions) -> Result<(), String> {
    let logs = options.logs();
    if !logs.exists() {
        return Ok(());
    }
    let before = options.data.join("logs-before");
    match std::fs::remove_dir_all(&before) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("{} can't be removed: {error}", before.display()));
        }
        _ => {}
    }
    std::fs::rename(&logs, &before).map_err(|error| format!("{} can't be renamed: {error}", logs.display()))
}

fn sentence(error: impl Display) -> String {
    error.to_string()
}

/// Ctrl-C, a service manager's TERM, and the terminal's end.
struct StopSignals([Signal; 3]);

impl StopSignals {
    fn new() -> std::io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn asked(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
