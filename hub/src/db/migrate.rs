//! Brings the tables up to date. Migrations are numbered files, applied once each in their order, each in a
//! transaction with its own record.

use super::{Db, DbError};
use crate::params;

/// Applied in this order and never changed once released: add a file, don't edit one.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_foundation.sql")),
    (2, include_str!("migrations/0002_commands_without_a_job.sql")),
    (3, include_str!("migrations/0003_pairing_by_pin.sql")),
    (4, include_str!("migrations/0004_claim_instance.sql")),
    (5, include_str!("migrations/0005_job_telemetry.sql")),
    (6, include_str!("migrations/0006_emergency_stops.sql")),
];

pub(super) async fn run(db: &Db) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    // Replicas that start together on PostgreSQL take turns.
    tx.lock("migrations").await?;
    tx.execute("CREATE TABLE IF NOT EXISTS schema_migrations (number BIGINT PRIMARY KEY)", params![]).await?;
    let newest = tx.query_opt("SELECT COALESCE(MAX(number), 0) AS newest FROM schema_migrations", params![]);
    let newest: i64 = newest.await?.ok_or(DbError::Missing("schema_migrations"))?.get("newest")?;
    let known = MIGRATIONS.last().map_or(0, |(number, _)| *number);
    if newest > known {
        return Err(DbError::TooNew { found: newest, known });
    }
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > newest) {
        tx.execute(sql, params![]).await?;
        tx.execute("INSERT INTO schema_migrations (number) VALUES ($1)", params![*number]).await?;
        tracing::info!(migration.number = number, "database migrated");
    }
    tx.commit().await
}
