//! The packets of UDP trackers (BEP 15), and the path of their address behind them (BEP 41).

use super::Happening;
use super::http::{Found, Query, Refusal};

/// What every connect request starts with.
const MAGIC: u64 = 0x0417_2710_1980;

/// What packets are about.
const CONNECT: u32 = 0;
const ANNOUNCE: u32 = 1;
const ERROR: u32 = 3;

/// The option that carries part of a path (BEP 41), and its longest part.
const URL_DATA: u8 = 2;
const URL_DATA_MAX: usize = 255;

/// Asks for the right to announce; the answer must carry the same number.
pub fn connect(transaction: u32) -> Vec<u8> {
    let mut out = MAGIC.to_be_bytes().to_vec();
    out.extend_from_slice(&CONNECT.to_be_bytes());
    out.extend_from_slice(&transaction.to_be_bytes());
    out
}

/// Reads the answer to `connect`: the connection it may be announced with for a minute. `None`
/// for packets that answer something else.
pub fn connected(packet: &[u8], transaction: u32) -> Option<Result<u64, Refusal>> {
    let (action, rest) = answer_to(packet, transaction)?;
    match (action, rest.first_chunk()) {
        (CONNECT, Some(id)) => Some(Ok(u64::from_be_bytes(*id))),
        (ERROR, _) => Some(Err(said(rest))),
        (_, _) => Some(Err(Refusal::Malformed)),
    }
}

/// An announce with a connection; `path` is that of the tracker's address, query included.
pub fn announce(connection: u64, transaction: u32, query: &Query, path: &str) -> Vec<u8> {
    let mut out = connection.to_be_bytes().to_vec();
    out.extend_from_slice(&ANNOUNCE.to_be_bytes());
    out.extend_from_slice(&transaction.to_be_bytes());
    out.extend_from_slice(&query.info_hash.0);
    out.extend_from_slice(&query.peer_id.0);
    for amount in [query.downloaded, query.left, query.uploaded] {
        out.extend_from_slice(&amount.to_be_bytes());
    }
    let event: u32 = match query.event {
        None => 0,
        Some(Happening::Completed) => 1,
        Some(Happening::Started) => 2,
        Some(Happening::Stopped) => 3,
    };
    out.extend_from_slice(&event.to_be_bytes());
    // Our address is what the packet comes from.
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&query.key.to_be_bytes());
    out.extend_from_slice(&query.wanted.to_be_bytes());
    out.extend_from_slice(&query.port.to_be_bytes());
    if path != "/" {
        for part in path.as_bytes().chunks(URL_DATA_MAX) {
            out.extend_from_slice(&[URL_DATA, part.len() as u8]);
            out.extend_from_slice(part);
        }
    }
    out
}

/// Reads the answer to `announce`, over IPv6 or IPv4. `None` for packets that answer something
/// else.
pub fn announced(packet: &[u8], transaction: u32, v6: bool) -> Option<Result<Found, Refusal>> {
    let (action, rest) = answer_to(packet, transaction)?;
    if action == ERROR {
        return Some(Err(said(rest)));
    }
    let Some((head, peers)) = rest.split_first_chunk::<12>().filter(|_| action == ANNOUNCE) else {
        return Some(Err(Refusal::Malformed));
    };
    let number =
        |at: usize| head[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    let mut found = Found {
        interval: Some(number(0)),
        incomplete: Some(number(4)),
        complete: Some(number(8)),
        ..Found::default()
    };
    match v6 {
        true => found.take_compact::<18>(peers),
        false => found.take_compact::<6>(peers),
    }
    Some(Ok(found))
}

/// Action and rest of a packet that answers this transaction.
fn answer_to(packet: &[u8], transaction: u32) -> Option<(u32, &[u8])> {
    let (action, rest) = packet.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    (u32::from_be_bytes(*number) == transaction).then_some((u32::from_be_bytes(*action), rest))
}

fn said(words: &[u8]) -> Refusal {
    Refusal::Said(String::from_utf8_lossy(words).into_owned())
}

#[cfg(test)]
mod tests {
    use headwater_base::{InfoHash, PeerId};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn connecting_and_announcing_have_the_form_of_bep_15_and_41() {
        let hello = connect(7);
        assert_eq!(hello, *b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0\0\0\0\x07");
        let id = connected(b"\0\0\0\0\0\0\0\x07\x01\x02\x03\x04\x05\x06\x07\x08", 7);
        assert_eq!(id, Some(Ok(0x0102_0304_0506_0708)));
        let query = Query {
            info_hash: InfoHash([1; 20]),
            peer_id: PeerId([2; 20]),
            port: 6881,
            uploaded: 5,
            downloaded: 6,
            left: 7,
            event: Some(Happening::Completed),
            wanted: 50,
            key: 9,
            tracker_id: None,
        };
        let packet = announce(1, 2, &query, "/");
        assert_eq!(
            (packet.len(), &packet[56..84]),
            (
                98,
                &[
                    0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0,
                    0, 1,
                ][..]
            )
        );
        let packet = announce(1, 2, &query, "/announce?a=1");
        assert_eq!(&packet[98..], b"\x02\x0d/announce?a=1");
    }

    #[test]
    fn answers_of_either_family_and_errors_are_read_and_foreign_ones_passed_over() {
        let head = b"\0\0\0\x01\0\0\0\x07\0\0\x07\x08\0\0\0\x02\0\0\0\x05";
        let v4 = [&head[..], &[1, 2, 3, 4, 0x1a, 0xe1]].concat();
        let found = announced(&v4, 7, false).unwrap().unwrap();
        assert_eq!(found.peers, ["1.2.3.4:6881".parse().unwrap()]);
        assert_eq!(
            (found.interval, found.complete, found.incomplete),
            (Some(1800), Some(5), Some(2))
        );
        assert_eq!(announced(&v4, 8, false), None);
        assert_eq!(
            announced(b"\0\0\0\x03\0\0\0\x07no", 7, true).unwrap(),
            Err(Refusal::Said("no".into()))
        );
        assert_eq!(announced(&head[..19], 7, false), Some(Err(Refusal::Malformed)));
        assert_eq!(connected(&head[..12], 7), Some(Err(Refusal::Malformed)));
    }

    proptest! {
        #[test]
        fn arbitrary_packets_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let number = u32::from_be_bytes(bytes.get(4..8).unwrap_or(&[0; 4]).try_into().unwrap());
            let _ = (connected(&bytes, number), announced(&bytes, number, bytes.len() % 2 == 0));
        }
    }
}
