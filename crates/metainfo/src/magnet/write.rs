//! Writes magnet links.

use core::fmt;

use headwater_base::hex;

use super::Magnet;
use crate::url::escape;

impl fmt::Display for Magnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("magnet:?")?;
        if !self.is_v2_only() {
            write!(f, "xt=urn:btih:{}", self.info_hash)?;
        }
        if let Some(hash) = &self.info_hash_v2 {
            let and = if self.is_v2_only() { "" } else { "&" };
            write!(f, "{and}xt=urn:btmh:1220{}", hex(hash))?;
        }
        if let Some(name) = &self.name {
            write!(f, "&dn={}", escaped(name))?;
        }
        if let Some(length) = self.length {
            write!(f, "&xl={length}")?;
        }
        for url in &self.trackers {
            write!(f, "&tr={}", escaped(url))?;
        }
        for url in &self.web_seeds {
            write!(f, "&ws={}", escaped(url))?;
        }
        for peer in &self.peers {
            write!(f, "&x.pe={}", escaped(peer))?;
        }
        if let Some(publication) = &self.publication {
            write!(f, "&x.hw={publication}")?;
        }
        for (at, range) in self.chosen.iter().enumerate() {
            f.write_str(if at == 0 { "&so=" } else { "," })?;
            if range.start() == range.end() {
                write!(f, "{}", range.start())?;
            } else {
                write!(f, "{}-{}", range.start(), range.end())?;
            }
        }
        Ok(())
    }
}

/// Escapes all but what RFC 3986 calls unreserved, so that the link survives any text around it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            escape(&mut out, byte);
        }
    }
    out
}
