//! Results in pickles: what each is made of, and how it is made again in another process.
//!
//! A status is a name and the numbers that belong to it: codes alone do not tell all of them apart.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use ringback_engines::{CubatureStatus, MonteCarloStatus, Status};

type Parts = (&'static str, Vec<f64>);

/// What `__reduce__` returns: a function of this extension by its name, and its arguments.
pub(crate) fn reduced<'py, A>(py: Python<'py>, function: &str, arguments: A) -> PyResult<Bound<'py, PyTuple>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
{
    let function = py.import("ringback._ringback")?.getattr(function)?;
    PyTuple::new(py, [function, arguments.into_pyobject(py)?.into_any()])
}

fn unknown(name: &str) -> PyErr {
    PyValueError::new_err(format!(
        "the pickle has the status {name:?}, which this version of ringback does not know: read it with the version that \
         wrote it"
    ))
}

/// The parts of a status of `quad`.
pub(crate) fn status_parts(status: &Status) -> Parts {
    match *status {
        Status::Converged => ("Converged", vec![]),
        Status::LimitReached => ("LimitReached", vec![]),
        Status::RoundoffDetected => ("RoundoffDetected", vec![]),
        Status::BadIntegrand => ("BadIntegrand", vec![]),
        Status::RoundoffInExtrapolation => ("RoundoffInExtrapolation", vec![]),
        Status::Divergent => ("Divergent", vec![]),
        Status::CycleLimitReached => ("CycleLimitReached", vec![]),
        Status::CyclesDoNotConverge => ("CyclesDoNotConverge", vec![]),
        Status::BadCycle { from, to } => ("BadCycle", vec![from, to]),
        Status::NonFinite { at, value } => ("NonFinite", vec![at, value]),
    }
}

/// The status of `quad` that has these parts.
pub(crate) fn status(name: &str, numbers: &[f64]) -> PyResult<Status> {
    Ok(match (name, numbers) {
        ("Converged", []) => Status::Converged,
        ("LimitReached", []) => Status::LimitReached,
        ("RoundoffDetected", []) => Status::RoundoffDetected,
        ("BadIntegrand", []) => Status::BadIntegrand,
        ("RoundoffInExtrapolation", []) => Status::RoundoffInExtrapolation,
        ("Divergent", []) => Status::Divergent,
        ("CycleLimitReached", []) => Status::CycleLimitReached,
        ("CyclesDoNotConverge", []) => Status::CyclesDoNotConverge,
        ("BadCycle", &[from, to]) => Status::BadCycle { from, to },
        ("NonFinite", &[at, value]) => Status::NonFinite { at, value },
        _ => return Err(unknown(name)),
    })
}

/// A place in a box, and what the function returned there.
fn place(at: &[f64], value: f64) -> Vec<f64> {
    at.iter().copied().chain([value]).collect()
}

/// The parts of a status of `cubature`.
pub(crate) fn cubature_parts(status: &CubatureStatus) -> Parts {
    match status {
        CubatureStatus::Converged => ("Converged", vec![]),
        CubatureStatus::LimitReached => ("LimitReached", vec![]),
        CubatureStatus::RoundoffDetected => ("RoundoffDetected", vec![]),
        CubatureStatus::BadIntegrand => ("BadIntegrand", vec![]),
        CubatureStatus::NonFinite { at, value } => ("NonFinite", place(at, *value)),
    }
}

/// The status of `cubature` that has these parts.
pub(crate) fn cubature_status(name: &str, numbers: &[f64]) -> PyResult<CubatureStatus> {
    Ok(match (name, numbers) {
        ("Converged", []) => CubatureStatus::Converged,
        ("LimitReached", []) => CubatureStatus::LimitReached,
        ("RoundoffDetected", []) => CubatureStatus::RoundoffDetected,
        ("BadIntegrand", []) => CubatureStatus::BadIntegrand,
        ("NonFinite", [at @ .., value]) => CubatureStatus::NonFinite { at: at.to_vec(), value: *value },
        _ => return Err(unknown(name)),
    })
}

/// The parts of a status of `monte_carlo`.
pub(crate) fn monte_carlo_parts(status: &MonteCarloStatus) -> Parts {
    match status {
        MonteCarloStatus::Finished => ("Finished", vec![]),
        MonteCarloStatus::LimitReached => ("LimitReached", vec![]),
        MonteCarloStatus::Inconsistent => ("Inconsistent", vec![]),
        MonteCarloStatus::Overflow => ("Overflow", vec![]),
        MonteCarloStatus::NonFinite { at, value } => ("NonFinite", place(at, *value)),
    }
}

/// The status of `monte_carlo` that has these parts.
pub(crate) fn monte_carlo_status(name: &str, numbers: &[f64]) -> PyResult<MonteCarloStatus> {
    Ok(match (name, numbers) {
        ("Finished", []) => MonteCarloStatus::Finished,
        ("LimitReached", []) => MonteCarloStatus::LimitReached,
        ("Inconsistent", []) => MonteCarloStatus::Inconsistent,
        ("Overflow", []) => MonteCarloStatus::Overflow,
        ("NonFinite", [at @ .., value]) => MonteCarloStatus::NonFinite { at: at.to_vec(), value: *value },
        _ => return Err(unknown(name)),
    })
}
