//! Canonical text.

use std::fmt::{self, Display, Formatter};

use super::Signature;
use super::types::{Array, Dim, Layout, Parameter, Return, Scalar};

pub(super) fn signature(signature: &Signature, f: &mut Formatter<'_>) -> fmt::Result {
    write!(f, "{}(", signature.result)?;
    comma_separated(&signature.parameters, f)?;
    f.write_str(")")
}

fn comma_separated<T: Display>(items: &[T], f: &mut Formatter<'_>) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Display for Dim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Dim::Any => f.write_str(":"),
            Dim::Named(name) => f.write_str(name),
        }
    }
}

impl Display for Array {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}", if self.mutable { "mut " } else { "" }, self.element)?;
        let layout = match self.layout {
            Layout::F if self.dims.len() > 1 => Some("; F"),
            Layout::Any => Some("; any"),
            Layout::C | Layout::F => None,
        };
        // One dimension of any length, C-contiguous, is what most arrays are: it needs no more than the element.
        if layout.is_some() || self.dims != [Dim::Any] {
            f.write_str("; ")?;
            comma_separated(&self.dims, f)?;
        }
        write!(f, "{}]", layout.unwrap_or(""))
    }
}

impl Display for Parameter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Parameter::Scalar(scalar) => scalar.fmt(f),
            Parameter::Array(array) => array.fmt(f),
            Parameter::Pointer(Some(target)) => write!(f, "*{target}"),
            Parameter::Pointer(None) => f.write_str("*void"),
        }
    }
}

impl Display for Return {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Return::Void => f.write_str("void"),
            Return::Scalar(scalar) => scalar.fmt(f),
            Return::Array(element, count) => write!(f, "[{element}; {count}]"),
        }
    }
}
