//! What a library says of itself.

use super::LibraryError;

/// What a library says of itself: who made it, for which CPU, and what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Version of the package `ringback` that exported it.
    pub ringback: String,
    /// Version of Numba that compiled it.
    pub numba: String,
    /// The CPU that it is for, as `target_cpu` was given.
    pub cpu: String,
    /// Features that the CPU must have, by LLVM's names.
    pub features: Vec<String>,
    /// The libraries that its linear algebra comes from, without folders. `builtin` is code of its own; empty if there is none.
    pub blas: Vec<String>,
    /// The functions.
    pub functions: Vec<ManifestFunction>,
}

/// What a library says of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManifestFunction {
    /// The name for [`Library::get`](super::Library::get).
    pub name: String,
    /// Canonical text.
    pub signature: String,
    /// Names of the parameters.
    pub parameters: Vec<String>,
    /// Names of the parameters that are bound.
    pub bound: Vec<String>,
    /// The docstring.
    pub doc: String,
    /// File and line of the Python function.
    pub place: String,
    /// A hash of its source.
    pub source: String,
}

impl Manifest {
    /// Reads a manifest: a key, a space and a value on each line. Keys that are not known are passed over.
    pub(super) fn parse(text: &[u8]) -> Result<Self, LibraryError> {
        let damaged = |what: &str| LibraryError::Damaged(format!("its manifest {what}"));
        let text = std::str::from_utf8(text).map_err(|_| damaged("is not UTF-8"))?;
        let mut manifest = Manifest::default();
        let mut has_features = false;
        for line in text.lines() {
            let (key, value) = line.split_once(' ').ok_or_else(|| damaged("has a line without a value"))?;
            let value = unescaped(value);
            let words = || value.split_ascii_whitespace().map(str::to_owned).collect();
            match key {
                "ringback" => manifest.ringback = value,
                "numba" => manifest.numba = value,
                "cpu" => manifest.cpu = value,
                "features" => {
                    manifest.features = words();
                    has_features = true;
                }
                "blas" => manifest.blas = words(),
                "function" => manifest.functions.push(ManifestFunction { name: value, ..Default::default() }),
                _ => {
                    let Some(function) = manifest.functions.last_mut() else { continue };
                    match key {
                        "signature" => function.signature = value,
                        "parameters" => function.parameters = words(),
                        "bound" => function.bound = words(),
                        "doc" => function.doc = value,
                        "place" => function.place = value,
                        "source" => function.source = value,
                        _ => {}
                    }
                }
            }
        }
        if has_features { Ok(manifest) } else { Err(damaged("does not say which features of the CPU it needs")) }
    }
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_read_line_by_line() {
        let text = "ringback 0.1.0\nnumba 0.68.1\nfuture thing\ncpu x86-64-v3\nfeatures avx2 fma\nfunction f\n\
                    signature f64(f64)\nparameters x\nbound \nnew key\ndoc One.\\nTwo \\\\ three.\nplace m.py:3\nsource s\n";
        let manifest = Manifest::parse(text.as_bytes()).unwrap();
        assert_eq!((manifest.ringback.as_str(), manifest.numba.as_str()), ("0.1.0", "0.68.1"));
        assert_eq!((manifest.cpu.as_str(), manifest.features.join(" ")), ("x86-64-v3", "avx2 fma".to_owned()));
        let f = &manifest.functions[0];
        assert_eq!((f.name.as_str(), f.signature.as_str(), f.doc.as_str()), ("f", "f64(f64)", "One.\nTwo \\ three."));
        assert_eq!((f.parameters.join(" "), f.bound.len()), ("x".to_owned(), 0));
    }

    #[test]
    fn what_is_no_manifest_is_an_error() {
        for (text, why) in [
            (&b"\xff\xfe"[..], "the library is damaged: its manifest is not UTF-8: export it again"),
            (b"word\n", "the library is damaged: its manifest has a line without a value: export it again"),
            (
                b"cpu generic\n",
                "the library is damaged: its manifest does not say which features of the CPU it needs: export it again",
            ),
        ] {
            assert_eq!(Manifest::parse(text).unwrap_err().to_string(), why);
        }
    }
}
