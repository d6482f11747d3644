//! A hub's database that can be read and not written, for as long as a test wants it.
//!
//! SQLite: another connection holds the one write lock. PostgreSQL: the server takes no writes, as a replica does.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use stardust_demo::database::TestDatabase;

/// While this lives, nothing can be written.
#[derive(Debug)]
pub struct Unwritable(Held);

#[derive(Debug)]
enum Held {
    /// Closing it gives the lock back.
    Sqlite(#[expect(dead_code, reason = "held, not used")] Connection),
    Postgres(Arc<TestDatabase>),
}

impl Unwritable {
    pub(crate) fn sqlite(path: &Path) -> Self {
        let connection = Connection::open(path).expect("the hub's database");
        connection.busy_timeout(std::time::Duration::from_secs(10)).expect("patience");
        connection.execute_batch("BEGIN IMMEDIATE").expect("its write lock");
        Self(Held::Sqlite(connection))
    }

    pub(crate) fn postgres(database: Arc<TestDatabase>) -> Self {
        database.set_read_only(true).expect("a database that takes no writes");
        Self(Held::Postgres(database))
    }
}

impl Drop for Unwritable {
    fn drop(&mut self) {
        if let Held::Postgres(database) = &self.0 {
            database.set_read_only(false).expect("a database that takes writes again");
        }
    }
}
