//! What is told about a torrent, a magnet link or a refused input: plain data and its JSON.

use headwater_base::{Digest256, InfoHash, hex};

use crate::{Error, Magnet, Torrent, Version};

/// What is told about a torrent. What a magnet link does not say is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which protocols describe it; a link with one info-hash leaves that open.
    pub version: Option<Version>,
    /// v1 info-hash.
    pub info_hash_v1: Option<InfoHash>,
    /// v2 info-hash.
    pub info_hash_v2: Option<Digest256>,
    /// Name of the file or folder.
    pub name: Option<String>,
    /// Bytes of all files.
    pub length: Option<u64>,
    /// Bytes in a piece.
    pub piece_length: Option<u32>,
    /// How many pieces there are.
    pub pieces: Option<u32>,
    /// Whether only the named trackers may introduce peers.
    pub private: bool,
    /// Every file, padding included, so that the lengths add up.
    pub files: Vec<SummaryFile>,
    /// Tracker tiers.
    pub trackers: Vec<Vec<String>>,
    /// Web seeds.
    pub web_seeds: Vec<String>,
}

/// What is told about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryFile {
    /// Path, below the torrent's name when that is a folder.
    pub path: String,
    /// Its size.
    pub length: u64,
    /// Whether it is padding or a symbolic link, so nothing that is stored.
    pub pad: bool,
}

impl From<&Torrent> for Summary {
    fn from(torrent: &Torrent) -> Self {
        let files = torrent.files.iter().map(|file| SummaryFile {
            path: file.path.clone(),
            length: file.length.0,
            pad: file.pad,
        });
        Self {
            version: Some(torrent.version()),
            info_hash_v1: (torrent.version() != Version::V2).then_some(torrent.info_hash),
            info_hash_v2: torrent.info_hash_v2,
            name: Some(torrent.name.clone()),
            length: Some(torrent.length.0),
            piece_length: Some(torrent.piece_length),
            pieces: Some(torrent.piece_count()),
            private: torrent.private,
            files: files.collect(),
            trackers: torrent.trackers.clone(),
            web_seeds: torrent.web_seeds.clone(),
        }
    }
}

impl From<&Magnet> for Summary {
    fn from(magnet: &Magnet) -> Self {
        let v1 = (!magnet.is_v2_only()).then_some(magnet.info_hash);
        Self {
            version: v1.and(magnet.info_hash_v2).map(|_| Version::Hybrid),
            info_hash_v1: v1,
            info_hash_v2: magnet.info_hash_v2,
            name: magnet.name.clone(),
            length: magnet.length.map(|length| length.0),
            piece_length: None,
            pieces: None,
            private: false,
            files: Vec::new(),
            trackers: magnet.trackers.iter().map(|url| vec![url.clone()]).collect(),
            web_seeds: magnet.web_seeds.clone(),
        }
    }
}

impl Summary {
    /// The summary as one line of JSON.
    pub fn to_json(&self) -> String {
        let files = list(&self.files, |file| {
            let pad = if file.pad { ",\"pad\":true" } else { "" };
            format!("{{\"path\":{},\"length\":{}{pad}}}", quoted(&file.path), file.length)
        });
        let fields = [
            ("valid", "true".to_owned()),
            ("version", text(self.version.map(Version::name))),
            ("info_hash_v1", text(self.info_hash_v1.map(|hash| hash.to_string()).as_deref())),
            ("info_hash_v2", text(self.info_hash_v2.map(|hash| hex(&hash)).as_deref())),
            ("name", text(self.name.as_deref())),
            ("length", number(self.length)),
            ("piece_length", number(self.piece_length)),
            ("pieces", number(self.pieces)),
            ("private", self.private.to_string()),
            ("files", files),
            ("trackers", list(&self.trackers, |tier| list(tier, |url| quoted(url)))),
            ("web_seeds", list(&self.web_seeds, |url| quoted(url))),
        ];
        let fields = fields.map(|(key, value)| format!("\"{key}\":{value}"));
        format!("{{{}}}", fields.join(","))
    }
}

/// A refused input as one line of JSON.
pub fn error_json(error: &Error) -> String {
    let (code, message) = (quoted(error.code()), quoted(&error.to_string()));
    format!("{{\"valid\":false,\"error\":{{\"code\":{code},\"message\":{message}}}}}")
}

fn text(value: Option<&str>) -> String {
    value.map_or("null".to_owned(), quoted)
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or("null".to_owned(), |value| value.to_string())
}

fn list<T>(items: &[T], write: impl Fn(&T) -> String) -> String {
    let items: Vec<_> = items.iter().map(write).collect();
    format!("[{}]", items.join(","))
}

/// A JSON string (RFC 8259 §7). Control characters are escaped, so it is safe on a terminal.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{Draft, Options};
    use headwater_base::ByteCount;

    #[test]
    fn a_torrent_is_shown_whole() {
        let options = Options {
            trackers: vec![vec!["wss://a/".into(), "wss://b/".into()], vec!["udp://c:1".into()]],
            web_seeds: vec!["http://s/".into()],
            private: true,
            align: true,
            ..Options::default()
        };
        let files = vec![("d/a\"b".into(), ByteCount(1)), ("c".into(), ByteCount(2))];
        let mut draft = Draft::folder("n", files, options).unwrap();
        draft.feed(b"abc").unwrap();
        let torrent = draft.finish().unwrap();
        let hash = torrent.info_hash;
        let expect = format!(
            "{{\"valid\":true,\"version\":\"v1\",\"info_hash_v1\":\"{hash}\",\
             \"info_hash_v2\":null,\"name\":\"n\",\"length\":16386,\"piece_length\":16384,\
             \"pieces\":2,\"private\":true,\"files\":[\
             {{\"path\":\"d/a\\\"b\",\"length\":1}},\
             {{\"path\":\".pad/16383\",\"length\":16383,\"pad\":true}},\
             {{\"path\":\"c\",\"length\":2}}],\"trackers\":[[\"wss://a/\",\"wss://b/\"],\
             [\"udp://c:1\"]],\"web_seeds\":[\"http://s/\"]}}"
        );
        assert_eq!(Summary::from(&torrent).to_json(), expect);
    }

    #[test]
    fn a_magnet_link_shows_what_it_says() {
        let link = format!("magnet:?xt=urn:btih:{}&dn=a%22%5Cb&tr=udp://t:1", "0a".repeat(20));
        let json = Summary::from(&Magnet::parse(&link).unwrap()).to_json();
        assert!(json.contains("\"name\":\"a\\\"\\\\b\",\"length\":null"), "{json}");
        assert!(json.contains("\"pieces\":null"), "{json}");
        assert!(json.ends_with("\"trackers\":[[\"udp://t:1\"]],\"web_seeds\":[]}"), "{json}");
    }

    #[test]
    fn both_hashes_and_the_version_are_shown() {
        for (version, has_v1) in [(Version::V2, false), (Version::Hybrid, true)] {
            let options = Options { version, ..Options::default() };
            let mut draft = Draft::single("f", ByteCount(1), options).unwrap();
            draft.feed(b"x").unwrap();
            let torrent = draft.finish().unwrap();
            let v2 = hex(&torrent.info_hash_v2.unwrap());
            let v1 = if has_v1 { format!("\"{}\"", torrent.info_hash) } else { "null".to_owned() };
            let hashes = format!("\"info_hash_v1\":{v1},\"info_hash_v2\":\"{v2}\"");
            let json = Summary::from(&torrent).to_json();
            assert!(
                json.contains(&format!("\"version\":\"{}\",{hashes}", version.name())),
                "{json}"
            );
            let link = Summary::from(&torrent.magnet()).to_json();
            assert!(link.contains(&hashes), "{link}");
        }
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        assert_eq!(quoted("a\x1b[2J\n\u{9b}"), "\"a\\u001b[2J\\u000a\\u009b\"");
        let expect = "{\"valid\":false,\"error\":{\"code\":\"not-a-magnet\",\
                      \"message\":\"a magnet link starts with magnet:?\"}}";
        assert_eq!(error_json(&Error::NotMagnet), expect);
    }
}
