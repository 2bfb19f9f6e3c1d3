//! Which signature fits where which is asked for.

use ringback::signature::Signature;

fn read(text: &str) -> Signature {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// No two of these fit each other.
const DIFFERENT: [&str; 24] = [
    "f64(f64)",
    "f64()",
    "f64(f64, f64)",
    "f32(f64)",
    "void(f64)",
    "[f64; 2](f64)",
    "[f64; 3](f64)",
    "f64(f32)",
    "f64(i32)",
    "f64(i64)",
    "f64(u32)",
    "f64(u64)",
    "f64(bool)",
    "f64(c128)",
    "f64([f64])",
    "f64(mut [f64])",
    "f64([f64; :; any])",
    "f64([f32])",
    "f64([f64; :, :])",
    "f64([f64; :, :; F])",
    "f64([f64; :, :; any])",
    "f64(mut [f64; :, :])",
    "f64(*f64)",
    "f64(*void)",
];

#[test]
fn signatures_fit_only_themselves() {
    for expected in DIFFERENT {
        for found in DIFFERENT {
            match read(expected).matches(&read(found)) {
                Ok(()) => assert_eq!(expected, found),
                Err(mismatch) => {
                    assert_ne!(expected, found);
                    let start = format!("expected a callback {expected}, found {found}: ");
                    assert!(mismatch.to_string().starts_with(&start), "{mismatch}");
                }
            }
        }
    }
}

/// What was expected, what was found, and the difference that is named.
const DIFFERENCES: &str = r#"
f64(f64, [f64]) | f64(f32, [f64]) | parameter 1 is f32, not f64 (another width)
f64(f64) | f64() | it takes 0 parameters, not 1
f64() | f64(f64) | it takes 1 parameter, not 0
f64(f64) | f32(f64) | the result is f32, not f64 (another width)
f64(f64) | i64(f64) | the result is i64, not f64 (another kind of number)
f64(f64) | void(f64) | the result is void, not f64
[f64; 2]() | [f64; 3]() | the result is [f64; 3], not [f64; 2]
void(i32) | void(i64) | parameter 1 is i64, not i32 (another width)
void(u64) | void(i32) | parameter 1 is i32, not u64 (signed and unsigned differ)
void(u64) | void(i64) | parameter 1 is i64, not u64 (signed and unsigned differ)
void(i64) | void(f64) | parameter 1 is f64, not i64 (another kind of number)
void(c64) | void(f32) | parameter 1 is f32, not c64 (another kind of number)
void(f64, [f64]) | void(f64, mut [f64]) | parameter 2 is mut [f64], not [f64] (the function may write to it, which the caller does not allow)
void(mut [f64]) | void([f64]) | parameter 1 is [f64], not mut [f64] (the caller expects the function to write to it)
void([f64]) | void([f32]) | parameter 1 is [f32], not [f64] (another width)
void([f64]) | void([f64; :, :]) | parameter 1 is [f64; :, :], not [f64] (another number of dimensions)
void([f64; :, :]) | void([f64; :, :; F]) | parameter 1 is [f64; :, :; F], not [f64; :, :] (another layout in memory)
void([f64; :; any]) | void([f64]) | parameter 1 is [f64], not [f64; :; any] (another layout in memory)
void([f64]) | void(*f64) | parameter 1 is *f64, not [f64] (a bare pointer does not know its length)
void(*f64) | void([f64]) | parameter 1 is [f64], not *f64 (an array is more than a bare pointer)
void(*f64) | void(*void) | parameter 1 is *void, not *f64 (a pointer to another type)
void(f64) | void([f64]) | parameter 1 is [f64], not f64 (one value is asked for)
void([f64]) | void(f64) | parameter 1 is f64, not [f64] (it takes one value)
"#;

#[test]
fn a_mismatch_names_the_difference_word_for_word() {
    for row in DIFFERENCES.lines().filter(|row| !row.is_empty()) {
        let [expected, found, why] = row.split(" | ").collect::<Vec<_>>()[..] else { panic!("{row}") };
        let mismatch = read(expected).matches(&read(found)).unwrap_err();
        assert_eq!(mismatch.to_string(), format!("expected a callback {expected}, found {found}: {why}"));
    }
    // One type under two names is no difference.
    assert_eq!(read("void(intc)").matches(&read("void(i32)")), Ok(()));
}
