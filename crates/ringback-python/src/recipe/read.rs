//! One value that a callback depends on: where it is found, and what it is to be. No Python code runs to read it.

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyAttributeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyComplex, PyDict, PyFloat, PyInt, PyModule, PyString, PyTuple, PyType, PyWeakrefMethods,
    PyWeakrefReference,
};

use super::Slots;
use super::target::Target;
use crate::ndarray::{Layout, Memory};

/// A value, as `recipe.py` says it: see there.
pub(super) type Written = (Option<Py<PyAny>>, (String, Py<PyAny>), Vec<(Py<PyAny>, Py<PyString>)>, Wanted);
type Wanted = (String, Py<PyAny>);

pub(super) struct Read {
    /// The function that refers to it, if it is another one that is called.
    owner: Option<Py<PyAny>>,
    root: Root,
    /// Modules on the way to it, which nobody keeps alive for that, with the attribute that is read from each.
    modules: Vec<(Py<PyWeakrefReference>, Py<PyString>)>,
    expected: Expected,
}

enum Root {
    Arg(usize),
    Leading(usize),
    Keyword(Py<PyString>),
    /// From the end, from 1 on: the last default is that of the last parameter, however many there are.
    Default(usize),
    KeywordDefault(Py<PyString>),
    Cell(usize),
    Global(Py<PyString>),
    Builtin(Py<PyString>),
    Attribute(Py<PyString>),
}

enum Expected {
    Same(Py<PyAny>),
    /// A number for the `i`-th of the slots that change.
    Number(Number, usize),
    /// An array for the `i`-th of the slots that change.
    Array(Array, usize),
    /// A plain tuple of these.
    Tuple(Vec<Expected>),
}

/// What a number is passed as. For each there is a type or two that are read here; others are the same object or other code.
#[derive(Clone, Copy)]
enum Number {
    F64,
    I64,
    Bool,
    C128,
}

/// What is in the type of an array: with another one it is other code.
struct Array {
    /// The class of the dtype: types that are not NumPy's own may look like one of these.
    dtype: Py<PyAny>,
    element: (u8, usize),
    dimensions: usize,
    layout: Layout,
}

impl Read {
    /// As it was written down. The slots that change are appended to `slots`, with what is there.
    pub(super) fn new(written: Written, py: Python<'_>, slots: &mut Vec<(usize, String)>) -> PyResult<Self> {
        let (owner, (root, place), modules, expected) = written;
        let name = || place.extract::<Py<PyString>>(py);
        let root = match root.as_str() {
            "arg" => Root::Arg(place.extract(py)?),
            "leading" => Root::Leading(place.extract(py)?),
            "keyword" => Root::Keyword(name()?),
            "default" => Root::Default(place.extract(py)?),
            "keyword default" => Root::KeywordDefault(name()?),
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
        Ok(Read { owner, root, modules, expected: Expected::new(expected, py, slots)? })
    }

    /// Whether the value that is there now is as expected, but for numbers and arrays, which are put where they belong.
    #[inline]
    pub(super) fn follow(
        &self,
        target: &Target<'_>,
        args: Option<&Bound<'_, PyTuple>>,
        slots: Option<&mut Slots>,
    ) -> PyResult<bool> {
        match self.value(target, args)? {
            Some(value) => self.expected.meet(&value, slots),
            None => Ok(false),
        }
    }

    #[inline]
    fn value<'py>(
        &self,
        target: &Target<'py>,
        args: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let py = target.function.py();
        let func = self.owner.as_ref().map_or(&target.function, |owner| owner.bind(py));
        let value = match &self.root {
            Root::Arg(i) => args.and_then(|args| args.get_item(*i).ok()),
            Root::Leading(i) => target.leading.as_ref().and_then(|leading| leading.get_item(*i).ok()),
            Root::Keyword(name) => match &target.keywords {
                Some(keywords) => keywords.get_item(name)?,
                None => None,
            },
            Root::Default(i) => match func.getattr(intern!(py, "__defaults__"))?.cast_exact::<PyTuple>() {
                Ok(defaults) => defaults.len().checked_sub(*i).and_then(|i| defaults.get_item(i).ok()),
                Err(_) => None,
            },
            Root::KeywordDefault(name) => match func.getattr(intern!(py, "__kwdefaults__"))?.cast_exact::<PyDict>() {
                Ok(defaults) => defaults.get_item(name)?,
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
pub(super) fn or_absent<'py, E: PyTypeInfo>(read: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error) => Python::attach(|py| if error.is_instance_of::<E>(py) { Ok(None) } else { Err(error) }),
    }
}

impl Expected {
    fn new((kind, wanted): Wanted, py: Python<'_>, slots: &mut Vec<(usize, String)>) -> PyResult<Self> {
        let number = match kind.as_str() {
            "same" => return Ok(Expected::Same(wanted)),
            "tuple" => {
                let items = wanted.extract::<Vec<Wanted>>(py)?.into_iter();
                return items.map(|item| Expected::new(item, py, slots)).collect::<PyResult<_>>().map(Expected::Tuple);
            }
            "array" => {
                type Typed = (usize, Py<PyAny>, String, usize, String);
                let (slot, dtype, element, dimensions, layout): Typed = wanted.extract(py)?;
                slots.push((slot, format!("array{dimensions}")));
                return Ok(Expected::Array(Array::new(dtype, &element, dimensions, &layout)?, slots.len() - 1));
            }
            "f64" => Number::F64,
            "i64" => Number::I64,
            "bool" => Number::Bool,
            "c128" => Number::C128,
            _ => return Err(PyValueError::new_err(format!("nothing that is expected: {kind:?}"))),
        };
        slots.push((wanted.extract(py)?, kind));
        Ok(Expected::Number(number, slots.len() - 1))
    }

    /// Without slots nothing can change, so there is neither a number nor an array.
    fn meet(&self, value: &Bound<'_, PyAny>, slots: Option<&mut Slots>) -> PyResult<bool> {
        match (self, slots) {
            (Expected::Same(object), _) => Ok(value.is(object)),
            (Expected::Number(number, i), Some(slots)) => {
                Ok(number.words(value)?.map(|words| slots.set(*i, words)).is_some())
            }
            (Expected::Array(array, i), Some(slots)) => match Memory::of(value)? {
                Some(memory) if array.is_of(value, &memory)? => Ok(slots.set_array(*i, memory)),
                _ => Ok(false),
            },
            (Expected::Tuple(items), mut slots) => {
                let Ok(tuple) = value.cast_exact::<PyTuple>() else { return Ok(false) };
                if tuple.len() != items.len() {
                    return Ok(false);
                }
                for (i, expected) in items.iter().enumerate() {
                    if !expected.meet(&tuple.get_item(i)?, slots.as_deref_mut())? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (_, None) => Ok(false),
        }
    }
}

impl Array {
    fn new(dtype: Py<PyAny>, element: &str, dimensions: usize, layout: &str) -> PyResult<Self> {
        let layout = match layout {
            "C" => Layout::C,
            "F" => Layout::F,
            "any" => Layout::Any,
            _ => return Err(PyValueError::new_err(format!("no layout of an array: {layout:?}"))),
        };
        let (kind, bits) = element.split_at_checked(1).unwrap_or_default();
        let element = match (kind, bits.parse::<usize>()) {
            ("i" | "u" | "f" | "c", Ok(bits)) => (kind.as_bytes()[0], bits / 8),
            _ if element == "bool" => (b'b', 1),
            _ => return Err(PyValueError::new_err(format!("no element of an array: {element:?}"))),
        };
        Ok(Array { dtype, element, dimensions, layout })
    }

    #[inline]
    fn is_of(&self, value: &Bound<'_, PyAny>, memory: &Memory) -> PyResult<bool> {
        Ok(self.element == memory.element
            && self.dimensions == memory.dimensions()
            && self.layout == memory.layout
            && value.getattr(intern!(value.py(), "dtype"))?.get_type().is(&self.dtype))
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
