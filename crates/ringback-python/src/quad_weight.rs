//! The weight of `quad`, as SciPy names it.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use ringback_engines::Weight;

const NAMES: &str = "'cos', 'sin', 'alg', 'alg-loga', 'alg-logb', 'alg-log', 'cauchy'";

/// Reads `weight` and `wvar`.
pub(crate) fn weight_of(
    weight: Option<&Bound<'_, PyAny>>,
    wvar: Option<&Bound<'_, PyAny>>,
    points: &[f64],
) -> PyResult<Option<Weight>> {
    match (weight, wvar) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(without_weight()),
        (Some(weight), wvar) => read(weight, wvar, points).map(Some),
    }
}

/// The refusal of `wvar` without `weight`.
pub(crate) fn without_weight() -> PyErr {
    PyValueError::new_err(format!(
        "wvar is the parameter of a weight, and there is none; give weight too, one of {NAMES}"
    ))
}

fn read(weight: &Bound<'_, PyAny>, wvar: Option<&Bound<'_, PyAny>>, points: &[f64]) -> PyResult<Weight> {
    let name: String = weight.extract().unwrap_or_default();
    let name = name.as_str();
    let algebraic = |log_lower, log_upper| -> PyResult<Weight> {
        let (alpha, beta) = exponents(name, wvar)?;
        Ok(Weight::Algebraic { alpha, beta, log_lower, log_upper })
    };
    let weight = match name {
        "cos" => Weight::Cos { omega: number(name, "frequency", "w", wvar)? },
        "sin" => Weight::Sin { omega: number(name, "frequency", "w", wvar)? },
        "alg" => algebraic(false, false)?,
        "alg-loga" => algebraic(true, false)?,
        "alg-logb" => algebraic(false, true)?,
        "alg-log" => algebraic(true, true)?,
        "cauchy" => Weight::Cauchy { c: number(name, "pole", "c", wvar)? },
        _ => {
            let found = weight.repr()?;
            return Err(PyValueError::new_err(format!("expected weight to be one of {NAMES}, found {found}")));
        }
    };
    if points.is_empty() {
        Ok(weight)
    } else {
        Err(PyValueError::new_err(
            "break points cannot be used with a weight; divide the range at them, and add the integrals",
        ))
    }
}

fn missing(name: &str, what: &str, how: &str) -> PyErr {
    PyValueError::new_err(format!("the weight '{name}' needs its {what}: give wvar={how}"))
}

fn number(name: &str, what: &str, how: &str, wvar: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
    let wvar = wvar.ok_or_else(|| missing(name, what, how))?;
    match wvar.extract() {
        Ok(number) => Ok(number),
        Err(_) => Err(PyTypeError::new_err(format!(
            "expected wvar to be a number, the {what} of the weight '{name}', found {}",
            wvar.repr()?
        ))),
    }
}

fn exponents(name: &str, wvar: Option<&Bound<'_, PyAny>>) -> PyResult<(f64, f64)> {
    let (what, how) = ("exponents", "(alpha, beta)");
    let wvar = wvar.ok_or_else(|| missing(name, what, how))?;
    let numbers: PyResult<Vec<f64>> =
        wvar.try_iter().and_then(|items| items.take(3).map(|item| item?.extract()).collect());
    match numbers.as_deref() {
        Ok([alpha, beta]) => Ok((*alpha, *beta)),
        _ => Err(PyTypeError::new_err(format!(
            "expected wvar to be two numbers, the {what} {how} of the weight '{name}', found {}",
            wvar.repr()?
        ))),
    }
}
