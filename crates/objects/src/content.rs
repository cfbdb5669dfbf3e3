//! What lies at a location, in the order a torrent lists it, and the torrent made of it.

use std::collections::BTreeMap;

use futures_util::TryStreamExt as _;
use headwater_base::ByteCount;
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Torrent, Version};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::location::Location;
use crate::source::{Fetch, stream};
use crate::{Trouble, limit};

/// The folder of our own records, which are no content.
const RECORDS: &str = ".headwater";

/// One object as it was when it was looked at. It is the same as long as all of this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// Its whole key.
    pub(crate) key: String,
    /// Its path below the location, or the location's own name.
    pub(crate) path: String,
    /// In bytes.
    pub(crate) length: u64,
    /// What the store calls this content.
    pub(crate) e_tag: Option<String>,
    /// What the store calls this version.
    pub(crate) version: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub(crate) changed: i64,
}

impl Object {
    fn new(meta: ObjectMeta, path: String) -> Self {
        Self {
            key: meta.location.to_string(),
            path,
            length: meta.size,
            e_tag: meta.e_tag,
            version: meta.version,
            changed: meta.last_modified.timestamp_millis(),
        }
    }
}

/// Everything at a location.
#[derive(Clone, Debug)]
pub struct Content {
    pub(crate) location: Location,
    /// Whether objects lie below the location rather than at it.
    folder: bool,
    /// In the order of their paths.
    objects: Vec<Object>,
}

impl Content {
    /// Looks at what lies there.
    pub async fn look(location: Location) -> Result<Self, Trouble> {
        if let Some(only) = at(&location).await? {
            return Ok(Self { location, folder: false, objects: vec![only] });
        }
        let objects = below(&location).await?;
        if objects.is_empty() {
            return Err(Trouble::Nothing(location.url().to_owned()));
        }
        Ok(Self { location, folder: true, objects })
    }

    /// The same as a torrent of that version lists it. v2 cannot say that the only file of a folder
    /// lies in one, so that such a folder is its file.
    fn is_folder(&self, version: Version) -> bool {
        let is_file = version == Version::V2
            && matches!(&self.objects[..], [only] if !only.path.contains('/'));
        self.folder && !is_file
    }

    /// What the torrent is called.
    pub fn name(&self) -> &str {
        self.location.name()
    }

    /// Bytes of all objects.
    pub fn length(&self) -> u64 {
        self.objects.iter().map(|object| object.length).sum()
    }

    /// The objects, in the order of their paths.
    pub(crate) fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Reads everything once and hashes it into a torrent; tells after each part how many bytes are
    /// done. Answers the objects in the order of the torrent's files.
    pub async fn hash(
        &self,
        options: Options,
        tell: impl Fn(u64),
    ) -> Result<(Torrent, Vec<Object>), Trouble> {
        let mut draft = match (self.is_folder(options.version), &self.objects[..]) {
            (false, [only]) => Draft::single(&only.path, ByteCount(only.length), options)?,
            _ => {
                let sizes = self.objects.iter().map(|o| (o.path.clone(), ByteCount(o.length)));
                Draft::folder(self.name(), sizes.collect(), options)?
            }
        };
        let mut done = 0;
        let order = draft.order().to_vec();
        let ordered: Vec<_> =
            order.into_iter().filter_map(|at| self.objects.get(at).cloned()).collect();
        for object in ordered.iter().filter(|object| object.length > 0) {
            let fetch = Fetch { location: &self.location, object, range: 0..object.length };
            let mut bytes = stream(fetch).await?;
            while let Some(part) = bytes.try_next().await? {
                done += part.len() as u64;
                // Hashing takes a while, in which this thread has other things to do.
                let fed = spawn_blocking(move || draft.feed(&part).map(|()| draft));
                let fed = fed.await.map_err(|e| Trouble::unreachable(self.location.url(), e))?;
                draft = fed?;
                tell(done);
            }
        }
        Ok((draft.finish()?, ordered))
    }

    /// The objects in the order of a torrent's files, if they are what it describes by name and
    /// size. What one file alone is called does not matter.
    pub fn fit(&self, torrent: &Torrent) -> Result<Vec<Object>, Trouble> {
        let mismatch = |why: String| Trouble::Mismatch(format!("{}: {why}", self.location.url()));
        let real: Vec<_> = torrent.files.iter().filter(|file| !file.pad).collect();
        let by_path: BTreeMap<_, _> =
            self.objects.iter().map(|object| (object.path.as_str(), object)).collect();
        let mut ordered = Vec::new();
        for file in &real {
            let found = match (&real[..], &self.objects[..]) {
                ([_], [only]) => Some(only),
                _ => by_path.get(file.path.as_str()).copied(),
            };
            let Some(object) = found else {
                return Err(mismatch(format!("{:?} of the torrent is not there", file.path)));
            };
            if object.length != file.length.0 {
                let (found, expected) = (object.length, file.length.0);
                let path = &object.path;
                let why = format!("{path:?} has {found} bytes, in the torrent {expected}");
                return Err(mismatch(why));
            }
            ordered.push(object.clone());
        }
        Ok(ordered)
    }
}

/// The object that lies exactly there.
async fn at(location: &Location) -> Result<Option<Object>, Trouble> {
    if location.path.is_root() {
        return Ok(None);
    }
    let url = location.url();
    let head = timeout(limit::SILENCE_MAX, location.store.head(&location.path)).await;
    match head.map_err(|e| Trouble::unreachable(url, e))? {
        Ok(meta) => Ok(Some(Object::new(meta, location.name().to_owned()))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(e) => Err(Trouble::unreachable(url, e)),
    }
}

/// The objects below it, by path.
async fn below(location: &Location) -> Result<Vec<Object>, Trouble> {
    let url = location.url();
    let prefix = (!location.path.is_root()).then_some(&location.path);
    let mut listed = location.store.list(prefix);
    let mut objects = Vec::new();
    loop {
        let next = timeout(limit::SILENCE_MAX, listed.try_next()).await;
        let next = next.map_err(|e| Trouble::unreachable(url, e))?;
        let Some(meta) = next.map_err(|e| Trouble::unreachable(url, e))? else { break };
        let path = relative(&meta.location, &location.path);
        if path.is_empty() || path.split('/').any(|part| part == RECORDS) {
            continue;
        }
        if objects.len() == limit::OBJECTS_MAX {
            let allowed = limit::OBJECTS_MAX;
            return Err(Trouble::TooMany { url: url.to_owned(), allowed });
        }
        objects.push(Object::new(meta, path));
    }
    objects.sort_by(|a, b| a.path.cmp(&b.path));
    drop_markers(&mut objects);
    Ok(objects)
}

fn relative(path: &Path, above: &Path) -> String {
    let parts: Vec<_> = path
        .prefix_match(above)
        .into_iter()
        .flatten()
        .map(|part| part.as_ref().to_owned())
        .collect();
    parts.join("/")
}

/// Leaves out what consoles of stores put where a folder is: an empty object of its name.
fn drop_markers(objects: &mut Vec<Object>) {
    let is_above = |object: &Object, next: &Object| {
        let rest = next.path.strip_prefix(&object.path);
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let paths = objects.clone();
    objects.retain(|object| {
        if object.length > 0 {
            return true;
        }
        let from = paths.partition_point(|other| other.path <= object.path);
        // Names such as `a.b` lie between `a` and `a/b`.
        !paths[from..]
            .iter()
            .take_while(|next| next.path.starts_with(&object.path))
            .any(|next| is_above(object, next))
    });
}
