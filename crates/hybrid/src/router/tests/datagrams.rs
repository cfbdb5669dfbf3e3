//! A router that speaks NAT-PMP, and PCP if told so.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::net::UdpSocket;

/// What it says its address is.
pub(super) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

/// Which port it gives for one of ours, of TCP or not.
type Give = fn(u16, bool) -> u16;

/// A port of ours, and whether it is one of TCP.
type Asked = (bool, u16);

/// A running router.
pub(super) struct Puppet(Arc<Mutex<State>>);

struct State {
    pcp: bool,
    give: Give,
    lasts: Option<Duration>,
    mute: bool,
    garbage: Option<Vec<u8>>,
    asked: Vec<Asked>,
    given_back: Vec<Asked>,
}

impl Puppet {
    pub(super) async fn start(ip: Ipv4Addr, pcp: bool, give: Give) -> Self {
        let socket = UdpSocket::bind((ip, 5351)).await.expect("the port is free at that address");
        let (lasts, mute, garbage) = (None, false, None);
        let (asked, given_back) = (Vec::new(), Vec::new());
        let state = State { pcp, give, lasts, mute, garbage, asked, given_back };
        let state = Arc::new(Mutex::new(state));
        let ours = Self(Arc::clone(&state));
        tokio::spawn(async move {
            let mut datagram = [0; 1100];
            while let Ok((len, from)) = socket.recv_from(&mut datagram).await {
                let answer = Self(Arc::clone(&state)).state().answer(&datagram[..len]);
                if let Some(answer) = answer {
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        ours
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panicked with it")
    }

    /// Gives other ports from here on.
    pub(super) fn set(&self, give: Give) {
        self.state().give = give;
    }

    /// Maps for so long, whatever it is asked for.
    pub(super) fn last(&self, lasts: Duration) {
        self.state().lasts = Some(lasts);
    }

    /// Answers no longer.
    pub(super) fn mute(&self) {
        self.state().mute = true;
    }

    /// Answers this from here on.
    pub(super) fn garble(&self, garbage: &[u8]) {
        self.state().garbage = Some(garbage.to_vec());
    }

    /// What it was asked for, and what it was given back.
    pub(super) fn heard(&self) -> (Vec<Asked>, Vec<Asked>) {
        let state = self.state();
        (state.asked.clone(), state.given_back.clone())
    }
}

impl State {
    fn answer(&mut self, question: &[u8]) -> Option<Vec<u8>> {
        if self.mute {
            return None;
        }
        if self.garbage.is_some() {
            return self.garbage.clone();
        }
        match question {
            [2, 1, ..] if self.pcp && question.len() == 60 => Some(self.pcp(question)),
            [2, ..] => Some([&[0, 0x80, 0, 1][..], &[0; 4]].concat()),
            [0, 0] => Some([&[0, 0x80, 0, 0][..], &[0; 4], &OUTSIDE.octets()].concat()),
            [0, kind @ (1 | 2), ..] if question.len() == 12 => Some(self.pmp(*kind, question)),
            _ => None,
        }
    }

    /// RFC 6887, 11.1.
    fn pcp(&mut self, question: &[u8]) -> Vec<u8> {
        let own = u16::from_be_bytes([question[40], question[41]]);
        let lasts = u32::from_be_bytes([question[4], question[5], question[6], question[7]]);
        let (port, lasts) = self.map((question[36] == 6, own), lasts);
        let outside = OUTSIDE.to_ipv6_mapped().octets();
        let head = [&[2, 0x81, 0, 0][..], &lasts.to_be_bytes(), &[0; 16]].concat();
        [&head[..], &question[24..42], &port.to_be_bytes(), &outside].concat()
    }

    /// RFC 6886, 3.3.
    fn pmp(&mut self, kind: u8, question: &[u8]) -> Vec<u8> {
        let own = u16::from_be_bytes([question[4], question[5]]);
        let lasts = u32::from_be_bytes([question[8], question[9], question[10], question[11]]);
        let (port, lasts) = self.map((kind == 2, own), lasts);
        let ports = [own.to_be_bytes(), port.to_be_bytes()].concat();
        [&[0, 0x80 | kind, 0, 0][..], &[0; 4], &ports, &lasts.to_be_bytes()].concat()
    }

    fn map(&mut self, (tcp, own): Asked, lasts: u32) -> (u16, u32) {
        if lasts == 0 {
            self.given_back.push((tcp, own));
            return (0, 0);
        }
        self.asked.push((tcp, own));
        let lasts = self.lasts.map_or(lasts, |lasts| lasts.as_secs() as u32);
        ((self.give)(own, tcp), lasts)
    }
}
