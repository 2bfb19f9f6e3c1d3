"""Who makes callbacks, who takes them, and for which signatures: each cell is run. The table stands in docs/interchange.md.

After a change that is meant, run this with RINGBACK_WRITE_TABLES=1 set, and read the difference.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cffi
import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
import scipy.integrate
import scipy.ndimage
from foreign_library import COMPILER, as_capsule, as_ctypes, build
from numba.core.errors import TypingError
from ringback.integrate import quad
from scipy import LowLevelCallable
from test_c_example import HEADERS, ROOT, load

pytestmark = pytest.mark.skipif(
    COMPILER is None or not HEADERS.exists(), reason="needs a C compiler and Python's headers"
)

PAGE = ROOT / "docs" / "interchange.md"
MARKS = "<!-- {} -->\n", "<!-- /{} -->"

ONE, TWO, WHOLE = "f64(f64)", "f64(f64, f64)", "i64(i64)"
ARRAY, GRADIENT, MAP = "f64([f64])", "f64([f64], mut [f64])", "void([f64], mut [f64])"
SIGNATURES = [ONE, TWO, WHOLE, ARRAY, GRADIENT, MAP]
NUMBERS = [1.5, 4.0]


def one(x):
    return 2.0 * x


def two(x, y):
    return x - y


def whole(n):
    return n + 1


def array(x):
    return x.sum()


def gradient(x, grad):
    grad[:] = -x
    return -0.5 * (x * x).sum()


def mapped(x, y):
    y[:] = 2.0 * x


FUNCTIONS: dict[str, Callable[..., Any]] = {
    ONE: one, TWO: two, WHOLE: whole, ARRAY: array, GRADIENT: gradient, MAP: mapped,
}  # fmt: skip
EXPECTED = {ONE: [3.0], TWO: [-2.5], WHOLE: [2.0], ARRAY: [5.5], GRADIENT: [-9.125, -1.5, -4.0], MAP: [3.0, 8.0]}
# With bound data behind the others: the same results.
BOUND: dict[str, Callable[..., Any]] = {
    ONE: lambda x, data: data[0] * x,
    TWO: lambda x, y, data: x - y + (data[0] - 2.0),
    WHOLE: lambda n, data: n + int(data[0]) - 1,
    ARRAY: lambda x, data: x.sum() + (data[0] - 2.0),
    GRADIENT: FUNCTIONS[GRADIENT],
    MAP: FUNCTIONS[MAP],
}


def bound_gradient(x, grad, data):
    grad[:] = -x
    return -(x * x).sum() / data[0]


def bound_map(x, y, data):
    y[:] = data[0] * x


BOUND[GRADIENT], BOUND[MAP] = bound_gradient, bound_map
NUMBA_TYPES = {ONE: "float64(float64)", TWO: "float64(float64, float64)", WHOLE: "int64(int64)"}
C_TYPES = {
    ONE: ("twice", "double (double)"),
    TWO: ("both", "double (double, double)"),
    WHOLE: ("next", "int64_t (int64_t)"),
    ARRAY: ("sum", "double (const double *, size_t)"),
    GRADIENT: ("density", "double (const double *, size_t, double *, size_t)"),
    MAP: ("doubled", "void (const double *, size_t, double *, size_t)"),
}


class Makers:
    """A callback of each kind for a signature, or None where that kind has no such."""

    def __init__(self, path: Path, c: Any) -> None:
        self.path = path
        self.c = c
        self.data = np.array([2.0])

    def plain_function(self, signature: str) -> Any:
        return FUNCTIONS[signature]

    def functools_partial(self, signature: str) -> Any:
        return functools.partial(BOUND[signature], data=self.data)

    def rb_bind(self, signature: str) -> Any:
        return rb.bind(BOUND[signature], data=self.data)

    def rb_compile(self, signature: str) -> Any:
        return rb.compile(FUNCTIONS[signature], signature)

    def rb_cfunc(self, signature: str) -> Any:
        return rb.cfunc(signature)(FUNCTIONS[signature])

    def rb_interpreted(self, signature: str) -> Any:
        return rb.interpreted(FUNCTIONS[signature])

    def numba_njit(self, signature: str) -> Any:
        return numba.njit(FUNCTIONS[signature])

    def numba_cfunc(self, signature: str) -> Any:
        return signature in NUMBA_TYPES and numba.cfunc(NUMBA_TYPES[signature])(FUNCTIONS[signature])

    def rust_closure(self, signature: str) -> Any:
        return {ONE: lambda: rt.offer_scaled(2.0), GRADIENT: rt.offer_normal}.get(signature, lambda: None)()

    def c_record(self, signature: str) -> Any:
        if signature == ONE:
            return self.c.polynomial([0.0, 2.0], -100.0, 100.0)
        return self.c.normal([0.0, 0.0]) if signature == GRADIENT else None

    def capsule_with_a_record(self, signature: str) -> Any:
        return rb.compile(FUNCTIONS[signature], signature).__ringback_callback__()

    def ctypes(self, signature: str) -> Any:
        import ctypes

        double, pointer, size = ctypes.c_double, ctypes.POINTER(ctypes.c_double), ctypes.c_size_t
        types = {
            ONE: (double, double), TWO: (double, double, double), WHOLE: (ctypes.c_int64, ctypes.c_int64),
            ARRAY: (double, pointer, size), GRADIENT: (double, pointer, size, pointer, size),
            MAP: (None, pointer, size, pointer, size),
        }  # fmt: skip
        return as_ctypes(self.path, C_TYPES[signature][0], *types[signature])

    def cffi(self, signature: str) -> Any:
        ffi = cffi.FFI()
        name, text = C_TYPES[signature]
        ffi.cdef(text.replace(" (", f" {name}(", 1) + ";")
        return getattr(ffi.dlopen(str(self.path)), name)

    def cython_capsule(self, signature: str) -> Any:
        return as_capsule(self.path, *C_TYPES[signature])

    def low_level_callable(self, signature: str) -> Any:
        if signature == ONE:
            return LowLevelCallable(as_capsule(self.path, "twice", "double (double)"))
        if signature in (TWO, ARRAY):
            return LowLevelCallable(as_capsule(self.path, "folded", "double (int, double *)"))
        return None


PRODUCERS = {
    "plain function": Makers.plain_function, "`functools.partial`": Makers.functools_partial, "`rb.bind`": Makers.rb_bind,
    "`rb.compile`": Makers.rb_compile, "`rb.cfunc`": Makers.rb_cfunc, "`rb.interpreted`": Makers.rb_interpreted,
    "`numba.njit`": Makers.numba_njit, "`numba.cfunc`": Makers.numba_cfunc, "closure in Rust": Makers.rust_closure,
    "record made in C": Makers.c_record, "capsule with a record": Makers.capsule_with_a_record,
    "ctypes function": Makers.ctypes, "cffi function": Makers.cffi, "Cython's capsule": Makers.cython_capsule,
    "`LowLevelCallable`": Makers.low_level_callable,
}  # fmt: skip
# Those that are of one type before anybody asks.
TYPED = [
    "`rb.compile`", "`rb.cfunc`", "`numba.cfunc`", "closure in Rust", "record made in C", "capsule with a record",
    "ctypes function", "cffi function", "Cython's capsule",
]  # fmt: skip


class Takers:
    """The same call by each consumer: the result, then what was written; None where a consumer has no such signature."""

    def __init__(self, c: Any) -> None:
        self.c = c

    def ringback_quad(self, signature: str, callback: Any) -> list[float] | None:
        # ∫ 2x dx from 1 to 2.
        return [quad(callback, 1.0, 2.0).value] if signature == ONE else None

    def rust(self, signature: str, callback: Any) -> list[float] | None:
        return rt.apply(signature, callback, NUMBERS)

    def c(self, signature: str, callback: Any) -> list[float] | None:
        return [self.c.weighted_sum(callback, NUMBERS, [1.0])] if signature == ARRAY else None

    def scipy_quad(self, signature: str, callback: Any) -> list[float] | None:
        if signature not in (ONE, TWO):
            return None
        made = rb.low_level_callable(rb._callback_for(callback, signature), POINTS[signature])
        # ∫ 2x dx from 1 to 2; ∫ (x - 4) dx from 1 to 2.
        return [scipy.integrate.quad(made, 1.0, 2.0, () if signature == ONE else (4.0,))[0]]

    def generic_filter(self, signature: str, callback: Any) -> list[float] | None:
        if signature != ARRAY:
            return None
        made = rb.low_level_callable(rb._callback_for(callback, signature), FILTER)
        return [scipy.ndimage.generic_filter(np.array(NUMBERS), made, footprint=[1, 1], origin=0)[1]]

    def ctypes(self, signature: str, callback: Any) -> list[float] | None:
        import ctypes

        pointer = ctypes.POINTER(ctypes.c_double)
        return self._plain(
            signature,
            getattr(rb._callback_for(callback, signature), "ctypes", None),
            lambda a: a.ctypes.data_as(pointer),
        )

    def cffi(self, signature: str, callback: Any) -> list[float] | None:
        ffi = cffi.FFI()
        function = getattr(rb._callback_for(callback, signature), "cffi", None)
        return self._plain(signature, function, lambda a: ffi.from_buffer("double[]", a))

    def _plain(self, signature: str, function: Any, pointer: Callable[[np.ndarray], Any]) -> list[float] | None:
        if function is None:
            return None
        x, out = np.array(NUMBERS), np.zeros(2)
        if signature in (ONE, TWO):
            return [function(*NUMBERS[: 1 if signature == ONE else 2])]
        if signature == WHOLE:
            return [function(1)]
        if signature == ARRAY:
            return [function(pointer(x), 2)]
        result = function(pointer(x), 2, pointer(out), 2)
        return [*([] if signature == MAP else [result]), *out]

    def numba(self, signature: str, callback: Any) -> list[float] | None:
        callback = rb._callback_for(callback, signature)
        if not isinstance(callback, rb.Callback):
            return None
        x, out = np.array(NUMBERS), np.zeros(2)
        if signature in (GRADIENT, MAP):
            result = CALL_TWO(callback, x, out)
            return [*([] if signature == MAP else [result]), *out]
        if signature == TWO:
            return [CALL_TWO(callback, *NUMBERS)]
        return [CALL_ONE(callback, {ONE: NUMBERS[0], WHOLE: 1, ARRAY: x}[signature])]


POINTS = {ONE: "double (double, void *)", TWO: "double (int, double *, void *)"}
FILTER = "int (double *, npy_intp, double *, void *)"


@numba.njit
def CALL_ONE(f, x):
    return f(x)


@numba.njit
def CALL_TWO(f, x, y):
    return f(x, y)


CONSUMERS = {
    "`ringback` `quad`": Takers.ringback_quad, "Rust": Takers.rust, "C": Takers.c, "SciPy's `quad`": Takers.scipy_quad,
    "`generic_filter`": Takers.generic_filter, "`.ctypes`": Takers.ctypes, "`.cffi`": Takers.cffi,
    "`numba.njit`": Takers.numba,
}  # fmt: skip
# Where a consumer calls more than once: what comes out then.
OTHERWISE = {("`ringback` `quad`", ONE): [3.0], ("SciPy's `quad`", ONE): [3.0], ("SciPy's `quad`", TWO): [-2.5]}


@pytest.fixture(scope="module")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Makers:
    folder = tmp_path_factory.mktemp("interchange")
    names = load("example_c_build", ROOT / "examples" / "c" / "build.py").build(folder)
    assert "example_c" in names
    return Makers(build(folder), load("example_c", folder / "example_c.abi3.so"))


def cell(makers: Makers, producer: str, consumer: str) -> str:
    """The signatures with which the one takes the other's callback, all of them run."""
    taken, refused = [], []
    takers = Takers(makers.c)
    for signature in SIGNATURES:
        made = PRODUCERS[producer](makers, signature)
        if made is None or made is False:
            continue
        try:
            result = CONSUMERS[consumer](takers, signature, made)
        except (TypeError, TypingError):
            refused.append(signature)
            continue
        if result is not None:
            expected = OTHERWISE.get((consumer, signature), EXPECTED[signature])
            if producer == "`LowLevelCallable`" and signature != ONE:
                expected = FOLDED.get((consumer, signature), FOLDED[signature])
            assert result == pytest.approx(expected, rel=1e-13), (producer, consumer, signature)
            taken.append(signature)
    letters = "".join(LETTERS[s] for s in taken) or "-"
    return letters + (f" (refused: {''.join(LETTERS[s] for s in refused)})" if refused else "")


# x[0] + 10 x[1] + …, of which the numbers can be told.
FOLDED: dict[Any, list[float]] = {TWO: [41.5], ARRAY: [41.5], ("SciPy's `quad`", TWO): [41.5]}
LETTERS = {ONE: "a", TWO: "b", WHOLE: "c", ARRAY: "d", GRADIENT: "e", MAP: "f"}


def test_every_producer_with_every_consumer(makers: Makers) -> None:
    lines = [f"| | {' | '.join(CONSUMERS)} |", "|---|" + "---|" * len(CONSUMERS)]
    lines += [f"| {p} | {' | '.join(cell(makers, p, c) for c in CONSUMERS)} |" for p in PRODUCERS]
    legend = ", ".join(f"**{letter}** `{signature}`" for signature, letter in LETTERS.items())
    compare("matrix", f"Signatures: {legend}.\n\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("producer", TYPED)
def test_what_has_a_type_fits_no_other(makers: Makers, producer: str) -> None:
    count = 0
    for own in SIGNATURES:
        for asked in SIGNATURES:
            made = PRODUCERS[producer](makers, own)
            if made is None or made is False or own == asked:
                continue
            with pytest.raises(TypeError) as refused:
                rt.apply(asked, made, NUMBERS)
            assert asked in str(refused.value)
            count += 1
    assert count >= 5


def test_functions_of_a_module_that_cffi_compiled(tmp_path: Path) -> None:
    """They are built-in functions for Python, and C functions all the same."""
    ffi = cffi.FFI()
    ffi.cdef("double triple(double);")
    ffi.set_source("_ringback_triple", "double triple(double x) { return 3.0 * x; }")
    source = tmp_path / "triple.c"
    ffi.emit_c_code(str(source))
    library = tmp_path / f"_ringback_triple{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = sysconfig.get_path("include")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", f"-I{include}", "-o", str(library), str(source)], check=True)
    module = load("_ringback_triple", library)
    assert quad(module.lib.triple, 0, 2).value == pytest.approx(6.0)
    assert quad(module.ffi.addressof(module.lib, "triple"), 0, 2).value == pytest.approx(6.0)
    with pytest.raises(TypeError, match=r"found the C function 'double \(double\)': it returns double where i64"):
        rt.apply(WHOLE, module.lib.triple, NUMBERS)
    with pytest.raises(TypeError, match="found builtin_function_or_method <built-in method typeof of"):
        quad(module.ffi.typeof, 0, 1)


def compare(name: str, text: str) -> None:
    """Holds the page against what was found just now."""
    start, end = (mark.format(name) for mark in MARKS)
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(re.escape(start) + "(.*?)" + re.escape(end), page, re.DOTALL)
    assert found is not None
    if os.environ.get("RINGBACK_WRITE_TABLES"):
        PAGE.write_text(page[: found.start(1)] + text + page[found.end(1) :], encoding="utf-8")
    else:
        assert found[1] == text
