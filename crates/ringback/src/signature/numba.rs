//! Numba's spelling of types, as its users type it and as it prints it.

use super::parse::{Cursor, SignatureError};
use super::{Array, Dim, Layout, Parameter, Return, Scalar};

/// `long` in C, which Numba's `long_` and `ulong` follow.
const LONG_IS_64: bool = cfg!(all(not(windows), target_pointer_width = "64"));
const POINTER_IS_64: bool = cfg!(target_pointer_width = "64");

/// Whether a text has a name or a notation that only Numba's spelling has.
pub(super) fn is_spelling_of(text: &str) -> bool {
    let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let named = words().any(|word| {
        let typed = name(word).is_some() || foreign(word).is_some();
        let built = matches!(word, "none" | "voidptr" | "CPointer" | "Array" | "array" | "UniTuple" | "Tuple");
        (typed || built) && Scalar::by_name(word).is_none()
    });
    let indexed = text.match_indices('[').any(|(at, _)| {
        let before = text[..at].trim_end();
        before.ends_with(|c: char| c.is_ascii_alphanumeric()) && !before.ends_with("mut")
    });
    named || indexed
}

/// The scalar of a name in `numba.types`. Those that begin with `np_`, `c_` or `py_` are NumPy's, C's and Python's
/// views of the same types.
fn name(word: &str) -> Option<Scalar> {
    let by_width = |wide: bool, long, short| if wide { long } else { short };
    let base = ["np_", "c_"].iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
    Some(match base {
        "float64" | "f8" | "double" | "py_float" => Scalar::F64,
        "float32" | "f4" => Scalar::F32,
        "float_" if word == "np_float_" => Scalar::F32,
        "long" if word == "np_long" => by_width(LONG_IS_64, Scalar::I64, Scalar::I32),
        "int8" | "i1" | "char" => Scalar::I8,
        "int16" | "i2" | "short" => Scalar::I16,
        "int32" | "i4" | "intc" => Scalar::I32,
        "int64" | "longlong" => Scalar::I64,
        "uint8" | "u1" | "uchar" | "byte" => Scalar::U8,
        "uint16" | "u2" | "ushort" => Scalar::U16,
        "uint32" | "u4" | "uintc" => Scalar::U32,
        "uint64" | "ulonglong" => Scalar::U64,
        "intp" | "ssize_t" | "int_" | "py_int" => by_width(POINTER_IS_64, Scalar::I64, Scalar::I32),
        "uintp" | "size_t" | "uint" => by_width(POINTER_IS_64, Scalar::U64, Scalar::U32),
        "long_" => by_width(LONG_IS_64, Scalar::I64, Scalar::I32),
        "ulong" => by_width(LONG_IS_64, Scalar::U64, Scalar::U32),
        "boolean" | "bool_" | "bool" | "b1" | "py_bool" => Scalar::Bool,
        "complex64" | "c8" => Scalar::C64,
        "complex128" | "c16" | "py_complex" => Scalar::C128,
        _ => return None,
    })
}

/// What to say of names that are nearly Numba's.
fn foreign(word: &str) -> Option<&'static str> {
    Some(match word {
        "float" | "float_" => {
            "`float` is float64 in Python and float32 in C, and no name of Numba's: write one of these"
        }
        "int" => "`int` has no width here: write intc (C's int), int64 or int_",
        "long" => "`long` has no width here: write long_ (C's long) or int64",
        "complex" => "`complex` has no width here: write complex64 or complex128",
        "float16" | "f2" | "np_float16" | "c_float16" => "half precision cannot be passed: write float32",
        "unaligned" => "arrays that are not aligned cannot be passed",
        _ => return None,
    })
}

fn scalar(cursor: &mut Cursor<'_>) -> Result<Scalar, SignatureError> {
    let start = cursor.clone();
    let word = cursor.word("a type")?;
    if let Some(scalar) = name(word) {
        return Ok(scalar);
    }
    // Short names count bits in Ringback's grammar and bytes in Numba's.
    Err(start.error(match word {
        "i8" => "`i8` among Numba's names could mean 8 bits or 8 bytes: write int8 or int64",
        "u8" => "`u8` among Numba's names could mean 8 bits or 8 bytes: write uint8 or uint64",
        "i16" | "i32" | "i64" | "u16" | "u32" | "u64" | "f32" | "f64" | "c64" | "c128" => {
            "this name is Ringback's, and other names in the text are Numba's: use one spelling throughout"
        }
        word => foreign(word).unwrap_or("expected a type, such as f64, i32, float64, intc or CPointer(float64)"),
    }))
}

/// A result: a scalar, `void` or `none`, or a tuple of values of one type.
pub(super) fn result(cursor: &mut Cursor<'_>) -> Result<Return, SignatureError> {
    let start = cursor.clone();
    if cursor.take_word("void") || cursor.take_word("none") {
        return Ok(Return::Void);
    }
    if cursor.take_word("UniTuple") {
        // Numba prints `UniTuple(float64 x 3)` and reads `UniTuple(float64, 3)`.
        cursor.expect('(', "`(`")?;
        let element = scalar(cursor)?;
        if !cursor.take_word("x") {
            cursor.expect(',', "`,` and the number of values")?;
        }
        let length = cursor.number()?;
        cursor.expect(')', "`)`")?;
        return Ok(Return::Array(element, length));
    }
    if cursor.take_word("Tuple") {
        cursor.expect('(', "`(`")?;
        let inner = cursor.take('(') || cursor.take('[');
        let mut elements = vec![scalar(cursor)?];
        while cursor.take(',') {
            if matches!(cursor.peek(), Some(')' | ']')) {
                break;
            }
            elements.push(scalar(cursor)?);
        }
        if inner && !cursor.take(']') {
            cursor.expect(')', "`)`")?;
        }
        cursor.expect(')', "`)`")?;
        if elements.iter().any(|element| *element != elements[0]) {
            return Err(start.error("a result has values of one type: write the others to `mut` arrays"));
        }
        return Ok(Return::Array(elements[0], elements.len()));
    }
    let scalar = scalar(cursor)?;
    if cursor.peek() == Some('[') {
        return Err(cursor.error("a callback cannot return an array: write to a `mut` array parameter"));
    }
    Ok(Return::Scalar(scalar))
}

/// A parameter: a scalar, an array in one of Numba's three notations, or a pointer.
pub(super) fn parameter(cursor: &mut Cursor<'_>) -> Result<Parameter, SignatureError> {
    if cursor.take_word("voidptr") {
        return Ok(Parameter::Pointer(None));
    }
    if cursor.take_word("CPointer") {
        cursor.expect('(', "`(`")?;
        let target = if cursor.take_word("void") || cursor.take_word("none") { None } else { Some(scalar(cursor)?) };
        cursor.expect(')', "`)`")?;
        return Ok(Parameter::Pointer(target));
    }
    // Numba prints `voidptr` as `void*`.
    if cursor.take_word("void") || cursor.take_word("none") {
        cursor.expect('*', "`*`: a parameter cannot be void")?;
        return Ok(Parameter::Pointer(None));
    }
    let readonly = cursor.take_word("readonly");
    if cursor.take_word("Array") || cursor.take_word("array") {
        return array_type(cursor, !readonly);
    }
    if readonly {
        return Err(cursor.error("expected `array` after `readonly`"));
    }
    let element = scalar(cursor)?;
    // Numba prints pointers as `float64*`.
    if cursor.take('*') {
        return Ok(Parameter::Pointer(Some(element)));
    }
    if !cursor.take('[') {
        return Ok(Parameter::Scalar(element));
    }
    let mut contiguous = Vec::new();
    loop {
        cursor.expect(':', "`:`, as in float64[:] or float64[::1]")?;
        let mut unit = false;
        if cursor.take(':') {
            if cursor.number()? != 1 {
                return Err(cursor.error("the only step in a type is 1, as in float64[::1]"));
            }
            unit = true;
        }
        contiguous.push(unit);
        if contiguous.len() > 4 {
            return Err(cursor.error("arrays have 1 to 4 dimensions"));
        }
        if !cursor.take(',') {
            break;
        }
    }
    cursor.expect(']', "`]`")?;
    let rank = contiguous.len();
    let layout = match contiguous.iter().filter(|unit| **unit).count() {
        0 => Layout::Any,
        1 if contiguous[rank - 1] => Layout::C,
        1 if contiguous[0] => Layout::F,
        _ => return Err(cursor.error("`::1` stands at the last axis (C) or at the first (F), once")),
    };
    Ok(Parameter::Array(Array { element, dims: vec![Dim::Any; rank], layout, mutable: true }))
}

/// `Array(float64, 2, 'C', readonly=True, aligned=True)` and `array(float64, 2d, C)`.
fn array_type(cursor: &mut Cursor<'_>, mut mutable: bool) -> Result<Parameter, SignatureError> {
    cursor.expect('(', "`(`")?;
    let element = scalar(cursor)?;
    cursor.expect(',', "`,` and the number of dimensions")?;
    let rank = rank(cursor)?;
    cursor.expect(',', "`,` and the layout")?;
    let layout = layout(cursor)?;
    let mut position = 0;
    while cursor.take(',') {
        let start = cursor.clone();
        let word = cursor.word("True, False, readonly= or aligned=")?;
        let (key, value) = match word {
            "True" | "False" => {
                position += 1;
                (if position == 1 { "readonly" } else { "aligned" }, word)
            }
            key => {
                cursor.expect('=', "`=`")?;
                (key, cursor.word("True or False")?)
            }
        };
        match (key, value) {
            ("readonly", "True") => mutable = false,
            ("readonly", "False") | ("aligned", "True") => {}
            ("aligned", "False") => return Err(start.error("arrays that are not aligned cannot be passed")),
            _ => return Err(start.error("expected readonly= or aligned=, with True or False")),
        }
    }
    cursor.expect(')', "`)`")?;
    Ok(Parameter::Array(Array { element, dims: vec![Dim::Any; rank], layout, mutable }))
}

fn rank(cursor: &mut Cursor<'_>) -> Result<usize, SignatureError> {
    for (rank, texts) in [(1, ["1", "1d"]), (2, ["2", "2d"]), (3, ["3", "3d"]), (4, ["4", "4d"])] {
        if texts.into_iter().any(|text| cursor.take_word(text)) {
            return Ok(rank);
        }
    }
    Err(cursor.error("expected a number of dimensions from 1 to 4"))
}

fn layout(cursor: &mut Cursor<'_>) -> Result<Layout, SignatureError> {
    let quote = ['\'', '"'].into_iter().find(|quote| cursor.take(*quote));
    let layout = if cursor.take_word("C") {
        Layout::C
    } else if cursor.take_word("F") {
        Layout::F
    } else if cursor.take_word("A") {
        Layout::Any
    } else {
        return Err(cursor.error("expected a layout: 'C', 'F' or 'A'"));
    };
    if let Some(quote) = quote {
        cursor.expect(quote, "the closing quote")?;
    }
    Ok(layout)
}
