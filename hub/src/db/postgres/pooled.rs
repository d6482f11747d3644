//! Sessions of the server that a pooler between it and the hub gives to one connection after the other, as PgBouncer does after each
//! transaction: what reads must not write whatever the session was told before, and nobody leaves anything in it.

use super::ended::{NOTE, database, fill, notes};
use super::*;
use crate::params;

/// What the server has, of all connections of the hub to this database.
async fn of_all(url: &str, column: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let sql = format!("SELECT COALESCE({column}, '') {others}");
    client.query(&sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

async fn is_in_no_transaction(url: &str) {
    let states = of_all(url, "state").await;
    assert!(states.len() >= READERS + WRITERS && states.iter().all(|state| state == "idle"), "{states:?}");
}

/// Tells it to all sessions that a pool can have.
async fn tell(pool: &Pool, sql: &str) {
    let mut taken = Vec::new();
    for _ in 0..pool.status().max_size {
        let connection = pool.get().await.unwrap();
        connection.batch_execute(sql).await.unwrap();
        taken.push(connection);
    }
}

#[tokio::test]
async fn what_reads_can_not_write_whatever_its_session_was_told() {
    let (_test, _url, db) = database().await;
    tell(&db.readers, "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE").await;
    for _ in 0..=READERS {
        let written =
            db.query("INSERT INTO notes (text) VALUES ('by a read') RETURNING text", params![]).await;
        let error = written.unwrap_err().to_string();
        assert!(error.contains("read-only transaction (25006)"), "{error}");
    }
    assert_eq!(notes(&db).await, [""; 0]);
}

/// Hosts do that to a database whose disk is nearly full.
#[tokio::test]
async fn what_the_server_has_made_read_only_is_not_written_to() {
    let (_test, _url, db) = database().await;
    tell(&db.writers, "SET default_transaction_read_only = on").await;
    let mut tx = db.begin().await.unwrap();
    let error = tx.execute(NOTE, params!["written"]).await.unwrap_err().to_string();
    assert!(error.contains("read-only transaction (25006)"), "{error}");
}

#[tokio::test]
async fn nothing_is_left_in_a_session() {
    let (_test, url, db) = database().await;
    for _ in 0..=READERS {
        notes(&db).await;
        assert!(
            db.query("SELECT text FROM notes WHERE 1 / length(text) = 1 OR 1 / 0 = 1", params![])
                .await
                .is_err()
        );
    }
    let mut tx = db.begin().await.unwrap();
    tx.execute(NOTE, params!["written"]).await.unwrap();
    tx.commit().await.unwrap();
    for pool in [&db.readers, &db.writers] {
        for _ in 0..=pool.status().max_size {
            let connection = pool.get().await.unwrap();
            let told = "SELECT name FROM pg_settings WHERE source = 'session'";
            let told = connection.query(told, &[]).await.unwrap();
            assert_eq!(told.iter().map(|row| row.get(0)).collect::<Vec<String>>(), [""; 0]);
        }
        fill(pool).await;
    }
    is_in_no_transaction(&url).await;
}

/// A request is dropped when its client goes.
#[tokio::test]
async fn a_read_that_nobody_waits_for_any_more_is_over() {
    let (_test, url, db) = database().await;
    let mut tx = db.begin().await.unwrap();
    tx.lock("held").await.unwrap();
    let waits =
        db.query("SELECT pg_advisory_xact_lock(hashtextextended('held', 0)) IS NULL AS locked", params![]);
    let is_waiting = async {
        while !of_all(&url, "wait_event_type").await.contains(&"Lock".to_owned()) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        locked = waits => panic!("it waits for the other: {}", locked.is_ok()),
        () = is_waiting => {}
    }
    tx.commit().await.unwrap();
    fill(&db.readers).await;
    fill(&db.writers).await;
    is_in_no_transaction(&url).await;
    assert_eq!(notes(&db).await, [""; 0]);
}
