//! Where content lies: a URL, and the store that it names. Credentials, regions and endpoints come
//! from the environment, by the names that the makers of each store gave them.

use std::fmt;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use tokio_rustls::rustls::crypto::ring;
use url::Url;

use crate::{Trouble, limit};

/// A key or prefix in an object store.
#[derive(Clone)]
pub struct Location {
    url: String,
    name: String,
    pub(crate) path: Path,
    pub(crate) store: Arc<dyn ObjectStore>,
}

impl Location {
    /// Whether a text means an object store rather than a path.
    pub fn is_url(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    }

    /// The location that a URL names, to be asked through `proxy` alone if there is one. Nothing is
    /// asked yet.
    ///
    /// `s3://BUCKET/KEY`, `gs://BUCKET/KEY`, `az://CONTAINER/KEY` or `file:///PATH`.
    pub fn open(text: &str, proxy: Option<&str>) -> Result<Self, Trouble> {
        let url = Url::parse(text).map_err(|e| Trouble::Url(format!("{text:?} is no URL: {e}")))?;
        check(&url)?;
        let path = Path::from_url_path(url.path())
            .map_err(|e| Trouble::Url(format!("{text:?} names no object: {e}")))?;
        let store = store(&url, proxy).map_err(|e| Trouble::settings(text, e))?;
        Self::new(url, path, store)
    }

    pub(crate) fn new(url: Url, path: Path, store: Arc<dyn ObjectStore>) -> Result<Self, Trouble> {
        let last = path.parts().next_back().map(|part| part.as_ref().to_owned());
        // What a part of a path holds is escaped where a store could not bear it.
        let name = last.as_deref().or(url.host_str()).unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Trouble::Url(format!("{url} names no file or folder: add its path")));
        }
        Ok(Self { url: url.as_str().trim_end_matches('/').to_owned(), name, path, store })
    }

    /// The URL, which holds nothing secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The last part of the key, or the name of the bucket.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Location").field(&self.url).finish()
    }
}

fn check(url: &Url) -> Result<(), Trouble> {
    let wrong = |why: &str| Err(Trouble::Url(why.to_owned()));
    match url.scheme() {
        "s3" | "gs" | "az" if url.host_str().is_none_or(str::is_empty) => {
            return wrong("a bucket or container is missing after ://");
        }
        "file" if url.host_str().is_some_and(|host| !host.is_empty()) => {
            return wrong("a file URL has three slashes: file:///PATH");
        }
        "s3" | "gs" | "az" | "file" => {}
        "http" | "https" => {
            return wrong("files on a web server are no object store: name it with --web-seed");
        }
        other => {
            let why = format!("{other}:// is no object store known here: s3, gs, az and file are");
            return Err(Trouble::Url(why));
        }
    }
    if !url.username().is_empty() || url.password().is_some() || url.port().is_some() {
        return wrong("credentials and endpoints go into environment variables, not into the URL");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("an object's URL has no ? or #: write %3F or %23 where its key has them");
    }
    Ok(())
}

fn store(url: &Url, proxy: Option<&str>) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        max_retries: limit::RETRIES_MAX,
        retry_timeout: limit::RETRY_TIME_MAX,
        ..RetryConfig::default()
    };
    // Who comes second finds the same one there.
    let _ = ring::default_provider().install_default();
    let client = through(proxy);
    Ok(match url.scheme() {
        "s3" => {
            let s3 = AmazonS3Builder::from_env().with_url(url.as_str()).with_retry(retry);
            let set = |s3: AmazonS3Builder, (key, value)| {
                s3.with_config(AmazonS3ConfigKey::Client(key), value)
            };
            Arc::new(client.into_iter().fold(s3, set).build()?)
        }
        "gs" => {
            let gs = GoogleCloudStorageBuilder::from_env().with_url(url.as_str()).with_retry(retry);
            let set = |gs: GoogleCloudStorageBuilder, (key, value)| {
                gs.with_config(GoogleConfigKey::Client(key), value)
            };
            Arc::new(client.into_iter().fold(gs, set).build()?)
        }
        "az" => {
            let az = MicrosoftAzureBuilder::from_env().with_url(url.as_str()).with_retry(retry);
            let set = |az: MicrosoftAzureBuilder, (key, value)| {
                az.with_config(AzureConfigKey::Client(key), value)
            };
            Arc::new(client.into_iter().fold(az, set).build()?)
        }
        _ => Arc::new(LocalFileSystem::new()),
    })
}

/// What clients are told of a proxy. It resolves names too; what stays on this machine goes around
/// it.
fn through(proxy: Option<&str>) -> Vec<(ClientConfigKey, String)> {
    let Some(proxy) = proxy else { return Vec::new() };
    let proxy = proxy.replacen("socks5://", "socks5h://", 1);
    let here = "localhost,127.0.0.0/8,::1".to_owned();
    vec![(ClientConfigKey::ProxyUrl, proxy), (ClientConfigKey::ProxyExcludes, here)]
}
