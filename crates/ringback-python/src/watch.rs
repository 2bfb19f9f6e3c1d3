//! Ctrl-C during a long computation: the thread that called looks for signals from time to time, the others stop when
//! it found one. The same look tells a progress bar how far the work is.

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
    /// What the handler of the signal raised, or the progress bar.
    raised: Mutex<Option<PyErr>>,
    /// How many points are evaluated before the clock is read.
    stride: AtomicUsize,
    progress: Option<Progress>,
}

/// What a progress bar is told.
#[derive(Debug)]
struct Progress {
    bar: Py<PyAny>,
    points: AtomicUsize,
    /// How many of the points were told.
    told: AtomicUsize,
    /// The error by now, and what it is to be: bits of numbers.
    error: AtomicU64,
    tolerance: AtomicU64,
}

impl Progress {
    fn tell(&self, py: Python<'_>) -> PyResult<()> {
        let points = self.points.load(Ordering::Relaxed);
        let new = points - self.told.swap(points, Ordering::Relaxed);
        let number = |bits: &AtomicU64| f64::from_bits(bits.load(Ordering::Relaxed));
        self.bar.call_method1(py, "update", (new, number(&self.error), number(&self.tolerance)))?;
        Ok(())
    }
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
            progress: None,
        }
    }

    /// Shows a bar from now on, for `total` points if that is known. Before the computation begins.
    pub(crate) fn show(&mut self, py: Python<'_>, total: Option<usize>) -> PyResult<()> {
        let bar = py.import("ringback.integrate._progress")?.getattr("Bar")?.call1((total,))?;
        self.progress = Some(Progress {
            bar: bar.unbind(),
            points: AtomicUsize::new(0),
            told: AtomicUsize::new(0),
            error: AtomicU64::new(f64::NAN.to_bits()),
            tolerance: AtomicU64::new(0),
        });
        Ok(())
    }

    /// Ends the bar; `points` are all that were evaluated, if the computation came to its end.
    pub(crate) fn close(&self, py: Python<'_>, points: Option<usize>) -> PyResult<()> {
        let Some(progress) = &self.progress else { return Ok(()) };
        if points.is_some() {
            progress.tell(py)?;
        }
        progress.bar.call_method1(py, "close", (points,))?;
        Ok(())
    }

    /// What the error is by now, and what it is to be.
    pub(crate) fn reached(&self, error: f64, tolerance: f64) {
        if let Some(progress) = &self.progress {
            progress.error.store(error.to_bits(), Ordering::Relaxed);
            progress.tolerance.store(tolerance.to_bits(), Ordering::Relaxed);
        }
    }

    #[inline]
    fn done(&self, points: usize) {
        if let Some(progress) = &self.progress {
            progress.points.fetch_add(points, Ordering::Relaxed);
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
        let found = Python::attach(|py| {
            py.check_signals()?;
            self.progress.as_ref().map_or(Ok(()), |progress| progress.tell(py))
        });
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
            work(0..len)?;
            self.done(len);
            return Ok(());
        }
        let mut start = 0;
        while start < len {
            self.poll()?;
            let stride = self.stride.load(Ordering::Relaxed);
            let end = len.min(start + stride);
            let before = Instant::now();
            work(start..end)?;
            self.done(end - start);
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
