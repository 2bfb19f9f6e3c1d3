//! A density written in Rust: the same handle as for one that was written in Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use ringback::Error;

use crate::density::{LogDensity, LogDensityGrad, value_error};

/// Independent normal distributions.
#[derive(Debug)]
pub(crate) struct Normal {
    mean: Vec<f64>,
    /// Inverse of the variance.
    precision: Vec<f64>,
}

impl Normal {
    pub(crate) fn new(mean: Vec<f64>, precision: Vec<f64>) -> PyResult<Self> {
        if mean.len() == precision.len() {
            return Ok(Normal { mean, precision });
        }
        let (mean, precision) = (mean.len(), precision.len());
        Err(PyValueError::new_err(format!("mean and precision must have one length, found {mean} and {precision}")))
    }

    /// The log density at `x`, up to a constant.
    #[inline]
    pub(crate) fn log_density(&self, x: &[f64]) -> Result<f64, Error> {
        self.check(x)?;
        let mut total = 0.0;
        for ((x, mean), precision) in x.iter().zip(&self.mean).zip(&self.precision) {
            let away = x - mean;
            total += away * (away * precision);
        }
        Ok(-0.5 * total)
    }

    /// The same; writes the gradient.
    #[inline]
    pub(crate) fn with_gradient(&self, x: &[f64], grad: &mut [f64]) -> Result<f64, Error> {
        self.check(x)?;
        let mut total = 0.0;
        for (((grad, x), mean), precision) in grad.iter_mut().zip(x).zip(&self.mean).zip(&self.precision) {
            let away = x - mean;
            let pull = away * precision;
            total += away * pull;
            *grad = -pull;
        }
        Ok(-0.5 * total)
    }

    #[inline]
    fn check(&self, x: &[f64]) -> Result<(), Error> {
        if x.len() == self.mean.len() {
            return Ok(());
        }
        Err(value_error(format!("a point of {} numbers expected, found {}", self.mean.len(), x.len())))
    }
}

/// Independent normal distributions, as a callback `f64([f64])` for `metropolis`. `precision` is 1 / variance.
#[pyfunction]
pub(crate) fn gaussian(mean: Vec<f64>, precision: Vec<f64>) -> PyResult<LogDensity> {
    let normal = Normal::new(mean, precision)?;
    Ok(LogDensity::from_fn(move |x| normal.log_density(x)))
}

/// Independent normal distributions, as a callback `f64([f64; n], mut [f64; n])` for `hmc`. `precision` is 1 / variance.
#[pyfunction]
pub(crate) fn gaussian_with_gradient(mean: Vec<f64>, precision: Vec<f64>) -> PyResult<LogDensityGrad> {
    let normal = Normal::new(mean, precision)?;
    Ok(LogDensityGrad::from_fn(move |x, grad| normal.with_gradient(x, grad)))
}
