//! A function seen in the mirror: `±f(-x)`.

use crate::panel::BLOCK;
use crate::{Integrand, Status};

/// Makes the range below a point one above it.
pub(crate) struct Reflected<'a, I> {
    inner: &'a mut I,
    sign: f64,
    x: [f64; BLOCK],
}

impl<'a, I> Reflected<'a, I> {
    pub(crate) fn new(inner: &'a mut I, sign: f64) -> Self {
        Self { inner, sign, x: [0.0; BLOCK] }
    }

    /// The status as the user sees it: places and values without the mirror.
    pub(crate) fn status(&self, status: Status) -> Status {
        match status {
            Status::NonFinite { at, value } => Status::NonFinite { at: -at, value: self.sign * value },
            Status::BadCycle { from, to } => Status::BadCycle { from: -to, to: -from },
            other => other,
        }
    }
}

impl<I: Integrand> Integrand for Reflected<'_, I> {
    type Error = I::Error;

    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Self::Error> {
        for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
            let mirrored = &mut self.x[..x.len()];
            mirrored.iter_mut().zip(x).for_each(|(m, x)| *m = -x);
            self.inner.eval(mirrored, y)?;
            y.iter_mut().for_each(|y| *y *= self.sign);
        }
        Ok(())
    }

    fn lanes(&self) -> usize {
        self.inner.lanes()
    }
}
