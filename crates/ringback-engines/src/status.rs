//! How an integration ended, and why one was refused.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// How an integration ended. Every integration that was begun ends with one of these; only
/// [`Converged`](Status::Converged) is a success.
///
/// The codes 0 to 5 are those of QUADPACK and of SciPy's `quad`. Invalid input, their code 6, is the error
/// [`InvalidInput`] here, and 7 is added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Status {
    /// Code 0: the estimated error is at most the tolerance.
    Converged,
    /// Code 1: the range was divided into as many intervals as were allowed, and the error is still too large.
    LimitReached,
    /// Code 2: rounding errors keep the tolerance from being reached; the error may be underestimated.
    RoundoffDetected,
    /// Code 3: the integrand behaves so badly at some point that intervals became too narrow to be divided, or
    /// its finite values are too large to be added. In the latter case the value is NaN and the error infinite.
    BadIntegrand,
    /// Code 4: extrapolation does not converge; the result is the best that was found.
    RoundoffInExtrapolation,
    /// Code 5: the integral is probably divergent, or converges slowly.
    Divergent,
    /// Code 1, with an oscillating weight over an infinite range: as many cycles as were allowed were integrated, and
    /// the error is still too large.
    CycleLimitReached,
    /// Code 4, there: the series of the integrals over the cycles does not converge to the tolerance.
    CyclesDoNotConverge,
    /// Code 8, there: the integral over this cycle, and perhaps over later ones, is not accurate enough. This is
    /// QUADPACK's and SciPy's code 7.
    BadCycle {
        /// Where the first such cycle begins.
        from: f64,
        /// Where it ends.
        to: f64,
    },
    /// Code 7: the integrand returned NaN or an infinity, and the integration was stopped there. The value is NaN
    /// and the error infinite.
    NonFinite {
        /// Where, in the user's variable.
        at: f64,
        /// What was returned.
        value: f64,
    },
}

impl Status {
    /// The number of the status: QUADPACK's `ier` from 0 to 5, 7 for [`NonFinite`](Status::NonFinite), and 8 for
    /// [`BadCycle`](Status::BadCycle).
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Converged => 0,
            Self::LimitReached | Self::CycleLimitReached => 1,
            Self::RoundoffDetected => 2,
            Self::BadIntegrand => 3,
            Self::RoundoffInExtrapolation | Self::CyclesDoNotConverge => 4,
            Self::Divergent => 5,
            Self::NonFinite { .. } => 7,
            Self::BadCycle { .. } => 8,
        }
    }

    /// True for [`Converged`](Status::Converged) only.
    #[must_use]
    pub fn is_success(&self) -> bool {
        *self == Self::Converged
    }

    /// What happened and what can be done about it, in words.
    #[must_use]
    pub fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Converged => "converged: the estimated error is within the tolerance",
            Self::LimitReached => {
                "the largest allowed number of intervals was reached before the tolerance; raise `limit`, or, if \
                 that does not help, give the places where the integrand is singular, jumps or peaks as `points`"
            }
            Self::RoundoffDetected => {
                "rounding errors keep the tolerance from being reached, and the error may be larger than \
                 estimated; ask for less accuracy, or reduce cancellation in the integrand"
            }
            Self::BadIntegrand => {
                "the integrand is too singular or too large at some point of the range: intervals there became too \
                 narrow to be divided, or sums overflowed; split the range at that point with `points`, substitute \
                 a variable that removes the singularity, or rescale the integrand"
            }
            Self::RoundoffInExtrapolation => {
                "extrapolation stopped converging because of rounding errors; the result is the best that was \
                 found: ask for less accuracy, or split the range at singularities with `points`"
            }
            Self::Divergent => {
                "the integral is probably divergent, or converges very slowly; check that it exists, and \
                 transform the integrand if it does"
            }
            Self::CycleLimitReached => {
                "the largest allowed number of cycles was reached before the tolerance; raise `limlst`, or ask for \
                 less accuracy"
            }
            Self::CyclesDoNotConverge => {
                "the series of the integrals over the cycles does not converge to the tolerance; check that the \
                 integral exists, or ask for less accuracy"
            }
            Self::BadCycle { from, to } => {
                return Cow::Owned(format!(
                    "the integral over the cycle from {from:?} to {to:?} could not be computed accurately enough; \
                     raise `limit`, or integrate the part of the range where the integrand is difficult by itself"
                ));
            }
            Self::NonFinite { at, value } => {
                return Cow::Owned(format!(
                    "the integrand returned {value} at x = {at:?}, and the integration was stopped there; make \
                     the integrand finite there, or split the range with `points` so that x is an end, where the \
                     integrand is never evaluated"
                ));
            }
        })
    }

    /// The same for an integral with a weight, where break points cannot be given and the ends of the range are
    /// evaluated.
    #[must_use]
    pub fn message_with_weight(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::LimitReached => {
                "the largest allowed number of intervals was reached before the tolerance; raise `limit`, or, if \
                 that does not help, divide the range where the integrand is singular, jumps or peaks, and add the \
                 integrals"
            }
            Self::BadIntegrand => {
                "the integrand is too singular or too large at some point of the range: intervals there became too \
                 narrow to be divided, or sums overflowed; divide the range at that point and add the integrals, \
                 substitute a variable that removes the singularity, or rescale the integrand"
            }
            Self::RoundoffInExtrapolation => {
                "extrapolation stopped converging because of rounding errors; the result is the best that was \
                 found: ask for less accuracy, or divide the range at singularities and add the integrals"
            }
            Self::NonFinite { at, value } => {
                return Cow::Owned(format!(
                    "the integrand returned {value} at x = {at:?}, and the integration was stopped there; make \
                     the integrand finite there: with a weight, it is evaluated at the ends of the range too"
                ));
            }
            other => return other.message(),
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// Arguments with which no integration can be begun. The integrand was not evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum InvalidInput {
    /// A limit of integration is NaN.
    NanLimit {
        /// The lower limit as given.
        a: f64,
        /// The upper limit as given.
        b: f64,
    },
    /// A break point is NaN.
    NanPoint {
        /// Its place in the list of points, from 0.
        index: usize,
    },
    /// Break points were given for an infinite range.
    PointsWithInfiniteRange {
        /// The lower limit as given.
        a: f64,
        /// The upper limit as given.
        b: f64,
    },
    /// There are as many break points inside the range as intervals are allowed, or more.
    TooManyPoints {
        /// How many different points lie inside the range.
        points: usize,
        /// The largest number of intervals, as given.
        limit: usize,
    },
    /// No interval at all is allowed.
    NoIntervals,
    /// The tolerances cannot be met by any computation in double precision, or one of them is NaN.
    Tolerance {
        /// The absolute tolerance as given.
        epsabs: f64,
        /// The relative tolerance as given.
        epsrel: f64,
    },
    /// The frequency of an oscillating weight is NaN or infinite.
    Frequency {
        /// As given.
        omega: f64,
    },
    /// The frequency of an oscillating weight is so large or so small that its cycles cannot be told apart, or reach
    /// beyond the numbers.
    FrequencyOutOfReach {
        /// As given.
        omega: f64,
    },
    /// An oscillating weight over the whole line.
    OscillatingOverWholeLine,
    /// An oscillating weight over an infinite range needs an absolute tolerance.
    OscillatingTolerance {
        /// The absolute tolerance as given.
        epsabs: f64,
    },
    /// An oscillating weight over an infinite range needs three cycles at least.
    TooFewCycles {
        /// As given.
        limlst: usize,
    },
    /// An oscillating weight needs the moments for one size of intervals at least.
    NoMoments,
    /// The exponents of an algebraic weight are not both above -1 and finite.
    Exponents {
        /// At the lower end.
        alpha: f64,
        /// At the upper end.
        beta: f64,
    },
    /// An algebraic weight needs two intervals at least.
    TooFewIntervals {
        /// The largest number of intervals, as given.
        limit: usize,
    },
    /// The pole of a Cauchy weight is an end of the range, or not finite.
    Pole {
        /// The pole as given.
        c: f64,
        /// The lower limit as given.
        a: f64,
        /// The upper limit as given.
        b: f64,
    },
    /// An algebraic or a Cauchy weight needs a finite range.
    WeightWithInfiniteRange {
        /// The lower limit as given.
        a: f64,
        /// The upper limit as given.
        b: f64,
    },
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NanLimit { a, b } => write!(
                f,
                "expected limits of integration that are numbers or infinite, found a = {a}, b = {b}; look where \
                 the NaN comes from"
            ),
            Self::NanPoint { index } => {
                write!(f, "expected break points that are numbers, found NaN as points[{index}]; leave it out")
            }
            Self::PointsWithInfiniteRange { a, b } => write!(
                f,
                "break points need a finite range, found a = {a}, b = {b}; integrate a finite part with `points` \
                 and the rest without, and add the results"
            ),
            Self::TooManyPoints { points, limit } => write!(
                f,
                "expected fewer break points than `limit`, found {points} inside the range with limit = {limit}; \
                 raise `limit`"
            ),
            Self::NoIntervals => f.write_str("expected `limit` of at least 1, found 0; 50 is the default"),
            Self::Tolerance { epsabs, epsrel } => write!(
                f,
                "expected epsabs > 0 or epsrel >= {:e} (50 times the rounding error), found epsabs = {epsabs:?}, \
                 epsrel = {epsrel:?}; raise one of them",
                crate::Options::SMALLEST_EPSREL
            ),
            Self::Frequency { omega } => {
                write!(f, "expected a finite frequency for the weight, found {omega:?}; look where it comes from")
            }
            Self::FrequencyOutOfReach { omega } => write!(
                f,
                "the frequency {omega:?} of the weight is out of reach for this range: its oscillations cannot be told \
                 apart in double precision, or the cycles go beyond its largest number; substitute another unit for x"
            ),
            Self::OscillatingOverWholeLine => f.write_str(
                "expected at least one finite limit with the weight sin or cos, found a range from -inf to inf; \
                 integrate both halves and add the results",
            ),
            Self::OscillatingTolerance { epsabs } => write!(
                f,
                "expected epsabs > 0 with the weight sin or cos and an infinite range, where epsrel is not used, found \
                 epsabs = {epsabs:?}; give an absolute tolerance"
            ),
            Self::TooFewCycles { limlst } => {
                write!(f, "expected `limlst` of at least 3, found {limlst}; 50 is the default")
            }
            Self::NoMoments => f.write_str("expected `maxp1` of at least 1, found 0; 50 is the default"),
            Self::Exponents { alpha, beta } => write!(
                f,
                "expected finite exponents alpha > -1 and beta > -1 for the weight, found alpha = {alpha:?}, beta = \
                 {beta:?}; with smaller ones the integral does not exist"
            ),
            Self::TooFewIntervals { limit } => {
                write!(f, "expected `limit` of at least 2 with an algebraic weight, found {limit}; 50 is the default")
            }
            Self::Pole { c, a, b } => write!(
                f,
                "expected a finite pole that is no end of the range, found c = {c:?} with a = {a:?}, b = {b:?}; the \
                 principal value does not exist otherwise"
            ),
            Self::WeightWithInfiniteRange { a, b } => write!(
                f,
                "this weight needs a finite range, found a = {a}, b = {b}; integrate a finite part with the weight and \
                 the rest with it written into the integrand"
            ),
        }
    }
}

impl Error for InvalidInput {}

/// Why there is no result at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum QuadError<E> {
    /// The integrand failed with this error, and was not evaluated again.
    Integrand(E),
    /// The arguments make no sense.
    InvalidInput(InvalidInput),
}

impl<E> From<InvalidInput> for QuadError<E> {
    fn from(error: InvalidInput) -> Self {
        Self::InvalidInput(error)
    }
}

impl<E: fmt::Display> fmt::Display for QuadError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integrand(error) => write!(f, "the integrand failed: {error}"),
            Self::InvalidInput(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for QuadError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Integrand(error) => Some(error),
            Self::InvalidInput(_) => None,
        }
    }
}
