//! The file of a library, before it is loaded: whole, ours, and of a format that we know.
//!
//! Behind the shared library stand its manifest and a footer of 32 bytes, little-endian: `RINGBACK`, the version of this
//! layout (u32), the CRC-32 of all bytes before the footer (u32), the length of the manifest (u64), and the length of all
//! bytes before the footer (u64).

use std::path::Path;

use super::{LibraryError, Manifest};

const MAGIC: &[u8; 8] = b"RINGBACK";
const FOOTER: usize = 32;
const VERSION: u32 = 1;

/// The manifest of a file, once the file is known to be what an export wrote.
pub(super) fn manifest(path: &Path) -> Result<Manifest, LibraryError> {
    let bytes = std::fs::read(path).map_err(|error| LibraryError::Io { path: path.to_owned(), error })?;
    let foreign = || LibraryError::Foreign { path: path.to_owned() };
    let (content, footer) = bytes.split_last_chunk::<FOOTER>().ok_or_else(foreign)?;
    if !footer.starts_with(MAGIC) {
        return Err(foreign());
    }
    let word = |at: usize| u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]]);
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    if word(8) != VERSION {
        return Err(LibraryError::Version { found: word(8), known: VERSION });
    }
    if long(24) != content.len() as u64 {
        return Err(LibraryError::Damaged(format!("{} bytes expected, found {}", long(24), content.len())));
    }
    let checksum = crc32fast::hash(content);
    if word(12) != checksum {
        return Err(LibraryError::Damaged(format!("its checksum is {checksum:08x}, not {:08x}", word(12))));
    }
    let start = usize::try_from(long(16)).ok().and_then(|length| content.len().checked_sub(length));
    let start = start.ok_or_else(|| LibraryError::Damaged("its manifest is longer than the file".to_owned()))?;
    Manifest::parse(&content[start..])
}
