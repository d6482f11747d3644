//! Objects: bytes that never change, found by their SHA-256.
//!
//! Owns: how bytes come in (under a temporary name until their hash is known) and where they lie.
//! Must not know: what the bytes mean or who may have them. Mutable state lives in the database.

use std::ops::Range;
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use crate::error::Error;
use crate::secret;

/// Size of the pieces that an upload is written in: the least that S3 takes.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// The object store.
#[derive(Debug, Clone)]
pub struct Objects(Arc<dyn ObjectStore>);

/// An object that has been stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// How many bytes.
    pub size_bytes: u64,
}

/// Where an object lies.
fn place(sha256: &str) -> Path {
    Path::from(format!("sha256/{}/{sha256}", sha256.get(..2).unwrap_or("00")))
}

impl Objects {
    /// Objects in a directory of this machine. Every write is on disk before it is reported.
    ///
    /// # Errors
    /// The directory can't be made.
    pub fn in_directory(directory: &FilePath) -> Result<Self, Error> {
        std::fs::create_dir_all(directory).map_err(|error| {
            Error::Internal(format!("the directory {} can't be made: {error}", directory.display()))
        })?;
        // What was on its way in when the hub ended: nobody knows it by name.
        let incoming = directory.join("incoming");
        if incoming.exists()
            && let Err(error) = std::fs::remove_dir_all(&incoming)
        {
            tracing::warn!(%error, path = %incoming.display(), "unfinished uploads could not be removed");
        }
        let store =
            LocalFileSystem::new_with_prefix(directory)?.with_fsync(true).with_automatic_cleanup(false);
        Ok(Self(Arc::new(store)))
    }

    /// Begins to receive an object of unknown hash. `name` tells this upload from others.
    ///
    /// # Errors
    /// The store's.
    pub async fn receive(&self, name: &str) -> Result<Incoming, Error> {
        let path = Path::from(format!("incoming/{name}"));
        // Its file is made where it is asked for, and a disk that hangs would take the thread of everybody else.
        let (store, at, runtime) = (Arc::clone(&self.0), path.clone(), Handle::current());
        let begin = move || runtime.block_on(store.put_multipart(&at));
        let upload = tokio::task::spawn_blocking(begin).await.map_err(object_store::Error::from)??;
        let writer = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        Ok(Incoming { store: self.clone(), path, writer, hash: Sha256::new(), size_bytes: 0 })
    }

    /// Stores bytes that are in memory already.
    ///
    /// # Errors
    /// The store's.
    pub async fn put(&self, bytes: Bytes) -> Result<Stored, Error> {
        let stored = Stored { sha256: secret::hex(&Sha256::digest(&bytes)), size_bytes: bytes.len() as u64 };
        let place = place(&stored.sha256);
        if !self.exists(&place).await? {
            // Two that write the same name write the same bytes.
            self.0.put(&place, bytes.into()).await?;
        }
        Ok(stored)
    }

    /// The bytes of an object, or a part of them.
    ///
    /// # Errors
    /// There is no such object, or the store's.
    pub async fn read(
        &self,
        sha256: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes, object_store::Error>>, Error> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        Ok(self.0.get_opts(&place(sha256), options).await?.into_stream())
    }

    async fn exists(&self, place: &Path) -> Result<bool, Error> {
        match self.0.head(place).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// An object on its way in. [`Incoming::abandon`] it, or half of it stays behind.
pub struct Incoming {
    store: Objects,
    path: Path,
    writer: WriteMultipart,
    hash: Sha256,
    size_bytes: u64,
}

impl Incoming {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// The store's.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.hash.update(&bytes);
        self.size_bytes += bytes.len() as u64;
        self.writer.wait_for_capacity(1).await?;
        self.writer.put(bytes);
        Ok(())
    }

    /// How many bytes have come so far.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// All bytes have come: puts the object in its place.
    ///
    /// # Errors
    /// The store's; then nothing is left of it.
    pub async fn finish(self) -> Result<Stored, Error> {
        self.writer.finish().await?;
        let stored = Stored { sha256: secret::hex(&self.hash.finalize()), size_bytes: self.size_bytes };
        let place = place(&stored.sha256);
        let store = &self.store.0;
        let done = match self.store.exists(&place).await {
            // A rename on a disk, a copy on the server's side elsewhere.
            Ok(false) => store.rename(&self.path, &place).await.map_err(Error::from),
            Ok(true) => store.delete(&self.path).await.map_err(Error::from),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // The first error is the one to tell; what is left in incoming/ has no name that anyone uses.
            let _ = store.delete(&self.path).await;
        }
        done.map(|()| stored)
    }

    /// Forgets what has come.
    pub async fn abandon(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(%error, object.path = %self.path, "an abandoned upload could not be removed");
        }
    }
}

/// Collects a stream: for objects that are known to be small.
///
/// # Errors
/// The store's.
pub async fn collect(
    stream: impl Stream<Item = Result<Bytes, object_store::Error>> + Unpin,
) -> Result<Bytes, Error> {
    use futures::StreamExt as _;
    let mut stream = stream;
    let mut all = Vec::new();
    while let Some(piece) = stream.next().await {
        all.extend_from_slice(&piece?);
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn files(directory: &FilePath) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
        }
        found
    }

    #[tokio::test]
    async fn an_object_is_found_by_its_hash_and_stored_once() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(dir.path()).unwrap();
        for name in ["one", "two"] {
            let mut incoming = objects.receive(name).await.unwrap();
            incoming.write(Bytes::from_static(b"a")).await.unwrap();
            incoming.write(Bytes::from_static(b"bc")).await.unwrap();
            let stored = incoming.finish().await.unwrap();
            assert_eq!(stored, Stored { sha256: ABC.into(), size_bytes: 3 });
        }
        objects.put(Bytes::from_static(b"abc")).await.unwrap();
        assert_eq!(files(dir.path()).len(), 1, "{:?}", files(dir.path()));
        let all = collect(objects.read(ABC, None).await.unwrap()).await.unwrap();
        assert_eq!(&all[..], b"abc");
        let part = collect(objects.read(ABC, Some(1..2)).await.unwrap()).await.unwrap();
        assert_eq!(&part[..], b"b");
    }

    #[tokio::test]
    async fn an_abandoned_upload_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(dir.path()).unwrap();
        let mut incoming = objects.receive("x").await.unwrap();
        incoming.write(Bytes::from(vec![0; PART_BYTES + 1])).await.unwrap();
        incoming.abandon().await;
        assert_eq!(files(dir.path()), Vec::<String>::new());
    }

    #[tokio::test]
    async fn what_a_killed_hub_left_half_stored_is_gone_at_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::in_directory(dir.path()).unwrap();
        let mut incoming = objects.receive("x").await.unwrap();
        incoming.write(Bytes::from(vec![0; PART_BYTES + 1])).await.unwrap();
        incoming.writer.wait_for_capacity(0).await.unwrap();
        std::mem::forget(incoming);
        assert_eq!(files(dir.path()).len(), 1);
        Objects::in_directory(dir.path()).unwrap();
        assert_eq!(files(dir.path()), Vec::<String>::new());
    }
}
