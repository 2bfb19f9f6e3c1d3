//! What an engine integrates: a function of one variable, asked for a block of points at a time.

/// A function of one real variable that is evaluated in blocks.
///
/// The engines of this crate only ever call [`eval`](Integrand::eval), with as many points as one application of a
/// quadrature rule needs, so that a compiled loop or a vectorised function pays one call a block and not one a point.
/// For a plain closure there is [`pointwise`].
pub trait Integrand {
    /// What a failed evaluation returns. The engine stops at once and hands it on unchanged.
    type Error;

    /// Writes `f(x[i])` into `y[i]` for every `i`; both slices have the same length.
    ///
    /// # Errors
    ///
    /// Whatever the function itself fails with. What was written to `y` by then is not looked at.
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Self::Error>;

    /// How many points a vectorised function takes at once, at most 32. Blocks of [`quad`](fn@crate::quad) without a weight are
    /// multiples of it, with copies of other points in them; these do not count as evaluations. With 1, or with more than
    /// fit into a block, every point is asked for once.
    #[inline]
    fn lanes(&self) -> usize {
        1
    }
}

impl<I: Integrand + ?Sized> Integrand for &mut I {
    type Error = I::Error;

    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Self::Error> {
        (**self).eval(x, y)
    }

    #[inline]
    fn lanes(&self) -> usize {
        (**self).lanes()
    }
}

/// An [`Integrand`] that calls a closure once for each point: see [`pointwise`].
#[derive(Debug, Clone, Copy)]
pub struct Pointwise<F> {
    function: F,
}

/// Makes an [`Integrand`] of a closure that takes one point and returns a value or an error.
///
/// The points of a block are visited in order, and the first failure ends the block.
///
/// ```
/// use std::convert::Infallible;
/// use ringback_engines::{Options, pointwise, quad};
///
/// let square = pointwise(|x: f64| Ok::<_, Infallible>(x * x));
/// let result = quad(square, 0.0, 3.0, &[], &Options::default()).unwrap();
/// assert!((result.value - 9.0).abs() < 1e-12);
/// ```
#[inline]
pub fn pointwise<F, E>(function: F) -> Pointwise<F>
where
    F: FnMut(f64) -> Result<f64, E>,
{
    Pointwise { function }
}

impl<F, E> Integrand for Pointwise<F>
where
    F: FnMut(f64) -> Result<f64, E>,
{
    type Error = E;

    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), E> {
        for (x, y) in x.iter().zip(y) {
            *y = (self.function)(*x)?;
        }
        Ok(())
    }
}
