//! Databases for tests: a fresh one of either engine.
//!
//! PostgreSQL is a real server: `STARDUST_TEST_POSTGRES` names it (`make test` starts a throw-away cluster).

use super::{Db, DbAddress};

/// Which engine a test runs on. Use it as an `rstest` case: every store test runs on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// A database of its own for one test.
pub(crate) struct TestDb {
    pub(crate) db: Db,
    address: DbAddress,
    _dir: tempfile::TempDir,
}

/// Another connection that lets nobody else write, until it is released: SQLite's one write lock, or locks of the tables.
pub(crate) enum WriteLock {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client, tokio::task::JoinHandle<()>),
}

impl TestDb {
    pub(crate) fn address(&self) -> &DbAddress {
        &self.address
    }

    /// From now on it can be read and not written.
    pub(crate) async fn lock_writes(&self) -> WriteLock {
        match &self.address {
            DbAddress::Sqlite(path) => {
                let connection = rusqlite::Connection::open(path).unwrap();
                connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                WriteLock::Sqlite(connection)
            }
            DbAddress::Postgres(url) => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(async move { connection.await.unwrap() });
                let tables = "api_tokens, commands, emergency_stops, jobs, outbox, printers, sessions";
                client.batch_execute(&format!("BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE")).await.unwrap();
                WriteLock::Postgres(client, connection)
            }
        }
    }
}

impl WriteLock {
    pub(crate) async fn release(self) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch("ROLLBACK").unwrap(),
            Self::Postgres(client, connection) => {
                client.batch_execute("ROLLBACK").await.unwrap();
                drop(client);
                connection.await.unwrap();
            }
        }
    }
}

/// Opens a fresh, migrated database.
pub(crate) async fn fresh(engine: Engine) -> TestDb {
    let dir = tempfile::tempdir().unwrap();
    let address = match engine {
        Engine::Sqlite => DbAddress::Sqlite(dir.path().join("hub.db")),
        Engine::Postgres => DbAddress::Postgres(create_database(&dir).await),
    };
    TestDb { db: Db::open(&address).await.unwrap(), address, _dir: dir }
}

async fn create_database(dir: &tempfile::TempDir) -> String {
    let server = std::env::var("STARDUST_TEST_POSTGRES").expect(
        "STARDUST_TEST_POSTGRES is not set: run `make test`, or start a throw-away server with \
         `eval \"$(scripts/postgres.sh start)\"`",
    );
    // The temporary directory's name is unique: so is the database's.
    let name = dir.path().file_name().unwrap().to_string_lossy().replace(['.', '-'], "_").to_lowercase();
    let name = format!("test_{name}_{}", std::process::id());
    let (client, connection) = tokio_postgres::connect(&server, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE DATABASE \"{name}\"")).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}
