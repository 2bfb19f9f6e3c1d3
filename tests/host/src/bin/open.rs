//! Opens files, and prints for each what comes of it: `open FILE...`. With `--damage FILE FOLDER` it opens copies of a
//! library, each damaged in one way; every one must be refused.

use std::fs;
use std::path::Path;

use ringback::{Library, LibraryError};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, file, folder] = arguments.as_slice()
        && flag == "--damage"
    {
        return damage(Path::new(file), Path::new(folder));
    }
    for file in arguments {
        match Library::open(&file) {
            Ok(library) => println!("{}", library.names().collect::<Vec<_>>().join(" ")),
            Err(error) => println!("{}: {error}", kind(&error)),
        }
    }
    Ok(())
}

fn kind(error: &LibraryError) -> &'static str {
    match error {
        LibraryError::Io { .. } => "Io",
        LibraryError::Foreign { .. } => "Foreign",
        LibraryError::Damaged(_) => "Damaged",
        LibraryError::Version { .. } => "Version",
        LibraryError::Cpu { .. } => "Cpu",
        LibraryError::Load { .. } => "Load",
        LibraryError::Blas { .. } => "Blas",
        _ => "other",
    }
}

fn damage(file: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let whole = fs::read(file)?;
    let place = folder.join("damaged.so");
    let mut state = 1u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % n
    };
    let mut refused = 0;
    for round in 0..800 {
        let mut bytes = whole.clone();
        match round % 4 {
            0 => bytes.truncate(below(whole.len())),
            1 => {
                let at = below(bytes.len());
                bytes[at] ^= 1 << below(8);
            }
            // In the footer and the manifest, where what is read first stands.
            2 => {
                let at = bytes.len() - 1 - below(600);
                bytes[at] = bytes[at].wrapping_add(1 + below(255) as u8);
            }
            _ => {
                let at = below(bytes.len());
                bytes.insert(at, below(256) as u8);
            }
        }
        fs::write(&place, &bytes)?;
        match Library::open(&place) {
            Err(LibraryError::Foreign { .. } | LibraryError::Damaged(_) | LibraryError::Version { .. }) => refused += 1,
            Err(error) => return Err(format!("round {round}: {error}").into()),
            Ok(_) => return Err(format!("round {round}: a damaged library was loaded").into()),
        }
    }
    fs::remove_file(&place)?;
    println!("refused {refused}");
    Ok(())
}
