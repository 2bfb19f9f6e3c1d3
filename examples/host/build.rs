//! Says where the exported functions are: what `python model.py` wrote to `exported/`, or to the folder in MODEL.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=MODEL");
    let here = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let model = std::env::var_os("MODEL").map_or_else(|| PathBuf::from(here).join("exported"), PathBuf::from);
    let linked = std::env::var_os("CARGO_FEATURE_LINKED").is_some();
    // Each export wrote a Rust module beside its library.
    let folder = model.join(if linked { "linked" } else { "loaded" });
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rustc-env=MODEL_RS={}", folder.join("model.rs").display());
    if linked {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static=model");
        println!("cargo::rustc-link-lib=m");
    }
}
