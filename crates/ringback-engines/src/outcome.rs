//! How an integration over a box ended, or why it was refused.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// How a cubature ended. Only [`Converged`](CubatureStatus::Converged) is a success. The codes mean what they mean for
/// [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq)]
pub enum CubatureStatus {
    /// Code 0: the estimated error of each result is within the tolerance.
    Converged,
    /// Code 1: the box was divided as often as was allowed, and the error is still too large.
    LimitReached,
    /// Code 2: the error of the worst part is rounding, so that dividing it further would not help.
    RoundoffDetected,
    /// Code 3: some part of the box became too narrow to be divided, or values were too large to be added. In the
    /// latter case the values are NaN and the errors infinite.
    BadIntegrand,
    /// Code 7: the integrand returned NaN or an infinity, and the integration was stopped there. The values are NaN and the
    /// errors infinite.
    NonFinite {
        /// Where, in the user's variables.
        at: Vec<f64>,
        /// What was returned.
        value: f64,
    },
}

impl CubatureStatus {
    /// The number of the status.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Converged => 0,
            Self::LimitReached => 1,
            Self::RoundoffDetected => 2,
            Self::BadIntegrand => 3,
            Self::NonFinite { .. } => 7,
        }
    }

    /// What happened and what can be done about it, in words.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Converged => "converged: the estimated error is within the tolerance",
            Self::LimitReached => {
                "the largest allowed number of subdivisions was reached before the tolerance; raise \
                 `max_subdivisions`, ask for less accuracy, or, if the integrand is singular somewhere, give the place \
                 in `points`"
            }
            Self::RoundoffDetected => {
                "rounding errors keep the tolerance from being reached; ask for less accuracy, or reduce \
                 cancellation in the integrand"
            }
            Self::BadIntegrand => {
                "the integrand is too singular or too large somewhere: parts of the box became too narrow to be divided, \
                 or sums overflowed; substitute variables that remove the singularity, or rescale the integrand"
            }
            Self::NonFinite { at, value } => return Cow::Owned(not_finite(at, *value)),
        })
    }
}

/// How a Monte Carlo integration ended. Only [`Finished`](MonteCarloStatus::Finished) is a success.
#[derive(Debug, Clone, PartialEq)]
pub enum MonteCarloStatus {
    /// Code 0: all iterations were done, or the tolerance that was asked for was reached before.
    Finished,
    /// Code 1: all iterations were done, and the error is larger than the tolerance that was asked for.
    LimitReached,
    /// Code 2: the iterations contradict each other, so that the error cannot be relied on.
    Inconsistent,
    /// Code 3: finite values were too large to be added or squared. The value is NaN and the error infinite.
    Overflow,
    /// Code 7: the integrand returned NaN or an infinity, and the integration was stopped there. The value is NaN and the
    /// error infinite.
    NonFinite {
        /// Where, in the user's variables.
        at: Vec<f64>,
        /// What was returned.
        value: f64,
    },
}

impl MonteCarloStatus {
    /// The number of the status.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Finished => 0,
            Self::LimitReached => 1,
            Self::Inconsistent => 2,
            Self::Overflow => 3,
            Self::NonFinite { .. } => 7,
        }
    }

    /// What happened and what can be done about it, in words.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Finished => "finished: the error is a standard deviation, no bound",
            Self::LimitReached => {
                "all iterations were done, and the error is larger than the tolerance; raise `n` or `iterations`"
            }
            Self::Inconsistent => {
                "the iterations contradict each other (chi2 is far above dof), so the error cannot be relied on: does the \
                 function return the same for the same point? If it does, raise `n`"
            }
            Self::Overflow => "the integrand is too large: squares or sums of its values overflowed; rescale it",
            Self::NonFinite { at, value } => return Cow::Owned(not_finite(at, *value)),
        })
    }
}

fn not_finite(at: &[f64], value: f64) -> String {
    format!(
        "the integrand returned {value} at x = {at:?}, and the integration was stopped there; make the integrand \
         finite inside the box"
    )
}

/// Arguments with which no integration over a box can be begun. The integrand was not evaluated.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum InvalidBox {
    /// The limits are of different numbers of dimensions.
    Lengths {
        /// How many lower limits.
        a: usize,
        /// How many upper limits.
        b: usize,
    },
    /// This engine is not made for boxes of so many dimensions.
    CubatureDims {
        /// As given.
        found: usize,
    },
    /// This engine is not made for boxes of so many dimensions.
    MonteCarloDims {
        /// As given.
        found: usize,
    },
    /// A limit is NaN.
    NanLimit {
        /// The dimension, from 0.
        dim: usize,
        /// The lower limit as given.
        a: f64,
        /// The upper limit as given.
        b: f64,
    },
    /// A break point is no point of the box's space.
    Point {
        /// Its place in the list of points, from 0.
        index: usize,
        /// Its coordinates as given.
        point: Vec<f64>,
        /// How many coordinates it should have.
        dims: usize,
    },
    /// The tolerances cannot be met by any computation in double precision, or are negative or NaN.
    Tolerance {
        /// The relative tolerance as given.
        rtol: f64,
        /// The absolute tolerance as given.
        atol: f64,
    },
    /// A tolerance is negative or NaN.
    NegativeTolerance {
        /// The relative tolerance as given.
        rtol: f64,
        /// The absolute tolerance as given.
        atol: f64,
    },
    /// The function has no result, or too many.
    Outputs {
        /// How many it has.
        found: usize,
    },
    /// The function should have one result.
    OneOutput {
        /// How many it has.
        found: usize,
    },
    /// No thread may work.
    NoWorkers,
    /// The break points divide the box into more parts than there may be.
    TooManyPoints {
        /// How many divisions are allowed.
        max_subdivisions: usize,
    },
    /// Too few points, or no iteration.
    Samples {
        /// Points an iteration, as given.
        n: usize,
        /// Iterations, as given.
        iterations: usize,
    },
}

/// The most results that a function may have at once: there is memory for all of them in every part of the box.
pub(crate) const MAX_OUTPUTS: usize = 1000;

impl fmt::Display for InvalidBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lengths { a, b } => write!(
                f,
                "expected as many lower as upper limits, found {a} in `a` and {b} in `b`; give both for every dimension"
            ),
            Self::CubatureDims { found } => write!(
                f,
                "cubature is for boxes of 2 to 8 dimensions, found {found}; use `quad` for one, and `monte_carlo` \
                 for more"
            ),
            Self::MonteCarloDims { found } => {
                write!(f, "monte_carlo is for boxes of 1 to 64 dimensions, found {found}; integrate over some by hand")
            }
            Self::NanLimit { dim, a, b } => write!(
                f,
                "expected limits of integration that are numbers or infinite, found a[{dim}] = {a}, b[{dim}] = {b}; \
                 look where the NaN comes from"
            ),
            Self::Point { index, point, dims } => write!(
                f,
                "expected break points of {dims} coordinates that are numbers, found points[{index}] = {point:?}; leave it out"
            ),
            Self::Tolerance { rtol, atol } => write!(
                f,
                "expected tolerances of 0 or more, with atol > 0 or rtol >= {:e} (50 times the rounding error), found \
                 rtol = {rtol:?}, atol = {atol:?}; raise one of them",
                crate::Options::SMALLEST_EPSREL
            ),
            Self::NegativeTolerance { rtol, atol } => {
                write!(
                    f,
                    "expected tolerances of 0 or more, found rtol = {rtol:?}, atol = {atol:?}; 0 does all iterations"
                )
            }
            Self::OneOutput { found } => {
                write!(f, "monte_carlo is for functions of 1 result, found {found}; integrate one after the other")
            }
            Self::Outputs { found } => {
                write!(f, "expected a function of 1 to {MAX_OUTPUTS} results, found {found}; integrate fewer at once")
            }
            Self::NoWorkers => f.write_str("expected `workers` of at least 1, found 0; leave it out to use all cores"),
            Self::TooManyPoints { max_subdivisions } => write!(
                f,
                "the break points divide the box more often than max_subdivisions = {max_subdivisions} allows; raise it, \
                 or leave some out"
            ),
            Self::Samples { n, iterations } => write!(
                f,
                "expected at least 16 points an iteration and 2 iterations, found n = {n}, iterations = {iterations}; raise \
                 them"
            ),
        }
    }
}

impl Error for InvalidBox {}

/// Why there is no result at all.
#[derive(Debug, Clone, PartialEq)]
pub enum BoxError<E> {
    /// The integrand failed with this error.
    Integrand(E),
    /// The arguments make no sense.
    InvalidInput(InvalidBox),
}

impl<E> From<InvalidBox> for BoxError<E> {
    fn from(error: InvalidBox) -> Self {
        Self::InvalidInput(error)
    }
}

impl<E: fmt::Display> fmt::Display for BoxError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integrand(error) => write!(f, "the integrand failed: {error}"),
            Self::InvalidInput(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for BoxError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Integrand(error) => Some(error),
            Self::InvalidInput(_) => None,
        }
    }
}

/// Why an integration over a box ended before its time.
pub(crate) enum Halt<E> {
    /// The integrand failed, or was told to stop.
    Integrand(E),
    /// It returned this value here, in the user's variables.
    NonFinite { at: Vec<f64>, value: f64 },
    /// All values were finite, a sum of them was not.
    Overflow,
}
