//! Plain functions that have passed through the package's door before: the short way to their callbacks.
//!
//! The door looks at all that a function refers to, in Python, which takes several times as long as a short integral.
//! What has to be looked at is known after the first time (`recipe.py`): here it is done, for functions that differ
//! from the first one in numbers only, or not at all.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyAttributeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyComplex, PyDict, PyFloat, PyInt, PyModule, PyString, PyTuple, PyType, PyWeakrefMethods,
    PyWeakrefReference,
};

use crate::producer::{Callback, Rebindable, Rebound, Scalar};

/// So many recipes are kept for one piece of code: for numbers of different kinds, say.
const KEPT: usize = 4;
/// After so many attempts, another one will not be of much use.
const TRIED: u32 = 16;

/// How to get the callback of a function.
pub(crate) struct Recipe {
    args: usize,
    reads: Vec<Read>,
    kind: Kind,
}

enum Kind {
    /// Nothing can change.
    Fixed(Scalar),
    /// Numbers can: their slots, and a handle whose slots nobody uses at present.
    Numbers { rebindable: Rebindable, idle: Mutex<Option<Rebound<(f64,), f64>>> },
}

/// One value that the callback depends on.
struct Read {
    /// The function that refers to it, if it is another one that is called.
    owner: Option<Py<PyAny>>,
    root: Root,
    /// Modules on the way to it, which nobody keeps alive for that, with the attribute that is read from each.
    modules: Vec<(Py<PyWeakrefReference>, Py<PyString>)>,
    expected: Expected,
}

enum Root {
    Arg(usize),
    /// From the end, from 1 on: the last default is that of the last parameter, however many there are.
    Default(usize),
    Cell(usize),
    Global(Py<PyString>),
    Builtin(Py<PyString>),
    Attribute(Py<PyString>),
}

enum Expected {
    Same(Py<PyAny>),
    /// A number for the `i`-th of the slots that change.
    Number(Number, usize),
}

/// What a number is passed as. For each there is a type or two that are read here; others are the same object or other code.
#[derive(Clone, Copy)]
enum Number {
    F64,
    I64,
    Bool,
    C128,
}

/// What is known of a code object.
struct Known {
    /// Keeps its address from being used again.
    _code: Py<PyAny>,
    /// The last one first. None if it has been tried too often: something may change in place, or too much does.
    recipes: Option<Vec<Arc<Recipe>>>,
    tried: u32,
}

static KNOWN: Mutex<Option<HashMap<usize, Known>>> = Mutex::new(None);

/// No Python code runs while this is held.
fn known() -> MutexGuard<'static, Option<HashMap<usize, Known>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle for one integral.
pub(crate) enum Ready {
    Fixed(Arc<Recipe>),
    Numbers { recipe: Arc<Recipe>, rebound: Option<Rebound<(f64,), f64>> },
}

impl Deref for Ready {
    type Target = Scalar;

    #[inline]
    fn deref(&self) -> &Scalar {
        match self {
            Ready::Fixed(recipe) => match &recipe.kind {
                Kind::Fixed(handle) => handle,
                Kind::Numbers { .. } => unreachable!("made for recipes without numbers"),
            },
            Ready::Numbers { rebound, .. } => match rebound {
                Some(rebound) => rebound.handle(),
                None => unreachable!("taken in `drop` only"),
            },
        }
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        if let Ready::Numbers { recipe, rebound } = self
            && let Kind::Numbers { idle, .. } = &recipe.kind
        {
            let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
            let other = std::mem::replace(&mut *idle, rebound.take());
            drop(idle);
            drop(other);
        }
    }
}

fn function_type(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TYPE.import(py, "types", "FunctionType")
}

/// The code object of a plain function; None for anything else.
#[inline]
pub(crate) fn code_of<'py>(func: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = func.py();
    if func.get_type().is(function_type(py)?) { func.getattr(intern!(py, "__code__")).map(Some) } else { Ok(None) }
}

/// The handle for a function with this code object and further arguments, if a recipe says how to get it.
///
/// # Errors
/// Those of Python, such as a lack of memory. What is missing is for the door to complain about.
pub(crate) fn find(
    func: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
    args: Option<&Bound<'_, PyTuple>>,
) -> PyResult<Option<Ready>> {
    let address = code.as_ptr() as usize;
    for i in 0..KEPT {
        let recipe = match known().as_ref().and_then(|known| known.get(&address)) {
            Some(Known { recipes: Some(recipes), .. }) => recipes.get(i).map(Arc::clone),
            _ => None,
        };
        let Some(recipe) = recipe else { break };
        let found = Recipe::follow(recipe, func, args)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Asks for a recipe for what the door has made of a function, unless that has been of no use too often.
///
/// # Errors
/// Those of Python.
pub(crate) fn learn(
    func: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
    args: Option<&Bound<'_, PyTuple>>,
    made: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (py, address) = (func.py(), code.as_ptr() as usize);
    if let Some(Known { recipes: None, .. }) = known().as_ref().and_then(|known| known.get(&address)) {
        return Ok(());
    }
    let Ok(callback) = made.cast::<Callback>() else { return Ok(()) };
    static RECIPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let tuple = args.map_or_else(|| PyTuple::empty(py), Bound::clone);
    let reads = RECIPE.import(py, "ringback.recipe", "recipe")?.call1((func, code, &tuple, made))?;
    let recipe = if reads.is_none() { None } else { Some(Recipe::new(&reads, tuple.len(), callback.get())?) };
    // Threads that start with the same function all come here: one recipe is enough, and they have not tried in vain.
    if find(func, code, args)?.is_some() {
        return Ok(());
    }
    let new = || Known { _code: code.clone().unbind(), recipes: Some(Vec::new()), tried: 0 };
    let mut guard = known();
    let entry = guard.get_or_insert_default().entry(address).or_insert_with(new);
    entry.tried += 1;
    let forgotten = if entry.tried >= TRIED {
        (entry.recipes.take(), recipe)
    } else if let (Some(recipes), Some(recipe)) = (&mut entry.recipes, recipe) {
        recipes.insert(0, Arc::new(recipe));
        (Some(recipes.split_off(recipes.len().min(KEPT))), None)
    } else {
        (None, None)
    };
    drop(guard);
    // Objects may go with it, and run code.
    drop(forgotten);
    Ok(())
}

type Written = (Option<Py<PyAny>>, (String, Py<PyAny>), Vec<(Py<PyAny>, Py<PyString>)>, (String, Py<PyAny>));

impl Recipe {
    fn new(reads: &Bound<'_, PyAny>, args: usize, callback: &Callback) -> PyResult<Self> {
        let py = reads.py();
        let mut slots = Vec::new();
        let mut all = Vec::new();
        for (owner, (root, place), modules, (kind, wanted)) in reads.extract::<Vec<Written>>()? {
            let name = || place.extract::<Py<PyString>>(py);
            let root = match root.as_str() {
                "arg" => Root::Arg(place.extract(py)?),
                "default" => Root::Default(place.extract(py)?),
                "cell" => Root::Cell(place.extract(py)?),
                "global" => Root::Global(name()?),
                "builtin" => Root::Builtin(name()?),
                "attribute" => Root::Attribute(name()?),
                _ => return Err(PyValueError::new_err(format!("no place of a value: {root:?}"))),
            };
            let weak = |(module, attribute): (Py<PyAny>, Py<PyString>)| {
                Ok((PyWeakrefReference::new(module.bind(py))?.unbind(), attribute))
            };
            let modules = modules.into_iter().map(weak).collect::<PyResult<_>>()?;
            let number = match kind.as_str() {
                "f64" => Some(Number::F64),
                "i64" => Some(Number::I64),
                "bool" => Some(Number::Bool),
                "c128" => Some(Number::C128),
                _ => None,
            };
            let expected = match number {
                Some(number) => {
                    slots.push((wanted.extract(py)?, kind));
                    Expected::Number(number, slots.len() - 1)
                }
                None => Expected::Same(wanted),
            };
            all.push(Read { owner, root, modules, expected });
        }
        let kind = if slots.is_empty() {
            Kind::Fixed(callback.scalar()?.clone())
        } else {
            Kind::Numbers { rebindable: callback.rebindable(&slots)?, idle: Mutex::new(None) }
        };
        Ok(Recipe { args, reads: all, kind })
    }

    /// The handle, if all is as it was but for numbers.
    fn follow(this: Arc<Self>, func: &Bound<'_, PyAny>, args: Option<&Bound<'_, PyTuple>>) -> PyResult<Option<Ready>> {
        if args.map_or(0, |args| args.len()) != this.args {
            return Ok(None);
        }
        let mut ready = match &this.kind {
            Kind::Fixed(_) => Ready::Fixed(Arc::clone(&this)),
            Kind::Numbers { rebindable, idle } => {
                let idle = idle.lock().unwrap_or_else(PoisonError::into_inner).take();
                // An integrand may integrate itself, and threads may meet here.
                let rebound = Some(idle.map_or_else(|| rebindable.handle(), Ok)?);
                Ready::Numbers { recipe: Arc::clone(&this), rebound }
            }
        };
        for read in &this.reads {
            let value = match read.value(func, args)? {
                Some(value) => value,
                None => return Ok(None),
            };
            match (&read.expected, &mut ready) {
                (Expected::Same(object), _) if value.is(object) => {}
                (Expected::Number(number, i), Ready::Numbers { rebound: Some(rebound), .. }) => {
                    match number.words(&value)? {
                        Some(words) => rebound.set(*i, words),
                        None => return Ok(None),
                    }
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(ready))
    }
}

impl Read {
    /// The value that is there now. It is read without running anybody's code.
    #[inline]
    fn value<'py>(
        &self,
        func: &Bound<'py, PyAny>,
        args: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = func.py();
        let func = self.owner.as_ref().map_or(func, |owner| owner.bind(py));
        let value = match &self.root {
            Root::Arg(i) => args.and_then(|args| args.get_item(*i).ok()),
            Root::Default(i) => match func.getattr(intern!(py, "__defaults__"))?.cast::<PyTuple>() {
                Ok(defaults) => defaults.len().checked_sub(*i).and_then(|i| defaults.get_item(i).ok()),
                Err(_) => None,
            },
            Root::Cell(i) => match func.getattr(intern!(py, "__closure__"))?.cast::<PyTuple>() {
                Ok(cells) => or_absent::<PyValueError>(cells.get_item(*i)?.getattr(intern!(py, "cell_contents")))?,
                Err(_) => None,
            },
            Root::Global(name) => match globals(func)? {
                Some(globals) => globals.get_item(name)?,
                None => None,
            },
            Root::Builtin(name) => {
                static BUILTINS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
                let builtins = BUILTINS.get_or_try_init(py, || py.import("builtins").map(Bound::unbind))?;
                match globals(func)? {
                    Some(globals) if !globals.contains(name)? => builtins.bind(py).dict().get_item(name)?,
                    _ => None,
                }
            }
            Root::Attribute(name) => or_absent::<PyAttributeError>(func.getattr(name))?,
        };
        let Some(mut value) = value else { return Ok(None) };
        for (module, attribute) in &self.modules {
            let next = match value.cast_exact::<PyModule>() {
                Ok(found) if module.bind(py).upgrade().is_some_and(|module| module.is(found)) => {
                    found.dict().get_item(attribute)?
                }
                _ => None,
            };
            let Some(next) = next else { return Ok(None) };
            value = next;
        }
        Ok(Some(value))
    }
}

/// What a function reads globals from, unless it is of a type that may do as it likes.
#[inline]
fn globals<'py>(func: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    Ok(func.getattr(intern!(func.py(), "__globals__"))?.cast_into_exact().ok())
}

/// What has been read, if the error is not the one that says that there is nothing.
#[inline]
fn or_absent<'py, E: PyTypeInfo>(read: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => Python::attach(|py| if error.is_instance_of::<E>(py) { Ok(None) } else { Err(error) }),
    }
}

impl Number {
    /// The bytes of a number, for `Rebound::set`, if it is of a type that is passed so.
    #[inline]
    fn words(self, value: &Bound<'_, PyAny>) -> PyResult<Option<[u64; 2]>> {
        Ok(match self {
            Number::F64 if value.is_exact_instance_of::<PyFloat>() || is_numpy(value, "float64", &FLOAT64)? => {
                Some([value.extract::<f64>()?.to_bits(), 0])
            }
            // What needs more than 64 bits is other code, or an error.
            Number::I64 if value.is_exact_instance_of::<PyInt>() || is_numpy(value, "int64", &INT64)? => {
                value.extract::<i64>().ok().map(|number| [number as u64, 0])
            }
            Number::Bool => value.cast_exact::<PyBool>().ok().map(|truth| [truth.is_true().into(), 0]),
            Number::C128
                if value.is_exact_instance_of::<PyComplex>() || is_numpy(value, "complex128", &COMPLEX128)? =>
            {
                let number = value.cast::<PyComplex>().map_err(PyErr::from)?;
                Some([number.real().to_bits(), number.imag().to_bits()])
            }
            _ => None,
        })
    }
}

static FLOAT64: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static INT64: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static COMPLEX128: PyOnceLock<Py<PyType>> = PyOnceLock::new();

/// Whether a value is of just that type of NumPy's, which is kept in `known`.
#[inline]
fn is_numpy(value: &Bound<'_, PyAny>, name: &str, known: &PyOnceLock<Py<PyType>>) -> PyResult<bool> {
    Ok(value.get_type().is(known.import(value.py(), "numpy", name)?))
}
