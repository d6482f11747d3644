//! Heat without a job, when the hub goes away, and when the printer is taken out of the hub. Read at the printer itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use reqwest::{Method, StatusCode};
use rustix::process::Signal;
use serde_json::{Value, json};
use stardust_demo::agent::AgentProcess;
use stardust_demo::binaries::Binaries;
use stardust_demo::wait;
use stardust_e2e::house::{PATIENCE, TestHouse};

const HOT: [f64; 2] = [200.0, 60.0];
const COLD: [f64; 2] = [0.0, 0.0];
/// Has it heated for four hours, the most there is.
async fn preheat(test: &TestHouse, name: &str) -> String {
    let id = test.printer_id(name).await;
    let wanted = json!({"nozzles_c": [200], "bed_c": 60, "minutes": 240});
    let call = test.client().request(Method::POST, &format!("/api/v1/printers/{id}/preheat"));
    let answer = call.json(&wanted).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    assert_eq!(test.targets(name), HOT);
    id
}

async fn remove(test: &TestHouse, id: &str) -> (StatusCode, Value) {
    let answer =
        test.client().request(Method::DELETE, &format!("/api/v1/printers/{id}")).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap_or_default())
}

async fn is_cold(test: &TestHouse, name: &str) {
    let what = format!("{name} to be cold");
    // A preheat's own time would be over in four hours.
    wait::until(&what, PATIENCE, async || (test.targets(name) == COLD).then_some(())).await.unwrap();
}

#[tokio::test]
async fn a_printer_that_is_being_heated_is_not_removed_and_one_that_was_removed_cools_down() {
    let mut test = TestHouse::start(&["Ada", "Grace", "Vera"], 100.0).await;
    let ada = preheat(&test, "Ada").await;
    wait::until("the hub to see it", PATIENCE, async || {
        test.printer("Ada").await["status"].get("preheat").map(drop)
    })
    .await
    .unwrap();
    let (status, problem) = remove(&test, &ada).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("printer_hot")), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("“Ada”") && detail.contains("Cool it down"), "{detail}");
    assert_eq!(test.targets("Ada"), HOT, "as if nobody had asked");
    test.client().post(&format!("/api/v1/printers/{ada}/cool-down"), &json!({})).await.unwrap();
    wait::until("to be removed", PATIENCE, async || {
        let (status, problem) = remove(&test, &ada).await;
        assert!(status == StatusCode::NO_CONTENT || problem["code"] == "printer_hot", "{problem}");
        (status == StatusCode::NO_CONTENT).then_some(())
    })
    .await
    .unwrap();
    assert_eq!(test.targets("Ada"), COLD);

    // The hub is away, which is no reason to cool anything; the agent of one does not hear of its being back.
    let grace = preheat(&test, "Grace").await;
    let vera = preheat(&test, "Vera").await;
    test.house.stations[1].agent.process().signal(Signal::STOP);
    test.house.hub.kill().await.unwrap();
    let vera_agent = test.house.stations[2].agent.process();
    wait::until("Vera's agent to know that the hub is away", PATIENCE, async || {
        vera_agent.log_tail(50).contains("not connected to the hub").then_some(())
    })
    .await
    .unwrap();
    test.house.hub.restart().await.unwrap();
    test.printer_in_state("Vera", "idle").await;
    assert!(test.printer("Vera").await["status"]["preheat"]["until"].is_string());
    assert_eq!((test.targets("Grace"), test.targets("Vera")), (HOT, HOT));
    // Out of reach, it is removed: whether it is hot nobody can tell.
    assert_eq!(remove(&test, &grace).await.0, StatusCode::NO_CONTENT);
    assert_eq!(test.targets("Grace"), HOT);
    test.house.stations[1].agent.process().signal(Signal::CONT);
    is_cold(&test, "Grace").await;

    // Paired anew, by whoever has the host: nobody who wanted it hot is asked any more.
    let code = test.client().pairing_code().await.unwrap();
    let options = test.options().agent(&test.options().printers[2]);
    AgentProcess::pair(&Binaries::beside_this_program().unwrap(), test.client().url(), &code, &options)
        .await
        .unwrap();
    is_cold(&test, "Vera").await;
    assert_eq!(test.printer_in_state("Vera", "idle").await["id"], *vera);
    test.stop().await;
}
