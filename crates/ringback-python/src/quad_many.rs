//! The native part of `quad_many`: one integral an index, on several threads, without the GIL.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::PoisonError;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use ringback_engines::sweep::{Control, Stopped};
use ringback_engines::{Integrand, InvalidInput, Options, QuadError, Workspace, pointwise, quad_with, sweep};

use crate::producer::{Callback, Rebindable, Rebound};
use crate::quad::LANES;
use crate::strided::{Column, Operand, Passed, Shape};

type Handle = ringback::Callback<(f64,), f64>;

/// The integrand, for all threads.
enum Source {
    /// Without args: everybody may use it as it is.
    Shared(Handle),
    /// With args: each thread has slots of its own.
    Own(Rebindable),
}

/// The integrand, for one thread.
enum Function {
    Shared(Handle),
    Own(Rebound<(f64,), f64>),
}

impl Source {
    fn function(&self) -> PyResult<Function> {
        Ok(match self {
            Source::Shared(handle) => Function::Shared(handle.clone()),
            Source::Own(rebindable) => Function::Own(rebindable.handle()?),
        })
    }
}

/// The integrand of one problem: it fails as soon as nobody wants its result.
struct Blocks<'a> {
    function: &'a Function,
    control: &'a Control,
    index: usize,
    lanes: usize,
}

impl Blocks<'_> {
    #[inline]
    fn call(&self, x: &[f64], y: &mut [f64]) -> Result<(), Failure> {
        let done = match self.function {
            Function::Shared(handle) => handle.call_block((x,), y),
            Function::Own(rebound) => rebound.call_block((x,), y),
        };
        done.map_err(|failed| Failure::Raised(failed.error))
    }
}

/// Why there is no result.
enum Failure {
    Raised(ringback::Error),
    Invalid(InvalidInput),
    /// Nobody wants to know any more.
    Over,
    Start(PyErr),
}

impl Integrand for Blocks<'_> {
    type Error = Failure;
    #[inline]
    fn eval(&mut self, x: &[f64], y: &mut [f64]) -> Result<(), Failure> {
        if self.control.is_over(self.index) {
            return Err(Failure::Over);
        }
        if self.lanes == 1 {
            // Calls one by one may be slow ones: nobody is to wait for more than that which runs.
            for (x, y) in x.chunks(1).zip(y.chunks_mut(1)) {
                if self.control.is_over(self.index) {
                    return Err(Failure::Over);
                }
                self.call(x, y)?;
            }
            return Ok(());
        }
        self.call(x, y)
    }
    #[inline]
    fn lanes(&self) -> usize {
        self.lanes
    }
}

/// The memory of one thread.
struct Memory {
    function: Function,
    lanes: usize,
    workspace: Workspace,
    place: Vec<usize>,
}

impl Memory {
    fn new(source: &Source, rank: usize) -> PyResult<Self> {
        let function = source.function()?;
        let has_block = match &function {
            Function::Shared(handle) => handle.has_block(),
            Function::Own(rebound) => rebound.has_block(),
        };
        let lanes = if has_block { LANES } else { 1 };
        Ok(Memory { function, lanes, workspace: Workspace::new(), place: vec![0; rank] })
    }
}

/// Operands and results of all problems.
struct Problems {
    shape: Shape,
    a: Operand,
    b: Operand,
    args: Vec<Operand>,
    /// value, error, neval, intervals, status.
    results: [Column; 5],
    options: Options,
    /// What failed and was recorded.
    recorded: Option<Mutex<Vec<(usize, Failure)>>>,
}

/// As QUADPACK's `ier` for input that makes no sense.
const INVALID: u64 = 6;
/// The integrand raised an exception.
const RAISED: u64 = 9;

impl Problems {
    fn solve(&self, memory: &mut Memory, index: usize, control: &Control) -> Result<(), Failure> {
        let Memory { function, lanes, workspace, place } = memory;
        self.shape.place(index, place);
        if let Function::Own(rebound) = function {
            for (i, arg) in self.args.iter().enumerate() {
                rebound.set(i, arg.words(place));
            }
        }
        let (a, b) = (self.a.real(place), self.b.real(place));
        let blocks = Blocks { function, control, index, lanes: *lanes };
        let failure = match quad_with(workspace, blocks, a, b, &[], &self.options) {
            Ok(q) => {
                let (neval, intervals) = (q.neval as u64, q.intervals as u64);
                self.write(index, [q.value.to_bits(), q.error.to_bits(), neval, intervals, q.status.code().into()]);
                return Ok(());
            }
            Err(QuadError::Integrand(failure)) => failure,
            Err(QuadError::InvalidInput(why)) => Failure::Invalid(why),
        };
        let status = match failure {
            Failure::Raised(_) => RAISED,
            Failure::Invalid(_) => INVALID,
            Failure::Over | Failure::Start(_) => return Err(failure),
        };
        let Some(recorded) = &self.recorded else { return Err(failure) };
        self.write(index, [f64::NAN.to_bits(), f64::INFINITY.to_bits(), 0, 0, status]);
        recorded.lock().unwrap_or_else(PoisonError::into_inner).push((index, failure));
        Ok(())
    }

    #[inline]
    fn write(&self, index: usize, words: [u64; 5]) {
        for (column, word) in self.results.iter().zip(words) {
            column.set(index, word);
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        match failure {
            Failure::Raised(error) => error.into(),
            Failure::Invalid(why) => PyValueError::new_err(why.to_string()),
            Failure::Over => PyRuntimeError::new_err("a problem was given up that was still wanted"),
            Failure::Start(error) => error,
        }
    }
}

/// Solves all problems; returns what failed, by ascending index: all of it if `record`, else the first at most.
///
/// `function` is a callback `f64(f64)`; of one with args, `slots` says which of its slots the args go to, and of what
/// kinds they are. `progress` is called with the number of problems solved since it was called last.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "called from one place, in Python")]
pub(crate) fn quad_many(
    py: Python<'_>,
    function: &Bound<'_, PyAny>,
    slots: Vec<(usize, String)>,
    shape: Vec<usize>,
    operands: Vec<Passed>,
    results: [(Py<PyAny>, usize); 5],
    accuracy: (f64, f64, i64),
    workers: Option<usize>,
    record: bool,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<(usize, Py<PyAny>)>> {
    let source = match function.cast::<Callback>() {
        Ok(callback) if slots.is_empty() => Source::Shared(callback.get().handle()?),
        Ok(callback) => Source::Own(callback.get().rebindable(&slots)?),
        Err(_) => Source::Shared(function.extract()?),
    };
    let (epsabs, epsrel, limit) = accuracy;
    let options = Options { epsabs, epsrel, limit: usize::try_from(limit).unwrap_or(0) };
    // Options that make no sense are no matter of a single problem.
    let zero = pointwise(|_| Ok::<_, Infallible>(0.0));
    if let Err(QuadError::InvalidInput(why)) = quad_with(&mut Workspace::new(), zero, 0.0, 1.0, &[], &options) {
        return Err(PyValueError::new_err(why.to_string()));
    }
    let shape = Shape::new(shape)?;
    let size = shape.size();
    let mut operands = operands.into_iter().map(|passed| Operand::new(passed, &shape)).collect::<PyResult<Vec<_>>>()?;
    if operands.len() != 2 + slots.len() {
        return Err(PyValueError::new_err("two limits and the args expected"));
    }
    let args = operands.split_off(2);
    let [a, b] = <[Operand; 2]>::try_from(operands).map_err(|_| PyValueError::new_err("two limits expected"))?;
    let [value, error, neval, intervals, status] = results.map(|passed| Column::new(passed, size));
    let results = [value?, error?, neval?, intervals?, status?];
    let problems = Problems { shape, a, b, args, results, options, recorded: record.then(Mutex::default) };
    if size == 0 {
        return Ok(Vec::new());
    }

    let workers = match workers {
        Some(workers) => workers,
        // Respects the affinity of the process, and quotas.
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let stopped = py.detach(|| {
        let rank = problems.shape.rank();
        let start = || Memory::new(&source, rank);
        let job = |memory: &mut PyResult<Memory>, index: usize, control: &Control| match memory {
            Ok(memory) => problems.solve(memory, index, control),
            Err(_) => match std::mem::replace(memory, Err(PyRuntimeError::new_err("a thread has no callback"))) {
                Ok(_) => Ok(()),
                Err(error) => Err(Failure::Start(error)),
            },
        };
        let mut told = 0;
        let tick = |control: &Control| {
            Python::attach(|py| {
                py.check_signals()?;
                let done = control.done();
                if let Some(progress) = &progress
                    && done > told
                {
                    progress.call1(py, (done - told,))?;
                    told = done;
                }
                Ok::<_, PyErr>(())
            })
        };
        sweep::run(size, workers, start, job, tick)
    });
    let failures = match stopped {
        Err(Stopped::Cancelled(error)) => return Err(error),
        Err(Stopped::Threads(error)) => {
            return Err(PyRuntimeError::new_err(format!(
                "the threads could not be started: {error}; ask for fewer workers than {workers}"
            )));
        }
        Err(Stopped::Failed { index, error }) => vec![(index, error)],
        Ok(()) => {
            let recorded = problems.recorded.map(|all| all.into_inner().unwrap_or_else(PoisonError::into_inner));
            let mut recorded = recorded.unwrap_or_default();
            recorded.sort_unstable_by_key(|(index, _)| *index);
            recorded
        }
    };
    Ok(failures.into_iter().map(|(index, failure)| (index, PyErr::from(failure).into_value(py).into_any())).collect())
}
