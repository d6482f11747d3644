//! A database of its own for a test, on the throw-away PostgreSQL server that `make test` starts.
//! Talks to the server with its own `psql`: no driver is linked for a few statements.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{Error, Result};

/// Which database end-to-end tests give to the hub: `sqlite` (or unset) or `postgres`.
pub const WHICH: &str = "STARDUST_E2E_DATABASE";
/// Where the throw-away server is: `postgres://user@host:port/database`.
pub const SERVER: &str = "STARDUST_TEST_POSTGRES";

/// An empty database; dropping the value drops it.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

impl TestDatabase {
    /// Makes one when [`WHICH`] asks for PostgreSQL; none for SQLite.
    ///
    /// # Errors
    /// [`WHICH`] holds another word, [`SERVER`] is not set, or the server refuses.
    pub fn from_environment() -> Result<Option<Self>> {
        match std::env::var(WHICH).as_deref() {
            Err(_) | Ok("" | "sqlite") => Ok(None),
            Ok("postgres") => std::env::var(SERVER)
                .map_err(|_| {
                    Error::Database(format!(
                        "{SERVER} is not set. Start a server: eval \"$(scripts/postgres.sh start)\""
                    ))
                })
                .and_then(|server| Self::create(&server))
                .map(Some),
            Ok(other) => Err(Error::Database(format!("{WHICH} must be sqlite or postgres, not {other}"))),
        }
    }

    /// Makes one on a server.
    ///
    /// # Errors
    /// `psql` is missing, or the server refuses.
    pub fn create(server: &str) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("e2e_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // A database of this name is from a test that was killed, whose process id is ours now.
        psql(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        psql(server, &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))?;
        Ok(Self { server: server.to_owned(), name })
    }

    /// What to give to the hub.
    #[must_use]
    pub fn url(&self) -> String {
        on_server(&self.server, &self.name)
    }

    /// From now on it can be read and not written, or both again; who is connected has to connect anew.
    ///
    /// # Errors
    /// The server refuses.
    pub fn set_read_only(&self, read_only: bool) -> Result<()> {
        let name = &self.name;
        psql(
            &self.server,
            &format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}"),
        )?;
        psql(
            &self.server,
            &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
        )
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The server is thrown away after the tests: what is not dropped here goes with it.
        let _ = psql(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// The server's address with another database in it.
fn on_server(server: &str, database: &str) -> String {
    let (base, query) = server.split_once('?').map_or((server, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &base[..end])
}

fn psql(server: &str, statement: &str) -> Result<()> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", server, "--command", statement])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            Error::Database(format!("psql can't be run ({error}). Install postgresql-client"))
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Database(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[rstest::rstest]
    #[case("postgres://me@127.0.0.1:5432/postgres", "postgres://me@127.0.0.1:5432/new")]
    #[case("postgres://me@127.0.0.1:5432", "postgres://me@127.0.0.1:5432/new")]
    #[case("postgres://me@h/postgres?sslmode=disable", "postgres://me@h/new?sslmode=disable")]
    fn only_the_database_of_an_address_is_replaced(#[case] server: &str, #[case] expected: &str) {
        assert_eq!(on_server(server, "new"), expected);
    }

    #[test]
    fn a_database_is_made_and_gone_when_dropped() {
        let server = std::env::var(SERVER)
            .expect("STARDUST_TEST_POSTGRES: run `make test`, or eval \"$(scripts/postgres.sh start)\"");
        let database = TestDatabase::create(&server).unwrap();
        let url = database.url();
        psql(&url, "CREATE TABLE t (x BIGINT)").unwrap();
        drop(database);
        assert!(psql(&url, "SELECT 1").is_err());
    }
}
