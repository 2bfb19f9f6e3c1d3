//! Whether a callback of one signature can be used where another is asked for.

use std::fmt;

use super::{Array, Parameter, Return, Scalar, Signature};

/// Why a signature does not fit, with both texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    expected: String,
    found: String,
    why: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a callback {}, found {}: {}", self.expected, self.found, self.why)
    }
}

impl std::error::Error for Mismatch {}

impl Signature {
    /// Whether a callback of signature `found` can be used where this one is asked for: if they are the same,
    /// apart from the names of lengths. (Lengths that either ties together are checked at each call.)
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn matches(&self, found: &Signature) -> Result<(), Mismatch> {
        match self.difference(found) {
            None => Ok(()),
            Some(why) => Err(Mismatch { expected: self.to_string(), found: found.to_string(), why }),
        }
    }

    fn difference(&self, found: &Signature) -> Option<String> {
        let (wanted, have) = (self.parameters.len(), found.parameters.len());
        if wanted != have {
            return Some(format!("it takes {have} parameter{}, not {wanted}", if have == 1 { "" } else { "s" }));
        }
        let mut pairs = self.parameters.iter().zip(&found.parameters).enumerate();
        if let Some(why) = pairs.find_map(|(i, (wanted, have))| parameter(i + 1, wanted, have)) {
            return Some(why);
        }
        if self.result == found.result {
            return None;
        }
        Some(match (&self.result, &found.result) {
            (Return::Scalar(wanted), Return::Scalar(have)) => {
                format!("the result is {have}, not {wanted} ({})", kinds(*wanted, *have))
            }
            (wanted, have) => format!("the result is {have}, not {wanted}"),
        })
    }
}

fn kinds(wanted: Scalar, have: Scalar) -> &'static str {
    let kind = |scalar: Scalar| scalar.name().trim_end_matches(|c: char| c.is_ascii_digit());
    match (kind(wanted), kind(have)) {
        (a, b) if a == b => "another width",
        ("i", "u") | ("u", "i") => "signed and unsigned differ",
        _ => "another kind of number",
    }
}

fn parameter(number: usize, wanted: &Parameter, have: &Parameter) -> Option<String> {
    let because = match (wanted, have) {
        (Parameter::Scalar(w), Parameter::Scalar(h)) => (w != h).then(|| kinds(*w, *h))?,
        (Parameter::Array(w), Parameter::Array(h)) => array(w, h)?,
        (Parameter::Pointer(w), Parameter::Pointer(h)) => (w != h).then_some("a pointer to another type")?,
        (Parameter::Array(_), Parameter::Pointer(_)) => "a bare pointer does not know its length",
        (Parameter::Pointer(_), Parameter::Array(_)) => "an array is more than a bare pointer",
        (Parameter::Scalar(_), _) => "one value is asked for",
        (_, Parameter::Scalar(_)) => "it takes one value",
    };
    Some(format!("parameter {number} is {have}, not {wanted} ({because})"))
}

fn array(wanted: &Array, have: &Array) -> Option<&'static str> {
    if wanted.element != have.element {
        return Some(kinds(wanted.element, have.element));
    }
    if wanted.dims.len() != have.dims.len() {
        return Some("another number of dimensions");
    }
    match (wanted.mutable, have.mutable) {
        (false, true) => return Some("the function may write to it, which the caller does not allow"),
        (true, false) => return Some("the caller expects the function to write to it"),
        _ => {}
    }
    (wanted.layout != have.layout).then_some("another layout in memory")
}
