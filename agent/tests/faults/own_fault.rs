//! A fault of the agent itself: in mid-print the task of a printer panics, or the thread of its port does, or hangs. It stays with
//! that printer, whose heaters nobody may forget. The agent runs in this process, on a clock that fails; the evidence is the
//! printer's, and what the service manager is told.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use stardust_agent::port::PortStore;
use stardust_agent::settings::Settings;
use stardust_clock::{Clock, SystemClock};
use stardust_protocol::{JobState, Timestamp};
use tokio::sync::watch;

use crate::host::Host;
use crate::stand_in::eventually;

/// Whoever asks for the time next panics, or never gets it.
#[derive(Debug, Default)]
struct FaultyClock {
    clock: SystemClock,
    /// How far it has leapt, s.
    ahead_s: AtomicU64,
    /// A task: the agent's own work is none, and in mid-print it is its printer's.
    in_task: AtomicBool,
    /// The thread of a port.
    in_port: AtomicBool,
    /// That thread hangs.
    hang: AtomicBool,
}

impl FaultyClock {
    fn fail_if_wanted(&self) {
        let is_task = tokio::task::try_id().is_some();
        let is_port = std::thread::current().name() == Some("serial");
        let fails = |is_here: bool, wanted: &AtomicBool| is_here && wanted.swap(false, Ordering::SeqCst);
        assert!(!fails(is_task, &self.in_task) && !fails(is_port, &self.in_port), "a fault, on purpose");
        if fails(is_port, &self.hang) {
            loop {
                std::thread::park();
            }
        }
    }
}

impl Clock for FaultyClock {
    fn now(&self) -> Timestamp {
        self.fail_if_wanted();
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        self.fail_if_wanted();
        self.clock.elapsed() + Duration::from_secs(self.ahead_s.load(Ordering::SeqCst))
    }
}

/// The agent, as `run` has it.
struct Agent {
    clock: Arc<FaultyClock>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Vec<String>>,
}

impl Agent {
    fn start(data: PathBuf) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::<FaultyClock>::default();
        let (stop, stopping) = watch::channel(false);
        let (theirs, settings) = (Arc::clone(&clock), Settings::read(Some(data), None).unwrap());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(stardust_agent::agent::run(&settings, theirs, PortStore::default(), stopping))
        });
        Self { clock, stop, thread }
    }

    fn fails(&self, way: fn(&FaultyClock) -> &AtomicBool) {
        let wanted = way(&self.clock);
        wanted.store(true, Ordering::SeqCst);
        eventually("the fault", || (!wanted.load(Ordering::SeqCst)).then_some(()));
    }

    /// Stops it, as a signal does; the printers that may be hot.
    fn ended(self) -> Vec<String> {
        self.stop.send_replace(true);
        self.thread.join().unwrap()
    }
}

/// In mid-print, and hot.
fn printing(speed: u32) -> (Host, Agent) {
    let host = Host::paired(None, speed);
    host.offer();
    let agent = Agent::start(host.data());
    host.wait_for(JobState::Printing);
    host.prints_on();
    assert!(!host.printer().is_cold(), "it would be no test");
    (host, agent)
}

fn last_error(host: &Host, text: &str) {
    host.status_where(text, |status| {
        status["last_error"]["message"].as_str().is_some_and(|it| it.contains(text))
    });
}

/// As behind a kill: where its printer is at is found out, and it goes on from there.
#[test]
fn a_printer_whose_task_panics_is_started_again_and_its_print_goes_on() {
    let (mut host, agent) = printing(100);
    agent.fails(|clock| &clock.in_task);
    last_error(&host, "A fault of the agent");
    host.wait_for(JobState::AwaitingRemoval);
    assert_eq!(agent.ended(), [""; 0]);
    host.expect_the_file(1);
}

/// Nobody starts it again then.
#[test]
fn one_whose_task_panics_just_before_the_agent_is_stopped_is_made_safe() {
    let (host, agent) = printing(50);
    agent.fails(|clock| &clock.in_task);
    assert_eq!(agent.ended(), [""; 0]);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// Its print has lost its place: it is made safe by whoever drives it next, if it is not before.
#[test]
fn one_whose_port_has_lost_its_thread_is_made_safe_and_driven_again() {
    let (host, agent) = printing(50);
    agent.fails(|clock| &clock.in_port);
    host.is_made_safe();
    last_error(&host, "the thread of its port has ended");
    host.wait_for(JobState::Failed);
    assert_eq!(agent.ended(), [""; 0]);
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
}

/// What the service manager is sent, message by message.
struct Manager(UnixDatagram);

impl Manager {
    /// How often it was told that the agent is alive, since the last look.
    fn fed(&self) -> usize {
        let mut message = [0; 4096];
        let messages =
            std::iter::from_fn(|| self.0.recv(&mut message).ok().map(|length| message[..length].to_vec()));
        messages.filter(|text| String::from_utf8_lossy(text).lines().any(|line| line == "WATCHDOG=1")).count()
    }

    /// The agent's own loop turns, and answers, so many times: how often the manager was told meanwhile.
    fn fed_while_it_answers(&self, host: &Host, times: usize) -> usize {
        self.fed();
        for _ in 0..times {
            host.status_where("it answers", |_| true);
        }
        self.fed()
    }
}

/// What hangs in the kernel nothing in this process can end: the service manager has to start it again, and does when it hears
/// nothing any more. All else goes on meanwhile.
#[test]
fn while_the_thread_of_a_port_hangs_the_service_manager_is_not_told_that_the_agent_is_alive() {
    const ITS_OWN: &str = "STARDUST_UNDER_A_MANAGER";
    const NAME: &str =
        "own_fault::while_the_thread_of_a_port_hangs_the_service_manager_is_not_told_that_the_agent_is_alive";
    // A process gets the name of the manager's socket when it begins: so this one runs once more, as the agent's.
    if std::env::var_os(ITS_OWN).is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args([NAME, "--exact", "--nocapture"]).env(ITS_OWN, "1");
        let output = again.env("NOTIFY_SOCKET", folder.path().join("notify")).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let manager = UnixDatagram::bind(std::env::var_os("NOTIFY_SOCKET").unwrap()).unwrap();
    manager.set_nonblocking(true).unwrap();
    let manager = Manager(manager);
    let (host, agent) = printing(50);
    let leap = || agent.clock.ahead_s.fetch_add(11, Ordering::SeqCst);
    assert!(manager.fed_while_it_answers(&host, 5) >= 4, "alive");
    leap();
    eventually("still alive, later", || (manager.fed_while_it_answers(&host, 5) >= 4).then_some(()));
    agent.fails(|clock| &clock.hang);
    // A thread may take its time; it is asked for a sign, which it owes then.
    assert!(manager.fed_while_it_answers(&host, 5) >= 4, "not known yet");
    leap();
    manager.fed_while_it_answers(&host, 2);
    assert_eq!(manager.fed_while_it_answers(&host, 10), 0, "it hangs");
}
