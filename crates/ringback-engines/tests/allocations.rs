//! Memory is not allocated while integrals are computed, once a workspace has been used.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;

use ringback_engines::{
    Batch, BatchWorkspace, IN_STEP, Options, QuadError, Quadrature, Workspace, pointwise, quad_batch, quad_with,
};

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

/// Counts what each thread asks for.
struct Counting;

// SAFETY: all is handed on to the system's allocator; the counter is a number that needs no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promises are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const INF: f64 = f64::INFINITY;
const RANGES: [(f64, f64); 4] = [(0.0, 2.0), (1.0, INF), (-INF, INF), (3.0, 0.5)];

fn integrand(x: f64) -> f64 {
    (-x * x).exp() * (x - 0.7).abs().sqrt()
}

fn allocated(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn an_integral_allocates_before_it_begins_or_not_at_all() {
    let options = Options { epsabs: 0.0, epsrel: 1e-10, limit: 200 };
    let mut workspace = Workspace::new();
    let mut solve = |(a, b): (f64, f64), points: &[f64]| {
        let f = pointwise(|x| Ok::<_, Infallible>(integrand(x)));
        let result = quad_with(&mut workspace, f, a, b, points, &options).unwrap();
        assert!(result.intervals > 3, "{result:?}");
    };
    let first = allocated(|| solve(RANGES[0], &[0.7]));
    assert!((1..=6).contains(&first), "{first}");
    for range in RANGES {
        assert_eq!(allocated(|| solve(range, &[])), 0, "{range:?}");
    }
    assert_eq!(allocated(|| solve(RANGES[0], &[0.7])), 0);
}

/// The same integrals, over and over.
struct Many;

impl Batch for Many {
    type Error = Infallible;

    fn lanes(&self) -> usize {
        8
    }

    fn limits(&mut self, index: usize) -> (f64, f64) {
        RANGES[index % RANGES.len()]
    }

    fn assign(&mut self, slot: usize, _: usize) {
        assert!(slot < IN_STEP);
    }

    fn eval(&mut self, _: usize, x: &[f64], y: &mut [f64]) -> Result<(), Infallible> {
        x.iter().zip(y).for_each(|(x, y)| *y = integrand(*x));
        Ok(())
    }

    fn finish(&mut self, _: usize, result: Result<Quadrature, QuadError<Infallible>>) -> Result<(), Infallible> {
        assert!(result.is_ok());
        Ok(())
    }
}

#[test]
fn a_batch_allocates_its_memory_once() {
    let mut workspace = BatchWorkspace::default();
    let mut solve = |count| allocated(|| quad_batch(&mut workspace, &mut Many, 0..count, &Options::default()).unwrap());
    assert!(solve(16) > 0);
    assert_eq!(solve(1000), 0);
}
