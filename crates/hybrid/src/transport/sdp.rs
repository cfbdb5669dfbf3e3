//! The few lines of a session description this shell reads or strikes out itself.
//! Everything else in it is the WebRTC stack's business.

use super::socket::MESSAGE_BYTES_MAX;

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
/// Candidates beyond the limit are struck out.
pub(super) fn tame(sdp: &str) -> Option<String> {
    if sdp.len() > SDP_BYTES_MAX || !sdp.lines().any(|line| line.starts_with("m=application")) {
        return None;
    }
    let mut candidates = 0;
    Some(join(sdp.lines().filter(|line| {
        candidates += usize::from(line.starts_with("a=candidate"));
        !line.starts_with("a=candidate") || candidates <= CANDIDATES_MAX
    })))
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
        let tame = tame(&sdp).expect("it has a data section");
        assert_eq!(tame.lines().count(), 1 + CANDIDATES_MAX);
    }

    #[test]
    fn a_description_without_data_or_too_long_is_refused() {
        assert_eq!(tame("v=0\r\nm=audio 9\r\n"), None);
        assert_eq!(tame(&format!("m=application 9\r\n{}", "x".repeat(SDP_BYTES_MAX))), None);
    }
}
