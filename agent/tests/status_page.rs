//! The status page of the running agent, as a browser on its machine and a page from elsewhere ask for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

mod stand_in;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command};

use serde_json::Value;
use stand_in::eventually;
use stand_in::hub::Hub;
use stand_in::printer::{Printer, agent, fixture};

/// A running agent with its page.
struct Agent {
    process: Child,
    data: tempfile::TempDir,
    /// `127.0.0.1:PORT`
    at: String,
}

fn command(data: &tempfile::TempDir) -> Command {
    let mut command = agent();
    command.env("STARDUST_AGENT_DATA", data.path());
    command
}

fn status(data: &tempfile::TempDir) -> Option<Value> {
    let output = command(data).args(["status", "--json"]).output().unwrap();
    serde_json::from_slice(&output.stdout).ok()
}

impl Agent {
    fn start(data: tempfile::TempDir, arguments: &[&str]) -> Self {
        let process = command(&data).arg("run").args(arguments).spawn().unwrap();
        Self { process, data, at: String::new() }
    }

    /// Waits until it has told where its page is.
    fn run(data: tempfile::TempDir, arguments: &[&str]) -> Self {
        let mut agent = Self::start(data, arguments);
        let page = eventually("the page's address", || {
            status(&agent.data)?["status_page"].as_str().map(str::to_owned)
        });
        agent.at = page.strip_prefix("http://").unwrap().trim_end_matches('/').to_owned();
        agent
    }

    /// Status line and headers, and the body.
    fn get(&self, path: &str, host: &str) -> (String, String) {
        ask(&self.at, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
    }

    fn status(&self) -> Value {
        let (head, body) = self.get("/status.json", &self.at);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(&body).unwrap()
    }
}

fn ask(at: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase().replacen("http", "HTTP", 1), body.to_owned())
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_browser_on_this_machine_sees_the_print_and_pages_from_elsewhere_see_nothing() {
    let (hub, printer, data) = (Hub::start(), Printer::start(50), tempfile::tempdir().unwrap());
    hub.offer(&std::fs::read(fixture("cura_teapot_ender3_marlin.gcode")).unwrap());
    let mut pair = command(&data);
    pair.args(["pair", &hub.url, "K7QM-4TXP", "--name", "Ender left", "--port"]).arg(printer.port());
    assert!(pair.output().unwrap().status.success());
    let agent = Agent::run(data, &["--status-page", "127.0.0.1:0"]);

    let printing = eventually("the print", || {
        let status = agent.status();
        let job = &status["printers"][0]["status"]["job"];
        (job["fraction"].as_f64()? > 0.0).then_some(status)
    });
    let shown = &printing["printers"][0];
    assert_eq!((&shown["name"], &shown["file_name"]), (&"Ender left".into(), &"bracket.gcode".into()));
    assert_eq!(shown["hub"], hub.url);

    let (head, body) = agent.get("/", &agent.at);
    assert!(head.starts_with("HTTP/1.1 200") && head.contains("text/html"), "{head}");
    assert!(body.contains("<progress") && body.contains("/status.json"));
    for header in ["content-security-policy: default-src 'none'", "x-content-type-options: nosniff"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!head.contains("access-control"), "shared with no other page: {head}");

    // A name of somebody else's that leads here.
    for path in ["/", "/status.json"] {
        let (head, body) = agent.get(path, "rebound.example:8091");
        assert!(head.starts_with("HTTP/1.1 403") && !body.contains("Ender left"), "{head}\n{body}");
    }
    let (head, _) = ask(&agent.at, "GET /status.json HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("HTTP/1.0 403"), "{head}");
    let (head, _) = ask(&agent.at, &format!("POST / HTTP/1.1\r\nHost: {}\r\n\r\n", agent.at));
    assert!(head.starts_with("HTTP/1.1 405") && head.contains("allow: get, head"), "{head}");
}

#[test]
fn a_pin_is_not_told_to_everybody_on_this_machine() {
    let (hub, data) = (Hub::start(), tempfile::tempdir().unwrap());
    let config = data.path().join("agent.toml");
    let text = format!(
        "hub = {:?}\nstatus_page = \"127.0.0.1:0\"\n[printer.\"Ender left\"]\nport = \"/dev/ttyNone\"\n",
        hub.url
    );
    std::fs::write(&config, text).unwrap();
    let agent = Agent::run(data, &["--config", config.to_str().unwrap()]);
    // Those who may ask the socket are told.
    eventually("a PIN", || (status(&agent.data)?["printers"][0]["pin"] == "ABCD-EFGH").then_some(()));
    let (_, body) = agent.get("/status.json", &agent.at);
    assert!(!body.contains("ABCD"), "{body}");
    let shown: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(shown["printers"][0]["pin_withheld"], true);
    let words = command(&agent.data).arg("status").output().unwrap();
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains(&format!("Status page for a browser on this machine: http://{}/", agent.at)));
}

#[test]
fn a_page_that_others_could_reach_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let mut given = command(&data);
    given.args(["run", "--status-page", "0.0.0.0:8091"]);
    let mut environment = command(&data);
    environment.arg("run").env("STARDUST_AGENT_STATUS_PAGE", "192.0.2.1:8091");
    let config = data.path().join("agent.toml");
    std::fs::write(&config, "status_page = \"[::]:8091\"\n").unwrap();
    let mut file = command(&data);
    file.args(["run", "--config"]).arg(&config);
    for mut refused in [given, environment, file] {
        let output = refused.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        // As for all settings that are wrong: the service is not started again and again.
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains("could be reached from other machines"), "{said}");
    }
}

#[test]
fn a_port_that_is_taken_costs_the_page_and_nothing_else() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let agent = Agent::start(data, &["--status-page", &taken.local_addr().unwrap().to_string()]);
    let status = eventually("the agent", || status(&agent.data));
    assert_eq!(status.get("status_page"), None);
}

#[test]
fn doctor_and_print_know_the_agent_that_runs_here() {
    let (hub, printer, data) = (Hub::start(), Printer::start(50), tempfile::tempdir().unwrap());
    let mut pair = command(&data);
    pair.args(["pair", &hub.url, "K7QM-4TXP", "--name", "Ender left", "--port"]).arg(printer.port());
    assert!(pair.output().unwrap().status.success());
    let agent = Agent::start(data, &[]);
    eventually("the printer", || {
        let state = status(&agent.data)?["printers"][0]["status"]["state"].as_str()?.to_owned();
        (state == "idle").then_some(())
    });

    let doctor = command(&agent.data).args(["doctor", "--json"]).output().unwrap();
    assert!(doctor.status.success(), "it is no fault: {}", String::from_utf8_lossy(&doctor.stderr));
    let said: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let found = said[0]["findings"][0]["found"].as_str().unwrap();
    assert!(found.contains("the agent that runs here") && found.contains("Ender left"), "{found}");

    let mut print = command(&agent.data);
    print.arg("print").arg(fixture("cura_teapot_ender3_marlin.gcode")).arg("--port").arg(printer.port());
    let print = print.output().unwrap();
    let said = String::from_utf8_lossy(&print.stderr).into_owned();
    assert!(!print.status.success() && said.contains("Ender left"), "{said}");
    assert!(!said.contains("nother program"), "{said}");
}
