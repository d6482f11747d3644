//! SQLite: one thread that writes, a few that read, a connection each. WAL lets them work at once.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{DbError, Row, Value};

const READERS: usize = 2;

enum Op {
    Query(&'static str, Vec<Value>, oneshot::Sender<Result<Vec<Row>, DbError>>),
    Execute(&'static str, Vec<Value>, oneshot::Sender<Result<u64, DbError>>),
    Commit(oneshot::Sender<Result<(), DbError>>),
}

struct Read {
    sql: &'static str,
    params: Vec<Value>,
    reply: oneshot::Sender<Result<Vec<Row>, DbError>>,
}

#[derive(Clone)]
pub(super) struct SqliteDb {
    /// Each transaction sends the writer the receiving end of its own channel.
    writer: mpsc::UnboundedSender<mpsc::UnboundedReceiver<Op>>,
    readers: Arc<[mpsc::UnboundedSender<Read>]>,
    next_reader: Arc<AtomicUsize>,
}

pub(super) struct SqliteTx(mpsc::UnboundedSender<Op>);

impl SqliteDb {
    pub(super) fn open(path: &Path) -> Result<Self, DbError> {
        let connection = connect(path)?;
        let (writer, transactions) = mpsc::unbounded_channel();
        spawn("sqlite-writer", move || write_loop(&connection, transactions))?;
        let mut readers = Vec::with_capacity(READERS);
        for n in 0..READERS {
            let connection = connect(path)?;
            connection.pragma_update(None, "query_only", true)?;
            let (sender, reads) = mpsc::unbounded_channel();
            spawn(&format!("sqlite-reader-{n}"), move || read_loop(&connection, reads))?;
            readers.push(sender);
        }
        Ok(Self { writer, readers: readers.into(), next_reader: Arc::default() })
    }

    pub(super) async fn query(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        let n = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        let (reply, answer) = oneshot::channel();
        let reader = self.readers.get(n).ok_or(DbError::Closed)?;
        reader.send(Read { sql, params, reply }).map_err(|_| DbError::Closed)?;
        answer.await.map_err(|_| DbError::Closed)?
    }

    pub(super) fn begin(&self) -> Result<SqliteTx, DbError> {
        let (sender, ops) = mpsc::unbounded_channel();
        self.writer.send(ops).map_err(|_| DbError::Closed)?;
        Ok(SqliteTx(sender))
    }
}

impl SqliteTx {
    pub(super) async fn query(&mut self, sql: &'static str, params: Vec<Value>) -> Result<Vec<Row>, DbError> {
        self.ask(|reply| Op::Query(sql, params, reply)).await
    }

    pub(super) async fn execute(&mut self, sql: &'static str, params: Vec<Value>) -> Result<u64, DbError> {
        self.ask(|reply| Op::Execute(sql, params, reply)).await
    }

    pub(super) async fn commit(mut self) -> Result<(), DbError> {
        self.ask(Op::Commit).await
    }

    async fn ask<T>(
        &mut self,
        op: impl FnOnce(oneshot::Sender<Result<T, DbError>>) -> Op,
    ) -> Result<T, DbError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(op(reply)).map_err(|_| DbError::Closed)?;
        answer.await.map_err(|_| DbError::Closed)?
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), DbError> {
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
    thread.map(drop).map_err(|error| DbError::Address(format!("no thread for {name}: {error}")))
}

fn connect(path: &Path) -> Result<Connection, DbError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // With WAL, NORMAL keeps the database whole over a power cut but may lose the last transactions;
    // a claim or a start that was answered must not be lost.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn write_loop(
    connection: &Connection,
    mut transactions: mpsc::UnboundedReceiver<mpsc::UnboundedReceiver<Op>>,
) {
    while let Some(ops) = transactions.blocking_recv() {
        run_transaction(connection, ops);
        if !connection.is_autocommit() {
            // Dropped without a commit. If even this fails, the next BEGIN says so.
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
}

fn run_transaction(connection: &Connection, mut ops: mpsc::UnboundedReceiver<Op>) {
    let mut begun = false;
    while let Some(op) = ops.blocking_recv() {
        // Begun by the first statement, so that a failure to begin has someone to tell.
        let ready = if begun { Ok(()) } else { connection.execute_batch("BEGIN IMMEDIATE") };
        begun |= ready.is_ok();
        // A receiver that has gone away has dropped the transaction: the loop ends by itself.
        match op {
            Op::Query(sql, params, reply) => {
                let _ = reply.send(ready.map_err(Into::into).and_then(|()| query(connection, sql, &params)));
            }
            Op::Execute(sql, params, reply) => {
                let _ =
                    reply.send(ready.map_err(Into::into).and_then(|()| execute(connection, sql, &params)));
            }
            Op::Commit(reply) => {
                let done = ready.and_then(|()| connection.execute_batch("COMMIT"));
                let _ = reply.send(done.map_err(Into::into));
                return;
            }
        }
    }
}

fn read_loop(connection: &Connection, mut reads: mpsc::UnboundedReceiver<Read>) {
    while let Some(Read { sql, params, reply }) = reads.blocking_recv() {
        let _ = reply.send(query(connection, sql, &params));
    }
}

fn query(connection: &Connection, sql: &str, params: &[Value]) -> Result<Vec<Row>, DbError> {
    let mut statement = connection.prepare_cached(sql)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|i| row.get_ref(i).map(from_sqlite)).collect::<Result<_, _>>()?;
        out.push(Row { columns: Arc::clone(&columns), values });
    }
    Ok(out)
}

fn execute(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, DbError> {
    if params.is_empty() && sql.contains(';') {
        // A migration: several statements.
        connection.execute_batch(sql)?;
        return Ok(0);
    }
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

/// SQLite numbers `$n` by first appearance, not by n: so they are bound by name.
fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> Result<(), DbError> {
    for (i, value) in params.iter().enumerate() {
        if let Some(index) = statement.parameter_index(&format!("${}", i + 1))? {
            match value {
                Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null)?,
                Value::Int(n) => statement.raw_bind_parameter(index, n)?,
                Value::Real(x) => statement.raw_bind_parameter(index, x)?,
                Value::Text(text) => statement.raw_bind_parameter(index, text)?,
            }
        }
    }
    Ok(())
}

fn from_sqlite(value: rusqlite::types::ValueRef<'_>) -> Value {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(x) => Value::Real(x),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Value::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}
