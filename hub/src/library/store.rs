//! Rows of files and their versions.

use stardust_protocol::{FileId, FileVersionId, Timestamp, WorkspaceId};

use super::file::{Extraction, FileMetadata, PrintFile, read};
use crate::accounts::Person;
use crate::api::page::{Page, PageQuery, Place};
use crate::db::{Db, Tx};
use crate::error::Error;
use crate::events::outbox::{self, Event};
use crate::objects::Stored;
use crate::params;

macro_rules! select_files {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.workspace_id, f.owner_id, f.name, f.created_at, f.updated_at, v.id AS version_id, \
                    v.number, v.size_bytes, v.sha256, v.extraction, v.extraction_error, v.metadata, \
                    v.thumbnail_sha256 \
             FROM files f JOIN file_versions v ON v.id = f.current_version_id ",
            $rest
        )
    };
}

/// What an upload became.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// A new file, or a new version of one.
    New(FileId),
    /// The same bytes stood there under that name.
    Same(FileId),
}

/// Adds stored bytes to the library under a name.
///
/// # Errors
/// The database's.
pub async fn add(
    db: &Db,
    now: Timestamp,
    person: &Person,
    name: &str,
    stored: &Stored,
) -> Result<Added, Error> {
    let workspace = person.workspace_id;
    let mut tx = db.begin().await?;
    tx.lock(&format!("files:{workspace}")).await?;
    let existing = tx
        .query_opt(
            "SELECT f.id, v.number, v.sha256 FROM files f JOIN file_versions v ON v.id = f.current_version_id \
             WHERE f.workspace_id = $1 AND f.name = $2 AND f.deleted_at IS NULL",
            params![workspace, name],
        )
        .await?;
    let version = FileVersionId::generate(now);
    let (file, number) = match existing {
        Some(row) => {
            let id: FileId = row.get("id")?;
            if row.get::<String>("sha256")? == stored.sha256 {
                return Ok(Added::Same(id));
            }
            tx.execute(
                "UPDATE files SET current_version_id = $2, updated_at = $3, version = version + 1 WHERE id = $1",
                params![id, version, now],
            )
            .await?;
            (id, row.get::<i64>("number")? + 1)
        }
        None => {
            let id = FileId::generate(now);
            tx.execute(
                "INSERT INTO files (id, workspace_id, owner_id, name, current_version_id, created_at, updated_at, version) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6, 1)",
                params![id, workspace, person.user_id, name, version, now],
            )
            .await?;
            (id, 1)
        }
    };
    tx.execute(
        "INSERT INTO file_versions (id, workspace_id, file_id, owner_id, number, size_bytes, sha256, extraction, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        params![version, workspace, file, person.user_id, number, stored.size_bytes, stored.sha256, Extraction::Pending, now],
    )
    .await?;
    outbox::add(&mut tx, workspace, now, &Event::FileUploaded { version_id: version }).await?;
    tx.commit().await?;
    Ok(Added::New(file))
}

/// One file.
///
/// # Errors
/// No such file in this workspace, or the database's.
pub async fn get(db: &Db, workspace: WorkspaceId, id: FileId) -> Result<PrintFile, Error> {
    let sql = select_files!("WHERE f.id = $1 AND f.workspace_id = $2 AND f.deleted_at IS NULL");
    let row = db.query_opt(sql, params![id, workspace]).await?.ok_or_else(|| Error::no_such("print file"))?;
    Ok(read(&row)?)
}

/// The files of a workspace, newest first.
///
/// # Errors
/// A bad cursor, or the database's.
pub async fn list(db: &Db, workspace: WorkspaceId, page: &PageQuery) -> Result<Page<PrintFile>, Error> {
    let before = page.place_or(Place::highest())?;
    let sql = select_files!(
        "WHERE f.workspace_id = $1 AND f.deleted_at IS NULL AND (f.updated_at, f.id) < ($2, $3) \
         ORDER BY f.updated_at DESC, f.id DESC LIMIT $4"
    );
    let params = params![workspace, before.key, before.id, page.limit() as u64 + 1];
    let files = db.query(sql, params).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::of(files, page.limit(), |f: &PrintFile| Place {
        key: f.updated_at.as_millis(),
        id: f.id.to_string(),
    }))
}

/// Takes a file out of the library. What was printed from it stays in the history.
///
/// # Errors
/// No such file, an unfinished job needs it, or the database's.
pub async fn delete(db: &Db, now: Timestamp, workspace: WorkspaceId, id: FileId) -> Result<(), Error> {
    let mut tx = db.begin().await?;
    tx.lock(&format!("queue:{workspace}")).await?;
    let needed = tx
        .query_opt(
            "SELECT id FROM jobs WHERE file_id = $1 AND open = 1 AND removed_at IS NULL LIMIT 1",
            params![id],
        )
        .await?;
    if needed.is_some() {
        return Err(Error::conflict(
            "file_in_use",
            "A print job still needs this file. Cancel the job or wait until it has finished, then delete the file.",
        ));
    }
    let deleted = tx
        .execute(
            "UPDATE files SET deleted_at = $3, version = version + 1 \
             WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
            params![id, workspace, now],
        )
        .await?;
    tx.commit().await?;
    if deleted == 0 { Err(Error::no_such("print file")) } else { Ok(()) }
}

/// Where the bytes of a version are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionBytes {
    /// The file that it is a version of.
    pub file_id: FileId,
    /// The bytes.
    pub object: Stored,
    /// The thumbnail's SHA-256 and media type.
    pub thumbnail: Option<(String, String)>,
}

/// Where the bytes of a version are, also of a deleted file: the history shows its picture.
///
/// # Errors
/// No such version in this workspace, or the database's.
pub async fn version(db: &Db, workspace: WorkspaceId, id: FileVersionId) -> Result<VersionBytes, Error> {
    let row = db
        .query_opt(
            "SELECT file_id, sha256, size_bytes, thumbnail_sha256, thumbnail_type FROM file_versions \
             WHERE id = $1 AND workspace_id = $2",
            params![id, workspace],
        )
        .await?
        .ok_or_else(|| Error::no_such("version of a print file"))?;
    let sha256: Option<String> = row.get("thumbnail_sha256")?;
    let media_type: Option<String> = row.get("thumbnail_type")?;
    Ok(VersionBytes {
        file_id: row.get("file_id")?,
        object: Stored { sha256: row.get("sha256")?, size_bytes: row.get("size_bytes")? },
        thumbnail: sha256.zip(media_type),
    })
}

/// What the extractor found.
#[derive(Debug, Clone, Default)]
pub struct Extracted {
    /// What the slicer says.
    pub metadata: FileMetadata,
    /// The picture's SHA-256 and media type.
    pub thumbnail: Option<(String, String)>,
}

/// Writes what the extractor found, or why it found nothing.
///
/// # Errors
/// The database's.
pub async fn set_extracted(
    tx: &mut Tx,
    id: FileVersionId,
    found: &Result<Extracted, String>,
) -> Result<(), Error> {
    let (metadata, estimated, (sha256, media_type), extraction, error) = match found {
        Ok(found) => (
            serde_json::to_string(&found.metadata).ok(),
            found.metadata.estimated_time_s,
            found.thumbnail.clone().unzip(),
            Extraction::Ready,
            None,
        ),
        Err(error) => (None, None, (None, None), Extraction::Failed, Some(error)),
    };
    tx.execute(
        "UPDATE file_versions SET metadata = $2, estimated_time_s = $3, thumbnail_sha256 = $4, thumbnail_type = $5, \
                extraction = $6, extraction_error = $7 WHERE id = $1",
        params![id, metadata, estimated, sha256, media_type, extraction, error],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::{Role, testing};
    use crate::db::testing::{Engine, fresh};
    use rstest::rstest;

    async fn owner(db: &Db) -> Person {
        let (workspace_id, user_id) = testing::owner(db).await;
        let (email, name, workspace_name) = Default::default();
        Person { user_id, email, name, role: Role::Admin, workspace_id, workspace_name }
    }

    fn bytes(digit: &str) -> Stored {
        Stored { sha256: digit.repeat(64), size_bytes: 3 }
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn a_name_has_versions_and_the_same_bytes_are_no_new_one(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let (db, owner, now) = (&test.db, owner(&test.db).await, testing::now());
        let Added::New(id) = add(db, now, &owner, "a.gcode", &bytes("1")).await.unwrap() else { panic!() };
        assert_eq!(add(db, now, &owner, "a.gcode", &bytes("1")).await.unwrap(), Added::Same(id));
        assert_eq!(add(db, now, &owner, "a.gcode", &bytes("2")).await.unwrap(), Added::New(id));
        let file = get(db, owner.workspace_id, id).await.unwrap();
        assert_eq!((file.version_number, file.sha256), (2, "2".repeat(64)));
        delete(db, now, owner.workspace_id, id).await.unwrap();
        assert!(get(db, owner.workspace_id, id).await.is_err());
        assert!(delete(db, now, owner.workspace_id, id).await.is_err());
        let again = add(db, now, &owner, "a.gcode", &bytes("1")).await.unwrap();
        assert!(matches!(again, Added::New(other) if other != id), "a deleted name is free again");
        assert!(
            version(db, owner.workspace_id, file.version_id).await.is_ok(),
            "the history keeps its bytes"
        );
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn pages_show_every_file_once_newest_first(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let (db, owner) = (&test.db, owner(&test.db).await);
        for n in 0..5 {
            // Two at the same time: the id decides.
            let at = testing::now().plus_millis(n / 2);
            add(db, at, &owner, &format!("{n}.gcode"), &bytes("1")).await.unwrap();
        }
        let (mut names, mut page) = (Vec::new(), PageQuery { limit: Some(2), cursor: None });
        loop {
            let next = list(db, owner.workspace_id, &page).await.unwrap();
            names.extend(next.items.into_iter().map(|file| file.name));
            page.cursor = next.next_cursor;
            if page.cursor.is_none() {
                break;
            }
        }
        assert_eq!(names.first().unwrap(), "4.gcode");
        names.sort();
        assert_eq!(names, ["0.gcode", "1.gcode", "2.gcode", "3.gcode", "4.gcode"]);
        let stranger = WorkspaceId::generate(testing::now());
        assert!(list(db, stranger, &PageQuery::default()).await.unwrap().items.is_empty());
    }

    #[rstest]
    #[case::sqlite(Engine::Sqlite)]
    #[case::postgres(Engine::Postgres)]
    #[tokio::test]
    async fn what_was_extracted_is_read_back(#[case] engine: Engine) {
        let test = fresh(engine).await;
        let (db, owner, now) = (&test.db, owner(&test.db).await, testing::now());
        let Added::New(id) = add(db, now, &owner, "a.gcode", &bytes("1")).await.unwrap() else { panic!() };
        let file = get(db, owner.workspace_id, id).await.unwrap();
        assert_eq!((file.extraction, file.thumbnail_url), (Extraction::Pending, None));
        let metadata =
            FileMetadata { slicer: Some("Cura".into()), filament_mm: Some(1.5), ..Default::default() };
        let found =
            Extracted { metadata: metadata.clone(), thumbnail: Some(("3".repeat(64), "image/png".into())) };
        let mut tx = db.begin().await.unwrap();
        set_extracted(&mut tx, file.version_id, &Ok(found)).await.unwrap();
        tx.commit().await.unwrap();
        let file = get(db, owner.workspace_id, id).await.unwrap();
        assert_eq!((file.extraction, file.metadata), (Extraction::Ready, Some(metadata)));
        assert!(file.thumbnail_url.unwrap().ends_with(&file.version_id.to_string()));
    }
}
