//! What is integrated over a box: a function of several variables, asked for a block of points at a time.

/// Points of a block: as many coordinates each as the box has dimensions.
///
/// They lie coordinate by coordinate, all first coordinates before all second ones, as a compiled loop wants them.
#[derive(Debug, Clone, Copy)]
pub struct Points<'a> {
    coordinates: &'a [f64],
    len: usize,
}

impl<'a> Points<'a> {
    /// `len` points; `coordinates` holds a run of `len` numbers for each dimension.
    pub(crate) fn new(coordinates: &'a [f64], len: usize) -> Self {
        Self { coordinates, len }
    }

    /// How many points.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many coordinates a point has.
    #[must_use]
    #[inline]
    pub fn dims(&self) -> usize {
        self.coordinates.len().checked_div(self.len).unwrap_or(0)
    }

    /// One coordinate of all points.
    ///
    /// # Panics
    ///
    /// If the points have no such coordinate.
    #[must_use]
    #[inline]
    pub fn column(&self, dim: usize) -> &'a [f64] {
        &self.coordinates[dim * self.len..][..self.len]
    }

    /// All coordinates: a run of `len` numbers for each dimension.
    #[must_use]
    #[inline]
    pub fn columns(&self) -> &'a [f64] {
        self.coordinates
    }

    /// The coordinates of one point, written to `x`, of which there must be as many as dimensions.
    ///
    /// # Panics
    ///
    /// If there is no such point, or `x` is longer than a point.
    #[inline]
    pub fn point(&self, index: usize, x: &mut [f64]) {
        for (dim, x) in x.iter_mut().enumerate() {
            *x = self.column(dim)[index];
        }
    }
}

/// A function of several real variables, with one or more results, that is evaluated in blocks.
///
/// It is called from several threads at once if several workers were asked for. For a plain closure there is
/// [`field`].
pub trait Field: Sync {
    /// What a failed evaluation returns. The engine stops and hands on, unchanged, the first one in the order of the
    /// work, whatever the number of workers.
    type Error: Send;

    /// How many results the function has.
    fn outputs(&self) -> usize {
        1
    }

    /// Writes result `k` at point `i` into `y[k * x.len() + i]`.
    ///
    /// # Errors
    ///
    /// Whatever the function itself fails with. What was written to `y` by then is not looked at.
    fn eval(&self, x: Points<'_>, y: &mut [f64]) -> Result<(), Self::Error>;

    /// How many points a vectorised function takes at once. Blocks are padded to a multiple of it, with copies of their
    /// last point whose values nobody looks at; they do not count as evaluations.
    fn lanes(&self) -> usize {
        1
    }

    /// Called on the thread that called the engine whenever the estimate of the error is a new one, for who wants to show
    /// how far the work is: the error, and the one it is to come down to (0 if none was asked for). Of several results it
    /// is that which is farthest.
    fn reached(&self, error: f64, tolerance: f64) {
        let _ = (error, tolerance);
    }

    /// Called from time to time on the thread that called the engine, also while that waits for others.
    ///
    /// # Errors
    ///
    /// An error ends the integration: for who wants to stop it from outside.
    fn pause(&self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// A [`Field`] that calls a closure once for each point: see [`field`].
#[derive(Debug, Clone, Copy)]
pub struct PointwiseField<F> {
    outputs: usize,
    function: F,
}

/// The most coordinates that a point may have.
pub(crate) const MAX_DIMS: usize = 64;

/// Makes a [`Field`] of a closure that takes the coordinates of a point and writes `outputs` results.
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{CubatureOptions, cubature, field};
///
/// let product = field(1, |x: &[f64], y: &mut [f64]| {
///     y[0] = x[0] * x[1];
///     Ok::<_, Infallible>(())
/// });
/// let result = cubature(&product, &[0.0, 0.0], &[1.0, 2.0], &[], &CubatureOptions::default()).unwrap();
/// assert!((result.value[0] - 1.0).abs() < 1e-12);
/// ```
pub fn field<F, E>(outputs: usize, function: F) -> PointwiseField<F>
where
    F: Fn(&[f64], &mut [f64]) -> Result<(), E> + Sync,
    E: Send,
{
    PointwiseField { outputs, function }
}

impl<F, E> Field for PointwiseField<F>
where
    F: Fn(&[f64], &mut [f64]) -> Result<(), E> + Sync,
    E: Send,
{
    type Error = E;

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn eval(&self, x: Points<'_>, y: &mut [f64]) -> Result<(), E> {
        let mut point = [0.0; MAX_DIMS];
        let point = &mut point[..x.dims()];
        let mut results = vec![0.0; self.outputs];
        for i in 0..x.len() {
            x.point(i, point);
            (self.function)(point, &mut results)?;
            for (k, result) in results.iter().enumerate() {
                y[k * x.len() + i] = *result;
            }
        }
        Ok(())
    }
}
