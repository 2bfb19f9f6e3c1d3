//! Plain functions that have passed through the package's door before: the short way to their callbacks.
//!
//! The door looks at all that a function refers to, in Python, which takes several times as long as a short integral.
//! What has to be looked at is known after the first time (`recipe.py`): here it is done, for functions that differ
//! from the first one in numbers only, or not at all.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyInt, PyString, PyTuple, PyType};

use crate::producer::{Callback, Rebindable, Rebound, Scalar};

/// So many recipes are kept for one piece of code: for numbers of different kinds, say.
const KEPT: usize = 4;
/// After so many, another one will not be of much use.
const LEARNED: u32 = 16;

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
    /// Modules on the way to it, with the attribute that is read from each.
    modules: Vec<(Py<PyAny>, Py<PyString>)>,
    expected: Expected,
}

enum Root {
    Arg(usize),
    Default(usize),
    Cell(usize),
    Global(Py<PyString>),
    Builtin(Py<PyString>),
    Attribute(Py<PyString>),
}

enum Expected {
    Same(Py<PyAny>),
    /// A number for the `i`-th of the slots that change.
    Float(usize),
    Integer(usize),
}

/// What is known of a code object.
struct Known {
    /// Keeps its address from being used again.
    _code: Py<PyAny>,
    /// The last one first. None if there is none: something may change in place, or too much does.
    recipes: Option<Vec<Arc<Recipe>>>,
    learned: u32,
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
/// What an attribute of a module raised, but for its absence.
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
        match Recipe::follow(recipe, func, args) {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            // What is missing is for the door to complain about.
            Err(error) if is_absence(func.py(), &error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn is_absence(py: Python<'_>, error: &PyErr) -> bool {
    use pyo3::exceptions::{PyAttributeError, PyLookupError};
    error.is_instance_of::<PyAttributeError>(py)
        || error.is_instance_of::<PyLookupError>(py)
        || error.is_instance_of::<PyValueError>(py)
}

/// Asks for a recipe for what the door has made of a function, unless it is known that there is none.
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
    let args = args.map_or_else(|| PyTuple::empty(py), Bound::clone);
    let reads = RECIPE.import(py, "ringback.recipe", "recipe")?.call1((func, &args, made))?;
    let recipe = if reads.is_none() { None } else { Some(Recipe::new(&reads, args.len(), callback.get())?) };
    let new = || Known { _code: code.clone().unbind(), recipes: Some(Vec::new()), learned: 0 };
    let mut guard = known();
    let entry = guard.get_or_insert_default().entry(address).or_insert_with(new);
    entry.learned += 1;
    let forgotten = match (&mut entry.recipes, recipe) {
        (Some(recipes), Some(recipe)) if entry.learned < LEARNED => {
            recipes.insert(0, Arc::new(recipe));
            Some(recipes.split_off(recipes.len().min(KEPT)))
        }
        (recipes, _) => recipes.take(),
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
        let mut number = |kind: &str, slot: &Py<PyAny>| -> PyResult<usize> {
            slots.push((slot.extract(py)?, kind.to_owned()));
            Ok(slots.len() - 1)
        };
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
            let expected = match kind.as_str() {
                "f64" => Expected::Float(number("f64", &wanted)?),
                "i64" => Expected::Integer(number("i64", &wanted)?),
                _ => Expected::Same(wanted),
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
            let words = match &read.expected {
                Expected::Same(object) if value.is(object) => continue,
                Expected::Same(_) => return Ok(None),
                Expected::Float(i) => float(&value)?.map(|number| (*i, number.to_bits())),
                Expected::Integer(i) => integer(&value).map(|number| (*i, number as u64)),
            };
            match (words, &mut ready) {
                (Some((i, word)), Ready::Numbers { rebound: Some(rebound), .. }) => rebound.set(i, [word, 0]),
                _ => return Ok(None),
            }
        }
        Ok(Some(ready))
    }
}

impl Read {
    /// The value that is there now.
    fn value<'py>(
        &self,
        func: &Bound<'py, PyAny>,
        args: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = func.py();
        let func = self.owner.as_ref().map_or(func, |owner| owner.bind(py));
        let globals = || -> PyResult<Bound<'py, PyDict>> {
            Ok(func.getattr(intern!(py, "__globals__"))?.cast_into::<PyDict>().map_err(PyErr::from)?)
        };
        let item = |tuple: Bound<'py, PyAny>, i: usize| -> PyResult<Bound<'py, PyAny>> {
            tuple.cast::<PyTuple>().map_err(PyErr::from)?.get_item(i)
        };
        let mut value = match &self.root {
            Root::Arg(i) => match args {
                Some(args) => args.get_item(*i)?,
                None => return Ok(None),
            },
            Root::Default(i) => item(func.getattr(intern!(py, "__defaults__"))?, *i)?,
            Root::Cell(i) => {
                let cell = item(func.getattr(intern!(py, "__closure__"))?, *i)?;
                cell.getattr(intern!(py, "cell_contents"))?
            }
            Root::Global(name) => match globals()?.get_item(name)? {
                Some(value) => value,
                None => return Ok(None),
            },
            Root::Builtin(name) => {
                if globals()?.contains(name)? {
                    return Ok(None);
                }
                static BUILTINS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
                let builtins = BUILTINS.get_or_try_init(py, || py.import("builtins").map(|m| m.into_any().unbind()))?;
                builtins.bind(py).getattr(name)?
            }
            Root::Attribute(name) => func.getattr(name)?,
        };
        for (module, attribute) in &self.modules {
            if !value.is(module) {
                return Ok(None);
            }
            value = value.getattr(attribute)?;
        }
        Ok(Some(value))
    }
}

/// A number of one of the types that are passed as `f64`.
fn float(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    let py = value.py();
    if !value.is_exact_instance_of::<PyFloat>() {
        static TYPE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if !value.get_type().is(TYPE.import(py, "numpy", "float64")?) {
            return Ok(None);
        }
    }
    value.extract().map(Some)
}

/// A number of the type that is passed as `i64`.
fn integer(value: &Bound<'_, PyAny>) -> Option<i64> {
    if value.is_exact_instance_of::<PyInt>() { value.extract().ok() } else { None }
}
