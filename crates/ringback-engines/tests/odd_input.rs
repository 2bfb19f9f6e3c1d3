//! Arguments without sense, integrands that fail, panic or return anything, at any point: no panic but the integrand's own,
//! no success without a number, and nothing is left behind in a workspace.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use ringback_engines::{
    Batch, BatchWorkspace, IN_STEP, Integrand, Options, QuadError, Quadrature, Status, Weight, WeightedOptions,
    Workspace, pointwise, quad_batch, quad_weighted_with, quad_with,
};

const INF: f64 = f64::INFINITY;
const NUMBERS: [f64; 18] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    3.0,
    -3.0,
    1.0 + f64::EPSILON,
    5e-324,
    -5e-324,
    1e-308,
    1e300,
    -1e300,
    f64::MAX,
    f64::MIN,
    INF,
    -INF,
    f64::NAN,
];

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

/// What the integrand panics with.
struct Thrown;

/// An integrand that at one of its calls fails, panics or returns no number.
struct Odd {
    random: Random,
    kind: usize,
    lanes: usize,
    calls: usize,
    odd_call: usize,
}

impl Odd {
    fn new(random: &mut Random) -> Self {
        Self {
            random: Random(random.0 | 1),
            kind: random.below(9),
            lanes: random.of(&[0, 1, 2, 3, 8, 31, 32, 33, 64, 65, usize::MAX]),
            calls: 0,
            odd_call: random.of(&[1, 7, 30, 300, 2000, usize::MAX, usize::MAX]),
        }
    }
}

impl Integrand for Odd {
    type Error = usize;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), usize> {
        for (x, y) in x.iter().zip(y) {
            self.calls += 1;
            if self.calls == self.odd_call {
                match self.kind % 3 {
                    0 => return Err(self.calls),
                    // Not told by the hook.
                    1 => resume_unwind(Box::new(Thrown)),
                    _ => {}
                }
            }
            *y = match self.kind {
                0 => 1.0,
                1 => 1.0 / x,
                2 if self.calls == self.odd_call => self.random.of(&NUMBERS),
                2 | 3 => x.abs().sqrt(),
                4 => f64::MAX * x.signum(),
                5 => self.random.of(&NUMBERS),
                6 => (1e3 * x).sin(),
                7 => (-x * x).exp(),
                _ => (x - 0.3).abs().ln(),
            };
        }
        Ok(())
    }

    fn lanes(&self) -> usize {
        self.lanes
    }
}

fn check(result: &Quadrature, what: &str) {
    assert!(result.error >= 0.0 && !result.value.is_infinite(), "{what}: {result:?}");
    let is_number = result.value.is_finite() && result.error.is_finite();
    assert!(is_number || result.status != Status::Converged, "{what}: {result:?}");
    assert!(!result.status.message().is_empty() && !result.status.message_with_weight().is_empty());
}

fn odd_options(random: &mut Random) -> Options {
    Options {
        epsabs: random.of(&[1e-8, 1e-8, 0.0, -1.0, f64::NAN, INF, 5e-324]),
        epsrel: random.of(&[1e-8, 1e-8, 2e-14, 0.0, -1.0, f64::NAN, INF]),
        limit: random.of(&[0, 1, 2, 3, 4, 5, 50, 200]),
    }
}

fn odd_weight(random: &mut Random) -> Weight {
    let (number, other) = (random.of(&NUMBERS), random.of(&NUMBERS));
    match random.below(4) {
        0 => Weight::Cos { omega: 40.0 * number },
        1 => Weight::Sin { omega: 1e69 * number },
        2 => Weight::Algebraic { alpha: number, beta: other, log_lower: number > 0.0, log_upper: other > 0.0 },
        _ => Weight::Cauchy { c: number },
    }
}

#[test]
fn nothing_odd_panics_or_is_left_in_a_workspace() {
    let mut random = Random(2026);
    let mut workspace = Workspace::new();
    let (mut results, mut failures, mut thrown) = (0, 0, 0);
    for round in 0..20_000 {
        let (a, b, options) = (random.of(&NUMBERS), random.of(&NUMBERS), odd_options(&mut random));
        let points: Vec<f64> = (0..random.of(&[0, 0, 1, 2, 9])).map(|_| random.of(&NUMBERS)).collect();
        let integrand = Odd::new(&mut random);
        let weight = (random.below(2) == 0).then(|| odd_weight(&mut random));
        let what = format!("{round}: {a} to {b}, {options:?}, {points:?}, {weight:?}");
        let solved = catch_unwind(AssertUnwindSafe(|| match weight {
            None => quad_with(&mut workspace, integrand, a, b, &points, &options),
            Some(weight) => {
                let maxp1 = options.limit;
                let options = WeightedOptions { quad: options, maxp1, limlst: 12 };
                quad_weighted_with(&mut workspace, integrand, a, b, weight, &options)
            }
        }));
        match solved {
            Ok(Ok(result)) => {
                check(&result, &what);
                results += 1;
            }
            Ok(Err(QuadError::Integrand(_))) => failures += 1,
            Ok(Err(QuadError::InvalidInput(why))) => assert!(!why.to_string().is_empty()),
            Err(panic) => {
                assert!(panic.is::<Thrown>(), "{what}");
                thrown += 1;
            }
        }
        if round % 20 == 0 {
            let f = || pointwise(|x: f64| Ok::<_, usize>((x - 0.3).abs().sqrt()));
            let mut fresh = Workspace::new();
            let options = Options::default();
            let used = quad_with(&mut workspace, f(), 0.0, 1.0, &[0.5], &options);
            assert_eq!(used, quad_with(&mut fresh, f(), 0.0, 1.0, &[0.5], &options), "{what}");
            let (weight, options) = (Weight::Cos { omega: 40.0 }, WeightedOptions::default());
            let used = quad_weighted_with(&mut workspace, f(), 0.0, 1.0, weight, &options);
            assert_eq!(used, quad_weighted_with(&mut fresh, f(), 0.0, 1.0, weight, &options), "{what}");
        }
    }
    assert!(results > 4000 && failures > 300 && thrown > 300, "{results} {failures} {thrown}");
}

/// Problems of which some fail, panic, or end everything.
struct OddBatch {
    limits: Vec<(f64, f64)>,
    slots: [usize; IN_STEP],
    integrand: Odd,
    /// The failure of one in so many ends it.
    fatal: usize,
    finished: Vec<usize>,
}

impl Batch for OddBatch {
    type Error = usize;

    fn lanes(&self) -> usize {
        self.integrand.lanes
    }

    fn limits(&mut self, index: usize) -> (f64, f64) {
        self.limits[index]
    }

    fn assign(&mut self, slot: usize, index: usize) {
        self.slots[slot] = index;
    }

    fn eval(&mut self, slot: usize, x: &[f64], y: &mut [f64]) -> Result<(), usize> {
        self.integrand.eval(x, y).map_err(|_| self.slots[slot])
    }

    fn finish(&mut self, index: usize, result: Result<Quadrature, QuadError<usize>>) -> Result<(), usize> {
        self.finished[index] += 1;
        match result {
            Ok(result) => check(&result, "batch"),
            Err(QuadError::Integrand(at)) => assert_eq!(at, index),
            Err(QuadError::InvalidInput(_)) => {}
        }
        if index % self.fatal == self.fatal - 1 { Err(index) } else { Ok(()) }
    }
}

#[test]
fn a_batch_finishes_each_problem_once_up_to_the_failure() {
    let mut random = Random(77);
    let mut workspace = BatchWorkspace::default();
    let mut ended = 0;
    for round in 0..600 {
        let count = random.of(&[0, 1, 7, 8, 9, 40]);
        let mut batch = OddBatch {
            limits: (0..count).map(|_| (random.of(&NUMBERS), random.of(&NUMBERS))).collect(),
            slots: [0; IN_STEP],
            integrand: Odd::new(&mut random),
            fatal: random.of(&[1, 3, 20, 1000, 1000]),
            finished: vec![0; count],
        };
        let options = odd_options(&mut random);
        match catch_unwind(AssertUnwindSafe(|| quad_batch(&mut workspace, &mut batch, 0..count, &options))) {
            Ok(Ok(())) => assert!(batch.finished.iter().all(|times| *times == 1), "{round}"),
            Ok(Err((index, error))) => {
                assert_eq!(index, error);
                assert!(batch.finished[..=index].iter().all(|times| *times == 1), "{round}");
                ended += 1;
            }
            Err(panic) => assert!(panic.is::<Thrown>(), "{round}"),
        }
    }
    assert!(ended > 100, "{ended}");
}
