//! Work on several threads whose result does not depend on how many there are.
//!
//! The caller divides its work into tasks, by a rule that knows nothing of threads. Each task writes to a place of its
//! own. Of several that fail, the first in their order counts: a thread takes tasks in order, and skips only those
//! behind one that failed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Below this much work, threads cost more than they bring.
const WORTH_WAKING: Duration = Duration::from_micros(60);
/// Threads are started for integrals that have taken this long already.
const WORTH_STARTING: Duration = Duration::from_micros(400);
/// How often the calling thread looks up while it waits for the others.
const LOOK_UP: Duration = Duration::from_millis(20);

/// More threads than this are nobody's cores.
const MOST: usize = 256;

/// The threads of one integration: the calling one, and others from the moment on that it takes long.
#[derive(Debug)]
pub(crate) struct Team {
    workers: usize,
    pool: Option<ThreadPool>,
    /// Time spent, and units of work done in it, on the calling thread alone.
    alone: (Duration, usize),
}

impl Team {
    /// `workers` threads at most, the calling one included.
    pub(crate) fn new(workers: usize) -> Self {
        Self { workers: workers.min(MOST), pool: None, alone: (Duration::ZERO, 0) }
    }

    /// Runs `work` for every task, each once, with scratch memory that every thread makes for itself. `units` says how
    /// much work they are together, `pause` is called on the calling thread.
    pub(crate) fn run<T: Send, S, E: Send>(
        &mut self,
        tasks: &mut [T],
        units: usize,
        scratch: impl Fn() -> S + Sync,
        work: impl Fn(&mut S, &mut T) -> Result<(), E> + Sync,
        pause: impl Fn() -> Result<(), E>,
    ) -> Result<(), E> {
        pause()?;
        let workers = self.workers;
        if let Some(pool) = self.pool_for(tasks.len(), units) {
            return shared(pool, workers, tasks, &scratch, &work, pause);
        }
        let start = Instant::now();
        let mut memory = scratch();
        let result = tasks.iter_mut().try_for_each(|task| work(&mut memory, task));
        self.alone.0 += start.elapsed();
        self.alone.1 += units;
        result
    }

    /// The pool, if this much work is worth it. On which threads the work is done changes no result.
    fn pool_for(&mut self, tasks: usize, units: usize) -> Option<&ThreadPool> {
        let (time, done) = self.alone;
        if self.workers < 2 || tasks < 2 || time < WORTH_STARTING {
            return None;
        }
        if time.as_secs_f64() * (units as f64) < WORTH_WAKING.as_secs_f64() * (done as f64) {
            return None;
        }
        if self.pool.is_none() {
            // Without threads it is only slower.
            let builder = ThreadPoolBuilder::new().num_threads(self.workers - 1);
            match builder.thread_name(|i| format!("ringback-{i}")).build() {
                Ok(pool) => self.pool = Some(pool),
                Err(_) => self.workers = 1,
            }
        }
        self.pool.as_ref()
    }
}

fn shared<T: Send, S, E: Send>(
    pool: &ThreadPool,
    workers: usize,
    tasks: &mut [T],
    scratch: &(impl Fn() -> S + Sync),
    work: &(impl Fn(&mut S, &mut T) -> Result<(), E> + Sync),
    pause: impl Fn() -> Result<(), E>,
) -> Result<(), E> {
    let count = tasks.len();
    let places: Vec<Mutex<&mut T>> = tasks.iter_mut().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    // Tasks from here on need not be done.
    let end = AtomicUsize::new(count);
    let failure: Mutex<Option<(usize, E)>> = Mutex::new(None);
    let fail = |index: usize, error: E| {
        let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.as_ref().is_none_or(|(first, _)| index < *first) {
            *failure = Some((index, error));
            end.fetch_min(index, Ordering::AcqRel);
        }
    };
    let labour = || {
        let mut memory = scratch();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= end.load(Ordering::Acquire) {
                return;
            }
            let mut task = places[index].lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = work(&mut memory, &mut task) {
                fail(index, error);
            }
        }
    };

    let helpers = workers.min(count) - 1;
    let busy = (Mutex::new(helpers), Condvar::new());
    pool.in_place_scope(|scope| {
        for _ in 0..helpers {
            scope.spawn(|_| {
                // Counted down also if the function panics, or the calling thread would wait for ever.
                let _leaving = Leaving(&busy);
                labour();
            });
        }
        labour();
        let mut left = busy.0.lock().unwrap_or_else(PoisonError::into_inner);
        while *left > 0 {
            let waited = busy.1.wait_timeout(left, LOOK_UP).unwrap_or_else(PoisonError::into_inner);
            left = waited.0;
            if *left > 0 && waited.1.timed_out() {
                drop(left);
                if let Err(error) = pause() {
                    // Before all tasks: nothing that may still fail comes before it.
                    fail(0, error);
                }
                left = busy.0.lock().unwrap_or_else(PoisonError::into_inner);
            }
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((_, error)) => Err(error),
        None => Ok(()),
    }
}

struct Leaving<'a>(&'a (Mutex<usize>, Condvar));

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.1.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slow_team(workers: usize) -> Team {
        // As if much had been done already, so that threads are used at once.
        Team { alone: (Duration::from_secs(1), 1), ..Team::new(workers) }
    }

    #[test]
    fn every_task_is_done_once_by_any_number_of_workers() {
        for workers in [1, 2, 3, 8] {
            let mut tasks: Vec<(usize, usize)> = (0..100).map(|i| (i, 0)).collect();
            let work = |_: &mut (), task: &mut (usize, usize)| {
                task.1 += task.0 * task.0;
                Ok::<_, ()>(())
            };
            slow_team(workers).run(&mut tasks, 100, || (), work, || Ok(())).unwrap();
            assert!(tasks.iter().all(|(i, square)| i * i == *square));
        }
    }

    #[test]
    fn the_first_failure_counts() {
        for workers in [1, 2, 4] {
            let mut tasks: Vec<usize> = (0..200).collect();
            let work = |_: &mut (), task: &mut usize| {
                // Later ones fail sooner.
                if *task == 60 {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if *task >= 60 { Err(*task) } else { Ok(()) }
            };
            assert_eq!(slow_team(workers).run(&mut tasks, 200, || (), work, || Ok(())), Err(60));
        }
    }

    #[test]
    fn a_wait_can_be_ended() {
        let caller = std::thread::current().id();
        let pauses = AtomicUsize::new(0);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let work = |_: &mut (), _: &mut usize| {
            if std::thread::current().id() == caller {
                // Leaves tasks for the other one to take.
                std::thread::sleep(Duration::from_millis(5));
                return Ok(());
            }
            while !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        };
        let pause = || {
            // The first is before the work begins.
            if pauses.fetch_add(1, Ordering::Relaxed) == 0 {
                return Ok(());
            }
            stop.store(true, Ordering::Relaxed);
            Err("stopped")
        };
        let result = slow_team(2).run(&mut (0..100).collect::<Vec<_>>(), 100, || (), work, pause);
        assert_eq!(result, Err("stopped"));
    }

    #[test]
    fn a_panic_comes_out_and_nobody_waits_for_ever() {
        let work = |_: &mut (), task: &mut usize| {
            assert!(*task != 50, "at fifty");
            Ok::<_, ()>(())
        };
        let run = || slow_team(3).run(&mut (0..100).collect::<Vec<_>>(), 100, || (), work, || Ok(()));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
    }
}
