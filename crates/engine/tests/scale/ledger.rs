//! The allocator of these tests: it counts what each thread takes and keeps.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Ledger;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
    static FREED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Ledger {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        FREED.with(|freed| freed.set(freed.get() + layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static LEDGER: Ledger = Ledger;

/// What some work took from the allocator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    /// Bytes taken, given back or not.
    pub(crate) bytes: usize,
    /// Bytes taken and not given back.
    pub(crate) kept: usize,
}

/// Counts what `work` takes.
pub(crate) fn spent(work: impl FnOnce()) -> Spent {
    let (taken, freed) = (TAKEN.get(), FREED.get());
    work();
    let (taken, freed) = (TAKEN.get() - taken, FREED.get() - freed);
    Spent { bytes: taken, kept: taken.saturating_sub(freed) }
}
