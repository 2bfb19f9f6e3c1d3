//! Ctrl-C during a long computation: the thread that called looks for signals from time to time, the others stop when
//! it found one.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use ringback::Error;

/// How often signals are looked for: taking the GIL costs something, and other threads wait for it.
const LOOK: Duration = Duration::from_millis(25);
/// So many points are evaluated before the clock is read, if they are quick.
const MOST: usize = 64;
/// What counts as quick.
const QUICK: Duration = Duration::from_millis(1);

/// Looks for signals. Made by the thread that calls an engine.
#[derive(Debug)]
pub(crate) struct Watch {
    caller: ThreadId,
    start: Instant,
    /// When signals were last looked for, in milliseconds after `start`.
    looked: AtomicU64,
    stop: AtomicBool,
    /// What the handler of the signal raised.
    raised: Mutex<Option<PyErr>>,
    /// How many points are evaluated before the clock is read.
    stride: AtomicUsize,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Watch {
            caller: std::thread::current().id(),
            start: Instant::now(),
            looked: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            raised: Mutex::new(None),
            stride: AtomicUsize::new(1),
        }
    }

    /// An error if the computation is to stop. The thread that called looks for signals, if it is time.
    #[inline]
    pub(crate) fn poll(&self) -> Result<(), Error> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(stopped());
        }
        let now = self.start.elapsed().as_millis() as u64;
        if now < self.looked.load(Ordering::Relaxed) + LOOK.as_millis() as u64 {
            return Ok(());
        }
        self.look()
    }

    #[cold]
    fn look(&self) -> Result<(), Error> {
        if std::thread::current().id() != self.caller {
            return Ok(());
        }
        let found = Python::attach(|py| py.check_signals());
        // From now: the GIL may have been long in coming.
        self.looked.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
        found.map_err(|error| {
            *self.raised.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            self.stop.store(true, Ordering::Relaxed);
            stopped()
        })
    }

    /// Runs `work` on pieces of `len` points: on all at once if `whole`, else on so few that signals are seen in time.
    #[inline]
    pub(crate) fn pieces(
        &self,
        len: usize,
        whole: bool,
        mut work: impl FnMut(std::ops::Range<usize>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if whole {
            self.poll()?;
            return work(0..len);
        }
        let mut start = 0;
        while start < len {
            self.poll()?;
            let stride = self.stride.load(Ordering::Relaxed);
            let end = len.min(start + stride);
            let before = Instant::now();
            work(start..end)?;
            let next = if before.elapsed() < QUICK { MOST.min(2 * stride) } else { 1 };
            self.stride.store(next, Ordering::Relaxed);
            start = end;
        }
        Ok(())
    }

    /// What to raise for an error of an engine: what a signal's handler raised goes first, whoever stopped for it.
    pub(crate) fn raise(self, error: Error) -> PyErr {
        self.raised.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(|| error.into())
    }
}

#[cold]
fn stopped() -> Error {
    Error::bridge("the computation was interrupted")
}
