//! Ctrl-C during an integral on the calling thread: most take less than a microsecond, and must not pay for a clock.

use std::ops::Range;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use ringback::Error;

/// How often signals are looked for: taking the GIL costs something, and other threads wait for it.
const LOOK: Duration = Duration::from_millis(25);
/// With calls or blocks that take longer, the clock is read after each.
const SLOW: Duration = Duration::from_micros(200);

/// So many quick blocks are done before the clock is read.
const FREE: u32 = 8;

/// Reads the clock after 8, 16, … blocks, the more often the slower they are; after each call if calls are slow.
#[derive(Debug)]
pub(crate) struct Patience {
    blocks: u32,
    next: u32,
    slow: bool,
    /// When the clock was first read, and in which block.
    since: Option<(Instant, u32)>,
    looked: Option<Instant>,
}

impl Patience {
    /// `whole` says that blocks are one call each, and quick: the first of them is not timed.
    #[inline]
    pub(crate) fn new(whole: bool) -> Self {
        Self { blocks: 0, next: if whole { FREE } else { 1 }, slow: false, since: None, looked: None }
    }

    /// Does a block of `len` points: at once if `whole`, else in pieces where that lets signals be seen.
    ///
    /// # Errors
    /// That of `work`, or what the handler of a signal raised.
    #[inline]
    pub(crate) fn block(
        &mut self,
        len: usize,
        whole: bool,
        mut work: impl FnMut(Range<usize>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.blocks = self.blocks.saturating_add(1);
        if self.blocks < self.next {
            return work(0..len);
        }
        self.watched(len, whole, work)
    }

    #[cold]
    fn watched(
        &mut self,
        len: usize,
        whole: bool,
        mut work: impl FnMut(Range<usize>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut rest = 0..len;
        let now = Instant::now();
        match self.since {
            None => {
                self.since = Some((now, self.blocks));
                self.looked = Some(now);
                self.next = self.blocks + FREE;
                if !whole && len > 0 {
                    work(0..1)?;
                    rest.start = 1;
                    self.slow = now.elapsed() > SLOW;
                }
            }
            Some((start, first)) => {
                let each = (now - start) / (self.blocks - first).max(1);
                self.slow |= each > SLOW;
                let some = LOOK.as_nanos() / (4 * each.as_nanos().max(1));
                self.next = self.blocks.saturating_add((some as u32).clamp(1, self.blocks));
                self.look(now)?;
            }
        }
        if !self.slow {
            return work(rest);
        }
        self.next = self.blocks;
        if whole {
            return work(rest);
        }
        for i in rest {
            self.look(Instant::now())?;
            work(i..i + 1)?;
        }
        Ok(())
    }

    /// Has handlers of signals run, if it is time.
    fn look(&mut self, now: Instant) -> Result<(), Error> {
        if self.looked.is_some_and(|looked| now - looked < LOOK) {
            return Ok(());
        }
        self.looked = Some(now);
        // On other threads than Python's main one this does nothing.
        Ok(Python::attach(|py| py.check_signals())?)
    }
}
