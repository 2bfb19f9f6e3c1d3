//! Runs chains in threads; the calling thread waits for them and for Ctrl-C.
//!
//! Nothing depends on how threads are scheduled: a chain has its own generator, told by seed and number, and if chains
//! fail, the error is that of the first of them by number.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyMemoryError, PyValueError};
use pyo3::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use ringback::Error;

/// How long Ctrl-C may go unnoticed.
const PATIENCE: Duration = Duration::from_millis(50);

/// The generator of a chain: one stream of the cipher for each number.
pub(crate) fn generator(seed: u64, number: usize) -> ChaCha8Rng {
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(number as u64);
    generator
}

/// Says whether a job is still wanted.
#[derive(Debug)]
pub(crate) struct Going<'a> {
    number: usize,
    /// Jobs from this number on are not wanted any more.
    end: &'a AtomicUsize,
}

impl Going<'_> {
    /// False after Ctrl-C, or after a job with a lower number failed.
    #[inline]
    pub(crate) fn on(&self) -> bool {
        self.number < self.end.load(Ordering::Relaxed)
    }
}

/// The number of threads: what Python asked for, or one for each core.
pub(crate) fn workers(asked: Option<usize>) -> PyResult<usize> {
    match asked {
        Some(0) => Err(PyValueError::new_err("workers must be at least 1, found 0")),
        Some(asked) => Ok(asked),
        None => Ok(thread::available_parallelism().map_or(1, usize::from)),
    }
}

/// Runs `jobs` jobs in as many as `workers` threads, without the GIL, and returns their results in order. A job returns
/// nothing if it saw that it is not wanted any more.
///
/// # Errors
/// The error of the failed job with the lowest number; `KeyboardInterrupt`, or what else a signal's handler raised.
pub(crate) fn run<T: Send>(
    py: Python<'_>,
    jobs: usize,
    workers: usize,
    job: impl Fn(usize, &Going<'_>) -> Result<Option<T>, Error> + Sync,
) -> PyResult<Vec<T>> {
    let (next, end) = (AtomicUsize::new(0), AtomicUsize::new(jobs));
    let mut results: Vec<(usize, Result<Option<T>, Error>)> = Vec::new();
    results.try_reserve_exact(jobs).map_err(|error| PyMemoryError::new_err(error.to_string()))?;
    let mut interrupt: Option<PyErr> = None;
    py.detach(|| {
        thread::scope(|scope| {
            let (sender, receiver) = channel();
            for _ in 0..workers.min(jobs) {
                let (sender, job, next, end) = (sender.clone(), &job, &next, &end);
                let worker = move || {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let going = Going { number, end };
                        if !going.on() {
                            return;
                        }
                        let result = job(number, &going);
                        if result.is_err() {
                            end.fetch_min(number, Ordering::Relaxed);
                        }
                        if sender.send((number, result)).is_err() {
                            return;
                        }
                    }
                };
                if let Err(error) = thread::Builder::new().spawn_scoped(scope, worker) {
                    end.store(0, Ordering::Relaxed);
                    interrupt = Some(error.into());
                    break;
                }
            }
            drop(sender);
            let mut looked = Instant::now();
            loop {
                match receiver.recv_timeout(PATIENCE) {
                    Ok(result) => results.push(result),
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                if looked.elapsed() >= PATIENCE {
                    if let Err(raised) = Python::attach(|py| py.check_signals()) {
                        end.store(0, Ordering::Relaxed);
                        interrupt.get_or_insert(raised);
                    }
                    looked = Instant::now();
                }
            }
        });
    });
    if let Some(interrupt) = interrupt {
        return Err(interrupt);
    }
    results.sort_unstable_by_key(|&(number, _)| number);
    // A job that returned nothing is behind one that failed, whose error ends this.
    results.into_iter().filter_map(|(_, result)| result.transpose()).map(|result| Ok(result?)).collect()
}
