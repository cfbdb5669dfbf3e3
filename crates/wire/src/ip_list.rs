//! Lines of address lists: `ipfilter.dat` of eMule, P2P lists of PeerGuardian, networks (RFC 4632).

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most ranges of all lists together; the largest in use have a quarter of a million.
const RANGES_MAX: usize = 2_000_000;

/// The level of `ipfilter.dat` above which a range is allowed.
const LEVEL_REFUSED_MAX: u32 = 127;

/// First and last address of each range, sorted once merged.
#[derive(Debug, Default)]
pub struct Ranges {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u128)>,
}

impl Ranges {
    /// Takes a line of a list.
    pub fn take(&mut self, line: &str) -> Result<(), &'static str> {
        let line = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if line.is_empty() || line.starts_with(['#', ';']) || line.starts_with("//") {
            return Ok(());
        }
        if self.v4.len() + self.v6.len() >= RANGES_MAX {
            return Err("more ranges than 2 million");
        }
        // The name before a P2P range may hold anything, commas and colons too.
        let named = line.rsplit_once(':').and_then(|(_, range)| v4_range(range));
        let (first, last) = match named {
            Some(range) => range,
            None => {
                let mut fields = line.split(',');
                let range = fields.next().and_then(range).ok_or("no address is in it")?;
                let level = fields.next().and_then(|level| level.trim().parse::<u32>().ok());
                if level.is_some_and(|level| level > LEVEL_REFUSED_MAX) {
                    return Ok(());
                }
                range
            }
        };
        match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) if first <= last => {
                self.v4.push((first.into(), last.into()));
            }
            (IpAddr::V6(first), IpAddr::V6(last)) if first <= last => {
                self.v6.push((first.into(), last.into()));
            }
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                return Err("its end lies before its start");
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
                return Err("its ends are of two kinds");
            }
        }
        Ok(())
    }

    /// Sorts and joins what overlaps, once all lines are taken.
    pub fn merge(&mut self) {
        merge(&mut self.v4);
        merge(&mut self.v6);
    }

    /// Whether an address is in one of them.
    pub fn holds(&self, ip: IpAddr) -> bool {
        match ip.to_canonical() {
            IpAddr::V4(ip) => holds(&self.v4, ip.into()),
            IpAddr::V6(ip) => holds(&self.v6, ip.into()),
        }
    }
}

fn merge<N: Ord + Copy>(ranges: &mut Vec<(N, N)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, before| {
        let joins = next.0 <= before.1;
        if joins {
            before.1 = before.1.max(next.1);
        }
        joins
    });
    ranges.shrink_to_fit();
}

fn holds<N: Ord + Copy>(ranges: &[(N, N)], ip: N) -> bool {
    let before = ranges.partition_point(|(first, _)| *first <= ip);
    before.checked_sub(1).is_some_and(|at| ip <= ranges[at].1)
}

fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((network, bits)) = text.split_once('/') {
        return cidr(address(network)?, bits.trim().parse().ok()?);
    }
    match text.split_once('-') {
        Some((first, last)) => Some((address(first)?, address(last)?)),
        None => address(text).map(|ip| (ip, ip)),
    }
}

fn v4_range(text: &str) -> Option<(IpAddr, IpAddr)> {
    let (first, last) = text.split_once('-')?;
    Some((v4(first)?.into(), v4(last)?.into()))
}

fn cidr(network: IpAddr, bits: u32) -> Option<(IpAddr, IpAddr)> {
    match network {
        IpAddr::V4(ip) => {
            let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
            let first = u32::from(ip) & !hosts;
            (bits <= 32)
                .then(|| (Ipv4Addr::from(first).into(), Ipv4Addr::from(first | hosts).into()))
        }
        IpAddr::V6(ip) => {
            let hosts = u128::MAX.checked_shr(bits).unwrap_or(0);
            let first = u128::from(ip) & !hosts;
            (bits <= 128)
                .then(|| (Ipv6Addr::from(first).into(), Ipv6Addr::from(first | hosts).into()))
        }
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let v6 = || text.trim().parse::<Ipv6Addr>().ok();
    v4(text).map(IpAddr::V4).or_else(|| v6().map(IpAddr::V6))
}

/// An IPv4 address whose numbers may have zeros before them: `ipfilter.dat` has three digits each.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut words = text.trim().split('.');
    for octet in &mut octets {
        let word = words.next()?;
        let digits = (1..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_digit());
        *octet = word.parse().ok().filter(|_| digits)?;
    }
    words.next().is_none().then(|| octets.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(lines: &[&str], ip: &str) -> bool {
        let mut ranges = Ranges::default();
        for line in lines {
            ranges.take(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        }
        ranges.merge();
        ranges.holds(ip.parse().expect("an address"))
    }

    #[test]
    fn lists_of_every_form_are_read() {
        for line in [
            "1.2.3.4",
            "1.2.3.0/24",
            "1.2.3.4-1.2.3.9",
            "001.002.003.000 - 001.002.003.255 , 000 , Some, Org",
            "Some, Org: the second:1.2.3.0-1.2.3.255",
            "0.0.0.0/0",
            " 1.2.3.4 , 127 , x",
        ] {
            assert!(refused(&[line], "1.2.3.4"), "{line}");
            assert!(refused(&[line], "::ffff:1.2.3.4"), "{line}: the same in IPv6 clothes");
        }
        for line in ["2001:db8::/32", "2001:db8::1", "2001:db8::-2001:db8::ff", "::/0"] {
            assert!(refused(&[line], "2001:db8::1"), "{line}");
            assert!(!refused(&[line], "1.2.3.4"), "{line}");
        }
        for line in ["", "# 1.2.3.4", "// x", "1.2.3.4 , 128 , allowed", "1.2.3.5-1.2.3.9"] {
            assert!(!refused(&[line], "1.2.3.4"), "{line}");
        }
    }

    #[test]
    fn ranges_that_overlap_are_one() {
        let lines = ["1.0.0.0-1.0.0.9", "1.0.0.5-1.0.0.20", "1.0.0.1", "2.0.0.0/31"];
        for (ip, expect) in [
            ("0.255.255.255", false),
            ("1.0.0.0", true),
            ("1.0.0.15", true),
            ("1.0.0.20", true),
            ("1.0.0.21", false),
            ("2.0.0.1", true),
            ("2.0.0.2", false),
        ] {
            assert_eq!(refused(&lines, ip), expect, "{ip}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for line in [
            "x",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.4/33",
            "2001::/129",
            "1.2.3.9-1.2.3.4",
            "1.2.3.4-::1",
            "name:1.2.3.4",
            "1.2.3.4-",
            "\u{1f}\u{8b}",
        ] {
            assert!(Ranges::default().take(line).is_err(), "{line}");
        }
    }
}
