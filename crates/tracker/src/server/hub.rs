//! The task that owns the swarm table: feeds it news of sockets and gives them its messages.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use headwater_base::Time;
use headwater_wire::tracker::http_server::{Question, Reply};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::Clock;
use super::bus::{Outbox, Place};
use crate::{
    CloseReason, Fellows, FleetInput, Input, Member, SocketId, Sought, Stats, Step, Swarms,
};

/// What the table's task hears.
#[derive(Debug)]
pub(super) enum News {
    /// A socket opened; what is for it goes here.
    Opened(SocketId, mpsc::Sender<Order>),
    /// A socket brought a message.
    Text(SocketId, String),
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
    Send(String),
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
    loop {
        let wake = ways.carry_out(&mut swarms, clock.now());
        let news = tokio::select! {
            news = inbox.recv() => news,
            () = until(wake, clock) => continue,
        };
        match news {
            Some(News::Opened(id, orders)) => {
                ways.sockets.insert(id, orders);
                swarms.handle(clock.now(), Input::Opened(id));
            }
            Some(News::Text(socket, text)) => {
                swarms.handle(clock.now(), Input::Text { socket, text });
            }
            Some(News::Closed(id)) => {
                ways.sockets.remove(&id);
                swarms.handle(clock.now(), Input::Closed(id));
            }
            Some(News::Requested { from, question, reply }) => {
                // Whoever asked may have gone.
                let _ = reply.send(swarms.ask(clock.now(), from, question));
            }
            Some(News::Joined(member, outbox)) => {
                ways.fleet = Some(outbox);
                swarms.handle(clock.now(), Input::Fleet(FleetInput::Joined(member)));
            }
            Some(News::Fleet(input, _place)) => swarms.handle(clock.now(), Input::Fleet(input)),
            Some(News::Fellows(answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(swarms.fellows());
            }
            Some(News::Asked(answer)) => {
                // Whoever asked may have gone.
                let _ = answer.send(swarms.stats());
            }
            Some(News::Ended(done)) => {
                swarms.leave_fleet();
                ways.carry_out(&mut swarms, clock.now());
                ways.say_goodbye();
                let _ = done.send(());
                return;
            }
            None => return ways.say_goodbye(),
        }
    }
}

impl Ways {
    /// Does all the table wants done; answers when it wants to be woken.
    fn carry_out(&mut self, swarms: &mut Swarms, now: Time) -> Option<Time> {
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
                Step::Send { socket, text } => {
                    let orders = self.sockets.get(&socket);
                    if orders.is_some_and(|orders| orders.try_send(Order::Send(text)).is_err()) {
                        // Its task ends when this side of its queue is gone.
                        self.sockets.remove(&socket);
                        swarms.handle(now, Input::Closed(socket));
                    }
                }
                Step::Close { socket, reason } => {
                    if let Some(orders) = self.sockets.remove(&socket) {
                        // A full queue ends the socket as well.
                        let _ = orders.try_send(Order::Close(Goodbye::Refused(reason)));
                    }
                }
                Step::Sleep(wake) => return wake,
            }
        }
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
