//! Whether this CPU can run a library's code.

use super::{LibraryError, Manifest};

/// An error that names what is missing.
pub(super) fn check(manifest: &Manifest, has: impl Fn(&str) -> bool) -> Result<(), LibraryError> {
    let missing: Vec<String> = manifest.features.iter().filter(|name| !has(name)).cloned().collect();
    if missing.is_empty() { Ok(()) } else { Err(LibraryError::Cpu { target: manifest.cpu.clone(), missing }) }
}

macro_rules! features {
    ($name:ident: $($llvm:literal = $rust:tt),* $(,)?) => {
        match $name {
            $($llvm => std::is_x86_feature_detected!($rust),)*
            _ => false,
        }
    };
}

/// Whether this CPU has a feature, by LLVM's name. One that cannot be asked for is missing.
#[cfg(target_arch = "x86_64")]
pub(super) fn has(name: &str) -> bool {
    // The features of `python/ringback/backend/target.py`.
    features! { name:
        "adx" = "adx", "aes" = "aes", "avx" = "avx", "avx2" = "avx2", "avx512bitalg" = "avx512bitalg",
        "avx512bw" = "avx512bw", "avx512cd" = "avx512cd", "avx512dq" = "avx512dq", "avx512f" = "avx512f",
        "avx512ifma" = "avx512ifma", "avx512vbmi" = "avx512vbmi", "avx512vbmi2" = "avx512vbmi2", "avx512vl" = "avx512vl",
        "avx512vnni" = "avx512vnni", "avx512vpopcntdq" = "avx512vpopcntdq", "bmi" = "bmi1", "bmi2" = "bmi2",
        "cx16" = "cmpxchg16b", "f16c" = "f16c", "fma" = "fma", "gfni" = "gfni", "lzcnt" = "lzcnt", "movbe" = "movbe",
        "pclmul" = "pclmulqdq", "popcnt" = "popcnt", "sha" = "sha", "sse3" = "sse3", "sse4.1" = "sse4.1",
        "sse4.2" = "sse4.2", "ssse3" = "ssse3", "vaes" = "vaes", "vpclmulqdq" = "vpclmulqdq",
    }
}

/// Exports are for x86-64; elsewhere the system's loader refuses the file.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn has(_: &str) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpu_without_a_feature_is_an_error_that_names_it() {
        let features = ["avx2", "fma", "avx512f"].map(str::to_owned).to_vec();
        let manifest = Manifest { cpu: "x86-64-v4".to_owned(), features, ..Default::default() };
        assert!(check(&manifest, |_| true).is_ok());
        assert_eq!(
            check(&manifest, |name| name == "avx2").unwrap_err().to_string(),
            "the library was exported for the CPU x86-64-v4, and this CPU lacks fma, avx512f: export it with a lower \
             target_cpu"
        );
    }

    #[test]
    fn a_feature_that_nobody_knows_is_missing() {
        assert!(!has("avx2048"));
    }
}
