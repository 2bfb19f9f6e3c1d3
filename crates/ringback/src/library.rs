//! Libraries of exported callbacks, for programs without Python.

use std::error::Error;
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::abi::{CallbackRecord, LIBRARY_VERSION, LibraryTable, Statistics};
use crate::callback::Handle;
use crate::raw::{RecordError, Shared};

mod cpu;
mod error;
mod file;
mod manifest;

pub use error::LibraryError;
pub use manifest::{Manifest, ManifestFunction};

/// What ELF calls the processors that this program is for, if it is known here. The system's loader says of a library for
/// others that there is no such file.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(62)
} else if cfg!(target_arch = "aarch64") {
    Some(183)
} else {
    None
};

const SYMBOL: &[u8] = b"ringback_library_v1\0";

/// A library that `rb.export` wrote.
///
/// ```no_run
/// ringback::callback! {
///     /// Log density at `x`; writes its gradient.
///     pub struct LogDensity(x: &[f64], grad: &mut [f64]) -> f64 where len(x) == len(grad);
/// }
/// let logp: LogDensity = ringback::Library::open("model.so")?.get("logp")?;
/// let mut grad = [0.0; 2];
/// println!("{}", logp.call(&[1.0, 2.0], &mut grad)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Handles keep the library loaded. A file is read and checked before it is loaded: a damaged one, one of another
/// origin, and one for another CPU are errors. The check is against accidents. Loading a library gives it the
/// program's powers, so a file is as trusted as the program itself; and it must not be written to while it is
/// loaded (an export replaces the file instead).
#[derive(Clone, Debug)]
pub struct Library {
    manifest: Arc<Manifest>,
    table: &'static LibraryTable,
    /// None for one that is linked into the program. The table lies in it.
    loaded: Option<Arc<libloading::Library>>,
}

impl Library {
    /// Loads a library.
    ///
    /// # Errors
    /// [`LibraryError`]: if there is no such file, it is no library of exported callbacks, is damaged, newer than this
    /// crate, for another CPU, or the system refuses to load it.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LibraryError> {
        let path = path.as_ref();
        Self::open_file(path).map_err(|error| match error {
            LibraryError::Damaged(why) => LibraryError::Damaged(format!("{}: {why}", path.display())),
            other => other,
        })
    }

    fn open_file(path: &Path) -> Result<Self, LibraryError> {
        let whole = file::read(path)?;
        let manifest = Manifest::parse(whole.manifest())?;
        let machine = whole.machine();
        if MACHINE.is_some_and(|own| machine.is_some_and(|found| found != own)) {
            let error = "it was exported for another kind of processor: export it on a machine of this kind".to_owned();
            return Err(LibraryError::Load { path: path.to_owned(), error });
        }
        cpu::check(&manifest, cpu::has)?;
        let (loaded, table) = load(path, whole.manifest(), &manifest)?;
        Ok(Library { manifest: Arc::new(manifest), table, loaded: Some(Arc::new(loaded)) })
    }

    /// A library that is linked into the program. The Rust module that is generated beside it calls this.
    ///
    /// # Errors
    /// [`LibraryError`]: if it is newer than this crate, or for another CPU.
    ///
    /// # Safety
    /// `table` is the table of a library that `rb.export` wrote.
    pub unsafe fn linked(table: *const LibraryTable) -> Result<Self, LibraryError> {
        // SAFETY: the caller's promise; what is linked is never unloaded.
        let table = unsafe { checked(table) }?;
        // SAFETY: the manifest of a table of this version has the size that it says.
        let text = unsafe { std::slice::from_raw_parts(table.manifest, table.manifest_size) };
        let manifest = Manifest::parse(text)?;
        cpu::check(&manifest, cpu::has)?;
        Ok(Library { manifest: Arc::new(manifest), table, loaded: None })
    }

    /// The function of a name, as a handle of a type that [`callback!`](crate::callback) defined (or a
    /// [`Callback`](crate::Callback)).
    ///
    /// # Errors
    /// [`LibraryError::NoFunction`], or [`LibraryError::Signature`] if it has another type.
    pub fn get<T: Handle>(&self, name: &str) -> Result<T, LibraryError> {
        let index = self.names().position(|known| known == name).ok_or_else(|| LibraryError::NoFunction {
            name: name.to_owned(),
            known: self.names().map(str::to_owned).collect(),
        })?;
        // SAFETY: the table has as many records as names; each is a constant, of which this is a copy with all its fields.
        let mut record = unsafe { copied(*self.table.records.add(index), name) }?;
        // SAFETY: the copy is nobody else's; a record of a library may be owned any number of times.
        let shared = unsafe { Shared::take(&mut record) }
            .map_err(|error| LibraryError::Record { name: name.to_owned(), error })?;
        let shared = match &self.loaded {
            Some(library) => shared.keeping(Arc::clone(library) as _),
            None => shared,
        };
        T::from_record(shared).map_err(|error| LibraryError::Signature { name: name.to_owned(), error })
    }

    /// The names of the functions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        // SAFETY: the table has `count` names, which end with a NUL, and lives as long as `self`.
        (0..self.table.count).map(|i| unsafe { CStr::from_ptr(*self.table.names.add(i)) }.to_str().unwrap_or_default())
    }

    /// What the library says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Counts what the library's code allocates and frees, from now on or no more; returns the counts so far. It is off at
    /// first. When no call is running and no error is kept, as much was freed as was allocated.
    pub fn statistics(&self, counting: bool) -> Statistics {
        match self.table.statistics {
            // SAFETY: a function of the library, which is loaded.
            Some(statistics) => unsafe { statistics(counting) },
            None => Statistics::default(),
        }
    }
}

/// As many versions of one file may be loaded at a time.
const MOST_VERSIONS: usize = 64;

/// Loads a file that was checked; `text` is the manifest that stood in it, `manifest` what it says.
fn load(
    path: &Path,
    text: &[u8],
    manifest: &Manifest,
) -> Result<(libloading::Library, &'static LibraryTable), LibraryError> {
    let failed = |error: String| LibraryError::Load { path: path.to_owned(), error };
    // A name without a folder would be looked for in the system's folders.
    let mut folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let file = path.file_name().ok_or_else(|| failed("it has no name".to_owned()))?;
    for _ in 0..MOST_VERSIONS {
        // SAFETY: the file is whole, as its checksum shows, and was made by an export, whose libraries run no code when they
        // are loaded or unloaded.
        let loaded = unsafe { libloading::Library::new(folder.join(file).as_os_str()) };
        let loaded = loaded.map_err(|error| refused(path, manifest, said(&error)))?;
        // SAFETY: the value of the symbol is taken for an address, which it is.
        let found = unsafe { loaded.get::<*const LibraryTable>(SYMBOL) };
        let table = *found.map_err(|error| failed(said(&error)))?;
        // SAFETY: the symbol of an export is its table, and `loaded` is kept.
        let table = unsafe { checked(table) }?;
        // SAFETY: the manifest of a table of this version has the size that it says.
        if unsafe { std::slice::from_raw_parts(table.manifest, table.manifest_size) } == text {
            return Ok((loaded, table));
        }
        // The system's loader knows files by their names: it gave an older one of this name, which is still loaded.
        // The same place by another name is read anew.
        folder.push(".");
    }
    let why = "what is loaded is not what the file says it is: the file was changed by hand, or too many versions of it are loaded";
    Err(failed(why.to_owned()))
}

/// What the system's loader says, which is the source of what `libloading` says.
fn said(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// Why the system did not load a file, which it can read. What it says of other files is of the one library that a manifest
/// can name beside the C library.
fn refused(path: &Path, manifest: &Manifest, error: String) -> LibraryError {
    let missing = ["cannot open shared object file", "undefined symbol"].iter().any(|words| error.contains(words));
    let path = path.to_owned();
    if missing && manifest.blas.iter().any(|library| library != "builtin") {
        LibraryError::Blas { path, libraries: manifest.blas.clone(), error }
    } else {
        LibraryError::Load { path, error }
    }
}

/// # Safety
/// `table` is null or the table of an exported library, which stays where it is as long as the reference is used.
unsafe fn checked(table: *const LibraryTable) -> Result<&'static LibraryTable, LibraryError> {
    if table.is_null() || !table.is_aligned() {
        return Err(LibraryError::Damaged("its table of functions has no address".to_owned()));
    }
    // SAFETY: the first two fields are the same in every version.
    let (version, size) = unsafe { ((*table).version, (*table).size) };
    if version != LIBRARY_VERSION {
        return Err(LibraryError::Version { found: version, known: LIBRARY_VERSION });
    }
    if (size as usize) < size_of::<LibraryTable>() {
        return Err(LibraryError::Damaged(format!("its table of functions has {size} bytes")));
    }
    // SAFETY: the caller's promise, for the version and the size checked above.
    Ok(unsafe { &*table })
}

/// # Safety
/// `record` is null or a callback record that nobody writes to.
unsafe fn copied(record: *const CallbackRecord, name: &str) -> Result<CallbackRecord, LibraryError> {
    if record.is_null() {
        return Err(LibraryError::Damaged(format!("the function {name:?} has no record")));
    }
    // SAFETY: the first two fields are the same in every version.
    let (version, size) = unsafe { ((*record).abi_version, (*record).size) };
    if version != crate::abi::ABI_VERSION || (size as usize) < size_of::<CallbackRecord>() {
        let error = RecordError(format!("its record has version {version} and {size} bytes"));
        return Err(LibraryError::Record { name: name.to_owned(), error });
    }
    // SAFETY: so many bytes are there, and all fields are plain.
    Ok(unsafe { record.read() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(version: u32, size: usize) -> LibraryTable {
        LibraryTable {
            version,
            size: size as u32,
            manifest: b"features \nfunction f\n".as_ptr(),
            manifest_size: 21,
            count: 0,
            names: std::ptr::null(),
            records: std::ptr::null(),
            statistics: None,
        }
    }

    fn said(table: *const LibraryTable) -> String {
        // SAFETY: null, or a table of ours; such as are refused are not read further.
        unsafe { Library::linked(table) }.unwrap_err().to_string()
    }

    #[test]
    fn tables_of_other_versions_are_refused() {
        let size = size_of::<LibraryTable>();
        assert_eq!(
            said(&table(2, size)),
            "the library has version 2 of the format, this program reads version 1: update the program's crate ringback, or \
             export with an older package"
        );
        assert_eq!(said(&table(1, 48)), "the library is damaged: its table of functions has 48 bytes: export it again");
        assert_eq!(
            said(std::ptr::null()),
            "the library is damaged: its table of functions has no address: export it again"
        );
    }

    #[test]
    fn a_later_table_with_more_fields_is_read() {
        let static_table = Box::leak(Box::new(table(1, size_of::<LibraryTable>() + 8)));
        // SAFETY: a table without functions, which is never freed.
        let library = unsafe { Library::linked(static_table) }.unwrap();
        assert_eq!(library.manifest().functions[0].name, "f");
        assert_eq!(library.statistics(true), Statistics::default());
        let error = library.get::<crate::Callback<(f64,), f64>>("f").unwrap_err();
        assert_eq!(error.to_string(), "the library has no function \"f\": it has none");
    }
}
