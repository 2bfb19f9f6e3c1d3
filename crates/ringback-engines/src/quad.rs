//! The front door of quadrature: checks the arguments, chooses the rule for the range, sets the sign.

use std::cell::Cell;

use crate::integral::{Room, over_partition, over_range};
use crate::rule::{Finite, HalfLine, WholeLine};
use crate::{Integrand, InvalidInput, QuadError, Status};

/// How accurate a result is to be, and how much work may go into it. The default is that of SciPy's `quad`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// The absolute error aimed at. Zero or less leaves the decision to `epsrel`.
    pub epsabs: f64,
    /// The error aimed at in units of the result. The larger of both tolerances counts.
    pub epsrel: f64,
    /// The largest number of intervals, at least 1.
    pub limit: usize,
}

impl Options {
    /// What `epsrel` must be at least if `epsabs` is not positive: 50 times the relative rounding error.
    pub const SMALLEST_EPSREL: f64 = 50.0 * f64::EPSILON;

    /// The error that is acceptable for a result of this size.
    #[inline]
    pub(crate) fn tolerance(&self, value: f64) -> f64 {
        f64::max(self.epsabs, self.epsrel * value.abs())
    }

    pub(crate) fn check(&self) -> Result<(), InvalidInput> {
        let Self { epsabs, epsrel, limit } = *self;
        let hopeless = epsabs <= 0.0 && epsrel < Self::SMALLEST_EPSREL;
        if hopeless || epsabs.is_nan() || epsrel.is_nan() {
            return Err(InvalidInput::Tolerance { epsabs, epsrel });
        }
        if limit < 1 {
            return Err(InvalidInput::NoIntervals);
        }
        Ok(())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { epsabs: 1.49e-8, epsrel: 1.49e-8, limit: 50 }
    }
}

/// The result of an integration.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "the status tells whether the value can be relied on"]
pub struct Quadrature {
    /// The integral. NaN if the integration was stopped by a value that is not finite, or by an overflow.
    pub value: f64,
    /// Estimate of the absolute error, meant to be an upper bound; `+inf` where `value` is NaN.
    pub error: f64,
    /// How often the integrand was evaluated.
    pub neval: usize,
    /// Into how many intervals the range was divided; 0 for an empty range.
    pub intervals: usize,
    /// Whether `value` has the accuracy asked for, and if not, why.
    pub status: Status,
}

impl Quadrature {
    /// Over a range without length.
    pub(crate) const EMPTY: Self = Self { value: 0.0, error: 0.0, neval: 0, intervals: 0, status: Status::Converged };
}

/// Memory that integrations need. Used again, it is not allocated again.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    room: Option<Box<Room>>,
    cuts: Vec<f64>,
}

impl Workspace {
    /// An empty workspace. Nothing is allocated before the first integral, and not all of it before one needs more than one
    /// application of its rule.
    #[must_use]
    pub const fn new() -> Self {
        Self { room: None, cuts: Vec::new() }
    }

    #[inline]
    pub(crate) fn room(&mut self) -> &mut Room {
        self.room.get_or_insert_default()
    }
}

/// Integrates a function over the range from `a` to `b`, of which either may be infinite.
///
/// The method is QUADPACK's: the interval with the largest error is bisected, and the sequence of totals is extrapolated by
/// the epsilon algorithm, which deals with singularities at the ends of the range. A finite range uses the 21-point
/// Gauss–Kronrod rule (QAGS), an infinite one is mapped to `(0, 1)` and uses 15 points (QAGI). Number of evaluations and status
/// are those of SciPy's `quad`, value and error too, up to rounding. Where rounding is all that is left, it decides: the
/// counts may differ if the tolerance is at the limit of arithmetic, or if an extrapolation has found its limit to the last
/// digit. Where the error is the sum of those of all intervals, SciPy's is what rounding has left of it, and may
/// be zero or negative if the first estimates were very much larger than the last; here it is never less than the sum.
///
/// `points` are places inside a finite range where the integrand is singular, jumps or has a narrow peak, in any
/// order (QAGP). Points that are repeated, or not inside the range, are left out.
///
/// If `b < a`, the result is the negative of that from `b` to `a`; if `a == b`, also if both are the same infinity,
/// it is 0 and the integrand is not evaluated. The integrand is never evaluated at `a`, at `b` or at a point, unless a number
/// in between is rounded to it: beside a singularity that bisection has followed to the last digit, or where the whole range
/// is a few roundings wide. The former ends with [`Status::BadIntegrand`], or, where nothing speaks for a limit, with
/// [`Status::Divergent`].
///
/// # Values that are not finite
///
/// The first NaN or infinity that the integrand returns stops the integration with [`Status::NonFinite`]: no rule
/// can make a number of it, and to go on would only hide where it came from. The value is then NaN and the error
/// infinite. An integral whose finite values overflow in a sum ends in the same way with [`Status::BadIntegrand`].
/// In this, `quad` differs from SciPy, which goes on and may return NaN with a small number of evaluations.
///
/// # Limits
///
/// The error is an estimate from a finite number of samples. A peak that falls between all the samples is missed,
/// and the result then claims a success that it is not: give such places in `points`.
///
/// # Errors
///
/// [`QuadError::InvalidInput`] if the arguments make no sense, before the integrand is evaluated;
/// [`QuadError::Integrand`] with the integrand's own error as soon as it fails. A result that is less accurate than
/// was asked for is not an error: see [`Quadrature::status`].
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{Options, Status, pointwise, quad};
///
/// let log = pointwise(|x: f64| Ok::<_, Infallible>(x.ln()));
/// let result = quad(log, 0.0, 1.0, &[], &Options::default()).unwrap();
/// assert!((result.value + 1.0).abs() <= result.error);
/// assert_eq!(result.status, Status::Converged);
/// assert_eq!((result.neval, result.intervals), (231, 6));
/// ```
pub fn quad<I: Integrand>(
    f: I,
    a: f64,
    b: f64,
    points: &[f64],
    options: &Options,
) -> Result<Quadrature, QuadError<I::Error>> {
    // An integrand may integrate itself: the inner integral then finds an empty workspace.
    // Where a thread that ends integrates in a destructor, there may be none any more.
    let mut workspace = KEPT.try_with(Cell::take).unwrap_or_default();
    let result = quad_with(&mut workspace, f, a, b, points, options);
    if options.limit <= KEPT_LIMIT {
        let _ = KEPT.try_with(|kept| kept.set(workspace));
    }
    result
}

thread_local! {
    /// The memory of this thread's last integral.
    static KEPT: Cell<Workspace> = const { Cell::new(Workspace::new()) };
}

/// Workspaces for more intervals are not kept.
const KEPT_LIMIT: usize = 1000;

/// [`quad`] with memory that is kept between integrals: for many of them in a row.
///
/// What was computed before has no influence on the result. Nothing is allocated once the workspace has been used
/// with the same `limit`, up to 4096, and as many points; larger limits allocate while the list of intervals grows.
///
/// # Errors
///
/// Those of [`quad`].
pub fn quad_with<I: Integrand>(
    workspace: &mut Workspace,
    mut f: I,
    a: f64,
    b: f64,
    points: &[f64],
    options: &Options,
) -> Result<Quadrature, QuadError<I::Error>> {
    let side = Side::of(a, b, options)?;
    let Workspace { room, cuts } = workspace;
    let room = &mut **room.get_or_insert_default();
    let unit = (0.0, 1.0);
    let result = if points.is_empty() {
        match side {
            Side::Empty => return Ok(Quadrature::EMPTY),
            Side::Finite { low, high } => over_range(&mut f, Finite, (low, high), options, room),
            Side::HalfLine(rule) => over_range(&mut f, rule, unit, options, room),
            Side::WholeLine => over_range(&mut f, WholeLine, unit, options, room),
        }
    } else if let Side::Empty = side {
        return Ok(Quadrature::EMPTY);
    } else {
        let Side::Finite { low, high } = side else {
            return Err(InvalidInput::PointsWithInfiniteRange { a, b }.into());
        };
        cut(low, high, points, options, cuts)?;
        over_partition(&mut f, Finite, cuts, options, room)
    };
    let mut result = result.map_err(QuadError::Integrand)?;
    if b < a {
        result.value = -result.value;
    }
    Ok(result)
}

/// What kind of range it is, with its limits in ascending order.
pub(crate) enum Side {
    /// Nothing to integrate over.
    Empty,
    Finite {
        low: f64,
        high: f64,
    },
    HalfLine(HalfLine),
    WholeLine,
}

impl Side {
    /// Checks limits and options.
    #[inline]
    pub(crate) fn of(a: f64, b: f64, options: &Options) -> Result<Self, InvalidInput> {
        if a.is_nan() || b.is_nan() {
            return Err(InvalidInput::NanLimit { a, b });
        }
        if a == b {
            return Ok(Self::Empty);
        }
        options.check()?;
        let (low, high) = if b < a { (b, a) } else { (a, b) };
        Ok(match (low.is_finite(), high.is_finite()) {
            (true, true) => Self::Finite { low, high },
            (true, false) => Self::HalfLine(HalfLine { origin: low, direction: 1.0 }),
            (false, true) => Self::HalfLine(HalfLine { origin: high, direction: -1.0 }),
            (false, false) => Self::WholeLine,
        })
    }
}

/// Writes the ends of the initial intervals, in ascending order.
fn cut(low: f64, high: f64, points: &[f64], options: &Options, cuts: &mut Vec<f64>) -> Result<(), InvalidInput> {
    if let Some(index) = points.iter().position(|point| point.is_nan()) {
        return Err(InvalidInput::NanPoint { index });
    }
    cuts.clear();
    cuts.push(low);
    cuts.extend(points.iter().filter(|point| low < **point && **point < high));
    cuts.push(high);
    cuts.sort_unstable_by(f64::total_cmp);
    cuts.dedup();
    let inside = cuts.len() - 2;
    if inside >= options.limit {
        return Err(InvalidInput::TooManyPoints { points: inside, limit: options.limit });
    }
    Ok(())
}
