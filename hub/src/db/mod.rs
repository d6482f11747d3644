//! The database: one SQL text, two engines.
//!
//! Owns: connections, transactions, the values that go in and come out, and the migrations.
//! Must not know: any capability's tables beyond running their migrations.
//!
//! Statements are written once in the dialect that SQLite and PostgreSQL share: `$1` parameters, `RETURNING`,
//! `ON CONFLICT`, row values, `BIGINT` milliseconds UTC, `TEXT` ids, booleans as `BIGINT` 0 or 1. What differs
//! is a method of [`Tx`] (a lock) or a named fragment of a migration.
//!
//! A transaction on SQLite holds the one writer: await nothing but its own statements while it is open.

mod migrate;
mod postgres;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
mod value;

pub use value::{FromValue, Row, ToValue, Value};

use std::path::PathBuf;

/// What went wrong in the database. Never shown to people as it is.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite refused or failed.
    #[error("SQLite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// PostgreSQL refused or failed.
    #[error("PostgreSQL: {}", postgres::describe(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// No PostgreSQL connection could be had.
    #[error("PostgreSQL: no connection: {0}")]
    Pool(String),
    /// The database's address can't be used.
    #[error("the database address can't be used: {0}")]
    Address(String),
    /// A column held something else than the code expects.
    #[error("column {column}: expected {expected}, found {found}")]
    Column {
        /// Its name.
        column: String,
        /// The type that was asked for.
        expected: &'static str,
        /// What stands there (the kind, not the value: it may be a secret).
        found: &'static str,
    },
    /// A row that has to be there is not.
    #[error("a row that has to exist is missing: {0}")]
    Missing(&'static str),
    /// The engine's thread is gone: the process is shutting down.
    #[error("the database is closed")]
    Closed,
    /// The database is of a newer hub.
    #[error(
        "the database has migration {found}, this hub knows up to {known}: start the newer hub, or restore a backup"
    )]
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest that this hub knows.
        known: i64,
    },
}

impl DbError {
    /// Whether a unique index refused the row.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => {
                matches!(error.extended_code, 1555 | 2067) // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE
            }
            Self::Postgres(error) => error.code() == Some(&tokio_postgres::error::SqlState::UNIQUE_VIOLATION),
            _ => false,
        }
    }
}

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DbAddress {
    /// A file on this machine; it is created when missing.
    Sqlite(PathBuf),
    /// `postgres://user:password@host/database`.
    Postgres(String),
}

impl DbAddress {
    /// Reads `sqlite:PATH`, a bare path, or `postgres://…`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Self::Postgres(text.to_owned())
        } else {
            Self::Sqlite(text.strip_prefix("sqlite:").unwrap_or(text).into())
        }
    }
}

// The address of a PostgreSQL server holds a password.
impl std::fmt::Debug for DbAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => {
                let server = url.rsplit_once('@').map_or("…", |(_, server)| server);
                write!(f, "postgres://…@{server}")
            }
        }
    }
}

/// An open database.
#[derive(Clone)]
pub struct Db(Engine);

#[derive(Clone)]
enum Engine {
    Sqlite(sqlite::SqliteDb),
    Postgres(postgres::PostgresDb),
}

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// # Errors
    /// The file or server can't be reached, or the database belongs to a newer hub.
    pub async fn open(address: &DbAddress) -> Result<Self, DbError> {
        let db = Self(match address {
            DbAddress::Sqlite(path) => Engine::Sqlite(sqlite::SqliteDb::open(path)?),
            DbAddress::Postgres(url) => Engine::Postgres(postgres::PostgresDb::open(url)?),
        });
        migrate::run(&db).await?;
        Ok(db)
    }

    /// Reads rows outside any transaction. The engines refuse to write here.
    ///
    /// # Errors
    /// The engine's.
    pub async fn query(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        match &self.0 {
            Engine::Sqlite(db) => db.query(sql, params).await,
            Engine::Postgres(db) => db.query(sql, params).await,
        }
    }

    /// Reads at most one row outside any transaction.
    ///
    /// # Errors
    /// The engine's.
    pub async fn query_opt(&self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Begins a transaction that may write. Dropped without [`Tx::commit`], it changes nothing.
    ///
    /// # Errors
    /// No connection can be had.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        Ok(Tx(match &self.0 {
            Engine::Sqlite(db) => TxEngine::Sqlite(db.begin()?),
            Engine::Postgres(db) => TxEngine::Postgres(Box::new(db.begin().await?)),
        }))
    }
}

/// A transaction.
pub struct Tx(TxEngine);

enum TxEngine {
    Sqlite(sqlite::SqliteTx),
    Postgres(Box<postgres::PostgresTx>),
}

impl Tx {
    /// Runs a statement and returns its rows (`SELECT`, or a write with `RETURNING`).
    ///
    /// # Errors
    /// The engine's. The transaction can't go on after one.
    pub async fn query(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        match &mut self.0 {
            TxEngine::Sqlite(tx) => tx.query(sql, params).await,
            TxEngine::Postgres(tx) => tx.query(sql, params).await,
        }
    }

    /// The same for at most one row.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub async fn query_opt(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Option<Row>, DbError> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64, DbError> {
        match &mut self.0 {
            TxEngine::Sqlite(tx) => tx.execute(sql, params).await,
            TxEngine::Postgres(tx) => tx.execute(sql, params).await,
        }
    }

    /// Makes this transaction the only one under `name` until it ends. SQLite has one writer: nothing to do.
    ///
    /// # Errors
    /// As [`Tx::query`].
    pub async fn lock(&mut self, name: &str) -> Result<(), DbError> {
        match &mut self.0 {
            TxEngine::Sqlite(_) => Ok(()),
            TxEngine::Postgres(tx) => tx.lock(name).await,
        }
    }

    /// Makes all of it permanent.
    ///
    /// # Errors
    /// The engine's. Where the line to a PostgreSQL server was lost on the way, nobody knows whether it is permanent; else nothing
    /// has changed.
    pub async fn commit(self) -> Result<(), DbError> {
        match self.0 {
            TxEngine::Sqlite(tx) => tx.commit().await,
            TxEngine::Postgres(tx) => tx.commit().await,
        }
    }
}

/// Parameters of a statement, in the order `$1`, `$2`, …
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::db::ToValue::to_value(&$value)),*] };
}
