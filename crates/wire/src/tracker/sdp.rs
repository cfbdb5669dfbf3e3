//! Judges session descriptions from strangers before a WebRTC stack sees them: one section for
//! a data channel, a sane number of candidates, nothing that is no SDP line (RFC 8866).

use crate::{Error, limit};

/// Refuses what no honest data-channel peer sends: other media, too many candidates, control
/// characters, too much text.
pub fn check_sdp(sdp: &str) -> Result<(), Error> {
    let allowed = limit::SDP_BYTES_MAX;
    if sdp.len() > allowed {
        return Err(Error::Text { what: "session description", found: sdp.len(), allowed });
    }
    let body = sdp.strip_suffix('\n').unwrap_or(sdp);
    let (mut sections, mut candidates, mut lines) = (0, 0, 0);
    for (at, line) in body.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        lines = at + 1;
        let broken = |rule| Err(Error::Sdp { line: at + 1, rule });
        if at == 0 && line != "v=0" {
            return broken("must be v=0");
        }
        if line.chars().any(char::is_control) {
            return broken("has a control character");
        }
        if !matches!(line.as_bytes(), [b'a'..=b'z', b'=', ..]) {
            return broken("must be a letter, an equals sign and a value");
        }
        if let Some(media) = line.strip_prefix("m=") {
            sections += 1;
            if sections > 1 {
                return broken("is a second media section");
            }
            if !media.starts_with("application ") || !media.contains("SCTP") {
                return broken("is media, and only a data channel may be offered");
            }
        }
        candidates += usize::from(line.starts_with("a=candidate:"));
        if candidates > limit::SDP_CANDIDATES_MAX {
            return broken("is a candidate beyond the 64 allowed");
        }
    }
    if sections == 0 {
        return Err(Error::Sdp { line: lines + 1, rule: "the data channel section is missing" });
    }
    Ok(())
}
