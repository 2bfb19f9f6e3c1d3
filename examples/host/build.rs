//! Says where the exported functions are: what `python model.py` wrote to `exported/`, or to the folder in MODEL.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=MODEL");
    let here = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let model = env::var_os("MODEL").map_or_else(|| PathBuf::from(here).join("exported"), PathBuf::from);
    let linked = env::var_os("CARGO_FEATURE_LINKED").is_some();
    // Each export wrote a Rust module beside its library.
    let folder = model.join(if linked { "linked" } else { "loaded" });
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rustc-env=MODEL_RS={}", folder.join("model.rs").display());
    if linked {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static=model");
        println!("cargo::rustc-link-lib=m");
    }
    static_unwinder(&PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("unwinder"))
}

/// Lets the program need the C library and its maths only. Rust's standard library asks the linker for `-lgcc_s`, the
/// unwinder as a shared library; in this folder, which the linker looks into first, that name stands for the static one.
fn static_unwinder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("libgcc_s.so"), "INPUT(-lgcc_eh -lgcc)\n")?;
    println!("cargo::rustc-link-search=native={}", folder.display());
    Ok(())
}
