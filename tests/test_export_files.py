"""Export: names and documentation of every kind, in all three files; and files that are opened, of every kind."""

import os
import shutil
import struct
import zlib

import numba
import numpy as np
import pytest
import ringback as rb
from test_export import ROOT, bits, pytestmark, run  # noqa: F401 - what skips

WORDS = [
    "self",
    "Self",
    "fn",
    "type",
    "crate",
    "super",
    "_",
    "__",
    "_private",
    "ok",
    "result",
    "as_ref",
    "send",
    "sync",
    "exp",
    "main",
    "NULL",
    "ringback",
    "library",
    "x",
    "x_",
    "X",
]
DOC = (
    'One */ line "# \\ and \x0c \u202e \u2028 \x00 [x] <T> `code\r cr _em_ *em*\r\nmore\n\n    indented Rust that fails();\n\n'
    "```\nunclosed */ /* // ??/ \\\nlast\\"
)


@numba.njit
def even(n):
    return True if n == 0 else odd(n - 1)


@numba.njit
def odd(n):
    return False if n == 0 else even(n - 1)


@numba.njit
def factorial(n):
    y = np.ones(2) * n
    return y[0] if n < 1 else y[1] * factorial(n - 1)


def calls_each_other(x):
    y = x + 1
    return 1.0 if even(int(y)) else 0.0


def calls_itself(x):
    return factorial(x) - factorial(3.5)


def hashes(x):
    y = x + 1
    return float(len({x, y}))


@pytest.mark.parametrize(
    ("function", "reason", "source"),
    [
        (
            calls_each_other,
            "recursion that only Numba can link (jitted functions that call each other, or one that is called with a constant): "
            "write a loop, or give the function a signature",
            "return 1.0 if even(int(y)) else 0.0",
        ),
        (
            hashes,
            "hashes of floats, which are random for NaN: use a sorted array (np.unique), or whole numbers",
            "return float(len({x, y}))",
        ),
    ],
)
def test_what_can_be_written_otherwise_is_refused_with_a_hint(tmp_path, function, reason, source):
    with pytest.raises(rb.ExportError) as refused:
        rb.compile(function, "f64(f64)").export(tmp_path / "m.so")
    first, *_, line = str(refused.value).splitlines()
    assert first == f"cannot export {function.__name__}: it needs {reason}"
    assert line == f"    {source}"


def test_a_function_that_calls_itself(host, tmp_path):
    callback = rb.compile(calls_itself, "f64(f64)")
    made = callback.export(tmp_path / "m.so")
    lines = "".join(f"calls_itself\tf64(f64)\t{bits(x)}\n" for x in (6.0, 0.25))
    assert run(host / "call", made.library, input=lines)[:3] == [
        *(bits(callback(x)) for x in (6.0, 0.25)),
        "leaked 0 0",
    ]


def plain(x):
    return x + 1


def rust_words(type, self, self_, fn, crate, X):
    return type + self + self_ + fn + crate + X


def rust_types(f64, bool, ringback, std, _, é):
    return f64 + bool + ringback + std + _ + é


def c_words(int, int_, ret, NULL, linux, int32_t):
    return int + int_ + ret + NULL + linux + int32_t


def documented(x):
    return x


documented.__doc__ = DOC


def surrogate(x):
    """Summary.

    Parameters
    ----------
    x
        In [0, 1].
    """
    return x


surrogate.__doc__ += "\ud800"


def tied(self, fn):
    return self[0] + fn[0]


def flags(x):
    x[0] = True


def everything():
    callback = rb.compile(plain, "f64(f64)")
    made = {word: callback for word in WORDS if word not in ("Self", "X", "__", "x_")}
    six = "f64(f64, f64, f64, f64, f64, f64)"
    made.update({f.__name__: rb.compile(f, six) for f in (rust_words, rust_types)})
    made["c_words"] = rb.compile(c_words, "f64(f64, f64, f64, f64, f64, i32)")
    made.update({f.__name__: rb.compile(f, "f64(f64)") for f in (documented, surrogate)})
    made["tied"] = rb.compile(tied, "f64([f64; n], [f64; n])")
    return made


def test_names_and_documentation_of_every_kind_compile_in_rust(tmp_path):
    made = [rb.export(everything(), tmp_path / "all.so")]
    callback = rb.compile(plain, "f64(f64)")
    # No function that Rust has a type for.
    made.append(rb.export({"flags": rb.compile(flags, "void(mut [bool])")}, tmp_path / "flags.so"))
    for word in WORDS:
        if word != "ringback":
            (tmp_path / word).mkdir()
            made.append(rb.export({"f": callback, "X": callback}, tmp_path / word / f"{word}.so"))
            made.append(rb.export({"g": callback}, tmp_path / word / f"lib{word}.a"))
    folder = tmp_path / "check"
    (folder / "src").mkdir(parents=True)
    modules = "".join(f'pub mod m{i} {{ include!("{m.rust}"); }}\n' for i, m in enumerate(made))
    (folder / "src/lib.rs").write_text(f"#![deny(warnings, rustdoc::all)]\n//! Modules.\n{modules}")
    project = (ROOT / "tests/host/Cargo.toml").read_text().replace("../../crates", str(ROOT / "crates"))
    (folder / "Cargo.toml").write_text(project)
    shutil.copy(ROOT / "tests/host/Cargo.lock", folder)
    target = ["--quiet", "--offline", "--target-dir", ROOT / "target/host"]
    run("cargo", "check", *target, cwd=folder)
    # Nothing of a docstring is a link, a tag, or an example to run.
    run("cargo", "test", "--doc", *target, cwd=folder)
    run("cargo", "doc", "--no-deps", *target, cwd=folder)


def test_names_and_documentation_of_every_kind_compile_in_c(tmp_path):
    rb.export(everything(), tmp_path / "liball.a")
    (tmp_path / "main.c").write_text(
        '#include "all.h"\nint main(void) { return ringback_library_v1_all.count == 0; }\n'
    )
    flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
    run("gcc", "-std=c99", *flags, "main.c", cwd=tmp_path)
    # Without -pedantic, GNU's own macros are there too.
    run("gcc", "-std=gnu11", *flags, "main.c", cwd=tmp_path)
    run("g++", "-std=c++17", *flags, "-x", "c++", "main.c", cwd=tmp_path)


def test_documentation_is_shown_as_it_was_written(tmp_path):
    made = rb.export({"surrogate": rb.compile(surrogate, "f64(f64)")}, tmp_path / "m.so")
    assert (
        "    /// Summary.\n    ///\n    /// ```text\n    /// Parameters\n    /// ----------\n    /// x\n    ///     In [0, 1].\n"
    ) in made.rust.read_text()


def test_a_library_does_not_overwrite_the_header_of_the_record(tmp_path):
    with pytest.raises(ValueError, match="ringback.h") as refused:
        rb.compile(plain, "f64(f64)").export(tmp_path / "ringback.so")
    assert str(refused.value) == (
        "a library of the name ringback would overwrite ringback.h with its own header: choose another"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_is_an_error_at_once(host, tmp_path):
    made = rb.compile(plain, "f64(f64)").export(tmp_path / "p.so")
    os.mkfifo(tmp_path / "pipe.so")
    (tmp_path / "folder.so").mkdir()
    (tmp_path / "loop.so").symlink_to("loop.so")
    (tmp_path / "link.so").symlink_to(made.library)
    shutil.copy(made.library, tmp_path / "é\n b.so")
    # A large file that is no library is not read.
    with open(tmp_path / "large.so", "wb") as file:
        file.truncate(1 << 40)
    files = ["pipe.so", "/dev/zero", "folder.so", "loop.so", "", "large.so", "link.so", "é\n b.so"]
    found = run(host / "open", *files, cwd=tmp_path, timeout=20)
    foreign = "is no library of exported callbacks, or was cut off or stripped: export it again with rb.export"
    assert found == [
        f"Foreign: pipe.so {foreign}",
        f"Foreign: /dev/zero {foreign}",
        "Io: folder.so cannot be read: is a directory",
        "Io: loop.so cannot be read: Too many levels of symbolic links (os error 40)",
        "Io:  cannot be read: No such file or directory (os error 2)",
        f"Foreign: large.so {foreign}",
        "plain",
        "plain",
    ]


def footer(content, length):
    return struct.pack("<8sIIQQ", b"RINGBACK", 1, zlib.crc32(content), length, len(content))


def test_the_reason_why_a_file_cannot_be_loaded_is_said(host, tmp_path):
    made = rb.compile(plain, "f64(f64)").export(tmp_path / "p.so")
    whole = made.library.read_bytes()[:-32]
    start = whole.rindex(b"ringback 0.")
    for name, code in [("text.so", b"no code at all"), ("words.so", whole[:4] + b"\1" + whole[5:start])]:
        content = code + whole[start:]
        (tmp_path / name).write_bytes(content + footer(content, len(whole) - start))
    # A manifest that is not that of the code.
    content = whole + b"function other\n"
    (tmp_path / "other.so").write_bytes(content + footer(content, len(content) - start))
    assert run(host / "open", "text.so", "words.so", "other.so", cwd=tmp_path) == [
        "Load: text.so cannot be loaded: ./text.so: invalid ELF header",
        "Load: words.so cannot be loaded: ./words.so: wrong ELF class: ELFCLASS32",
        "Load: other.so cannot be loaded: what is loaded is not what the file says it is: the file was changed by hand, or too "
        "many versions of it are loaded",
    ]


def test_a_library_that_is_replaced_while_it_is_loaded(host, tmp_path):
    def version(k):
        return rb.compile(lambda x: x + k, "f64(f64)")

    # The same machine code and the same manifest but for the data.
    for name, k in (("first", 10.0), ("second", 20.0)):
        (tmp_path / name).mkdir()
        rb.export({"f": version(k)}, tmp_path / name / "m.so")
    found = run(
        host / "versions", tmp_path / "first/m.so", tmp_path / "second/m.so", tmp_path / "m.so", "f", timeout=20
    )
    assert found == [
        *["11", "21", "11"] * 2,
        "false",
        "a\0b cannot be read: file name contained an unexpected NUL byte",
    ]
