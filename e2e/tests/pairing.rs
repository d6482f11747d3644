//! A printer comes to a hub: by the PIN that it shows, and not by guessing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use stardust_demo::agent::{AgentOptions, AgentProcess};
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};
use stardust_demo::wait;
use stardust_e2e::gcode::fixture;
use stardust_e2e::house::{PATIENCE, TestHouse};

#[tokio::test]
async fn a_member_types_the_pin_that_an_unpaired_printer_shows() {
    let test = TestHouse::start(&[], 400.0).await;
    let binaries = Binaries::beside_this_program().unwrap();
    let dir = test.options().data.join("unpaired");
    std::fs::create_dir_all(&dir).unwrap();
    let (link, log, config) = (dir.join("port"), dir.join("log"), dir.join("agent.toml"));
    let simulator = SimOptions {
        name: "Ada".into(),
        link: link.clone(),
        speed: 400.0,
        journal: None,
        log: log.clone(),
        args: Vec::new(),
    };
    let _simulator = SimProcess::start(&binaries, simulator).await.unwrap();
    let hub = test.house.hub.url();
    std::fs::write(&config, format!("hub = {hub:?}\n[printer.Ada]\nport = {link:?}\n")).unwrap();
    let options = AgentOptions {
        name: "Ada".into(),
        model: None,
        port: link,
        data: dir.join("agent"),
        log,
        env: vec![("STARDUST_AGENT_CONFIG".into(), config.display().to_string())],
    };
    let mut agent = AgentProcess::start(&binaries, &options).unwrap();

    let pin = wait::until("a PIN in the agent's status", PATIENCE, async || {
        let mut command = tokio::process::Command::new(binaries.path("stardust-agent").unwrap());
        let output = command.args(["status", "--json", "--data"]).arg(&options.data).output().await.unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).ok()?;
        report["printers"][0]["pin"].as_str().map(str::to_owned)
    })
    .await
    .unwrap();
    let enter = async |pin: &str| {
        let call = test.client().request(Method::POST, "/api/v1/pairings").json(&json!({ "pin": pin }));
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, problem) = enter("AAAA-AAAA").await;
    assert_eq!((status, problem["code"].as_str()), (422, Some("bad_pin")), "{problem}");
    let (status, printer) = enter(&pin.to_lowercase()).await;
    assert_eq!((status, printer["name"].as_str()), (201, Some("Ada")), "{printer}");
    assert_eq!(enter(&pin).await.0, 422, "a PIN is good once");

    test.printer_in_state("Ada", "idle").await;
    let file = std::fs::read(fixture("ps_mmu_5tool_mk3s.gcode")).unwrap();
    let job = test.print("mmu.gcode", file, Some("Ada")).await;
    test.job_beyond(&job, 0.0).await;
    test.client().ask(&job, "cancel").await.unwrap();
    test.job_in_state(&job, "cancelled").await;
    agent.stop().await.unwrap();
    test.stop().await;
}

/// A person has made a mistake in a printer's own settings: whoever looks at the dashboard reads which.
#[tokio::test]
async fn the_hub_is_told_of_a_printer_whose_settings_can_not_be_read_until_they_are_mended() {
    let mut test = TestHouse::start(&["Ada"], 400.0).await;
    let config = test.agent_journal("Ada").with_file_name("printer.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    test.house.stations[0].agent.kill().await.unwrap();
    std::fs::write(&config, format!("bawd = 9600\n{text}")).unwrap();
    test.house.stations[0].agent.restart().await.unwrap();
    let told = wait::until("the mistake at the hub", PATIENCE, async || {
        let printer = test.printer("Ada").await;
        (printer["state"] == "error")
            .then(|| printer["status"]["message"].as_str().unwrap_or_default().to_owned())
    })
    .await
    .unwrap();
    assert!(told.contains("printer.toml") && told.contains("bawd"), "{told}");
    std::fs::write(&config, text).unwrap();
    test.printer_in_state("Ada", "idle").await;
    test.stop().await;
}

#[tokio::test]
async fn codes_are_not_guessed() {
    let test = TestHouse::start(&[], 400.0).await;
    let pair = async |code: &str| {
        let body = json!({"code": code, "protocol": {"major": 1, "minor": 0}, "agent_version": "0", "printer_name": "x"});
        let call = test.client().anonymous().request(Method::POST, "/agent/v1/pair").json(&body);
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    // All at once: that does not help.
    let tries = join_all((0..15).map(|_| pair("AAAA-AAAA"))).await;
    let with = |status| tries.iter().filter(|(answer, _)| *answer == status).count();
    assert_eq!((with(401), with(429)), (10, 5));
    let code = test.client().pairing_code().await.unwrap();
    let (status, problem) = pair(&code).await;
    assert_eq!(status, 429, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("Nothing was used up"), "{problem}");
    // Somewhere else the code is as good as ever: behind a proxy on this machine.
    let body = json!({"code": code, "protocol": {"major": 1, "minor": 0}, "agent_version": "0", "printer_name": "x"});
    let call = test.client().anonymous().request(Method::POST, "/agent/v1/pair");
    let answer = call.header("x-forwarded-for", "192.0.2.7").json(&body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    test.stop().await;
}
