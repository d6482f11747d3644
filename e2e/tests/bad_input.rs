//! Bad input: a problem (RFC 9457) with a sentence a person can act on, and nothing half-stored.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use stardust_e2e::gcode::fixture;
use stardust_e2e::house::TestHouse;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LIMIT: &str = "1000000";

async fn problem(response: Response, status: u16, code: &str) -> Value {
    assert_eq!(response.status().as_u16(), status, "{response:?}");
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["code"], code, "{problem}");
    assert_eq!(problem["status"], status, "{problem}");
    assert_eq!(problem["type"], format!("urn:stardust:problem:{code}"), "{problem}");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.ends_with('.') && detail.len() > 20, "a sentence: {detail}");
    problem
}

async fn refused(test: &TestHouse, body: Vec<u8>, status: u16, code: &str) -> Value {
    let request = test.client().request(Method::POST, "/api/v1/files?name=bad.gcode").body(body);
    problem(request.send().await.unwrap(), status, code).await
}

fn files(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
    }
    found
}

async fn nothing_is_stored(test: &TestHouse) {
    let listed = test.client().get("/api/v1/files").await.unwrap();
    assert_eq!(listed["items"], json!([]));
    let objects = files(&test.options().data.join("hub/objects"));
    assert!(objects.is_empty(), "{objects:?}");
}

#[tokio::test]
async fn bad_uploads_are_refused_in_words_and_leave_nothing() {
    let test = TestHouse::start_with(&[], 1.0, &[("STARDUST_HUB_MAX_UPLOAD_BYTES", LIMIT)]).await;
    refused(&test, Vec::new(), 422, "empty_file").await;
    refused(&test, b" \n\n".to_vec(), 422, "empty_file").await;
    refused(&test, b"Dear printer,\nplease print.\n".to_vec(), 422, "not_gcode").await;
    refused(&test, vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0], 422, "not_gcode").await;
    refused(&test, b"PK\x03\x04 some zip".to_vec(), 422, "not_gcode").await;
    let detail =
        refused(&test, [b"GCDE\x01\0\0\0\x01\0".to_vec(), vec![0; 4000]].concat(), 422, "not_gcode").await;
    assert!(detail["detail"].as_str().unwrap().contains("bgcode"), "{detail}");

    // Too large, announced and not announced.
    let large = b"G1 X1 Y1\n".repeat(150_000);
    refused(&test, large.clone(), 413, "too_large").await;
    let pieces =
        futures::stream::iter(large.chunks(10_000).map(|c| Ok::<_, String>(c.to_vec())).collect::<Vec<_>>());
    let request = test.client().request(Method::POST, "/api/v1/files?name=bad.gcode");
    let request = request.body(reqwest::Body::wrap_stream(pieces));
    problem(request.send().await.unwrap(), 413, "too_large").await;
    for name in ["", "..", "a%00b", &"x".repeat(201)] {
        let path = format!("/api/v1/files?name={name}");
        let request = test.client().request(Method::POST, &path).body("G28\n");
        problem(request.send().await.unwrap(), 422, "bad_name").await;
    }
    let request = test.client().request(Method::POST, "/api/v1/files").body("G28\n");
    problem(request.send().await.unwrap(), 400, "bad_request").await;
    nothing_is_stored(&test).await;
    test.stop().await;
}

#[tokio::test]
async fn a_truncated_upload_is_told_so_and_leaves_nothing() {
    let test = TestHouse::start(&[], 1.0).await;
    let token = test.client().new_token("truncated").await.unwrap();
    let bytes = std::fs::read(fixture("cura_teapot_ender3_marlin.gcode")).unwrap();
    let head = format!(
        "POST /api/v1/files?name=cut.gcode HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n",
        bytes.len()
    );
    let mut socket = tokio::net::TcpStream::connect(test.options().listen).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&bytes[..bytes.len() / 2]).await.unwrap();
    socket.shutdown().await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.is_empty() || answer.contains("upload_incomplete"), "{answer}");
    // The hub drops what has come when it sees the end; it may need a moment.
    let objects = test.options().data.join("hub/objects");
    stardust_demo::wait::until("the half upload to be gone", stardust_e2e::house::PATIENCE, async || {
        files(&objects).is_empty().then_some(())
    })
    .await
    .unwrap();
    nothing_is_stored(&test).await;
    test.stop().await;
}

#[tokio::test]
async fn strangers_and_unknown_ids_are_told_so() {
    let test = TestHouse::start(&[], 1.0).await;
    let client = test.client();
    let unknown = "0190a7c2-6f00-7000-8000-000000000000";
    for path in ["/api/v1/printers", "/api/v1/files", "/api/v1/jobs", "/api/v1/stream", "/api/v1/tokens"] {
        let anonymous = client.anonymous().request(Method::GET, path).send().await.unwrap();
        problem(anonymous, 401, "not_signed_in").await;
        let wrong = client.with_token("sdu_wrong").request(Method::GET, path).send().await.unwrap();
        problem(wrong, 401, "bad_token").await;
    }
    for (method, path) in [
        (Method::GET, format!("/api/v1/jobs/{unknown}")),
        (Method::GET, format!("/api/v1/jobs/{unknown}/transitions")),
        (Method::POST, format!("/api/v1/jobs/{unknown}/pause")),
        (Method::POST, format!("/api/v1/jobs/{unknown}/confirm-removal")),
        (Method::GET, format!("/api/v1/files/{unknown}")),
        (Method::GET, format!("/api/v1/files/{unknown}/content")),
        (Method::GET, format!("/api/v1/files/{unknown}/thumbnail")),
        (Method::DELETE, format!("/api/v1/files/{unknown}")),
        (Method::GET, format!("/api/v1/printers/{unknown}")),
        (Method::DELETE, format!("/api/v1/printers/{unknown}")),
        (Method::GET, "/api/v1/jobs/7".to_owned()),
        (Method::GET, "/api/v1/no-such-thing".to_owned()),
    ] {
        problem(client.request(method, &path).send().await.unwrap(), 404, "not_found").await;
    }
    let job = |body: Value| client.request(Method::POST, "/api/v1/jobs").json(&body).send();
    problem(job(json!({"file_id": unknown})).await.unwrap(), 404, "not_found").await;
    problem(job(json!({"file_id": "x"})).await.unwrap(), 400, "bad_request").await;
    problem(job(json!({})).await.unwrap(), 400, "bad_request").await;

    // Agents: a wrong credential, a person's token, a wrong pairing code.
    let token = client.new_token("person").await.unwrap();
    for bearer in ["sdd_wrong", token.as_str()] {
        let claim = client.with_token(bearer).request(Method::POST, "/agent/v1/claim");
        let body = json!({"protocol": {"major": 1, "minor": 0}});
        problem(claim.json(&body).send().await.unwrap(), 401, "bad_device_token").await;
    }
    let pair = json!({"code": "AAAA-AAAA", "protocol": {"major": 1, "minor": 0}, "agent_version": "0", "printer_name": "x"});
    let answer = client.anonymous().request(Method::POST, "/agent/v1/pair").json(&pair).send().await.unwrap();
    problem(answer, 401, "bad_pairing_code").await;

    // Another site's page with the visitor's cookie.
    let forged = client.request(Method::POST, "/api/v1/pairing-codes").header("sec-fetch-site", "cross-site");
    problem(forged.send().await.unwrap(), 403, "other_origin").await;
    let signed_out = client.request(Method::DELETE, "/api/v1/session").send().await.unwrap();
    assert_eq!(signed_out.status(), StatusCode::NO_CONTENT);
    let after = client.request(Method::GET, "/api/v1/session").send().await.unwrap();
    problem(after, 401, "not_signed_in").await;
    test.stop().await;
}
