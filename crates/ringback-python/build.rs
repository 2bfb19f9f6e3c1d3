//! Compiles `ringback-runtime` to the object file that every exported library gets a copy of, and to another one for libraries
//! with linear algebra.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let source = PathBuf::from("../ringback-runtime/src");
    println!("cargo::rerun-if-changed={}", source.display());
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|e| panic!("{name}: {e}"));
    for (name, options) in [("runtime.o", &[][..]), ("runtime_linear.o", &["--cfg", "feature=\"linear\""])] {
        let object = PathBuf::from(variable("OUT_DIR")).join(name);
        compile(&variable, options, &source, &object);
    }
}

fn compile(variable: &dyn Fn(&str) -> String, options: &[&str], source: &Path, object: &Path) {
    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition=2024", "--crate-name=ringback_runtime", "--crate-type=lib", "--emit=obj"]);
    rustc.args(["-Copt-level=s", "-Cpanic=abort", "-Crelocation-model=pic", "-Ccodegen-units=1"]);
    rustc.arg("--target").arg(variable("TARGET"));
    let done = rustc.args(options).arg("-o").arg(object).arg(source.join("lib.rs")).status();
    assert!(matches!(&done, Ok(status) if status.success()), "ringback-runtime was not compiled: {done:?}");
}
