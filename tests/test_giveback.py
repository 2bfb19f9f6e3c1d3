"""Callbacks given to those who take C functions: SciPy, ctypes, cffi."""

from __future__ import annotations

import ctypes
import gc
import math
import sys
import threading
import time
import weakref
from typing import Any

import numba
import numpy as np
import pytest
import ringback as rb
import ringback_testing as rt
import scipy.integrate
import scipy.ndimage
from scipy import LowLevelCallable

QUAD = ["double (double)", "double (double, void *)"]


def decay(t):
    return np.exp(-t) / t**2


def raises(t):
    if t > 0.5:
        raise ValueError("too large", t)
    return t


def moment(t, data):
    return t * data.sum()


def spread(a):
    return a.max() - a.min()


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(5).random((12, 17))


@pytest.mark.parametrize("signature", [None, *QUAD, "double(double,void*)", "double (int, double *, void *)"])
def test_quad(signature: str | None) -> None:
    expected = scipy.integrate.quad(numba.cfunc("float64(float64)")(decay).ctypes, 1, np.inf)
    made = rb.compile(decay, "f64(f64)").low_level_callable(signature)
    assert isinstance(made, LowLevelCallable)
    assert scipy.integrate.quad(made, 1, np.inf) == expected
    # QUADPACK's result, as SciPy has it for the Python function.
    assert scipy.integrate.quad(decay, 1, np.inf)[0] == pytest.approx(expected[0], rel=1e-14)


@pytest.mark.parametrize("signature", [None, *QUAD])
def test_quad_with_bound_data(signature: str | None) -> None:
    declared = rb.compile(moment, "f64(f64, [f64])")
    for k in range(1, 4):
        made = declared.bind(data=np.full(10, float(k))).low_level_callable(signature)
        gc.collect()
        assert scipy.integrate.quad(made, 0, 1)[0] == pytest.approx(5.0 * k, rel=1e-14)


def test_bound_arrays_are_bound_by_reference() -> None:
    data = np.ones(3)
    made = rb.compile(moment, "f64(f64, [f64])").bind(data=data).low_level_callable()
    data[:] = 4.0
    assert scipy.integrate.quad(made, 0, 1)[0] == pytest.approx(6.0)


def test_other_data_need_no_other_code(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = rb.compile(moment, "f64(f64, [f64])")
    first = declared.bind(data=np.ones(2)).low_level_callable()
    monkeypatch.setattr(numba, "njit", None)
    monkeypatch.setattr("ringback.adapters.cfunc", None)
    second = declared.bind(data=np.ones(4)).low_level_callable()
    assert scipy.integrate.quad(first, 0, 1)[0] == pytest.approx(1.0)
    assert scipy.integrate.quad(second, 0, 1)[0] == pytest.approx(2.0)
    assert second.function is first.function


@pytest.mark.parametrize("signature", QUAD)
def test_the_low_level_callable_keeps_code_and_data_alive(signature: str) -> None:
    data = np.full(300_000, 2.0)
    alive = weakref.ref(data)
    callback = rb.compile(moment, "f64(f64, [f64])").bind(data=data)
    made = callback.low_level_callable(signature)
    del callback, data
    gc.collect()
    assert alive() is not None
    assert scipy.integrate.quad(made, 0, 1)[0] == pytest.approx(300_000.0)
    del made
    gc.collect()
    rb.compile(decay, "f64(f64)").low_level_callable()
    assert alive() is None


def test_nquad() -> None:
    def f(x, y, z):
        return x * y + z**2

    box = [[0, 1], [0, 2], [1, 3]]
    # The integral of x y over the first two sides is 1, times 2; that of z² is 26/3, times 2.
    exact = 2.0 + 52.0 / 3.0
    made = rb.compile(f, "f64(f64, f64, f64)").low_level_callable()
    assert made.signature == "double (int, double *, void *)"
    assert scipy.integrate.nquad(made, box)[0] == pytest.approx(exact, rel=1e-13)
    without = rb.compile(f, "f64(f64, f64, f64)").low_level_callable("double (int, double *)")
    assert scipy.integrate.nquad(without, box)[0] == pytest.approx(exact, rel=1e-13)
    as_array = rb.compile(lambda x: x[0] * x[1] + x[2] ** 2, "f64([f64])")
    for text in ("double (int, double *)", "double (int, double *, void *)"):
        assert scipy.integrate.nquad(as_array.low_level_callable(text), box)[0] == pytest.approx(exact, rel=1e-13)
    two = rb.compile(lambda x, k: k * x, "f64(f64, f64)").low_level_callable()
    assert scipy.integrate.quad(two, 0, 2, args=(3.0,))[0] == pytest.approx(6.0)


@pytest.mark.parametrize("intp", ["npy_intp", "intptr_t", "long", None])
def test_generic_filter(image: np.ndarray, intp: str | None) -> None:
    text = intp and f"int (double *, {intp}, double *, void *)"
    made = rb.compile(spread, "f64([f64])").low_level_callable(text)
    expected = scipy.ndimage.generic_filter(image, spread, size=(3, 5))
    assert (scipy.ndimage.generic_filter(image, made, size=(3, 5)) == expected).all()


def test_generic_filter_with_bound_data(image: np.ndarray) -> None:
    weights = np.arange(9.0)
    made = rb.bind(rb.compile(lambda a, w: (a * w).sum(), "f64([f64], [f64])"), w=weights).low_level_callable()
    expected = scipy.ndimage.correlate(image, weights.reshape(3, 3))
    assert scipy.ndimage.generic_filter(image, made, size=3) == pytest.approx(expected, rel=1e-13)


def test_generic_filter1d(image: np.ndarray) -> None:
    def running(line, out):
        for i in range(len(out)):
            out[i] = line[i : i + 3].sum()

    made = rb.compile(running, "void([f64], mut [f64])").low_level_callable()
    expected = scipy.ndimage.generic_filter1d(image, running, 3)
    assert (scipy.ndimage.generic_filter1d(image, made, 3) == expected).all()


def test_geometric_transform(image: np.ndarray) -> None:
    def shift(out, source):
        for i in range(len(out)):
            source[i] = out[i] - 0.5

    made = rb.compile(shift, "void([i64], mut [f64])").low_level_callable()
    expected = scipy.ndimage.geometric_transform(image, lambda o: tuple(c - 0.5 for c in o))
    assert scipy.ndimage.geometric_transform(image, made) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("signature", QUAD)
def test_an_exception_stops_quad(signature: str) -> None:
    made = rb.compile(raises, "f64(f64)").low_level_callable(signature)
    # `quad` does not look for exceptions, so Python itself complains when it returns.
    with pytest.raises(SystemError, match="returned a result with an exception set") as caught:
        scipy.integrate.quad(made, 0, 1)
    cause = caught.value.__cause__
    assert type(cause) is ValueError
    assert cause.args[0] == "too large"
    assert 0.5 < cause.args[1] < 1.0
    assert cause.__traceback__.tb_frame.f_code.co_name == "raises"
    assert scipy.integrate.quad(made, 0, 0.5)[0] == pytest.approx(0.125)


def test_an_exception_is_raised_by_ndimage_as_itself(image: np.ndarray) -> None:
    def bad(a):
        if a[4] > 0.9:
            raise KeyError("pixel")
        return a[4]

    def lines(line, out):
        raise ArithmeticError("lines")

    def shift(out, source):
        if out[0] == 3:
            source[out[1] + 100] = 1.0

    with pytest.raises(KeyError, match="pixel"):
        scipy.ndimage.generic_filter(image, rb.compile(bad, "f64([f64])").low_level_callable(), size=3)
    with pytest.raises(ArithmeticError, match="lines"):
        scipy.ndimage.generic_filter1d(image, rb.compile(lines, "void([f64], mut [f64])").low_level_callable(), 3)
    with pytest.raises(IndexError):
        scipy.ndimage.geometric_transform(image, rb.compile(shift, "void([i64], mut [f64])").low_level_callable())


def test_the_number_of_coordinates_is_checked() -> None:
    made = rb.compile(lambda x, y: x + y, "f64(f64, f64)").low_level_callable()
    with pytest.raises(SystemError) as caught:
        scipy.integrate.quad(made, 0, 1)
    assert repr(caught.value.__cause__) == repr(
        TypeError("<ringback callback <lambda>: f64(f64, f64)> takes 2 numbers, found 1")
    )


def test_parts_without_their_user_data_do_not_crash() -> None:
    parts = rb.compile(decay, "f64(f64)").low_level_callable()
    with pytest.raises(SystemError) as caught:
        scipy.integrate.quad(LowLevelCallable(parts.function), 0, 1)
    assert str(caught.value.__cause__) == (
        "a C function made by low_level_callable was called without its user data: pass the LowLevelCallable itself, "
        "not its parts"
    )
    # The user data are no callback record, which a consumer would move out.
    with pytest.raises(TypeError):
        rt.sum_over_threads(parts.user_data, 3, 1)


def test_callbacks_of_all_kinds() -> None:
    for callback in [
        rb.interpreted(lambda x: 3.0 * x, "f64(f64)"),
        rt.offer_scaled(3.0),
        rb.cfunc("float64(float64)")(lambda x: 3.0 * x),
    ]:
        for text in [None, *QUAD]:
            assert scipy.integrate.quad(rb.low_level_callable(callback, text), 0, 2)[0] == pytest.approx(6.0)
    k = 3.0
    for function in [lambda x: k * x, rb.bind(lambda x, k: k * x, k=3.0), numba.njit(lambda x: k * x)]:
        for text in QUAD:
            assert scipy.integrate.quad(rb.low_level_callable(function, text), 0, 2)[0] == pytest.approx(6.0)
    bound = rb.bind(lambda a, k: k * a.max(), k=2.0).low_level_callable("int (double *, npy_intp, double *, void *)")
    assert scipy.ndimage.generic_filter(np.eye(3), bound, size=3)[0, 0] == 2.0


def test_exceptions_of_callbacks_that_numba_did_not_compile() -> None:
    def f(x):
        raise LookupError("interpreted", x)

    for callback, kind, text in [
        (rb.interpreted(f, "f64(f64)"), LookupError, "interpreted"),
        (rt.offer_scaled(1.0), ValueError, "negative"),
    ]:
        with pytest.raises(SystemError) as caught:
            scipy.integrate.quad(rb.low_level_callable(callback), -2, -1)
        assert type(caught.value.__cause__) is kind
        assert text in str(caught.value.__cause__)


def test_nothing_is_called_while_an_exception_is_current() -> None:
    calls = []

    def f(x):
        calls.append(x)
        raise LookupError("interpreted", x)

    callback = rb.interpreted(f, "f64(f64)")
    made = rb.low_level_callable(callback)
    for count in (1, 2):
        # QUADPACK asks for 21 values whatever the first ones are.
        with pytest.raises(SystemError):
            scipy.integrate.quad(made, 0, 1)
        assert len(calls) == count
    with pytest.raises(LookupError):
        callback.ctypes(1.0)
    with pytest.raises(LookupError):
        callback.ctypes(2.0)
    assert calls[2:] == [1.0, 2.0]


def test_refusals() -> None:
    scalar, array = rb.compile(decay, "f64(f64)"), rb.compile(spread, "f64([f64])")
    for make, text in [
        (
            lambda: scalar.low_level_callable("float (float)"),
            "'float (float)' is no C signature that SciPy asks for; known are 'double (double)', 'double (double, void *)', "
            "'double (int, double *)', 'double (int, double *, void *)', 'int (double *, npy_intp, double *, void *)', "
            "'int (double *, npy_intp, double *, npy_intp, void *)', 'int (npy_intp *, double *, int, int, void *)'",
        ),
        (
            lambda: array.low_level_callable("double (double)"),
            "<ringback callback spread: f64([f64])> cannot be called as 'double (double)', which needs a callback f64(f64)",
        ),
        (
            lambda: scalar.low_level_callable("int (double *, intptr_t, double *, void *)"),
            "<ringback callback decay: f64(f64)> cannot be called as 'int (double *, intptr_t, double *, void *)', which "
            "needs a callback f64([f64])",
        ),
        (
            lambda: rb.compile(lambda x: x, "f32(f32)").low_level_callable(),
            "<ringback callback <lambda>: f32(f32)> has no signature that SciPy knows how to call. It calls f64(f64) as "
            "'double (double, void *)'; f64(f64, f64, …) or f64([f64]) as 'double (int, double *, void *)'; f64([f64]) as "
            "'int (double *, npy_intp, double *, void *)'; void([f64], mut [f64]) as 'int (double *, npy_intp, double *, "
            "npy_intp, void *)'; void([i64], mut [f64]) as 'int (npy_intp *, double *, int, int, void *)'",
        ),
        (
            lambda: rb.low_level_callable(decay),
            f"{decay!r} has no signature of its own: name the C signature, such as low_level_callable(f, 'double (double, "
            f"void *)')",
        ),
        (
            lambda: rb.low_level_callable(decay, "double (int, double *)"),
            "'double (int, double *)' may stand for f64(f64, f64, …) or f64([f64]): say which, with rb.compile(f, 'f64(f64, "
            "f64)') or rb.compile(f, 'f64([f64])')",
        ),
        (
            lambda: rb.compile(lambda z: z, "c128(c128)").address,
            "<ringback callback <lambda>: c128(c128)> has no plain C function: argument 1 is c128, and C compilers differ "
            "in how they pass complex numbers; pass the callback itself to what takes callback records "
            "(include/ringback.h)",
        ),
        (
            lambda: rb.compile(lambda x: complex(x), "c128(f64)").ctypes,
            "<ringback callback <lambda>: c128(f64)> has no plain C function: the result is complex, and C compilers differ "
            "in how they return complex numbers; pass the callback itself to what takes callback records "
            "(include/ringback.h)",
        ),
        (
            lambda: rb.compile(lambda x: (x, x), "[f64; 2](f64)").cffi,
            "<ringback callback <lambda>: [f64; 2](f64)> has no plain C function: the result is [f64; 2], and C has one "
            "result; pass the callback itself to what takes callback records (include/ringback.h)",
        ),
        (
            lambda: rb.compile(lambda x: x.sum(), "f64([f64; :; any])").ctypes,
            "<ringback callback <lambda>: f64([f64; :; any])> has no plain C function: argument 1 is [f64; :; any], whose strides "
            "a pointer and lengths do not tell; pass the callback itself to what takes callback records "
            "(include/ringback.h)",
        ),
    ]:  # fmt: skip
        with pytest.raises(TypeError) as caught:
            make()
        assert str(caught.value) == text


def test_ctypes_raises_what_the_callback_raises() -> None:
    f = rb.compile(raises, "f64(f64)")
    assert f.ctypes(0.25) == 0.25
    assert f.ctypes.restype is ctypes.c_double
    assert ctypes.cast(f.ctypes, ctypes.c_void_p).value == f.address
    with pytest.raises(ValueError, match="too large") as caught:
        f.ctypes(0.75)
    assert caught.value.args == ("too large", 0.75)
    assert f.ctypes(0.5) == 0.5
    assert scipy.integrate.quad(f.ctypes, 0, 0.5)[0] == pytest.approx(0.125)


def test_ctypes_of_every_scalar_type() -> None:
    for element in ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f32", "f64"]:
        f = rb.compile(lambda x, y: y - x, f"{element}({element}, {element})").ctypes
        assert f(3, 10) == 7
        if element[0] == "i":
            assert f(10, 3) == -7
    both = rb.compile(lambda x, y: x and not y, "bool(bool, bool)").ctypes
    assert [both(x, y) for x in (False, True) for y in (False, True)] == [False, False, True, False]
    count = rb.compile(lambda: 5, "i64()").ctypes
    assert count() == 5
    mixed = rb.compile(lambda a, b, c: a * b + c, "f64(i16, f32, u64)").ctypes
    assert mixed(-3, 0.5, 2**40) == 2**40 - 1.5


def test_arrays_are_pointers_and_lengths() -> None:
    def scale(x, out, k):
        for i in range(len(x)):
            out[i] = k * x[i]

    x, out = np.arange(4.0), np.zeros(4)
    pointer = ctypes.POINTER(ctypes.c_double)
    made = rb.compile(scale, "void([f64], mut [f64], f64)")
    made.ctypes(x.ctypes.data_as(pointer), 4, out.ctypes.data_as(pointer), 4, 3.0)
    assert out.tolist() == [0.0, 3.0, 6.0, 9.0]
    with pytest.raises(IndexError):
        made.ctypes(x.ctypes.data_as(pointer), 4, out.ctypes.data_as(pointer), 3, 3.0)
    for layout, order in [("C", "C"), ("F", "F")]:
        text = "i64([i32; :, :])" if layout == "C" else "i64([i32; :, :; F])"
        corner = rb.compile(lambda a: a[1, 2] * 1000 + a.shape[0] * 10 + a.shape[1], text)
        a = np.asarray(np.arange(12, dtype=np.int32).reshape(3, 4), order=order)
        assert corner.ctypes(a.ctypes.data_as(ctypes.POINTER(ctypes.c_int32)), 3, 4) == 6034


def test_cffi() -> None:
    import cffi

    ffi = cffi.FFI()
    f = rb.compile(lambda x, n: x * n, "f64(f64, i32)")
    assert ffi.typeof(f.cffi) is ffi.typeof("double (*)(double, int32_t)")
    assert f.cffi(2.5, 4) == 10.0
    assert int(ffi.cast("uintptr_t", f.cffi)) == f.address
    total = rb.compile(lambda x: x.sum(), "f64([f64])").cffi
    x = np.arange(5.0)
    assert total(ffi.from_buffer("double[]", x), 5) == 10.0
    # As SciPy takes it.
    assert scipy.integrate.quad(LowLevelCallable(rb.compile(decay, "f64(f64)").cffi), 1, 2)[0] == pytest.approx(
        scipy.integrate.quad(decay, 1, 2)[0]
    )


@pytest.mark.parametrize("kind", ["ctypes", "cffi"])
def test_plain_functions_keep_the_callback_alive(kind: str) -> None:
    data = np.full(300_000, 2.0)
    alive = weakref.ref(data)
    made = getattr(rb.bind(rb.compile(moment, "f64(f64, [f64])"), data=data), kind)
    del data
    gc.collect()
    assert made(0.5) == 300_000.0
    assert alive() is not None
    del made
    gc.collect()
    rb.compile(decay, "f64(f64)").low_level_callable()
    assert alive() is None


class Reports:
    """What `sys.unraisablehook` is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.found: list[tuple[type, str, Any]] = []
        monkeypatch.setattr(
            sys, "unraisablehook", lambda u: self.found.append((u.exc_type, str(u.exc_value), u.object))
        )

    def wait(self, count: int) -> None:
        end = time.monotonic() + 10.0
        while len(self.found) < count and time.monotonic() < end:
            time.sleep(0.001)


def test_without_the_gil_an_exception_is_reported_and_the_result_is_nan(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = Reports(monkeypatch)
    f = rb.compile(raises, "f64(f64)")
    released = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(f.address)
    assert released(0.25) == 0.25
    assert math.isnan(released(0.75))
    reports.wait(1)
    assert reports.found == [(ValueError, "('too large', 0.75)", "<ringback callback raises: f64(f64)>")]
    # And again: not only the first of a callback's life is told.
    assert math.isnan(f.cffi(0.875))
    reports.wait(2)
    assert reports.found[1:] == [(ValueError, "('too large', 0.875)", "<ringback callback raises: f64(f64)>")]
    whole = rb.compile(lambda n: 10 // n, "i64(i64)")
    assert ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64)(whole.address)(0) == 0
    reports.wait(3)
    assert reports.found[2][0] is ZeroDivisionError


def test_a_failing_call_never_waits_for_the_gil(monkeypatch: pytest.MonkeyPatch) -> None:
    reports = Reports(monkeypatch)
    called = rb.compile(raises, "f64(f64)")
    plain = called.ctypes
    libc = ctypes.CDLL(None)
    nap = libc.usleep
    nap.argtypes, nap.restype = [ctypes.c_uint], ctypes.c_int
    state = np.zeros(3)

    @numba.njit(nogil=True)
    def work(state):
        state[0] = 1.0
        while state[1] == 0.0:
            nap(100)
        nap(20_000)
        for _ in range(100):
            result = plain(0.75)
        state[2] = 1.0 if math.isnan(result) else -1.0

    thread = threading.Thread(target=work, args=(state,))
    thread.start()
    while state[0] == 0.0:
        time.sleep(0.01)
    state[1] = 1.0
    # Holds the GIL, as a library does that waits for its threads without releasing it.
    ctypes.PyDLL(None).usleep(300_000)
    assert state[2] == 1.0
    thread.join()
    reports.wait(1)
    assert reports.found[0][:2] == (ValueError, "('too large', 0.75)")


def test_cfunc_keeps_the_conventions_of_numba() -> None:
    made = rb.cfunc("float64(intc, CPointer(float64))")(lambda n, x: x[0] * x[1])
    assert made.low_level_callable().function is made.ctypes
    f = rb.cfunc("float64(float64)")(raises)
    with pytest.raises(SystemError) as caught:
        scipy.integrate.quad(f.low_level_callable(), 0, 1)
    assert type(caught.value.__cause__) is ValueError


def test_low_level_callables_are_made_and_dropped_in_numbers() -> None:
    declared = rb.compile(moment, "f64(f64, [f64])")
    data = np.ones(2)
    before = sys.getrefcount(data)
    for _ in range(200):
        declared.bind(data=data).low_level_callable()
    gc.collect()
    declared.bind(data=np.ones(1))
    assert sys.getrefcount(data) <= before + 1
