//! The few lines of a session description this shell reads or strikes out itself.
//! Everything else in it is the WebRTC stack's business.

use std::net::IpAddr;

use super::socket::MESSAGE_BYTES_MAX;
use crate::filter::IpFilter;

/// Longest description taken from a stranger.
const SDP_BYTES_MAX: usize = 64 * 1024;

/// Most candidates taken from a stranger: each costs connectivity checks (facts of RFC 8445).
const CANDIDATES_MAX: usize = 40;

/// Largest message a peer takes that does not say (RFC 8841, section 6.1).
const MESSAGE_BYTES_UNSAID: usize = 65_536;

/// Least a sane peer takes: less would turn one block into thousands of messages.
const MESSAGE_BYTES_MIN: usize = 1024;

/// Drops the promise to trickle, since what leaves here is complete, and candidates of the second
/// component, which is RTP's and has no use here.
pub(super) fn complete(sdp: &str) -> String {
    join(sdp.lines().filter(|line| {
        let mut words = line.split(' ');
        let is_candidate = words.next().is_some_and(|word| word.starts_with("a=candidate:"));
        let is_second = is_candidate && words.next() == Some("2");
        !is_second && !line.starts_with("a=ice-options:trickle")
    }))
}

/// Checks that a stranger's description is of a sane size and has a data section.
/// Candidates beyond the limit are struck out, and those whose addresses are refused.
pub(super) fn tame(sdp: &str, filter: &IpFilter) -> Option<String> {
    if sdp.len() > SDP_BYTES_MAX || !sdp.lines().any(|line| line.starts_with("m=application")) {
        return None;
    }
    let mut candidates = 0;
    Some(join(sdp.lines().filter(|line| {
        let Some(candidate) = line.strip_prefix("a=candidate") else { return true };
        candidates += 1;
        candidates <= CANDIDATES_MAX && !address(candidate).is_some_and(|ip| filter.refuses(ip))
    })))
}

/// The address of a candidate (RFC 8839, section 5.1), unless it is a name.
fn address(candidate: &str) -> Option<IpAddr> {
    candidate.split(' ').nth(4)?.parse().ok()
}

/// The largest message to send to whoever wrote `sdp`.
pub(super) fn message_bytes_max(sdp: &str) -> usize {
    let said = sdp.lines().find_map(|line| line.strip_prefix("a=max-message-size:"));
    let theirs = match said.map(|text| text.trim().parse::<usize>()) {
        Some(Ok(0)) => usize::MAX,
        Some(Ok(size)) => size,
        Some(Err(_)) | None => MESSAGE_BYTES_UNSAID,
    };
    theirs.clamp(MESSAGE_BYTES_MIN, MESSAGE_BYTES_MAX)
}

fn join<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter;

    #[test]
    fn the_smaller_side_bounds_a_message() {
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:262144\r\n"), MESSAGE_BYTES_MAX);
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:1200\r\n"), 1200);
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:1\r\n"), MESSAGE_BYTES_MIN);
        assert_eq!(message_bytes_max("v=0\r\na=max-message-size:0\r\n"), MESSAGE_BYTES_MAX);
        assert_eq!(message_bytes_max("v=0\r\n"), MESSAGE_BYTES_UNSAID.min(MESSAGE_BYTES_MAX));
    }

    #[test]
    fn trickle_and_second_components_are_struck_out_and_the_rest_kept() {
        let first = "v=0\r\nm=application 9\r\na=candidate:1 1 udp 7 1.2.3.4 5 typ host\r\n";
        let second = "a=candidate:1 2 udp 7 1.2.3.4 5 typ host\r\na=ice-options:trickle\r\n";
        assert_eq!(complete(&format!("{first}{second}")), first);
    }

    #[test]
    fn a_flood_of_candidates_is_cut() {
        let sdp = format!(
            "m=application 9\n{}",
            "a=candidate:1 1 udp 1 1.2.3.4 5 typ host\n".repeat(500)
        );
        let tame = tame(&sdp, &IpFilter::default()).expect("it has a data section");
        assert_eq!(tame.lines().count(), 1 + CANDIDATES_MAX);
    }

    #[test]
    fn candidates_at_refused_addresses_are_struck_out() {
        let candidate = |at: &str| format!("a=candidate:1 1 udp 1 {at} 5 typ host\r\n");
        let kept = ["2.3.4.5", "2001:db8::1", "0b5e.local"].map(candidate).concat();
        let refused = ["1.2.3.4", "2001:db9::1"].map(candidate).concat();
        let filter = filter::of("1.0.0.0/8\n2001:db9::/32");
        let tame = tame(&format!("m=application 9\r\n{kept}{refused}"), &filter);
        assert_eq!(tame, Some(format!("m=application 9\r\n{kept}")));
        assert_eq!(filter.refused(), 2);
    }

    #[test]
    fn a_description_without_data_or_too_long_is_refused() {
        let tame = |sdp: &str| tame(sdp, &IpFilter::default());
        assert_eq!(tame("v=0\r\nm=audio 9\r\n"), None);
        assert_eq!(tame(&format!("m=application 9\r\n{}", "x".repeat(SDP_BYTES_MAX))), None);
    }
}
