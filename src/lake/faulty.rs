//! A store that fails as it is told: before or after a write landed, late, full, unread, stale.
//! For tests.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryFutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use crate::time::{Clock, SystemClock};

/// What is asked of the store.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Request<'a> {
    /// A write of this file.
    Put(&'a Path),
    /// A read of this file.
    Get,
    /// A listing.
    List,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A write: nothing was written.
    Before,
    /// A write: it was written, but the answer was lost.
    After,
    /// A write: it was written, and the client tried again by itself: the name is taken.
    AfterAndAgain,
    /// A write: the answer is a time-out, and it lands a while later.
    Late,
    /// A write that takes a while.
    Slow,
    /// A write: no space is left.
    Full,
    /// A read or a listing that fails.
    Unread,
    /// A listing that does not have the newest files yet.
    Stale,
    /// A listing that has the newest log entry, and not the one before it: it was made while both
    /// were put there.
    Holed,
}

/// How long a late write takes to land, and how long a listing may be behind.
const BEHIND: Duration = Duration::from_millis(60);

type Plan = Box<dyn FnMut(Request<'_>) -> Option<Fault> + Send>;

/// The store.
pub(crate) struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    plan: Mutex<Plan>,
}

impl FaultyStore {
    /// A store over another one; the plan says which requests fail, and how.
    pub fn new(
        inner: Arc<dyn ObjectStore>,
        plan: impl FnMut(Request<'_>) -> Option<Fault> + Send + 'static,
    ) -> Self {
        Self { inner, plan: Mutex::new(Box::new(plan)) }
    }

    fn fault(&self, request: Request<'_>) -> Option<Fault> {
        (self.plan.lock().expect("the plan"))(request)
    }

    fn listed<'a>(
        &self,
        listing: BoxStream<'a, Result<ObjectMeta>>,
    ) -> BoxStream<'a, Result<ObjectMeta>> {
        match self.fault(Request::List) {
            Some(Fault::Unread) => futures::stream::once(async { Err(timed_out()) }).boxed(),
            Some(Fault::Holed) => holed(listing),
            Some(_) => {
                let newest = SystemClock.now().micros() - BEHIND.as_micros() as i64;
                let is_old = move |meta: &ObjectMeta| {
                    std::future::ready(meta.last_modified.timestamp_micros() < newest)
                };
                listing.try_filter(is_old).boxed()
            }
            None => listing,
        }
    }
}

/// Leaves the last log entry but one out.
fn holed(listing: BoxStream<'_, Result<ObjectMeta>>) -> BoxStream<'_, Result<ObjectMeta>> {
    let listed = listing.try_collect::<Vec<_>>().map_ok(|mut listed| {
        let is_entry = |meta: &&ObjectMeta| meta.location.extension() == Some("json");
        let mut entries: Vec<Path> =
            listed.iter().filter(is_entry).map(|meta| meta.location.clone()).collect();
        entries.sort();
        if let Some(hole) = entries.iter().rev().nth(1) {
            listed.retain(|meta| meta.location != *hole);
        }
        futures::stream::iter(listed.into_iter().map(Ok))
    });
    listed.try_flatten_stream().boxed()
}

fn failure(source: std::io::Error) -> Error {
    Error::Generic { store: "faulty", source: Box::new(source) }
}

fn timed_out() -> Error {
    failure(std::io::ErrorKind::TimedOut.into())
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({:?})", self.inner)
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> Result<PutResult> {
        match self.fault(Request::Put(location)) {
            None => self.inner.put_opts(location, payload, opts).await,
            Some(Fault::Full) => Err(failure(std::io::ErrorKind::StorageFull.into())),
            Some(Fault::After) => {
                self.inner.put_opts(location, payload, opts).await?;
                Err(timed_out())
            }
            Some(Fault::AfterAndAgain) => {
                self.inner.put_opts(location, payload.clone(), opts.clone()).await?;
                self.inner.put_opts(location, payload, opts).await
            }
            Some(Fault::Slow) => {
                tokio::time::sleep(BEHIND).await;
                self.inner.put_opts(location, payload, opts).await
            }
            Some(Fault::Late) => {
                let (inner, location) = (Arc::clone(&self.inner), location.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(BEHIND).await;
                    drop(inner.put_opts(&location, payload, opts).await);
                });
                Err(timed_out())
            }
            Some(_) => Err(timed_out()),
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.fault(Request::Get) {
            Some(_) => Err(timed_out()),
            None => self.inner.get_opts(location, options).await,
        }
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
