//! Open files: every link has one, and every WebRTC link some. Shells start programs with few.

use super::args::{Peer, Speaks};

/// Descriptors of a WebRTC link: a socket for loopback, two for ways out, one for mDNS.
const PER_WEBRTC_LINK: u64 = 4;

/// What is needed besides links: torrents' files, tracker sockets, requests.
const BESIDES: u64 = 256;

/// Raises the limit of open files as far as the system lets this process, and warns where that is
/// too little for the links that are allowed.
#[cfg(unix)]
pub(crate) fn make_room(peer: &Peer) {
    // A sandbox may forbid it; what there is may still be enough.
    let raised = rlimit::increase_nofile_limit(u64::MAX);
    let allowed = raised.or_else(|_| rlimit::Resource::NOFILE.get_soft());
    let needed = needed(peer);
    if let Some(allowed) = allowed.ok().filter(|allowed| *allowed < needed) {
        eprintln!(
            "warning [open-files]: {allowed} open files are allowed and {needed} may be needed; \
             raise that with ulimit -n or LimitNOFILE=, or lower --max-peers"
        );
    }
}

/// Other systems count handles otherwise.
#[cfg(not(unix))]
pub(crate) fn make_room(_peer: &Peer) {}

/// Descriptors that as many links as allowed may need.
fn needed(peer: &Peer) -> u64 {
    let webrtc = match peer.transports.contains(&Speaks::Webrtc) {
        true => u64::from(peer.max_webrtc_peers.min(peer.max_peers)),
        false => 0,
    };
    u64::from(peer.max_peers) + webrtc * (PER_WEBRTC_LINK - 1) + BESIDES
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Cli, Command};
    use super::*;

    fn needed_by(words: &str) -> u64 {
        let cli = Cli::try_parse_from(format!("headwater serve {words}").split_whitespace());
        let Command::Serve(serve) = cli.expect("a command line").command else {
            panic!("another command");
        };
        needed(&serve.peer)
    }

    #[test]
    fn every_link_needs_one_and_every_webrtc_link_some_more() {
        assert_eq!(needed_by("--max-peers 2600 --transports tcp"), 2600 + BESIDES);
        let mixed = needed_by("--max-peers 2600 --max-webrtc-peers 600");
        assert_eq!(mixed, 2000 + 600 * PER_WEBRTC_LINK + BESIDES);
        // No more of them are WebRTC than there are.
        assert_eq!(needed_by("--max-peers 10"), 10 * PER_WEBRTC_LINK + BESIDES);
    }
}
