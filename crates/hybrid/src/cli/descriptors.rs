//! Open files: every link has one, and every WebRTC link some. Shells start programs with few.

use headwater_tracker::limit::SOCKETS_MAX;

use super::args::{Peer, Speaks};

/// Descriptors of a WebRTC link: a socket for loopback, two for ways out, one for mDNS.
const PER_WEBRTC_LINK: u64 = 4;

/// What is needed besides links: torrents' files, sockets to trackers, requests.
const BESIDES: u64 = 256;

/// Sockets that a tracker has however few open files are allowed.
const SOCKETS_MIN: usize = 64;

/// Raises the limit of open files as far as the system lets this process, and warns where that is
/// too little for the links that are allowed.
pub(crate) fn make_room(peer: &Peer) {
    let needed = needed(peer);
    if let Some(allowed) = allowed().filter(|allowed| *allowed < needed) {
        eprintln!(
            "warning [open-files]: {allowed} open files are allowed and {needed} may be needed; \
             raise that with ulimit -n or LimitNOFILE=, or lower --max-peers"
        );
    }
}

/// How many sockets our tracker may hold: as many as links leave, so that a crowd that announces
/// is turned away before it takes the open files of torrents and links.
pub(crate) fn sockets_max(peer: &Peer) -> usize {
    sockets_beside(needed(peer), allowed())
}

fn sockets_beside(needed: u64, allowed: Option<u64>) -> usize {
    let left = allowed.map_or(u64::MAX, |allowed| allowed.saturating_sub(needed));
    usize::try_from(left).unwrap_or(usize::MAX).clamp(SOCKETS_MIN, SOCKETS_MAX)
}

/// Open files that this process may have, once the limit is raised as far as it goes.
#[cfg(unix)]
fn allowed() -> Option<u64> {
    // A sandbox may forbid it; what there is may still be enough.
    let raised = rlimit::increase_nofile_limit(u64::MAX);
    raised.or_else(|_| rlimit::Resource::NOFILE.get_soft()).ok()
}

/// Other systems count handles otherwise.
#[cfg(not(unix))]
fn allowed() -> Option<u64> {
    None
}

/// Descriptors that as many links as allowed may need.
fn needed(peer: &Peer) -> u64 {
    let webrtc = match peer.speaks(Speaks::Webrtc) {
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
    fn tracker_sockets_take_what_links_leave() {
        assert_eq!(sockets_beside(1000, Some(5000)), 4000);
        assert_eq!(sockets_beside(1000, Some(1_000_000)), SOCKETS_MAX);
        assert_eq!(sockets_beside(1000, None), SOCKETS_MAX);
        // Few are better than none.
        assert_eq!(sockets_beside(1000, Some(900)), SOCKETS_MIN);
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
