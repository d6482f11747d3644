//! The calls to the hub that a printer's task waits for, each in a task of its own.
//!
//! Owns: their retries, and what comes back. Must not know: when they are made, or what follows.

use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use stardust_clock::SharedClock;
use stardust_protocol::agent_api::Claim;
use stardust_protocol::{ClaimId, CommandMessage, JobId};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::interrupted::{self, Layers, Planning};
use super::task::FromDisk;
use crate::disk_work::DiskWork;
use crate::hub_link::client::{HubClient, HubError};
use crate::hub_link::events::{Delivery, SharedJournal, deliver};
use crate::hub_link::telemetry::{self, SharedSeries};
use crate::plain_file;
use crate::print_job::admission;
use crate::print_job::layers::{Layer, Unfit};
use crate::print_job::profile::Profile;
use crate::print_job::return_plan::Refusal;
use crate::print_job::wholeness;
use crate::serial::{Brief, CutOff, LayerPoint};
use crate::spool::{Reservation, Spool, SpoolError};

/// After a claim was lost.
const LATER: Duration = Duration::from_secs(2);

/// What comes back.
#[derive(Debug)]
pub(super) enum Inbound {
    /// Commands that the hub has no outcome of.
    Commands(Vec<CommandMessage>),
    /// A job, and the room for its file.
    Claimed(Box<Claim>, Reservation),
    /// Nothing more comes of this look for work; why it failed, if it did.
    Looked(Option<String>),
    /// Events can't be delivered for now.
    Undelivered(String),
    /// It is time to look for work.
    Look,
    /// The file of a job is there, verified and found printable, or why it is not.
    Transferred(JobId, Result<(PathBuf, Brief), String>),
    /// The layers of a job that was cut off.
    Layers(JobId, Layers),
    /// How it goes on from the layer that was chosen: the file, and where; or why it can't.
    Planned(JobId, Planning, Box<Result<(PathBuf, Brief, LayerPoint), Refusal>>),
    /// The leave to start a job, or why there is none.
    Leave(JobId, Result<(), HubError>),
    /// The credential does not count any more.
    Revoked,
    /// Something from the disk.
    FromDisk(Box<FromDisk>),
    /// Whether print files have no room at all.
    Room(bool),
}

impl From<FromDisk> for Inbound {
    fn from(from: FromDisk) -> Self {
        Self::FromDisk(Box::new(from))
    }
}

/// Makes the calls.
#[derive(Debug)]
pub(super) struct Calls {
    hub: HubClient,
    spool: Spool,
    disk: DiskWork,
    clock: SharedClock,
    inbound: mpsc::UnboundedSender<Inbound>,
}

impl Calls {
    pub(super) fn new(
        hub: HubClient,
        spool: Spool,
        disk: DiskWork,
        clock: SharedClock,
        inbound: mpsc::UnboundedSender<Inbound>,
    ) -> Self {
        Self { hub, spool, disk, clock, inbound }
    }

    /// Where everything comes back.
    pub(super) fn inbound(&self) -> mpsc::UnboundedSender<Inbound> {
        self.inbound.clone()
    }

    /// Delivers events for ever. Gives [`Inbound::Look`] whenever the hub knows everything.
    pub(super) fn deliver(&self, journal: SharedJournal) -> JoinHandle<()> {
        let (hub, clock, inbound) = (self.hub.clone(), self.clock.clone(), self.inbound.clone());
        tokio::spawn(async move {
            let tell = |delivery| {
                let _ = inbound.send(match delivery {
                    Delivery::Done => Inbound::Look,
                    Delivery::Failed(error) => Inbound::Undelivered(error),
                });
            };
            deliver(hub, journal, clock, tell).await;
            let _ = inbound.send(Inbound::Revoked);
        })
    }

    /// Delivers samples of prints for ever.
    pub(super) fn deliver_telemetry(&self, series: SharedSeries, journal: SharedJournal) -> JoinHandle<()> {
        tokio::spawn(telemetry::deliver(self.hub.clone(), series, journal, self.clock.clone()))
    }

    /// Finds out whether print files have room. Ends with [`Inbound::Room`].
    pub(super) fn look_at_room(&self) {
        let (spool, inbound) = (self.spool.clone(), self.inbound.clone());
        tokio::spawn(async move {
            let _ = inbound.send(Inbound::Room(spool.largest_file().await == Some(0)));
        });
    }

    /// Has something looked up or done on the disk; what comes of it, if anything, ends as [`Inbound::FromDisk`].
    pub(super) fn ask_disk(&self, work: impl FnOnce() -> Option<FromDisk> + Send + 'static) {
        let inbound = self.inbound.clone();
        self.disk.start(move || work().into_iter().for_each(|from| drop(inbound.send(from.into()))));
    }

    /// Removes print files that nobody needs from a disk that is full.
    pub(super) fn make_way(&self) {
        let spool = self.spool.clone();
        self.disk.start(move || spool.make_way());
    }

    /// Asks for open commands, and for a job. Ends with [`Inbound::Looked`].
    pub(super) fn look(&self, may_claim: bool) {
        let (hub, spool, inbound) = (self.hub.clone(), self.spool.clone(), self.inbound.clone());
        tokio::spawn(async move {
            let error = match look(&hub, may_claim, &spool, &inbound).await {
                Ok(()) => None,
                Err(HubError::Revoked) => {
                    let _ = inbound.send(Inbound::Revoked);
                    None
                }
                Err(error) => {
                    tracing::debug!(error = %error, "no look for work");
                    Some(error.to_string())
                }
            };
            let _ = inbound.send(Inbound::Looked(error));
        });
    }

    /// Gives [`Inbound::Look`] in a while.
    pub(super) fn look_later(&self) {
        let inbound = self.inbound.clone();
        tokio::spawn(async move {
            tokio::time::sleep(LATER).await;
            let _ = inbound.send(Inbound::Look);
        });
    }

    /// Gets the claim's file. Ends with [`Inbound::Transferred`], or [`Inbound::Leave`] when the claim is gone.
    pub(super) fn transfer(&self, claim: Claim, profile: Profile) -> JoinHandle<()> {
        let (hub, spool, clock) = (self.hub.clone(), self.spool.clone(), self.clock.clone());
        let inbound = self.inbound.clone();
        tokio::spawn(async move {
            let began = clock.elapsed();
            let job = claim.job_id;
            let result = match spool.fetch(&hub, &claim).await {
                Ok(path) => admit(path, profile, &DiskWork::on_threads()).await,
                Err(SpoolError::Hub(error)) if error.is_claim_lost() => {
                    let _ = inbound.send(Inbound::Leave(job, Err(error)));
                    return;
                }
                Err(error) => Err(error.to_string()),
            };
            let took_ms = (clock.elapsed() - began).as_millis();
            tracing::info!(job.id = %job, file.bytes = claim.size_bytes, took_ms, "file transferred");
            let _ = inbound.send(Inbound::Transferred(job, result));
        })
    }

    /// Reads the file of a job that was cut off for its layers. Ends with [`Inbound::Layers`].
    pub(super) fn read_layers(&self, claim: &Claim, cut_off: CutOff) {
        let (job, file, inbound) = (claim.job_id, self.spool.path_of(claim), self.inbound.clone());
        tokio::task::spawn_blocking(move || {
            let _ = inbound.send(Inbound::Layers(job, interrupted::read_layers(&file, &cut_off)));
        });
    }

    /// Finds out how it goes on from a layer. Ends with [`Inbound::Planned`].
    pub(super) fn plan_return(
        &self,
        claim: &Claim,
        layer: Layer,
        cut_off: CutOff,
        (profile, planning): (Profile, Planning),
    ) {
        let (job, file, inbound) = (claim.job_id, self.spool.path_of(claim), self.inbound.clone());
        let disk = self.disk.clone();
        tokio::spawn(async move {
            let admitted = admit(file, profile, &disk).await;
            let admitted = admitted.map_err(|why| Refusal::File(Unfit::Unreadable(why)));
            let plan = move || {
                let (file, brief) = admitted?;
                let point = interrupted::plan(&file, &layer, &cut_off)?;
                Ok((file, brief, point))
            };
            let planned = disk.run(move || Ok(plan())).await;
            let planned = planned.unwrap_or_else(|error| Err(Unfit::Unreadable(error.to_string()).into()));
            let _ = inbound.send(Inbound::Planned(job, planning, Box::new(planned)));
        });
    }

    /// Asks for leave to start until it is given or refused. Ends with [`Inbound::Leave`].
    pub(super) fn ask_leave(&self, job: JobId, claim: ClaimId) {
        let (hub, inbound) = (self.hub.clone(), self.inbound.clone());
        tokio::spawn(async move {
            let mut back_off = hub.back_off();
            let result = loop {
                match hub.start(job, claim).await {
                    Ok(_) => break Ok(()),
                    Err(error) if error.is_claim_lost() || matches!(error, HubError::Revoked) => {
                        break Err(error);
                    }
                    Err(error) => {
                        tracing::warn!(job.id = %job, error = %error, "leave to start not given yet");
                        tokio::time::sleep(back_off.next_wait()).await;
                    }
                }
            };
            let _ = inbound.send(Inbound::Leave(job, result));
        });
    }
}

async fn look(
    hub: &HubClient,
    may_claim: bool,
    spool: &Spool,
    inbound: &mpsc::UnboundedSender<Inbound>,
) -> Result<(), HubError> {
    let commands = hub.commands().await?.commands;
    if !commands.is_empty() {
        let _ = inbound.send(Inbound::Commands(commands));
    }
    if !may_claim {
        return Ok(());
    }
    let free = spool.largest_file().await;
    let _ = inbound.send(Inbound::Room(free == Some(0)));
    if free == Some(0) {
        return Ok(());
    }
    if let Some(claim) = hub.claim(free).await?.claim {
        match spool.reserve(&claim).await {
            Some(room) => drop(inbound.send(Inbound::Claimed(Box::new(claim), room))),
            // Another printer of this host was promised the room in the meantime. The hub gives it again.
            None => {
                tracing::warn!(job.id = %claim.job_id, file.bytes = claim.size_bytes, "no room for its file now");
            }
        }
    }
    Ok(())
}

/// Looks the file through before anything of it goes to the printer. A large one takes seconds: on a thread of its
/// own, so that everything else the agent does goes on.
async fn admit(path: PathBuf, profile: Profile, disk: &DiskWork) -> Result<(PathBuf, Brief), String> {
    let look = move || {
        let unreadable = |error: std::io::Error| format!("The print file can't be read: {error}.");
        let file = plain_file::open(&path).map_err(unreadable)?;
        let admitted =
            admission::check(BufReader::new(file), &profile).map_err(|refusal| refusal.to_string())?;
        let cut_off = wholeness::is_cut_off(&path).map_err(unreadable)?;
        Ok((path, Brief { cut_off, ..admitted.brief }))
    };
    let looked = disk.run(move || Ok(look())).await;
    looked.unwrap_or_else(|error| Err(format!("The print file could not be looked through: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};

    /// A disk that does not answer until everything else has gone on, and a runtime of one thread.
    #[tokio::test]
    async fn looking_through_a_file_lets_everything_else_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "G28\nM117 Hello\n").unwrap();
        let (go_on, wait) = channel();
        let wait = Mutex::new(wait);
        // Not for ever: a test that would hang fails instead.
        let gate = move || wait.lock().unwrap().recv_timeout(Duration::from_secs(20)).unwrap();
        let disk = DiskWork::behind(Arc::new(gate));
        let (looked, ()) = tokio::join!(admit(file, Profile::default(), &disk), async move {
            go_on.send(()).unwrap();
        });
        assert!(looked.unwrap().1.brings_messages, "the thread was kept until the file was read");
    }
}
