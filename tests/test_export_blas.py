"""Linear algebra in exported libraries: with a library that is named, with plain products, and refused without either."""

import ctypes
import glob
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import ringback as rb
import scipy
from numba import _helperlib
from ringback import _ringback
from ringback.backend import link
from ringback.cli import main
from ringback.exports.blas import _FACTORISATIONS, _PRODUCTS, blas
from ringback.exports.blas import helpers as helpers_of_text

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or os.uname().machine != "x86_64", reason="export knows x86-64 Linux only"
    ),
    pytest.mark.filterwarnings("ignore:.*is faster on contiguous arrays"),
]

TYPES = {"f32": np.float32, "f64": np.float64, "c64": np.complex64, "c128": np.complex128}


def bundled(package):
    """The library that a wheel for Linux brings along; whole numbers have 32 bits in SciPy's, 64 in NumPy's."""
    if sys.platform != "linux":
        return ""
    # Older wheels have libopenblas, newer ones libscipy_openblas.
    (found,) = glob.glob(f"{Path(package.__file__).parent}.libs/lib*openblas*.so")
    return found


SCIPY = bundled(scipy)
NUMPY = bundled(np)


# The runtime's functions against Numba's own, for all kinds of numbers.


def helpers(folder, library):
    """The functions of ringback-runtime by the names of Numba's, linked to a library."""
    folder.mkdir()
    algebra = blas(library)
    (folder / "runtime.o").write_bytes(_ringback.runtime(True))
    (folder / "blas.s").write_text(algebra.source([*_PRODUCTS, *_FACTORISATIONS], "test"))
    whole = ["-Wl,--whole-archive", "runtime.o", "-Wl,--no-whole-archive", "blas.s"]
    link.run([*link.compiler(), "-shared", "-nostartfiles", "-o", "all.so", *whole, *algebra.arguments, "-lm"], folder)
    loaded = ctypes.CDLL(str(folder / "all.so"))
    for name in _PRODUCTS:
        getattr(loaded, name).restype = None
    return {
        name.removeprefix("numba_").removeprefix("ringback_"): getattr(loaded, name)
        for name in (*_PRODUCTS, *_FACTORISATIONS)
    }


def numbas(name):
    return ctypes.CFUNCTYPE(ctypes.c_int)(_helperlib.c_helpers[name])


def call(function, kind, arguments):
    """The status, and all arrays as the function leaves them."""
    passed, arrays = [ctypes.c_char(kind.encode())], []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            # What lies behind an array is no number: who reads it shows.
            memory = np.full(2 * argument.nbytes + 64, 0xFF, np.uint8)
            arrays.append(memory[: argument.nbytes].view(argument.dtype).reshape(argument.shape, order="F"))
            arrays[-1][...] = argument
            passed.append(ctypes.c_void_p(arrays[-1].ctypes.data))
        elif isinstance(argument, str):
            passed.append(ctypes.c_char(argument.encode()))
        elif isinstance(argument, float):
            passed.append(ctypes.c_double(argument))
        else:
            passed.append(ctypes.c_ssize_t(argument))
    function.argtypes = [type(argument) for argument in passed]
    return function(*passed) or 0, arrays


def calls(kind):
    """Names of functions, and arguments for them: matrices by columns, 5 by 4."""
    dtype = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[kind]
    real = np.zeros(0, dtype).real.dtype
    rng = np.random.default_rng(5)

    def random(*shape):
        values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if kind in "cz" else 0)
        return np.asfortranarray(values.astype(dtype))

    def zeros(*shape, of=dtype):
        return np.zeros(shape, of, order="F")

    a, square, x, one = random(5, 4), random(4, 4), random(4), np.ones(1, dtype)
    singular = square.copy()
    singular[:, 1] = 0
    positive = np.asfortranarray(square @ square.conj().T + np.eye(4, dtype=dtype))
    pivots = np.zeros(4, np.int32)
    _, (factors, pivots) = call(numbas("xxgetrf"), kind, [4, 4, square, 4, pivots])
    _, (reflected, tau) = call(numbas("ez_geqrf"), kind, [5, 4, a, 5, zeros(4)])
    yield "xxdot", ["\0", 4, x, square, zeros(1)]
    yield "xxdot", ["\1", 4, x, square, zeros(1)]
    for letter, n in [("n", 4), ("t", 5)]:
        yield "xxgemv", [letter, 5, 4, one, a, 5, random(n), one * 0, zeros(9 - n)]
    yield "xxgemm", ["n", "t", 5, 3, 4, one, a, 5, random(3, 4), 3, one * 0, zeros(5, 3), 5]
    yield "xxgemm", ["t", "n", 4, 3, 5, one, a, 5, random(5, 3), 5, one * 0, zeros(4, 3), 4]
    yield "xxnrm2", [20, a, 1, zeros(1, of=real)]
    yield "xxgetrf", [5, 4, a, 5, pivots]
    yield "xxgetrf", [4, 4, singular, 4, pivots]
    yield "ez_xxgetri", [4, factors, 4, pivots]
    yield "xxpotrf", ["L", 4, positive, 4]
    yield "xxpotrf", ["L", 4, -positive, 4]
    if kind in "sd":
        yield "ez_rgeev", ["N", "V", 4, square, 4, zeros(4), zeros(4), zeros(1), 1, zeros(4, 4), 4]
    else:
        yield "ez_cgeev", ["N", "V", 4, square, 4, zeros(4), zeros(1), 1, zeros(4, 4), 4]
    yield "ez_xxxevd", ["V", "L", 4, positive, 4, zeros(4, of=real)]
    for letter in "AN":
        yield "ez_gesdd", [letter, 5, 4, a, 5, zeros(4, of=real), zeros(5, 5), 5, zeros(4, 4), 4]
    yield "ez_geqrf", [5, 4, a, 5, zeros(4)]
    yield "ez_xxgqr", [5, 4, 4, reflected, 5, tau]
    # Numba writes 8 bytes for the rank.
    yield "ez_gelsd", [5, 4, 2, a, 5, random(5, 2), 5, zeros(4, of=real), 1e-5, np.zeros(2, np.int32)]
    yield "xgesv", [4, 2, square, 4, np.zeros(4, np.int32), random(4, 2), 4]
    yield "xgesv", [4, 2, singular, 4, np.zeros(4, np.int32), random(4, 2), 4]


@pytest.mark.parametrize("library", [SCIPY, NUMPY], ids=["32 bits", "64 bits"])
@pytest.mark.parametrize("kind", list("sdcz"))
def test_the_runtime_does_what_numba_does(tmp_path, kind, library):
    ours = helpers(tmp_path / "linked", library)
    seen = set()
    for name, arguments in calls(kind):
        status, arrays = call(numbas(name), kind, arguments)
        found, got = call(ours[name], kind, arguments)
        assert found == status, name
        seen.add(name)
        if name == "xgesv":
            # The pivots, which nobody reads.
            del arrays[1], got[1]
        for array, other in zip(arrays, got, strict=True):
            if library == SCIPY and not (name == "xxdot" and kind in "cz"):
                np.testing.assert_array_equal(other, array, name)
            else:
                scale = 1e3 * np.finfo(np.float32 if kind in "sc" else np.float64).eps
                # Another library may choose other signs of vectors, and other phases.
                np.testing.assert_allclose(abs(other), abs(array), rtol=scale, atol=scale, err_msg=name)
    assert seen | {"ez_rgeev", "ez_cgeev", "fatal_error"} == set(ours)


# Exported functions, in a process without Python.


def products(a, b, out):
    x, y = a[0], b[0]
    out[0] = x @ y
    out[1] = np.vdot(x, y)
    u, v, c = a @ y, x @ b, a @ b
    for i in range(4):
        out[2 + i] = u[i]
        out[6 + i] = v[i]
        for j in range(4):
            out[10 + 4 * i + j] = c[i, j]
    out[26] = np.linalg.norm(x.copy())
    np.dot(b, x, u)
    out[27] = u[1] + np.dot(a, b, c)[3, 2]


def solves(a, b, out):
    x, inverse, pseudo = np.linalg.solve(a, b[0].copy()), np.linalg.inv(a), np.linalg.pinv(a[:, :2].copy())
    y, (best, _, rank, _) = np.linalg.solve(a, b), np.linalg.lstsq(a[:, :2].copy(), b[0].copy(), 1e-9)
    out[24] = y[2, 1]
    out[25] = rank + best[1]
    for i in range(4):
        out[i] = x[i]
        for j in range(4):
            out[4 + 4 * i + j] = inverse[i, j]
        out[20 + i] = pseudo[1, i]


def measures(a, b, out):
    out[0] = np.linalg.det(a)
    sign, logarithm = np.linalg.slogdet(a)
    out[1] = sign
    out[2] = logarithm
    out[3] = np.linalg.cond(a)
    out[4] = np.linalg.matrix_rank(b)
    out[5] = np.linalg.norm(a)
    out[6] = np.linalg.norm(a, 2)
    out[7] = np.linalg.matrix_power(a, 3)[1, 2]
    out[8] = np.linalg.matrix_power(a, -2)[2, 1]


def factors(a, b, out):
    square = a @ a.T
    lower = np.linalg.cholesky(square)
    q, r = np.linalg.qr(a)
    u, s, v = np.linalg.svd(a)
    symmetric, _ = np.linalg.eigh(a + a.T)
    # Complex ones from NumPy 2.5 on, also of what has real ones only.
    values, vectors = np.linalg.eig(square)
    values, vectors = values.real.copy(), vectors.real.copy()
    alone = np.sort(np.linalg.eigvals(square).real + np.linalg.eigvalsh(square)[0])
    again = q @ r + (u * s) @ v + lower @ lower.T + square @ vectors - vectors * values
    values = np.sort(values)
    for i in range(4):
        out[i] = s[i]
        out[4 + i] = symmetric[i]
        out[8 + i] = values[i]
        out[12 + i] = alone[i]
        for j in range(4):
            out[16 + 4 * i + j] = again[i, j]
        out[32 + i] = abs(lower[i, i]) + abs(q[i, 0]) + abs(r[0, i])


def complex_values(a, b, out):
    values = np.linalg.eigvals(a)
    out[0] = values.sum()
    out[1] = values.prod()


PRODUCTS = [("f64", "C"), ("f64", "any"), ("c128", "F"), ("f32", "F")]
DECOMPOSITIONS = [(solves, "f64"), (measures, "f64"), (factors, "f64"), (complex_values, "c128")]


def signature(number, layout="C"):
    matrix = f"[{number}; :, :]" if layout == "C" else f"[{number}; :, :; {layout}]"
    return f"void({matrix}, {matrix}, mut [{number}])"


def matrices(number):
    rng = np.random.default_rng(11)
    made = rng.normal(size=(2, 4, 4)) + (1j * rng.normal(size=(2, 4, 4)) if number[0] == "c" else 0)
    made[0] += 3 * np.eye(4)
    return made.astype(TYPES[number])


def laid_out(matrix, layout):
    """As the program without Python lays it out."""
    if layout != "any":
        return matrix.copy(order=layout)
    wide = np.zeros(3 * matrix.size, matrix.dtype)
    wide[::3] = matrix.ravel()[::-1]
    return wide[::-1][2::3].reshape(matrix.shape)


def bits(values):
    parts = np.asarray(values).ravel()
    parts = parts.astype(np.complex128).view(np.float64) if parts.dtype.kind == "c" else parts.astype(np.float64)
    return ",".join(struct.pack(">d", part).hex() for part in parts.tolist())


def line(name, number, layout, a, b, length=40):
    return "\t".join(map(str, [name, number, layout, *a.shape, *b.shape, length, bits(a), bits(b)]))


def numbers(words, dtype):
    parts = np.array([struct.unpack(">d", bytes.fromhex(word))[0] for word in words.split(",")])
    return parts.view(np.complex128) if np.dtype(dtype).kind == "c" else parts


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def multiplied():
    """The products, compiled for numbers and layouts."""
    return {f"{number}_{layout}": rb.compile(products, signature(number, layout)) for number, layout in PRODUCTS}


@pytest.fixture(scope="module")
def decomposed():
    return {f.__name__: (rb.compile(f, signature(number)), f, number, "C") for f, number in DECOMPOSITIONS}


def check(host, library, cases, origin):
    """Exported functions against NumPy and against the JIT; what the program says at its end."""
    lines, wanted = [], []
    for name, (callback, function, number, layout) in cases.items():
        a, b = (laid_out(matrix, layout) for matrix in matrices(number))
        lines.append(line(name, number, layout, a, b))
        by_numpy, by_jit = np.zeros(40, a.dtype), np.zeros(40, a.dtype)
        function(a, b, by_numpy)
        callback(a, b, by_jit)
        wanted.append((name, by_numpy, by_jit))
    *found, leaked, algebra, python = run(host / "linear", library, input="\n".join(lines))
    for (name, by_numpy, by_jit), words in zip(wanted, found, strict=True):
        assert not words.startswith("error"), (name, words)
        got = numbers(words, by_jit.dtype)
        tolerance = 200 * np.finfo(by_jit.dtype).eps
        np.testing.assert_allclose(got, by_jit, rtol=tolerance, atol=tolerance, err_msg=name)
        np.testing.assert_allclose(got, by_numpy, rtol=tolerance, atol=tolerance, err_msg=name)
    assert (leaked, python) == ("leaked 0 0", "python false")
    assert algebra == f"blas {origin}"


@pytest.mark.parametrize("library", [True, SCIPY, NUMPY], ids=["builtin", "32 bits", "64 bits"])
def test_products_have_the_values_of_numpy(host, tmp_path, multiplied, library):
    made = rb.export(multiplied, tmp_path / "m.so", link_blas=library)
    cases = {
        name: (callback, products, *case) for (name, callback), case in zip(multiplied.items(), PRODUCTS, strict=True)
    }
    check(host, made.library, cases, "builtin" if library is True else Path(library).name)


@pytest.mark.parametrize("library", [SCIPY, NUMPY], ids=["32 bits", "64 bits"])
def test_decompositions_have_the_values_of_numpy(host, tmp_path, decomposed, library):
    made = rb.export({name: case[0] for name, case in decomposed.items()}, tmp_path / "m.so", link_blas=library)
    check(host, made.library, decomposed, Path(library).name)


def test_errors_of_linear_algebra_are_typed(host, tmp_path, decomposed):
    made = decomposed["solves"][0].export(tmp_path / "m.so", link_blas=SCIPY)
    a, b = matrices("f64")
    singular, strange = np.ones((4, 4)), a.copy()
    strange[1, 1] = np.nan
    calls = [
        ("solves", singular, b),
        ("solves", strange, b),
        ("solves", a[:, :3].copy(), b),
        ("solves", a, b[:, :3].copy()),
    ]
    found = run(host / "linear", made.library, input="\n".join(line(n, "f64", "C", x, y) for n, x, y in calls))
    for (_, x, y), text in zip(calls, found, strict=False):
        with pytest.raises(ValueError) as raised:  # noqa: PT011 - a LinAlgError is one
            decomposed["solves"][0](x, y, np.zeros(40))
        assert text.startswith(f"error: {raised.type.__name__}: {raised.value} (in "), text
    assert found[0].startswith(
        "error: LinAlgError: Matrix is singular to machine precision. (in _inv_err_handler, linalg.py:"
    )
    # Numba's code keeps what it has allocated when an exception passes, in Python too; so nothing is said of leaks.
    assert found[5] == f"blas {Path(SCIPY).name}"


def test_shapes_that_do_not_fit_are_errors_with_plain_products(host, tmp_path, multiplied):
    made = rb.export({"f": multiplied["f64_C"]}, tmp_path / "m.so", link_blas=True)
    a, b = matrices("f64")
    (text, *_) = run(host / "linear", made.library, input=line("f", "f64", "C", a, b[:, :3].copy()))
    assert text.startswith("error: ValueError: incompatible array sizes for np.dot(a, b) (vector * vector) (in ")


def square(x):
    return -0.5 * (x @ x)


def inverse(m):
    k = 2
    return np.linalg.inv(m)[0, k - 2] + m[0] @ m[1]


PLAIN = (
    "BLAS (np.dot, @, norms), which comes from SciPy in this process: export with link_blas=True (--link-blas) for plain code in "
    "its place, or name a library, such as link_blas='openblas'"
)
LAPACK = (
    "LAPACK (np.linalg), which comes from SciPy in this process: name a library that has it, such as link_blas='openblas' "
    "(--link-blas openblas)"
)


@pytest.mark.parametrize(
    ("function", "type_", "option", "reason", "symbols"),
    [
        (square, "f64([f64])", False, PLAIN, "numba_xxdot"),
        (inverse, "f64([f64; :, :])", False, LAPACK, "numba_ez_xxgetri, numba_xxgetrf"),
        (inverse, "f64([f64; :, :])", True, LAPACK, "numba_ez_xxgetri, numba_xxgetrf"),
    ],
)
def test_without_a_library_it_is_refused_by_name(tmp_path, function, type_, option, reason, symbols):
    with pytest.raises(rb.ExportError) as refused:
        rb.compile(function, type_).export(tmp_path / "m.so", link_blas=option)
    code = function.__code__
    number = code.co_firstlineno + (1 if function is square else 2)
    source = Path(__file__).read_text().splitlines()[number - 1].strip()
    assert str(refused.value) == (
        f"cannot export {function.__name__}: it needs {reason}\n  needed: {symbols}\n"
        f"  File {__file__!r}, line {number}, in {function.__name__}\n    {source}"
    )
    assert list(tmp_path.iterdir()) == []


def test_libraries_that_do_not_serve_are_errors(tmp_path, monkeypatch):
    callback = rb.compile(square, "f64([f64])")
    for given, error, text in [
        ("no_such_blas", link.LinkError, "cannot find -lno_such_blas"),
        ("/nowhere/libblas.so", FileNotFoundError, "there is no library '/nowhere/libblas.so' to link"),
        (tmp_path, FileNotFoundError, f"there is no library {str(tmp_path)!r} to link"),
        ("-Wl,-e,main", ValueError, "a library is named as the linker knows it, such as 'openblas', or by a path with a slash; "
         "found '-Wl,-e,main'"),
        ([], TypeError, "link_blas is True, the name of a library, its path, or a list of these; found list []"),
        (1, TypeError, "link_blas is True, the name of a library, its path, or a list of these; found int 1"),
        ("c", rb.ExportError, "cannot export square: c lacks ddot, "),
    ]:  # fmt: skip
        with pytest.raises(error) as refused:
            callback.export(tmp_path / "m.so", link_blas=given)
        assert text in str(refused.value)
    (tmp_path / "a b").mkdir()
    shutil.copy(SCIPY, tmp_path / "a b/libblas.so")
    with pytest.raises(ValueError, match="the path of a library to link has no blanks, colons, commas or"):
        callback.export(tmp_path / "m.so", link_blas=tmp_path / "a b/libblas.so")


def test_another_numba_is_refused(tmp_path, monkeypatch):
    callback = rb.compile(square, "f64([f64])")
    text = "this version of Numba calls its linear algebra (numba_xxdot) in a way that exports do not know: export without link_blas"
    declared = "declare i32 @numba_xxdot(i8, i8, i64, ptr, ptr, ptr, i64)\n"
    with pytest.raises(rb.ExportError) as refused:
        helpers_of_text(declared)
    assert str(refused.value) == text
    monkeypatch.setattr("numba.np.linalg.F_INT_nbtype", numba.types.int64)
    with pytest.raises(rb.ExportError) as refused:
        callback.export(tmp_path / "m.so", link_blas=True)
    assert str(refused.value) == text


def dynamic(library):
    """Needed libraries, and where they are looked for."""
    lines = run("readelf", "-d", library)
    needed = [line.split("[")[1][:-1] for line in lines if "(NEEDED)" in line]
    return needed, [line.split("[")[1][:-1] for line in lines if "(RUNPATH)" in line]


def test_a_library_says_what_it_needs(host, tmp_path):
    callback = rb.compile(square, "f64([f64])")
    made = callback.export(tmp_path / "m.so", link_blas=Path(SCIPY))
    needed, folders = dynamic(made.library)
    name, folder = Path(SCIPY).name, str(Path(SCIPY).parent)
    assert [n for n in needed if not n.startswith(("libc.", "libm."))] == [name]
    assert folders == [f"$ORIGIN:{folder}"]
    assert f"\nblas {name}\n".encode() in made.library.read_bytes()
    assert f"/// Linear algebra comes from `{name}`, which has to be where this is loaded." in made.rust.read_text()
    assert (
        f"/* Linear algebra comes from {name}: it has to be where the library is loaded. */" in made.header.read_text()
    )
    # A function that needs none does not get one.
    plain = rb.compile(lambda x: x + 1, "f64(f64)")
    made = rb.export({"plain": plain}, tmp_path / "p.so", link_blas=SCIPY)
    assert name not in dynamic(made.library)[0]
    assert b"\nblas " not in made.library.read_bytes()


def logp(x, grad, data):
    r = x - data.mean()
    grad[:] = -r
    return -0.5 * (r @ r)


def test_plain_products_need_no_library(host, tmp_path):
    callback = rb.compile(logp, "f64([f64], mut [f64], [f64])").bind(data=np.array([1.0, 2.0, 6.0]))
    made = callback.export(tmp_path / "m.so", link_blas=True)
    needed, folders = dynamic(made.library)
    assert all(name.startswith(("libc.", "libm.")) for name in needed)
    assert folders == []
    undefined = [line.split()[-1].split("@")[0] for line in run("nm", "-D", "-u", made.library)]
    assert not [n for n in undefined if n.startswith(("Py", "_Py", "numba", "NRT", "ringback"))]
    call = f"logp\tf64([f64], mut [f64])\t{bits([6.0, 7.0])}\t{bits([0.0, 0.0])}"
    assert run(host / "call", made.library, input=call)[0] == bits([-12.5, -3.0, -4.0])


def test_a_machine_without_the_library_is_a_typed_error(host, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "empty.s").write_text("    .globl scipy_ddot_\nscipy_ddot_: ret\n")
    shutil.copy(SCIPY, tmp_path / "there/libblas.so")
    name = Path(SCIPY).name
    made = rb.compile(square, "f64([f64])").export(tmp_path / "m.so", link_blas=tmp_path / "there/libblas.so")
    (tmp_path / "there/libblas.so").unlink()
    (found,) = run(host / "open", "m.so", cwd=tmp_path)
    assert found == (
        f"Blas: m.so cannot be loaded without the linear algebra of libblas.so: {name}: cannot open shared object file: No such "
        f"file or directory: install that, or put it beside the library"
    )
    # One that lacks a routine.
    run("cc", "-shared", "-nostdlib", f"-Wl,-soname,{name}", "empty.s", "-o", name, cwd=tmp_path)
    (found,) = run(host / "open", "m.so", cwd=tmp_path)
    assert found.startswith("Blas: m.so cannot be loaded without the linear algebra of libblas.so: ")
    assert "undefined symbol: scipy_" in found
    assert made.library.exists()


def test_the_program_links_it_beside_a_static_library(tmp_path):
    made = rb.compile(square, "f64([f64])").export(tmp_path / "libmodel.a", link_blas=[SCIPY, "m"])
    assert '/// println!("cargo::rustc-link-lib=' in made.rust.read_text()
    assert f"/* Linear algebra comes from {Path(SCIPY).name}, m: link it too. */" in made.header.read_text()
    (tmp_path / "main.c").write_text(
        """
        #include <stdio.h>
        #include <string.h>
        #include "model.h"
        int main(void) {
            const struct ringback_callback *f = ringback_library_v1_model.records[SQUARE_INDEX];
            square_entry *entry;
            double x[2] = {3, 4}, result;
            void *error = NULL;
            struct ringback_view1 view = {x, {2}, {8}};
            memcpy(&entry, &f->entry, sizeof entry);
            if (entry(&result, &error, &view, f->env)) return 1;
            printf("%g\\n", result);
            return 0;
        }
        """
    )
    folder = f"-Wl,-rpath,{Path(SCIPY).parent}"
    run("cc", "main.c", "libmodel.a", SCIPY, folder, "-lm", "-o", "main", cwd=tmp_path)
    assert run(tmp_path / "main") == ["-12.5"]
    rb.compile(square, "f64([f64])").export(tmp_path / "libmodel.a", link_blas=True)
    run("cc", "main.c", "libmodel.a", "-lm", "-o", "main", cwd=tmp_path)
    assert run(tmp_path / "main") == ["-12.5"]


def test_the_command_links(tmp_path, monkeypatch, capsys):
    (tmp_path / "model.py").write_text(
        "import ringback as rb\n\n@rb.cfunc('float64(float64[::1])')\ndef square(x):\n    return x @ x\n"
    )
    command = [sys.executable, "-m", "ringback", "export", "model:square", "-o", "m.so"]
    run(*command, "--link-blas", SCIPY, "--link-blas", "m", cwd=tmp_path)
    assert f"\nblas {Path(SCIPY).name} m\n".encode() in (tmp_path / "m.so").read_bytes()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main([*command[3:], "--link-blas"]) == 0
    assert b"\nblas builtin\n" in (tmp_path / "m.so").read_bytes()
    for options, text in [
        ([], "cannot export square: it needs BLAS (np.dot, @, norms)"),
        (["--link-blas", "m", "--link-blas"], "--link-blas names a library each time, or is given once without one"),
    ]:
        capsys.readouterr()
        assert main([*command[3:], *options]) == 1
        assert f"ringback export: {text}" in capsys.readouterr().err
