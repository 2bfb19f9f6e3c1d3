//! Reads a signature: first as Ringback's own text, then as Numba's.

use std::fmt;
use std::str::FromStr;

use super::{Array, Dim, Layout, MAX_TEXT, Parameter, Return, Scalar, Signature, numba};

/// A text that is no signature: where, what was expected, what was found, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureError {
    text: Option<String>,
    offset: usize,
    message: String,
}

impl SignatureError {
    pub(super) fn whole(message: String) -> Self {
        SignatureError { text: None, offset: 0, message }
    }

    /// Byte offset in the text of what could not be read.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{text:?} is no signature: at byte {}: {}", self.offset, self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for SignatureError {}

pub(super) fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl FromStr for Signature {
    type Err = SignatureError;

    fn from_str(text: &str) -> Result<Self, SignatureError> {
        if text.len() > MAX_TEXT {
            return Err(SignatureError::whole(format!(
                "a signature has at most {MAX_TEXT} bytes, found {}",
                text.len()
            )));
        }
        let own = whole(text, own_result, own_parameter);
        let Err(own_error) = own else { return own };
        let numba = whole(text, numba::result, numba::parameter);
        let Err(numba_error) = numba else { return numba };
        // The names tell which spelling was meant, even where both readings stop at once.
        let mut error = if numba::is_spelling_of(text) { numba_error } else { own_error };
        error.text = Some(text.to_owned());
        Err(error)
    }
}

type Read<T> = fn(&mut Cursor<'_>) -> Result<T, SignatureError>;

fn whole(text: &str, result: Read<Return>, parameter: Read<Parameter>) -> Result<Signature, SignatureError> {
    let mut cursor = Cursor { text, at: 0 };
    if cursor.peek() == Some('(') {
        return Err(cursor.error("the type of the result is missing: write it in front, as in f64(f64)"));
    }
    let result = result(&mut cursor)?;
    cursor.expect('(', "the parameters, as in f64(f64)")?;
    let mut parameters = Vec::new();
    while !cursor.take(')') {
        if !parameters.is_empty() {
            cursor.expect(',', "`,` or `)`")?;
            // One comma may stand behind the last parameter.
            if cursor.take(')') {
                break;
            }
        }
        parameters.push(parameter(&mut cursor)?);
    }
    if cursor.peek().is_some() {
        return Err(cursor.error("expected the end of the signature"));
    }
    Signature::new(parameters, result)
}

fn own_result(cursor: &mut Cursor<'_>) -> Result<Return, SignatureError> {
    if cursor.take('[') {
        let element = scalar(cursor)?;
        cursor.expect(';', "`;` and the number of values, as in [f64; 3]")?;
        let length = cursor.number()?;
        cursor.expect(']', "`]`")?;
        return Ok(Return::Array(element, length));
    }
    if cursor.take_word("void") {
        return Ok(Return::Void);
    }
    scalar(cursor).map(Return::Scalar)
}

fn own_parameter(cursor: &mut Cursor<'_>) -> Result<Parameter, SignatureError> {
    if cursor.take('*') {
        if cursor.take_word("void") {
            return Ok(Parameter::Pointer(None));
        }
        return scalar(cursor).map(|scalar| Parameter::Pointer(Some(scalar)));
    }
    let mutable = cursor.take_word("mut");
    if !cursor.take('[') {
        if mutable {
            return Err(cursor.error("expected an array after `mut`, as in mut [f64]"));
        }
        return scalar(cursor).map(Parameter::Scalar);
    }
    let element = scalar(cursor)?;
    let mut array = Array { element, dims: Vec::new(), layout: Layout::C, mutable };
    if cursor.take(';') {
        loop {
            if cursor.take(':') {
                array.dims.push(Dim::Any);
            } else if cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
                return Err(cursor.error("a length is `:` or a name; fixed lengths are for results only"));
            } else {
                let name = cursor.word("`:` or the name of a length")?;
                array.dims.push(Dim::Named(name.to_owned()));
            }
            if array.dims.len() > 4 {
                return Err(cursor.error("arrays have 1 to 4 dimensions"));
            }
            if !cursor.take(',') {
                break;
            }
        }
        if cursor.take(';') {
            array.layout = if cursor.take_word("F") {
                Layout::F
            } else if cursor.take_word("any") {
                Layout::Any
            } else if cursor.take_word("C") {
                Layout::C
            } else {
                return Err(cursor.error("expected a layout: F or any (C needs not be said)"));
            };
        }
    } else {
        array.dims.push(Dim::Any);
    }
    cursor.expect(']', "`]`")?;
    Ok(Parameter::Array(array))
}

fn scalar(cursor: &mut Cursor<'_>) -> Result<Scalar, SignatureError> {
    let start = cursor.clone();
    let name = cursor.word("a type")?;
    Scalar::by_name(name).ok_or_else(|| {
        start.error("expected one of bool, i8 to i64, u8 to u64, f32, f64, c64, c128, or a type as Numba spells it")
    })
}

/// A place in a text. Between tokens, white space is skipped.
#[derive(Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn skip(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip();
        self.text[self.at..].chars().next()
    }

    pub(super) fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(super) fn expect(&mut self, wanted: char, meaning: &str) -> Result<(), SignatureError> {
        if self.take(wanted) { Ok(()) } else { Err(self.error(&format!("expected {meaning}"))) }
    }

    fn identifier(&mut self) -> &'a str {
        self.skip();
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    }

    pub(super) fn take_word(&mut self, wanted: &str) -> bool {
        let found = self.identifier() == wanted;
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub(super) fn word(&mut self, meaning: &str) -> Result<&'a str, SignatureError> {
        let word = self.identifier();
        if !is_identifier(word) {
            return Err(self.error(&format!("expected {meaning}")));
        }
        self.at += word.len();
        Ok(word)
    }

    pub(super) fn number(&mut self) -> Result<usize, SignatureError> {
        let digits = self.identifier();
        let number = digits.parse().map_err(|_| self.error("expected a number"))?;
        self.at += digits.len();
        Ok(number)
    }

    /// An error at this place, which says what was found here.
    pub(super) fn error(&self, message: &str) -> SignatureError {
        let mut here = self.clone();
        here.skip();
        let found = match here.identifier() {
            "" => here.peek().map(|c| format!("`{}`", c.escape_default())),
            word => Some(format!("`{}`", word.chars().take(40).collect::<String>())),
        };
        let found = found.unwrap_or_else(|| "the end".to_owned());
        SignatureError { text: None, offset: here.at, message: format!("{message}; found {found}") }
    }
}
