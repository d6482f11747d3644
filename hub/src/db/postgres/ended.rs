//! Connections that the server has ended, and lines that break: what is asked again, and what never is.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::db::DbAddress;
use crate::db::testing::{Engine, TestDb, fresh};
use crate::params;

pub(super) const NOTE: &str = "INSERT INTO notes (text) VALUES ($1)";

/// A database with a table that takes the same row twice: what was done twice is seen.
pub(super) async fn database() -> (TestDb, String, PostgresDb) {
    let test = fresh(Engine::Postgres).await;
    let DbAddress::Postgres(url) = test.address() else { panic!("another engine") };
    let url = url.clone();
    let db = PostgresDb::open(&url).unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.execute("CREATE TABLE notes (text TEXT NOT NULL)", params![]).await.unwrap();
    tx.commit().await.unwrap();
    (test, url, db)
}

pub(super) async fn notes(db: &PostgresDb) -> Vec<String> {
    let rows = db.query("SELECT text FROM notes ORDER BY text", params![]).await.unwrap();
    rows.iter().map(|row| row.get("text").unwrap()).collect()
}

/// As many as a pool can hold, at work and given back. By which processes of the server they are served.
pub(super) async fn fill(pool: &Pool) -> HashSet<i32> {
    let mut taken = Vec::new();
    let mut served_by = HashSet::new();
    for _ in 0..pool.status().max_size {
        let connection = pool.get().await.unwrap();
        let row = connection.query_one("SELECT pg_backend_pid()", &[]).await.unwrap();
        served_by.insert(row.get(0));
        taken.push(connection);
    }
    served_by
}

/// Ends all other connections to this database, as an administrator or a server that stops does. This thread, and with it
/// every connection of a pool, stands still meanwhile: whoever uses one next is the first to learn of it.
fn end_all(url: &str) {
    let url = url.to_owned();
    let ended = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
            tokio::spawn(connection);
            let others =
                "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let end = format!("SELECT pg_terminate_backend(pid) {others}");
            client.batch_execute(&end).await.unwrap();
            let left = format!("SELECT count(*) {others}");
            while client.query_one(&left, &[]).await.unwrap().get::<_, i64>(0) > 0 {
                tokio::task::yield_now().await;
            }
        });
    });
    ended.join().unwrap();
}

#[tokio::test]
async fn a_request_does_not_learn_that_the_server_has_ended_its_connection() {
    let (_test, url, db) = database().await;
    for _ in 0..3 {
        let before: HashSet<i32> = &fill(&db.readers).await | &fill(&db.writers).await;
        assert_eq!(before.len(), READERS + WRITERS);
        end_all(&url);

        // One alone, and as many at once as there are connections.
        db.query("SELECT 1 AS one", params![]).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute(NOTE, params!["alone"]).await.unwrap();
        tx.commit().await.unwrap();

        fill(&db.readers).await;
        fill(&db.writers).await;
        end_all(&url);
        let reads = futures::future::join_all((0..READERS).map(|_| notes(&db)));
        let writes = futures::future::join_all((0..WRITERS).map(|_| async {
            let mut tx = db.begin().await.unwrap();
            tx.execute(NOTE, params!["together"]).await.unwrap();
            tx.commit().await.unwrap();
        }));
        futures::future::join(reads, writes).await;
        let after: HashSet<i32> = &fill(&db.readers).await | &fill(&db.writers).await;
        assert!(before.is_disjoint(&after), "they were really ended");
    }
    let notes = notes(&db).await;
    let together = notes.iter().filter(|note| *note == "together").count();
    assert_eq!((notes.len(), together), (3 + 3 * WRITERS, 3 * WRITERS), "each once");
}

/// Another connection knows nothing of what the transaction has done so far: on it, half of one would be made permanent.
#[tokio::test]
async fn a_transaction_whose_connection_was_ended_is_over() {
    let (_test, url, db) = database().await;
    let mut tx = db.begin().await.unwrap();
    tx.execute(NOTE, params!["first"]).await.unwrap();
    end_all(&url);
    assert!(tx.execute(NOTE, params!["second"]).await.is_err());
    assert!(tx.query("INSERT INTO notes (text) VALUES ('third') RETURNING text", params![]).await.is_err());
    assert!(tx.commit().await.is_err());
    assert_eq!(notes(&db).await, [""; 0]);

    let mut tx = db.begin().await.unwrap();
    tx.execute(NOTE, params!["all of it"]).await.unwrap();
    end_all(&url);
    assert!(tx.commit().await.is_err());
    assert_eq!(notes(&db).await, [""; 0]);
}

/// Where it breaks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Break {
    /// The server never hears of it.
    BeforeTheServer,
    /// It is done, and its answer is lost.
    BehindIt,
}

/// A line to the server that breaks at the first request with this text, once.
struct Line {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Line {
    async fn open(server: &str, text: &'static str, at: Break) -> Self {
        let (before, rest) = server.rsplit_once('@').unwrap();
        let (to, database) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{before}@{}/{database}", listener.local_addr().unwrap());
        let (requests, to) = (Arc::new(AtomicUsize::new(0)), to.to_owned());
        let (seen, is_broken) = (Arc::clone(&requests), Arc::new(AtomicBool::new(false)));
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&to).await.unwrap();
                tokio::spawn(carry(client, server, text, at, (Arc::clone(&seen), Arc::clone(&is_broken))));
            }
        });
        Self { url, requests }
    }
}

/// Until one of both ends it, or it breaks. The client waits for each answer before it says the next: a request comes whole.
async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    text: &str,
    at: Break,
    (seen, is_broken): (Arc<AtomicUsize>, Arc<AtomicBool>),
) {
    let (mut asked, mut answered) = ([0; 8192], [0; 8192]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let request = &asked[..read.unwrap_or(0)];
                let is_it = request.windows(text.len()).any(|part| part == text.as_bytes());
                seen.fetch_add(usize::from(is_it), Ordering::SeqCst);
                let breaks = is_it && !is_broken.swap(is_it, Ordering::SeqCst);
                if request.is_empty() || breaks && at == Break::BeforeTheServer {
                    return;
                }
                server.write_all(request).await.unwrap();
                if breaks {
                    // It is done when it is answered.
                    assert_ne!(server.read(&mut answered).await.unwrap(), 0);
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let answer = &answered[..read.unwrap_or(0)];
                if answer.is_empty() || client.write_all(answer).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Nobody here can know what came of it: asked again, it would be done twice, or called done where nothing was.
#[rstest]
#[case(Break::BeforeTheServer, "COMMIT")]
#[case(Break::BehindIt, "COMMIT")]
#[case(Break::BeforeTheServer, "INSERT")]
#[case(Break::BehindIt, "INSERT")]
#[tokio::test]
async fn what_may_have_been_done_is_not_done_again(#[case] at: Break, #[case] text: &'static str) {
    let (_test, url, db) = database().await;
    let line = Line::open(&url, text, at).await;
    let over_it = PostgresDb::open(&line.url).unwrap();
    let mut tx = over_it.begin().await.unwrap();
    let written = tx.execute(NOTE, params!["once"]).await;
    assert_eq!(written.is_ok(), text == "COMMIT", "{written:?}");
    assert!(tx.commit().await.is_err(), "nobody is told that it was done");
    assert_eq!(line.requests.load(Ordering::SeqCst), 1, "asked once");
    let done = text == "COMMIT" && at == Break::BehindIt;
    assert_eq!(notes(&db).await, vec!["once"; usize::from(done)]);

    // The next one goes its way.
    let mut tx = over_it.begin().await.unwrap();
    tx.execute(NOTE, params!["twice"]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(notes(&db).await.len(), usize::from(done) + 1);
}

/// A read is asked again because it changes nothing, and the server holds it to that.
#[tokio::test]
async fn what_is_read_outside_of_a_transaction_can_t_write() {
    let (_test, url, db) = database().await;
    for _ in 0..2 {
        let written =
            db.query("INSERT INTO notes (text) VALUES ('by a read') RETURNING text", params![]).await;
        let error = written.unwrap_err().to_string();
        assert!(error.contains("read-only transaction (25006)"), "{error}");
        // New ones, too.
        end_all(&url);
    }
    assert_eq!(notes(&db).await, [""; 0]);
}
