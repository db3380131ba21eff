//! From a configured place to a store and the root of its tables.

use std::path::Path as FilePath;
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use url::Url;

use super::config::{LakeConfig, S3Config};
use super::durable::DurableStore;
use super::error::LakeError;

/// A store and the root of the tables in it.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The root, ending with a slash: `file:///…/` or `s3://bucket/prefix/`.
    pub(super) root: Url,
    /// The store; its paths are the paths of the URLs.
    pub(super) store: Arc<dyn ObjectStore>,
}

impl Location {
    /// Opens the configured place; a directory is created.
    pub(super) fn open(config: &LakeConfig) -> Result<Self, LakeError> {
        match Url::parse(&config.url) {
            Ok(url) if url.scheme() == "s3" => open_s3(config, url),
            Ok(url) if url.scheme() == "file" => {
                let path = url.to_file_path();
                open_directory(config, &path.map_err(|()| wrong(config, "is no local path"))?)
            }
            Ok(url) if url.scheme().len() > 1 => {
                Err(wrong(config, "is neither a local path nor `s3://bucket/prefix`"))
            }
            _ => open_directory(config, FilePath::new(&config.url)),
        }
    }
}

impl Location {
    /// The place of a table below this one; a directory is created.
    pub(super) fn below(&self, table: &str) -> Result<Self, LakeError> {
        let what = || format!("making room for table `{table}`");
        let root = self.root.join(&format!("{table}/"));
        let root = root.map_err(|why| LakeError::internal(what(), why))?;
        if let Some(path) = root.to_file_path().ok().filter(|_| root.scheme() == "file") {
            let create = || -> std::io::Result<()> {
                std::fs::create_dir_all(&path)?;
                let parent = path.parent().map(std::fs::File::open).transpose()?;
                parent.map_or(Ok(()), |parent| parent.sync_all())
            };
            create()
                .map_err(|error| LakeError::Retryable { what: what(), why: error.to_string() })?;
        }
        Ok(Self { root, store: Arc::clone(&self.store) })
    }
}

fn open_directory(config: &LakeConfig, path: &FilePath) -> Result<Location, LakeError> {
    if config.url.is_empty() {
        return Err(wrong(config, "names no directory"));
    }
    let create = || -> std::io::Result<std::path::PathBuf> {
        std::fs::create_dir_all(path)?;
        path.canonicalize()
    };
    let path = create().map_err(|error| wrong(config, error))?;
    let root =
        Url::from_directory_path(&path).map_err(|()| wrong(config, "is no absolute path"))?;
    Ok(Location { root, store: Arc::new(DurableStore::new(config.durability)) })
}

fn open_s3(config: &LakeConfig, mut url: Url) -> Result<Location, LakeError> {
    let bucket = url.host_str().unwrap_or_default().to_owned();
    if bucket.is_empty() {
        return Err(wrong(config, "names no bucket"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let builder = settings(&config.s3)
        .into_iter()
        .fold(builder, |builder, (key, value)| builder.with_config(key, value));
    // Without a conditional put two writers could both write one version.
    let builder = builder.with_conditional_put(object_store::aws::S3ConditionalPut::ETagMatch);
    let store = builder.build().map_err(|error| wrong(config, error))?;
    Ok(Location { root: url, store: Arc::new(store) })
}

fn settings(s3: &S3Config) -> Vec<(AmazonS3ConfigKey, String)> {
    let secret = s3.secret_access_key.as_ref().map(|secret| secret.reveal().to_owned());
    let allow_http = AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp);
    let settings = [
        (AmazonS3ConfigKey::Endpoint, s3.endpoint_url.clone()),
        (AmazonS3ConfigKey::Region, s3.region.clone()),
        (AmazonS3ConfigKey::AccessKeyId, s3.access_key_id.clone()),
        (AmazonS3ConfigKey::SecretAccessKey, secret),
        (allow_http, s3.allow_http.map(|allow| allow.to_string())),
        (
            AmazonS3ConfigKey::VirtualHostedStyleRequest,
            s3.virtual_hosted_style_request.map(|hosted| hosted.to_string()),
        ),
    ];
    settings.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

fn wrong(config: &LakeConfig, why: impl ToString) -> LakeError {
    LakeError::Location { url: config.url.clone(), why: why.to_string() }
}
