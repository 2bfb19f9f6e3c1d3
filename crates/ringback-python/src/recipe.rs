//! Plain functions that have passed through the package's door before: the short way to their callbacks.
//!
//! The door looks at all that a function refers to, in Python, which takes several times as long as a short integral.
//! What has to be looked at is known after the first time (`recipe.py`): here it is done, for functions that differ
//! from the first one in numbers and arrays only, or not at all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString, PyTuple};

use self::read::{Read, Written};
pub(crate) use self::target::Target;
use crate::producer::{Callback, Rebindable, Rebound, Scalar};

mod read;
mod target;

/// So many recipes are kept for one piece of code: for numbers of different kinds, say.
const KEPT: usize = 4;
/// After so many attempts, another one will not be of much use.
const TRIED: u32 = 16;

/// How to get the callback of a function.
struct Recipe {
    given: Given,
    reads: Vec<Read>,
    kind: Kind,
}

/// How much is bound to a function: each of it is among the reads. And what it is decorated with.
struct Given {
    args: usize,
    leading: usize,
    keywords: usize,
    options: Option<Vec<(Py<PyAny>, Py<PyAny>)>>,
}

enum Kind {
    /// Nothing can change.
    Fixed(Scalar),
    /// Numbers and arrays can.
    Changing(Arc<Changing>),
}

/// The slots that change, and a handle whose slots nobody uses at present.
pub(crate) struct Changing {
    rebindable: Rebindable,
    idle: Mutex<Option<Slots>>,
}

type Slots = Rebound<(f64,), f64>;

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
    Fixed(Scalar),
    Changing(Slots, Arc<Changing>),
}

impl Ready {
    #[inline]
    pub(crate) fn handle(&self) -> &Scalar {
        match self {
            Ready::Fixed(handle) => handle,
            Ready::Changing(slots, _) => slots.handle(),
        }
    }

    /// For the next integral, which would need a new handle otherwise.
    #[inline]
    pub(crate) fn give_back(self) {
        if let Ready::Changing(slots, changing) = self {
            changing.put(slots);
        }
    }
}

impl Changing {
    #[inline]
    fn take(&self) -> PyResult<Slots> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An integrand may integrate itself, and threads may meet here.
        idle.map_or_else(|| self.rebindable.handle(), Ok)
    }

    #[inline]
    fn put(&self, mut slots: Slots) {
        slots.forget();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let other = idle.replace(slots);
        drop(idle);
        drop(other);
    }
}

/// The handle for a function and further arguments, if a recipe says how to get it.
///
/// # Errors
/// Those of Python, such as a lack of memory. What is missing is for the door to complain about.
pub(crate) fn find(target: &Target<'_>, args: Option<&Bound<'_, PyTuple>>) -> PyResult<Option<Ready>> {
    let address = target.code.as_ptr() as usize;
    for i in 0..KEPT {
        let recipe = match known().as_ref().and_then(|known| known.get(&address)) {
            Some(Known { recipes: Some(recipes), .. }) => recipes.get(i).map(Arc::clone),
            _ => None,
        };
        let Some(recipe) = recipe else { break };
        let found = recipe.follow(target, args)?;
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
    target: &Target<'_>,
    args: Option<&Bound<'_, PyTuple>>,
    error_model: &Bound<'_, PyString>,
    made: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let (py, address) = (made.py(), target.code.as_ptr() as usize);
    if let Some(Known { recipes: None, .. }) = known().as_ref().and_then(|known| known.get(&address)) {
        return Ok(());
    }
    if made.cast::<Callback>().is_err() {
        return Ok(());
    }
    static RECIPE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let args = args.map_or_else(|| PyTuple::empty(py), Bound::clone);
    let leading = target.leading.as_ref().map_or_else(|| PyTuple::empty(py), Bound::clone);
    // Copies: both may change in place, and what is written down is to be what was looked at.
    let keywords = target.keywords.as_ref().map_or_else(|| Ok(PyDict::new(py)), |keywords| keywords.copy())?;
    let options = target.options.as_ref().map(|options| options.copy()).transpose()?;
    let given = Given {
        args: args.len(),
        leading: leading.len(),
        keywords: keywords.len(),
        options: options.as_ref().map(|options| options.iter().map(|(k, v)| (k.unbind(), v.unbind())).collect()),
    };
    let (function, code) = (&target.function, &target.code);
    let asked = (function, code, &leading, &keywords, &options, &args, error_model, made);
    let written = RECIPE.import(py, "ringback.recipe", "recipe")?.call1(asked)?;
    let recipe = if written.is_none() { None } else { Some(Recipe::new(&written, given)?) };
    // Threads that start with the same function all come here: one recipe is enough, and they have not tried in vain.
    if let Some(ready) = find(target, Some(&args))? {
        ready.give_back();
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

impl Recipe {
    /// As `recipe.py` wrote it down: a callback to make others of, and what to read.
    fn new(written: &Bound<'_, PyAny>, given: Given) -> PyResult<Self> {
        let py = written.py();
        let (callback, reads): (Bound<'_, Callback>, Vec<Written>) = written.extract()?;
        let mut slots = Vec::new();
        let reads = reads.into_iter().map(|read| Read::new(read, py, &mut slots)).collect::<PyResult<_>>()?;
        let kind = if slots.is_empty() {
            Kind::Fixed(callback.get().scalar()?.clone())
        } else {
            let rebindable = callback.get().rebindable(&slots)?;
            Kind::Changing(Arc::new(Changing { rebindable, idle: Mutex::new(None) }))
        };
        Ok(Recipe { given, reads, kind })
    }

    /// The handle, if all is as it was but for numbers and arrays.
    fn follow(&self, target: &Target<'_>, args: Option<&Bound<'_, PyTuple>>) -> PyResult<Option<Ready>> {
        if !self.given.is_what(target, args)? {
            return Ok(None);
        }
        match &self.kind {
            Kind::Fixed(handle) => {
                for read in &self.reads {
                    if !read.follow(target, args, None)? {
                        return Ok(None);
                    }
                }
                Ok(Some(Ready::Fixed(handle.clone())))
            }
            Kind::Changing(changing) => {
                let mut slots = changing.take()?;
                for read in &self.reads {
                    if !read.follow(target, args, Some(&mut slots))? {
                        changing.put(slots);
                        return Ok(None);
                    }
                }
                Ok(Some(Ready::Changing(slots, Arc::clone(changing))))
            }
        }
    }
}

impl Given {
    #[inline]
    fn is_what(&self, target: &Target<'_>, args: Option<&Bound<'_, PyTuple>>) -> PyResult<bool> {
        let leading = target.leading.as_ref().map_or(0, |leading| leading.len());
        let keywords = target.keywords.as_ref().map_or(0, |keywords| keywords.len());
        if (args.map_or(0, |args| args.len()), leading, keywords) != (self.args, self.leading, self.keywords) {
            return Ok(false);
        }
        match (&self.options, &target.options) {
            (None, None) => Ok(true),
            (Some(wanted), Some(options)) if wanted.len() == options.len() => {
                for (name, value) in wanted {
                    if !options.get_item(name)?.is_some_and(|found| found.is(value)) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
