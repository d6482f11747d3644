//! An emergency stop on its whole way: asked for at the hub's API, `M112` on the printer's line, and what people are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use futures::SinkExt as _;
use reqwest::{Body, Method, StatusCode};
use serde_json::{Value, json};
use stardust_demo::agent::{AgentOptions, AgentProcess};
use stardust_demo::binaries::Binaries;
use stardust_demo::simulator::{SimOptions, SimProcess};
use stardust_demo::wait;
use stardust_e2e::gcode::fixture;
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;
use stardust_e2e::stream::{Event, read};
use stardust_e2e::tls_front::{TlsFront, file};

const FILE: &str = "cura_teapot_ender3_marlin.gcode";
const NAMES: [&str; 3] = ["Ada", "Grace", "Vera"];

async fn post(test: &TestHouse, path: &str, body: Value) -> (StatusCode, Value) {
    let call = test.client().request(Method::POST, &format!("/api/v1/printers/{path}"));
    let answer = call.json(&body).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

/// How often each printer was told to halt, by its line.
fn halts(test: &TestHouse) -> [usize; 3] {
    NAMES.map(|name| test.halts(name))
}

/// How far the stop of each printer is, as the hub tells anybody who asks.
async fn told(test: &TestHouse) -> Vec<String> {
    let mut told = Vec::new();
    for name in NAMES {
        told.push(test.printer(name).await["emergency_stop"]["state"].as_str().unwrap_or("none").to_owned());
    }
    told
}

#[tokio::test]
async fn one_several_and_all_are_stopped_and_people_are_told() {
    let mut test = TestHouse::start(&NAMES, 100.0).await;
    let bytes = std::fs::read(fixture(FILE)).unwrap();
    let printing = test.print(FILE, bytes.clone(), Some("Ada")).await;
    let paused = test.print(FILE, bytes.clone(), Some("Grace")).await;
    test.job_beyond(&paused, 0.0).await;
    test.client().ask(&paused, "pause").await.unwrap();
    test.job_in_state(&paused, "paused").await;
    test.job_beyond(&printing, 0.0).await;
    // An upload that is half way, for as long as this takes.
    let (mut more, body) = futures::channel::mpsc::channel::<std::io::Result<Vec<u8>>>(0);
    let upload = test.client().request(Method::POST, "/api/v1/files").query(&[("name", "slow.gcode")]);
    let upload = tokio::spawn(upload.body(Body::wrap_stream(body)).send());
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    more.send(Ok(first.to_vec())).await.unwrap();
    let start = read(test.client(), None, |event| event.name == "reset").await;
    assert_eq!(halts(&test), [0, 0, 0]);

    // One.
    let [ada, grace, vera] =
        [test.printer_id("Ada").await, test.printer_id("Grace").await, test.printer_id("Vera").await];
    let (status, answer) = post(&test, &format!("{ada}/emergency-stop"), json!({})).await;
    assert_eq!((status, &answer["emergency_stop"]["state"]), (StatusCode::OK, &json!("sent")));
    assert_eq!(halts(&test), [1, 0, 0], "on the printer's line when it is answered, and on no other");
    test.job_in_state(&printing, "failed").await;
    let is_told =
        |event: &Event| event.data["id"] == *ada && event.data["data"]["emergency_stop"]["state"] == "sent";
    read(test.client(), Some(&start.last().unwrap().id), is_told).await;

    // Several: one that is paused, one that is idle, and one that nobody knows.
    let stranger = ada.replace(|c: char| c.is_ascii_digit(), "0");
    let (status, answer) = post(&test, "emergency-stop", json!({"ids": [grace, vera, stranger]})).await;
    assert_eq!((status, &answer["unknown"]), (StatusCode::ACCEPTED, &json!([stranger])));
    assert_eq!(halts(&test), [1, 1, 1]);
    test.job_in_state(&paused, "failed").await;
    more.send(Ok(rest.to_vec())).await.unwrap();
    drop(more);
    assert_eq!(upload.await.unwrap().unwrap().status(), StatusCode::CREATED, "it was not disturbed");

    // It is in the hub's books.
    test.house.hub.restart().await.unwrap();
    assert_eq!(told(&test).await, ["sent", "sent", "sent"]);
    for id in [&ada, &grace, &vera] {
        assert_eq!(post(&test, &format!("{id}/emergency-stop/clear"), json!({})).await.0, StatusCode::OK);
    }
    for name in ["Ada", "Grace"] {
        wait::until("the agent to be back", PATIENCE, async || {
            (test.printer(name).await["contact"]["state"] == "online").then_some(())
        })
        .await
        .unwrap();
    }

    // All, of which one can't be told now.
    test.house.stations[2].agent.kill().await.unwrap();
    let (status, _) = post(&test, "emergency-stop", json!({"all": true})).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(told(&test).await, ["sent", "sent", "sending"], "that nobody has answered is said");
    assert_eq!(halts(&test), [2, 2, 1]);
    test.house.stations[2].agent.restart().await.unwrap();
    wait::until("the agent's answer", PATIENCE, async || {
        told(&test).await.iter().all(|state| state.starts_with("sent")).then_some(())
    })
    .await
    .unwrap();
    // At each speed: a halted printer says nothing from which the agent could know its own.
    assert!(test.halts("Vera") > 1, "{:?}", halts(&test));
    test.stop().await;
}

/// No MQTT, because the printer's credential would go in clear: the agent waits at the hub, and needs no look for it, which
/// would come within half a minute.
#[tokio::test]
async fn behind_https_a_stop_needs_no_look() {
    let test = TestHouse::start(&[], 100.0).await;
    let binaries = Binaries::beside_this_program().unwrap();
    let dir = test.options().data.join("behind-https");
    std::fs::create_dir_all(&dir).unwrap();
    let (link, log, wire) = (dir.join("port"), dir.join("log"), dir.join("wire"));
    let simulator = SimOptions {
        name: "Ada".into(),
        link: link.clone(),
        speed: 100.0,
        journal: None,
        log: log.clone(),
        args: vec!["--wire".into(), wire.display().to_string()],
    };
    let _simulator = SimProcess::start(&binaries, simulator).await.unwrap();
    let front = TlsFront::before(test.options().listen);
    let code = test.client().pairing_code().await.unwrap();
    let mut pair = tokio::process::Command::new(binaries.path("stardust-agent").unwrap());
    pair.args(["pair", &front.url, &code, "--name", "Ada", "--no-check", "--port"]).arg(&link);
    pair.arg("--hub-ca").arg(file("one.pem")).arg("--data").arg(dir.join("agent"));
    let paired = pair.output().await.unwrap();
    assert!(paired.status.success(), "{}", String::from_utf8_lossy(&paired.stderr));
    let (data, env) = (dir.join("agent"), Vec::new());
    let options = AgentOptions { name: "Ada".into(), model: None, port: link, data, log, env };
    let mut agent = AgentProcess::start(&binaries, &options).unwrap();
    wait::until("somebody waits", PATIENCE, async || {
        front.asked().iter().filter(|asked| asked.ends_with("/commands/next")).nth(1).map(drop)
    })
    .await
    .unwrap();

    // Whoever looks at the printer can see that it hears.
    assert_eq!(test.printer("Ada").await["contact"]["waits"], true);
    let ada = test.printer_id("Ada").await;
    wait::until("a stop without a look", PATIENCE, async || {
        let (before, halts) = (front.asked().len(), journal::halts(&wire));
        post(&test, &format!("{ada}/emergency-stop"), json!({})).await;
        wait::until("the agent's answer", PATIENCE, async || {
            let stop = &test.printer("Ada").await["emergency_stop"];
            stop["state"].as_str().filter(|state| state.starts_with("sent")).map(drop)
        })
        .await
        .unwrap();
        assert!(journal::halts(&wire) > halts, "on the printer's line when it is answered");
        let asked = front.asked().split_off(before);
        let answer = asked.iter().position(|asked| asked.ends_with("/events")).unwrap();
        // One of its looks may have come just then: once more.
        let looked = asked[..answer].iter().any(|asked| asked.ends_with("/commands"));
        post(&test, &format!("{ada}/emergency-stop/clear"), json!({})).await;
        (!looked).then_some(())
    })
    .await
    .unwrap();

    // And while the hub can write nothing: its outcome, which comes the same way as all that has to be written, is heard.
    let unwritable = test.database_unwritable();
    let halts = journal::halts(&wire);
    let (_, answer) = post(&test, &format!("{ada}/emergency-stop"), json!({})).await;
    assert_eq!(answer["emergency_stop"]["recorded"], false, "{answer}");
    wait::until("the agent's answer", PATIENCE, async || {
        let stop = &test.printer("Ada").await["emergency_stop"];
        stop["state"].as_str().filter(|state| state.starts_with("sent")).map(drop)
    })
    .await
    .unwrap();
    assert!(journal::halts(&wire) > halts);
    drop(unwritable);
    agent.stop().await.unwrap();
    test.stop().await;
}

/// A pipe in the place of this file, that has no room any more, and a reader that does not read. Whoever appends to it waits.
fn unread(file: &Path) -> std::fs::File {
    let _ = std::fs::remove_file(file);
    let (folder, mode) = (rustix::fs::CWD, rustix::fs::Mode::from_raw_mode(0o600));
    rustix::fs::mknodat(folder, file, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let reader = std::fs::File::options().read(true).write(true).custom_flags(nonblock).open(file).unwrap();
    while rustix::io::write(&reader, &[b'\n'; 4096]).is_ok() {}
    while rustix::io::write(&reader, b"\n").is_ok() {}
    reader
}

/// A service manager that does not read: its system is stuck.
fn stuck_manager(address: &Path) -> UnixDatagram {
    let manager = UnixDatagram::bind(address).unwrap();
    let others = UnixDatagram::unbound().unwrap();
    others.set_nonblocking(true).unwrap();
    while others.send_to(b"STATUS=another service", address).is_ok() {}
    manager
}

#[tokio::test]
async fn a_hub_that_nobody_reads_answers_everybody_and_stops_every_printer() {
    let folder = tempfile::tempdir().unwrap();
    let address = folder.path().join("notify");
    let _manager = stuck_manager(&address);
    let mut test =
        TestHouse::start_with(&NAMES, 100.0, &[("NOTIFY_SOCKET", address.to_str().unwrap())]).await;
    let _reader = unread(&test.options().logs().join("hub.log"));
    test.house.hub.restart().await.unwrap();
    for name in NAMES {
        test.printer_in_state(name, "idle").await;
        let id = test.printer_id(name).await;
        let (status, answer) = post(&test, &format!("{id}/emergency-stop"), json!({})).await;
        assert_eq!((status, &answer["emergency_stop"]["state"]), (StatusCode::OK, &json!("sent")), "{name}");
        assert_eq!(test.halts(name), 1, "{name}");
    }
    test.stop().await;
}
