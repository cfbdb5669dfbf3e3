//! Makes torrents of files that the worker reads. Knows names and bytes, never where they lie.

use headwater_base::ByteCount;
use headwater_metainfo::create::{Draft, Options};
use headwater_metainfo::{Version, safe_name};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::worker::fault;

/// A torrent in the making. Feed it every byte of every file in order, then finish it.
#[wasm_bindgen]
pub struct Maker(Draft);

#[wasm_bindgen]
impl Maker {
    /// Starts a torrent of a folder `name`, or of the one file `name` when `paths` is empty.
    /// `version` is `v1`, `v2` or `hybrid`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        name: &str,
        paths: Vec<String>,
        lengths: Vec<f64>,
        version: &str,
        piece_length: Option<u32>,
        comment: Option<String>,
    ) -> Result<Self, JsValue> {
        let unknown = || fault("unsupported-version", &format!("no version {version}"));
        let options = Options {
            version: Version::named(version).ok_or_else(unknown)?,
            piece_length,
            comment,
            created_by: Some(concat!("Headwater/", env!("CARGO_PKG_VERSION")).to_owned()),
            ..Options::default()
        };
        let lengths = lengths.into_iter().map(|length| ByteCount(length as u64));
        let name = safe_name(name.as_bytes()).unwrap_or_else(|| "files".to_owned());
        let draft = if paths.is_empty() {
            let length = lengths.fold(ByteCount(0), |sum, length| sum + length);
            Draft::single(&name, length, options)
        } else {
            let files = paths.iter().map(|path| safe_path(path)).zip(lengths).collect();
            Draft::folder(&name, files, options)
        };
        draft.map(Self).map_err(|error| fault(error.code(), &error))
    }

    /// In which order the files must be fed, as indices into those given.
    pub fn order(&self) -> Vec<u32> {
        self.0.order().iter().map(|at| *at as u32).collect()
    }

    /// Takes the next bytes of the files.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), JsValue> {
        self.0.feed(bytes).map_err(|error| fault(error.code(), &error))
    }

    /// The `.torrent` file. Who reads it mends the trackers' addresses.
    pub fn finish(self, trackers: Vec<String>) -> Result<Vec<u8>, JsValue> {
        let mut torrent = self.0.finish().map_err(|error| fault(error.code(), &error))?;
        torrent.trackers = trackers.into_iter().map(|url| vec![url]).collect();
        Ok(torrent.to_bytes())
    }
}

fn safe_path(path: &str) -> String {
    let parts = path.split('/').filter_map(|part| safe_name(part.as_bytes()));
    parts.collect::<Vec<_>>().join("/")
}
