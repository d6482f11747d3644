//! Uploads over real sockets, as clients send them: what they get to see, and what is kept.

use std::net::SocketAddr;

use axum::http::header;
use rstest::rstest;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::accounts::{testing, tokens};
use crate::db::testing::Engine;
use crate::testing::{TestHub, hub};

struct Served {
    hub: TestHub,
    address: SocketAddr,
    token: String,
}

async fn served() -> Served {
    let hub = hub(Engine::Sqlite).await;
    let (_, token) = tokens::create(&hub.app.db, testing::now(), &hub.owner, "test").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let routes = crate::api::router(std::sync::Arc::clone(&hub.app));
    tokio::spawn(
        axum::serve(listener, routes.into_make_service_with_connect_info::<SocketAddr>()).into_future(),
    );
    Served { hub, address, token }
}

/// A status line and the JSON of an answer's body, read up to its announced length.
async fn answer(socket: &mut TcpStream) -> (String, Value) {
    let mut seen = Vec::new();
    loop {
        let end = seen.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(seen[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
            });
            if seen.len() >= end + 4 + length.unwrap_or(0) {
                return (head, serde_json::from_slice(&seen[end + 4..]).unwrap_or_default());
            }
        }
        let count = socket.read_buf(&mut seen).await.unwrap();
        assert!(count > 0, "ended early: {}", String::from_utf8_lossy(&seen));
    }
}

impl Served {
    async fn connect(&self, query: &str, headers: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        let head = format!(
            "POST /api/v1/files{query} HTTP/1.1\r\nhost: hub\r\nauthorization: Bearer {}\r\n{headers}\r\n",
            self.token
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        socket
    }

    async fn post(&self, query: &str, headers: &str, body: &[u8]) -> (String, Value) {
        let headers = format!("{headers}content-length: {}\r\n", body.len());
        let mut socket = self.connect(query, &headers).await;
        socket.write_all(body).await.unwrap();
        answer(&mut socket).await
    }

    async fn content_of(&self, file: &Value) -> Vec<u8> {
        let sha256 = file["sha256"].as_str().unwrap();
        crate::objects::collect(self.hub.app.objects.read(sha256, None).await.unwrap())
            .await
            .unwrap()
            .to_vec()
    }
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

const FORM: &str = "content-type: multipart/form-data; boundary=x\r\n";

fn form(file_name: &str, content: &str) -> Vec<u8> {
    format!(
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--x--\r\n"
    )
    .into_bytes()
}

/// The limit of these hubs is 100,000 bytes.
#[rstest]
#[case::plain("content-length: 15000000\r\n")]
#[case::asking_first("content-length: 15000000\r\nexpect: 100-continue\r\n")]
#[case::form("content-type: multipart/form-data; boundary=x\r\ncontent-length: 15000000\r\n")]
#[tokio::test]
async fn what_is_announced_too_large_is_refused_before_a_byte_of_it(#[case] headers: &str) {
    let hub = served().await;
    let mut socket = hub.connect("?name=a.gcode", headers).await;
    let (head, problem) = answer(&mut socket).await;
    assert_eq!(status(&head), "413", "{head}");
    assert!(head.to_ascii_lowercase().contains("connection: close"), "{head}");
    assert_eq!(problem["code"], "too_large");
    assert_eq!((&problem["limit_bytes"], &problem["size_bytes"]), (&100_000.into(), &15_000_000.into()));
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("100000 bytes") && detail.contains("14.3 MiB"), "{detail}");
}

/// Browsers and simple clients send all of it before they look for an answer: they find it, and no reset.
#[rstest]
#[case::announced(true)]
#[case::not_announced(false)]
#[tokio::test]
async fn a_client_that_sends_everything_first_sees_the_refusal(#[case] announced: bool) {
    let hub = served().await;
    let piece = b"G1 X1 Y1\n".repeat(10_000);
    let count = 150;
    let headers = if announced {
        format!("content-length: {}\r\n", piece.len() * count)
    } else {
        "transfer-encoding: chunked\r\n".to_owned()
    };
    let mut socket = hub.connect("?name=a.gcode", &headers).await;
    for _ in 0..count {
        if !announced {
            socket.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await.unwrap();
        }
        socket.write_all(&piece).await.unwrap();
        if !announced {
            socket.write_all(b"\r\n").await.unwrap();
        }
    }
    if !announced {
        socket.write_all(b"0\r\n\r\n").await.unwrap();
    }
    let (head, problem) = answer(&mut socket).await;
    assert_eq!((status(&head), &problem["code"]), ("413", &"too_large".into()), "{head}");
    assert_eq!(problem["limit_bytes"], 100_000);
}

/// The same holds for every other refusal, here of somebody who is not signed in.
#[tokio::test]
async fn a_stranger_who_sends_much_sees_the_refusal() {
    let mut hub = served().await;
    hub.token = "sdu_wrong".into();
    let (head, problem) = hub.post("?name=a.gcode", "", &vec![b'x'; 8_000_000]).await;
    assert_eq!((status(&head), &problem["code"]), ("401", &"bad_token".into()), "{head}");
}

#[rstest]
#[case::named_by_the_form("", "part.gcode")]
#[case::named_by_the_url("?name=other.gcode", "other.gcode")]
#[tokio::test]
async fn a_form_is_stored_without_its_wrapper(#[case] query: &str, #[case] name: &str) {
    let hub = served().await;
    let content = "; KISSlicer - FREE\nG28\nG1 X1\r\n";
    let (head, file) = hub.post(query, FORM, &form("C:\\prints\\part.gcode", content)).await;
    assert_eq!(status(&head), "201", "{head}");
    assert_eq!(file["name"], name);
    assert_eq!(hub.content_of(&file).await, content.as_bytes());
    // The same bytes sent plainly are the same file.
    let (head, again) = hub.post(&format!("?name={name}"), "", content.as_bytes()).await;
    assert_eq!((status(&head), &again["version_id"]), ("200", &file["version_id"]));
}

/// A form may be a little larger than the limit; the file in it may not.
#[tokio::test]
async fn the_limit_is_the_files() {
    let hub = served().await;
    let line = "G1 X1 Y1\n";
    let just = line.repeat(100_000 / line.len());
    let (head, _) = hub.post("", FORM, &form("a.gcode", &just)).await;
    assert_eq!(status(&head), "201", "{head}");
    let (head, problem) = hub.post("", FORM, &form("b.gcode", &(just + line))).await;
    assert_eq!((status(&head), &problem["code"]), ("413", &"too_large".into()), "{head}");
}

#[rstest]
#[case::gzip(b"\x1F\x8B\x08\0\0\0\0\0".to_vec(), ".gz")]
#[case::bgcode(b"GCDE\x01\0\0\0\x01\0".to_vec(), ".bgcode")]
#[case::three_mf(zip("[Content_Types].xml"), ".3mf")]
#[case::ufp(zip("/3D/model.gcode"), ".ufp")]
#[case::zip(zip("a.gcode"), ".zip")]
#[case::stored_form(include_bytes!("../../../../fixtures/reported/upload-multipart-stored.gcode").to_vec(), "web form")]
#[tokio::test]
async fn a_container_is_refused_by_its_name(#[case] content: Vec<u8>, #[case] kind: &str) {
    let hub = served().await;
    let wrapped = [
        b"--x\r\nContent-Disposition: form-data; name=f; filename=a.gcode\r\n\r\n".as_slice(),
        &content,
        b"\r\n--x--\r\n",
    ]
    .concat();
    for (headers, body) in [("", &content), (FORM, &wrapped)] {
        let (head, problem) = hub.post("?name=a.gcode", headers, body).await;
        assert_eq!((status(&head), &problem["code"]), ("422", &"not_gcode".into()), "{head}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(kind) && detail.contains("use "), "{detail}");
    }
    let request = axum::http::Request::get("/api/v1/files").header(header::ACCEPT, "application/json");
    let (_, listed) = hub.hub.ask(request, axum::body::Body::empty()).await;
    assert_eq!(listed["items"], serde_json::json!([]));
}

fn zip(first_name: &str) -> Vec<u8> {
    let mut header = b"PK\x03\x04".to_vec();
    header.resize(26, 0);
    header.extend(u16::try_from(first_name.len()).unwrap().to_le_bytes());
    header.extend([0, 0]);
    header.extend(first_name.as_bytes());
    header
}

/// The client that people have at hand. `-w` adds the status and how much of the body was sent.
async fn curl(hub: &Served, arguments: &[&str]) -> (i64, u64, Value) {
    let url = format!("http://{}/api/v1/files?name=part.gcode", hub.address);
    let authorization = format!("authorization: Bearer {}", hub.token);
    let mut command = std::process::Command::new("curl");
    command.args(["-sS", "--max-time", "60", "-w", "\n%{http_code} %{size_upload}", "-H", &authorization]);
    command.args(arguments).arg(url);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed} {}", String::from_utf8_lossy(&output.stderr));
    let (body, told) = printed.rsplit_once('\n').unwrap();
    let (status, sent) = told.split_once(' ').unwrap();
    (status.parse().unwrap(), sent.parse().unwrap(), serde_json::from_str(body).unwrap())
}

#[rstest]
#[case::form("-F", "file=@")]
#[case::plain("--data-binary", "@")]
#[tokio::test]
async fn curl_uploads_and_is_refused_at_once(#[case] option: &str, #[case] at: &str) {
    if !std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join("curl").is_file())
    {
        eprintln!("curl is not installed: the tests over plain sockets stand for it");
        return;
    }
    let hub = served().await;
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small.gcode"), folder.path().join("large.gcode"));
    std::fs::write(&small, "G28\nG1 X1\n").unwrap();
    std::fs::write(&large, "G1 X1 Y1\n".repeat(1_700_000)).unwrap();
    let content = |path: &std::path::Path| format!("{at}{}", path.display());
    let (status, _, file) = curl(&hub, &[option, &content(&small)]).await;
    assert_eq!((status, file["name"].as_str()), (201, Some("part.gcode")), "{file}");
    assert_eq!(hub.content_of(&file).await, b"G28\nG1 X1\n");
    // It asks before it sends more than a megabyte, and does not send it.
    let (status, sent, problem) = curl(&hub, &[option, &content(&large)]).await;
    assert_eq!((status, problem["code"].as_str(), sent), (413, Some("too_large"), 0), "{problem}");
    // Told not to ask, it stops when the answer comes.
    let (status, _, problem) = curl(&hub, &["-H", "expect:", option, &content(&large)]).await;
    assert_eq!((status, problem["code"].as_str()), (413, Some("too_large")), "{problem}");
}
