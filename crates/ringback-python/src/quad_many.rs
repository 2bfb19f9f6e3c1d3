//! The native part of `quad_many`: one integral an index, on several threads, without the GIL.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use ringback_engines::sweep::{Control, Stopped};
use ringback_engines::{
    Batch, BatchWorkspace, IN_STEP, InvalidInput, Options, QuadError, Quadrature, Workspace, pointwise, quad_batch,
    quad_with, sweep,
};

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

/// Why there is no result.
enum Failure {
    Raised(ringback::Error),
    Invalid(InvalidInput),
    /// Nobody wants to know any more.
    Over,
    Start(PyErr),
}

/// The problems of a chunk, solved in step: each fails as soon as nobody wants its result.
struct Chunk<'a> {
    problems: &'a Problems,
    function: &'a mut Function,
    lanes: usize,
    place: &'a mut [usize],
    /// Of each slot, the problem and its args.
    slots: &'a mut [(usize, Box<[Words]>)],
    control: &'a Control,
}

/// The bytes of a number.
type Words = [u64; 2];

impl Chunk<'_> {
    #[inline]
    fn call(&self, x: &[f64], y: &mut [f64]) -> Result<(), Failure> {
        let done = match &*self.function {
            Function::Shared(handle) => handle.call_block((x,), y),
            Function::Own(rebound) => rebound.call_block((x,), y),
        };
        done.map_err(|failed| Failure::Raised(failed.error))
    }
}

impl Batch for Chunk<'_> {
    type Error = Failure;

    #[inline]
    fn lanes(&self) -> usize {
        self.lanes
    }

    fn limits(&mut self, index: usize) -> (f64, f64) {
        self.problems.shape.place(index, self.place);
        (self.problems.a.real(self.place), self.problems.b.real(self.place))
    }

    #[inline]
    fn assign(&mut self, slot: usize, index: usize) {
        let (whose, args) = &mut self.slots[slot];
        *whose = index;
        self.problems.shape.place(index, self.place);
        for (words, arg) in args.iter_mut().zip(&self.problems.args) {
            *words = arg.words(self.place);
        }
    }

    #[inline]
    fn eval(&mut self, slot: usize, x: &[f64], y: &mut [f64]) -> Result<(), Failure> {
        let (index, ref args) = self.slots[slot];
        if self.control.is_over(index) {
            return Err(Failure::Over);
        }
        if let Function::Own(rebound) = &mut *self.function {
            for (i, words) in args.iter().enumerate() {
                rebound.set(i, *words);
            }
        }
        if self.lanes == 1 {
            // Calls one by one may be slow ones: nobody is to wait for more than that which runs.
            for (x, y) in x.chunks(1).zip(y.chunks_mut(1)) {
                if self.control.is_over(index) {
                    return Err(Failure::Over);
                }
                self.call(x, y)?;
            }
            return Ok(());
        }
        self.call(x, y)
    }

    fn finish(&mut self, index: usize, result: Result<Quadrature, QuadError<Failure>>) -> Result<(), Failure> {
        self.problems.finish(index, result)
    }
}

/// The memory of one thread.
struct Memory {
    function: Function,
    lanes: usize,
    workspace: BatchWorkspace,
    place: Vec<usize>,
    slots: Vec<(usize, Box<[Words]>)>,
}

impl Memory {
    fn new(source: &Source, problems: &Problems) -> PyResult<Self> {
        let function = source.function()?;
        let has_block = match &function {
            Function::Shared(handle) => handle.has_block(),
            Function::Own(rebound) => rebound.has_block(),
        };
        let lanes = if has_block { LANES } else { 1 };
        let slots = vec![(0, vec![[0; 2]; problems.args.len()].into_boxed_slice()); IN_STEP];
        let place = vec![0; problems.shape.rank()];
        Ok(Memory { function, lanes, workspace: BatchWorkspace::default(), place, slots })
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
    fn solve(&self, memory: &mut Memory, indices: Range<usize>, control: &Control) -> Result<(), (usize, Failure)> {
        let Memory { function, lanes, workspace, place, slots } = memory;
        let mut chunk = Chunk { problems: self, function, lanes: *lanes, place, slots, control };
        quad_batch(workspace, &mut chunk, indices, &self.options)
    }

    /// Writes a result, or records why there is none; an error if that is to be the end.
    fn finish(&self, index: usize, result: Result<Quadrature, QuadError<Failure>>) -> Result<(), Failure> {
        let failure = match result {
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
        let start = || Memory::new(&source, &problems);
        let job = |memory: &mut PyResult<Memory>, chunk: Range<usize>, control: &Control| match memory {
            Ok(memory) => problems.solve(memory, chunk, control),
            Err(_) => match std::mem::replace(memory, Err(PyRuntimeError::new_err("a thread has no callback"))) {
                Ok(_) => Ok(()),
                Err(error) => Err((chunk.start, Failure::Start(error))),
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
        sweep::run_chunks(size, workers, start, job, tick)
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
