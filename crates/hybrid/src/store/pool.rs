//! The files that the torrents of this process have open, all together: a stated number, no more.
//! The one that was used longest ago makes way; where all are in use, whoever wants one waits.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Most files of all torrents open at a time, their records included.
pub const OPEN_FILES_MAX: usize = 128;

/// Most of those that are records.
const RECORDS_MAX: usize = 32;

/// The files of torrents. Whoever has one may ask for a record, and for nothing else.
pub(super) static FILES: Pool = Pool::new(OPEN_FILES_MAX - RECORDS_MAX);

/// The records of torrents. Whoever has one asks for nothing.
pub(super) static RECORDS: Pool = Pool::new(RECORDS_MAX);

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// Which store.
    pub(super) store: u64,
    /// Which file of its torrent.
    pub(super) file: usize,
}

/// Files that are open.
pub(super) struct Pool {
    most: usize,
    held: Mutex<Held>,
    freed: Condvar,
}

struct Held {
    open: Vec<Open>,
    /// Places taken for files that are just being opened.
    opening: usize,
    /// Counts what was lent; also names each file that was opened.
    lent: u64,
}

struct Open {
    id: u64,
    key: Key,
    file: Arc<File>,
    write: bool,
    users: usize,
    used: u64,
    /// Whether nobody else is to get it: its path may lead elsewhere by now.
    stale: bool,
}

/// A file in use: the pool keeps it open until this is dropped.
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    id: u64,
    file: Arc<File>,
}

impl Pool {
    const fn new(most: usize) -> Self {
        let held = Held { open: Vec::new(), opening: 0, lent: 0 };
        Self { most, held: Mutex::new(held), freed: Condvar::new() }
    }

    /// Lends a file, opened by `open` unless it is.
    pub(super) fn lend(
        &self,
        key: Key,
        write: bool,
        open: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<Lent<'_>> {
        let mut held = self.held();
        loop {
            held.lent += 1;
            let now = held.lent;
            let fits = |open: &&mut Open| open.key == key && open.write >= write && !open.stale;
            if let Some(open) = held.open.iter_mut().find(fits) {
                (open.users, open.used) = (open.users + 1, now);
                return Ok(Lent { pool: self, id: open.id, file: Arc::clone(&open.file) });
            }
            if held.open.len() + held.opening < self.most || held.evict() {
                break;
            }
            held = self.freed.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        held.opening += 1;
        drop(held);
        let opened = open();
        let mut held = self.held();
        held.opening -= 1;
        match opened {
            Ok(file) => Ok(self.take_in(&mut held, (key, write), file)),
            Err(e) => {
                self.freed.notify_all();
                Err(e)
            }
        }
    }

    fn take_in(&self, held: &mut Held, (key, write): (Key, bool), file: File) -> Lent<'_> {
        held.forget(|open| open.key == key);
        held.lent += 1;
        let (id, file) = (held.lent, Arc::new(file));
        let lent = Lent { pool: self, id, file: Arc::clone(&file) };
        held.open.push(Open { id, key, file, write, users: 1, used: id, stale: false });
        lent
    }

    /// Lends one file of a store no longer: the next who wants it opens it anew.
    pub(super) fn forget(&self, key: Key) {
        self.held().forget(|open| open.key == key);
        self.freed.notify_all();
    }

    /// Closes all files of a store.
    pub(super) fn forget_store(&self, store: u64) {
        self.held().forget(|open| open.key.store == store);
        self.freed.notify_all();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Closes the file that was used longest ago, unless all are in use.
    fn evict(&mut self) -> bool {
        let free = self.open.iter().enumerate().filter(|(_, open)| open.users == 0);
        let oldest = free.min_by_key(|(_, open)| open.used).map(|(at, _)| at);
        oldest.map(|at| self.open.swap_remove(at)).is_some()
    }

    fn forget(&mut self, which: impl Fn(&Open) -> bool) {
        for open in self.open.iter_mut().filter(|open| which(open)) {
            open.stale = true;
        }
        self.open.retain(|open| !open.stale || open.users > 0);
    }
}

impl Deref for Lent<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut held = self.pool.held();
        let Some(at) = held.open.iter().position(|open| open.id == self.id) else { return };
        held.open[at].users -= 1;
        if held.open[at].users == 0 {
            if held.open[at].stale {
                held.open.swap_remove(at);
            }
            self.pool.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn key(file: usize) -> Key {
        Key { store: 1, file }
    }

    fn any() -> io::Result<File> {
        File::open(std::env::current_exe()?)
    }

    #[test]
    fn the_file_used_longest_ago_makes_way() {
        let (pool, opened) = (Pool::new(2), Cell::new(0));
        let lend = |file| {
            let open = || {
                opened.set(opened.get() + 1);
                any()
            };
            drop(pool.lend(key(file), false, open).expect("it opens"));
            opened.get()
        };
        assert_eq!((lend(1), lend(2), lend(1)), (1, 2, 2));
        assert_eq!((lend(3), lend(1), lend(2)), (3, 3, 4), "2 made way for 3, and 1 stayed");
        assert_eq!(pool.held().open.len(), 2);
    }

    #[test]
    fn one_open_for_reading_is_opened_anew_for_writing_and_serves_both() {
        let pool = Pool::new(2);
        let read = pool.lend(key(1), false, any).expect("it opens");
        let write = pool.lend(key(1), true, any).expect("it opens");
        assert_ne!(read.id, write.id);
        let again = pool.lend(key(1), false, || panic!("it is open")).expect("it is open");
        assert_eq!(again.id, write.id);
        drop(read);
        assert_eq!(pool.held().open.len(), 1, "the stale one went with its last user");
    }

    #[test]
    fn where_all_are_in_use_one_waits_until_one_comes_free() {
        let pool = Pool::new(1);
        let first = pool.lend(key(1), false, any).expect("it opens");
        std::thread::scope(|scope| {
            let second = scope.spawn(|| pool.lend(key(2), false, any).expect("it opens").id);
            while !second.is_finished() && pool.held().lent < 2 {
                std::thread::yield_now();
            }
            assert!(!second.is_finished() && pool.held().open.len() == 1);
            drop(first);
            second.join().expect("it got its file");
        });
        assert_eq!(pool.held().open.len(), 1);
        assert!(pool.lend(key(3), false, || Err(io::Error::other("no"))).is_err());
        pool.lend(key(4), false, any).expect("a file that did not open takes no place");
    }
}
