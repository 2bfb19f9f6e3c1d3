//! Gauss–Kronrod rules: from an interval to the points where the integrand is wanted, and from its values to an
//! estimate of the integral with its error.
//!
//! A rule is applied in three steps, kept apart on purpose: write the abscissas, have the integrand evaluated, reduce
//! the values. Several intervals can thus share one call of the integrand.
//!
//! Nodes and weights are those of Kronrod (1965) as tabulated in the QUADPACK book (Piessens, de Doncker-Kapenga,
//! Überhuber, Kahaner 1983). The sums are taken eight at a time, which is not the order used there, so that they differ
//! from QUADPACK's by rounding; where a function is antisymmetric about the middle of an interval, they are exactly 0
//! there and here. Intervals that are mirror images of each other have the same sums for functions that are.

use crate::eight::{EIGHT, Eight, Simd};
use crate::estimate::Sums;

/// Points in rows of whole vectors: the most that one application of a rule takes.
pub(crate) const MOST: usize = 4 * EIGHT;

/// What a rule keeps from the points for the values: `|dt/dx|` by row of vectors.
pub(crate) type Slopes = [[f64; EIGHT]; 2];

/// A quadrature rule on an interval of the engine's variable.
pub(crate) trait Rule {
    /// The rows of points one application takes. Each has a place for [`VECTORS`](Self::VECTORS) times eight, of which
    /// only the first [`COLUMNS`](Self::COLUMNS) count; the others repeat one of them, with a weight of 0.
    const ROWS: usize;
    const VECTORS: usize;
    const COLUMNS: usize;
    /// The column that they repeat: that of the centre.
    const CENTRE: usize;

    /// Whether the values are scaled to the width of the interval before they are summed up.
    const SCALES: bool;

    /// How many values that count one application takes.
    const POINTS: usize = Self::ROWS * Self::COLUMNS;
    /// How many places it takes, at most [`MOST`].
    const PLACES: usize = Self::ROWS * Self::VECTORS * EIGHT;

    /// Writes the points, in the user's variable, at which an interval with this centre and half-width wants the integrand.
    /// A negative half-width gives the same points, each in the place of its mirror image.
    fn abscissas<S: Simd>(&self, simd: S, centre: f64, half: f64, x: &mut [[f64; EIGHT]], slopes: &mut Slopes);

    /// Whether an interval that ends at `t` ends at this place, in the user's variable, as far as rounding lets one tell.
    fn is_place(&self, t: f64, x: f64) -> bool;

    /// Sums up the values at those points, for interval `i` of two, of this width.
    fn reduce<S: Simd>(&self, simd: S, y: &[[f64; EIGHT]], slopes: &Slopes, width: f64, sums: &mut Sums, i: usize);
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

/// Nodes on `[-1, 1]` with both weights, `V` vectors of them, each in one line of the cache.
///
/// The weights add up to 1, half of what is usual, which costs no bit: sums are then means, and in range if the values are.
#[repr(align(64))]
struct Table<const V: usize> {
    nodes: [[f64; EIGHT]; V],
    kronrod: [[f64; EIGHT]; V],
    gauss: [[f64; EIGHT]; V],
}

impl<const V: usize> Table<V> {
    /// Of `(node, Kronrod weight, Gauss weight)` for the positive nodes, and for the centre.
    ///
    /// A node and its mirror image get places whose values are added to each other before anything else is: those of
    /// the first eight pairs are in the first and second vector, the others in the two quarters of the third. The centre
    /// has the next place, and whatever is left over repeats it without a weight.
    const fn new<const P: usize>(pairs: &[(f64, f64, f64); P], centre: (f64, f64)) -> Self {
        let zero = [[0.0; EIGHT]; V];
        let mut table = Self { nodes: zero, kronrod: zero, gauss: zero };
        let mut i = 0;
        while i < P {
            let (v, left, w, right) = if i < EIGHT { (0, i, 1, i) } else { (2, i - EIGHT, 2, i - EIGHT + P - EIGHT) };
            let (node, kronrod, gauss) = pairs[i];
            (table.nodes[v][left], table.kronrod[v][left], table.gauss[v][left]) = (-node, kronrod, gauss);
            (table.nodes[w][right], table.kronrod[w][right], table.gauss[w][right]) = (node, kronrod, gauss);
            i += 1;
        }
        let (v, middle) = if P < EIGHT { (0, P) } else { (2, 2 * (P - EIGHT)) };
        (table.kronrod[v][middle], table.gauss[v][middle]) = centre;
        let mut v = 0;
        while v < V {
            let mut i = 0;
            while i < EIGHT {
                table.kronrod[v][i] *= 0.5;
                table.gauss[v][i] *= 0.5;
                i += 1;
            }
            v += 1;
        }
        table
    }

    /// Sums up values.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "what of an iterator is not inlined has no vectors")]
    fn reduce<S: Simd>(&self, simd: S, values: &[Eight<S>; V], sums: &mut Sums, i: usize) {
        let weights = Eight::load(simd, &self.kronrod[0]);
        let mut kronrod = weights * values[0];
        let mut gauss = Eight::load(simd, &self.gauss[0]) * values[0];
        let mut magnitude = weights * values[0].abs();
        for v in 1..V {
            let weights = Eight::load(simd, &self.kronrod[v]);
            kronrod = kronrod + weights * values[v];
            gauss = gauss + Eight::load(simd, &self.gauss[v]) * values[v];
            magnitude = magnitude + weights * values[v].abs();
        }
        let kronrod = kronrod.sum();
        let mean = Eight::splat(simd, kronrod);
        let mut variation = weights * (values[0] - mean).abs();
        for v in 1..V {
            variation = variation + Eight::load(simd, &self.kronrod[v]) * (values[v] - mean).abs();
        }
        sums.kronrod[i] = kronrod;
        sums.gauss[i] = gauss.sum();
        sums.magnitude[i] = magnitude.sum();
        sums.variation[i] = variation.sum();
    }
}

/// The 21-point Kronrod extension of the 10-point Gauss rule, on a finite interval.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finite;

static RULE_21: Table<3> = Table::new(
    &[
        (0.973_906_528_517_171_7, 0.032_558_162_307_964_725, 0.066_671_344_308_688_14),
        (0.865_063_366_688_984_5, 0.075_039_674_810_919_96, 0.149_451_349_150_580_6),
        (0.679_409_568_299_024_4, 0.109_387_158_802_297_64, 0.219_086_362_515_982_04),
        (0.433_395_394_129_247_2, 0.134_709_217_311_473_34, 0.269_266_719_309_996_35),
        (0.148_874_338_981_631_22, 0.147_739_104_901_338_49, 0.295_524_224_714_752_87),
        (0.995_657_163_025_808_1, 0.011_694_638_867_371_874, 0.0),
        (0.930_157_491_355_708_2, 0.054_755_896_574_351_995, 0.0),
        (0.780_817_726_586_416_9, 0.093_125_454_583_697_6, 0.0),
        (0.562_757_134_668_604_7, 0.123_491_976_262_065_84, 0.0),
        (0.294_392_862_701_460_2, 0.142_775_938_577_060_09, 0.0),
    ],
    (0.149_445_554_002_916_9, 0.0),
);

impl Rule for Finite {
    const ROWS: usize = 1;
    const VECTORS: usize = 3;
    const COLUMNS: usize = 21;
    const CENTRE: usize = 20;
    const SCALES: bool = false;

    #[inline(always)]
    fn abscissas<S: Simd>(&self, simd: S, centre: f64, half: f64, x: &mut [[f64; EIGHT]], _: &mut Slopes) {
        let (centre, half) = (Eight::splat(simd, centre), Eight::splat(simd, half));
        for (x, nodes) in x.iter_mut().zip(&RULE_21.nodes) {
            (centre + half * Eight::load(simd, nodes)).store(x);
        }
    }

    fn is_place(&self, t: f64, x: f64) -> bool {
        t == x
    }

    #[inline(always)]
    fn reduce<S: Simd>(&self, simd: S, y: &[[f64; EIGHT]], _: &Slopes, _: f64, sums: &mut Sums, i: usize) {
        let mut values = [Eight::splat(simd, 0.0); 3];
        for v in 0..3 {
            values[v] = Eight::load(simd, &y[v]);
        }
        RULE_21.reduce(simd, &values, sums, i);
    }
}

/// The 15-point Kronrod extension of the 7-point Gauss rule, for infinite ranges.
static RULE_15: Table<2> = Table::new(
    &[
        (0.991_455_371_120_812_6, 0.022_935_322_010_529_224, 0.0),
        (0.949_107_912_342_758_5, 0.063_092_092_629_978_56, 0.129_484_966_168_869_7),
        (0.864_864_423_359_769_1, 0.104_790_010_322_250_19, 0.0),
        (0.741_531_185_599_394_5, 0.140_653_259_715_525_92, 0.279_705_391_489_276_64),
        (0.586_087_235_467_691_1, 0.169_004_726_639_267_9, 0.0),
        (0.405_845_151_377_397_2, 0.190_350_578_064_785_42, 0.381_830_050_505_118_9),
        (0.207_784_955_007_898_47, 0.204_432_940_075_298_89, 0.0),
    ],
    (0.209_482_141_084_727_82, 0.417_959_183_673_469_4),
);

/// The distances `x = (1 - t) / t` from where a half-line begins, at the points `t` for an interval within `(0, 1)`.
///
/// There is one division for `x` and the slope `1/t²`, not the three of QUADPACK, which take longer than a short
/// integrand: the points may differ in the last place.
#[inline(always)]
fn distances<S: Simd>(simd: S, centre: f64, half: f64, slopes: &mut Slopes) -> [Eight<S>; 2] {
    let one = Eight::splat(simd, 1.0);
    let (centre, half) = (Eight::splat(simd, centre), Eight::splat(simd, half));
    let mut distances = [one; 2];
    for v in 0..2 {
        let t = centre + half * Eight::load(simd, &RULE_15.nodes[v]);
        let inverse = one / t;
        inverse.store(&mut slopes[v]);
        distances[v] = (one - t) * inverse;
    }
    distances
}

/// One of them.
fn distance(t: f64) -> f64 {
    (1.0 - t) * (1.0 / t)
}

/// Sums up the values at those points, with the slope, over a part of `(0, 1)`.
///
/// The width is put in here. It is a power of two, so no bit depends on when; but far out 1/t² is so large that values
/// are out of range without it.
#[inline(always)]
fn reduce_15<S: Simd>(simd: S, slopes: &Slopes, mut values: [Eight<S>; 2], width: f64, sums: &mut Sums, i: usize) {
    let width = Eight::splat(simd, width);
    for v in 0..2 {
        let inverse = Eight::load(simd, &slopes[v]);
        values[v] = values[v] * (inverse * width) * inverse;
    }
    RULE_15.reduce(simd, &values, sums, i);
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
    const ROWS: usize = 1;
    const VECTORS: usize = 2;
    const COLUMNS: usize = 15;
    const CENTRE: usize = 7;
    const SCALES: bool = true;

    #[inline(always)]
    fn abscissas<S: Simd>(&self, simd: S, centre: f64, half: f64, x: &mut [[f64; EIGHT]], slopes: &mut Slopes) {
        let (origin, direction) = (Eight::splat(simd, self.origin), Eight::splat(simd, self.direction));
        let distances = distances(simd, centre, half, slopes);
        for v in 0..2 {
            (origin + direction * distances[v]).store(&mut x[v]);
        }
    }

    fn is_place(&self, t: f64, x: f64) -> bool {
        self.origin + self.direction * distance(t) == x
    }

    #[inline(always)]
    fn reduce<S: Simd>(&self, simd: S, y: &[[f64; EIGHT]], slopes: &Slopes, width: f64, sums: &mut Sums, i: usize) {
        reduce_15(simd, slopes, [Eight::load(simd, &y[0]), Eight::load(simd, &y[1])], width, sums, i);
    }
}

/// The whole line, folded at zero onto the half-line: `f(x) + f(-x)` at the points of [`HalfLine`].
///
/// One row has the positive points, the other, in the same order, their mirror images.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WholeLine;

impl Rule for WholeLine {
    const ROWS: usize = 2;
    const VECTORS: usize = 2;
    const COLUMNS: usize = 15;
    const CENTRE: usize = 7;
    const SCALES: bool = true;

    #[inline(always)]
    fn abscissas<S: Simd>(&self, simd: S, centre: f64, half: f64, x: &mut [[f64; EIGHT]], slopes: &mut Slopes) {
        let zero = Eight::splat(simd, 0.0);
        let distances = distances(simd, centre, half, slopes);
        for v in 0..2 {
            distances[v].store(&mut x[v]);
            (zero - distances[v]).store(&mut x[2 + v]);
        }
    }

    fn is_place(&self, t: f64, x: f64) -> bool {
        distance(t) == x.abs()
    }

    #[inline(always)]
    fn reduce<S: Simd>(&self, simd: S, y: &[[f64; EIGHT]], slopes: &Slopes, width: f64, sums: &mut Sums, i: usize) {
        let mut values = [Eight::splat(simd, 0.0); 2];
        for v in 0..2 {
            values[v] = Eight::load(simd, &y[v]) + Eight::load(simd, &y[2 + v]);
        }
        reduce_15(simd, slopes, values, width, sums, i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::eight::{Processor, WithSimd};
    use crate::estimate::{Estimate, Estimates};

    /// A rule with its points, or with their values.
    struct Place<'a, R>(&'a R, f64, f64, &'a mut [[f64; EIGHT]; 4], &'a mut Slopes);
    struct Reduce<'a, R>(&'a R, f64, f64, &'a [[f64; EIGHT]; 4], &'a Slopes);

    impl<R: Rule> WithSimd for Place<'_, R> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            self.0.abscissas(simd, midpoint(self.1, self.2), half_width(self.1, self.2), self.3, self.4);
        }
    }

    impl<R: Rule> WithSimd for Reduce<'_, R> {
        type Output = Estimate;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Estimate {
            let width = self.2 - self.1;
            let mut sums = Sums { widths: [if R::SCALES { 1.0 } else { width }; 2], ..Sums::default() };
            self.0.reduce(simd, self.3, self.4, width, &mut sums, 0);
            Estimates(sums.judge()).of(0)
        }
    }

    fn points<R: Rule>(rule: &R, a: f64, b: f64) -> ([[f64; EIGHT]; 4], Slopes) {
        let (mut x, mut slopes) = ([[f64::NAN; EIGHT]; 4], [[f64::NAN; EIGHT]; 2]);
        Processor::new().run(Place(rule, a, b, &mut x, &mut slopes));
        (x, slopes)
    }

    fn apply<R: Rule>(rule: &R, a: f64, b: f64, f: impl Fn(f64) -> f64) -> Estimate {
        let (x, slopes) = points(rule, a, b);
        Processor::new().run(Reduce(rule, a, b, &x.map(|x| x.map(&f)), &slopes))
    }

    #[test]
    fn weights_add_up_to_one() {
        let one = apply(&Finite, -1.0, 1.0, |_| 1.0);
        assert!((one.value - 2.0).abs() < 1e-15);
        assert!((one.magnitude - 2.0).abs() < 1e-15);
        assert!(one.variation < 1e-15);
        for (weights, count) in [(RULE_15.kronrod, 15), (RULE_15.gauss, 7)] {
            assert!((weights.as_flattened().iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert_eq!(weights.as_flattened().iter().filter(|weight| **weight != 0.0).count(), count);
        }
        for (weights, count) in [(RULE_21.kronrod, 21), (RULE_21.gauss, 10)] {
            assert!((weights.as_flattened().iter().sum::<f64>() - 1.0).abs() < 1e-15);
            assert_eq!(weights.as_flattened().iter().filter(|weight| **weight != 0.0).count(), count);
        }
    }

    #[test]
    fn the_places_that_count_come_first() {
        fn check<R: Rule>(kronrod: &[f64], nodes: &[f64]) {
            let centres: Vec<usize> = (0..nodes.len()).filter(|i| nodes[*i] == 0.0).collect();
            assert_eq!(centres, [&[R::CENTRE][..], &(R::COLUMNS..nodes.len()).collect::<Vec<_>>()].concat());
            let counts: Vec<bool> = kronrod.iter().map(|weight| *weight != 0.0).collect();
            assert_eq!(counts, (0..R::VECTORS * EIGHT).map(|i| i < R::COLUMNS).collect::<Vec<_>>());
        }
        check::<Finite>(RULE_21.kronrod.as_flattened(), RULE_21.nodes.as_flattened());
        check::<HalfLine>(RULE_15.kronrod.as_flattened(), RULE_15.nodes.as_flattened());
        check::<WholeLine>(RULE_15.kronrod.as_flattened(), RULE_15.nodes.as_flattened());
    }

    #[test]
    fn antisymmetric_functions_cancel() {
        for estimate in
            [apply(&Finite, -1.5, 1.5, |x| x + x.sin()), apply(&WholeLine, 0.0, 1.0, |x| x / (1.0 + x.powi(4)))]
        {
            assert_eq!(estimate.value, 0.0);
        }
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
        let (x, _) = points(&Finite, -f64::MAX, f64::MAX);
        assert!(x[..3].as_flattened().iter().all(|x| x.is_finite()));
        let (x, _) = points(&Finite, 1e308, f64::MAX);
        assert!(x[..3].as_flattened().iter().all(|x| (1e308..=f64::MAX).contains(x)));
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
