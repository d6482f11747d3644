//! A data folder was copied: two agents use one credential, each with a printer of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use stardust_demo::agent::{AgentOptions, AgentProcess};
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};
use stardust_demo::wait;
use stardust_e2e::gcode::{commands, fixture};
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;

const FILE: &str = "cura_teapot_ender3_marlin.gcode";

/// Copies the files of a folder; in their texts one path becomes another.
fn copy(from: &Path, to: &Path, (old, new): (&Path, &Path)) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target, (old, new));
        } else if kind.is_file() {
            // Keeps the rights: a credential that others can read is refused.
            std::fs::copy(entry.path(), &target).unwrap();
            if let Ok(text) = std::fs::read_to_string(&target) {
                std::fs::write(&target, text.replace(old.to_str().unwrap(), new.to_str().unwrap())).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn of_two_agents_with_one_credential_one_prints_and_the_other_says_why_it_does_not() {
    let test = TestHouse::start(&["Ada"], 400.0).await;
    let binaries = Binaries::beside_this_program().unwrap();
    let original = test.options().data.join("printers/ada");
    let dir = test.options().data.join("copied");
    copy(&original.join("agent"), &dir.join("agent"), (&original.join("port"), &dir.join("port")));
    let (log, journal_path) = (dir.join("log"), dir.join("journal.jsonl"));
    let simulator = SimOptions {
        name: "Copy".into(),
        link: dir.join("port"),
        speed: 400.0,
        journal: Some(journal_path.clone()),
        log: log.clone(),
        args: Vec::new(),
    };
    let _simulator = SimProcess::start(&binaries, simulator).await.unwrap();
    let options = AgentOptions {
        name: "Ada".into(),
        model: None,
        port: dir.join("port"),
        data: dir.join("agent"),
        log,
        env: Vec::new(),
    };
    let mut copied = AgentProcess::start(&binaries, &options).unwrap();
    wait::until("the copy to say why it is not connected", PATIENCE, async || {
        let mut command = tokio::process::Command::new(binaries.path("stardust-agent").unwrap());
        let output = command.args(["status", "--data"]).arg(&options.data).output().await.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.contains("Another agent speaks for this printer").then_some(())
    })
    .await
    .unwrap();
    wait::until("the dashboard to tell of the second agent", PATIENCE, async || {
        test.printer("Ada").await["second_agent"]["address"].as_str().map(drop)
    })
    .await
    .unwrap();

    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), Some("Ada")).await;
    test.job_in_state(&job, "awaiting_removal").await;
    let expected = commands(&fixture(FILE));
    assert_eq!(test.printed("Ada", 1, expected.len()).await, [expected]);
    assert!(journal::jobs(&journal::read(&journal_path)).is_empty(), "the copy has printed too");
    copied.stop().await.unwrap();
    test.stop().await;
}
