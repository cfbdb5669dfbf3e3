//! The task that owns the swarm table: feeds it news of sockets and gives them its messages.

use std::collections::BTreeMap;
use std::mem;
use std::net::IpAddr;
use std::time::Duration;

use headwater_base::Time;
use headwater_wire::tracker::TrackerMessage;
use headwater_wire::tracker::http_server::{Question, Reply};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::Clock;
use super::bus::{Outbox, Place};
use crate::{
    CloseReason, Fellows, FleetInput, Heard, Input, Member, SocketId, Sought, Stats, Step, Swarms,
};

/// Most news that are taken in before anything they lead to is sent. What several of them lead to
/// for one socket leaves in one packet.
const NEWS_AT_ONCE: usize = 512;

/// What the table's task hears.
#[derive(Debug)]
pub(super) enum News {
    /// A socket opened; what is for it goes here.
    Opened(SocketId, mpsc::Sender<Order>),
    /// A socket brought a message.
    Heard(SocketId, Heard),
    /// A socket closed.
    Closed(SocketId),
    /// An HTTP request came.
    Requested {
        /// From where.
        from: IpAddr,
        /// What it asks, or why it cannot be read.
        question: Result<Question, headwater_wire::Error>,
        /// Where the answer goes.
        reply: oneshot::Sender<Reply>,
    },
    /// It is part of a fleet from here on; what is for the others goes here.
    Joined(Member, Outbox),
    /// Something happened to the fleet's bus; it holds this place until then.
    Fleet(FleetInput, Option<Place>),
    /// Somebody wants to know the other processes.
    Fellows(oneshot::Sender<Fellows>),
    /// Somebody wants the figures.
    Asked(oneshot::Sender<Stats>),
    /// The operator ends it.
    Ended(oneshot::Sender<()>),
}

/// What a socket's task is told. When no more can come, the socket is dropped.
#[derive(Debug)]
pub(super) enum Order {
    /// Send a message.
    Send(TrackerMessage),
    /// Close after what was ordered before.
    Close(Goodbye),
}

/// Why a socket is closed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Goodbye {
    /// The table says so.
    Refused(CloseReason),
    /// The tracker ends.
    Ended,
}

/// Where everything goes that the table wants to leave.
#[derive(Default)]
struct Ways {
    sockets: BTreeMap<SocketId, mpsc::Sender<Order>>,
    sought: Option<mpsc::Sender<Sought>>,
    fleet: Option<Outbox>,
}

/// Runs until told to end, or until nobody is left to tell it anything.
pub(super) async fn run(
    mut swarms: Swarms,
    mut inbox: mpsc::Receiver<News>,
    sought: Option<mpsc::Sender<Sought>>,
) {
    let clock = Clock::start();
    let mut ways = Ways { sought, ..Ways::default() };
    let mut heard = Vec::new();
    loop {
        let wake = ways.carry_out(&mut swarms, clock.now());
        let count = tokio::select! {
            count = inbox.recv_many(&mut heard, NEWS_AT_ONCE) => count,
            () = until(wake, clock) => continue,
        };
        if count == 0 {
            return ways.say_goodbye();
        }
        // Sockets that have something to say as well come first.
        tokio::task::yield_now().await;
        while heard.len() < NEWS_AT_ONCE
            && let Ok(news) = inbox.try_recv()
        {
            heard.push(news);
        }
        for news in heard.drain(..) {
            if let Some(done) = ways.hear(&mut swarms, clock.now(), news) {
                swarms.leave_fleet();
                ways.carry_out(&mut swarms, clock.now());
                ways.say_goodbye();
                // Whoever ended it may not wait.
                let _ = done.send(());
                return;
            }
        }
    }
}

impl Ways {
    /// Tells the table; answers whom to tell that it ended, when it is to end.
    fn hear(&mut self, swarms: &mut Swarms, now: Time, news: News) -> Option<oneshot::Sender<()>> {
        match news {
            News::Opened(id, orders) => {
                self.sockets.insert(id, orders);
                swarms.handle(now, Input::Opened(id));
            }
            News::Heard(socket, heard) => swarms.handle(now, Input::Heard { socket, heard }),
            News::Closed(id) => {
                self.sockets.remove(&id);
                swarms.handle(now, Input::Closed(id));
            }
            News::Requested { from, question, reply } => {
                // Whoever asked may have gone, here and below.
                let _ = reply.send(swarms.ask(now, from, question));
            }
            News::Joined(member, outbox) => {
                self.fleet = Some(outbox);
                swarms.handle(now, Input::Fleet(FleetInput::Joined(member)));
            }
            News::Fleet(input, _place) => swarms.handle(now, Input::Fleet(input)),
            News::Fellows(answer) => {
                let _ = answer.send(swarms.fellows());
            }
            News::Asked(answer) => {
                let _ = answer.send(swarms.stats());
            }
            News::Ended(done) => return Some(done),
        }
        None
    }

    /// Does all the table wants done; answers when it wants to be woken.
    fn carry_out(&mut self, swarms: &mut Swarms, now: Time) -> Option<Time> {
        let mut ready: BTreeMap<SocketId, Vec<Order>> = BTreeMap::new();
        loop {
            match swarms.next(now) {
                Step::Sought(seeker) => {
                    // Peers announce again and again: what is lost in a flood comes back.
                    let _ = self.sought.as_ref().map(|sought| sought.try_send(seeker));
                }
                Step::Tell { to, text } => {
                    let sent = self.fleet.as_ref().is_some_and(|outbox| outbox.put(to, text));
                    if !sent {
                        swarms.handle(now, Input::Fleet(FleetInput::Lost));
                    }
                }
                Step::Send { socket, message } => {
                    ready.entry(socket).or_default().push(Order::Send(message));
                }
                Step::Close { socket, reason } => {
                    let order = Order::Close(Goodbye::Refused(reason));
                    ready.entry(socket).or_default().push(order);
                }
                Step::Sleep(wake) => {
                    let slow = self.hand_out(mem::take(&mut ready));
                    if slow.is_empty() {
                        return wake;
                    }
                    for socket in slow {
                        swarms.handle(now, Input::Closed(socket));
                    }
                }
            }
        }
    }

    /// Gives each socket all that is for it, which then leaves at once. Answers those that are too
    /// slow to take it.
    fn hand_out(&mut self, ready: BTreeMap<SocketId, Vec<Order>>) -> Vec<SocketId> {
        let mut slow = Vec::new();
        for (socket, orders) in ready {
            let Some(way) = self.sockets.get(&socket) else { continue };
            let closes = matches!(orders.last(), Some(Order::Close(_)));
            if let Ok(permits) = way.try_reserve_many(orders.len()) {
                permits.zip(orders).for_each(|(permit, order)| permit.send(order));
            } else {
                slow.push(socket);
            }
            if closes || slow.last() == Some(&socket) {
                // Its task ends when this side of its queue is gone.
                self.sockets.remove(&socket);
            }
        }
        slow
    }

    fn say_goodbye(&self) {
        for orders in self.sockets.values() {
            // A full queue ends the socket as well, when this side of it is dropped.
            let _ = orders.try_send(Order::Close(Goodbye::Ended));
        }
    }
}

async fn until(wake: Option<Time>, clock: Clock) {
    match wake {
        // A timer fires only at the millisecond, so a moment later than too early.
        Some(at) => sleep(at.since(clock.now()) + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}
