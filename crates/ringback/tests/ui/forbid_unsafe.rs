//! An author's crate needs no unsafe code, nor does what the macro writes for it.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

ringback::callback! {
    /// Log density at `x`; writes its gradient.
    pub struct LogDensity(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
}
ringback::callback! {
    /// A second type in the same module.
    pub(crate) struct Scalar(t: f64) -> f64;
}

fn main() {
    let f = Scalar::from_fn(|t| Ok(2.0 * t));
    let g = LogDensity::from_fn(move |x, _| f.call(x[0]));
    assert_eq!(g.call(&[1.0], &mut [0.0]).ok(), Some(2.0));
}
