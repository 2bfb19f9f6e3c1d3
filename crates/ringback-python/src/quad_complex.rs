//! `quad` of complex functions: the real and the imaginary part, one after the other.

use num_complex::Complex;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyComplex, PyTuple};
use ringback_engines::Integrand;

use crate::patience::Patience;
use crate::pickled;
use crate::quad::{Problem, handle, warn};
use crate::quad_result::{QuadResult, short};

type Handle = ringback::Callback<(f64,), Complex<f64>>;

#[derive(Debug, Clone, Copy)]
enum Part {
    Real,
    Imaginary,
}

/// One part of a complex callback as an integrand. Complex results have no block form.
struct OnePart<'a> {
    handle: &'a Handle,
    part: Part,
    patience: Patience,
}

impl Integrand for OnePart<'_> {
    type Error = ringback::Error;
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), ringback::Error> {
        let (handle, part) = (self.handle, self.part);
        self.patience.block(x.len(), false, |range| {
            for (x, y) in x[range.clone()].iter().zip(&mut y[range]) {
                let value = handle.call((*x,))?;
                *y = match part {
                    Part::Real => value.re,
                    Part::Imaginary => value.im,
                };
            }
            Ok(())
        })
    }
}

/// The result of an integration of a complex function; unpacks as `(value, error)`, both complex.
#[pyclass(frozen, eq, sequence, module = "ringback.integrate")]
#[derive(Clone, Debug, PartialEq)]
pub struct ComplexQuadResult {
    real: QuadResult,
    imag: QuadResult,
}

impl ComplexQuadResult {
    fn complex<'py>(&self, py: Python<'py>, part: impl Fn(&QuadResult) -> f64) -> Bound<'py, PyComplex> {
        PyComplex::from_doubles(py, part(&self.real), part(&self.imag))
    }

    /// The part with the graver status, and its name.
    fn worse(&self) -> (&'static str, &QuadResult) {
        if self.imag.status() > self.real.status() { ("imaginary part", &self.imag) } else { ("real part", &self.real) }
    }

    fn unpacked<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, [self.value(py), self.error(py)])
    }
}

#[pymethods]
impl ComplexQuadResult {
    /// The integral.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> Bound<'py, PyComplex> {
        self.complex(py, |part| part.quadrature.value)
    }

    /// Estimates of the absolute errors of the real and the imaginary part.
    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> Bound<'py, PyComplex> {
        self.complex(py, |part| part.quadrature.error)
    }

    /// The integral of the real part.
    #[getter]
    fn real(&self) -> QuadResult {
        self.real.clone()
    }

    /// The integral of the imaginary part.
    #[getter]
    fn imag(&self) -> QuadResult {
        self.imag.clone()
    }

    /// How often the integrand was evaluated, for both parts together.
    #[getter]
    fn neval(&self) -> usize {
        self.real.quadrature.neval + self.imag.quadrature.neval
    }

    /// How many subintervals the range was cut into, for the part that needed more.
    #[getter]
    fn intervals(&self) -> usize {
        self.real.quadrature.intervals.max(self.imag.quadrature.intervals)
    }

    /// The larger status of the two parts; 0 if both have the requested accuracy.
    #[getter]
    fn status(&self) -> u8 {
        self.worse().1.status()
    }

    /// What the status means, in a sentence, and, if it is not 0, which part it is about.
    #[getter]
    fn message(&self) -> String {
        let (name, part) = self.worse();
        if part.success() { part.message() } else { format!("{name}: {}", part.message()) }
    }

    /// True if both parts have the requested accuracy.
    #[getter]
    fn success(&self) -> bool {
        self.status() == 0
    }

    fn __len__(&self) -> usize {
        2
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.unpacked(py)?.as_any().get_item(index)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Ok(self.unpacked(py)?.try_iter()?.into_any())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        pickled::reduced(py, "restored_complex_quad", (self.real.clone(), self.imag.clone()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (re, im) = (short(py, self.real.quadrature.error)?, short(py, self.imag.quadrature.error)?);
        Ok(format!(
            "ComplexQuadResult(value={}, error=({re}, {im}), neval={}, intervals={}, status={}: {})",
            self.value(py).repr()?,
            self.neval(),
            self.intervals(),
            self.status(),
            self.message()
        ))
    }
}

/// The result of `quad` with `complex_func` that was in a pickle.
#[pyfunction]
pub(crate) fn restored_complex_quad(real: &Bound<'_, QuadResult>, imag: &Bound<'_, QuadResult>) -> ComplexQuadResult {
    ComplexQuadResult { real: real.get().clone(), imag: imag.get().clone() }
}

/// Integrates both parts; each that fails issues its own warning.
pub(crate) fn quad_complex(
    func: &Bound<'_, PyAny>,
    args: Option<Bound<'_, PyAny>>,
    problem: &Problem,
) -> PyResult<Py<PyAny>> {
    let py = func.py();
    let function: Handle = handle(func, args, intern!(py, "c128(f64)"))?;
    let solve = |part| py.detach(|| problem.solve(OnePart { handle: &function, part, patience: Patience::new(false) }));
    let result = ComplexQuadResult { real: solve(Part::Real)?, imag: solve(Part::Imaginary)? };
    for (name, part) in [("real part", &result.real), ("imaginary part", &result.imag)] {
        if !part.success() {
            warn(py, &format!("{name}: {}", part.message()))?;
        }
    }
    Ok(Py::new(py, result)?.into_any())
}
