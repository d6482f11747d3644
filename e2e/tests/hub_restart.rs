//! The hub dies in mid-print: the print goes on, nothing is printed twice, the books are complete.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use stardust_demo::wait;
use stardust_e2e::gcode::{commands, fixture, sha256};
use stardust_e2e::house::{PATIENCE, TestHouse};
use stardust_e2e::journal;

const FILE: &str = "cura_teapot_ender3_marlin.gcode";

#[tokio::test]
async fn a_print_goes_on_while_the_hub_is_killed_and_comes_back() {
    let mut test = TestHouse::start(&["Ada", "Grace"], 100.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), Some("Ada")).await;
    let waiting = test.print("next.gcode", b"G28\nM84\n".to_vec(), Some("Ada")).await;
    test.job_beyond(&job, 0.1).await;

    test.house.hub.kill().await.unwrap();
    let path = test.journal("Ada");
    let before = journal::read(&path).len();
    wait::until("the printer to go on without a hub", PATIENCE, async || {
        (journal::read(&path).len() > before + 500).then_some(())
    })
    .await
    .unwrap();
    test.house.hub.restart().await.unwrap();

    // Status comes back, further than it was.
    test.printer_in_state("Ada", "printing").await;
    test.job_beyond(&job, 0.12).await;
    let end = test.job_in_state(&job, "awaiting_removal").await;
    assert_eq!(end["progress"]["fraction"].as_f64(), Some(1.0), "{end}");
    let expected = commands(&fixture(FILE));
    let printed = test.printed("Ada", 1, expected.len()).await.remove(0);
    assert_eq!((printed.len(), sha256(&printed)), (expected.len(), sha256(&expected)));
    assert_eq!(
        test.history(&job).await,
        ["queued", "claimed", "transferring", "preparing", "printing", "awaiting_removal"]
    );
    assert!(
        journal::jobs(&journal::read(&test.journal("Grace"))).is_empty(),
        "nothing was printed elsewhere"
    );

    test.client().ask(&job, "confirm-removal").await.unwrap();
    test.job_in_state(&waiting, "awaiting_removal").await;
    test.stop().await;
}

#[tokio::test]
async fn a_print_that_ends_while_the_hub_is_away_is_told_when_it_is_back() {
    let mut test = TestHouse::start(&["Ada"], 400.0).await;
    let job = test.print(FILE, std::fs::read(fixture(FILE)).unwrap(), None).await;
    test.job_beyond(&job, 0.05).await;
    test.house.hub.kill().await.unwrap();
    let expected = commands(&fixture(FILE));
    let path = test.journal("Ada");
    wait::until("the print to end without a hub", PATIENCE, async || {
        (journal::finished(&journal::read(&path)).last()?.len() == expected.len()).then_some(())
    })
    .await
    .unwrap();
    test.house.hub.restart().await.unwrap();
    test.job_in_state(&job, "awaiting_removal").await;
    let moves = test.client().transitions(&job).await.unwrap();
    let (printing, end) = (&moves[moves.len() - 2], &moves[moves.len() - 1]);
    assert_eq!((printing["to"].as_str(), end["to"].as_str()), (Some("printing"), Some("awaiting_removal")));
    assert_eq!(end["by"], "Ada");
    test.stop().await;
}
