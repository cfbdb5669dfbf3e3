//! Cleans addresses from torrents and magnet links. Decides which schemes are kept at all;
//! whom to call stays with the shell.

use core::fmt::Write as _;

use crate::limit;

const TRACKER_SCHEMES: [&str; 5] = ["ws", "wss", "http", "https", "udp"];
const WEB_SEED_SCHEMES: [&str; 2] = ["http", "https"];

/// A tracker's address without white space around it; `None` when it is none.
pub(crate) fn tracker(bytes: &[u8]) -> Option<String> {
    clean(bytes, &TRACKER_SCHEMES)
}

/// A web seed's address, white space inside it escaped (BEP 19); `None` when it is none.
pub(crate) fn web_seed(bytes: &[u8]) -> Option<String> {
    clean(bytes, &WEB_SEED_SCHEMES)
}

/// A web seed's address as it would be kept of a torrent; `None` when it is none.
pub fn web_seed_url(text: &str) -> Option<String> {
    web_seed(text.as_bytes())
}

fn clean(bytes: &[u8], schemes: &[&str]) -> Option<String> {
    let bytes = bytes.trim_ascii();
    if bytes.len() > limit::URL_BYTES_MAX {
        return None;
    }
    let mut url = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'!'..=b'~' if !b"\"<>\\^`{|}".contains(byte) => url.push(char::from(*byte)),
            b' ' | b'!'..=b'~' | 0x80.. => escape(&mut url, *byte),
            _ => return None,
        }
    }
    let (scheme, rest) = url.split_once("://")?;
    let known = schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (known && !host.is_empty() && url.len() <= limit::URL_BYTES_MAX).then_some(url)
}

/// Appends `byte` as `%XX`.
pub(crate) fn escape(text: &mut String, byte: u8) {
    // Writing to a `String` cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_escaped() {
        assert_eq!(tracker(b"\t udp://t.com/a \n").as_deref(), Some("udp://t.com/a"));
        assert_eq!(tracker(b"WSS://t.com").as_deref(), Some("WSS://t.com"));
        let seed = web_seed("http://t.com/a b/ü%20".as_bytes());
        assert_eq!(seed.as_deref(), Some("http://t.com/a%20b/%C3%BC%20"));
    }

    #[test]
    fn what_is_no_address_of_a_known_scheme_is_dropped() {
        for text in ["", "x", "t.com:80/announce", "ftp://t.com/", "http://", "http:///a"] {
            assert_eq!(tracker(text.as_bytes()), None, "{text}");
        }
        assert_eq!(tracker(b"javascript://t.com/%0aalert(1)"), None);
        assert_eq!(tracker(b"http://t.com/\r\nHost: x"), None);
        assert_eq!(web_seed(b"udp://t.com/a"), None);
        assert_eq!(tracker(format!("http://{}", "a".repeat(2048)).as_bytes()), None);
        assert_eq!(web_seed(format!("http://a/{}", " ".repeat(900) + "b").as_bytes()), None);
    }
}
