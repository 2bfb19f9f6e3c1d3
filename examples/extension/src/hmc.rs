//! Hamiltonian Monte Carlo (R. Neal in *Handbook of Markov Chain Monte Carlo*, 2011, chapter 5) with a fixed number of
//! leapfrog steps.

use numpy::{AllowTypeChange, PyArrayLikeDyn};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use ringback::Error;

use crate::chains::workers as threads;
use crate::density::{At, LogDensityGrad, OnError, at_start, check_gradient, judge};
use crate::draws::{Chain, Draws, Plan, Step, accepts};
use crate::metropolis::check_step;

/// A position, the log density there and its gradient.
#[derive(Clone)]
struct Point {
    x: Vec<f64>,
    grad: Vec<f64>,
    logp: f64,
}

struct Hmc<'a> {
    density: &'a LogDensityGrad,
    step: f64,
    leapfrog: usize,
    on_error: OnError,
    here: Point,
    there: Point,
    momentum: Vec<f64>,
}

impl Hmc<'_> {
    /// Follows a trajectory from `there`.
    fn travel(&mut self, step: f64) -> Result<At, Error> {
        let Point { x, grad, logp } = &mut self.there;
        for _ in 0..self.leapfrog {
            kick(&mut self.momentum, grad, 0.5 * step);
            kick(x, &self.momentum, step);
            // A trajectory that diverged ends here: there is no density among infinities.
            if !x.iter().all(|x| x.is_finite()) {
                return Ok(At::Zero);
            }
            // What the function forgets to write is then seen, and is not an earlier gradient.
            grad.fill(f64::NAN);
            match judge(self.density.call(x, grad), x, self.on_error)? {
                At::Value(value) => *logp = value,
                other => return Ok(other),
            }
            check_gradient(grad, x)?;
            kick(&mut self.momentum, grad, 0.5 * step);
        }
        Ok(At::Value(*logp))
    }
}

impl Chain for Hmc<'_> {
    fn step(&mut self, generator: &mut ChaCha8Rng) -> Result<Step, Error> {
        self.momentum.fill_with(|| generator.sample(StandardNormal));
        // Steps of one length alone may go round in circles: Neal, section 5.4.2.2.
        let step = self.step * (0.9 + 0.2 * generator.random::<f64>());
        self.there.clone_from(&self.here);
        let before = kinetic(&self.momentum);
        let logp = match self.travel(step)? {
            At::Value(logp) => logp,
            At::Zero => return Ok(Step::Rejected),
            At::Raised => return Ok(Step::Raised),
        };
        if !accepts(generator, logp - self.here.logp + before - kinetic(&self.momentum)) {
            return Ok(Step::Rejected);
        }
        std::mem::swap(&mut self.here, &mut self.there);
        Ok(Step::Accepted)
    }

    fn here(&self) -> (&[f64], f64) {
        (&self.here.x, self.here.logp)
    }
}

fn kick(what: &mut [f64], along: &[f64], by: f64) {
    what.iter_mut().zip(along).for_each(|(what, along)| *what += by * along);
}

fn kinetic(momentum: &[f64]) -> f64 {
    0.5 * momentum.iter().map(|p| p * p).sum::<f64>()
}

/// Draw from a density by Hamiltonian Monte Carlo.
///
/// Parameters
/// ----------
/// logp
///     Log density, up to a constant: a plain function `logp(x, grad)` of two arrays that writes the gradient to `grad`, or
///     another callback `f64([f64; n], mut [f64; n])`. It returns -inf where the density is zero (the gradient is not
///     looked at there); NaN and +inf are errors.
/// start, draws, warmup, chains, workers, seed, on_error
///     As for `metropolis`.
/// step, leapfrog
///     Length of a leapfrog step, within 10 percent, and how many a trajectory has. Nothing adapts them: choose them so
///     that `accepted` is between 0.6 and 0.9.
#[pyfunction]
#[pyo3(signature = (
    logp, start, *, draws=1000, warmup=1000, step=0.1, leapfrog=10, chains=4, seed=0, on_error="raise", workers=None
))]
#[expect(clippy::too_many_arguments, reason = "they are named in Python")]
pub(crate) fn hmc(
    py: Python<'_>,
    logp: LogDensityGrad,
    start: PyArrayLikeDyn<'_, f64, AllowTypeChange>,
    draws: usize,
    warmup: usize,
    step: f64,
    leapfrog: usize,
    chains: usize,
    seed: u64,
    on_error: &str,
    workers: Option<usize>,
) -> PyResult<Draws> {
    let on_error = OnError::new(on_error)?;
    check_step(step)?;
    if leapfrog == 0 {
        return Err(PyValueError::new_err("leapfrog must be at least 1, found 0"));
    }
    let plan = Plan::new(start.as_array().to_owned(), chains, draws, warmup, seed)?;
    plan.run(py, threads(workers)?, |x| {
        let mut grad = vec![f64::NAN; x.len()];
        let value = at_start(logp.call(&x, &mut grad), &x)?;
        check_gradient(&grad, &x)?;
        let momentum = vec![0.0; x.len()];
        let here = Point { x, grad, logp: value };
        Ok(Hmc { density: &logp, step, leapfrog, on_error, there: here.clone(), here, momentum })
    })
}
