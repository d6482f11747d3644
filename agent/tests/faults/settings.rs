//! Settings that can't be understood when the agent is started anew in mid-print: it can't work, and does not leave heat behind.

use std::os::unix::process::ExitStatusExt as _;

use rstest::rstest;
use stardust_protocol::JobState;

use crate::host::Host;
use crate::stand_in::eventually;

/// The status at which the service is not started again (the unit names it).
const SETTINGS_ARE_WRONG: i32 = 78;

#[rstest]
#[case::the_configuration(&["--config"], &[])]
#[case::the_environment(&[], &[("STARDUST_AGENT_SPOOL_BYTES", "two gigabytes")])]
#[case::the_status_page(&[], &[("STARDUST_AGENT_STATUS_PAGE", "0.0.0.0:80")])]
fn an_agent_that_can_not_understand_its_settings_turns_the_heaters_off(
    #[case] options: &[&str],
    #[case] environment: &[(&str, &str)],
) {
    let mut host = Host::paired(None, 50);
    host.offer();
    host.run();
    host.wait_for(JobState::Printing);
    host.kill();
    assert!(!host.printer().is_cold(), "the job heats, and nobody is there");
    let wrong = host.runtime().join("agent.toml");
    std::fs::write(&wrong, "[printer.ender-left]\nbawd = 9600\n").unwrap();
    let mut command = host.command();
    command.args(options).args(options.iter().map(|_| &wrong)).arg("run").envs(environment.iter().copied());
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(SETTINGS_ARE_WRONG), "{:?}", ended.status.signal());
    assert!(host.printer().is_cold(), "{:?}", host.printer().targets());
    // Mended: it works again, and does not go on with what it has turned off.
    host.run();
    host.wait_for(JobState::Failed);
    eventually("ready", || host.status().filter(|status| status["status"]["state"] == "idle"));
}
