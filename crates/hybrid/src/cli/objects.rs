//! Content in object stores, as `seed` and `serve` are told of it.

use std::path::PathBuf;
use std::sync::Arc;

use headwater_metainfo::create::Options;
use headwater_metainfo::{Torrent, Version};
use headwater_objects::{Content, Kept, Location, Source, Trouble};
use tracing::warn;

use super::create::{bar, defaults};
use super::failure::Failure;

/// The folder of records, in the one for state.
pub(crate) const RECORDS: &str = "objects";

/// How objects are asked for, and where it is remembered what they are.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    /// The folder for records; without one everything is hashed each time.
    pub(crate) records: Option<PathBuf>,
    /// The proxy to go through.
    pub(crate) proxy: Option<String>,
}

impl Objects {
    /// The location of a URL. Nothing is asked yet.
    pub(crate) fn location(&self, url: &str) -> Result<Location, Failure> {
        Location::open(url, self.proxy.as_deref()).map_err(|e| refused(&e))
    }

    /// What lies there as the bytes of a torrent: the one given, or else one that was made of the
    /// same objects before, or a new one.
    pub(crate) async fn source(
        &self,
        location: Location,
        version: Option<Version>,
        given: Option<Arc<Torrent>>,
    ) -> Result<Arc<Source>, Failure> {
        let content = Content::look(location.clone()).await.map_err(|e| refused(&e))?;
        let records = self.records.as_deref();
        if let Some(torrent) = given {
            let objects = content.fit(&torrent).map_err(|e| refused(&e))?;
            let kept = Kept::of(records, &content, &torrent, objects);
            return Ok(Arc::new(Source::new(location, torrent, kept)));
        }
        if let Some((torrent, kept)) =
            records.and_then(|records| Kept::find(records, &content, version))
        {
            return Ok(Arc::new(Source::new(location, Arc::new(torrent), kept)));
        }
        let bar = bar(content.name(), content.length());
        let options = Options { version: version.unwrap_or_default(), ..defaults() };
        let hashed = content.hash(options, |done| bar.set_position(done)).await;
        bar.finish_and_clear();
        let (torrent, objects) = hashed.map_err(|e| refused(&e))?;
        let mut kept = Kept::hashed(records, &content, &torrent, objects);
        if let Err(e) = kept.save_all(&torrent) {
            warn!(url = location.url(), why = %e, "not remembered; it is hashed again next time");
        }
        Ok(Arc::new(Source::new(location, Arc::new(torrent), kept)))
    }
}

/// What will be so next time too is wrong with what was given; the rest may pass.
fn refused(trouble: &Trouble) -> Failure {
    match trouble {
        Trouble::Url(_)
        | Trouble::Settings { .. }
        | Trouble::TooMany { .. }
        | Trouble::Mismatch(_)
        | Trouble::Draft(_) => Failure::input(trouble.code(), trouble),
        Trouble::Nothing(_) | Trouble::Gone(_) | Trouble::Unreachable { .. } => {
            Failure::failed(trouble.code(), trouble)
        }
    }
}
