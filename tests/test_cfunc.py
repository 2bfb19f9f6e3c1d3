"""`rb.cfunc` is a drop-in for `numba.cfunc`: the same attributes, options and results, and checked calls besides."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
import scipy.integrate
from numba import carray, farray, types

both = pytest.mark.parametrize("cfunc", [rb.cfunc, numba.cfunc], ids=["ringback", "numba"])


def line(x, y):
    """A line, or nearly so."""
    return 2.0 * x + y


def test_address_ctypes_and_cffi() -> None:
    import cffi

    made = rb.cfunc("float64(float64, float64)")(line)
    assert isinstance(made.address, int)
    assert made.address == made.address > 0
    prototype = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double, ctypes.c_double)
    assert prototype(made.address)(3.0, 1.0) == 7.0
    assert made.ctypes(3.0, 1.0) == 7.0
    assert ctypes.cast(made.ctypes, ctypes.c_void_p).value == made.address
    pointer = cffi.FFI().cast("double (*)(double, double)", made.cffi)
    assert pointer(3.0, 1.0) == 7.0


def test_side_by_side_with_numba() -> None:
    ours = rb.cfunc("float64(float64, float64)")(line)
    theirs = numba.cfunc("float64(float64, float64)")(line)
    for name in ("address", "ctypes", "cffi", "native_name"):
        assert type(getattr(ours, name)).__name__ == type(getattr(theirs, name)).__name__, name
    assert ours.ctypes.argtypes == theirs.ctypes.argtypes
    assert ours.ctypes.restype == theirs.ctypes.restype
    for name in ("__name__", "__wrapped__"):
        assert getattr(ours, name) == getattr(theirs, name), name
    # The two that are left out are how the decorator itself drives the object.
    public = {name for name in dir(theirs) if not name.startswith("_")} - {"compile", "enable_caching"}
    assert public <= set(dir(ours))


@both
def test_native_name_and_llvm(cfunc: Any) -> None:
    made = cfunc("float64(float64, float64)")(line)
    assert made.native_name.startswith("cfunc.")
    assert made.native_name in made.inspect_llvm()
    assert "define double" in made.inspect_llvm()


def test_names_and_signature() -> None:
    made = rb.cfunc("float64(float64, float64)")(line)
    assert made.__name__ == "line"
    assert made.__doc__ == "A line, or nearly so."
    assert made.__wrapped__ is line
    assert made.signature == "f64(f64, f64)"
    assert repr(made) == "<ringback callback line: f64(f64, f64)>"
    assert isinstance(made, rb.CFunc)
    assert isinstance(made, rb.Callback)


@pytest.mark.parametrize(
    "signature", ["float64(float64, float64)", "f64(f64, f64)", types.float64(types.float64, types.float64)]
)
def test_spellings_of_the_signature(signature: Any) -> None:
    made = rb.cfunc(signature)(line)
    assert made.signature == "f64(f64, f64)"
    assert made(3.0, 1.0) == made.ctypes(3.0, 1.0) == 7.0


def test_calling_it_runs_the_compiled_code() -> None:
    def f(x):
        return x * x

    def g(x):
        if x < 0:
            raise ValueError("negative", x)
        return x**0.5

    made = rb.cfunc("float64(float64)")(f)
    f.__code__ = (lambda x: "interpreted").__code__
    assert made(3) == 9.0
    assert type(made(3)) is float
    root = rb.cfunc("float64(float64)")(g)
    assert root(9.0) == 3.0
    with pytest.raises(ValueError, match="negative") as caught:
        root(-4.0)
    assert caught.value.args == ("negative", -4.0)
    assert caught.traceback[-1].name == "g"


def test_calls_are_checked() -> None:
    made = rb.cfunc("float64(float64, float64)")(line)
    with pytest.raises(TypeError, match="takes 2 arguments, found 1"):
        made(1.0)
    with pytest.raises(TypeError, match="argument 2: f64 expected, found str 'x'"):
        made(1.0, "x")
    count = rb.cfunc("int32(int32)")(lambda n: n)
    with pytest.raises(TypeError, match=r"argument 1: i32 expected, found float 1.5"):
        count(1.5)
    with pytest.raises(OverflowError, match="argument 1: 2147483648 does not fit into i32"):
        count(2**31)
    assert count(-5) == -5


def test_calls_with_arrays() -> None:
    made = rb.cfunc("f64([f64], mut [f64])")(_twice)
    out = np.zeros(3)
    assert made(np.array([1.0, 2.0, 3.0]), out) == 3.0
    assert out.tolist() == [2.0, 4.0, 6.0]
    frozen = np.zeros(3)
    frozen.flags.writeable = False
    for x, why in [
        (np.zeros(3, np.float32), "found an array of float32"),
        (np.zeros((3, 1)), "found an array of 2 dimensions"),
        (np.zeros(6)[::2], "found an array of another layout: use np.ascontiguousarray"),
        ([1.0, 2.0], "found list"),
    ]:
        with pytest.raises(TypeError, match=r"argument 1: .* expected, ") as caught:
            made(x, out)
        assert why in str(caught.value)
    with pytest.raises(TypeError, match="found a read-only array"):
        made(np.zeros(3), frozen)
    with pytest.raises(IndexError):
        made(np.zeros(3), np.zeros(1))


def _twice(x, out):
    for i in range(len(x)):
        out[i] = 2.0 * x[i]
    return float(len(x))


@both
def test_the_options_that_numba_knows(cfunc: Any) -> None:
    made = cfunc("float64(float64)", nopython=True, locals={"y": types.float32}, error_model="numpy", fastmath=True)(
        _third
    )
    assert made.ctypes(1.0) == float(np.float32(1.0) / np.float32(3.0)) or made.ctypes(1.0) == float(np.float32(1 / 3))
    plain = cfunc("float64(float64)")(_third)
    assert plain.ctypes(1.0) == 1.0 / 3.0


def _third(x):
    y = x / 3.0
    return y


def test_locals_hold_in_calls_too() -> None:
    made = rb.cfunc("float64(float64)", locals={"y": types.float32})(_third)
    assert made(1.0) == made.ctypes(1.0) == float(np.float32(1 / 3))
    assert rb.cfunc("float64(float64)", {"y": types.float32})(_third)(1.0) == made(1.0)


def test_error_model() -> None:
    def f(x):
        return 1.0 / x

    assert rb.cfunc("float64(float64)", error_model="numpy")(f)(0.0) == np.inf
    with pytest.raises(ZeroDivisionError):
        rb.cfunc("float64(float64)")(f)(0.0)
    with pytest.raises(TypeError, match="error_model is 'python' or 'numpy', found 'c'"):
        rb.cfunc("float64(float64)", error_model="c")


def test_boundscheck() -> None:
    def f(x):
        return x[3]

    with pytest.raises(IndexError):
        rb.cfunc("f64([f64])")(f)(np.zeros(3))
    assert rb.cfunc("f64([f64])", boundscheck=False)(f)(np.arange(4.0)[:3]) == 3.0


@pytest.mark.parametrize("options", [{"forceobj": True}, {"nopython": False}])
def test_object_mode_is_refused(options: dict[str, bool]) -> None:
    with pytest.raises(TypeError, match="object mode runs in the interpreter"):
        rb.cfunc("float64(float64)", **options)(line)


@both
def test_what_needs_object_mode_is_refused(cfunc: Any) -> None:
    def f(x):
        return float(str(object()).count("o")) + x

    expected = rb.CompileError if cfunc is rb.cfunc else numba.core.errors.TypingError
    with pytest.raises(expected):
        cfunc("float64(float64)")(f)


def test_unknown_options() -> None:
    with pytest.raises(TypeError, match=r"unknown option 'fast_math': known are .*fastmath"):
        rb.cfunc("float64(float64)", fast_math=True)
    with pytest.raises(TypeError, match="expected a signature"):
        rb.cfunc(line)


@both
def test_a_jitted_function_may_be_passed(cfunc: Any) -> None:
    @numba.njit
    def helper(x):
        return x + 1.0

    def f(x):
        return helper(x) * 2.0

    assert cfunc("float64(float64)")(f).ctypes(1.0) == 4.0
    if cfunc is rb.cfunc:
        made = cfunc("float64(float64)")(helper)
        assert made(1.0) == made.ctypes(1.0) == 2.0
        assert made.__name__ == "helper"
        assert made.__wrapped__ is helper.py_func


@both
def test_a_callback_may_be_called_from_jitted_code(cfunc: Any) -> None:
    # What Numba users do: pass the address or the ctypes function on to compiled code.
    made = cfunc("float64(float64)")(_third)
    called = made.ctypes

    @numba.njit
    def g(x):
        return called(x) + 1.0

    assert g(3.0) == 2.0


def _sums(p, out, m, n):
    a = carray(p, (m, n))
    b = carray(out, (m,))
    for i in range(m):
        b[i] = a[i].sum()


def _sums_f(p, out, m, n):
    a = farray(p, (m, n))
    b = carray(out, m)
    for i in range(m):
        b[i] = a[i].sum()


@both
@pytest.mark.parametrize(("function", "order"), [(_sums, "C"), (_sums_f, "F")])
def test_raw_pointers(cfunc: Any, function: Any, order: str) -> None:
    signature = types.void(types.CPointer(types.double), types.CPointer(types.double), types.intc, types.intc)
    made = cfunc(signature)(function)
    a = np.asarray(np.arange(6.0).reshape(2, 3), order=order)
    out = np.zeros(2)
    pointer = ctypes.POINTER(ctypes.c_double)
    made.ctypes(a.ctypes.data_as(pointer), out.ctypes.data_as(pointer), 2, 3)
    assert out.tolist() == [3.0, 12.0]
    if cfunc is rb.cfunc:
        assert made.signature == "void(*f64, *f64, i32, i32)"
        out[:] = 0.0
        made(a.ctypes.data_as(pointer), out, 2, 3)
        assert out.tolist() == [3.0, 12.0]
        with pytest.raises(TypeError, match="found int"):
            made(a.ctypes.data, out, 2, 3)
        with pytest.raises(TypeError, match="found an array of float32"):
            made(a.astype(np.float32), out, 2, 3)


@both
def test_void_pointers(cfunc: Any) -> None:
    def f(n, data):
        return carray(data, (3,), np.float64)[n]

    made = cfunc("float64(intc, voidptr)")(f)
    a = np.array([5.0, 6.0, 7.0])
    assert made.ctypes(2, a.ctypes.data) == 7.0
    if cfunc is rb.cfunc:
        assert made(1, a) == 6.0


def test_low_level_callable() -> None:
    made = rb.cfunc("float64(float64)")(lambda t: np.exp(-t) / t**2)
    expected = scipy.integrate.quad(numba.cfunc("float64(float64)")(lambda t: np.exp(-t) / t**2).ctypes, 1, np.inf)
    assert scipy.integrate.quad(made.low_level_callable(), 1, np.inf) == expected
    assert scipy.integrate.quad(made.ctypes, 1, np.inf) == expected
    many = rb.cfunc("float64(intc, CPointer(float64))")(lambda n, x: x[0] * x[1])
    assert scipy.integrate.quad(many.low_level_callable(), 0, 2, args=(3.0,))[0] == pytest.approx(6.0)


def test_captured_values_are_those_of_decoration() -> None:
    k = 2.0

    def f(x):
        return k * x

    made = rb.cfunc("float64(float64)")(f)
    k = 3.0
    assert made(1.0) == 2.0
    assert made.ctypes(1.0) == 2.0


LEVEL = 2.0


def test_globals_are_those_of_decoration(monkeypatch: pytest.MonkeyPatch) -> None:
    made = rb.cfunc("float64(float64)")(lambda x: LEVEL * x)
    monkeypatch.setitem(globals(), "LEVEL", 3.0)
    assert made(1.0) == 2.0
    assert made.ctypes(1.0) == 2.0


def test_captured_arrays() -> None:
    data = np.arange(3.0)
    made = rb.cfunc("float64(intp)")(lambda i: data[i])
    assert made(2) == 2.0
    data[2] = 9.0
    assert made(2) == 9.0


def test_passed_to_rust() -> None:
    assert rt.sum_over_threads(rb.cfunc("float64(float64)")(lambda x: 2.0 * x), 5, 2) == 20.0
    with pytest.raises(TypeError, match=r"expected a callback f64\(f64\), found f64\(f64, f64\)"):
        rt.sum_over_threads(rb.cfunc("float64(float64, float64)")(line), 5, 2)


PROGRAM = """
import sys
sys.path.insert(0, {folder!r})
from cached import f
print(f(3.0), f.ctypes(3.0), f._plain.cache_hits)
"""


def test_cache(tmp_path: Path) -> None:
    (tmp_path / "cached.py").write_text(
        "import ringback as rb\n\n@rb.cfunc('float64(float64)', cache=True)\ndef f(x):\n    return x + 1.0\n"
    )
    hits = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(folder=str(tmp_path))], capture_output=True, text=True, timeout=120
        )
        assert (done.returncode, done.stderr) == (0, "")
        value, plain, hit = done.stdout.split()
        assert (value, plain) == ("4.0", "4.0")
        hits.append(int(hit))
    assert hits == [0, 1]
    assert list(tmp_path.rglob("*.nbi"))


def test_a_decorator_without_a_signature():
    def f(x):
        return x

    with pytest.raises(TypeError) as error:
        rb.cfunc(f)
    assert str(error.value) == "expected a signature, found a function: write @rb.cfunc('f64(f64)') above f"
