//! What waits between the table and a fleet's bus, either way: so many bytes and no more.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{To, limit};

/// A place in a queue that is bounded by bytes; free once it is dropped.
#[derive(Debug)]
pub(super) struct Place(#[expect(dead_code, reason = "it is held, not read")] OwnedSemaphorePermit);

/// The bytes of a queue.
#[derive(Clone, Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    bytes: usize,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(bytes)), bytes }
    }

    /// Waits for a place. What is longer than all there is takes all.
    pub(super) async fn take(&self, len: usize) -> Option<Place> {
        let taken = Arc::clone(&self.free).acquire_many_owned(self.of(len)).await;
        taken.ok().map(Place)
    }

    fn try_take(&self, len: usize) -> Option<Place> {
        Arc::clone(&self.free).try_acquire_many_owned(self.of(len)).ok().map(Place)
    }

    fn of(&self, len: usize) -> u32 {
        u32::try_from(len.min(self.bytes)).unwrap_or(u32::MAX)
    }
}

/// A message for other processes of the fleet. It takes up room until it is dropped.
#[derive(Debug)]
pub struct Tell {
    /// Whom it is for.
    pub to: To,
    /// The message.
    pub text: String,
    _place: Place,
}

/// Where the table puts what is for other processes.
#[derive(Debug)]
pub(super) struct Outbox {
    tells: mpsc::Sender<Tell>,
    room: Room,
}

impl Outbox {
    pub(super) fn new() -> (Self, mpsc::Receiver<Tell>) {
        let (tells, queue) = mpsc::channel(limit::FLEET_QUEUE_MAX);
        (Self { tells, room: Room::new(limit::FLEET_QUEUE_BYTES_MAX) }, queue)
    }

    /// Puts a message in; false when there is no room for it.
    pub(super) fn put(&self, to: To, text: String) -> bool {
        let Some(place) = self.room.try_take(text.len()) else { return false };
        self.tells.try_send(Tell { to, text, _place: place }).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_for_the_bus_is_bounded_by_bytes() {
        let (outbox, mut queue) = Outbox::new();
        let len = limit::FLEET_TEXT_BYTES_MAX;
        let put = || (0..9_999).take_while(|_| outbox.put(To::All, "x".repeat(len))).count();
        assert_eq!(put(), limit::FLEET_QUEUE_BYTES_MAX / len);
        let first = queue.recv().await.expect("it waits");
        assert_eq!(put(), 0, "it has not left");
        drop(first);
        assert_eq!(put(), 1);
        drop(queue);
        assert_eq!(put(), 0);
    }

    #[tokio::test]
    async fn what_comes_from_the_bus_waits_for_room() {
        let room = Room::new(10);
        let all = room.take(99).await.expect("all there is");
        assert!(room.try_take(1).is_none());
        let (some, ()) = tokio::join!(room.take(4), async { drop(all) });
        assert!(some.is_some() && room.try_take(7).is_none() && room.try_take(6).is_some());
    }
}
