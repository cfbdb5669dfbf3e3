//! Where a file of a torrent lies on a web seed (BEP 19), and which server that is.

use headwater_base::{PeerId, sha1};
use headwater_metainfo::Torrent;

/// The address of `file` on the web seed at `base`. A folder's gets the torrent's name and the
/// file's path; that of a torrent's only file is taken as it is.
pub(super) fn of_file(base: &str, torrent: &Torrent, file: usize) -> Option<String> {
    let single = torrent.files.iter().filter(|file| !file.pad).count() == 1;
    let base = base.split('#').next().unwrap_or_default();
    if single && !base.ends_with('/') {
        return Some(base.to_owned());
    }
    let mut url = base.to_owned();
    if !url.ends_with('/') {
        url.push('/');
    }
    for byte in torrent.stored_path(file)?.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push('%');
            for digit in [byte >> 4, byte & 15] {
                url.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
    }
    Some(url)
}

/// Scheme, host and port, in lower case; `None` for what is no web address, or has a password.
pub(super) fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let plain = !host.is_empty() && !host.contains('@') && !host.contains('\\');
    (known && plain).then(|| format!("{scheme}://{host}").to_ascii_lowercase())
}

/// What blame calls a server: all its addresses are one, so that a ban holds for all of them.
pub(super) fn identity(origin: &str) -> PeerId {
    PeerId(sha1(format!("web seed {origin}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn torrent(info: &str) -> Torrent {
        let mut info = info.as_bytes().to_vec();
        info.extend_from_slice(b"6:pieces20:");
        info.extend_from_slice(&[7; 20]);
        info.push(b'e');
        Torrent::from_info(Bytes::from(info)).unwrap()
    }

    #[test]
    fn only_file_is_at_the_address_itself_or_in_the_folder() {
        let torrent = torrent("d6:lengthi9e4:name7:a #b.mp12:piece lengthi16384e");
        let url = |base| of_file(base, &torrent, 0).unwrap();
        assert_eq!(url("http://s.example/x"), "http://s.example/x");
        assert_eq!(url("http://s.example/x?a=b#c"), "http://s.example/x?a=b");
        assert_eq!(url("http://s.example/d/"), "http://s.example/d/a%20%23b.mp");
    }

    #[test]
    fn files_of_a_folder_are_below_its_name() {
        let torrent = torrent(
            "d5:filesld6:lengthi4e4:pathl1:d5:%+\u{fc}.eed6:lengthi5e4:pathl1:beee4:name1:n\
             12:piece lengthi16384e",
        );
        let url = |base, file| of_file(base, &torrent, file).unwrap();
        assert_eq!(url("https://s/", 0), "https://s/n/d/%25%2B%C3%BC.");
        assert_eq!(url("https://s/x", 1), "https://s/x/n/b");
        assert_eq!(of_file("https://s/", &torrent, 2), None);
    }

    #[test]
    fn server_is_told_by_scheme_host_and_port() {
        assert_eq!(origin("HTTP://S.example:80/x").as_deref(), Some("http://s.example:80"));
        assert_eq!(origin("https://s?x").as_deref(), Some("https://s"));
        for bad in ["ftp://s/", "http:///x", "s/x", "http://me:secret@s/", "http://a\\b/"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
        assert_ne!(identity("http://a"), identity("http://b"));
    }
}
