//! The API's answers, as they stand on the wire: a change here is a change that clients see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;

use serde_json::Value;
use stardust_demo::wait;
use stardust_e2e::gcode::fixture;
use stardust_e2e::house::{PATIENCE, TestHouse};

/// Replaces what differs from run to run: ids by their order of appearance, times, temperatures.
#[derive(Default)]
struct Redact(HashMap<String, String>);

impl Redact {
    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map.iter_mut() {
                    if matches!(key.as_str(), "tools" | "bed" | "elapsed_s") {
                        *value = Value::from(format!("[{key}]"));
                    }
                    self.value(value);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        if text.len() == 24 && text.ends_with('Z') && text.as_bytes()[10] == b'T' {
            return "[time]".to_owned();
        }
        let mut out = text.to_owned();
        for part in text.split(['/', '?', '=', ' ']) {
            let is_id = part.len() == 36 && part.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
            if is_id {
                let next = format!("[id {}]", self.0.len() + 1);
                let name = self.0.entry(part.to_owned()).or_insert(next);
                out = out.replace(part, name);
            }
        }
        out
    }
}

#[tokio::test]
async fn the_resources_look_like_this() {
    let test = TestHouse::start(&["Ada"], 1000.0).await;
    let name = "cura_teapot_ender3_marlin.gcode";
    let file = test.upload(name, std::fs::read(fixture(name)).unwrap()).await;
    let job = test.print("square.gcode", b"G28\nG1 X10 F3000\nM84\n".to_vec(), Some("Ada")).await;
    let printed = test.job_in_state(&job, "awaiting_removal").await;
    // Its status follows the books by a moment: until it has let go of the job and told its temperatures.
    let printer = wait::until("the printer's own word that it is idle", PATIENCE, async || {
        let printer = test.printer_in_state("Ada", "awaiting_removal").await;
        let status = &printer["status"];
        let complete =
            status["state"] == "idle" && status.get("job").is_none() && status.get("bed").is_some();
        complete.then_some(printer)
    })
    .await
    .unwrap();
    let history = test.client().get(&format!("/api/v1/jobs/{job}/transitions")).await.unwrap();
    let session = test.client().get("/api/v1/session").await.unwrap();
    let mut redact = Redact::default();
    for (name, mut answer) in [
        ("session", session),
        ("file", file),
        ("printer", printer),
        ("job", printed),
        ("transitions", history),
    ] {
        redact.value(&mut answer);
        insta::assert_json_snapshot!(name, answer);
    }
    test.stop().await;
}
