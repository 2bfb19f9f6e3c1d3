//! The integrands of the golden tables: the same expressions, in the same order, as in `golden/quad.py`.

use std::f64::consts::PI;

/// An integrand of `x` with one parameter `p`.
pub(crate) type Family = fn(f64, f64) -> f64;

/// Every family with its name in the tables.
pub(crate) const FAMILIES: &[(&str, Family)] = &[
    ("constant", |_, p| p),
    ("power", |x, p| x.powf(p)),
    ("power_log", |x, p| x.powf(p) * (1.0 / x).ln()),
    ("lorentz", |x, p| 4_f64.powf(-p) / ((x - PI / 4.0) * (x - PI / 4.0) + 16_f64.powf(-p))),
    ("bessel", |x, p| (2_f64.powf(p) * x.sin()).cos()),
    ("cusp_third", |x, p| (x - 1.0 / 3.0).abs().powf(p)),
    ("cusp_pi", |x, p| (x - PI / 4.0).abs().powf(p)),
    ("chebyshev", |x, p| 1.0 / (1.0 - x * x).sqrt() / (x + 1.0 + 2_f64.powf(-p))),
    ("sine_power", |x, p| x.sin().powf(p - 1.0)),
    ("log_power", |x, p| (1.0 / x).ln().powf(p - 1.0)),
    ("cosine_exp", |x, p| (2_f64.powf(p) * x).cos() * (20.0 * (x - 1.0)).exp()),
    ("cosine_ends", |x, p| (2_f64.powf(p) * x).cos() / (x * (1.0 - x)).sqrt()),
    ("gamma", |x, p| x * x * (-2_f64.powf(-p) * x).exp()),
    ("beta", |x, p| x.powf(p - 1.0) / ((1.0 + 10.0 * x) * (1.0 + 10.0 * x))),
    ("log_inside", |x, _| x * x * x * ((x * x - 1.0) * (x * x - 2.0)).abs().ln()),
    ("log_over", |x, p| x.ln() / (1.0 + p * x * x)),
    ("step", |x, p| if x >= p { 1.0 } else { 0.0 }),
    ("stairs", |x, p| (p * x).floor()),
    ("exp", |x, p| (p * x).exp()),
    ("exp_over_square", |x, _| (-x).exp() / (x * x)),
    ("sine", |x, p| (p * x).sin()),
    ("abs_sine", |x, p| (p * x).sin().abs()),
    ("sine_over", |x, p| (p * x).sin() / x),
    ("sine_of_inverse", |x, p| (p / x).sin()),
    ("peak", |x, p| (-(p * (x - 0.4)) * (p * (x - 0.4))).exp()),
    ("runge", |x, p| 1.0 / (1.0 + p * x * x)),
    ("quadpack_page_83", |x, _| x * (30.0 * x).sin() / (1.0 - (x / (2.0 * PI)) * (x / (2.0 * PI))).sqrt()),
    ("two_cusps", |x, p| (x - 0.25).abs().sqrt() + (x - p).abs().ln()),
    ("exp_abs", |x, p| (-p * x.abs()).exp()),
    ("damped_sine", |x, p| (-x).exp() * (p * x).sin()),
    ("root_exp", |x, _| (-x).exp() / x.sqrt()),
    ("bose", |x, p| x.powf(p) * (-x).exp() / (1.0 - (-x).exp())),
    ("bell", |x, p| (-(x - p) * (x - p)).exp()),
    ("oscillating_bell", |x, p| (-x * x).exp() * (p * x).cos()),
    ("tanh", |x, p| (p * x).tanh()),
    ("ripple", |x, p| 1.0 + p * (1e6 * x).sin()),
    ("inverse_shifted", |x, p| 1.0 / (x - p)),
    ("cubic", |x, p| (x - p) * (x + p) * x),
    ("log", |x, p| (p * x).ln()),
];

/// The family of this name.
pub(crate) fn family(name: &str) -> Family {
    let found = FAMILIES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the table has a family {name:?} that is not defined here")).1
}
