//! Many independent problems on several threads: the driver that engines for many problems share.
//!
//! It knows neither the problems nor where results go: a job is given an index and the memory of its thread. What it
//! adds is order. Indices are handed out in ascending order, in chunks that shrink towards the end, so that problems
//! of different cost keep all threads busy. The failure that is reported is that of the lowest index, whatever the
//! number of threads.

use std::any::Any;
use std::fmt;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the thread that waits looks up.
const TICK: Duration = Duration::from_millis(20);

/// The largest number of problems that a thread takes at once.
const CHUNK: usize = 64;

/// What the threads of a sweep tell each other. A job gets it, to look whether its result is still wanted.
#[derive(Debug)]
pub struct Control {
    size: usize,
    next: AtomicUsize,
    done: AtomicUsize,
    cancelled: AtomicBool,
    /// The lowest index that failed so far, or `usize::MAX`.
    failed: AtomicUsize,
}

impl Control {
    fn new(size: usize) -> Self {
        Self {
            size,
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            cancelled: AtomicBool::new(false),
            failed: AtomicUsize::new(usize::MAX),
        }
    }

    /// Whether the result of this problem is not wanted any more: the sweep was cancelled, or a problem with a lower
    /// index has failed. A long job asks now and then, and returns any error; it is dropped.
    #[inline]
    #[must_use]
    pub fn is_over(&self, index: usize) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.failed.load(Ordering::Relaxed) < index
    }

    /// How many problems are solved.
    #[must_use]
    pub fn done(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// The next indices for a thread: a share of those left, so that no thread ends long after the others.
    fn take(&self, workers: usize) -> Option<Range<usize>> {
        let length = |start: usize| ((self.size - start) / workers.saturating_mul(8)).clamp(1, CHUNK);
        let advance = |start| (start < self.size).then(|| start + length(start));
        let start = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, advance).ok()?;
        Some(start..start + length(start))
    }
}

/// Why a sweep did not solve all problems.
#[derive(Debug)]
pub enum Stopped<E, T> {
    /// A problem failed; of several the one with the lowest index.
    Failed {
        /// Which problem.
        index: usize,
        /// What its job returned.
        error: E,
    },
    /// The waiting thread stopped it, with this.
    Cancelled(T),
    /// The threads could not be started.
    Threads(rayon::ThreadPoolBuildError),
}

impl<E: fmt::Display, T: fmt::Display> fmt::Display for Stopped<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { index, error } => write!(f, "problem {index} failed: {error}"),
            Self::Cancelled(why) => why.fmt(f),
            Self::Threads(error) => write!(f, "the threads could not be started: {error}; ask for fewer workers"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display, T: fmt::Debug + fmt::Display> std::error::Error for Stopped<E, T> {}

enum Failure<E> {
    Error(E),
    Panic(Box<dyn Any + Send>),
}

/// Runs `job` for each index below `size`, on `workers` threads (at least one) that live as long as this call.
///
/// `start` makes the memory of a thread, on that thread. The calling thread waits, and calls `tick` every 20
/// milliseconds and once at the end; if that returns an error, the sweep is cancelled. A job with an index below that
/// of the failure that is returned has always run to its end.
///
/// The pool is not kept: a pool that outlives the call would hang in a child process after a fork.
///
/// # Errors
///
/// [`Stopped`], when all threads have ended: at the end of the job that each was in.
///
/// # Panics
///
/// If a job panics, as if it had failed: with the panic of the lowest index, after all threads have ended.
///
/// ```
/// use std::convert::Infallible;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use ringback_engines::sweep;
///
/// let squares: Vec<AtomicU64> = (0..100).map(AtomicU64::new).collect();
/// let square = |(): &mut (), i: usize, _: &sweep::Control| {
///     squares[i].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(x * x)).map(drop)
/// };
/// sweep::run(squares.len(), 2, || (), square, |_| Ok::<_, Infallible>(())).unwrap();
/// assert_eq!(squares[9].load(Ordering::Relaxed), 81);
/// ```
pub fn run<W, E: Send, T>(
    size: usize,
    workers: usize,
    start: impl Fn() -> W + Sync,
    job: impl Fn(&mut W, usize, &Control) -> Result<(), E> + Sync,
    tick: impl FnMut(&Control) -> Result<(), T>,
) -> Result<(), Stopped<E, T>> {
    let chunk = |memory: &mut W, chunk: Range<usize>, at: &mut usize, control: &Control| {
        let (first, length) = (chunk.start, chunk.len());
        for index in chunk {
            *at = index;
            if control.is_over(index) {
                return Ok(index - first);
            }
            job(memory, index, control).map_err(|error| (index, error))?;
        }
        Ok(length)
    };
    drive(size, workers, start, chunk, tick)
}

/// [`run`] with jobs that take several problems at once, those with the indices of a range; they return the index of the
/// failure too, below which they have solved all of theirs.
///
/// # Errors
///
/// Those of [`run`].
///
/// # Panics
///
/// If a job panics, as if the first of its problems had failed.
pub fn run_chunks<W, E: Send, T>(
    size: usize,
    workers: usize,
    start: impl Fn() -> W + Sync,
    job: impl Fn(&mut W, Range<usize>, &Control) -> Result<(), (usize, E)> + Sync,
    tick: impl FnMut(&Control) -> Result<(), T>,
) -> Result<(), Stopped<E, T>> {
    let chunk = |memory: &mut W, chunk: Range<usize>, at: &mut usize, control: &Control| {
        let length = chunk.len();
        *at = chunk.start;
        if control.is_over(chunk.start) {
            return Ok(0);
        }
        job(memory, chunk, control).map(|()| length)
    };
    drive(size, workers, start, chunk, tick)
}

/// `job` tells how many of its problems it has solved, fewer than all if nobody wants the others; and, in case of a panic,
/// where it is.
fn drive<W, E: Send, T>(
    size: usize,
    workers: usize,
    start: impl Fn() -> W + Sync,
    job: impl Fn(&mut W, Range<usize>, &mut usize, &Control) -> Result<usize, (usize, E)> + Sync,
    mut tick: impl FnMut(&Control) -> Result<(), T>,
) -> Result<(), Stopped<E, T>> {
    // As many as the pool would start at most: no more are waited for.
    let workers = workers.clamp(1, size.clamp(1, rayon::max_num_threads()));
    let control = Control::new(size);
    let worst: Mutex<Option<(usize, Failure<E>)>> = Mutex::new(None);
    let (running, ended) = (Mutex::new(workers), Condvar::new());

    let work = || {
        let mut at = 0;
        let walk = AssertUnwindSafe(|| {
            let mut memory = start();
            while let Some(chunk) = control.take(workers) {
                let length = chunk.len();
                let solved = job(&mut memory, chunk, &mut at, &control)?;
                control.done.fetch_add(solved, Ordering::Relaxed);
                if solved < length {
                    break;
                }
            }
            Ok(())
        });
        let failure = match catch_unwind(walk) {
            Ok(Ok(())) => None,
            Ok(Err((index, error))) => Some((index, Failure::Error(error))),
            Err(panic) => Some((at, Failure::Panic(panic))),
        };
        if let Some((at, failure)) = failure {
            control.failed.fetch_min(at, Ordering::Relaxed);
            let mut worst = lock(&worst);
            if worst.as_ref().is_none_or(|(lowest, _)| at < *lowest) {
                *worst = Some((at, failure));
            }
        }
        *lock(&running) -= 1;
        ended.notify_one();
    };

    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(workers)
        .thread_name(|i| format!("ringback-sweep-{i}"))
        .build()
        .map_err(Stopped::Threads)?;
    let waited = pool.in_place_scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|_| work());
        }
        // Nothing may unwind from here while the threads do not know of it.
        let watch = AssertUnwindSafe(|| {
            let mut left = lock(&running);
            while *left > 0 {
                left = ended.wait_timeout(left, TICK).unwrap_or_else(PoisonError::into_inner).0;
                if *left > 0 {
                    drop(left);
                    tick(&control)?;
                    left = lock(&running);
                }
            }
            drop(left);
            tick(&control)
        });
        let waited = catch_unwind(watch);
        if !matches!(waited, Ok(Ok(()))) {
            control.cancelled.store(true, Ordering::Relaxed);
        }
        waited
    });
    match waited {
        Err(panic) => resume_unwind(panic),
        Ok(Err(why)) => return Err(Stopped::Cancelled(why)),
        Ok(Ok(())) => {}
    }
    match worst.into_inner().unwrap_or_else(PoisonError::into_inner) {
        None => Ok(()),
        Some((index, Failure::Error(error))) => Err(Stopped::Failed { index, error }),
        Some((_, Failure::Panic(panic))) => resume_unwind(panic),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_problems_and_workers_as_can_be_counted_have_shares() {
        let control = Control::new(usize::MAX);
        assert_eq!(control.take(usize::MAX), Some(0..1));
        assert_eq!(control.take(1), Some(1..1 + CHUNK));
        control.next.store(usize::MAX - 1, Ordering::Relaxed);
        assert_eq!(control.take(usize::MAX / 8 + 1), Some(usize::MAX - 1..usize::MAX));
        assert_eq!(control.take(1), None);
    }
}
