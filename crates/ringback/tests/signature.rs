//! Signatures: what is read, what is refused and in which words, and that no text panics.

use ringback::signature::{
    Array, Dim, Layout, MAX_PARAMETERS, MAX_RESULTS, MAX_TEXT, Parameter, Return, Scalar, Signature, Tie,
};

fn read(text: &str) -> Signature {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(text: &str) -> String {
    text.parse::<Signature>().expect_err(text).to_string()
}

/// The rows of a table: `left => right`.
fn rows(table: &str) -> impl Iterator<Item = (&str, &str)> {
    table.lines().filter(|row| !row.is_empty()).map(|row| {
        let row = row.split_once("=> ").expect(row);
        (row.0.trim(), row.1)
    })
}

const WIDE: bool = cfg!(target_pointer_width = "64");
const LONG_WIDE: bool = WIDE && !cfg!(windows);

/// Our own texts, as typed and as printed.
const OURS: &str = r#"
f64(f64) => f64(f64)
void() => void()
f64(f64,) => f64(f64)
bool(i8,i16,i32,i64,u8,u16,u32,u64,f32,f64,c64,c128) => bool(i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, c64, c128)
f64([f64],mut[f64]) => f64([f64], mut [f64])
f64([f64; :]) => f64([f64])
f64([f64; :; C]) => f64([f64])
f64([f64; :; F]) => f64([f64])
f64([f64; n; F]) => f64([f64; n])
f64([f64; :; any]) => f64([f64; :; any])
void([f64;:,:],mut[f64;:,:;C]) => void([f64; :, :], mut [f64; :, :])
void([f64;:,:;F],[c64;:,:,:,:;any]) => void([f64; :, :; F], [c64; :, :, :, :; any])
void([f64; n], mut [f64; n, m]) => void([f64; n], mut [f64; n, m])
void([f64; _a9, _a9]) => void([f64; _a9, _a9])
[f64;3]([bool]) => [f64; 3]([bool])
[c128; 64]() => [c128; 64]()
i32(*f64, *void, * c64) => i32(*f64, *void, *c64)
i8(i8) => i8(i8)
"#;

/// Numba's spelling, typed and printed.
const NUMBAS: &str = r#"
float64(float64) => f64(f64)
f8(f4, i1, i2, i4) => f64(f32, i8, i16, i32)
double(c8, c16, b1, u1, u2, u4) => f64(c64, c128, bool, u8, u16, u32)
none(int8, int16, int32, int64) => void(i8, i16, i32, i64)
void(uint8, uint16, uint32, uint64) => void(u8, u16, u32, u64)
void(boolean, bool_, complex64, complex128, float32) => void(bool, bool, c64, c128, f32)
void(char, byte, uchar, short, ushort) => void(i8, u8, u8, i16, u16)
void(intc, uintc, longlong, ulonglong) => void(i32, u32, i64, u64)
float64(float64[:]) => f64(mut [f64; :; any])
float64(float64[::1]) => f64(mut [f64])
void(float32[:, ::1], int32[::1, :]) => void(mut [f32; :, :], mut [i32; :, :; F])
void(float64[: , :, :], float64[:,:,:, : :1]) => void(mut [f64; :, :, :; any], mut [f64; :, :, :, :])
void(Array(float64, 1, 'C')) => void(mut [f64])
void(Array(float64, 1, "C", readonly=True)) => void([f64])
void(Array(float64, 2, 'A', True, aligned=True)) => void([f64; :, :; any])
void(Array(float64, 2, 'F', False, aligned=True)) => void(mut [f64; :, :; F])
void(array(float64, 1d, A), readonly array(int32, 3d, F)) => void(mut [f64; :; any], [i32; :, :, :; F])
UniTuple(float64, 3)(float64) => [f64; 3](f64)
UniTuple(float64 x 3)(float64) => [f64; 3](f64)
Tuple((float64, double))(float64) => [f64; 2](f64)
Tuple([intc, int32])(float64) => [i32; 2](f64)
float64(intc, CPointer(double)) => f64(i32, *f64)
void(voidptr, CPointer(void), CPointer(none), complex64*) => void(*void, *void, *void, *c64)
void(void*, none*, np_float64, c_int32, py_bool) => void(*void, *void, f64, i32, bool)
"#;

#[test]
fn what_is_read_prints_as_canonical_text() {
    for (text, canonical) in rows(OURS).chain(rows(NUMBAS)) {
        assert_eq!(read(text).to_string(), canonical, "{text}");
        assert_eq!(read(canonical), read(text), "{text}");
    }
    assert_eq!(read("  f64 (\tf64 ,\n f32 ) ").to_string(), "f64(f64, f32)");
    // `i8` has another width in Numba; it is ours where the whole text is.
    assert_eq!(read("i8(i8)").result(), &Return::Scalar(Scalar::I8));
}

#[test]
fn names_of_c_types_follow_the_target() {
    let pointer = if WIDE { "void(i64, i64, i64, u64, u64, u64)" } else { "void(i32, i32, i32, u32, u32, u32)" };
    assert_eq!(read("none(intp, ssize_t, int_, uintp, size_t, uint)").to_string(), pointer);
    let long = if LONG_WIDE { "void(i64, u64)" } else { "void(i32, u32)" };
    assert_eq!(read("none(long_, ulong)").to_string(), long);
}

#[test]
fn scalars_have_the_sizes_of_c() {
    let c = [1, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 16];
    for (scalar, size) in Scalar::ALL.into_iter().zip(c) {
        assert_eq!(scalar.size(), size, "{scalar}");
        assert_eq!(scalar.size() % scalar.align(), 0, "{scalar}");
        assert_eq!(read(&format!("{scalar}()")).result(), &Return::Scalar(scalar));
    }
    assert_eq!(Scalar::C64.align(), Scalar::F32.align());
    assert_eq!(Scalar::C128.align(), Scalar::F64.align());
}

fn array(dims: Vec<Dim>, layout: Layout) -> Parameter {
    Parameter::Array(Array { element: Scalar::F64, dims, layout, mutable: false })
}

#[test]
fn limits_hold_for_parts_as_for_text() {
    let made =
        |parameters, result| Signature::new(parameters, result).map(|s| s.to_string()).map_err(|e| e.to_string());
    let flat = |count| vec![Parameter::Scalar(Scalar::F64); count];
    assert!(made(flat(MAX_PARAMETERS), Return::Void).is_ok());
    assert_eq!(made(flat(65), Return::Void).unwrap_err(), "a signature has at most 64 parameters, found 65");
    assert!(made(vec![], Return::Array(Scalar::F64, MAX_RESULTS)).is_ok());
    for count in [0, 65, usize::MAX] {
        let error = made(vec![], Return::Array(Scalar::F64, count)).unwrap_err();
        assert_eq!(error, format!("an array result has 1 to 64 values, found {count}"));
    }
    for rank in [0, 5] {
        let error = made(vec![array(vec![Dim::Any; rank], Layout::C)], Return::Void).unwrap_err();
        assert_eq!(error, format!("arrays have 1 to 4 dimensions, parameter 1 has {rank}"));
    }
    for name in ["", "2n", "a-b", "é", "C", "F", "any"] {
        let error = made(vec![array(vec![Dim::Named(name.into())], Layout::C)], Return::Void).unwrap_err();
        let wanted = "the name of a length is an identifier other than C, F and any";
        assert_eq!(error, format!("{wanted}, found {name:?} at parameter 1"));
    }
    let long = made(vec![array(vec![Dim::Named("n".repeat(MAX_TEXT))], Layout::C)], Return::Void).unwrap_err();
    assert_eq!(long, "a signature has at most 4096 bytes, found 4109");
    assert_eq!(made(vec![array(vec![Dim::Any], Layout::F)], Return::Void).unwrap(), "void([f64])");
}

#[test]
fn ties_are_the_names_that_stand_twice() {
    let signature = read("void([f64; n, m], f64, mut [f64; k, n], [i32; m], [f64; alone])");
    let tie = |name: &str, places: &[(usize, usize)]| Tie { name: name.into(), places: places.into() };
    assert_eq!(signature.ties(), [tie("n", &[(0, 0), (2, 1)]), tie("m", &[(0, 1), (3, 0)])]);
    let plain = signature.without_ties();
    assert_eq!(plain.to_string(), "void([f64; :, :], f64, mut [f64; :, :], [i32], [f64])");
    assert_eq!(plain.ties(), []);
    assert_ne!(plain, signature);
    assert_eq!(plain.matches(&signature), Ok(()));
    assert_eq!(read("void([f64; a], [f64; a])").matches(&read("void([f64; b], [f64; c])")), Ok(()));
}

/// Texts that are no signature, and what is said of each after `"text" is no signature: `.
const REFUSED: &str = r#"
=> at byte 0: expected a type; found the end
f64 => at byte 3: expected the parameters, as in f64(f64); found the end
f64( => at byte 4: expected a type; found the end
f64(f64 => at byte 7: expected `,` or `)`; found the end
f64(f64) f64 => at byte 9: expected the end of the signature; found `f64`
f64(f46) => at byte 4: expected one of bool, i8 to i64, u8 to u64, f32, f64, c64, c128, or a type as Numba spells it; found `f46`
f64(usize) => at byte 4: expected one of bool, i8 to i64, u8 to u64, f32, f64, c64, c128, or a type as Numba spells it; found `usize`
(f64, f64) => at byte 0: the type of the result is missing: write it in front, as in f64(f64); found `(`
(float64, float64) => at byte 0: the type of the result is missing: write it in front, as in f64(f64); found `(`
f64(, f64) => at byte 4: expected a type; found `,`
f64(f64,,f64) => at byte 8: expected a type; found `,`
f64(void) => at byte 4: expected one of bool, i8 to i64, u8 to u64, f32, f64, c64, c128, or a type as Numba spells it; found `void`
f64([f64) => at byte 8: expected `]`; found `)`
f64([]) => at byte 5: expected a type; found `]`
f64([[f64]]) => at byte 5: expected a type; found `[`
f64([f64; ]) => at byte 10: expected `:` or the name of a length; found `]`
f64([f64; 3]) => at byte 10: a length is `:` or a name; fixed lengths are for results only; found `3`
f64([f64; :; K]) => at byte 13: expected a layout: F or any (C needs not be said); found `K`
f64([f64; :,:,:,:,:]) => at byte 19: arrays have 1 to 4 dimensions; found `]`
f64(mut f64) => at byte 8: expected an array after `mut`, as in mut [f64]; found `f64`
f64(mut *f64) => at byte 8: expected an array after `mut`, as in mut [f64]; found `*`
f64(**f64) => at byte 5: expected a type; found `*`
*f64() => at byte 0: expected a type; found `*`
[f64]() => at byte 4: expected `;` and the number of values, as in [f64; 3]; found `]`
[f64; n]() => at byte 6: expected a number; found `n`
[f64; 99999999999999999999999]() => at byte 6: expected a number; found `99999999999999999999999`
f64(é) => at byte 4: expected a type; found `\u{e9}`
float64(f64) => at byte 8: this name is Ringback's, and other names in the text are Numba's: use one spelling throughout; found `f64`
float64(i8) => at byte 8: `i8` among Numba's names could mean 8 bits or 8 bytes: write int8 or int64; found `i8`
void(float64[:], u8) => at byte 17: `u8` among Numba's names could mean 8 bits or 8 bytes: write uint8 or uint64; found `u8`
float64(int) => at byte 8: `int` has no width here: write intc (C's int), int64 or int_; found `int`
float64(float64[0]) => at byte 16: expected `:`, as in float64[:] or float64[::1]; found `0`
float64(float64[::2]) => at byte 19: the only step in a type is 1, as in float64[::1]; found `]`
float64(float64[::1, ::1]) => at byte 25: `::1` stands at the last axis (C) or at the first (F), once; found `)`
float64(float64[:, ::1, :]) => at byte 26: `::1` stands at the last axis (C) or at the first (F), once; found `)`
float64(Array(float64, 5, 'C')) => at byte 23: expected a number of dimensions from 1 to 4; found `5`
float64(Array(float64, 1, 'X')) => at byte 27: expected a layout: 'C', 'F' or 'A'; found `X`
float64(Array(float64, 1, 'C', aligned=False)) => at byte 31: arrays that are not aligned cannot be passed; found `aligned`
float64(Array(float64, 1, 'C', mutable=True)) => at byte 31: expected readonly= or aligned=, with True or False; found `mutable`
Tuple((float64, int64))(float64) => at byte 0: a result has values of one type: write the others to `mut` arrays; found `Tuple`
UniTuple(float64, 0)(float64) => at byte 0: an array result has 1 to 64 values, found 0
float64[:](float64) => at byte 7: a callback cannot return an array: write to a `mut` array parameter; found `[`
float64(CPointer(CPointer(float64))) => at byte 17: expected a type, such as f64, i32, float64, intc or CPointer(float64); found `CPointer`
float64(pyobject) => at byte 8: expected a type, such as f64, i32, float64, intc or CPointer(float64); found `pyobject`
f64([f64; F]) => at byte 0: the name of a length is an identifier other than C, F and any, found "F" at parameter 1
[f64; 0]() => at byte 0: an array result has 1 to 64 values, found 0
[f64; 65]() => at byte 0: an array result has 1 to 64 values, found 65
i8(float64) => at byte 0: `i8` among Numba's names could mean 8 bits or 8 bytes: write int8 or int64; found `i8`
void(i8[:]) => at byte 5: `i8` among Numba's names could mean 8 bits or 8 bytes: write int8 or int64; found `i8`
void(u8, float64) => at byte 5: `u8` among Numba's names could mean 8 bits or 8 bytes: write uint8 or uint64; found `u8`
float64(float16) => at byte 8: half precision cannot be passed: write float32; found `float16`
float64(float) => at byte 8: `float` is float64 in Python and float32 in C, and no name of Numba's: write one of these; found `float`
float64(long) => at byte 8: `long` has no width here: write long_ (C's long) or int64; found `long`
float64(void) => at byte 12: expected `*`: a parameter cannot be void; found `)`
void(unaligned array(float64, 1d, C)) => at byte 5: arrays that are not aligned cannot be passed; found `unaligned`
"#;

#[test]
fn what_is_refused_is_told_why_word_for_word() {
    for (text, why) in rows(REFUSED) {
        assert_eq!(refusal(text), format!("{text:?} is no signature: {why}"));
    }
    assert_eq!(refusal(&"x".repeat(5000)), "a signature has at most 4096 bytes, found 5000");
    assert_eq!("f64(f46)".parse::<Signature>().unwrap_err().offset(), 4);
}

/// A small linear congruential generator (Knuth's MMIX constants), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((self.0 >> 33) as usize) % bound
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// What reads must print as something that reads as the same.
fn survives(text: &str) -> bool {
    match text.parse::<Signature>() {
        Ok(signature) => {
            let canonical = signature.to_string();
            assert_eq!(canonical.parse::<Signature>().as_ref(), Ok(&signature), "{text:?} -> {canonical:?}");
            assert_eq!(signature.matches(&signature), Ok(()));
            true
        }
        Err(error) => {
            assert!(text.is_char_boundary(error.offset()), "{text:?}: {}", error.offset());
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

#[test]
fn no_text_panics_and_what_reads_round_trips() {
    const PIECES: &[&str] = &[
        "(",
        ")",
        "[",
        "]",
        ",",
        ";",
        ":",
        "::1",
        "*",
        "'",
        "\"",
        "=",
        ".",
        "->",
        " ",
        "\n",
        "\0",
        "é",
        "\u{2003}",
        "😀",
        "0",
        "1",
        "64",
        "99999999999999999999",
        "-",
        "_",
        "n",
        "C",
        "F",
        "A",
        "any",
        "mut ",
        "void",
        "none",
        "f64",
        "i8",
        "c64",
        "float64",
        "double",
        "u8",
        "CPointer(",
        "voidptr",
        "UniTuple(",
        "Tuple((",
        "Array(",
        "readonly array(",
        "1d",
        "x",
        "readonly=True",
        "aligned=False",
        "[f64; 3]",
        "[f64]",
        "f64(f64)",
    ];
    let valid: Vec<&str> = rows(OURS).chain(rows(NUMBAS)).flat_map(|(text, canonical)| [text, canonical]).collect();
    let mut random = Random(1);
    let mut read = 0;
    let rounds = if cfg!(miri) { 200 } else { 200_000 };
    for round in 0..rounds {
        let mut text: Vec<char> = if round % 4 == 0 {
            (0..random.below(24)).flat_map(|_| random.pick(PIECES).chars()).collect()
        } else {
            random.pick(&valid).chars().collect()
        };
        for _ in 0..random.below(4) {
            let at = random.below(text.len() + 1);
            match random.below(4) {
                0 if at < text.len() => drop(text.remove(at)),
                1 => drop(text.splice(at..at, random.pick(PIECES).chars())),
                2 => {
                    let other: Vec<char> = random.pick(&valid).chars().collect();
                    text.truncate(at);
                    text.extend(&other[random.below(other.len() + 1)..]);
                }
                _ => text.rotate_left(at),
            }
        }
        read += usize::from(survives(&text.into_iter().collect::<String>()));
    }
    assert!(read > rounds / 10, "only {read} texts could be read: the test does not reach what it should");
}

#[test]
fn long_and_deep_texts_are_only_refused() {
    for piece in ["(", "[", "[f64; ", "Tuple((", "CPointer(", "*", "mut ", "f64,", "9", "é", " ", "\0"] {
        for count in [10, MAX_TEXT / piece.len(), 100_000] {
            let text = piece.repeat(count);
            assert!(!survives(&text), "{piece}");
            assert!(!survives(&format!("f64({text}")), "{piece}");
            assert!(!survives(&format!("float64({text}")), "{piece}");
        }
    }
    assert!(survives(&format!("f64({})", ["f64"; 64].join(", "))));
    assert!(!survives(&format!("f64({})", ["f64"; 65].join(", "))));
    // Canonical text may be longer than what was typed; it has the same limit.
    let tight = |length: usize| {
        let array = format!("[f64;{}]", ["n".repeat(length).as_str(); 4].join(","));
        format!("void({})", vec![array; 64].join(","))
    };
    assert!(tight(13).len() < MAX_TEXT);
    assert!(survives(&tight(12)) && !survives(&tight(13)));
}
