//! The parts of a signature.

use super::parse::is_identifier;
use super::{MAX_DIMS, SignatureError};

/// A number or a flag, by width and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// A flag, one byte: 0 or 1.
    Bool,
    /// A signed integer of 8 bits.
    I8,
    /// A signed integer of 16 bits.
    I16,
    /// A signed integer of 32 bits.
    I32,
    /// A signed integer of 64 bits.
    I64,
    /// An unsigned integer of 8 bits.
    U8,
    /// An unsigned integer of 16 bits.
    U16,
    /// An unsigned integer of 32 bits.
    U32,
    /// An unsigned integer of 64 bits.
    U64,
    /// An IEEE 754 binary32.
    F32,
    /// An IEEE 754 binary64.
    F64,
    /// A complex number, 64 bits in all: two `f32`, real part first.
    C64,
    /// A complex number, 128 bits in all: two `f64`, real part first.
    C128,
}

impl Scalar {
    /// Every scalar, in the order of declaration.
    pub const ALL: [Scalar; 13] = [
        Scalar::Bool,
        Scalar::I8,
        Scalar::I16,
        Scalar::I32,
        Scalar::I64,
        Scalar::U8,
        Scalar::U16,
        Scalar::U32,
        Scalar::U64,
        Scalar::F32,
        Scalar::F64,
        Scalar::C64,
        Scalar::C128,
    ];

    /// The name in canonical text.
    pub const fn name(self) -> &'static str {
        match self {
            Scalar::Bool => "bool",
            Scalar::I8 => "i8",
            Scalar::I16 => "i16",
            Scalar::I32 => "i32",
            Scalar::I64 => "i64",
            Scalar::U8 => "u8",
            Scalar::U16 => "u16",
            Scalar::U32 => "u32",
            Scalar::U64 => "u64",
            Scalar::F32 => "f32",
            Scalar::F64 => "f64",
            Scalar::C64 => "c64",
            Scalar::C128 => "c128",
        }
    }

    /// The scalar of this canonical name, if there is one.
    pub fn by_name(name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|scalar| scalar.name() == name)
    }

    /// The size in bytes.
    pub const fn size(self) -> usize {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 | Scalar::F32 => 4,
            Scalar::I64 | Scalar::U64 | Scalar::F64 | Scalar::C64 => 8,
            Scalar::C128 => 16,
        }
    }

    /// The alignment of the C type in bytes, as on this target; a complex number is aligned as its parts are.
    pub const fn align(self) -> usize {
        match self {
            Scalar::Bool | Scalar::I8 | Scalar::U8 => 1,
            Scalar::I16 | Scalar::U16 => 2,
            Scalar::I32 | Scalar::U32 => align_of::<i32>(),
            Scalar::F32 | Scalar::C64 => align_of::<f32>(),
            // 4 in C structs on some 32-bit targets.
            Scalar::I64 | Scalar::U64 => align_of::<i64>(),
            Scalar::F64 | Scalar::C128 => align_of::<f64>(),
        }
    }
}

/// How the elements of an array lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Without gaps, the last index running fastest (NumPy's default).
    C,
    /// Without gaps, the first index running fastest.
    F,
    /// Anywhere: the strides say where.
    Any,
}

/// The length of an array along one axis.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Any length: `:` in the text.
    Any,
    /// A length with a name, an ASCII identifier. Lengths of the same name must be equal at a call.
    Named(String),
}

/// An array parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array {
    /// The type of its elements.
    pub element: Scalar,
    /// One for each axis; 1 to [`MAX_DIMS`].
    pub dims: Vec<Dim>,
    /// How the elements lie in memory. In one dimension `F` is the same as `C`.
    pub layout: Layout,
    /// Whether the callback may write to it.
    pub mutable: bool,
}

impl Array {
    /// Whether this can be parameter number `index` of a signature.
    pub(super) fn check(&self, index: usize) -> Result<(), SignatureError> {
        if !(1..=MAX_DIMS).contains(&self.dims.len()) {
            return Err(SignatureError::whole(format!(
                "arrays have 1 to {MAX_DIMS} dimensions, parameter {} has {}",
                index + 1,
                self.dims.len()
            )));
        }
        for dim in &self.dims {
            if let Dim::Named(name) = dim
                && (!is_identifier(name) || matches!(name.as_str(), "C" | "F" | "any"))
            {
                return Err(SignatureError::whole(format!(
                    "the name of a length is an identifier other than C, F and any, found {name:?} at parameter {}",
                    index + 1
                )));
            }
        }
        Ok(())
    }
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Parameter {
    /// A scalar, by value.
    Scalar(Scalar),
    /// An array, as a view.
    Array(Array),
    /// A bare pointer to scalars, or to anything (`None`: `*void`). Only foreign C functions have these; nobody
    /// checks what it points to.
    Pointer(Option<Scalar>),
}

/// A result.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Return {
    /// Nothing.
    Void,
    /// A scalar.
    Scalar(Scalar),
    /// So many scalars of one type, 1 to [`MAX_RESULTS`](super::MAX_RESULTS): `[T; K]`.
    Array(Scalar, usize),
}
