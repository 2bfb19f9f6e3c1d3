//! `include/ringback.h` says the same as `ringback::abi`: compiled, and asked for every offset.

use std::mem::{align_of, offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;

use ringback::abi::{ABI_VERSION, CallbackRecord, LIBRARY_VERSION, LibraryTable, RawView, Statistics};

const ASKS: &str = r#"
#include "ringback.h"
#include <stdio.h>
#define RECORD(field) printf(#field " %zu\n", offsetof(struct ringback_callback, field))
#define LIBRARY(field) printf(#field " %zu\n", offsetof(struct ringback_library, field))
#define VIEW(n) printf("view" #n " %zu %zu %zu\n", sizeof(struct ringback_view##n), \
    offsetof(struct ringback_view##n, shape), offsetof(struct ringback_view##n, strides))
int main(void) {
    printf("version %u\nsize %zu\n", RINGBACK_ABI_VERSION, sizeof(struct ringback_callback));
    printf("capsule %s\nattribute %s\n", RINGBACK_CAPSULE_NAME, RINGBACK_CALLBACK_ATTRIBUTE);
    RECORD(abi_version); RECORD(size); RECORD(signature); RECORD(entry); RECORD(block); RECORD(env); RECORD(raise);
    RECORD(describe); RECORD(discard); RECORD(release); RECORD(private_data);
    LIBRARY(version); LIBRARY(size); LIBRARY(manifest); LIBRARY(manifest_size); LIBRARY(count); LIBRARY(names);
    LIBRARY(records); LIBRARY(statistics);
    printf("library %u %zu %s %zu\n", RINGBACK_LIBRARY_VERSION, sizeof(struct ringback_library), RINGBACK_LIBRARY_SYMBOL,
        sizeof(struct ringback_statistics));
    VIEW(1); VIEW(2); VIEW(3); VIEW(4);
    return 0;
}
"#;

fn in_rust() -> String {
    macro_rules! record {
        ($($field:ident)*) => { concat!($(stringify!($field), " {}\n"),*) };
    }
    let mut said = format!("version {ABI_VERSION}\nsize {}\n", size_of::<CallbackRecord>());
    said += "capsule ringback.callback.v1\nattribute __ringback_callback__\n";
    macro_rules! offsets {
        ($of:ty: $($field:ident)*) => { said += &format!(record!($($field)*), $(offset_of!($of, $field)),*) };
    }
    offsets!(CallbackRecord: abi_version size signature entry block env raise describe discard release private_data);
    offsets!(LibraryTable: version size manifest manifest_size count names records statistics);
    let sizes = (size_of::<LibraryTable>(), size_of::<Statistics>());
    said += &format!("library {LIBRARY_VERSION} {} ringback_library_v1 {}\n", sizes.0, sizes.1);
    macro_rules! views {
        ($($n:literal)*) => { $(
            let (shape, strides) = (offset_of!(RawView<$n>, shape), offset_of!(RawView<$n>, strides));
            said += &format!("view{} {} {shape} {strides}\n", $n, size_of::<RawView<$n>>());
        )* };
    }
    views!(1 2 3 4);
    said
}

/// What the program prints; `None` if there is no such compiler.
fn compiled_with(compiler: &str, suffix: &str) -> Option<String> {
    Command::new(compiler).arg("--version").output().ok()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let source = folder.join(format!("asks.{suffix}"));
    let program = folder.join(format!("asks_{suffix}"));
    std::fs::write(&source, ASKS).unwrap();
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../include");
    let status = Command::new(compiler)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-I"])
        .args([&include, &source])
        .arg("-o")
        .arg(&program)
        .status()
        .unwrap();
    assert!(status.success(), "{compiler} refuses the header");
    let output = Command::new(&program).output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_header_in_c_is_the_abi_in_rust() {
    // Rust links with a C compiler, so there is one.
    assert_eq!(compiled_with("cc", "c").expect("a C compiler, cc"), in_rust());
}

#[test]
fn the_header_is_cpp_too() {
    if let Some(said) = compiled_with("c++", "cpp") {
        assert_eq!(said, in_rust());
    }
}

#[test]
fn the_specification_gives_the_same_offsets() {
    let text = include_str!("../../../docs/specification.md");
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let offset: usize = cells.next()?.parse().ok()?;
        let declared = cells.next()?.trim_matches('`');
        let name = declared.split('(').next()?.rsplit([' ', '*']).next()?;
        Some(format!("{name} {offset}\n"))
    });
    let rows: Vec<String> = rows.filter(|row| !row.starts_with("success")).collect();
    let said = in_rust();
    assert_eq!(rows.len(), 11, "{rows:?}");
    for row in rows {
        assert!(said.contains(&row), "the specification says {row}");
    }
}

#[test]
fn views_have_no_padding() {
    assert_eq!(size_of::<RawView<3>>(), 7 * size_of::<usize>());
    assert_eq!(align_of::<RawView<3>>(), align_of::<usize>());
}
