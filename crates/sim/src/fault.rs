//! What can go wrong, and right again. A scenario plans faults for times of its own choosing.

use core::time::Duration;

use headwater_client::{Input, LinkEnd};

use crate::disk::Manners;
use crate::host::HostId;
use crate::net::Path;
use crate::tracker::TrackerMood;
use crate::world::{Coming, World};

/// Something that goes wrong, or right again.
pub enum Fault {
    /// A tab closes or a program dies: what is not flushed is lost, its links break.
    Vanish(HostId),
    /// It comes back under a new name, with what its disk kept.
    Return(HostId),
    /// A host runs no code, as a tab in the background does.
    Freeze(HostId),
    /// It goes on, and hears what it missed.
    Thaw(HostId),
    /// Every link of a host breaks.
    Cut(HostId),
    /// A host moves to a part of the world; parts do not reach each other.
    Part(HostId, u8),
    /// All parts become one again.
    Heal,
    /// A tracker changes its manners.
    Tracker(usize, TrackerMood),
    /// A host's clock jumps ahead, as after a sleep.
    Leap(HostId, Duration),
    /// A host's disk changes its manners.
    Disk(HostId, Manners),
    /// A host's path changes.
    Path(HostId, Path),
    /// A host's client hears of something, such as a user's wish.
    Input(HostId, Input),
    /// Anything else.
    Do(Box<dyn FnOnce(&mut World)>),
}

impl World {
    /// Lets a fault happen.
    pub(crate) fn fail(&mut self, fault: Fault) {
        match fault {
            Fault::Vanish(host) => self.vanish(host.0),
            Fault::Return(host) => self.wake_up(host.0),
            Fault::Freeze(host) => {
                self.say(format_args!("host {} freezes", host.0));
                self.hosts[host.0].frozen = true;
            }
            Fault::Thaw(host) => self.thaw(host.0),
            Fault::Cut(host) => self.cut(host.0),
            Fault::Part(host, part) => {
                self.say(format_args!("host {} moves to part {part}", host.0));
                self.parts[host.0] = part;
                self.part_links();
            }
            Fault::Heal => {
                self.say(format_args!("all parts are one"));
                self.parts.fill(0);
                self.part_links();
            }
            Fault::Tracker(which, mood) => {
                self.say(format_args!("tracker {which} turns {mood:?}"));
                for out in self.trackers[which].turn(self.now, mood) {
                    self.tracker_says(out);
                }
            }
            Fault::Leap(host, by) => {
                self.say(format_args!("clock of host {} leaps by {by:?}", host.0));
                self.hosts[host.0].ahead += by;
                self.plan_wake(host.0);
            }
            Fault::Disk(host, manners) => {
                self.say(format_args!("disk of host {}: {manners:?}", host.0));
                for disk in self.hosts[host.0].disks.values_mut() {
                    disk.manners = manners;
                }
            }
            Fault::Path(host, path) => {
                self.say(format_args!("path of host {}: {path:?}", host.0));
                self.hosts[host.0].path = path;
            }
            Fault::Input(host, input) => self.hear(host.0, self.hosts[host.0].life, input),
            Fault::Do(act) => act(self),
        }
    }

    fn vanish(&mut self, at: usize) {
        if !self.hosts[at].is_up() {
            return;
        }
        self.say(format_args!("host {at} vanishes"));
        let links: Vec<_> = self.hosts[at].links.values().copied().collect();
        // A tab that closes says so; a machine that dies is missed after a while.
        let silent = self.rng.below(2) == 0;
        for flow in links {
            let heard = if silent { 5_000 + self.rng.below(20_000) } else { self.rng.below(300) };
            self.break_link(flow.link, [Duration::from_millis(heard); 2]);
        }
        let life = self.hosts[at].life;
        let sockets = core::mem::take(&mut self.hosts[at].sockets);
        for (tracker, which) in sockets {
            self.trackers[which].closed(self.now, (at, life, tracker));
            self.drain_tracker(which);
        }
        let host = &mut self.hosts[at];
        host.client = None;
        host.life += 1;
        host.torrents.clear();
        host.partners.clear();
        host.dialling.clear();
        host.dialled.clear();
        (host.wake, host.wake_posted, host.idle_wakes) = (None, None, 0);
        (host.frozen, host.up_busy) = (false, false);
        host.held.clear();
        host.ready.clear();
        host.mode.forget();
        for disk in host.disks.values_mut() {
            disk.crash();
        }
        self.judge_lost(at);
    }

    fn thaw(&mut self, at: usize) {
        self.say(format_args!("host {at} thaws"));
        self.hosts[at].frozen = false;
        self.hosts[at].thawed = self.now;
        for coming in core::mem::take(&mut self.hosts[at].held) {
            if let Coming::Input(at, life, input) = coming {
                self.hear(at, life, input);
            }
        }
        self.hosts[at].wake_posted = None;
        self.plan_wake(at);
    }

    fn cut(&mut self, at: usize) {
        self.say(format_args!("links of host {at} break"));
        let links: Vec<_> = self.hosts[at].links.values().copied().collect();
        for flow in links {
            let after = [0; 2].map(|_| Duration::from_millis(self.rng.below(2000)));
            self.break_link(flow.link, after);
        }
    }

    /// Refuses a host's attempt to make a link, as a shell that cannot make any does.
    pub fn refuse_link(&mut self, host: HostId, link: headwater_base::LinkId) {
        let end = LinkEnd::Unsupported;
        self.tell(host.0, Duration::ZERO, Input::LinkClosed { link, end });
    }

    /// Plans a host to vanish and to come back.
    pub fn plan_absence(&mut self, host: HostId, from: Duration, to: Duration) {
        self.plan(from, Fault::Vanish(host));
        self.plan(to, Fault::Return(host));
    }
}
