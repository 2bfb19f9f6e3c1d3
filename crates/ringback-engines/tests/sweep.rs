//! The driver for many problems: each is solved once, the lowest failure is told, and it stops when it is told to.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ringback_engines::sweep::{Control, Stopped, run, run_chunks};

fn never(_: &Control) -> Result<(), Infallible> {
    Ok(())
}

#[test]
fn each_problem_is_solved_once() {
    for (size, workers) in [(0, 3), (1, 0), (1, 8), (100, 1), (1000, 2), (10_000, 7)] {
        let counts: Vec<AtomicUsize> = (0..size).map(|_| AtomicUsize::new(0)).collect();
        let mut done = 0;
        let job = |own: &mut usize, i: usize, _: &Control| {
            *own += 1;
            counts[i].fetch_add(1, Ordering::Relaxed);
            Ok::<_, Infallible>(())
        };
        let tick = |control: &Control| {
            assert!(control.done() >= done);
            done = control.done();
            Ok::<_, Infallible>(())
        };
        assert!(run(size, workers, || 0, job, tick).is_ok());
        assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        assert_eq!(done, size, "the last tick sees all of them");
    }
}

#[test]
fn the_lowest_failure_is_told_and_ends_the_sweep() {
    for workers in [1, 2, 3, 5] {
        for _ in 0..50 {
            let called = AtomicUsize::new(0);
            let job = |(): &mut (), i: usize, _: &Control| {
                called.fetch_add(1, Ordering::Relaxed);
                if i % 1000 == 777 { Err(i) } else { Ok(()) }
            };
            match run(1_000_000, workers, || (), job, never) {
                Err(Stopped::Failed { index: 777, error: 777 }) => {}
                other => panic!("{other:?}"),
            }
            assert!(called.load(Ordering::Relaxed) < 500_000);
        }
    }
}

#[test]
fn nothing_counts_as_done_that_nobody_wanted() {
    for chunks in [false, true] {
        let solved = AtomicUsize::new(0);
        let mut done = 0;
        let tick = |control: &Control| {
            done = control.done();
            Ok::<_, Infallible>(())
        };
        let one = |i: usize| {
            if i == 777 {
                return Err((i, i));
            }
            solved.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        let stopped = if chunks {
            let job = |(): &mut (), mut chunk: std::ops::Range<usize>, _: &Control| chunk.try_for_each(one);
            run_chunks(1_000_000, 3, || (), job, tick)
        } else {
            run(1_000_000, 3, || (), |(): &mut (), i, _: &Control| one(i).map_err(|(_, error)| error), tick)
        };
        assert!(matches!(stopped, Err(Stopped::Failed { index: 777, error: 777 })));
        let solved = solved.load(Ordering::Relaxed);
        assert!(done <= solved, "{done} are said to be done, {solved} are");
    }
}

#[test]
fn an_error_of_a_tick_cancels_long_jobs_too() {
    let job = |(): &mut (), i: usize, control: &Control| {
        while !control.is_over(i) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("given up")
    };
    let start = Instant::now();
    let stopped = run(100, 2, || (), job, |_| Err("stop"));
    assert!(matches!(stopped, Err(Stopped::Cancelled("stop"))));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_panic_comes_out_of_the_sweep() {
    let job = |(): &mut (), i: usize, _: &Control| {
        assert!(i != 30 && i != 60, "problem {i}");
        Ok::<_, Infallible>(())
    };
    for workers in [1, 3] {
        let caught = std::panic::catch_unwind(|| run(100, workers, || (), job, never));
        let panic = caught.expect_err("it panics");
        assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("problem 30"));
    }
    let caught = std::panic::catch_unwind(|| run(100, 2, || panic!("start"), job, never));
    assert!(caught.is_err());
}
