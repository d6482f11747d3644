//! Settings that can't be understood when the agent is started anew in mid-print: it can't work, and does not leave heat behind.

use std::os::unix::process::ExitStatusExt as _;

use rstest::rstest;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::eventually;

/// The status at which the service is not started again (the unit names it).
const SETTINGS_ARE_WRONG: i32 = 78;

/// How the agent is told where its data are; each time with a mistake beside it.
#[derive(Debug, Clone, Copy)]
enum Mistake {
    /// In the configuration; the environment says where the data are.
    Configuration,
    /// In the configuration, which alone says where the data are; this one more line.
    ConfigurationWithData(&'static str),
    /// A variable of this name, with something that can't be.
    Environment(&'static str, &'static str),
    /// On the command line, which alone says where the data are.
    CommandLine,
    /// On the command line; the configuration, which it names, says where the data are.
    CommandLineWithConfiguration,
}

#[rstest]
#[case(Mistake::Configuration)]
#[case::unknown(Mistake::ConfigurationWithData("[printer.ender-left]\nbawd = 9600\n"))]
#[case::no_toml(Mistake::ConfigurationWithData("[printer.ender-left\n"))]
#[case(Mistake::Environment("STARDUST_AGENT_SPOOL_BYTES", "two gigabytes"))]
#[case(Mistake::Environment("STARDUST_AGENT_STATUS_PAGE", "0.0.0.0:80"))]
#[case(Mistake::CommandLine)]
#[case(Mistake::CommandLineWithConfiguration)]
fn an_agent_that_can_not_understand_its_settings_turns_the_heaters_off(#[case] mistake: Mistake) {
    let mut host = Host::paired(None, 50);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    assert!(!host.printer().is_cold(), "the job heats, and nobody is there");
    let config = host.runtime().join("agent.toml");
    let data = host.data();
    let named = format!("data = {data:?}\n");
    let mut command = host.command();
    match mistake {
        Mistake::Configuration => {
            std::fs::write(&config, "[printer.ender-left]\nbawd = 9600\n").unwrap();
            command.arg("--config").arg(&config).arg("run");
        }
        Mistake::ConfigurationWithData(more) => {
            std::fs::write(&config, named + more).unwrap();
            command.env_remove("STARDUST_AGENT_DATA").arg("--config").arg(&config).arg("run");
        }
        Mistake::Environment(name, value) => {
            command.env(name, value).arg("run");
        }
        Mistake::CommandLine => {
            command.env_remove("STARDUST_AGENT_DATA").arg("--data").arg(data).args([
                "run",
                "--status-pag",
                "x",
            ]);
        }
        Mistake::CommandLineWithConfiguration => {
            std::fs::write(&config, named).unwrap();
            command
                .env_remove("STARDUST_AGENT_DATA")
                .arg("--config")
                .arg(&config)
                .args(["run", "--spool", "1"]);
        }
    }
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(SETTINGS_ARE_WRONG), "{:?}", ended.status.signal());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    // Mended: it works again, and does not go on with what it has turned off.
    host.run();
    host.wait_for(JobState::Failed);
    eventually("ready", || host.status().filter(|status| status["status"]["state"] == "idle"));
}
