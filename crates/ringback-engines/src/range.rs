//! The box that is integrated over: its sides, infinite ones mapped to finite ones, and its sign.

use crate::InvalidBox;
use crate::field::MAX_DIMS;

/// How one coordinate depends on the engine's variable `t`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    /// `x = t`.
    Finite,
    /// `x = origin + direction * t / (1 - t)`, with `t` from 0 to 1.
    HalfLine { origin: f64, direction: f64 },
    /// `x = t / (1 - t²)`, with `t` from -1 to 1.
    Line,
}

/// A box in the engine's variables, all finite, and the way back to the user's.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    /// Lower ends in the engine's variables.
    pub(crate) low: Vec<f64>,
    /// Upper ends in the engine's variables.
    pub(crate) high: Vec<f64>,
    sides: Vec<Side>,
    /// -1 if an odd number of sides was given backwards.
    pub(crate) sign: f64,
    /// Some side has no length.
    pub(crate) empty: bool,
}

impl Range {
    pub(crate) fn new(a: &[f64], b: &[f64]) -> Result<Self, InvalidBox> {
        if a.len() != b.len() {
            return Err(InvalidBox::Lengths { a: a.len(), b: b.len() });
        }
        assert!(a.len() <= MAX_DIMS, "the engines check the number of dimensions first");
        let mut range = Range { low: vec![], high: vec![], sides: vec![], sign: 1.0, empty: false };
        for (dim, (&a, &b)) in a.iter().zip(b).enumerate() {
            if a.is_nan() || b.is_nan() {
                return Err(InvalidBox::NanLimit { dim, a, b });
            }
            range.empty |= a == b;
            let (low, high) = if b < a { (b, a) } else { (a, b) };
            if b < a {
                range.sign = -range.sign;
            }
            let (side, low, high) = match (low.is_finite(), high.is_finite()) {
                (true, true) => (Side::Finite, low, high),
                (true, false) => (Side::HalfLine { origin: low, direction: 1.0 }, 0.0, 1.0),
                (false, true) => (Side::HalfLine { origin: high, direction: -1.0 }, 0.0, 1.0),
                (false, false) => (Side::Line, -1.0, 1.0),
            };
            range.sides.push(side);
            range.low.push(low);
            range.high.push(high);
        }
        Ok(range)
    }

    pub(crate) fn dims(&self) -> usize {
        self.sides.len()
    }

    /// Maps columns of the engine's variables to the user's, in place. If some side is infinite, writes to `jacobian`
    /// what each value has to be multiplied with, and returns true.
    #[inline]
    pub(crate) fn map(&self, coordinates: &mut [f64], jacobian: &mut [f64]) -> bool {
        let mut mapped = false;
        for (side, column) in self.sides.iter().zip(coordinates.chunks_exact_mut(jacobian.len())) {
            if *side == Side::Finite {
                continue;
            }
            if !mapped {
                jacobian.fill(1.0);
                mapped = true;
            }
            for (x, jacobian) in column.iter_mut().zip(&mut *jacobian) {
                let t = *x;
                let slope;
                (*x, slope) = match *side {
                    Side::Finite => (t, 1.0),
                    Side::HalfLine { origin, direction } => {
                        let left = 1.0 - t;
                        (origin + direction * (t / left), 1.0 / (left * left))
                    }
                    Side::Line => {
                        let left = (1.0 - t) * (1.0 + t);
                        (t / left, (1.0 + t * t) / (left * left))
                    }
                };
                *jacobian *= slope;
            }
        }
        mapped
    }

    /// The engine's variables for a point in the user's.
    pub(crate) fn inverse(&self, x: &[f64]) -> Vec<f64> {
        let sides = self.sides.iter().zip(x);
        sides
            .map(|(side, &x)| match *side {
                Side::Finite => x,
                Side::HalfLine { origin, direction } => {
                    let distance = direction * (x - origin);
                    if distance == f64::INFINITY { 1.0 } else { distance / (1.0 + distance) }
                }
                // Of t / (1 - t²) = x, written so that nothing cancels; `hypot` does not overflow.
                Side::Line => {
                    if x.is_infinite() {
                        x.signum()
                    } else {
                        2.0 * (x / (1.0 + f64::hypot(1.0, 2.0 * x)))
                    }
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INF: f64 = f64::INFINITY;

    #[test]
    fn there_and_back_again() {
        let range = Range::new(&[-1.0, 2.0, -INF, -INF], &[1.0, INF, 3.0, INF]).unwrap();
        assert_eq!((range.sign, range.empty), (1.0, false));
        assert_eq!((range.low.as_slice(), range.high.as_slice()), (&[-1.0, 0.0, 0.0, -1.0][..], &[1.0; 4][..]));
        for x in [[0.5, 3.0, 2.0, 0.0], [-0.25, 100.0, -1e3, 1e3], [0.0, 2.0, 3.0, -0.7]] {
            let mut t = range.inverse(&x);
            assert!(range.map(&mut t, &mut [0.0]));
            for (t, x) in t.iter().zip(x) {
                assert!((t - x).abs() <= 1e-12 * x.abs(), "{t} {x}");
            }
        }
        assert_eq!(range.inverse(&[0.0, INF, -INF, INF]), [0.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn the_jacobian_is_the_slope() {
        let range = Range::new(&[-INF, 2.0], &[INF, INF]).unwrap();
        let at = |t: [f64; 2]| {
            let (mut x, mut jacobian) = (t, [0.0]);
            range.map(&mut x, &mut jacobian);
            (x, jacobian[0])
        };
        for (s, t) in [(-0.5, 0.25), (0.0, 0.5), (0.8, 0.9)] {
            let h = 1e-6;
            let slope = (at([s + h, t]).0[0] - at([s - h, t]).0[0]) * (at([s, t + h]).0[1] - at([s, t - h]).0[1]);
            let expected = slope / (4.0 * h * h);
            assert!((at([s, t]).1 / expected - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn the_sign_counts_the_sides_that_are_backwards() {
        assert_eq!(Range::new(&[1.0, 0.0], &[0.0, 1.0]).unwrap().sign, -1.0);
        assert_eq!(Range::new(&[1.0, INF], &[0.0, 1.0]).unwrap().sign, 1.0);
        assert!(Range::new(&[1.0, INF], &[0.0, INF]).unwrap().empty);
        assert!(matches!(Range::new(&[f64::NAN], &[0.0]), Err(InvalidBox::NanLimit { dim: 0, .. })));
        assert!(matches!(Range::new(&[0.0], &[]), Err(InvalidBox::Lengths { a: 1, b: 0 })));
    }
}
