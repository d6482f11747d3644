//! The main job: real files of two slicers, printed by two printers at once, exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use stardust_e2e::gcode::{commands, fixture, sha256, short_print};
use stardust_e2e::house::TestHouse;

#[tokio::test]
async fn two_slicers_files_are_printed_by_two_printers_at_once_to_the_last_command() {
    let test = TestHouse::start(&["Ada", "Grace"], 400.0).await;
    let files = [fixture("cura_teapot_ender3_marlin.gcode"), fixture("ps_teapot_ender3_thumbs_mix.gcode")];
    let mut jobs = Vec::new();
    for (printer, file) in ["Ada", "Grace"].into_iter().zip(&files) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        jobs.push(test.print(&name, std::fs::read(file).unwrap(), Some(printer)).await);
    }
    // At once: both are at work at the same time.
    let (first, second) = tokio::join!(test.job_beyond(&jobs[0], 0.0), test.job_beyond(&jobs[1], 0.0));
    assert!(first < 1.0 && second < 1.0, "{first} {second}");

    for ((printer, file), job) in ["Ada", "Grace"].into_iter().zip(&files).zip(&jobs) {
        let done = test.job_in_state(job, "awaiting_removal").await;
        assert!(done["needs_removal"].as_bool().unwrap(), "{done}");
        let expected = commands(file);
        let printed = test.printed(printer, 1, expected.len()).await.remove(0);
        if printed != expected {
            let at = printed.iter().zip(&expected).position(|(a, b)| a != b);
            panic!(
                "{printer}: {} commands, {} expected; first difference at {at:?}",
                printed.len(),
                expected.len()
            );
        }
        assert_eq!(sha256(&printed), sha256(&expected));
        assert_eq!(test.history(job).await.first().map(String::as_str), Some("queued"));
        assert_eq!(test.history(job).await.last().map(String::as_str), Some("awaiting_removal"));
    }
    test.stop().await;
}

#[tokio::test]
async fn the_next_job_starts_when_the_bed_is_confirmed_clear_and_not_before() {
    let test = TestHouse::start(&["Ada"], 500.0).await;
    let bytes = short_print(&fixture("ps_mmu_5tool_mk3s.gcode"), 0);
    let bytes = [b"G28\nG1 X10 Y10 F3000\n".to_vec(), bytes].concat();
    let first = test.print("one.gcode", bytes.clone(), None).await;
    let second = test.print("two.gcode", bytes, None).await;
    test.job_in_state(&first, "awaiting_removal").await;
    assert_eq!(test.client().job(&second).await.unwrap()["state"], "queued");
    let printer = test.printer_in_state("Ada", "awaiting_removal").await;
    assert_eq!(printer["current_job_id"], *first);
    let done = test.client().ask(&first, "confirm-removal").await.unwrap();
    assert_eq!(done["state"], "finished");
    test.job_in_state(&second, "awaiting_removal").await;
    let history = test.client().jobs("history").await.unwrap();
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["id"], *first);
    assert_eq!(history[0]["printer_name"], "Ada");
    let jobs = test.printed("Ada", 2, 5).await;
    assert_eq!(jobs[0], ["G28", "G1 X10 Y10 F3000", "M104 S0", "M140 S0", "M84"]);
    assert_eq!(jobs[0], jobs[1]);
    test.stop().await;
}
