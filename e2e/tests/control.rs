//! Pause, resume and cancel reach the printer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use stardust_demo::wait;
use stardust_e2e::gcode::{commands, fixture};
use stardust_e2e::house::{PATIENCE, Setting, TestHouse};
use stardust_e2e::journal;

const FILE: &str = "cura_teapot_ender3_marlin.gcode";

#[tokio::test]
async fn a_job_is_paused_goes_on_and_ends_with_every_command_of_the_file() {
    let test = TestHouse::start(&["Ada"], 100.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), None).await;
    test.job_beyond(&job, 0.05).await;
    let asked = test.client().ask(&job, "pause").await.unwrap();
    assert!(asked["requested"] == "pause" || asked["state"] == "pausing", "{asked}");
    let paused = test.job_in_state(&job, "paused").await;
    assert_eq!(paused.get("requested"), None, "{paused}");
    test.printer_in_state("Ada", "paused").await;
    test.client().ask(&job, "resume").await.unwrap();
    test.job_in_state(&job, "awaiting_removal").await;
    let history = test.history(&job).await;
    let wanted = ["pausing", "paused", "resuming", "printing"];
    assert!(history.windows(4).any(|part| part == wanted), "{history:?}");
    // The commands of the file are all there, in order; what else was sent parks the nozzle and brings it back.
    let expected = commands(&fixture(FILE));
    let path = test.journal("Ada");
    let printed = wait::until("every command of the file, in order", PATIENCE, async || {
        let printed = journal::jobs(&journal::read(&path)).into_iter().next()?;
        let mut rest = printed.iter();
        expected.iter().all(|command| rest.any(|sent| sent == command)).then_some(printed)
    })
    .await
    .unwrap();
    assert!(printed.len() < expected.len() + 60, "{} more than the file", printed.len() - expected.len());
    test.stop().await;
}

/// Ada's owner has set how soon, Bea's has not.
#[tokio::test]
async fn whoever_looks_at_a_paused_printer_is_told_what_becomes_of_its_heat() {
    let soon = "[printer.ada.scripts]\npause_cool_after_s = 1\n";
    let setting = Setting { agent: Some(soon), ..Setting::default() };
    let test = TestHouse::start_as(&["Ada", "Bea"], 100.0, setting).await;
    let bytes = std::fs::read(fixture(FILE)).unwrap();
    let ada = test.print(FILE, bytes.clone(), Some("Ada")).await;
    let bea = test.print(FILE, bytes, Some("Bea")).await;
    // The file's own from its second layer to its end.
    let hot = [210.0, 60.0];
    for name in ["Ada", "Bea"] {
        wait::until("the second layer", PATIENCE, async || (test.targets(name) == hot).then_some(()))
            .await
            .unwrap();
    }
    for job in [&ada, &bea] {
        test.client().ask(job, "pause").await.unwrap();
    }
    told(&test, "Bea", "Its nozzle is cooled in 10 min if nobody comes.").await;
    assert_eq!(test.targets("Bea"), hot);
    told(&test, "Ada", "Its nozzle was cooled after 1 s; it is heated again when the print goes on.").await;
    assert_eq!(test.targets("Ada"), [0.0, hot[1]], "the part stays on its bed");

    test.client().ask(&ada, "resume").await.unwrap();
    wait::until("the nozzle to be heated again, at the printer", PATIENCE, async || {
        (test.targets("Ada") == hot).then_some(())
    })
    .await
    .unwrap();
    test.printer_in_state("Ada", "printing").await;
    assert_eq!(test.printer("Ada").await["status"].get("message"), None);
    for job in [&ada, &bea] {
        test.client().ask(job, "cancel").await.unwrap();
        test.job_in_state(job, "cancelled").await;
    }
    test.stop().await;
}

/// What the hub tells of a printer, as soon as it does.
async fn told(test: &TestHouse, name: &str, sentence: &str) {
    let mut last = String::new();
    let seen = wait::until(sentence, PATIENCE, async || {
        let printer = test.printer(name).await;
        last = format!("{} {}", printer["state"], printer["status"]["message"]);
        (printer["state"] == "paused" && printer["status"]["message"] == sentence).then_some(())
    })
    .await;
    seen.unwrap_or_else(|error| panic!("{error}; {name} is {last}"));
}

#[tokio::test]
async fn a_cancelled_job_leaves_the_heaters_off_and_the_bed_to_be_cleared() {
    let test = TestHouse::start(&["Ada"], 100.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), None).await;
    test.job_beyond(&job, 0.03).await;
    assert!(test.targets("Ada").iter().all(|target| *target > 0.0), "the job heats");
    test.client().ask(&job, "cancel").await.unwrap();
    let cancelled = test.job_in_state(&job, "cancelled").await;
    assert!(cancelled["needs_removal"].as_bool().unwrap(), "{cancelled}");
    test.printer_in_state("Ada", "awaiting_removal").await;
    wait::until("both heaters to be off, at the printer", PATIENCE, async || {
        (test.targets("Ada") == [0.0; 2]).then_some(())
    })
    .await
    .unwrap();
    let refused = test.client().ask(&job, "cancel").await.unwrap_err();
    assert_eq!(refused.code(), Some("not_possible_now"));
    let cleared = test.client().ask(&job, "confirm-removal").await.unwrap();
    assert_eq!(
        (cleared["state"].as_str(), cleared["needs_removal"].as_bool()),
        (Some("cancelled"), Some(false))
    );
    test.printer_in_state("Ada", "idle").await;
    test.stop().await;
}
