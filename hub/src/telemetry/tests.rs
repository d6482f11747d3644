//! What is promised of telemetry, on both engines.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use rstest::rstest;
use stardust_protocol::telemetry::Heat;
use stardust_protocol::{JobId, TelemetrySample, Temperature, Timestamp};

use super::store::{self, MOST_OF_A_JOB, keep};
use crate::api::auth::Device;
use crate::db::testing::Engine;
use crate::queue::claim;
use crate::queue::submit::{Wish, submit};
use crate::testing::{TestHub, hub};

impl TestHub {
    /// A job that the printer has begun to print.
    async fn printing(&self, printer: Device) -> JobId {
        let file_id = self.upload("tower.gcode", "G28\n").await;
        let wish = Wish {
            file_id,
            printer_id: Some(printer.printer_id),
            even_if_cut_off: false,
            idempotency_key: None,
        };
        submit(&self.app, &self.owner, wish).await.unwrap();
        let claim = claim::claim(&self.app, printer, u64::MAX >> 1).await.unwrap().unwrap();
        claim::start(&self.app, printer, claim.job_id, claim.claim_id).await.unwrap();
        claim.job_id
    }

    async fn keep(&self, printer: Device, samples: &[TelemetrySample]) -> u64 {
        keep(&self.app.db, printer, samples, self.app.clock.now()).await.unwrap()
    }

    fn after(&self, seconds: i64) -> Timestamp {
        self.app.clock.now().plus_millis(seconds * 1000)
    }

    async fn fractions(&self, job: JobId) -> Vec<f64> {
        let points = store::of_job(&self.app.db, self.owner.workspace_id, job).await.unwrap();
        points.iter().map(|point| point.fraction).collect()
    }
}

fn sample(job_id: JobId, number: u64, at: Timestamp, fraction: f64) -> TelemetrySample {
    let tools = vec![Temperature { actual: 204.8, target: 205.0 }];
    let heat = Heat { tools, bed: None, chamber: None };
    TelemetrySample { job_id, number, at, fraction, layer: Some(3), heat }
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn each_sample_is_kept_once_and_all_are_told_in_the_order_of_their_time(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let printer = hub.pair("Ada").await;
    let job = hub.printing(printer).await;
    hub.clock.advance(std::time::Duration::from_secs(100));
    let late = [sample(job, 9, hub.after(-20), 0.3), sample(job, 8, hub.after(-10), 0.4)];
    let early = [sample(job, 5, hub.after(-90), 0.1), sample(job, 9, hub.after(-20), 0.3)];
    assert_eq!(hub.keep(printer, &late).await, 2);
    assert_eq!(hub.keep(printer, &early).await, 1, "the answer got lost, and some came twice");
    assert_eq!(hub.keep(printer, &late).await, 0);
    assert_eq!(hub.fractions(job).await, [0.1, 0.3, 0.4]);
}

#[rstest]
#[case::sqlite(Engine::Sqlite)]
#[case::postgres(Engine::Postgres)]
#[tokio::test]
async fn what_can_not_be_is_set_right_or_passed_over(#[case] engine: Engine) {
    let hub = hub(engine).await;
    let (ada, ben) = (hub.pair("Ada").await, hub.pair("Ben").await);
    let (job, others) = (hub.printing(ada).await, hub.printing(ben).await);
    hub.clock.advance(std::time::Duration::from_secs(100));
    let nobodys = JobId::generate(hub.after(0));
    let strange = [sample(others, 1, hub.after(0), 0.9), sample(nobodys, 2, hub.after(0), 0.9)];
    assert_eq!(hub.keep(ada, &strange).await, 0, "jobs of other printers");
    let wrong = [sample(job, 1, hub.after(-10_000), -7.0), sample(job, 2, hub.after(10_000), f64::NAN)];
    assert_eq!(hub.keep(ada, &wrong).await, 2);
    let points = store::of_job(&hub.app.db, hub.owner.workspace_id, job).await.unwrap();
    let told: Vec<_> = points.iter().map(|point| (point.at, point.fraction)).collect();
    assert_eq!(
        told,
        [(hub.after(-100), 0.0), (hub.after(0), 0.0)],
        "not before its start, not in the future"
    );
    assert!(hub.fractions(others).await.is_empty());
}

#[tokio::test]
async fn an_agent_that_is_out_of_order_does_not_fill_the_database() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("Ada").await;
    let job = hub.printing(printer).await;
    let many: Vec<_> = (0..MOST_OF_A_JOB + 50).map(|number| sample(job, number, hub.after(0), 0.5)).collect();
    assert_eq!(hub.keep(printer, &many).await, MOST_OF_A_JOB);
    assert_eq!(hub.keep(printer, &[sample(job, 1 << 50, hub.after(0), 0.5)]).await, 0);
}

#[tokio::test]
async fn people_are_told_as_many_points_as_they_ask_for() {
    let hub = hub(Engine::Sqlite).await;
    let printer = hub.pair("Ada").await;
    let job = hub.printing(printer).await;
    let ask = async |id: JobId, query: &str| {
        hub.ask(Request::get(format!("/api/v1/jobs/{id}/telemetry{query}")), Body::empty()).await
    };
    assert_eq!(ask(job, "").await, (StatusCode::OK, serde_json::json!({ "points": [] })));
    hub.clock.advance(std::time::Duration::from_secs(1000));
    let samples: Vec<_> = (0..40_u32)
        .map(|nth| sample(job, nth.into(), hub.after(i64::from(nth) - 40), f64::from(nth) / 40.0))
        .collect();
    hub.keep(printer, &samples).await;
    let (_, all) = ask(job, "").await;
    assert_eq!(all["points"].as_array().unwrap().len(), 40);
    let (_, few) = ask(job, "?points=2").await;
    insta::assert_json_snapshot!(few, @r#"
    {
      "points": [
        {
          "at": "2023-11-14T22:29:20.000Z",
          "fraction": 0.0,
          "layer": 3,
          "tools": [
            {
              "actual": 204.8,
              "target": 205.0
            }
          ]
        },
        {
          "at": "2023-11-14T22:29:59.000Z",
          "fraction": 0.975,
          "layer": 3,
          "tools": [
            {
              "actual": 204.8,
              "target": 205.0
            }
          ]
        }
      ]
    }
    "#);
    assert_eq!(ask(job, "?points=1").await.1["code"], "bad_points");
    assert_eq!(ask(job, "?points=1001").await.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(ask(JobId::generate(hub.after(0)), "").await.0, StatusCode::NOT_FOUND);
}
