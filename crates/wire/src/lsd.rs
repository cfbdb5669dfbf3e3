//! Local service discovery (BEP 14): a datagram to everybody on the local network that says at
//! which port peers of some torrents listen. It looks like HTTP and is read as strictly.

use headwater_base::InfoHash;

use crate::Error;

/// Bytes of a datagram: one that would be cut on its way is not sent, and none such is read.
pub const MESSAGE_BYTES_MAX: usize = 1400;

/// Hashes in one datagram; more in one that came are passed over.
pub const HASHES_MAX: usize = 20;

/// Bytes of a cookie; longer ones are passed over.
pub const COOKIE_BYTES_MAX: usize = 64;

const NO_SEARCH: Error = Error::Field { key: "first line", needed: "BT-SEARCH" };
const NO_HEADER: Error = Error::Field { key: "header", needed: "name and value" };
const NO_PORT: Error = Error::Field { key: "Port", needed: "port, once" };
const NO_HASH: Error = Error::Field { key: "Infohash", needed: "40 hex digits" };

const FIRST_LINE: &str = "BT-SEARCH * HTTP/1.1";

/// Says where a peer listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The TCP port it accepts links at.
    pub port: u16,
    /// Its torrents.
    pub info_hashes: Vec<InfoHash>,
    /// By which a sender knows its own datagrams.
    pub cookie: Option<String>,
}

impl Announce {
    /// The datagram for a group, which is an address with its port.
    pub fn encode(&self, group: &str) -> Vec<u8> {
        let mut text = format!("{FIRST_LINE}\r\nHost: {group}\r\nPort: {}\r\n", self.port);
        for hash in self.info_hashes.iter().take(HASHES_MAX) {
            text += &format!("Infohash: {hash}\r\n");
        }
        if let Some(cookie) = &self.cookie {
            text += &format!("cookie: {cookie}\r\n");
        }
        text += "\r\n\r\n";
        text.into_bytes()
    }

    /// Reads a datagram. Headers it does not know are passed over.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let (found, allowed) = (bytes.len(), MESSAGE_BYTES_MAX);
        if found > allowed {
            return Err(Error::Text { what: "datagram", found, allowed });
        }
        let text = str::from_utf8(bytes).map_err(|_| NO_SEARCH)?;
        let mut lines = text.split("\r\n");
        if lines.next() != Some(FIRST_LINE) {
            return Err(NO_SEARCH);
        }
        let (mut port, mut cookie, mut info_hashes) = (None, None, Vec::new());
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or(NO_HEADER)?;
            let value = value.trim_matches(' ');
            match name.to_ascii_lowercase().as_str() {
                "port" if port.is_none() => port = Some(read_port(value)?),
                "port" => return Err(NO_PORT),
                "infohash" if info_hashes.len() < HASHES_MAX => info_hashes.push(read_hash(value)?),
                "cookie" if value.len() <= COOKIE_BYTES_MAX => cookie = Some(value.to_owned()),
                _ => {}
            }
        }
        let port = port.ok_or(NO_PORT)?;
        match info_hashes.is_empty() {
            true => Err(NO_HASH),
            false => Ok(Self { port, info_hashes, cookie }),
        }
    }
}

fn read_port(value: &str) -> Result<u16, Error> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let port = value.parse().ok().filter(|port| *port != 0 && digits);
    port.ok_or(NO_PORT)
}

fn read_hash(value: &str) -> Result<InfoHash, Error> {
    InfoHash::from_hex(value).ok_or(NO_HASH)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GROUP: &str = "239.192.152.143:6771";
    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn read(text: &str) -> Result<Announce, Error> {
        Announce::decode(text.as_bytes())
    }

    #[test]
    fn the_datagram_is_that_of_bep_14() {
        let info_hashes = vec![InfoHash::from_hex(HASH).unwrap()];
        let said = Announce { port: 6881, info_hashes, cookie: Some("c".to_owned()) };
        let text = format!(
            "BT-SEARCH * HTTP/1.1\r\nHost: {GROUP}\r\nPort: 6881\r\nInfohash: {HASH}\r\n\
             cookie: c\r\n\r\n\r\n"
        );
        assert_eq!(said.encode(GROUP), text.as_bytes());
        assert_eq!(read(&text), Ok(said));
    }

    #[test]
    fn headers_may_be_unknown_and_of_any_case_but_port_and_hash_must_be_right() {
        let text = |headers: &str| read(&format!("BT-SEARCH * HTTP/1.1\r\n{headers}\r\n"));
        let hash = format!("INFOHASH: {}\r\n", HASH.to_uppercase());
        assert!(text(&format!("port: 5\r\nX-Y: z\r\n{hash}")).is_ok());
        assert_eq!(text(&format!("Port: 0\r\n{hash}")), Err(NO_PORT));
        assert_eq!(text(&format!("Port: +5\r\n{hash}")), Err(NO_PORT));
        assert_eq!(text(&format!("Port: 65536\r\n{hash}")), Err(NO_PORT));
        assert_eq!(text(&format!("Port: 5\r\nPort: 5\r\n{hash}")), Err(NO_PORT));
        assert_eq!(text(&hash), Err(NO_PORT));
        assert_eq!(text("Port: 5\r\n"), Err(NO_HASH));
        assert_eq!(text("Port: 5\r\nInfohash: 0123\r\n"), Err(NO_HASH));
        assert_eq!(text("Port: 5\r\nwhat\r\n"), Err(NO_HEADER));
        assert_eq!(read("GET / HTTP/1.1\r\n\r\n"), Err(NO_SEARCH));
        assert!(read(&"x".repeat(MESSAGE_BYTES_MAX + 1)).is_err());
        let many = text(&format!("Port: 5\r\n{}", hash.repeat(25))).unwrap();
        assert_eq!(many.info_hashes.len(), HASHES_MAX);
    }

    proptest! {
        #[test]
        fn announces_survive_and_fit_a_datagram(
            port in 1..u16::MAX,
            hashes in prop::collection::vec(any::<[u8; 20]>(), 1..=HASHES_MAX),
            cookie in prop::option::of("[a-z0-9]{1,64}"),
        ) {
            let info_hashes = hashes.into_iter().map(InfoHash).collect();
            let said = Announce { port, info_hashes, cookie };
            let bytes = said.encode("[ff15::efc0:988f]:6771");
            prop_assert!(bytes.len() <= MESSAGE_BYTES_MAX);
            prop_assert_eq!(Announce::decode(&bytes), Ok(said));
        }

        #[test]
        fn arbitrary_datagrams_never_panic(
            text in "(BT-SEARCH \\* HTTP/1.1\r\n)?\
                    ((Port|Infohash|cookie)?:? ?[ -~\r\n\u{e9}]{0,60}){0,4}",
        ) {
            let _ = Announce::decode(text.as_bytes());
        }
    }
}
