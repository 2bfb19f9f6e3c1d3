//! The file of a library, before it is loaded: whole, ours, and of a format that we know.
//!
//! Behind the shared library stand its manifest and a footer of 32 bytes, little-endian: `RINGBACK`, the version of this
//! layout (u32), the CRC-32 of all bytes before the footer (u32), the length of the manifest (u64), and the length of all
//! bytes before the footer (u64).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::LibraryError;

const MAGIC: &[u8; 8] = b"RINGBACK";
const FOOTER: usize = 32;
const VERSION: u32 = 1;

/// A file that is known to be what an export wrote.
#[derive(Debug)]
pub(super) struct Whole {
    content: Vec<u8>,
    start: usize,
}

impl Whole {
    /// The text of its manifest.
    pub(super) fn manifest(&self) -> &[u8] {
        &self.content[self.start..]
    }

    /// The kind of processor that its code is for, by ELF's numbers; `None` if it is no ELF file.
    pub(super) fn machine(&self) -> Option<u16> {
        let header = self.content.first_chunk::<20>().filter(|header| header.starts_with(b"\x7fELF"))?;
        Some(u16::from_le_bytes([header[18], header[19]]))
    }
}

/// Reads a file whose footer says that it is a library, and compares its checksum.
pub(super) fn read(path: &Path) -> Result<Whole, LibraryError> {
    let failed = |error| LibraryError::Io { path: path.to_owned(), error };
    let foreign = || LibraryError::Foreign { path: path.to_owned() };
    // Asked before it is opened: to open a pipe waits for somebody who writes to it, and a device may have no end.
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    if !about.is_file() {
        return Err(foreign());
    }
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let Some(end) = length.checked_sub(FOOTER as u64) else { return Err(foreign()) };
    let mut footer = [0; FOOTER];
    file.seek(SeekFrom::Start(end)).map_err(failed)?;
    file.read_exact(&mut footer).map_err(failed)?;
    if !footer.starts_with(MAGIC) {
        return Err(foreign());
    }
    let word = |at: usize| u32::from_le_bytes([footer[at], footer[at + 1], footer[at + 2], footer[at + 3]]);
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    if word(8) != VERSION {
        return Err(LibraryError::Version { found: word(8), known: VERSION });
    }
    if long(24) != end {
        return Err(LibraryError::Damaged(format!("{} bytes expected, found {end}", long(24))));
    }
    let mut content = Vec::new();
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    file.take(end).read_to_end(&mut content).map_err(failed)?;
    let checksum = crc32fast::hash(&content);
    if word(12) != checksum {
        return Err(LibraryError::Damaged(format!("its checksum is {checksum:08x}, not {:08x}", word(12))));
    }
    let start = usize::try_from(long(16)).ok().and_then(|length| content.len().checked_sub(length));
    let start = start.ok_or_else(|| LibraryError::Damaged("its manifest is longer than the file".to_owned()))?;
    Ok(Whole { content, start })
}
