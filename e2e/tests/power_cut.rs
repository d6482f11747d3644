//! Power fails in mid-print, for the printer and for its agent: over the hub the print is seen to be cut off, and goes on
//! from the layer that a person names, to its end.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;

use serde_json::json;
use stardust_demo::wait;
use stardust_e2e::house::{PATIENCE, TestHouse};

const LAYERS: u32 = 40;

/// Squares, as a slicer would write them.
fn print() -> String {
    let mut text = String::from("M140 S60\nM190 S60\nM109 S205\nG28\nG92 E0\nM106 S128\n");
    for layer in 0..LAYERS {
        let z = 0.2 * f64::from(layer + 1);
        let _ = writeln!(
            text,
            ";LAYER:{layer}\nG1 Z{z:.2} F3000\nG1 X90 Y0 E1\nG1 X90 Y90 E2\nG1 X0 Y90 E3\nG1 X0 Y0 E4\nG92 E0"
        );
    }
    text
}

#[tokio::test]
async fn a_print_that_was_cut_off_goes_on_over_the_hub_from_the_layer_that_is_named() {
    let mut test = TestHouse::start(&["Ada"], 20.0).await;
    let text = print();
    let job = test.print("tower.gcode", text.clone().into_bytes(), None).await;
    wait::until("the tenth layer", PATIENCE, async || {
        (test.printer("Ada").await["status"]["job"]["layer"].as_u64()? >= 10).then_some(())
    })
    .await
    .unwrap();
    let station = &mut test.house.stations[0];
    station.agent.kill().await.unwrap();
    station.simulator.restart().await.unwrap();
    station.agent.restart().await.unwrap();

    let interruption = wait::until("the layers to choose from", PATIENCE, async || {
        let interruption = test.printer("Ada").await["status"]["interruption"].clone();
        (!interruption["layers"].as_array()?.is_empty()).then_some(interruption)
    })
    .await
    .unwrap();
    assert_eq!(interruption["job_id"].as_str(), Some(job.as_str()));
    let layer = interruption["layer"].as_u64().unwrap();
    let cut_off = test.job_in_state(&job, "paused").await;
    assert!(cut_off["reason"].as_str().unwrap().contains("Look at the part"), "{cut_off}");

    let resume = format!("/api/v1/jobs/{job}/resume");
    let plain = test.client().post(&resume, &json!({})).await.unwrap_err();
    assert_eq!(plain.code(), Some("needs_layer"), "{plain}");
    let beyond = test.client().post(&resume, &json!({ "from_layer": 4000 })).await.unwrap_err();
    assert_eq!(beyond.code(), Some("no_such_layer"), "{beyond}");
    wait::until("the printer to be ready again", PATIENCE, async || {
        // Refused by the agent while the printer is still being greeted, and by the hub once the print goes on.
        let asked = test.client().post(&resume, &json!({ "from_layer": layer })).await;
        let job = test.client().job(&job).await.unwrap();
        let goes_on = job["state"] != "paused";
        assert!(asked.is_ok() || goes_on, "{asked:?}: {job}");
        goes_on.then_some(())
    })
    .await
    .unwrap();
    test.job_in_state(&job, "awaiting_removal").await;
    let history = test.history(&job).await;
    let end = ["printing", "paused", "resuming", "printing", "awaiting_removal"];
    assert!(history.ends_with(&end.map(str::to_owned)), "{history:?}");

    let marker = format!(";LAYER:{}\n", layer - 1);
    // A layer begins at its first extrusion: the nozzle comes down on it at its own height.
    let of_layer = text[text.find(&marker).unwrap()..].lines().skip_while(|line| !line.contains(" E"));
    let rest: Vec<&str> = of_layer.filter(|line| !line.starts_with(';')).collect();
    let path = test.journal("Ada");
    let printed = wait::until("the rest of the file in the printer's journal", PATIENCE, async || {
        let jobs = stardust_e2e::journal::jobs(&stardust_e2e::journal::read(&path));
        jobs.last().filter(|last| last.len() >= rest.len()).cloned()
    })
    .await
    .unwrap();
    let of_file: Vec<&String> = printed.iter().skip_while(|line| *line != rest[0]).collect();
    assert_eq!(of_file[..rest.len()], rest, "from the layer on it is the file, exactly");
    assert!(printed.contains(&"G28 X Y".to_owned()) && !printed.contains(&"G28".to_owned()), "{printed:?}");
    test.stop().await;
}
