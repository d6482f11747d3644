//! PostgreSQL: pools of connections, prepared statements cached on each. What reads has its own: transactions that wait for
//! each other, or for somebody else's lock, keep nobody from reading.

use std::error::Error;
use std::sync::Arc;

use bytes::BytesMut;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use postgres_types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, Statement};

use super::{DbError, Row, Value};

#[cfg(test)]
mod ended;
#[cfg(test)]
mod pooled;

const WRITERS: usize = 6;
const READERS: usize = 4;
/// A transaction does not wait longer for a lock, as on SQLite.
///
/// Here and below nothing is told to a session: a pooler between hub and server gives it to somebody else next, who would be told
/// the same. Whether it may write is the server's word: who makes a database read-only, because its disk is nearly full for one,
/// is not overruled.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '10s'";
/// What reads may be asked again, so it must not write: as on SQLite, the database holds it to that.
const BEGIN_TO_READ: &str = "BEGIN READ ONLY";

#[derive(Clone)]
pub(super) struct PostgresDb {
    writers: Pool,
    readers: Pool,
}

pub(super) struct PostgresTx {
    /// Taken by commit; still there on drop means that the connection is in an open transaction.
    connection: Option<Object>,
}

impl PostgresDb {
    pub(super) fn open(url: &str) -> Result<Self, DbError> {
        let config: tokio_postgres::Config = url.parse()?;
        Ok(Self { writers: pool(config.clone(), WRITERS)?, readers: pool(config, READERS)? })
    }

    pub(super) async fn query(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        let mut ended = 0;
        loop {
            match read(&connection(&self.readers).await?, sql, &params).await {
                Err(error) if was_ended(&error) && ended < ENDED_AT_MOST => ended += 1,
                other => return other,
            }
        }
    }

    pub(super) async fn begin(&self) -> Result<PostgresTx, DbError> {
        let mut ended = 0;
        loop {
            let connection = connection(&self.writers).await?;
            let tx = PostgresTx { connection: Some(connection) };
            match tx.get()?.batch_execute(BEGIN).await.map_err(DbError::from) {
                Ok(()) => return Ok(tx),
                Err(error) if was_ended(&error) && ended < ENDED_AT_MOST => ended += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

fn pool(config: tokio_postgres::Config, most: usize) -> Result<Pool, DbError> {
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Pool::builder(Manager::from_config(config, NoTls, recycling)).max_size(most);
    pool.build().map_err(|error| DbError::Pool(error.to_string()))
}

/// A server that starts anew ends all connections that wait in a pool, and the first to use one learns of it: so many are passed over.
const ENDED_AT_MOST: u32 = 8;

/// Whether the server had ended the connection: another one may do it. Only for what changes nothing, for whether the server had
/// done it before is not known here.
fn was_ended(error: &DbError) -> bool {
    let DbError::Postgres(error) = error else { return false };
    let stops = [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN];
    error.is_closed() || error.code().is_some_and(|code| stops.contains(code))
}

async fn connection(pool: &Pool) -> Result<Object, DbError> {
    pool.get().await.map_err(|error| match error {
        deadpool_postgres::PoolError::Backend(error) => DbError::Postgres(error),
        other => DbError::Pool(other.to_string()),
    })
}

impl PostgresTx {
    fn get(&self) -> Result<&Object, DbError> {
        self.connection.as_ref().ok_or(DbError::Closed)
    }

    pub(super) async fn query(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        query(self.get()?, sql, &params).await
    }

    pub(super) async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64, DbError> {
        let connection = self.get()?;
        if params.is_empty() && sql.contains(';') {
            // A migration: several statements.
            connection.batch_execute(sql).await?;
            return Ok(0);
        }
        let statement = connection.prepare_cached(sql).await?;
        Ok(connection.execute_raw(&statement, &params).await?)
    }

    pub(super) async fn lock(&mut self, name: &str) -> Result<(), DbError> {
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)) IS NULL AS locked";
        self.query(sql, vec![Value::Text(name.to_owned())]).await.map(drop)
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        let committed = self.get()?.batch_execute("COMMIT").await;
        if committed.is_ok() {
            // Back to the pool; on an error the drop below closes it instead.
            self.connection = None;
        }
        Ok(committed?)
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Taken out of the pool and closed: the server rolls the transaction back.
            drop(Object::take(connection));
        }
    }
}

async fn query(connection: &Object, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
    rows(connection, &connection.prepare_cached(sql).await?, params).await
}

/// The same in a transaction of its own, which can't write.
async fn read(connection: &Object, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
    let statement = connection.prepare_cached(sql).await?;
    // Sent at once, in this order: it takes no longer than the query alone, and is also ended where nobody waits for it any more.
    let begun = connection.batch_execute(BEGIN_TO_READ);
    let (begun, rows, ended) = futures::future::join3(
        begun,
        rows(connection, &statement, params),
        connection.batch_execute("COMMIT"),
    )
    .await;
    begun?;
    let rows = rows?;
    ended?;
    Ok(rows)
}

async fn rows(connection: &Object, statement: &Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
    let columns: Arc<[String]> = statement.columns().iter().map(|column| column.name().to_owned()).collect();
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|value| value as _).collect();
    let rows = connection.query(statement, &params).await?;
    rows.iter()
        .map(|row| {
            let values = (0..columns.len()).map(|i| from_postgres(row, i)).collect::<Result<_, _>>()?;
            Ok(Row { columns: Arc::clone(&columns), values })
        })
        .collect()
}

fn from_postgres(row: &tokio_postgres::Row, i: usize) -> Result<Value, DbError> {
    let kind = row.columns().get(i).map(tokio_postgres::Column::type_);
    Ok(match kind {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(i)?.map_or(Value::Null, Value::Int),
        Some(&Type::INT4) => row.try_get::<_, Option<i32>>(i)?.map_or(Value::Null, |n| Value::Int(n.into())),
        Some(&Type::BOOL) => row.try_get::<_, Option<bool>>(i)?.map_or(Value::Null, |b| Value::Int(b.into())),
        Some(&Type::FLOAT8) => row.try_get::<_, Option<f64>>(i)?.map_or(Value::Null, Value::Real),
        _ => row.try_get::<_, Option<String>>(i)?.map_or(Value::Null, Value::Text),
    })
}

impl ToSql for Value {
    #[allow(clippy::cast_precision_loss, reason = "an integer given for a real column")]
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) if *ty == Type::INT4 => i32::try_from(*n)?.to_sql(ty, out),
            Self::Int(n) if *ty == Type::FLOAT8 => (*n as f64).to_sql(ty, out),
            Self::Int(n) => n.to_sql(ty, out),
            Self::Real(x) => x.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::INT4 | Type::FLOAT8 | Type::TEXT | Type::VARCHAR)
    }

    to_sql_checked!();
}

/// `tokio_postgres::Error` prints as "db error": what the server said is its source.
pub(super) fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(
        || error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}")),
        |db| format!("{} ({})", db.message(), db.code().code()),
    )
}
