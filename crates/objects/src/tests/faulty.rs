//! A store in memory that fails and lies as it is told.

use std::fmt;
use std::future::pending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result,
};

/// What goes wrong with requests for content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    #[default]
    None,
    /// Nobody is there.
    Refused,
    /// Nobody answers.
    Silent,
    /// The last byte is missing.
    Short,
    /// A byte more comes.
    Long,
    /// Other bytes come than were asked for.
    OtherRange,
}

#[derive(Debug, Default)]
pub(super) struct Faulty {
    inner: InMemory,
    fault: Mutex<Fault>,
    gets: AtomicUsize,
}

impl Faulty {
    pub(super) async fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.inner.put(&Path::parse(key).expect("a key"), bytes.into()).await;
        put.expect("room");
    }

    pub(super) async fn delete(&self, key: &str) {
        self.inner.delete(&Path::parse(key).expect("a key")).await.expect("it was there");
    }

    pub(super) fn fail(&self, fault: Fault) {
        *self.fault.lock().expect("no panic") = fault;
    }

    /// Requests for content so far.
    pub(super) fn gets(&self) -> usize {
        self.gets.load(Ordering::Relaxed)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, at: &Path, bytes: PutPayload, how: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(at, bytes, how).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        how: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(at, how).await
    }

    async fn get_opts(&self, at: &Path, mut how: GetOptions) -> Result<GetResult> {
        let fault = *self.fault.lock().expect("no panic");
        self.gets.fetch_add(usize::from(!how.head), Ordering::Relaxed);
        match fault {
            Fault::Refused => {
                return Err(Error::Generic { store: "faulty", source: "nobody is there".into() });
            }
            Fault::Silent => return pending().await,
            Fault::OtherRange => how.range = Some((5..9_u64).into()),
            Fault::None | Fault::Short | Fault::Long => {}
        }
        let head = how.head;
        let mut answer = self.inner.get_opts(at, how).await?;
        if matches!(fault, Fault::Short | Fault::Long) && !head {
            let (meta, range) = (answer.meta.clone(), answer.range.clone());
            let (attributes, extensions) = (answer.attributes.clone(), answer.extensions.clone());
            let bytes = answer.bytes().await?;
            let bytes = if fault == Fault::Short {
                bytes.slice(..bytes.len() - 1)
            } else {
                Bytes::from([&bytes[..], b"x"].concat())
            };
            let payload = GetResultPayload::Stream(stream::iter([Ok(bytes)]).boxed());
            answer = GetResult { payload, meta, range, attributes, extensions };
        }
        Ok(answer)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, how: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, how).await
    }
}
