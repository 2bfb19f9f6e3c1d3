//! The weights `cos(ω x)` and `sin(ω x)` on one interval: QUADPACK's `qc25f`.

use super::chebyshev::{Degrees, Expansion, POINTS_25};
use super::sampler::{Cell, Scheme, WeightedRule};
use crate::estimate::Estimate;
use crate::rule::{half_width, midpoint};

/// Up to this phase between the middle and an end the weight is smooth enough to belong to the integrand.
const SMOOTH_PHASE: f64 = 2.0;

/// Sine or cosine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wave {
    Cosine,
    Sine,
}

/// The rule for one of both weights, and the moments that were computed so far.
#[derive(Debug)]
pub(crate) struct Oscillating {
    wave: Wave,
    /// Not negative: the sign is put in at the end.
    omega: f64,
    /// The moments for the whole range, for its halves, for its quarters, ...
    kept: Vec<Degrees>,
    keep_at_most: usize,
    /// Those that were computed last, and their level: for the levels that are too deep to be kept.
    last: Degrees,
    last_level: Option<usize>,
}

impl Oscillating {
    /// For a range, or cycles, of this half-width; `maxp1` is the number of levels of bisection whose moments may be in
    /// memory, at least 1.
    pub(crate) fn new(wave: Wave, omega: f64, half: f64, maxp1: usize) -> Self {
        let omega = omega.abs();
        // Each level halves the phase, until it is small. Nothing has to be allocated later.
        let levels = (omega * half / SMOOTH_PHASE).max(0.5).log2().ceil() + 1.0;
        Self {
            wave,
            omega,
            kept: Vec::with_capacity((maxp1 - 1).min(levels as usize)),
            keep_at_most: maxp1 - 1,
            last: [0.0; POINTS_25],
            last_level: None,
        }
    }

    pub(crate) fn omega(&self) -> f64 {
        self.omega
    }

    fn phase(&self, cell: &Cell) -> f64 {
        self.omega * half_width(cell.a, cell.b)
    }

    /// The moments for an interval. Both halves of a bisection use those of the left one.
    fn moments(&mut self, cell: &Cell) -> &Degrees {
        let level = cell.level;
        if level < self.kept.len() {
            return &self.kept[level];
        }
        if !(cell.second && self.last_level == Some(level)) {
            self.last = moments(self.phase(cell));
            self.last_level = Some(level);
            if level == self.kept.len() && level < self.keep_at_most {
                self.kept.push(self.last);
            }
        }
        &self.last
    }
}

impl WeightedRule for Oscillating {
    #[inline]
    fn scheme(&self, cell: &Cell) -> Scheme {
        if self.phase(cell) <= SMOOTH_PHASE { Scheme::Kronrod } else { Scheme::Expansion }
    }

    #[inline]
    fn weight(&self, x: f64) -> f64 {
        match self.wave {
            Wave::Cosine => (self.omega * x).cos(),
            Wave::Sine => (self.omega * x).sin(),
        }
    }

    /// With `x = middle + half·t` the weight is a sum of `cos(phase·t)`, to which only the even polynomials
    /// contribute, and `sin(phase·t)`, to which only the odd ones do.
    fn expand(&mut self, cell: &Cell, y: &Degrees) -> Estimate {
        let half = half_width(cell.a, cell.b);
        let middle = midpoint(cell.a, cell.b);
        let (cosine, sine) = (half * (middle * self.omega).cos(), half * (middle * self.omega).sin());
        let moments = self.moments(cell);
        let Expansion { low, high } = Expansion::of(y);

        let (mut even_12, mut odd_12) = (low[12] * moments[12], 0.0);
        for k in (0..12).step_by(2).rev() {
            even_12 += low[k] * moments[k];
            odd_12 += low[k + 1] * moments[k + 1];
        }
        let (mut even, mut odd) = (high[24] * moments[24], 0.0);
        let mut magnitude = high[24].abs();
        for k in (0..24).step_by(2).rev() {
            even += high[k] * moments[k];
            odd += high[k + 1] * moments[k + 1];
            magnitude = magnitude + high[k].abs() + high[k + 1].abs();
        }
        let (even_error, odd_error) = ((even - even_12).abs(), (odd - odd_12).abs());
        let (value, error) = match self.wave {
            Wave::Cosine => (cosine * even - sine * odd, (cosine * even_error).abs() + (sine * odd_error).abs()),
            Wave::Sine => (cosine * odd + sine * even, (cosine * odd_error).abs() + (sine * even_error).abs()),
        };
        // The variation is not known; so large, it is never taken for the error.
        Estimate { value, error, magnitude: magnitude * half.abs(), variation: f64::MAX }
    }
}

/// The integrals over `[-1, 1]` of `T_k(t) cos(phase t)` for even degrees and of `T_k(t) sin(phase t)` for odd ones.
///
/// The moments of either fulfil a recurrence over every other degree (Piessens and Branders 1975).
fn moments(phase: f64) -> Degrees {
    let square = phase * phase;
    let (sin, cos) = (phase.sin(), phase.cos());

    let mut even = [0.0; UNKNOWNS + 3];
    even[0] = 2.0 * sin / phase;
    even[1] = (8.0 * cos + (square + square - 8.0) * sin / phase) / square;
    even[2] =
        (32.0 * (square - 12.0) * cos + (2.0 * ((square - 80.0) * square + 192.0) * sin) / phase) / (square * square);
    let recurrence = Recurrence { square, first: 6.0, slope: -(8.0 * cos), constant: 24.0 * phase * sin };
    if phase <= BOUNDARY_PHASE {
        let p = phase * sin;
        let end = |n2: f64| {
            (((((210.0 * square - 1.0) * cos - (105.0 * square - 63.0) * p) / n2 - (1.0 - 15.0 * square) * cos
                + 15.0 * p)
                / n2
                - cos
                + 3.0 * p)
                / n2
                - cos)
                / n2
        };
        recurrence.between(&mut even[2..], end);
    } else {
        recurrence.forward(&mut even[1..13]);
    }

    let mut odd = [0.0; UNKNOWNS + 2];
    odd[0] = 2.0 * (sin - phase * cos) / square;
    odd[1] = (18.0 - 48.0 / square) * sin / square + (-2.0 + 48.0 / square) * cos / phase;
    let recurrence = Recurrence { square, first: 5.0, slope: -8.0 * sin, constant: -24.0 * phase * cos };
    if phase <= BOUNDARY_PHASE {
        let p = phase * cos;
        let end = |n2: f64| {
            (((((105.0 * square - 63.0) * p + (210.0 * square - 1.0) * sin) / n2 + (15.0 * square - 1.0) * sin
                - 15.0 * p)
                / n2
                - 3.0 * p
                - sin)
                / n2
                - sin)
                / n2
        };
        recurrence.between(&mut odd[1..], end);
    } else {
        recurrence.forward(&mut odd[..12]);
    }

    let mut all = [0.0; POINTS_25];
    for (k, moment) in all.iter_mut().enumerate() {
        *moment = if k % 2 == 0 { even[k / 2] } else { odd[k / 2] };
    }
    all
}

/// Up to this phase the recurrence is unstable forwards, and is solved between a start and an end.
const BOUNDARY_PHASE: f64 = 24.0;
/// So many moments are then computed at once. The last of them is far beyond those that are needed, and an
/// asymptotic formula is good enough for what follows it.
const UNKNOWNS: usize = 25;

/// The recurrence of the moments `m(n)` of one wave, over `n - 2`, `n`, `n + 2`.
struct Recurrence {
    /// Of the phase.
    square: f64,
    /// The degree of the first unknown of the boundary value problem.
    first: f64,
    /// The right-hand side is `constant + (n² - 4) slope`.
    slope: f64,
    constant: f64,
}

impl Recurrence {
    fn diagonal(&self, n2: f64) -> f64 {
        2.0 * (n2 - 4.0) * (self.square + 2.0 - n2 - n2)
    }

    /// Continues `m`, of which the first two elements are given, and the first is of degree `first - 4`.
    fn forward(&self, m: &mut [f64]) {
        let square = self.square;
        let mut n = self.first - 2.0;
        for i in 2..m.len() {
            let n2 = n * n;
            m[i] = ((n2 - 4.0) * (2.0 * (square + 2.0 - n2 - n2) * m[i - 1] + self.slope) + self.constant
                - square * (n + 1.0) * (n + 2.0) * m[i - 2])
                / (square * (n - 1.0) * (n - 2.0));
            n += 2.0;
        }
    }

    /// Solves for all elements of `m` but the first, which is given, and is of degree `first - 2`. `end` is the
    /// moment that would follow the last one.
    fn between(&self, m: &mut [f64], end: impl Fn(f64) -> f64) {
        let square = self.square;
        let mut system = Tridiagonal::default();
        let (start, x) = m.split_at_mut(1);
        let mut n = self.first;
        for (k, x) in x.iter_mut().enumerate() {
            let n2 = n * n;
            system.diagonal[k] = -self.diagonal(n2);
            *x = self.constant + (n2 - 4.0) * self.slope;
            if k + 1 < UNKNOWNS {
                system.above[k] = (n - 1.0) * (n - 2.0) * square;
                system.below[k] = (n + 3.0) * (n + 4.0) * square;
                n += 2.0;
            }
        }
        x[0] -= (self.first + 1.0) * (self.first + 2.0) * square * start[0];
        x[UNKNOWNS - 1] -= 2.0 * end(n * n) * square * (n - 1.0) * (n - 2.0);
        system.solve(x);
    }
}

/// A system of linear equations, each with three neighbouring unknowns.
#[derive(Default)]
struct Tridiagonal {
    below: [f64; UNKNOWNS],
    diagonal: [f64; UNKNOWNS],
    above: [f64; UNKNOWNS],
    /// What exchanged rows bring in, two above the diagonal.
    far_above: [f64; UNKNOWNS],
}

impl Tridiagonal {
    /// Gaussian elimination with exchange of neighbouring rows.
    fn solve(&mut self, x: &mut [f64]) {
        let Self { below, diagonal, above, far_above } = self;
        let last = UNKNOWNS - 1;
        for i in 0..last {
            if diagonal[i].abs() >= below[i].abs() {
                let factor = below[i] / diagonal[i];
                diagonal[i + 1] -= factor * above[i];
                x[i + 1] -= factor * x[i];
            } else {
                let factor = diagonal[i] / below[i];
                diagonal[i] = below[i];
                let (upper, lower) = (above[i], diagonal[i + 1]);
                above[i] = lower;
                diagonal[i + 1] = upper - factor * lower;
                if i + 1 < last {
                    far_above[i] = above[i + 1];
                    above[i + 1] = -factor * far_above[i];
                }
                (x[i], x[i + 1]) = (x[i + 1], x[i] - factor * x[i + 1]);
            }
        }
        x[last] /= diagonal[last];
        x[last - 1] = (x[last - 1] - above[last - 1] * x[last]) / diagonal[last - 1];
        for i in (0..last - 1).rev() {
            x[i] = (x[i] - above[i] * x[i + 1] - far_above[i] * x[i + 2]) / diagonal[i];
        }
    }
}
