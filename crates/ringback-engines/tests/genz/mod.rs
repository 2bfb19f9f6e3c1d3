//! The families of Genz (*Testing multidimensional integration routines*, in *Tools, Methods and Languages for Scientific
//! and Engineering Computation*, North-Holland 1984, 81–94) over the unit cube, with exact integrals.

use std::convert::Infallible;
use std::f64::consts::PI;

use ringback_engines::{Options, pointwise, quad};

/// One function: how hard (`a`) and where (`u`), for each dimension.
#[derive(Debug, Clone)]
pub struct Parameters {
    pub a: Vec<f64>,
    pub u: Vec<f64>,
}

/// A family: its name, how hard it is made (the sum of all `a` for two dimensions), the function, the integral.
pub struct Family {
    pub name: &'static str,
    pub hardness: f64,
    pub f: fn(&Parameters, &[f64]) -> f64,
    pub exact: fn(&Parameters) -> f64,
}

fn product(p: &Parameters, factor: impl Fn(f64, f64) -> f64) -> f64 {
    p.a.iter().zip(&p.u).map(|(a, u)| factor(*a, *u)).product()
}

fn sum(p: &Parameters, x: &[f64], term: impl Fn(f64, f64, f64) -> f64) -> f64 {
    p.a.iter().zip(&p.u).zip(x).map(|((a, u), x)| term(*a, *u, *x)).sum()
}

fn corner_peak(p: &Parameters) -> f64 {
    let n = p.a.len();
    let corner = |which: usize| {
        let sum: f64 = (0..n).filter(|i| which >> i & 1 == 1).map(|i| p.a[i]).sum();
        let sign = if which.count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        sign / (1.0 + sum)
    };
    let factorial: f64 = (1..=n).map(|i| i as f64).product();
    (0..1_usize << n).map(corner).sum::<f64>() / (factorial * p.a.iter().product::<f64>())
}

fn bell(a: f64, u: f64) -> f64 {
    let f = pointwise(|x: f64| Ok::<_, Infallible>((-(a * (x - u)).powi(2)).exp()));
    quad(f, 0.0, 1.0, &[], &Options { epsabs: 0.0, epsrel: 1e-13, limit: 200 }).unwrap().value
}

pub const FAMILIES: [Family; 6] = [
    Family {
        name: "oscillatory",
        hardness: 9.0,
        f: |p, x| (2.0 * PI * p.u[0] + sum(p, x, |a, _, x| a * x)).cos(),
        exact: |p| {
            let middle: f64 = 2.0 * PI * p.u[0] + p.a.iter().sum::<f64>() / 2.0;
            middle.cos() * product(p, |a, _| 2.0 * (a / 2.0).sin() / a)
        },
    },
    Family {
        name: "product peak",
        hardness: 7.25,
        f: |p, x| p.a.iter().zip(&p.u).zip(x).map(|((a, u), x)| 1.0 / (a.powi(-2) + (x - u).powi(2))).product(),
        exact: |p| product(p, |a, u| a * ((a * (1.0 - u)).atan() + (a * u).atan())),
    },
    Family {
        name: "corner peak",
        hardness: 1.85,
        f: |p, x| (1.0 + sum(p, x, |a, _, x| a * x)).powi(-(x.len() as i32) - 1),
        exact: corner_peak,
    },
    Family {
        name: "gaussian",
        hardness: 7.03,
        f: |p, x| (-sum(p, x, |a, u, x| (a * (x - u)).powi(2))).exp(),
        exact: |p| product(p, bell),
    },
    Family {
        name: "continuous",
        hardness: 20.4,
        f: |p, x| (-sum(p, x, |a, u, x| a * (x - u).abs())).exp(),
        exact: |p| product(p, |a, u| (2.0 - (-a * u).exp() - (-a * (1.0 - u)).exp()) / a),
    },
    Family {
        name: "discontinuous",
        hardness: 4.3,
        f: |p, x| {
            let outside = x[0] > p.u[0] || x[1] > p.u[1];
            if outside { 0.0 } else { sum(p, x, |a, _, x| a * x).exp() }
        },
        exact: |p| {
            let side = |i: usize| if i < 2 { p.u[i] } else { 1.0 };
            p.a.iter().enumerate().map(|(i, a)| (a * side(i)).exp_m1() / a).product()
        },
    },
];

/// Parameters of some number of dimensions, the same at every run.
pub fn parameters(family: &Family, dims: usize, number: u64) -> Parameters {
    let mut state = number * 1000 + dims as u64 + 1;
    let mut random = || {
        // Knuth's linear congruential generator; the upper bits.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..10).for_each(|_| {
        random();
    });
    let u: Vec<f64> = (0..dims).map(|_| 0.1 + 0.8 * random()).collect();
    let a: Vec<f64> = (0..dims).map(|_| 0.2 + random()).collect();
    let scale = family.hardness / a.iter().sum::<f64>();
    Parameters { a: a.into_iter().map(|a| a * scale).collect(), u }
}
