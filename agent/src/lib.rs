//! The agent: the daemon on the printer host.
//!
//! | module | what it owns |
//! |---|---|
//! | [`serial`] | the host protocol, without I/O |
//! | [`port`] | serial ports and the thread that drives the protocol on one |
//! | [`print_job`] | one job: its file, its progress, its way through its states |
//! | [`spool`] | print files on disk |
//! | [`journal`] | what must survive restarts |
//! | [`disk`] | what may be wrong with the disk |
//! | [`plain_file`] | opening files in whose place anything may stand |
//! | [`disk_work`] | where work that waits for it is done |
//! | [`trail`] | where the job at work is, for the process that comes after this one |
//! | [`hub_link`] | the wire to the hub |
//! | [`telemetry`] | how a print goes, kept for the hub |
//! | [`printer`] | one printer: port, jobs and hub brought together |
//! | [`pairing`] | how a printer and a hub come together |
//! | [`status_socket`] | telling the status to people of this machine |
//! | [`status_page`] | the same as a page for a browser on this machine |
//! | [`agent`] | all printers of this host |
//! | [`folder_lock`] | one process for each folder |
//! | [`boot`] | which run of this machine it is |
//! | [`systemd`] | what the service manager is told |
//! | [`settings`], [`cli`] | what a person sets and types |

pub mod agent;
pub mod boot;
pub mod cli;
pub mod disk;
pub mod disk_work;
pub mod folder_lock;
pub mod hub_link;
pub mod journal;
pub mod pairing;
pub mod plain_file;
pub mod port;
pub mod print_job;
pub mod printer;
pub mod serial;
pub mod settings;
pub mod spool;
pub mod status_page;
pub mod status_socket;
pub mod systemd;
pub mod telemetry;
pub mod trail;
