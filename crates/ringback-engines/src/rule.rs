//! Gauss–Kronrod rules: from an interval to the points where the integrand is wanted, and from its values to an
//! estimate of the integral with its error.
//!
//! A rule is applied in three steps, kept apart on purpose: write the abscissas, have the integrand evaluated, reduce
//! the values. Several intervals can thus share one call of the integrand.
//!
//! Nodes and weights are those of Kronrod (1965) as tabulated in the QUADPACK book (Piessens, de Doncker-Kapenga,
//! Überhuber, Kahaner 1983), and the sums are taken in the order used there: the decisions of the adaptive algorithm
//! compare these numbers with rounding errors, so another order would sometimes subdivide elsewhere.

/// The most points any rule here asks for, the size of the blocks on the stack.
pub(crate) const MAX_POINTS: usize = 30;

/// What one application of a rule says about the integral over one interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Estimate {
    /// The Kronrod sum.
    pub(crate) value: f64,
    /// Bound on the error of `value`, judged from the distance to the Gauss sum.
    pub(crate) error: f64,
    /// The integral of the absolute value.
    pub(crate) magnitude: f64,
    /// The integral of the distance from the mean: how much the integrand varies.
    pub(crate) variation: f64,
}

impl Estimate {
    /// Scales the sums of a rule on `[-1, 1]` to an interval of half-width `half` and judges the error.
    ///
    /// The error is the difference of the two sums, made smaller where it is small beside the variation of the
    /// integrand (the Kronrod sum is then much better than the difference tells: power 3/2 is QUADPACK's
    /// experience), and never below what rounding alone may cost.
    #[inline]
    pub(crate) fn from_sums(kronrod: f64, gauss: f64, magnitude: f64, variation: f64, half: f64) -> Self {
        let magnitude = magnitude * half;
        let variation = variation * half;
        let error = ((kronrod - gauss) * half).abs();
        let has_floor = magnitude > f64::MIN_POSITIVE / (50.0 * f64::EPSILON);
        let floor = if has_floor { f64::EPSILON * 50.0 * magnitude } else { 0.0 };
        let error = if variation != 0.0 && error != 0.0 { sharpened(error, variation, floor) } else { error };
        let error = if has_floor { f64::max(floor, error) } else { error };
        Self { value: kronrod * half, error, magnitude, variation }
    }

    /// False if a value was not finite, or if finite values were too large for the sums.
    #[inline]
    pub(crate) fn is_finite(&self) -> bool {
        self.value.is_finite() && self.error.is_finite() && self.magnitude.is_finite()
    }
}

/// The error made smaller where it is small beside the variation; anything below `floor` may come back as 0.
///
/// The general power takes longer than all the sums of a rule, so it is left out where its result would not show:
/// where it is 1 or more, and where it is below the floor. The square root, which rounds differently, only decides
/// the latter, with a wide margin.
#[inline]
fn sharpened(error: f64, variation: f64, floor: f64) -> f64 {
    let ratio = 200.0 * error / variation;
    if ratio.is_nan() || ratio >= 1.0 {
        variation
    } else if variation * (ratio * ratio.sqrt()) < 0.99 * floor {
        0.0
    } else {
        variation * f64::min(1.0, ratio.powf(1.5))
    }
}

/// A quadrature rule on an interval of the engine's variable.
pub(crate) trait Rule {
    /// How many values one application takes, at most [`MAX_POINTS`].
    const POINTS: usize;

    /// Writes the points, in the user's variable, at which the interval `[a, b]` wants the integrand.
    fn abscissas(&self, a: f64, b: f64, x: &mut [f64; MAX_POINTS]);

    /// Turns the values at those points into an estimate.
    fn reduce(&self, a: f64, b: f64, y: &[f64; MAX_POINTS]) -> Estimate;
}

/// The middle of an interval, also where the sum of its ends is out of range.
#[inline]
pub(crate) fn midpoint(a: f64, b: f64) -> f64 {
    let sum = a + b;
    if sum.is_finite() { 0.5 * sum } else { 0.5 * a + 0.5 * b }
}

#[inline]
pub(crate) fn half_width(a: f64, b: f64) -> f64 {
    let width = b - a;
    if width.is_finite() { 0.5 * width } else { 0.5 * b - 0.5 * a }
}

/// The 21-point Kronrod extension of the 10-point Gauss rule, on a finite interval.
///
/// Values are laid out as centre, then pairs left and right of it: first the five pairs that the Gauss rule has,
/// then the five that Kronrod added, from the ends inwards.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finite;

const PAIRS_21: usize = 10;
const NODES_21: [f64; PAIRS_21] = [
    0.973_906_528_517_171_7,
    0.865_063_366_688_984_5,
    0.679_409_568_299_024_4,
    0.433_395_394_129_247_2,
    0.148_874_338_981_631_22,
    0.995_657_163_025_808_1,
    0.930_157_491_355_708_2,
    0.780_817_726_586_416_9,
    0.562_757_134_668_604_7,
    0.294_392_862_701_460_2,
];
const KRONROD_21: [f64; PAIRS_21] = [
    0.032_558_162_307_964_725,
    0.075_039_674_810_919_96,
    0.109_387_158_802_297_64,
    0.134_709_217_311_473_34,
    0.147_739_104_901_338_49,
    0.011_694_638_867_371_874,
    0.054_755_896_574_351_995,
    0.093_125_454_583_697_6,
    0.123_491_976_262_065_84,
    0.142_775_938_577_060_09,
];
const CENTRE_21: f64 = 0.149_445_554_002_916_9;
const GAUSS_10: [f64; 5] = [
    0.066_671_344_308_688_14,
    0.149_451_349_150_580_6,
    0.219_086_362_515_982_04,
    0.269_266_719_309_996_35,
    0.295_524_224_714_752_87,
];

impl Rule for Finite {
    const POINTS: usize = 1 + 2 * PAIRS_21;

    #[inline]
    fn abscissas(&self, a: f64, b: f64, x: &mut [f64; MAX_POINTS]) {
        let centre = midpoint(a, b);
        let half = half_width(a, b);
        x[0] = centre;
        for (i, node) in NODES_21.iter().enumerate() {
            let offset = half * node;
            x[1 + 2 * i] = centre - offset;
            x[2 + 2 * i] = centre + offset;
        }
    }

    #[inline]
    fn reduce(&self, a: f64, b: f64, y: &[f64; MAX_POINTS]) -> Estimate {
        let mut kronrod = CENTRE_21 * y[0];
        let mut gauss = 0.0;
        let mut magnitude = kronrod.abs();
        for i in 0..PAIRS_21 {
            let (left, right) = (y[1 + 2 * i], y[2 + 2 * i]);
            let sum = left + right;
            if i < GAUSS_10.len() {
                gauss += GAUSS_10[i] * sum;
            }
            kronrod += KRONROD_21[i] * sum;
            magnitude += KRONROD_21[i] * (left.abs() + right.abs());
        }
        let mean = 0.5 * kronrod;
        let mut variation = CENTRE_21 * (y[0] - mean).abs();
        // From the ends inwards the two kinds of pairs alternate, an added one first.
        for step in 0..PAIRS_21 {
            let i = if step % 2 == 0 { 5 + step / 2 } else { step / 2 };
            variation += KRONROD_21[i] * ((y[1 + 2 * i] - mean).abs() + (y[2 + 2 * i] - mean).abs());
        }
        Estimate::from_sums(kronrod, gauss, magnitude, variation, half_width(a, b))
    }
}

const PAIRS_15: usize = 7;
const POINTS_15: usize = 1 + 2 * PAIRS_15;
const NODES_15: [f64; PAIRS_15] = [
    0.991_455_371_120_812_6,
    0.949_107_912_342_758_5,
    0.864_864_423_359_769_1,
    0.741_531_185_599_394_5,
    0.586_087_235_467_691_1,
    0.405_845_151_377_397_2,
    0.207_784_955_007_898_47,
];
const KRONROD_15: [f64; PAIRS_15] = [
    0.022_935_322_010_529_224,
    0.063_092_092_629_978_56,
    0.104_790_010_322_250_19,
    0.140_653_259_715_525_92,
    0.169_004_726_639_267_9,
    0.190_350_578_064_785_42,
    0.204_432_940_075_298_89,
];
const CENTRE_15: f64 = 0.209_482_141_084_727_82;
const GAUSS_7: [f64; 3] = [0.129_484_966_168_869_7, 0.279_705_391_489_276_64, 0.381_830_050_505_118_9];
const GAUSS_7_CENTRE: f64 = 0.417_959_183_673_469_4;

/// The 15 points `t` of the rule for infinite ranges, in `(0, 1)`: centre, then pairs from the ends inwards.
#[inline]
fn points_15(a: f64, b: f64) -> [f64; POINTS_15] {
    let centre = midpoint(a, b);
    let half = half_width(a, b);
    let mut t = [centre; POINTS_15];
    for (i, node) in NODES_15.iter().enumerate() {
        let offset = half * node;
        t[1 + 2 * i] = centre - offset;
        t[2 + 2 * i] = centre + offset;
    }
    t
}

/// Reduces the values `y` at `x(t)`, with `|dx/dt| = 1/t²`, over the part `[a, b]` of `(0, 1)`.
#[inline]
fn reduce_15(a: f64, b: f64, y: &[f64; POINTS_15]) -> Estimate {
    let t = points_15(a, b);
    let mut v = [0.0; POINTS_15];
    for i in 0..POINTS_15 {
        // Twice, as t² may be too small to be told from zero.
        v[i] = y[i] / t[i] / t[i];
    }
    let mut kronrod = CENTRE_15 * v[0];
    let mut gauss = GAUSS_7_CENTRE * v[0];
    let mut magnitude = kronrod.abs();
    for i in 0..PAIRS_15 {
        let (left, right) = (v[1 + 2 * i], v[2 + 2 * i]);
        let sum = left + right;
        if i % 2 == 1 {
            gauss += GAUSS_7[i / 2] * sum;
        }
        kronrod += KRONROD_15[i] * sum;
        magnitude += KRONROD_15[i] * (left.abs() + right.abs());
    }
    let mean = 0.5 * kronrod;
    let mut variation = CENTRE_15 * (v[0] - mean).abs();
    for i in 0..PAIRS_15 {
        variation += KRONROD_15[i] * ((v[1 + 2 * i] - mean).abs() + (v[2 + 2 * i] - mean).abs());
    }
    Estimate::from_sums(kronrod, gauss, magnitude, variation, half_width(a, b))
}

/// The 15-point rule on `(0, 1)`, mapped to a half-line by `x = origin ± (1 - t) / t`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HalfLine {
    /// Where the range begins.
    pub(crate) origin: f64,
    /// `1.0` for a range up to `+inf`, `-1.0` for one down from `-inf`.
    pub(crate) direction: f64,
}

impl Rule for HalfLine {
    const POINTS: usize = POINTS_15;

    #[inline]
    fn abscissas(&self, a: f64, b: f64, x: &mut [f64; MAX_POINTS]) {
        let t = points_15(a, b);
        for i in 0..POINTS_15 {
            x[i] = self.origin + self.direction * (1.0 - t[i]) / t[i];
        }
    }

    #[inline]
    fn reduce(&self, a: f64, b: f64, y: &[f64; MAX_POINTS]) -> Estimate {
        let mut values = [0.0; POINTS_15];
        values.copy_from_slice(&y[..POINTS_15]);
        reduce_15(a, b, &values)
    }
}

/// The whole line, folded at zero onto the half-line: `f(x) + f(-x)` at the points of [`HalfLine`].
///
/// The block holds the 15 positive points and then, in the same order, their mirror images.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WholeLine;

impl Rule for WholeLine {
    const POINTS: usize = 2 * POINTS_15;

    #[inline]
    fn abscissas(&self, a: f64, b: f64, x: &mut [f64; MAX_POINTS]) {
        let t = points_15(a, b);
        for i in 0..POINTS_15 {
            x[i] = (1.0 - t[i]) / t[i];
            x[POINTS_15 + i] = -x[i];
        }
    }

    #[inline]
    fn reduce(&self, a: f64, b: f64, y: &[f64; MAX_POINTS]) -> Estimate {
        let mut values = [0.0; POINTS_15];
        for i in 0..POINTS_15 {
            values[i] = y[i] + y[POINTS_15 + i];
        }
        reduce_15(a, b, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply<R: Rule>(rule: &R, a: f64, b: f64, f: impl Fn(f64) -> f64) -> Estimate {
        let mut x = [f64::NAN; MAX_POINTS];
        let mut y = [f64::NAN; MAX_POINTS];
        rule.abscissas(a, b, &mut x);
        for i in 0..R::POINTS {
            y[i] = f(x[i]);
        }
        rule.reduce(a, b, &y)
    }

    #[test]
    fn weights_add_up_to_the_length_of_the_interval() {
        let one = apply(&Finite, -1.0, 1.0, |_| 1.0);
        assert!((one.value - 2.0).abs() < 1e-15);
        assert!((one.magnitude - 2.0).abs() < 1e-15);
        assert!(one.variation < 1e-15);
        let kronrod: f64 = CENTRE_15 + 2.0 * KRONROD_15.iter().sum::<f64>();
        let gauss: f64 = GAUSS_7_CENTRE + 2.0 * GAUSS_7.iter().sum::<f64>();
        assert!((kronrod - 2.0).abs() < 1e-15);
        assert!((gauss - 2.0).abs() < 1e-15);
        assert!((2.0 * GAUSS_10.iter().sum::<f64>() - 2.0).abs() < 1e-15);
    }

    #[test]
    fn both_rules_are_exact_for_the_powers_they_promise() {
        // 3n + 1 for the Kronrod extension of an n-point Gauss rule with n even, 3n + 2 with n odd.
        for power in 0..=31 {
            let value = apply(&Finite, 0.0, 1.0, |x| x.powi(power)).value;
            assert!((value * f64::from(power + 1) - 1.0).abs() < 1e-14, "x^{power}: {value}");
        }
        for power in 0..=23 {
            // With x = (1 - t) / t, t = 1 / (1 + x): this integrand becomes t^power.
            let half = HalfLine { origin: 0.0, direction: 1.0 };
            let value = apply(&half, 0.0, 1.0, |x| (1.0 + x).powi(-2 - power)).value;
            assert!((value * f64::from(power + 1) - 1.0).abs() < 1e-13, "t^{power}: {value}");
        }
    }

    #[test]
    fn lines_reach_the_right_points() {
        let gauss = |x: f64| (-x * x).exp();
        let root = std::f64::consts::PI.sqrt();
        let up = HalfLine { origin: 0.0, direction: 1.0 };
        let down = HalfLine { origin: 0.0, direction: -1.0 };
        for (value, exact) in [
            (apply(&up, 0.0, 1.0, gauss).value, root / 2.0),
            (apply(&down, 0.0, 1.0, gauss).value, root / 2.0),
            (apply(&WholeLine, 0.0, 1.0, gauss).value, root),
        ] {
            assert!((value - exact).abs() < 1e-4);
        }
    }

    #[test]
    fn intervals_as_wide_as_the_number_range_have_finite_points() {
        let mut x = [0.0; MAX_POINTS];
        Finite.abscissas(-f64::MAX, f64::MAX, &mut x);
        assert!(x.iter().all(|x| x.is_finite()));
        Finite.abscissas(1e308, f64::MAX, &mut x);
        assert!(x[..Finite::POINTS].iter().all(|x| (1e308..=f64::MAX).contains(x)));
    }

    #[test]
    fn a_value_that_is_not_finite_shows_in_the_estimate() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut calls = 0;
            let cell = std::cell::RefCell::new(&mut calls);
            let estimate = apply(&WholeLine, 0.0, 1.0, |x| {
                **cell.borrow_mut() += 1;
                if **cell.borrow() == 17 { bad } else { (-x * x).exp() }
            });
            assert!(!estimate.is_finite());
        }
    }
}
