//! Expansion of a function in Chebyshev polynomials, from its values at 25 points of an interval.
//!
//! The integral of a function times a weight is the sum of the coefficients times the *moments*, the integrals of the
//! polynomials times the weight, which a recurrence gives: the modified Clenshaw–Curtis method (Piessens and Branders
//! 1975; QUADPACK's `qcheb`). The difference between the sums of degree 12 and 24 is the estimate of the error.

use crate::rule::{half_width, midpoint};

/// How many values an expansion takes; the ends of the interval are among the points.
pub(crate) const POINTS_25: usize = 25;

/// Coefficients, or moments, of degree 0 to 24.
pub(crate) type Degrees = [f64; POINTS_25];

/// `cos(k π / 24)` for k from 0 to 12.
#[allow(clippy::excessive_precision, reason = "rounds to the nearest number, wherever it is read")]
const COSINES: [f64; 13] = [
    1.0,
    0.991_444_861_373_810_411,
    0.965_925_826_289_068_287,
    0.923_879_532_511_286_756,
    0.866_025_403_784_438_647,
    0.793_353_340_291_235_165,
    std::f64::consts::FRAC_1_SQRT_2,
    0.608_761_429_008_720_639,
    0.5,
    0.382_683_432_365_089_772,
    0.258_819_045_102_520_762,
    0.130_526_192_220_051_592,
    0.0,
];

/// The distances of the 25 points from the middle of an interval of this half-width, from the upper end down.
#[inline]
pub(crate) fn offsets(half: f64) -> Degrees {
    let mut u = [0.0; POINTS_25];
    for k in 0..12 {
        u[k] = half * COSINES[k];
        u[24 - k] = -u[k];
    }
    u
}

/// The 25 points of the interval `[a, b]`, from `b` down to `a`.
#[inline]
pub(crate) fn points_25(a: f64, b: f64) -> Degrees {
    let middle = midpoint(a, b);
    let mut x = offsets(half_width(a, b)).map(|u| middle + u);
    // Middle plus half may be rounded to a number outside, where the function need not exist.
    x[0] = x[0].min(b);
    x[24] = x[24].max(a);
    x
}

/// The coefficients up to degree 12 and 24 of one function.
#[derive(Debug, Clone)]
pub(crate) struct Expansion {
    pub(crate) low: [f64; 13],
    pub(crate) high: Degrees,
}

impl Expansion {
    /// Expands the function that has the given values at [`points_25`].
    ///
    /// A cosine transform by halves: the differences of values that lie symmetrically give the coefficients of odd
    /// degree, and the sums are a transform of half the size.
    pub(crate) fn of(values: &Degrees) -> Self {
        let c = &COSINES;
        let mut s = *values;
        s[0] *= 0.5;
        s[24] *= 0.5;
        let mut it = Self { low: [0.0; 13], high: [0.0; POINTS_25] };

        let d = fold::<12>(&mut s);
        let (e, f) = (d[1] - d[7] - d[9], d[3] - d[5] - d[11]);
        it.pair(3, (d[0] - d[8], c[6] * (d[2] - d[6] - d[10])), (c[3] * e + c[9] * f, c[9] * e - c[3] * f));
        it.pair(
            1,
            (d[0] + c[4] * d[4] + c[8] * d[8], c[2] * d[2] + c[6] * d[6] + c[10] * d[10]),
            (
                c[1] * d[1] + c[3] * d[3] + c[5] * d[5] + c[7] * d[7] + c[9] * d[9] + c[11] * d[11],
                c[11] * d[1] - c[9] * d[3] + c[7] * d[5] - c[5] * d[7] + c[3] * d[9] - c[1] * d[11],
            ),
        );
        it.pair(
            5,
            (d[0] - c[4] * d[4] + c[8] * d[8], c[10] * d[2] - c[6] * d[6] + c[2] * d[10]),
            (
                c[5] * d[1] - c[9] * d[3] - c[1] * d[5] - c[11] * d[7] + c[3] * d[9] + c[7] * d[11],
                c[7] * d[1] - c[3] * d[3] - c[11] * d[5] + c[1] * d[7] - c[9] * d[9] - c[5] * d[11],
            ),
        );

        let d = fold::<6>(&mut s);
        it.pair(
            2,
            (d[0] + c[8] * d[4], c[4] * d[2]),
            (c[2] * d[1] + c[6] * d[3] + c[10] * d[5], c[10] * d[1] - c[6] * d[3] + c[2] * d[5]),
        );
        it.single(6, d[0] - d[4], c[6] * (d[1] - d[3] - d[5]));

        let d = fold::<3>(&mut s);
        it.single(4, d[0] + c[8] * d[2], c[4] * d[1]);
        it.single(8, s[0] - c[8] * s[2], c[8] * s[1] - s[3]);
        it.single(0, s[0] + s[2], s[1] + s[3]);
        it.low[12] = d[0] - d[2];
        it.high[12] = it.low[12];

        let scale = 1.0 / 6.0;
        it.low[1..12].iter_mut().for_each(|x| *x *= scale);
        let scale = 0.5 * scale;
        it.low[0] *= scale;
        it.low[12] *= scale;
        it.high[1..24].iter_mut().for_each(|x| *x *= scale);
        it.high[0] *= 0.5 * scale;
        it.high[24] *= 0.5 * scale;
        it
    }

    /// The degrees `k` and `24 - k`: what the values at every other point give, plus and minus what the rest gives.
    #[inline]
    fn single(&mut self, k: usize, even: f64, odd: f64) {
        self.low[k] = even;
        self.high[k] = even + odd;
        self.high[24 - k] = even - odd;
    }

    /// The same for `k` and `12 - k`, of which the first parts are sum and difference of the same two terms.
    #[inline]
    fn pair(&mut self, k: usize, (p, q): (f64, f64), odd: (f64, f64)) {
        self.single(k, p + q, odd.0);
        self.single(12 - k, p - q, odd.1);
    }

    /// The sums of coefficients times moments, of degree 12 and of degree 24.
    #[inline]
    pub(crate) fn integrals(&self, moments: &Degrees) -> (f64, f64) {
        let sum = |coefficients: &[f64]| coefficients.iter().zip(moments).fold(0.0, |sum, (c, m)| sum + c * m);
        (sum(&self.low), sum(&self.high))
    }
}

/// Leaves in `s` the sums of the values at `i` and `2N - i`, and returns their differences.
#[inline]
fn fold<const N: usize>(s: &mut Degrees) -> [f64; N] {
    let mut differences = [0.0; N];
    for (i, difference) in differences.iter_mut().enumerate() {
        *difference = s[i] - s[2 * N - i];
        s[i] += s[2 * N - i];
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_is_its_own_expansion() {
        for degree in 0..=24 {
            // T_n(cos θ) = cos(n θ), at θ = k π / 24.
            let mut values = [0.0; POINTS_25];
            for (k, value) in values.iter_mut().enumerate() {
                *value = (degree as f64 * k as f64 * std::f64::consts::PI / 24.0).cos();
            }
            let found = Expansion::of(&values);
            for k in 0..=24 {
                let expected = if k == degree { 1.0 } else { 0.0 };
                assert!((found.high[k] - expected).abs() < 4e-15, "T_{degree} has {} of T_{k}", found.high[k]);
                if k <= 12 && degree <= 12 {
                    assert!((found.low[k] - expected).abs() < 4e-15, "T_{degree}, half as many points");
                }
            }
        }
    }

    #[test]
    fn points_go_from_the_upper_end_down_and_are_symmetric() {
        let x = points_25(-1.0, 3.0);
        assert_eq!((x[0], x[12], x[24]), (3.0, 1.0, -1.0));
        assert!(x.is_sorted_by(|a, b| a > b));
        for (k, x) in x.iter().enumerate() {
            assert!((x - (1.0 + 2.0 * (k as f64 * std::f64::consts::PI / 24.0).cos())).abs() < 1e-15);
        }
        assert!(points_25(-f64::MAX, f64::MAX).iter().all(|x| x.is_finite()));
    }
}
