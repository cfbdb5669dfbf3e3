//! Trackers of the world: the real swarm table behind sockets that open, break, go silent or lie.

use std::collections::BTreeMap;

use headwater_base::{Rng, Seed, Time, TrackerId};
use headwater_tracker::{Config, Heard, Input, SocketId, Step, Swarms};
use headwater_wire::tracker::TrackerMessage;

/// How a tracker behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackerMood {
    /// As it should.
    Well,
    /// It cannot be reached, and its sockets break.
    Dead,
    /// It takes everything and says nothing.
    Mute,
    /// It answers with what is no tracker message.
    Garbage,
    /// It says that there are a million seeds, and asks for an announce every second.
    Boasting,
    /// It relays nothing, and answers announces as if there were nobody.
    Hiding,
}

/// One end of a socket: host, its life, and what it calls the tracker.
pub(crate) type Caller = (usize, u32, TrackerId);

/// One tracker.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) mood: TrackerMood,
    swarms: Swarms,
    sockets: BTreeMap<SocketId, Caller>,
    callers: BTreeMap<Caller, SocketId>,
    opened: u64,
    rng: Rng,
    /// When it asked to be looked at.
    pub(crate) wake: Option<Time>,
}

/// What a tracker does.
#[derive(Debug)]
pub(crate) enum Out {
    /// A message to a host.
    Text(Caller, String),
    /// A socket ends.
    Close(Caller, String),
}

impl Tracker {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self {
            mood: TrackerMood::Well,
            swarms: Swarms::new(Config::default(), seed),
            sockets: BTreeMap::new(),
            callers: BTreeMap::new(),
            opened: 0,
            rng: seed.split("lies"),
            wake: None,
        }
    }

    /// A host opens a socket; false when it cannot.
    pub(crate) fn open(&mut self, now: Time, caller: Caller) -> bool {
        if self.mood == TrackerMood::Dead {
            return false;
        }
        let socket = SocketId(self.opened);
        self.opened += 1;
        self.sockets.insert(socket, caller);
        self.callers.insert(caller, socket);
        self.swarms.handle(now, Input::Opened(socket));
        true
    }

    /// A host closed its socket, or vanished.
    pub(crate) fn closed(&mut self, now: Time, caller: Caller) {
        if let Some(socket) = self.callers.remove(&caller) {
            self.sockets.remove(&socket);
            self.swarms.handle(now, Input::Closed(socket));
        }
    }

    /// A host said something.
    pub(crate) fn heard(&mut self, now: Time, caller: Caller, text: String) {
        let Some(&socket) = self.callers.get(&caller) else { return };
        if !matches!(self.mood, TrackerMood::Mute | TrackerMood::Dead) {
            self.swarms.handle(now, Input::Heard { socket, heard: Heard::read(&text) });
        }
    }

    /// Does what is to be done by now.
    pub(crate) fn drain(&mut self, now: Time) -> Vec<Out> {
        let mut outs = Vec::new();
        loop {
            match self.swarms.next(now) {
                Step::Send { socket, message } => {
                    let text = message.encode();
                    let caller = self.sockets.get(&socket).copied();
                    let said = caller.and_then(|caller| Some((caller, self.bent(text)?)));
                    outs.extend(said.map(|(caller, text)| Out::Text(caller, text)));
                }
                Step::Close { socket, reason } => {
                    if let Some(caller) = self.sockets.remove(&socket) {
                        self.callers.remove(&caller);
                        outs.push(Out::Close(caller, reason.to_string()));
                    }
                }
                Step::Sought(_) | Step::Tell { .. } => {}
                Step::Sleep(wake) => {
                    self.wake = wake;
                    return outs;
                }
            }
        }
    }

    /// Changes what it does; one that dies breaks its sockets and forgets its swarms.
    pub(crate) fn turn(&mut self, now: Time, mood: TrackerMood) -> Vec<Out> {
        self.mood = mood;
        if mood != TrackerMood::Dead {
            return Vec::new();
        }
        let callers: Vec<Caller> = self.callers.keys().copied().collect();
        for caller in &callers {
            self.closed(now, *caller);
        }
        callers.into_iter().map(|caller| Out::Close(caller, "socket broke".to_owned())).collect()
    }

    /// What is said instead of `text`.
    fn bent(&mut self, text: String) -> Option<String> {
        match self.mood {
            TrackerMood::Well | TrackerMood::Dead => Some(text),
            TrackerMood::Mute => None,
            TrackerMood::Garbage => {
                let cut = self.rng.below(text.len() as u64) as usize;
                Some(text.chars().take(cut).chain("\"}{".chars()).collect())
            }
            TrackerMood::Boasting => match TrackerMessage::decode(&text) {
                Ok(TrackerMessage::Announce(mut reply)) => {
                    reply.complete = Some(1_000_000);
                    reply.interval = Some(1);
                    Some(TrackerMessage::Announce(reply).encode())
                }
                Ok(_) | Err(_) => Some(text),
            },
            TrackerMood::Hiding => match TrackerMessage::decode(&text) {
                Ok(TrackerMessage::Announce(mut reply)) => {
                    (reply.complete, reply.incomplete) = (Some(0), Some(0));
                    Some(TrackerMessage::Announce(reply).encode())
                }
                Ok(_) | Err(_) => None,
            },
        }
    }
}
