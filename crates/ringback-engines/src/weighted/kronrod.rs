//! The 15-point Kronrod rule for a function times a weight: QUADPACK's `qk15w`.
//!
//! Nodes and weights have the 16 digits that `qk15w` has, unlike those of [`rule`](crate::rule), and the sums are taken
//! in its order: where a problem is as hard as the arithmetic, the last bit decides on the next bisection.

use crate::estimate::Estimate;
use crate::rule::{half_width, midpoint};

/// How many values the rule takes.
pub(crate) const POINTS_15: usize = 15;
const PAIRS: usize = 7;

/// From the ends inwards; every other pair, from the second on, belongs to the Gauss rule.
const NODES: [f64; PAIRS] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_4,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_5,
];
// The weights add up to 1: the sums are means.
const KRONROD: [f64; PAIRS] = halved([
    0.022_935_322_010_529_22,
    0.063_092_092_629_978_55,
    0.104_790_010_322_250_2,
    0.140_653_259_715_525_9,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_4,
    0.204_432_940_075_298_9,
]);
const KRONROD_CENTRE: f64 = 0.5 * 0.209_482_141_084_727_8;
const GAUSS: [f64; 3] = halved([0.129_484_966_168_869_7, 0.279_705_391_489_276_7, 0.381_830_050_505_118_9]);
const GAUSS_CENTRE: f64 = 0.5 * 0.417_959_183_673_469_4;

const fn halved<const N: usize>(mut weights: [f64; N]) -> [f64; N] {
    let mut i = 0;
    while i < N {
        weights[i] *= 0.5;
        i += 1;
    }
    weights
}

/// The points: the middle of the interval, then pairs from the ends inwards.
#[inline]
pub(crate) fn points_15(a: f64, b: f64) -> [f64; POINTS_15] {
    let (middle, half) = (midpoint(a, b), half_width(a, b));
    let mut x = [middle; POINTS_15];
    for (i, node) in NODES.iter().enumerate() {
        let offset = half * node;
        x[1 + 2 * i] = middle - offset;
        x[2 + 2 * i] = middle + offset;
    }
    x
}

/// Reduces the values of function times weight at those points.
pub(crate) fn reduce_15(a: f64, b: f64, v: &[f64; POINTS_15]) -> Estimate {
    let mut kronrod = KRONROD_CENTRE * v[0];
    let mut gauss = GAUSS_CENTRE * v[0];
    let mut magnitude = kronrod.abs();
    // First the pairs that the Gauss rule has as well.
    for i in [1, 3, 5, 0, 2, 4, 6] {
        let (left, right) = (v[1 + 2 * i], v[2 + 2 * i]);
        let sum = left + right;
        if i % 2 == 1 {
            gauss += GAUSS[i / 2] * sum;
        }
        kronrod += KRONROD[i] * sum;
        magnitude += KRONROD[i] * (left.abs() + right.abs());
    }
    let mut variation = KRONROD_CENTRE * (v[0] - kronrod).abs();
    for i in 0..PAIRS {
        variation += KRONROD[i] * ((v[1 + 2 * i] - kronrod).abs() + (v[2 + 2 * i] - kronrod).abs());
    }
    let width = b - a;
    if width.is_finite() {
        Estimate::from_means(kronrod, gauss, magnitude, variation, width)
    } else {
        Estimate::from_means(2.0 * kronrod, 2.0 * gauss, 2.0 * magnitude, 2.0 * variation, half_width(a, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_exact_for_the_powers_it_promises() {
        for power in 0..=23 {
            let value = reduce_15(0.0, 1.0, &points_15(0.0, 1.0).map(|x| x.powi(power))).value;
            assert!((value * f64::from(power + 1) - 1.0).abs() < 1e-14, "x^{power}: {value}");
        }
    }
}
