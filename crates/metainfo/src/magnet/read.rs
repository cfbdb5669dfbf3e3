//! Reads magnet links. Unknown and unusable parts are skipped; what would mislead is refused.

use core::ops::RangeInclusive;

use headwater_base::{ByteCount, Digest256, InfoHash, unhex};

use super::Magnet;
use crate::torrent::Seen;
use crate::{Error, RawPublication, limit, url};

const SCHEME: &str = "magnet:?";

impl Magnet {
    /// Reads a link, white space around it allowed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let start = text.get(..SCHEME.len()).filter(|start| start.eq_ignore_ascii_case(SCHEME));
        start.ok_or(Error::NotMagnet)?;
        if text.len() > limit::MAGNET_BYTES_MAX {
            let (found, allowed) = (text.len(), limit::MAGNET_BYTES_MAX);
            return Err(Error::MagnetLength { found, allowed });
        }
        no_control(text)?;
        let mut draft = Draft::default();
        for part in text[SCHEME.len()..].split('&') {
            // Links copied out of HTML source carry `&amp;`.
            let part = part.strip_prefix("amp;").unwrap_or(part);
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            draft.take(key, &unescape(value)?)?;
        }
        draft.finish()
    }
}

#[derive(Default)]
struct Draft {
    v1: Option<InfoHash>,
    v2: Option<Digest256>,
    name: Option<String>,
    length: Option<ByteCount>,
    trackers: Vec<String>,
    web_seeds: Vec<String>,
    peers: Vec<String>,
    chosen: Vec<RangeInclusive<u32>>,
    publication: Option<RawPublication>,
}

impl Draft {
    fn take(&mut self, key: &str, value: &str) -> Result<(), Error> {
        // `tr.1`, `xt.2` and so on mean the same as `tr` and `xt`.
        let key = match key.rsplit_once('.') {
            Some((key, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => key,
            _ => key,
        };
        match key {
            "xt" => return self.topic(value),
            "dn" if self.name.is_none() && !value.is_empty() => self.name = Some(value.to_owned()),
            "xl" => self.length = self.length.or(value.parse().ok().map(ByteCount)),
            "tr" => self.trackers.extend(url::tracker(value.as_bytes())),
            "ws" => self.web_seeds.extend(url::web_seed(value.as_bytes())),
            "x.pe" => self.peers.extend(peer(value)),
            "x.hw" if self.publication.is_none() => {
                self.publication = RawPublication::from_text(value);
            }
            "so" => {
                let ranges = value.split(',').filter(|range| !range.is_empty());
                for range in ranges {
                    self.chosen.push(chosen(range)?);
                }
                let (found, allowed) = (self.chosen.len(), limit::MAGNET_RANGES_MAX);
                if found > allowed {
                    return Err(Error::TooManyRanges { found, allowed });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn topic(&mut self, urn: &str) -> Result<(), Error> {
        if let Some(text) = strip_prefix(urn, "urn:btih:") {
            set_once(&mut self.v1, v1_hash(text)?)
        } else if let Some(text) = strip_prefix(urn, "urn:btmh:") {
            set_once(&mut self.v2, v2_hash(text)?)
        } else {
            Ok(())
        }
    }

    fn finish(self) -> Result<Magnet, Error> {
        let cut = self.v2.as_ref().map(InfoHash::cut);
        let info_hash = self.v1.or(cut).ok_or(Error::NoInfoHash)?;
        Ok(Magnet {
            info_hash,
            info_hash_v2: self.v2,
            name: self.name,
            length: self.length,
            trackers: each_once(self.trackers, limit::TRACKERS_MAX),
            web_seeds: each_once(self.web_seeds, limit::WEB_SEEDS_MAX),
            peers: each_once(self.peers, limit::MAGNET_PEERS_MAX),
            chosen: merged(self.chosen),
            publication: self.publication,
        })
    }
}

/// Undoes `%XX` and `+`. A `%` that starts no escape stands for itself, as hand-made links need.
fn unescape(text: &str) -> Result<String, Error> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = || {
            let digits = core::str::from_utf8(after.get(..2)?).ok()?;
            unhex(digits)?.first().copied()
        };
        (bytes, rest) = match (first, escaped()) {
            (b'%', Some(byte)) => (push(bytes, byte), &after[2..]),
            (b'+', _) => (push(bytes, b' '), after),
            (byte, _) => (push(bytes, *byte), after),
        };
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    no_control(&text)?;
    Ok(text)
}

fn no_control(text: &str) -> Result<(), Error> {
    match text.chars().find(|c| c.is_control()) {
        Some(found) => Err(Error::ControlCharacter { found: u32::from(found) }),
        None => Ok(()),
    }
}

fn push(mut bytes: Vec<u8>, byte: u8) -> Vec<u8> {
    bytes.push(byte);
    bytes
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

fn set_once<T: PartialEq>(slot: &mut Option<T>, value: T) -> Result<(), Error> {
    if slot.as_ref().is_some_and(|known| *known != value) {
        return Err(Error::TwoInfoHashes);
    }
    *slot = Some(value);
    Ok(())
}

fn v1_hash(text: &str) -> Result<InfoHash, Error> {
    let hash = match text.len() {
        40 => InfoHash::from_hex(text),
        32 => unbase32(text).map(InfoHash),
        _ => None,
    };
    hash.ok_or(Error::InfoHash { found: text.len() })
}

/// BEP 9: a multihash; 12 says SHA-256, 20 its 32 bytes.
fn v2_hash(text: &str) -> Result<Digest256, Error> {
    let digest = strip_prefix(text, "1220").and_then(unhex);
    digest
        .and_then(|bytes| Digest256::try_from(bytes).ok())
        .ok_or(Error::InfoHash { found: text.len() })
}

/// Reads 32 digits of RFC 4648 base 32, either case.
fn unbase32(text: &str) -> Option<[u8; 20]> {
    let mut out = [0_u8; 20];
    let (groups, rest) = text.as_bytes().as_chunks::<8>();
    if groups.len() != 4 || !rest.is_empty() {
        return None;
    }
    for (group, out) in groups.iter().zip(out.as_chunks_mut::<5>().0) {
        let mut bits = 0_u64;
        for digit in group {
            let value = match digit.to_ascii_lowercase() {
                letter @ b'a'..=b'z' => letter - b'a',
                digit @ b'2'..=b'7' => digit - b'2' + 26,
                _ => return None,
            };
            bits = bits << 5 | u64::from(value);
        }
        out.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    Some(out)
}

/// An address as `host:port`, or nothing.
fn peer(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    let port: u16 = port.parse().ok()?;
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
    let known = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => !v6.is_empty() && v6.bytes().all(address),
        None => !host.is_empty() && host.bytes().all(name),
    };
    (known && port > 0 && text.len() <= limit::URL_BYTES_MAX).then(|| format!("{host}:{port}"))
}

/// One `7` or `3-9` of BEP 53.
fn chosen(text: &str) -> Result<RangeInclusive<u32>, Error> {
    let number = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number: u32 = text.parse().ok().filter(|_| plain)?;
        ((number as usize) < limit::FILES_MAX).then_some(number)
    };
    let range = match text.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)),
        None => number(text).map(|only| (only, only)),
    };
    range
        .filter(|(first, last)| first <= last)
        .map(|(first, last)| first..=last)
        .ok_or(Error::ChosenFiles { allowed: limit::FILES_MAX })
}

/// Sorts ranges and joins those that touch.
fn merged(mut ranges: Vec<RangeInclusive<u32>>) -> Vec<RangeInclusive<u32>> {
    ranges.sort_by_key(|range| *range.start());
    let mut out: Vec<RangeInclusive<u32>> = Vec::new();
    for range in ranges {
        match out.last_mut() {
            Some(last) if *range.start() <= last.end() + 1 => {
                *last = *last.start()..=*last.end().max(range.end());
            }
            _ => out.push(range),
        }
    }
    out
}

fn each_once(items: Vec<String>, max: usize) -> Vec<String> {
    let mut seen = Seen::new(max);
    items.into_iter().filter(|item| seen.is_new(item)).collect()
}
