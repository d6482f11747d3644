//! The command line client: login, upload, print, watch, printers, jobs, cleared, preheat, cool-down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use stardust_demo::binaries::Binaries;
use stardust_demo::wait;
use stardust_e2e::gcode::fixture;
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;
use tokio::io::AsyncWriteExt as _;

/// Runs `stardust` with a home of its own.
async fn stardust(home: &Path, args: &[&str], input: &str) -> Output {
    let program = Binaries::beside_this_program().unwrap().path("stardust").unwrap();
    let mut child = tokio::process::Command::new(program)
        .args(args)
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    child.wait_with_output().await.unwrap()
}

async fn says(home: &Path, args: &[&str], input: &str) -> String {
    let output = stardust(home, args, input).await;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "stardust {args:?}: {:?}\n{out}\n{err}", output.status);
    out.into_owned()
}

#[tokio::test]
async fn a_person_prints_a_file_from_a_terminal() {
    let test = TestHouse::start(&["Ada"], 400.0).await;
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let sign_in = test.house.sign_in.as_ref().unwrap();
    let (url, file) = (test.house.hub.url(), fixture("ps_mmu_5tool_mk3s.gcode"));
    let file = file.to_str().unwrap();

    let before = stardust(home, &["printers"], "").await;
    assert!(!before.status.success(), "nobody is signed in");
    let wrong =
        stardust(home, &["login", &url, "--email", &sign_in.email, "--password-stdin"], "wrong\n").await;
    assert_eq!(wrong.status.code(), Some(1));
    let sentence = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(sentence.contains("don't belong together"), "{sentence}");

    let password = format!("{}\n", sign_in.password);
    says(home, &["login", &url, "--email", &sign_in.email, "--password-stdin"], &password).await;
    assert!(says(home, &["printers"], "").await.contains("Ada"));
    let uploaded = says(home, &["upload", file], "").await;
    assert!(uploaded.contains("PrusaSlicer"), "{uploaded}");
    let bad = stardust(home, &["upload", "/dev/null"], "").await;
    assert_eq!(bad.status.code(), Some(1));

    let simple = home.join("square.gcode");
    std::fs::write(&simple, "G28\nG1 X10 Y10 F3000\nG1 X20\nM84\n").unwrap();
    says(home, &["print", simple.to_str().unwrap(), "--printer", "Ada", "--watch"], "").await;
    let jobs: Value = serde_json::from_str(&says(home, &["jobs", "--json"], "").await).unwrap();
    let job = jobs.as_array().map_or(&jobs["items"][0], |jobs| &jobs[0]);
    assert_eq!(job["state"], "awaiting_removal", "{jobs}");
    says(home, &["cleared", "square.gcode"], "").await;
    assert!(says(home, &["jobs", "--history"], "").await.contains("square.gcode"));

    // Heated without a job, and cooled down, at the printer. What the job has heated is being turned off until then.
    let preheat = ["preheat", "Ada", "--nozzle", "190", "--bed", "55"];
    wait::until("a preheat", PATIENCE, async || {
        stardust(home, &preheat, "").await.status.success().then_some(())
    })
    .await
    .unwrap();
    let path = test.journal("Ada");
    let sent_last = async |wanted: [&str; 2]| {
        wait::until("its heaters to be set", PATIENCE, async || {
            let sent: Vec<_> = journal::read(&path).into_iter().map(|entry| entry.command).collect();
            let heat: Vec<_> =
                sent.iter().filter(|line| line.starts_with("M104") || line.starts_with("M140")).collect();
            heat.ends_with(&wanted.map(str::to_owned).each_ref()).then_some(())
        })
        .await
        .unwrap();
    };
    sent_last(["M104 S190", "M140 S55"]).await;
    says(home, &["cool-down", "Ada"], "").await;
    sent_last(["M104 S0", "M140 S0"]).await;
    says(home, &["logout"], "").await;
    assert!(!stardust(home, &["printers"], "").await.status.success());
    test.stop().await;
}
