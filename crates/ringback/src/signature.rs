//! Signatures: what a callback takes and returns, by width and kind.
//!
//! A signature has one canonical text, which [`Display`](std::fmt::Display) prints and
//! [`FromStr`](std::str::FromStr) reads back. `FromStr` also reads Numba's own spelling, as people write it
//! and as Numba prints it. The grammar is in `docs/signatures.md`.
//!
//! ```
//! # use ringback::signature::Signature;
//! let ours: Signature = "f64([f64], mut [f64; :, :; F])".parse()?;
//! let numba: Signature = "float64(Array(double, 1, 'C', readonly=True), float64[::1, :])".parse()?;
//! assert_eq!(numba.to_string(), "f64([f64], mut [f64; :, :; F])");
//! ours.matches(&numba)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Two signatures are the same if every width and kind is the same; names play no part in it. Numba's `intc`
//! is `i32` here, and its `size_t` is `u64` or `u32`, whichever the target has.

use std::fmt;

mod compare;
mod numba;
mod parse;
mod print;
mod types;

pub use compare::Mismatch;
pub use parse::SignatureError;
pub use types::{Array, Dim, Layout, Parameter, Return, Scalar};

/// The most parameters a signature may have.
pub const MAX_PARAMETERS: usize = 64;
/// The most dimensions an array may have.
pub const MAX_DIMS: usize = 4;
/// The most values an array result may have.
pub const MAX_RESULTS: usize = 64;
/// The longest signature text that is read or printed, in bytes.
pub const MAX_TEXT: usize = 4096;

/// What a callback takes and returns.
///
/// Every value is one that has a canonical text: the constructors see to the limits, so `parse` of what
/// `to_string` prints gives the same value again. `==` also compares the names of lengths; whether one callback may stand
/// for another is the question that [`matches`](Signature::matches) answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    parameters: Vec<Parameter>,
    result: Return,
}

/// Lengths that must be equal at a call, because the signature gives them one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tie {
    /// The name that the signature gives the length.
    pub name: String,
    /// Two or more places, in the order of the text: index of the parameter, axis; both count from 0.
    pub places: Vec<(usize, usize)>,
}

impl Signature {
    /// A signature of these parameters and this result.
    ///
    /// A one-dimensional Fortran-contiguous array is a C-contiguous one, and is stored as that.
    ///
    /// # Errors
    /// [`SignatureError`] for more than [`MAX_PARAMETERS`] parameters, an array without dimensions
    /// or with more than [`MAX_DIMS`], a name of a length that is no identifier or is a layout (`C`, `F`, `any`), an array
    /// result of no or more than [`MAX_RESULTS`] values, and names so long that the text would exceed [`MAX_TEXT`].
    pub fn new(mut parameters: Vec<Parameter>, result: Return) -> Result<Self, SignatureError> {
        if parameters.len() > MAX_PARAMETERS {
            return Err(SignatureError::whole(format!(
                "a signature has at most {MAX_PARAMETERS} parameters, found {}",
                parameters.len()
            )));
        }
        for (index, parameter) in parameters.iter_mut().enumerate() {
            if let Parameter::Array(array) = parameter {
                array.check(index)?;
                if array.dims.len() == 1 && array.layout == Layout::F {
                    array.layout = Layout::C;
                }
            }
        }
        if let Return::Array(_, count) = result
            && !(1..=MAX_RESULTS).contains(&count)
        {
            return Err(SignatureError::whole(format!("an array result has 1 to {MAX_RESULTS} values, found {count}")));
        }
        let signature = Signature { parameters, result };
        let length = signature.to_string().len();
        if length > MAX_TEXT {
            return Err(SignatureError::whole(format!("a signature has at most {MAX_TEXT} bytes, found {length}")));
        }
        Ok(signature)
    }

    /// The parameters, in order.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The result.
    pub fn result(&self) -> &Return {
        &self.result
    }

    /// The lengths that this signature ties together: each name that stands at two or more places, in the
    /// order in which the names first appear. A name that stands alone is only documentation.
    pub fn ties(&self) -> Vec<Tie> {
        let mut ties: Vec<Tie> = Vec::new();
        for (index, parameter) in self.parameters.iter().enumerate() {
            let Parameter::Array(array) = parameter else { continue };
            for (axis, dim) in array.dims.iter().enumerate() {
                let Dim::Named(name) = dim else { continue };
                match ties.iter_mut().find(|tie| tie.name == *name) {
                    Some(tie) => tie.places.push((index, axis)),
                    None => ties.push(Tie { name: name.clone(), places: vec![(index, axis)] }),
                }
            }
        }
        ties.retain(|tie| tie.places.len() > 1);
        ties
    }

    /// The same signature with no length named.
    #[must_use]
    pub fn without_ties(&self) -> Signature {
        let mut plain = self.clone();
        for parameter in &mut plain.parameters {
            if let Parameter::Array(array) = parameter {
                array.dims.fill(Dim::Any);
            }
        }
        plain
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print::signature(self, f)
    }
}
