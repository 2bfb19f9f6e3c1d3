//! One block of points of a box: mapped to the user's variables, evaluated, and weighted with the map's slope.

use crate::field::{Field, Points};
use crate::outcome::Halt;
use crate::range::Range;

/// Memory for a block, used again and again.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// How many points, padding included.
    len: usize,
    x: Vec<f64>,
    y: Vec<f64>,
    jacobian: Vec<f64>,
    /// Some variable is not the user's own.
    mapped: bool,
}

impl Block {
    /// Room for `points` points: coordinate columns of the length returned, to be filled by the caller.
    #[inline]
    pub(crate) fn columns<F: Field>(&mut self, field: &F, dims: usize, points: usize) -> (&mut [f64], usize) {
        self.len = points.next_multiple_of(field.lanes().max(1));
        self.x.resize(dims * self.len, 0.0);
        self.y.resize(field.outputs() * self.len, 0.0);
        self.jacobian.resize(self.len, 0.0);
        (&mut self.x, self.len)
    }

    /// Evaluates the integrand at the first `points` points that the columns hold, in the engine's variables.
    #[inline]
    pub(crate) fn eval<F: Field>(&mut self, field: &F, range: &Range, points: usize) -> Result<(), Halt<F::Error>> {
        let len = self.len;
        if points < len {
            for column in self.x.chunks_exact_mut(len) {
                let last = column[points - 1];
                column[points..].fill(last);
            }
        }
        self.mapped = range.map(&mut self.x, &mut self.jacobian);
        field.eval(Points::new(&self.x, len), &mut self.y).map_err(Halt::Integrand)?;
        if self.mapped {
            for y in self.y.chunks_exact_mut(len) {
                // Looked for now: an infinity that the slope makes is not the integrand's.
                if !y[..points].iter().fold(true, |finite, y| finite & y.is_finite()) {
                    let place = y.iter().position(|y| !y.is_finite()).unwrap_or(0);
                    let value = y[place];
                    return Err(Halt::NonFinite { at: self.place(place), value });
                }
                y.iter_mut().zip(&self.jacobian).for_each(|(y, slope)| *y *= slope);
            }
        }
        Ok(())
    }

    /// The values of one result, times the slope of the map.
    #[inline]
    pub(crate) fn values(&self, output: usize) -> &[f64] {
        &self.y[output * self.len..][..self.len]
    }

    /// The point's coordinates in the user's variables.
    fn place(&self, index: usize) -> Vec<f64> {
        self.x.chunks_exact(self.len).map(|column| column[index]).collect()
    }

    /// Why a sum over these points is not finite.
    #[cold]
    pub(crate) fn culprit<E>(&self, first: usize, count: usize) -> Halt<E> {
        let values = || self.y.chunks_exact(self.len);
        // Where variables are mapped, the integrand's own values are known to be finite.
        match (first..first + count).find(|&i| !self.mapped && values().any(|y| !y[i].is_finite())) {
            Some(i) => {
                let value = values().map(|y| y[i]).find(|y| !y.is_finite()).unwrap_or(f64::NAN);
                Halt::NonFinite { at: self.place(i), value }
            }
            None => Halt::Overflow,
        }
    }
}
