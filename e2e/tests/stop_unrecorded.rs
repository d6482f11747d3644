//! An emergency stop while the hub's database can be read and not written: it reaches the printer all the same, and people
//! are told that it is not in the hub's books.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stardust_demo::client::Client;
use stardust_demo::wait;
use stardust_e2e::house::{PATIENCE, TestHouse};

const NAMES: [&str; 3] = ["Ada", "Grace", "Vera"];

async fn stop(client: &Client, printer: &str) -> (StatusCode, Value) {
    let call = client.request(Method::POST, &format!("/api/v1/printers/{printer}/emergency-stop"));
    let answer = call.json(&json!({})).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_stop_goes_out_while_nothing_can_be_written_and_is_written_down_later() {
    let mut test = TestHouse::start(&NAMES, 100.0).await;
    let [ada, grace, vera] =
        [test.printer_id("Ada").await, test.printer_id("Grace").await, test.printer_id("Vera").await];
    // Never used: its first use is to be noted.
    let token = test.client().new_token("tablet").await.unwrap();
    let tablet = test.client().anonymous().with_token(&token);
    test.house.stations[2].agent.kill().await.unwrap();
    wait::until("the agent to be gone", PATIENCE, async || {
        (test.printer("Vera").await["contact"]["state"] != "online").then_some(())
    })
    .await
    .unwrap();

    let unwritable = test.database_unwritable();
    // Somebody else's write, begun before: it waits until the hub gives it up.
    let write = tokio::spawn({
        let client = test.client().clone();
        async move { client.new_token("kitchen").await }
    });
    // By a session's cookie, by a token, and at an agent that comes only now.
    for (client, id, name) in [(test.client(), &ada, "Ada"), (&tablet, &grace, "Grace")] {
        let (status, answer) = stop(client, id).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // A server that takes no writes refuses that one at once.
        if name == "Ada" && test.writes_wait() {
            assert!(!write.is_finished(), "the stop has not waited for what waits longer than that write");
        }
        assert_eq!(test.halts(name), 1, "on the printer's line when it is answered");
        let told = &answer["emergency_stop"];
        assert_eq!((&told["state"], &told["recorded"]), (&json!("sent"), &json!(false)), "{answer}");
    }
    let stranger = test.client().anonymous().with_token("sdu_nobody");
    assert_eq!(stop(&stranger, &vera).await.0, StatusCode::UNAUTHORIZED, "nothing fails open");
    test.house.stations[2].agent.restart().await.unwrap();
    wait::until("the agent to be back", PATIENCE, async || {
        (test.printer("Vera").await["state"] == "idle").then_some(())
    })
    .await
    .unwrap();
    assert_eq!(stop(&tablet, &vera).await.0, StatusCode::OK);
    assert_eq!(test.halts("Vera"), 1);

    drop(unwritable);
    let _ = write.await;
    wait::until("all of it in the hub's books", PATIENCE, async || {
        let mut recorded = true;
        for name in NAMES {
            recorded &= test.printer(name).await["emergency_stop"]["recorded"] == true;
        }
        recorded.then_some(())
    })
    .await
    .unwrap();
    wait::until("the token's last use", PATIENCE, async || {
        let tokens = test.client().get("/api/v1/tokens").await.unwrap();
        tokens["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|it| it["name"] == "tablet")?
            .get("last_used_at")
            .map(drop)
    })
    .await
    .unwrap();
    test.house.hub.restart().await.unwrap();
    for name in NAMES {
        let told = &test.printer(name).await["emergency_stop"];
        assert_eq!((&told["state"], &told["recorded"]), (&json!("sent"), &json!(true)), "{name}: {told}");
    }
    test.stop().await;
}
