//! Numerical engines over plain Rust closures.
//!
//! An engine knows nothing of Python or of compiled callbacks: it is given a function, calls it, and returns a result
//! with a status. There is adaptive quadrature, [`quad`](fn@quad), for one variable, [`cubature`](fn@cubature) for 2 to 8, and
//! [`monte_carlo`](fn@monte_carlo) for more:
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
//! | `eight` | eight numbers side by side, in the vectors that the processor has |
//! | `rule` | from an interval to points, and from values to sums |
//! | `estimate` | from sums to an estimate with its error |
//! | `panel` | one interval or both halves of one: points, values and estimates, in one call of the integrand |
//! | `intervals` | all intervals so far, and which is the next to be bisected |
//! | `epsilon` | extrapolation of a sequence |
//! | `acceleration` | when to extrapolate, and what to refine before |
//! | `adaptive` | the decisions that join these: what is next, and how it ends |
//! | `integral` | one integral, driven step by step |
//! | `batch` | many integrals in step: [`quad_batch`](fn@quad_batch) |
//! | `quad` | the front door: arguments, ranges, sign |
//! | `status` | how it ended, or why it was refused |
//! | [`sweep`] | many problems on several threads, of whatever kind |
//! | `weighted` | integrals with an oscillating, an algebraic or a Cauchy weight, from the same parts: [`quad_weighted`] |
//!
//! Integrals over boxes have parts of their own:
//!
//! | module | idea |
//! |---|---|
//! | `field` | what is integrated: a function of several variables that is asked for a block of points |
//! | `range` | the sides of the box, infinite ones mapped to finite ones |
//! | `block` | one block of points, evaluated |
//! | `team` | work shared by threads, with a result that does not depend on how many there are |
//! | `queue` | what is to be done first, roughly sorted |
//! | `genz_malik`, `regions`, `cubature` | the rule, the parts of the box, and the front door of [`cubature`](fn@cubature) |
//! | `importance`, `strata`, `monte_carlo` | where to sample, how often, and the front door of [`monte_carlo`](fn@monte_carlo) |
//! | `outcome` | how an integration over a box ended, or why it was refused |
//!
//! # What one can rely on
//!
//! The same arguments give the same bits, whatever vectors the processor has, alone or in a batch. Results agree with SciPy's
//! `quad`: value and error up to rounding, number of evaluations, number of intervals and status unless rounding decides,
//! where the tolerance is at the limit of arithmetic or an extrapolation has found its limit to the last digit; see
//! `tests/problems.rs` for how that is checked. Bad input is an error with a text that
//! says what to do, never a panic; a failing integrand ends the integration at once, with its own error. No memory
//! is allocated while the integrand is being evaluated, with the exception named at [`quad_with`].

#![forbid(unsafe_code)]

mod acceleration;
mod adaptive;
mod batch;
mod block;
mod cubature;
mod eight;
mod epsilon;
mod estimate;
mod field;
mod genz_malik;
mod importance;
mod integral;
mod integrand;
mod intervals;
mod monte_carlo;
mod outcome;
mod panel;
mod quad;
mod queue;
mod range;
mod regions;
mod rule;
mod running;
mod status;
mod strata;
pub mod sweep;
mod team;
mod weighted;

pub use batch::{Batch, BatchWorkspace, IN_STEP, quad_batch};
pub use cubature::{Cubature, CubatureOptions, cubature};
pub use field::{Field, Points, PointwiseField, field};
pub use integrand::{Integrand, Pointwise, pointwise};
pub use monte_carlo::{MonteCarlo, MonteCarloOptions, monte_carlo};
pub use outcome::{BoxError, CubatureStatus, InvalidBox, MonteCarloStatus};
pub use quad::{Options, Quadrature, Workspace, quad, quad_with};
pub use status::{InvalidInput, QuadError, Status};
pub use weighted::{Weight, WeightedOptions, quad_weighted, quad_weighted_with};

/// The crate's front page, whose example runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct FrontPage;
