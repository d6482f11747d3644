//! Firmware that asks a person something is answered over the hub, once, and the print goes on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fmt::Write as _;

use rstest::rstest;
use serde_json::{Value, json};
use stardust_demo::client::Client;
use stardust_demo::error::Result;
use stardust_demo::wait;
use stardust_e2e::house::{PATIENCE, Setting, TestHouse};
use stardust_e2e::journal;

const COLOUR: &str = "Which colour was that?";

/// The printer asks by the file's own words.
fn which_colour() -> String {
    let lines = [&format!("begin {COLOUR}"), "button Red", "button Blue", "show"];
    lines.map(|line| format!("M118 A1 action:prompt_{line}\n")).concat()
}

/// Squares, and behind one of them something else.
fn squares(layers: u8, behind: u8, other: &str) -> String {
    let mut text = String::from("G28\nM106 S128\nM220 S110\n");
    for layer in 0..layers {
        let z = 0.2 * f64::from(layer + 1);
        let _ = writeln!(
            text,
            "G1 Z{z:.2} F3000\nG1 X90 Y0 E1\nG1 X90 Y90 E2\nG1 X0 Y90 E3\nG1 X0 Y0 E4\nG92 E0"
        );
        if layer == behind {
            text.push_str(other);
        }
    }
    text
}

/// With a change of filament in their midst; at the end the printer asks by its own words.
fn print() -> String {
    squares(40, 20, "M600\n") + &which_colour()
}

/// The printer once it asks, and what.
async fn asked(test: &TestHouse, text: &str) -> (Value, Value) {
    wait::until(&format!("the printer to ask “{text}”"), PATIENCE, async || {
        let printer = test.printer("Ada").await;
        let attention = printer["status"]["attention"].clone();
        (attention["text"] == text).then_some((printer, attention))
    })
    .await
    .unwrap()
}

async fn answer(client: &Client, printer: &Value, attention: &Value, button: u8) -> Result<Value> {
    let id = printer["id"].as_str().unwrap();
    let body = json!({ "attention_id": attention["id"], "button": button });
    client.post(&format!("/api/v1/printers/{id}/answer"), &body).await
}

/// The answers that a printer was given, when there are so many.
async fn answers(test: &TestHouse, count: usize) -> Vec<String> {
    let path = test.journal("Ada");
    wait::until(&format!("{count} answers in the journal"), PATIENCE, async || {
        let sent = journal::read(&path).into_iter().map(|entry| entry.command);
        let answers: Vec<_> = sent.filter(|command| command.starts_with("M876")).collect();
        (answers.len() >= count).then_some(answers)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn what_the_printer_asks_is_answered_over_the_hub_and_the_print_goes_on() {
    let test = TestHouse::start(&["Ada"], 50.0).await;
    let text = print();
    let job = test.print("two colours.gcode", text.clone().into_bytes(), None).await;

    let (printer, change) = asked(&test, "Nozzle Parked").await;
    assert_eq!(printer["state"], "attention");
    assert_eq!(printer["status"]["message"], "Nozzle Parked");
    assert_eq!(change["buttons"], json!(["Continue"]));
    let motion = &printer["status"]["motion"];
    assert_eq!(motion["fan_percent"], 50.0, "{motion}");
    assert_eq!(motion["speed_percent"], 110.0, "{motion}");
    // Of the commands sent: some of those behind the change may be on their way already.
    assert!((4.2..4.7).contains(&motion["z"].as_f64().unwrap()), "{motion}");
    let wrong = answer(test.client(), &printer, &change, 1).await.unwrap_err();
    assert_eq!(wrong.code(), Some("no_such_button"));

    // Two people press at once: one of them is told that it was answered.
    let (one, other) = tokio::join!(
        answer(test.client(), &printer, &change, 0),
        answer(test.client(), &printer, &change, 0)
    );
    let refused = match (one, other) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refused,
        both => panic!("one answer is right: {both:?}"),
    };
    assert_eq!(refused.code(), Some("not_asked"));
    assert!(refused.to_string().contains("answered already"), "{refused}");

    // The job is printed, and there is a question still.
    test.job_in_state(&job, "awaiting_removal").await;
    let (printer, colour) = asked(&test, COLOUR).await;
    assert_eq!(colour["buttons"], json!(["Red", "Blue"]));
    let late = answer(test.client(), &printer, &change, 0).await.unwrap_err();
    assert_eq!(late.code(), Some("not_asked"));
    answer(test.client(), &printer, &colour, 1).await.unwrap();
    let printer = test.printer_in_state("Ada", "awaiting_removal").await;
    assert_eq!(printer["status"].get("attention"), None, "{printer}");

    let commands: Vec<&str> = text.lines().collect();
    let printed = test.printed("Ada", 1, commands.len()).await;
    assert_eq!(printed[0][..commands.len()], commands);
    assert_eq!(answers(&test, 2).await, ["M876 S0", "M876 S1"], "each question once");
    test.stop().await;
}

/// One that says that it is paused is known as pausing then; the other one as printing, and its agent has nothing to go on with but
/// the question.
#[rstest]
#[case::without_a_menu("marlin", "printing", &[])]
#[case::with_a_menu("marlin-menu", "pausing", &["Paused"])]
#[tokio::test]
async fn a_job_whose_printer_asks_is_resumed_by_the_button_that_goes_on(
    #[case] profile: &str,
    #[case] state: &str,
    #[case] more: &[&str],
) {
    let setting = Setting { printer: &["--profile", profile], ..Setting::default() };
    // Not faster: a nozzle times out when nobody has answered for 45 s of its time.
    let test = TestHouse::start_as(&["Ada"], 4.0, setting).await;
    let text = squares(4, 1, "M600\n");
    let job = test.print("two colours.gcode", text.clone().into_bytes(), None).await;

    let (_, parked) = asked(&test, "Nozzle Parked").await;
    assert_eq!(parked["buttons"], json!(["Continue"]));
    test.job_in_state(&job, state).await;
    test.client().ask(&job, "resume").await.unwrap();
    for question in more {
        // The first button would purge, and ask again.
        let (_, purged) = asked(&test, question).await;
        assert_eq!(purged["buttons"], json!(["PurgeMore", "Continue"]));
        test.client().ask(&job, "resume").await.unwrap();
    }

    test.job_in_state(&job, "awaiting_removal").await;
    let commands: Vec<&str> = text.lines().collect();
    let printed = test.printed("Ada", 1, commands.len()).await;
    assert_eq!(printed[0][..commands.len()], commands);
    let expected = &["M876 S0", "M876 S1"][..=more.len()];
    assert_eq!(answers(&test, expected.len()).await, expected, "each question once");
    test.stop().await;
}

#[tokio::test]
async fn a_job_is_not_resumed_by_a_button_that_nobody_knows() {
    let test = TestHouse::start(&["Ada"], 10.0).await;
    let job = test.print("colours.gcode", squares(200, 0, &which_colour()).into_bytes(), None).await;
    let (printer, colour) = asked(&test, COLOUR).await;
    let refused = test.client().ask(&job, "resume").await.unwrap_err();
    assert_eq!(refused.code(), Some("not_possible_now"), "{refused}");
    let told = refused.to_string();
    assert!(told.contains(COLOUR) && told.contains("Choose one: Red, Blue."), "{told}");
    // The question stands, and is answered by a person's choice and by nothing before it.
    let (_, still) = asked(&test, COLOUR).await;
    assert_eq!(still["id"], colour["id"]);
    answer(test.client(), &printer, &colour, 1).await.unwrap();
    assert_eq!(answers(&test, 1).await, ["M876 S1"]);
    test.client().ask(&job, "cancel").await.unwrap();
    test.job_in_state(&job, "cancelled").await;
    test.stop().await;
}
