//! Readers: who waits for which bytes, and who was told what. Bytes themselves never pass here.

use headwater_base::{ByteCount, ReaderId};

use super::{Stage, Transfer};
use crate::Event;
use crate::desk::Desk;
use crate::picker::Window;

/// Somebody who reads a torrent while it downloads.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) window: Window,
    /// The end it was told last.
    told: Option<u64>,
}

impl Reader {
    /// Says that what it was told may be true no more.
    pub(super) fn forget(&mut self) {
        self.told = None;
    }
}

impl Transfer {
    /// Takes where a reader is. A jump drops requests that nobody waits for any more.
    pub(crate) fn move_reader(&mut self, desk: &mut Desk, reader: ReaderId, window: Window) {
        if self.stage == Stage::Failed {
            desk.tell(Event::ReaderFailed(reader));
            return;
        }
        let length = self.metainfo.as_ref().map_or(u64::MAX, |metainfo| metainfo.length.0);
        let window = Window { start: window.start.min(length), end: window.end.min(length) };
        let before = self.readers.insert(reader, Reader { window, told: None });
        self.wants_changed(desk);
        let Some(picker) = &mut self.picker else { return };
        let near = before.is_some_and(|before| {
            let before = before.window;
            (before.start..=before.start.saturating_add(JUMP)).contains(&window.start)
        });
        let turn = picker.set_window(reader, Some(window));
        let waits = window.start < window.end && picker.lacks(window.start);
        self.turned(desk, turn);
        self.tell_readers(desk);
        if waits && !near {
            self.drop_unawaited(desk);
        }
        self.rank_quick(desk);
        self.kick_all(desk);
    }

    /// Takes that a reader went away.
    pub(crate) fn close_reader(&mut self, desk: &mut Desk, reader: ReaderId) {
        self.readers.remove(&reader);
        self.wants_changed(desk);
        if let Some(picker) = &mut self.picker {
            let turn = picker.set_window(reader, None);
            self.turned(desk, turn);
        }
    }

    /// Tells readers how far they can read, when that is further than they were told.
    pub(super) fn tell_readers(&mut self, desk: &mut Desk) {
        if self.picker.is_none() {
            return;
        }
        // What it was told once stays true: only what comes after is looked at.
        let starts = self.readers.values();
        let starts = starts.map(|reader| reader.told.unwrap_or(reader.window.start));
        let ready: Vec<u64> = starts.map(|start| self.ready_until(start)).collect();
        for ((id, reader), ready) in self.readers.iter_mut().zip(ready) {
            let Window { start, end } = reader.window;
            let ready = ready.min(end.max(start));
            let is_news = reader.told.is_none_or(|told| ready > told);
            if is_news && (ready > start || end <= start) {
                reader.told = Some(ready);
                desk.tell(Event::ReaderReady { reader: *id, end: ByteCount(ready) });
            }
        }
    }

    /// Tells every reader that it cannot be served.
    pub(super) fn fail_readers(&mut self, desk: &mut Desk) {
        for reader in core::mem::take(&mut self.readers).into_keys() {
            desk.tell(Event::ReaderFailed(reader));
        }
    }
}

/// A reader that goes forward by less than this only reads on.
const JUMP: u64 = crate::limit::URGENT_BYTES;
