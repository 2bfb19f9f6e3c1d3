//! Why a library or a function of it cannot be used.

use std::fmt;
use std::path::PathBuf;

use crate::callback::FromRecordError;
use crate::raw::RecordError;

/// Why a library or a function of it cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum LibraryError {
    /// The file cannot be read.
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The file is no library of exported callbacks, or its end is missing.
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// The file, or what is in it, is not what the export wrote.
    Damaged(String),
    /// The library has a format that this crate does not know.
    Version {
        /// What it has.
        found: u32,
        /// The one that this crate knows.
        known: u32,
    },
    /// This CPU cannot run the code.
    Cpu {
        /// The CPU that the library was exported for.
        target: String,
        /// Features that this CPU lacks, or that this crate cannot ask for.
        missing: Vec<String>,
    },
    /// The system refuses to load the file.
    Load {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: String,
    },
    /// The system does not find the library that linear algebra comes from, or not in it what is needed.
    Blas {
        /// Which file.
        path: PathBuf,
        /// The libraries, as the manifest names them.
        libraries: Vec<String>,
        /// What the system says.
        error: String,
    },
    /// The library has no function of that name.
    NoFunction {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// The function has another type.
    Signature {
        /// Its name.
        name: String,
        /// Both types.
        error: FromRecordError,
    },
    /// The function's record cannot be used.
    Record {
        /// Its name.
        name: String,
        /// Why.
        error: RecordError,
    },
}

impl fmt::Display for LibraryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LibraryError::Io { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
            LibraryError::Foreign { path } => write!(
                f,
                "{} is no library of exported callbacks, or was cut off or stripped: export it again with rb.export",
                path.display()
            ),
            LibraryError::Damaged(why) => write!(f, "the library is damaged: {why}: export it again"),
            LibraryError::Version { found, known } => write!(
                f,
                "the library has version {found} of the format, this program reads version {known}: update the program's \
                 crate ringback, or export with an older package"
            ),
            LibraryError::Cpu { target, missing } => write!(
                f,
                "the library was exported for the CPU {target}, and this CPU lacks {}: export it with a lower target_cpu",
                missing.join(", ")
            ),
            LibraryError::Load { path, error } => write!(f, "{} cannot be loaded: {error}", path.display()),
            LibraryError::Blas { path, libraries, error } => write!(
                f,
                "{} cannot be loaded without the linear algebra of {}: {error}: install that, or put it beside the library",
                path.display(),
                libraries.join(", ")
            ),
            LibraryError::NoFunction { name, known } => {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                write!(f, "the library has no function {name:?}: it has {known}")
            }
            LibraryError::Signature { name, error } => write!(f, "the function {name:?}: {error}"),
            LibraryError::Record { name, error } => write!(f, "the function {name:?} cannot be used: {error}"),
        }
    }
}

impl std::error::Error for LibraryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LibraryError::Io { error, .. } => Some(error),
            LibraryError::Signature { error, .. } => Some(error),
            LibraryError::Record { error, .. } => Some(error),
            _ => None,
        }
    }
}
