//! A child process is stopped, killed and cleaned up as promised. The children are plain shells.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use stardust_demo::process::{Plan, Process, in_words};
use stardust_demo::wait;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(10);

fn shell(dir: &TempDir, script: &str) -> Plan {
    Plan::new("the shell", PathBuf::from("/bin/sh"), dir.path().join("logs/shell.log")).args(["-c", script])
}

/// Waits until the script has written a line into its log: its traps are set then.
async fn ready(process: &Process) {
    wait::until("the shell", SOON, async || process.log_tail(1).contains("ready").then_some(()))
        .await
        .unwrap();
}

#[tokio::test]
async fn stop_lets_the_process_finish_its_work() {
    let dir = TempDir::new().unwrap();
    let script = "trap 'echo goodbye; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let mut process = Process::start(shell(&dir, script)).unwrap();
    ready(&process).await;
    assert!(process.resident_kb().unwrap() > 100);
    assert_eq!(in_words(process.stop().await.unwrap()), "exit code 7");
    assert_eq!(process.log_tail(1), "goodbye");
}

#[tokio::test]
async fn kill_does_not_ask() {
    let dir = TempDir::new().unwrap();
    let mut process =
        Process::start(shell(&dir, "trap '' TERM; echo ready; while :; do sleep 0.05; done")).unwrap();
    ready(&process).await;
    assert_eq!(in_words(process.kill().await.unwrap()), "killed by signal 9");
}

#[tokio::test]
async fn a_process_that_ended_by_itself_shows_the_end_of_its_log() {
    let dir = TempDir::new().unwrap();
    let mut process = Process::start(shell(&dir, "echo out; echo no such printer >&2; exit 3")).unwrap();
    process.wait_exit(SOON).await.unwrap();
    let error = process.check_alive().unwrap_err().to_string();
    assert!(error.contains("the shell stopped by itself (exit code 3)"), "{error}");
    assert!(error.contains("out\nno such printer"), "{error}");
}

#[tokio::test]
async fn a_dropped_process_is_gone() {
    let dir = TempDir::new().unwrap();
    let process = Process::start(shell(&dir, "echo ready; exec sleep 1000")).unwrap();
    ready(&process).await;
    let proc = format!("/proc/{}", process.id());
    assert!(Path::new(&proc).exists());
    drop(process);
    assert!(!Path::new(&proc).exists());
}

#[tokio::test]
async fn standard_output_of_its_own_is_private_and_made_anew_at_each_start() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let shown = dir.path().join("shown");
    for word in ["first", "second"] {
        let plan = shell(&dir, &format!("echo {word}; echo {word} log >&2")).stdout(shown.clone());
        Process::start(plan).unwrap().wait_exit(SOON).await.unwrap();
    }
    assert_eq!(std::fs::read_to_string(&shown).unwrap(), "second\n");
    assert_eq!(std::fs::metadata(&shown).unwrap().permissions().mode() & 0o777, 0o600);
    let log = std::fs::read_to_string(dir.path().join("logs/shell.log")).unwrap();
    assert_eq!(log, "first log\nsecond log\n");
}
