//! Numerical engines over plain Rust closures.
//!
//! An engine knows nothing of Python, of compiled callbacks or of threads ([`sweep`] does that part): it is given a
//! function, calls it, and returns a result with a status. There is one engine so far, adaptive quadrature:
//!
//! ```
//! use std::convert::Infallible;
//! use ringback_engines::{Options, Status, pointwise, quad};
//!
//! // ∫₁^∞ e^(-t) / t² dt
//! let integrand = pointwise(|t: f64| Ok::<_, Infallible>((-t).exp() / (t * t)));
//! let result = quad(integrand, 1.0, f64::INFINITY, &[], &Options::default()).unwrap();
//!
//! assert!((result.value - 0.148_495_506_775_922_05).abs() <= result.error);
//! assert_eq!(result.status, Status::Converged);
//! assert_eq!(result.neval, 105);
//! ```
//!
//! # How the parts fit
//!
//! | module | idea |
//! |---|---|
//! | `integrand` | what is integrated: a function that is asked for a block of points |
//! | `rule` | from an interval to points, and from values to an estimate with its error |
//! | `intervals` | all intervals so far, and which is the next to be bisected |
//! | `epsilon` | extrapolation of a sequence |
//! | `acceleration` | when to extrapolate, and what to refine before |
//! | `adaptive` | the loop that joins these |
//! | `quad` | the front door: arguments, ranges, sign |
//! | `status` | how it ended, or why it was refused |
//! | [`sweep`] | many problems on several threads, of whatever kind |
//!
//! Weighted integrals (oscillating, algebraic and Cauchy weights) will stand beside `quad` and use the same parts.
//!
//! # What one can rely on
//!
//! The same arguments give the same bits. Results agree with SciPy's `quad` in value, error, number of evaluations,
//! number of intervals and status; see `tests/problems.rs` for how that is checked. Bad input is an error with a text that
//! says what to do, never a panic; a failing integrand ends the integration at once, with its own error. No memory
//! is allocated while the integrand is being evaluated, with the exception named at [`quad_with`].

#![forbid(unsafe_code)]

mod acceleration;
mod adaptive;
mod epsilon;
mod integrand;
mod intervals;
mod quad;
mod rule;
mod status;
pub mod sweep;

pub use integrand::{Integrand, Pointwise, pointwise};
pub use quad::{Options, Quadrature, Workspace, quad, quad_with};
pub use status::{InvalidInput, QuadError, Status};
